"""One step of N episodes of a Markov game."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly; its
# decorator has no types, and it infers those of the arguments. Loops over plain indices with
# many branches are what it compiles best.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False

from __future__ import annotations

import numba

from games._stream import stream_unit


@numba.njit(cache=True)
def draw_start(streams, starts, chances, at):
    """Draw first states as `Stream.index` does; streams and at (N,) modified in place."""
    for k in range(len(at)):
        left = stream_unit(streams, k)
        found = 0
        for i in range(len(starts)):
            if chances[i] > 0.0:
                found = i
                left -= chances[i]
                if left < 0.0:
                    break
        at[k] = starts[found]


@numba.njit(cache=True)
def play_step(
    joint,
    live,
    streams,
    reward,
    indptr,
    indices,
    probability,
    terminal,
    longest,
    discount,
    steps,
    at,
    paid,
    totals,
):
    """Play joint actions, (N,), where `live`; the last four arrays, streams and live change.

    Of the arguments:
        longest: steps after which it is over, −1 for none.
        paid, totals: shape (N, n).
    """
    width = reward.shape[2]
    for k in range(len(joint)):
        for i in range(paid.shape[1]):
            paid[k, i] = 0.0
        if not live[k]:
            continue
        for i in range(paid.shape[1]):
            paid[k, i] = reward[i, at[k], joint[k]]
            totals[k, i] += paid[k, i]
        steps[k] += 1
        if longest >= 0 and steps[k] >= longest:
            live[k] = False
            continue
        if discount < 1.0 and not stream_unit(streams, k) < discount:
            live[k] = False
            continue
        row = at[k] * width + joint[k]
        left = stream_unit(streams, k)
        found = indptr[row]
        for e in range(indptr[row], indptr[row + 1]):
            if probability[e] > 0.0:
                found = e
                left -= probability[e]
                if left < 0.0:
                    break
        at[k] = indices[found]
        if terminal[at[k]]:
            live[k] = False
