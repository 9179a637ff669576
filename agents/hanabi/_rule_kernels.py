# ruff: noqa: PLR0917 - compiled: no keywords
"""The rule lists IGGI, Piers and Van den Bergh.

Each asks its rules in order and plays what the first one that applies says:

    IGGI           play a card known by name; play a sure card; tell of a playable card;
                   discard a card known to be dead; the oldest; any hint to the next seat
    Piers          with lives to spare, when the deck is empty, the likeliest card; a sure
                   card; with lives to spare, one playable with probability 0.6; tell of a
                   playable card; below four tokens tell of a dispensable card; discard a card
                   known to be dead; the oldest; any hint to the next seat
    Van den Bergh  a card playable with probability 0.6, or a sure one on the last life;
                   discard a surely dead card; tell of a playable card; tell of a dead card;
                   tell what touches most unknown cards; discard the card most likely dead

Probabilities count the copies that the seat has not seen among the cards that hints leave.
Where no rule applies, every legal move is equally likely.

Source: Walton-Rivers, Williams, Bartle, Perez-Liebana and Lucas 2017, "Evaluating and
modelling Hanabi-playing agents", IEEE CEC, section IV, and the authors' program fireworks,
from which come the preferences inside a rule; Van den Bergh et al. 2016, "Aspects of the
cooperative card game Hanabi", BNAIC. There a card keeps its place in the hand and the card
drawn takes the place that became free; hands are gone through by place, not by age.
"""

from __future__ import annotations

import numpy as np

from agents.hanabi._table_kernels import (
    DEAD,
    FREE,
    PLAYABLE,
    card_at,
    color_hint,
    color_set,
    held,
    hinted,
    private_counts,
    rank_hint,
    rank_set,
    single,
    survey,
    weight,
)
from games._jit import kernel
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_DECK,
    CFG_HAND,
    CFG_INFORMATION,
    CFG_PLAYERS,
    CFG_RANKS,
    DEALT,
    FIREWORKS,
    INFORMATION,
    KNOWN,
    LENGTH,
    LIVES,
    LOG,
    SIZES,
)

__all__ = ["ANY_HINT", "IGGI", "PIERS", "VAN_DEN_BERGH", "rule_choose"]

IGGI, PIERS, VAN_DEN_BERGH = 1, 2, 3
ANY_HINT = -2
COUNTS = FREE  # copies not seen by the seat, 40
PLAYED = FREE + 40  # sets of cards
COMPLETE = FREE + 41  # of complete colours
LOW = FREE + 42  # of ranks that every colour has reached
PLACES = FREE + 48  # place in its hand of each card of the deck, 50
ORDER = FREE + 100  # slots of each hand by place, 10 a seat


@kernel
def _arrange(row, cfg, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the slots of each hand in the order of their places."""
    hand = cfg[CFG_HAND]
    dealt = cfg[CFG_PLAYERS] * hand
    for index in range(dealt):
        work[PLACES + index] = index % hand
    for at in range(LOG, LOG + 2 * np.int64(row[LENGTH]), 2):
        if row[at] < 2 * hand and dealt < row[DEALT]:
            work[PLACES + dealt] = work[PLACES + row[at + 1]]
            dealt += 1
    for seat in range(cfg[CFG_PLAYERS]):
        base = ORDER + 10 * seat
        for slot in range(row[SIZES + seat]):
            place = work[PLACES + held(row, cfg, seat, slot)]
            at = slot
            while at > 0 and work[PLACES + held(row, cfg, seat, work[base + at - 1])] > place:
                work[base + at] = work[base + at - 1]
                at -= 1
            work[base + at] = slot


@kernel
def _look(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Fill `work` for the position."""
    survey(row, cfg, work)
    private_counts(row, cfg, me, work, COUNTS)
    _arrange(row, cfg, work)
    work[PLAYED] = work[COMPLETE] = work[LOW] = 0
    least = np.int64(cfg[CFG_RANKS])
    for color in range(cfg[CFG_COLORS]):
        height = np.int64(row[FIREWORKS + color])
        least = min(least, height)
        work[PLAYED] |= ((np.int64(1) << height) - 1) << (8 * color)
        if height == cfg[CFG_RANKS]:
            work[COMPLETE] |= color_set(color)
    for rank in range(least):
        work[LOW] |= rank_set(rank)


@kernel
def _knows_color(row, cfg, index):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether hints, by what they touched or did not, leave a card one colour."""
    left = row[KNOWN + index] & ((1 << cfg[CFG_COLORS]) - 1)
    return left & (left - 1) == 0


@kernel
def _knows_rank(row, cfg, index):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether hints leave a card one rank."""
    left = (row[KNOWN + index] >> 5) & ((1 << cfg[CFG_RANKS]) - 1)
    return left & (left - 1) == 0


@kernel
def _likeliest(row, cfg, me, wanted, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the slot most likely in `wanted`, the last of equals, and its probability."""
    best, found = -1.0, -1
    for place in range(row[SIZES + me]):
        slot = work[ORDER + 10 * me + place]
        cards = hinted(row, cfg, me, slot)
        total = weight(cards, work, COUNTS)
        chance = weight(cards & wanted, work, COUNTS) / total if total > 0 else 0.0
        if chance >= best:
            best, found = chance, slot
    return found, best


@kernel
def _sure(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the first card that can only be playable, −1 if there is none."""
    for place in range(row[SIZES + me]):
        slot = work[ORDER + 10 * me + place]
        cards = hinted(row, cfg, me, slot)
        total = weight(cards, work, COUNTS)
        if total > 0 and weight(cards & work[PLAYABLE], work, COUNTS) == total:
            return slot
    return -1


@kernel
def _named(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the first playable card whose colour and rank hints say, −1 if there is none."""
    for place in range(row[SIZES + me]):
        slot = work[ORDER + 10 * me + place]
        cards = hinted(row, cfg, me, slot)
        if single(cards) and cards & work[PLAYABLE]:
            return slot
    return -1


@kernel
def _known_dead(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return a card that is known to be dead, −1 if there is none.

    First what was told alone is looked at; then cards of known colour that can only be of
    ranks which that colour will never reach.
    """
    for place in range(row[SIZES + me]):
        slot = work[ORDER + 10 * me + place]
        cards, index = hinted(row, cfg, me, slot), held(row, cfg, me, slot)
        dead = work[DEAD] if single(cards) else work[COMPLETE]
        if _knows_color(row, cfg, index) and cards & ~dead == 0:
            return slot
        if cards & ~work[LOW] == 0 and _knows_rank(row, cfg, index):
            return slot
    for place in range(row[SIZES + me]):
        slot = work[ORDER + 10 * me + place]
        if _knows_color(row, cfg, held(row, cfg, me, slot)):
            cards = hinted(row, cfg, me, slot)
            total = weight(cards, work, COUNTS)
            beyond = weight(cards & work[DEAD] & ~work[PLAYED], work, COUNTS)
            if total > 0 and beyond == total:
                return slot
    return -1


@kernel
def _tell_of(row, cfg, me, wanted, first_only, work):  # type: ignore[no-untyped-def]
    """Return a hint that tells the rank, else the colour, of a card in `wanted`, else −1.

    Args:
        row: the episode.
        cfg: the numbers of the variant.
        me: the seat to move.
        wanted: the set.
        first_only: give up if nothing is left to tell of the first such card.
        work: scratch.
    """
    if row[INFORMATION] == 0:
        return -1
    for step in range(1, cfg[CFG_PLAYERS]):
        seat = (me + step) % cfg[CFG_PLAYERS]
        for place in range(row[SIZES + seat]):
            slot = work[ORDER + 10 * seat + place]
            card = card_at(row, cfg, seat, slot)
            if not wanted >> card & 1:
                continue
            index = held(row, cfg, seat, slot)
            if not _knows_rank(row, cfg, index):
                return rank_hint(cfg, step, card & 7)
            if not _knows_color(row, cfg, index):
                return color_hint(cfg, step, card >> 3)
            if first_only:
                return -1
    return -1


@kernel
def _tell_dispensable(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return a hint after which somebody knows that a card is dead, else −1."""
    if row[INFORMATION] == 0:
        return -1
    for seat in range(cfg[CFG_PLAYERS]):
        if seat == me:
            continue
        step = (seat - me + cfg[CFG_PLAYERS]) % cfg[CFG_PLAYERS]
        for place in range(row[SIZES + seat]):
            slot = work[ORDER + 10 * seat + place]
            card = card_at(row, cfg, seat, slot)
            index = held(row, cfg, seat, slot)
            color, rank = _knows_color(row, cfg, index), _knows_rank(row, cfg, index)
            played = work[PLAYED] >> card & 1 != 0
            if not color and (work[COMPLETE] >> card & 1 or (rank and played)):
                return color_hint(cfg, step, card >> 3)
            if not rank and (work[LOW] >> card & 1 or (color and played)):
                return rank_hint(cfg, step, card & 7)
    return -1


@kernel
def _tell_most(row, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the hint that touches most cards that were not told it yet, else −1."""
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    best, action = 0, -1
    if row[INFORMATION] == 0:
        return -1
    for seat in range(cfg[CFG_PLAYERS]):
        if seat == me:
            continue
        step = (seat - me + cfg[CFG_PLAYERS]) % cfg[CFG_PLAYERS]
        for number in range(ranks + colors):
            fresh = 0
            for slot in range(row[SIZES + seat]):
                card = card_at(row, cfg, seat, slot)
                index = held(row, cfg, seat, slot)
                if number < ranks:
                    fresh += card & 7 == number and not _knows_rank(row, cfg, index)
                else:
                    fresh += card >> 3 == number - ranks and not _knows_color(row, cfg, index)
            if fresh > best:
                best = fresh
                if number < ranks:
                    action = rank_hint(cfg, step, number)
                else:
                    action = color_hint(cfg, step, number - ranks)
    return action


@kernel
def _iggi(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    slot = _named(row, cfg, me, work)
    slot = _sure(row, cfg, me, work) if slot < 0 else slot
    if slot >= 0:
        return cfg[CFG_HAND] + slot
    hint = _tell_of(row, cfg, me, work[PLAYABLE], False, work)
    return hint if hint >= 0 else _throw(row, cfg, me, work)


@kernel
def _throw(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return a card known to be dead, else the oldest; any hint if none may be discarded."""
    if row[INFORMATION] >= cfg[CFG_INFORMATION]:
        return ANY_HINT
    return max(_known_dead(row, cfg, me, work), 0)


@kernel
def _piers(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    spare = row[LIVES] > 1
    likely, chance = _likeliest(row, cfg, me, work[PLAYABLE], work)
    if spare and row[DEALT] == cfg[CFG_DECK]:
        return cfg[CFG_HAND] + likely
    slot = _sure(row, cfg, me, work)
    if slot < 0 and spare and chance >= 0.6:
        slot = likely
    if slot >= 0:
        return cfg[CFG_HAND] + slot
    hint = _tell_of(row, cfg, me, work[PLAYABLE], False, work)
    if hint < 0 and row[INFORMATION] < 4:
        hint = _tell_dispensable(row, cfg, me, work)
    return hint if hint >= 0 else _throw(row, cfg, me, work)


@kernel
def _van_den_bergh(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    slot, chance = _likeliest(row, cfg, me, work[PLAYABLE], work)
    if row[LIVES] == 1:
        slot, chance = _sure(row, cfg, me, work), 1.0
    if slot >= 0 and chance >= 0.6:
        return cfg[CFG_HAND] + slot
    useless, chance = _likeliest(row, cfg, me, work[DEAD], work)
    if chance == 1.0 and row[INFORMATION] < cfg[CFG_INFORMATION]:
        return useless
    hint = _tell_of(row, cfg, me, work[PLAYABLE], False, work)
    if hint < 0:
        hint = _tell_of(row, cfg, me, work[DEAD], True, work)
    if hint < 0:
        hint = _tell_most(row, cfg, me)
    return hint if hint >= 0 else useless


@kernel
def rule_choose(bot, row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the move of seat `me`, whose turn it is; `ANY_HINT`; or one that is not legal."""
    _look(row, cfg, me, work)
    if bot == IGGI:
        return _iggi(row, cfg, me, work)
    if bot == PIERS:
        return _piers(row, cfg, me, work)
    return _van_den_bergh(row, cfg, me, work)
