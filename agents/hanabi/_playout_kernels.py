# ruff: noqa: PLR0917 - compiled: no keywords
"""Playing on from any position: the loop that search spends its time in.

As long as all seats are SmartBots and remember the same, one memory serves them all and is
brought up to date once a move; they come to remember different things only when a discard
means something else to different seats (a finesse that was none), and then each goes on
with its own.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from agents.hanabi._kernels import SMART, choose, touched_by, watch
from agents.hanabi._smart_kernels import smart_decide, smart_survey, smart_take_in
from agents.hanabi._table_kernels import card_at, held, single, the_card
from games.hanabi._kernels import act_and_draw, allowed, legal_bits, pick
from games.hanabi.layout import (
    CFG_HAND,
    CFG_MOVES,
    CFG_PLAYERS,
    HANDS,
    LIVE,
    SIZES,
    TURN,
)

__all__ = ["play_on"]


@njit(cache=True)
def _same(row, cfg, memories):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether all seats remember the same of the cards held."""
    players = cfg[CFG_PLAYERS]
    for seat in range(players):
        for slot in range(row[SIZES + seat]):
            index = row[HANDS + seat * cfg[CFG_HAND] + slot]
            for other in range(1, players):
                if memories[other, index] != memories[0, index]:
                    return False
    return True


@njit(cache=True)
def _ambiguous(row, cfg, memory, mover, action):  # type: ignore[no-untyped-def]  # compiled
    """Return whether a discard may mean different things to different seats."""
    move = cfg[CFG_MOVES + action]
    if move & 3 != 0:
        return False
    cards = memory[held(row, cfg, mover, move >> 5)]
    if not single(cards):
        return False
    card, holders = the_card(cards), 0
    for seat in range(cfg[CFG_PLAYERS]):
        if seat != mover and row[SIZES + seat] > 0:
            holders += card_at(row, cfg, seat, row[SIZES + seat] - 1) == card
    return holders != 1


@njit(cache=True)
def play_on(bots, row, cfg, memories, streams, work):  # type: ignore[no-untyped-def]  # compiled
    """Play an episode to its end, as `agents.hanabi._kernels.play_games` does.

    Args:
        bots: the bot in each seat, shape (n,).
        row: the episode, shape (W,), modified in place.
        cfg: the numbers of the variant.
        memories: of each seat, shape (n, 50), modified in place.
        streams: of each seat, shape (n,), modified in place.
        work: scratch, shape (WORK,).
    """
    players = cfg[CFG_PLAYERS]
    shared = _same(row, cfg, memories)
    for seat in range(players):
        shared = shared and bots[seat] == SMART
    if shared:
        memory = memories[0]
        while row[LIVE]:
            mover = np.int64(row[TURN])
            smart_survey(row, cfg, memory, work)
            action = np.int64(smart_decide(row, cfg, memory, mover, work))
            if not allowed(row, cfg, action):
                action = np.int64(pick(legal_bits(row, cfg), 0))
            if _ambiguous(row, cfg, memory, mover, action):
                break
            touched = touched_by(row, cfg, action)
            other = (mover + 1) % players
            smart_take_in(row, cfg, memory, other, action, touched, work)
            act_and_draw(row, cfg, action, touched)
        if row[LIVE]:
            for seat in range(1, players):
                memories[seat] = memory
    while row[LIVE]:
        mover = np.int64(row[TURN])
        action = choose(bots[mover], row, cfg, memories[mover], mover, streams, mover, work)
        touched = touched_by(row, cfg, action)
        for seat in range(players):
            watch(bots[seat], row, cfg, memories[seat], seat, action, touched, work)
        act_and_draw(row, cfg, action, touched)
