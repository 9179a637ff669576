# ruff: noqa: PLR0917 - compiled: no keywords
"""Many episodes at once: dealing, legality, moves, random play; see `games.hanabi._kernels`."""

from __future__ import annotations

import numpy as np

from games._jit import kernel
from games._stream import child_seed, stream_below, stream_state
from games.hanabi._kernels import (
    act_and_draw,
    allowed,
    count,
    deal,
    legal_bits,
    legal_row,
    pick,
    returned,
)
from games.hanabi.layout import LIVE, TURN

__all__ = [
    "actors_all",
    "deal_all",
    "deal_over",
    "deal_where",
    "legal_all",
    "play_at_random",
    "random_all",
    "returns_all",
    "step_all",
]


@kernel
def deal_all(rows, cfg, opening, streams):  # type: ignore[no-untyped-def]  # compiled by numba
    """Deal N episodes, a stream each; rows (N, W) and streams (N,) modified in place."""
    for k in range(rows.shape[0]):
        deal(rows[k], cfg, opening, streams, k)


@kernel
def deal_where(rows, cfg, opening, chosen, streams):  # type: ignore[no-untyped-def]
    """Deal the episodes of the numbers `chosen` anew, a stream each; both modified in place."""
    for k in range(chosen.shape[0]):
        deal(rows[chosen[k]], cfg, opening, streams, k)


@kernel
def deal_over(rows, cfg, opening, seed, streams, before, over):  # type: ignore[no-untyped-def]
    """Deal every episode that is over anew, number k from the child k of a seed.

    Args:
        rows: shape (N, W), modified in place.
        cfg: the numbers of the variant.
        opening: the row of `fresh`.
        seed: uint64.
        streams: scratch, shape (N,).
        before: the scores before the last move, shape (N,); 0 for those dealt anew.
        over: which were dealt anew, shape (N,), modified in place.
    """
    for k in range(rows.shape[0]):
        over[k] = rows[k, LIVE] == 0
        if over[k]:
            before[k] = 0.0
            streams[k] = stream_state(child_seed(seed, k))
            deal(rows[k], cfg, opening, streams, k)


@kernel
def actors_all(rows, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write which seat is to move, shape (N, n)."""
    for k in range(rows.shape[0]):
        for seat in range(out.shape[1]):
            out[k, seat] = rows[k, LIVE] != 0 and rows[k, TURN] == seat


@kernel
def legal_all(rows, cfg, seat, live, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write where `seat` (−1: whoever it is) is to move, (N,), and what is legal, (N, A)."""
    for k in range(rows.shape[0]):
        mover = np.int64(rows[k, TURN]) if seat < 0 else seat
        live[k] = legal_row(rows[k], cfg, mover, out[k])


@kernel
def step_all(rows, cfg, actions, before):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play one move of every episode that goes on, or none at all.

    Args:
        rows: the episodes, shape (N, W), modified in place.
        cfg: the numbers of the variant.
        actions: shape (N, n), or (N, 1) for whoever is to move.
        before: the scores before the move, shape (N,), modified in place.

    Returns:
        The number of the first episode whose action is refused, −1 if none is.
    """
    each = 1 if actions.shape[1] > 1 else 0
    for k in range(rows.shape[0]):
        row = rows[k]
        if row[LIVE] and not allowed(row, cfg, actions[k, row[TURN] * each]):
            return k
    for k in range(rows.shape[0]):
        row = rows[k]
        before[k] = returned(row, cfg)
        if row[LIVE]:
            act_and_draw(row, cfg, actions[k, row[TURN] * each], -1)
    return -1


@kernel
def returns_all(rows, cfg, before, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write scores less those before the last move, (N,), where wanted (else (0,)); (N, n)."""
    for k in range(rows.shape[0]):
        score = float(returned(rows[k], cfg))
        if before.shape[0] > 0:
            score -= before[k]
        for seat in range(out.shape[1]):
            out[k, seat] = score


@kernel
def random_all(rows, cfg, streams, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Draw a legal action of whoever is to move, each equally likely.

    Args:
        rows: shape (N, W).
        cfg: the numbers of the variant.
        streams: shape (N,), modified in place.
        out: shape (N,), modified in place; 0 where the game is over.
    """
    for k in range(rows.shape[0]):
        row = rows[k]
        bits = legal_bits(row, cfg)
        out[k] = pick(bits, stream_below(streams, k, count(bits))) if bits else 0


@kernel
def play_at_random(rows, cfg, streams):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play episodes to their end, every legal action being equally likely.

    Args:
        rows: shape (N, W), modified in place.
        cfg: the numbers of the variant.
        streams: one a seat and episode, shape (N, n), modified in place.

    Returns:
        The number of moves.
    """
    moves = 0
    for k in range(rows.shape[0]):
        row, own = rows[k], streams[k]
        while row[LIVE]:
            bits = legal_bits(row, cfg)
            action = pick(bits, stream_below(own, row[TURN], count(bits)))
            act_and_draw(row, cfg, action, -1)
            moves += 1
    return moves
