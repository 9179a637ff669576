"""The loop of `games.repeated.batch`."""

from __future__ import annotations

from numba import njit

from games._stream import stream_below, stream_unit

__all__ = ["play_round"]


@njit(cache=True)
def play_round(  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    actions,
    live,
    streams,
    rounds,
    continuation,
    noise,
    counts,
    strides,
    pay,
    played,
    totals,
    window,
):
    """Play one round of every live episode; the arrays marked * are modified in place.

    Args:
        actions: int64, shape (N, n).
        live: * bool, shape (N,).
        streams: * uint64, shape (N,).
        rounds: greatest number of rounds, −1 if there is none.
        continuation: probability of another round, −1 if only `rounds` counts.
        noise: probability that an action is executed as another.
        counts: actions of each seat, shape (n,).
        strides: of the joint action's number, shape (n,).
        pay: payoffs by joint action, shape (P, n).
        played: * rounds so far, shape (N,).
        totals: * shape (N, n).
        window: * executed joint actions, the latest first, −1 before the first, shape (N, m, n).
    """
    n = counts.shape[0]
    for k in range(actions.shape[0]):
        if not live[k]:
            continue
        for m in range(window.shape[1] - 1, 0, -1):
            for i in range(n):
                window[k, m, i] = window[k, m - 1, i]
        number = 0
        for i in range(n):
            action = actions[k, i]
            if noise > 0.0 and stream_unit(streams, k) < noise:
                if counts[i] == 2:
                    action = 1 - action
                elif counts[i] > 2:
                    other = stream_below(streams, k, counts[i] - 1)
                    action = other + 1 if other >= action else other
            window[k, 0, i] = action
            number += action * strides[i]
        for i in range(n):
            totals[k, i] += pay[number, i]
        played[k] += 1
        over = rounds >= 0 and played[k] >= rounds
        if not over and continuation >= 0.0:
            over = not stream_unit(streams, k) < continuation
        live[k] = not over
