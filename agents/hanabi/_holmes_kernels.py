# ruff: noqa: PLR0911, PLR0917 - compiled: no keywords, and conventions have many cases
"""HolmesBot: every hint says that all it touches is playable, or that one card is valuable.

Conventions of Arthur O'Dwyer's HolmesBot (github.com/Quuxplusone/Hanabi). All that it knows
of a card is public: the set of cards that it may be, and whether it was said or found to be
playable now, valuable (the last copy of a card that was not played) or worthless (played
already). `memory` holds that for each position in the deck: the set, and three flags. Every
seat narrows it by

1. counting: cards all of whose copies are played, lost or identified are ruled out; a flag
   rules out what does not fit it, and is set where all that is left fits it;
2. a colour hint: what it touches is the next card of that colour, unless its rank is known;
3. a rank hint that touches the card its receiver would discard, if that card may be valuable
   with that rank, says that it is; otherwise what it touches is playable, unless its colour
   is known;
4. a rank hint to the previous seat that touches its oldest card when no discard is allowed
   says nothing;
5. a play: what may be the same card is no longer sure to be playable.
"""

from __future__ import annotations

import numpy as np

from agents.hanabi._table_kernels import (
    ALL,
    FREE,
    LEFT_OVER,
    PLAYABLE,
    card_at,
    color_hint,
    color_set,
    held,
    hinted,
    rank_hint,
    rank_set,
    single,
    survey,
    the_card,
)
from games._jit import kernel
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_DECK,
    CFG_HAND,
    CFG_INFORMATION,
    CFG_MOVES,
    CFG_PLAYERS,
    CFG_RANKS,
    DEALT,
    DECK,
    FIREWORKS,
    INFORMATION,
    SIZES,
    TURN,
)

__all__ = ["holmes_choose", "holmes_watch"]

CARDS = np.int64((1 << 40) - 1)
PLAY, KEEP, LOSE = np.int64(1 << 40), np.int64(1 << 41), np.int64(1 << 42)  # flags
LOCATED = FREE  # identified cards held, 40
VALUABLE = FREE + 40  # sets of cards
WORTHLESS = FREE + 41
LOWEST = FREE + 42  # the lowest rank that is playable


# -- what is public -------------------------------------------------------------------------


@kernel
def _look(row, cfg, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Fill `work` for the position."""
    survey(row, cfg, work)
    work[VALUABLE] = work[WORTHLESS] = 0
    work[LOWEST] = cfg[CFG_RANKS]
    for color in range(cfg[CFG_COLORS]):
        height = np.int64(row[FIREWORKS + color])
        work[LOWEST] = min(work[LOWEST], height)
        for rank in range(cfg[CFG_RANKS]):
            card = color * 8 + rank
            if rank < height:
                work[WORTHLESS] |= np.int64(1) << card
            elif work[LEFT_OVER + card] == 1:
                work[VALUABLE] |= np.int64(1) << card


@kernel
def _settle(entry, gone, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return what is known of a card once cards that are accounted for are ruled out (1)."""
    cards, flags = entry & CARDS, entry & ~CARDS
    if not single(cards):
        kept = cards & ~gone
        if flags & KEEP:
            kept &= work[VALUABLE]
        if flags & PLAY:
            kept &= work[PLAYABLE]
        if flags & LOSE:
            kept &= work[WORTHLESS]
        cards = kept if kept else cards  # nothing left: a partner broke a convention
    if flags & LOSE:
        return cards | flags
    if flags == 0 and cards & ~work[WORTHLESS] == 0:
        return cards | LOSE
    if cards & ~work[VALUABLE] == 0:
        flags |= KEEP
    if cards & ~work[PLAYABLE] == 0:
        flags |= PLAY
    return cards | flags


@kernel
def _locate(row, cfg, memory, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Count the identified cards; returns the cards that no other one can be."""
    work[LOCATED : LOCATED + 40] = 0
    for seat in range(cfg[CFG_PLAYERS]):
        for slot in range(row[SIZES + seat]):
            cards = memory[held(row, cfg, seat, slot)] & CARDS
            if single(cards):
                work[LOCATED + the_card(cards)] += 1
    gone = np.int64(0)
    for card in range(40):
        if work[ALL] >> card & 1 and work[LEFT_OVER + card] <= work[LOCATED + card]:
            gone |= np.int64(1) << card
    return gone


@kernel
def _update(row, cfg, memory, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Bring what is known of every card up to date, until nothing changes."""
    changed = True
    while changed:
        changed = False
        gone = _locate(row, cfg, memory, work)
        for seat in range(cfg[CFG_PLAYERS]):
            for slot in range(row[SIZES + seat]):
                index = held(row, cfg, seat, slot)
                entry = _settle(memory[index], gone, work)
                changed = changed or entry != memory[index]
                memory[index] = entry


@kernel
def _rank_of(entry, ranks):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the rank if it is known, else −1."""
    cards = entry & CARDS
    for rank in range(ranks):
        if cards & ~rank_set(rank) == 0:
            return rank
    return -1


@kernel
def _color_of(entry, colors):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the colour if it is known, else −1."""
    cards = entry & CARDS
    for color in range(colors):
        if cards & ~color_set(color) == 0:
            return color
    return -1


@kernel
def _narrow(row, cfg, memory, seat, slot, kept, work):  # type: ignore[no-untyped-def]  # compiled
    """Keep `kept` of a card; if nothing is left (a partner broke a convention) what hints say."""
    index = held(row, cfg, seat, slot)
    cards = memory[index] & kept & CARDS
    if cards:
        memory[index] = cards | (memory[index] & ~CARDS)
        return
    cards = hinted(row, cfg, seat, slot) & work[ALL]
    memory[index] = cards & kept if cards & kept & CARDS else cards


@kernel
def _next_discard(row, cfg, memory, seat):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the slot that `seat` would discard, −1 if it has something better to do."""
    found = -1
    for slot in range(row[SIZES + seat]):
        entry = memory[held(row, cfg, seat, slot)]
        if entry & (PLAY | LOSE):
            return -1
        if found < 0 and not entry & KEEP:
            found = slot
    return found


@kernel
def _see_color(row, cfg, memory, to, color, touched, work):  # type: ignore[no-untyped-def]
    """Take in a colour hint (2)."""
    height = row[FIREWORKS + color]
    for slot in range(row[SIZES + to]):
        entry = memory[held(row, cfg, to, slot)]
        if not touched >> slot & 1:
            _narrow(row, cfg, memory, to, slot, ~color_set(color), work)
            continue
        kept = color_set(color)
        if _rank_of(entry, cfg[CFG_RANKS]) < 0 and not entry & LOSE and height < cfg[CFG_RANKS]:
            kept &= rank_set(height)
        _narrow(row, cfg, memory, to, slot, kept, work)


@kernel
def _see_rank(row, cfg, memory, mover, to, rank, touched, work):  # type: ignore[no-untyped-def]
    """Take in a rank hint (3, 4)."""
    full = row[INFORMATION] == cfg[CFG_INFORMATION]
    if full and mover == (to + 1) % cfg[CFG_PLAYERS] and touched & 1:
        return
    doomed = _next_discard(row, cfg, memory, to)
    warning = doomed >= 0 and touched >> doomed & 1 != 0
    if warning:
        index = held(row, cfg, to, doomed)
        warning = memory[index] & rank_set(rank) & work[VALUABLE] != 0
        if warning:
            # Valuable, so not played yet; if its rank is the lowest one, it is next.
            memory[index] |= KEEP | (PLAY if rank == work[LOWEST] else 0)
    for slot in range(row[SIZES + to]):
        index = held(row, cfg, to, slot)
        if not touched >> slot & 1:
            _narrow(row, cfg, memory, to, slot, ~rank_set(rank), work)
            continue
        means = not warning and not memory[index] & LOSE
        means = means and _color_of(memory[index], cfg[CFG_COLORS]) < 0
        _narrow(row, cfg, memory, to, slot, rank_set(rank), work)
        if means:
            memory[index] |= PLAY


@kernel
def holmes_watch(row, cfg, memory, me, action, touched, work):  # type: ignore[no-untyped-def]
    """Take in a move before it is made; see `smart_watch` for the arguments."""
    _look(row, cfg, work)
    _update(row, cfg, memory, work)
    mover = np.int64(row[TURN])
    move = cfg[CFG_MOVES + action]
    if move & 2:
        to = (mover + ((move >> 2) & 7)) % cfg[CFG_PLAYERS]
        if move & 1:
            _see_rank(row, cfg, memory, mover, to, move >> 5, touched, work)
        else:
            _see_color(row, cfg, memory, to, move >> 5, touched, work)
    elif move & 1:
        card = np.int64(1) << np.int64(row[DECK + held(row, cfg, mover, move >> 5)])
        if card & work[PLAYABLE] and not card & work[VALUABLE]:
            for seat in range(cfg[CFG_PLAYERS]):
                for slot in range(row[SIZES + seat]):
                    index = held(row, cfg, seat, slot)
                    if memory[index] & card and not memory[index] & KEEP:
                        memory[index] &= ~PLAY


# -- choosing -------------------------------------------------------------------------------


@kernel
def _hint_worth(row, cfg, memory, to, by_rank, value, work):  # type: ignore[no-untyped-def]
    """Return how many playable cards a hint would show, −1 if it would mislead."""
    worth = 0
    told = rank_set(value) if by_rank else color_set(value)
    for slot in range(row[SIZES + to]):
        card = np.int64(1) << card_at(row, cfg, to, slot)
        if not card & told:
            continue
        entry = memory[held(row, cfg, to, slot)]
        if card & work[PLAYABLE]:
            worth += 0 if entry & PLAY else 1
        elif not entry & LOSE:
            known = (
                _color_of(entry, cfg[CFG_COLORS]) if by_rank else _rank_of(entry, cfg[CFG_RANKS])
            )
            if known < 0:
                return -1
    return worth


@kernel
def _best_hint(row, cfg, memory, me, to, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return how many cards the best hint to a seat shows, 0 if there is none, and the action."""
    best, action = 0, -1
    step = (to - me + cfg[CFG_PLAYERS]) % cfg[CFG_PLAYERS]
    for color in range(cfg[CFG_COLORS]):
        worth = _hint_worth(row, cfg, memory, to, False, color, work)
        if worth > best:
            best, action = worth, color_hint(cfg, step, color)
    avoid = np.int64(-1)
    doomed = _next_discard(row, cfg, memory, to)
    if doomed >= 0:
        rank = card_at(row, cfg, to, doomed) & 7
        if memory[held(row, cfg, to, doomed)] & rank_set(rank) & work[VALUABLE]:
            avoid = rank  # it would be taken for a warning
    for rank in range(cfg[CFG_RANKS]):
        if rank != avoid:
            worth = _hint_worth(row, cfg, memory, to, True, rank, work)
            if worth > best:
                best, action = worth, rank_hint(cfg, step, rank)
    return best, action


@kernel
def _warn(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Keep the next seat from discarding a valuable card; the action or −1."""
    to = (me + 1) % cfg[CFG_PLAYERS]
    doomed = _next_discard(row, cfg, memory, to)
    if row[INFORMATION] == 0 or doomed < 0:
        return -1
    card = card_at(row, cfg, to, doomed)
    if not work[VALUABLE] >> card & 1:
        return -1
    worth, action = _best_hint(row, cfg, memory, me, to, work)
    return action if worth > 0 else rank_hint(cfg, 1, card & 7)


@kernel
def _lowest_playable(row, cfg, memory, me):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the slot to play: of unknown rank, then of the lowest; −1 if there is none."""
    best, found = cfg[CFG_RANKS], -1
    for slot in range(row[SIZES + me]):
        entry = memory[held(row, cfg, me, slot)]
        if entry & PLAY:
            rank = _rank_of(entry, cfg[CFG_RANKS])
            if rank < best:
                best, found = rank, slot
    return found


@kernel
def _discard(row, cfg, memory, me):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the slot to discard: worthless, then the oldest not valuable, then the highest."""
    oldest, highest, best = -1, 0, -2
    for slot in range(row[SIZES + me]):
        entry = memory[held(row, cfg, me, slot)]
        if entry & LOSE:
            return slot
        if oldest < 0 and not entry & KEEP:
            oldest = slot
        rank = _rank_of(entry, cfg[CFG_RANKS])
        if rank > best:
            best, highest = rank, slot
    return oldest if oldest >= 0 else highest


@kernel
def holmes_choose(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the move of seat `me`, whose turn it is; its own hand is not looked at."""
    _look(row, cfg, work)
    _update(row, cfg, memory, work)
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    warning = _warn(row, cfg, memory, me, work)
    if warning >= 0:
        return warning
    sure = _lowest_playable(row, cfg, memory, me)
    if sure >= 0:
        return hand + sure
    if row[INFORMATION] > 0:
        best, action = 0, -1
        for step in range(1, players):
            worth, hint = _best_hint(row, cfg, memory, me, (me + step) % players, work)
            if worth > best:
                best, action = worth, hint
        if action >= 0:
            return action
    if cfg[CFG_DECK] - row[DEALT] <= 1:  # the last chance to be lucky
        for slot in range(row[SIZES + me] - 1, -1, -1):
            entry = memory[held(row, cfg, me, slot)]
            if not entry & LOSE and not single(entry & CARDS):
                return hand + slot
    if row[INFORMATION] < cfg[CFG_INFORMATION]:
        return _discard(row, cfg, memory, me)
    to = (me + players - 1) % players
    if row[INFORMATION] > 0 and row[SIZES + to] > 0:
        return rank_hint(cfg, players - 1, card_at(row, cfg, to, 0) & 7)
    return hand  # no token was ever there: all that is left is to play
