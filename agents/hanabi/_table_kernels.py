"""What every bot reads from the table: cards as bits of an integer, and counts.

Bit `colour * 8 + rank` of a set stands for a card. `work` is scratch, int64, shape (WORK,):
`survey` fills its first part for the position, the rest belongs to the bots.
"""

from __future__ import annotations

import numpy as np

from games._jit import kernel
from games.hanabi._kernels import count
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_COPIES,
    CFG_HAND,
    CFG_PLAYERS,
    CFG_RANKS,
    DECK,
    DISCARDS,
    FIREWORKS,
    HANDS,
    KNOWN,
    SIZES,
)

__all__ = [
    "ALL",
    "CRITICAL",
    "DEAD",
    "FREE",
    "LEFT_OVER",
    "PLAYABLE",
    "WORK",
    "card_at",
    "color_hint",
    "color_set",
    "held",
    "hinted",
    "private_counts",
    "rank_hint",
    "rank_set",
    "single",
    "size_of",
    "survey",
    "the_card",
    "weight",
]

LEFT_OVER = 0  # copies of each card that are neither played nor lost, 40
PLAYABLE = 40  # sets of cards
DEAD = 41  # played already, or never playable
CRITICAL = 42  # the last copy of a card that is not dead
ALL = 43
FREE = 48  # of the bots
WORK = 1024


@kernel
def survey(row, cfg, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Fill the first part of `work` for the position."""
    work[PLAYABLE : ALL + 1] = 0
    for color in range(cfg[CFG_COLORS]):
        height = row[FIREWORKS + color]
        reachable = True
        for rank in range(cfg[CFG_RANKS]):
            card = color * 8 + rank
            bit = np.int64(1) << card
            left = cfg[CFG_COPIES + rank] - row[DISCARDS + card] - (1 if rank < height else 0)
            work[LEFT_OVER + card] = left
            work[ALL] |= bit
            if rank < height or not reachable:
                work[DEAD] |= bit
                continue
            if rank == height:
                work[PLAYABLE] |= bit
            if left == 1:
                work[CRITICAL] |= bit
            reachable = left > 0


@kernel
def size_of(cards):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return how many cards are in a set."""
    return count(np.uint64(cards))


@kernel
def single(cards):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether a set holds exactly one card."""
    return cards != 0 and cards & (cards - 1) == 0


@kernel
def the_card(cards):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the least card of a set that is not empty."""
    return size_of((cards & -cards) - 1)


@kernel
def color_set(color):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return all cards of a colour."""
    return np.int64(31) << (8 * color)


@kernel
def rank_set(rank):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return all cards of a rank."""
    return np.int64(0x0101010101) << rank


@kernel
def held(row, cfg, seat, slot):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the position in the deck of the card in a slot."""
    return np.int64(row[HANDS + seat * cfg[CFG_HAND] + slot])


@kernel
def card_at(row, cfg, seat, slot):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the card in a slot."""
    return np.int64(row[DECK + held(row, cfg, seat, slot)])


@kernel
def hinted(row, cfg, seat, slot):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the cards that hints leave for a slot."""
    known = np.int64(row[KNOWN + held(row, cfg, seat, slot)])
    cards = np.int64(0)
    for color in range(cfg[CFG_COLORS]):
        if known >> color & 1:
            cards |= ((known >> 5) & 31) << (8 * color)
    return cards & ((np.int64(1) << 40) - 1)


@kernel
def private_counts(row, cfg, seat, work, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write at `work[out:]` how many of each card `seat` has not seen, 40 numbers."""
    for card in range(40):
        work[out + card] = 0
        if work[ALL] >> card & 1:
            work[out + card] = work[LEFT_OVER + card]
    for other in range(cfg[CFG_PLAYERS]):
        if other != seat:
            for slot in range(row[SIZES + other]):
                work[out + card_at(row, cfg, other, slot)] -= 1


@kernel
def weight(cards, work, counts):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return how many copies a set stands for, counted at `work[counts:]`."""
    total = np.int64(0)
    while cards:
        low = cards & -cards
        total += max(work[counts + the_card(low)], 0)
        cards ^= low
    return total


@kernel
def color_hint(cfg, step, color):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the action that tells the seat `step` seats on a colour."""
    return 2 * cfg[CFG_HAND] + (step - 1) * cfg[CFG_COLORS] + color


@kernel
def rank_hint(cfg, step, rank):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the action that tells the seat `step` seats on a rank."""
    base = 2 * cfg[CFG_HAND] + (cfg[CFG_PLAYERS] - 1) * cfg[CFG_COLORS]
    return base + (step - 1) * cfg[CFG_RANKS] + rank
