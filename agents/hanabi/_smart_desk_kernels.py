"""The desk at which SmartBot's fast play-outs happen, and what everybody reads off it.

`t` is the table, int64, shape (TABLE,):

    FW      height of each firework, 5
    LEFT    copies of each card neither played nor lost, 40
    DECK_AT what is drawn, in order, 50
    HAND, MEMORY, HINTS   for each seat and slot (10 a seat): the card, the set of cards
            everyone takes it to be, the set that hints leave; 50 each
    EYES    the sets of the seat to move with what it sees, 10
    and scalars, see below.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from agents.hanabi._table_kernels import hinted, rank_set, single, size_of, the_card
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_COPIES,
    CFG_HAND,
    CFG_PLAYERS,
    CFG_RANKS,
    DEALT,
    DECK,
    DISCARDS,
    FIREWORKS,
    HANDS,
    INFORMATION,
    LIVES,
    MAX_CARDS,
    SCORE,
    SIZES,
    TURN,
)
from games.hanabi.layout import LEFT as TURNS_LEFT

__all__ = [
    "ALL",
    "CRITICAL",
    "DEAD",
    "DEALT_AT",
    "DECK_AT",
    "DOOMED",
    "EYES",
    "FW",
    "GONE",
    "HAND",
    "HINTS",
    "LAST",
    "LEFT",
    "LIVES_AT",
    "LOCATED",
    "MEMORY",
    "MOVER",
    "PLAYABLE",
    "SCORE_AT",
    "SIZE",
    "TABLE",
    "TOKENS",
    "count_out",
    "doomed_slot",
    "lay",
    "maybe_critical",
    "narrow",
    "newest_at",
    "next_doomed",
    "survey_color",
]

FW = 0
LEFT = 8
DECK_AT = 48
HAND = 100
MEMORY = 150
HINTS = 200
EYES = 250
SIZE = 260
LOCATED = 270
PLAYABLE, DEAD, CRITICAL, ALL, GONE = 310, 311, 312, 313, 314
TOKENS, LIVES_AT, SCORE_AT, DEALT_AT, LAST, MOVER = 315, 316, 317, 318, 319, 320
DOOMED = 321  # the slot the next seat would discard, −2: not worked out yet
TABLE = 330


@njit(cache=True)
def survey_color(t, cfg, color):  # type: ignore[no-untyped-def]  # compiled by numba
    """Bring the sets up to date for one colour."""
    shift = 8 * color
    keep = ~(np.int64(31) << shift)
    playable, dead, critical, gone = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    height = t[FW + color]
    reachable = True
    for rank in range(cfg[CFG_RANKS]):
        bit = np.int64(1) << (shift + rank)
        left = t[LEFT + 8 * color + rank]
        if left <= 0:
            gone |= bit
        if rank < height or not reachable:
            dead |= bit
            continue
        if rank == height:
            playable |= bit
        if left == 1:
            critical |= bit
        reachable = left > 0
    t[PLAYABLE] = (t[PLAYABLE] & keep) | playable
    t[DEAD] = (t[DEAD] & keep) | dead
    t[CRITICAL] = (t[CRITICAL] & keep) | critical
    t[GONE] = (t[GONE] & keep) | gone


@njit(cache=True)
def lay(row, cfg, memory, t):  # type: ignore[no-untyped-def]  # compiled by numba
    """Lay the table: `t` from an episode and what its seats remember."""
    t[:] = 0
    for color in range(cfg[CFG_COLORS]):
        t[FW + color] = row[FIREWORKS + color]
        for rank in range(cfg[CFG_RANKS]):
            card = 8 * color + rank
            t[ALL] |= np.int64(1) << card
            used = 1 if rank < row[FIREWORKS + color] else 0
            t[LEFT + card] = cfg[CFG_COPIES + rank] - row[DISCARDS + card] - used
        survey_color(t, cfg, color)
    for i in range(MAX_CARDS):
        t[DECK_AT + i] = row[DECK + i]
    for seat in range(cfg[CFG_PLAYERS]):
        t[SIZE + seat] = row[SIZES + seat]
        for slot in range(row[SIZES + seat]):
            index = row[HANDS + seat * cfg[CFG_HAND] + slot]
            t[HAND + 10 * seat + slot] = row[DECK + index]
            t[MEMORY + 10 * seat + slot] = memory[index]
            t[HINTS + 10 * seat + slot] = hinted(row, cfg, seat, slot) & t[ALL]
    t[TOKENS], t[LIVES_AT], t[SCORE_AT] = row[INFORMATION], row[LIVES], row[SCORE]
    t[DEALT_AT], t[LAST], t[MOVER] = row[DEALT], row[TURNS_LEFT], row[TURN]


@njit(cache=True)
def count_out(t, players):  # type: ignore[no-untyped-def]  # compiled by numba
    """Rule out cards whose copies are all accounted for, until nothing changes."""
    changed = True
    while changed:
        changed = False
        gone = t[GONE]
        for seat in range(players):
            for at in range(MEMORY + 10 * seat, MEMORY + 10 * seat + t[SIZE + seat]):
                cards = t[at]
                if single(cards):
                    card = the_card(cards)
                    t[LOCATED + card] += 1
                    if t[LOCATED + card] >= t[LEFT + card]:
                        gone |= cards
        for seat in range(players):
            for at in range(MEMORY + 10 * seat, MEMORY + 10 * seat + t[SIZE + seat]):
                cards = t[at]
                if single(cards):
                    t[LOCATED + the_card(cards)] = 0
                elif cards & gone and cards & ~gone:
                    t[at] = cards & ~gone
                    changed = changed or single(t[at])


@njit(cache=True)
def narrow(t, at, kept):  # type: ignore[no-untyped-def]  # compiled by numba
    """Keep `kept` of a card; if nothing is left what hints say."""
    cards = t[MEMORY + at] & kept
    if cards == 0:
        cards = t[HINTS + at]
        cards = cards & kept if cards & kept else cards
    t[MEMORY + at] = cards


@njit(cache=True)
def doomed_slot(t, seat):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the slot that `seat` would discard, −1 if it has something better to do."""
    best, found = -1.0, -1
    for slot in range(t[SIZE + seat]):
        cards = t[MEMORY + 10 * seat + slot]
        if cards & ~t[PLAYABLE] == 0 or cards & ~t[DEAD] == 0:
            return -1
        if cards & ~t[CRITICAL] == 0:
            continue
        dead = cards & t[DEAD]
        share = size_of(dead) / size_of(cards) if dead else 0.0
        if share > best:
            best, found = share, slot
    return found


@njit(cache=True)
def next_doomed(t, players):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return what `doomed_slot` says of the next seat, worked out once a move."""
    if t[DOOMED] == -2:
        seat = t[MOVER] + 1
        t[DOOMED] = doomed_slot(t, seat if seat < players else 0)
    return t[DOOMED]


@njit(cache=True)
def maybe_critical(t, cards, rank):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether a card may be critical, and with this rank."""
    critical = t[CRITICAL]
    return cards & ~critical != 0 and cards & rank_set(rank) & critical != 0


@njit(cache=True)
def newest_at(t, cfg, me, card):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the only other seat whose newest card is `card`, −1 if there is not just one."""
    found = -1
    for seat in range(cfg[CFG_PLAYERS]):
        if seat == me or t[SIZE + seat] == 0:
            continue
        if t[HAND + 10 * seat + t[SIZE + seat] - 1] == card:
            if found >= 0:
                return -1
            found = seat
    return found
