"""The rule lists IGGI, Piers and Van den Bergh.

Each asks its rules in order and plays what the first one that applies says:

    IGGI           play a sure card; tell of a playable card; discard a dead card; the oldest
    Piers          with lives to spare: when the deck is empty the likeliest card; a sure
                   card; one playable with probability 0.6; tell of a playable card; below
                   four tokens tell of a dead card; discard a dead card; the oldest; any hint
    Van den Bergh  a card playable with probability 0.6, or 1 on the last life; discard a
                   dead card; tell of a playable card; tell of a dead card; tell what touches
                   most unknown cards; discard the card most likely dead

Probabilities count the copies that the seat has not seen among the cards that hints leave.
Where no rule applies, every legal move is equally likely.

Source: Walton-Rivers, Williams, Bartle, Perez-Liebana and Lucas 2017, "Evaluating and
modelling Hanabi-playing agents", IEEE CEC, section IV; Van den Bergh et al. 2016, "Aspects
of the cooperative card game Hanabi", BNAIC.
"""

from __future__ import annotations

from agents.hanabi._table_kernels import (
    DEAD,
    FREE,
    PLAYABLE,
    card_at,
    held,
    hinted,
    private_counts,
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
    COLOR_TOLD,
    DEALT,
    INFORMATION,
    KNOWN,
    LIVES,
    RANK_TOLD,
    SIZES,
)

__all__ = ["ANY_HINT", "IGGI", "PIERS", "VAN_DEN_BERGH", "rule_choose"]

IGGI, PIERS, VAN_DEN_BERGH = 1, 2, 3
ANY_HINT = -2
COUNTS = FREE  # copies not seen by the seat, 40


@kernel
def _likeliest(row, cfg, me, wanted, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the slot most likely in `wanted`, the oldest of equals, and its probability."""
    best, found = -1.0, -1
    for slot in range(row[SIZES + me]):
        cards = hinted(row, cfg, me, slot)
        total = weight(cards, work, COUNTS)
        chance = weight(cards & wanted, work, COUNTS) / total if total > 0 else 0.0
        if chance > best:
            best, found = chance, slot
    return found, best


@kernel
def _tell_of(row, cfg, me, wanted, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return a hint that tells the rank, else the colour, of a card in `wanted`, else −1."""
    players, colors, ranks = cfg[CFG_PLAYERS], cfg[CFG_COLORS], cfg[CFG_RANKS]
    if row[INFORMATION] == 0:
        return -1
    for step in range(1, players):
        seat = (me + step) % players
        for slot in range(row[SIZES + seat]):
            card = card_at(row, cfg, seat, slot)
            if not wanted >> card & 1:
                continue
            known = row[KNOWN + held(row, cfg, seat, slot)]
            base = 2 * cfg[CFG_HAND]
            if not known & RANK_TOLD:
                return base + (players - 1) * colors + (step - 1) * ranks + (card & 7)
            if not known & COLOR_TOLD:
                return base + (step - 1) * colors + (card >> 3)
    return -1


@kernel
def _tell_most(row, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the hint that touches most cards that were not told it yet, else −1."""
    players, colors, ranks = cfg[CFG_PLAYERS], cfg[CFG_COLORS], cfg[CFG_RANKS]
    best, action = 0, -1
    if row[INFORMATION] == 0:
        return -1
    for step in range(1, players):
        seat = (me + step) % players
        for number in range(colors + ranks):
            fresh = 0
            for slot in range(row[SIZES + seat]):
                card = card_at(row, cfg, seat, slot)
                known = row[KNOWN + held(row, cfg, seat, slot)]
                if number < colors:
                    fresh += card >> 3 == number and not known & COLOR_TOLD
                else:
                    fresh += card & 7 == number - colors and not known & RANK_TOLD
            if fresh > best:
                best = fresh
                if number < colors:
                    action = 2 * cfg[CFG_HAND] + (step - 1) * colors + number
                else:
                    base = 2 * cfg[CFG_HAND] + (players - 1) * colors + (step - 1) * ranks
                    action = base + number - colors
    return action


@kernel
def _iggi(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    slot, chance = _likeliest(row, cfg, me, work[PLAYABLE], work)
    if chance == 1.0:
        return cfg[CFG_HAND] + slot
    hint = _tell_of(row, cfg, me, work[PLAYABLE], work)
    if hint >= 0:
        return hint
    slot, chance = _likeliest(row, cfg, me, work[DEAD], work)
    return slot if chance == 1.0 else 0


@kernel
def _piers(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    slot, chance = _likeliest(row, cfg, me, work[PLAYABLE], work)
    spare = row[LIVES] > 1
    if chance == 1.0 or (spare and (chance >= 0.6 or row[DEALT] == cfg[CFG_DECK])):
        return cfg[CFG_HAND] + slot
    hint = _tell_of(row, cfg, me, work[PLAYABLE], work)
    if hint < 0 and row[INFORMATION] < 4:
        hint = _tell_of(row, cfg, me, work[DEAD], work)
    if hint >= 0:
        return hint
    slot, chance = _likeliest(row, cfg, me, work[DEAD], work)
    if row[INFORMATION] >= cfg[CFG_INFORMATION]:
        return ANY_HINT
    return slot if chance == 1.0 else 0


@kernel
def _van_den_bergh(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    slot, chance = _likeliest(row, cfg, me, work[PLAYABLE], work)
    if chance >= (0.6 if row[LIVES] > 1 else 1.0):
        return cfg[CFG_HAND] + slot
    useless, chance = _likeliest(row, cfg, me, work[DEAD], work)
    if chance == 1.0 and row[INFORMATION] < cfg[CFG_INFORMATION]:
        return useless
    hint = _tell_of(row, cfg, me, work[PLAYABLE], work)
    if hint < 0:
        hint = _tell_of(row, cfg, me, work[DEAD], work)
    if hint < 0:
        hint = _tell_most(row, cfg, me)
    return hint if hint >= 0 else useless


@kernel
def rule_choose(bot, row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the move of seat `me`, whose turn it is; `ANY_HINT`; or one that is not legal."""
    survey(row, cfg, work)
    private_counts(row, cfg, me, work, COUNTS)
    if bot == IGGI:
        return _iggi(row, cfg, me, work)
    if bot == PIERS:
        return _piers(row, cfg, me, work)
    return _van_den_bergh(row, cfg, me, work)
