# ruff: noqa: PLR0917 - compiled: no keywords
"""What SmartBot reads out of moves; the conventions are those of `_smart_kernels`."""

from __future__ import annotations

import numpy as np

from agents.hanabi._table_kernels import (
    ALL,
    CRITICAL,
    DEAD,
    FREE,
    LEFT_OVER,
    PLAYABLE,
    card_at,
    color_set,
    held,
    hinted,
    rank_set,
    single,
    size_of,
    survey,
    the_card,
)
from games._jit import kernel
from games.hanabi.layout import (
    CFG_DECK,
    CFG_INFORMATION,
    CFG_MOVES,
    CFG_PLAYERS,
    DEALT,
    INFORMATION,
    SIZES,
    TURN,
)

__all__ = [
    "LOCATED",
    "MAYBE",
    "NO",
    "YES",
    "count_out",
    "may_be_critical",
    "next_discard",
    "share_of",
    "smart_watch",
    "whether",
]

NO, MAYBE, YES = 0, 1, 2
LOCATED = FREE  # identified cards held, 40


@kernel
def whether(cards, wanted):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether a card of the set `cards` is in `wanted`."""
    if cards & ~wanted == 0:
        return YES
    return NO if cards & wanted == 0 else MAYBE


@kernel
def share_of(cards, wanted):  # type: ignore[no-untyped-def]  # compiled by numba
    return size_of(cards & wanted) / size_of(cards)


@kernel
def _narrow(row, cfg, memory, seat, slot, kept, work):  # type: ignore[no-untyped-def]  # compiled
    """Keep `kept` of a card; if nothing is left (a partner broke a convention) what hints say."""
    index = held(row, cfg, seat, slot)
    cards = memory[index] & kept
    if cards == 0:
        cards = hinted(row, cfg, seat, slot) & work[ALL]
        cards = cards & kept if cards & kept else cards
    memory[index] = cards


@kernel
def count_out(row, cfg, memory, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Rule out cards whose copies are all accounted for, until nothing changes (1)."""
    changed = True
    while changed:
        changed = False
        work[LOCATED : LOCATED + 40] = 0
        for seat in range(cfg[CFG_PLAYERS]):
            for slot in range(row[SIZES + seat]):
                cards = memory[held(row, cfg, seat, slot)]
                if single(cards):
                    work[LOCATED + the_card(cards)] += 1
        gone = np.int64(0)
        for card in range(40):
            if work[ALL] >> card & 1 and work[LEFT_OVER + card] <= work[LOCATED + card]:
                gone |= np.int64(1) << card
        for seat in range(cfg[CFG_PLAYERS]):
            for slot in range(row[SIZES + seat]):
                index = held(row, cfg, seat, slot)
                cards = memory[index]
                if cards & gone and not single(cards) and cards & ~gone:
                    memory[index] = cards & ~gone
                    changed = changed or single(memory[index])


@kernel
def next_discard(row, cfg, memory, seat, work):  # type: ignore[no-untyped-def]  # compiled
    """Return the slot that `seat` would discard, −1 if it has something better to do."""
    best, slot_found = -1.0, -1
    for slot in range(row[SIZES + seat]):
        cards = memory[held(row, cfg, seat, slot)]
        if cards & ~work[PLAYABLE] == 0 or cards & ~work[DEAD] == 0:
            return -1
        if cards & ~work[CRITICAL] == 0:
            continue
        share = share_of(cards, work[DEAD])
        if share > best:
            best, slot_found = share, slot
    return slot_found


@kernel
def _no_warning(row, cfg, memory, mover, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Draw the conclusion from silence (4)."""
    if row[DEALT] == cfg[CFG_DECK] or row[INFORMATION] == 0:
        return
    seat = (mover + 1) % cfg[CFG_PLAYERS]
    slot = next_discard(row, cfg, memory, seat, work)
    if slot >= 0:
        _narrow(row, cfg, memory, seat, slot, ~work[CRITICAL], work)


@kernel
def may_be_critical(cards, rank, work):  # type: ignore[no-untyped-def]  # compiled by numba
    return whether(cards, work[CRITICAL]) == MAYBE and cards & rank_set(rank) & work[CRITICAL] != 0


@kernel
def _see_hint(row, cfg, memory, mover, move, touched, work):  # type: ignore[no-untyped-def]
    """Take in a hint (2, 3, 5) and what it leaves unsaid (4)."""
    players = cfg[CFG_PLAYERS]
    to = (mover + ((move >> 2) & 7)) % players
    by_rank, value = move & 3 == 3, move >> 5
    told = rank_set(value) if by_rank else color_set(value)
    warned = (mover + 1) % players
    silent = False
    if by_rank:
        doomed = next_discard(row, cfg, memory, warned, work)
        stalling = (
            row[INFORMATION] == cfg[CFG_INFORMATION]
            and mover == (to + 1) % players
            and touched & 1 != 0
        )
        warning = not stalling and to == warned and doomed >= 0 and touched >> doomed & 1 != 0
        if warning:
            cards = memory[held(row, cfg, to, doomed)]
            warning = may_be_critical(cards, value, work)
            if warning:
                _narrow(row, cfg, memory, to, doomed, work[CRITICAL], work)
        silent = stalling or warning
    identified, meant = False, -1
    for slot in range(row[SIZES + to] - 1, -1, -1):
        index = held(row, cfg, to, slot)
        open_before = whether(memory[index], work[PLAYABLE]) == MAYBE
        hit = touched >> slot & 1 != 0
        _narrow(row, cfg, memory, to, slot, told if hit else ~told, work)
        if open_before:
            now = whether(memory[index], work[PLAYABLE])
            if now == YES:
                identified = True
            elif now == MAYBE and hit and meant < 0:
                meant = slot
    if not silent and not identified and meant >= 0:
        _narrow(row, cfg, memory, to, meant, work[PLAYABLE], work)
    if to != warned:
        _no_warning(row, cfg, memory, mover, work)


@kernel
def smart_watch(row, cfg, memory, me, action, touched, work):  # type: ignore[no-untyped-def]
    """Take in a move before it is made; the own hand is not looked at.

    Args:
        row: the episode before the move.
        cfg: the numbers of the variant.
        memory: of seat `me`, modified in place.
        me: the seat that watches.
        action: the move.
        touched: the slots touched, if it is a hint.
        work: scratch.
    """
    survey(row, cfg, work)
    count_out(row, cfg, memory, work)
    mover = np.int64(row[TURN])
    move = cfg[CFG_MOVES + action]
    if move & 3 >= 2:
        _see_hint(row, cfg, memory, mover, move, touched, work)
        return
    _no_warning(row, cfg, memory, mover, work)
    if move & 3 == 0:
        cards = memory[held(row, cfg, mover, move >> 5)]
        if single(cards) and cards & work[PLAYABLE]:
            _see_finesse(row, cfg, memory, mover, me, cards, work)


@kernel
def _see_finesse(row, cfg, memory, mover, me, cards, work):  # type: ignore[no-untyped-def]
    """Find the seat whose newest card was just discarded by `mover` (6)."""
    holder = me
    for seat in range(cfg[CFG_PLAYERS]):
        if seat in (mover, me) or row[SIZES + seat] == 0:
            continue
        if np.int64(1) << card_at(row, cfg, seat, row[SIZES + seat] - 1) == cards:
            holder = seat
            break
    if holder != mover and row[SIZES + holder] > 0:
        _narrow(row, cfg, memory, holder, row[SIZES + holder] - 1, cards, work)
