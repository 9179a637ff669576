# ruff: noqa: PLR0911, PLR0912, PLR0917 - compiled: no keywords, and conventions have many cases
"""SmartBot: hints mean "play your newest", warnings protect last copies, finesses save time.

Conventions of Arthur O'Dwyer's SmartBot (github.com/Quuxplusone/Hanabi), which Lerer et al.
2020 search from. Every seat keeps, for every card held, the set of cards that it may be in
the eyes of everyone (`memory`, a set for each position in the deck), and narrows it by

1. counting: cards all of whose copies are played, lost or identified are ruled out;
2. hints: what is touched and what is not. Unless the hint identifies a playable card by
   itself or is one of those below, the newest touched card that may be playable is;
3. warnings: a rank hint to the next seat that touches the card it would discard, if that
   card may be critical with that rank, says that it is;
4. silence: the next seat was not warned, so the card that it would discard is not critical;
5. stalling: a rank hint to the previous seat about its oldest card when no discard is
   allowed says no more than it says;
6. finesses: who discards a card known to be playable saw it as somebody's newest card.
"""

from __future__ import annotations

import numpy as np

from agents.hanabi._smart_watch_kernels import (
    LOCATED,
    MAYBE,
    NO,
    YES,
    count_out,
    may_be_critical,
    next_discard,
    share_of,
    whether,
)
from agents.hanabi._table_kernels import (
    ALL,
    CRITICAL,
    DEAD,
    LEFT_OVER,
    PLAYABLE,
    card_at,
    color_set,
    held,
    rank_set,
    single,
    size_of,
    survey,
    the_card,
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
    INFORMATION,
    LIVES,
    SIZES,
)

__all__ = ["smart_choose"]

EYES = LOCATED + 40  # sets of the own hand with what the seat sees, 10


@kernel
def _rank_value(cards, ranks):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the rank, from 1, if all cards of the set share it, else −1."""
    for rank in range(ranks):
        if cards & ~rank_set(rank) == 0:
            return rank + 1
    return -1


@kernel
def _use_eyes(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the sets of the own hand with what the seat sees in the other hands."""
    counts = LOCATED
    for card in range(40):
        work[counts + card] = work[LEFT_OVER + card] if work[ALL] >> card & 1 else 0
    for seat in range(cfg[CFG_PLAYERS]):
        for slot in range(row[SIZES + seat]):
            if seat != me:
                work[counts + card_at(row, cfg, seat, slot)] -= 1
            else:
                cards = memory[held(row, cfg, me, slot)]
                if single(cards):
                    work[counts + the_card(cards)] -= 1
    left = np.int64(0)
    for card in range(40):
        if work[counts + card] > 0:
            left |= np.int64(1) << card
    for slot in range(row[SIZES + me]):
        cards = memory[held(row, cfg, me, slot)]
        if not single(cards) and cards & left:
            cards &= left
        work[EYES + slot] = cards


@kernel
def _lowest_playable(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled
    best, found = 0, -1
    for slot in range(row[SIZES + me]):
        cards = work[EYES + slot]
        if cards & ~work[PLAYABLE] != 0:
            continue
        fitness = 6 - _rank_value(cards, cfg[CFG_RANKS])
        # Nobody else knows that it is playable: play it before somebody spends a hint on it.
        if whether(memory[held(row, cfg, me, slot)], work[PLAYABLE]) != YES:
            fitness += 100
        if fitness > best:
            best, found = fitness, slot
    return found


@kernel
def _mystery(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the likeliest card to be playable when there is nothing to lose, else −1."""
    limit = 3 if row[LIVES] >= 3 else 1
    if cfg[CFG_DECK] - row[DEALT] > limit:
        return -1
    best, found = 0.0, -1
    for slot in range(row[SIZES + me] - 1, -1, -1):
        share = share_of(work[EYES + slot], work[PLAYABLE])
        if share > best:
            best, found = share, slot
    return found


@kernel
def _hint_gain(row, cfg, memory, to, told, work):  # type: ignore[no-untyped-def]  # compiled
    """Return how many possibilities a hint rules out if it leads to a play, −1 if it misleads."""
    gain = 0
    reveals, misleads = False, MAYBE
    for slot in range(row[SIZES + to] - 1, -1, -1):
        card = np.int64(1) << card_at(row, cfg, to, slot)
        before = memory[held(row, cfg, to, slot)]
        hit = card & told != 0
        after = before & (told if hit else ~told)
        if after == 0:
            after = before
        gain += size_of(before) - size_of(after)
        if whether(before, work[PLAYABLE]) != MAYBE:
            continue
        now = whether(after, work[PLAYABLE])
        if now == YES:
            reveals = True
        elif now == MAYBE and hit and misleads == MAYBE:
            misleads = NO if card & work[PLAYABLE] else YES
    return gain if reveals or misleads == NO else -1


@kernel
def _best_hint(row, cfg, memory, me, to, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the gain of the best hint to a seat and the action, (−1, −1) if there is none."""
    players, colors, ranks = cfg[CFG_PLAYERS], cfg[CFG_COLORS], cfg[CFG_RANKS]
    step = (to - me + players) % players
    present = np.int64(0)
    for slot in range(row[SIZES + to]):
        present |= np.int64(1) << card_at(row, cfg, to, slot)
    avoid = -1
    if step == 1:
        doomed = next_discard(row, cfg, memory, to, work)
        if doomed >= 0:
            rank = card_at(row, cfg, to, doomed) & 7
            if may_be_critical(memory[held(row, cfg, to, doomed)], rank, work):
                avoid = rank  # it would be taken for a warning
    best, action = -1, -1
    base = 2 * cfg[CFG_HAND] + (step - 1) * colors
    for color in range(colors):
        if present & color_set(color):
            gain = _hint_gain(row, cfg, memory, to, color_set(color), work)
            if gain > best:
                best, action = gain, base + color
    base = 2 * cfg[CFG_HAND] + (players - 1) * colors + (step - 1) * ranks
    for rank in range(ranks):
        if rank != avoid and present & rank_set(rank):
            gain = _hint_gain(row, cfg, memory, to, rank_set(rank), work)
            if gain > best:
                best, action = gain, base + rank
    return best, action


@kernel
def _rank_hint(cfg, me, to, rank):  # type: ignore[no-untyped-def]  # compiled by numba
    players = cfg[CFG_PLAYERS]
    step = (to - me + players) % players
    return 2 * cfg[CFG_HAND] + (players - 1) * cfg[CFG_COLORS] + (step - 1) * cfg[CFG_RANKS] + rank


@kernel
def _warn(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Keep the next seat from discarding a critical card; the action or −1."""
    if row[INFORMATION] == 0:
        return -1
    to = (me + 1) % cfg[CFG_PLAYERS]
    doomed = next_discard(row, cfg, memory, to, work)
    if doomed < 0:
        return -1
    card = card_at(row, cfg, to, doomed)
    if not work[CRITICAL] >> card & 1:
        return -1
    gain, action = _best_hint(row, cfg, memory, me, to, work)
    return action if gain > 0 else _rank_hint(cfg, me, to, card & 7)


@kernel
def _finesse(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return a card known to be playable that is exactly one other's newest, else −1."""
    if row[INFORMATION] >= cfg[CFG_INFORMATION]:
        return -1
    for slot in range(row[SIZES + me]):
        cards = memory[held(row, cfg, me, slot)]
        if not single(cards) or cards & work[CRITICAL] or not cards & work[PLAYABLE]:
            continue
        holders = 0
        for seat in range(cfg[CFG_PLAYERS]):
            if seat != me and row[SIZES + seat] > 0:
                newest = card_at(row, cfg, seat, row[SIZES + seat] - 1)
                holders += np.int64(1) << newest == cards
        if holders == 1:
            return slot
    return -1


@kernel
def _discard(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the slot to discard: dead, then the usual one, then the highest."""
    best, found = 0.0, -1
    for slot in range(row[SIZES + me]):
        cards = memory[held(row, cfg, me, slot)]
        if work[EYES + slot] & ~work[DEAD] != 0 and cards & ~work[DEAD] != 0:
            continue
        fitness = 2.0 - share_of(cards, work[DEAD])
        if fitness > best:
            best, found = fitness, slot
    if found < 0:
        found = next_discard(row, cfg, memory, me, work)
    if found < 0:
        found = 0
        for slot in range(1, row[SIZES + me]):
            value = _rank_value(memory[held(row, cfg, me, slot)], cfg[CFG_RANKS])
            if value > _rank_value(memory[held(row, cfg, me, found)], cfg[CFG_RANKS]):
                found = slot
    return found


@kernel
def smart_choose(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the move of seat `me`, whose turn it is; its own hand is not looked at."""
    survey(row, cfg, work)
    count_out(row, cfg, memory, work)
    _use_eyes(row, cfg, memory, me, work)
    hand = cfg[CFG_HAND]
    sure = _lowest_playable(row, cfg, memory, me, work)
    mystery = _mystery(row, cfg, me, work)
    if row[DEALT] == cfg[CFG_DECK]:
        if sure >= 0:
            return hand + sure
        if mystery >= 0:
            return hand + mystery
    warning = _warn(row, cfg, memory, me, work)
    if warning >= 0:
        return warning
    spared = _finesse(row, cfg, memory, me, work)
    if spared >= 0:
        return spared
    if sure >= 0:
        return hand + sure
    if row[INFORMATION] > 0:
        best, action = 0, -1
        for step in range(1, cfg[CFG_PLAYERS]):
            to = (me + step) % cfg[CFG_PLAYERS]
            gain, hint = _best_hint(row, cfg, memory, me, to, work)
            if gain > best:
                best, action = gain, hint
        if action >= 0:
            return action
    if mystery >= 0:
        return hand + mystery
    if row[INFORMATION] < cfg[CFG_INFORMATION]:
        return _discard(row, cfg, memory, me, work)
    to = (me + cfg[CFG_PLAYERS] - 1) % cfg[CFG_PLAYERS]
    if row[INFORMATION] > 0 and row[SIZES + to] > 0:
        return _rank_hint(cfg, me, to, card_at(row, cfg, to, 0) & 7)
    return hand  # no token was ever there: all that is left is to play
