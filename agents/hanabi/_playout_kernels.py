# ruff: noqa: PLR0917 - compiled: no keywords
"""Playing on from any position: the loop that search spends its time in.

Where all seats are SmartBots that remember the same, `_smart_playout_kernels` does it. They
come to remember different things only when a discard means something else to different
seats (a finesse that was none); then, and with other bots, each goes on with its own memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from agents.hanabi._kernels import SMART, choose, touched_by, watch
from agents.hanabi._smart_playout_kernels import smart_to_the_end
from games.hanabi._kernels import act_and_draw, returned
from games.hanabi.layout import CFG_HAND, CFG_PLAYERS, HANDS, LIVE, SIZES, TURN

__all__ = ["play_on", "play_separately"]


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
def play_on(bots, row, cfg, memories, streams, work, table):  # type: ignore[no-untyped-def]
    """Play an episode to its end, as `agents.hanabi._kernels.play_games` does; return the score.

    Args:
        bots: the bot in each seat, shape (n,).
        row: the episode, shape (W,), modified in place.
        cfg: the numbers of the variant.
        memories: of each seat, shape (n, 50), modified in place.
        streams: of each seat, shape (n,), modified in place.
        work: scratch, shape (WORK,).
        table: scratch, shape (TABLE,).
    """
    players = cfg[CFG_PLAYERS]
    shared = _same(row, cfg, memories)
    for seat in range(players):
        shared = shared and bots[seat] == SMART
    if shared:
        score = smart_to_the_end(row, cfg, memories[0], table)
        if score >= 0:
            return score
    return play_separately(bots, row, cfg, memories, streams, work)


@njit(cache=True)
def play_separately(bots, row, cfg, memories, streams, work):  # type: ignore[no-untyped-def]
    """Do what `play_on` does, with each seat's own memory."""
    players = cfg[CFG_PLAYERS]
    while row[LIVE]:
        mover = np.int64(row[TURN])
        action = choose(bots[mover], row, cfg, memories[mover], mover, streams, mover, work)
        touched = touched_by(row, cfg, action)
        for seat in range(players):
            watch(bots[seat], row, cfg, memories[seat], seat, action, touched, work)
        act_and_draw(row, cfg, action, touched)
    return np.int64(returned(row, cfg))
