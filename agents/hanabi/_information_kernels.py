# ruff: noqa: PLR0911, PLR0912, PLR0917 - compiled: no keywords, long decisions
"""The information strategy: every hint tells every other seat something (hat guessing).

Cox, De Silva, Deorsey, Kenter, Retter and Tobin 2015, "How to make the perfect fireworks
display: two strategies for Hanabi", Mathematics Magazine 88 (the information strategy,
section 4), with the questions of Jeff Wu's later programs (github.com/WuTheFWasThat/hanabi.rs).

1. From what is public, everybody derives for each seat the same list of questions about its
   hand: is this likely card playable; in which of k classes is this card. The answers make
   one number below M for each seat.
2. The hints that can be given fall into M classes that everybody can tell apart.
3. A hint of class s says: the numbers of all seats but the giver's add up to s modulo M.
   Whoever sees all other hands subtracts their numbers and is left with its own.
4. A discard, where several cards are known by all to be useless, tells by its choice
   among them in the same way.

`memory` of a seat holds for each card the set that is public. By 3 a seat's public set
takes in answers that only the seat and its partners can know; all come to the same sets.
"""

from __future__ import annotations

import numpy as np

from agents.hanabi._information_code_kernels import (
    SETS,
    answer,
    ask,
    hint_class,
    learn,
    public,
    ways,
)
from agents.hanabi._table_kernels import (
    ALL,
    DEAD,
    FREE,
    LEFT_OVER,
    PLAYABLE,
    card_at,
    color_set,
    held,
    hinted,
    private_counts,
    rank_set,
    single,
    survey,
    the_card,
    weight,
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
    DISCARDS,
    INFORMATION,
    LIVES,
    SIZES,
    TURN,
)

__all__ = ["information_choose", "information_watch"]

COUNTS = FREE + 96  # copies not seen by the seat, 40
USELESS = FREE + 140  # slots, 10
AFTER = FREE + 160  # sets of a hand after the answers, 10


# -- sums (3, 4) ----------------------------------------------------------------------------


@kernel
def _sum(row, cfg, memory, me, total, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the sum of the numbers of all seats but `me`, modulo `total`."""
    number = np.int64(0)
    for seat in range(cfg[CFG_PLAYERS]):
        if seat != me:
            ask(row, cfg, memory, seat, total, work)
            number += answer(row, cfg, seat, work)
    return number % total


@kernel
def _take_in(row, cfg, memory, me, mover, number, total, work):  # type: ignore[no-untyped-def]
    """Learn what the sum `number` modulo `total`, told by `mover`, says of every hand."""
    for seat in range(cfg[CFG_PLAYERS]):
        if seat in (mover, me):
            continue
        ask(row, cfg, memory, seat, total, work)
        own = answer(row, cfg, seat, work)
        number -= own
        if learn(own, row[SIZES + seat], AFTER, work):
            for slot in range(row[SIZES + seat]):
                memory[held(row, cfg, seat, slot)] = work[AFTER + slot]
    if me == mover:
        return
    number %= total
    ask(row, cfg, memory, me, total, work)
    if learn(number, row[SIZES + me], AFTER, work):
        for slot in range(row[SIZES + me]):
            memory[held(row, cfg, me, slot)] = work[AFTER + slot]


@kernel
def _find_useless(row, cfg, seat, sets, work):  # type: ignore[no-untyped-def]  # compiled
    """List the slots whose card is surely dead or held twice; `sets` says where they stand."""
    found = 0
    for slot in range(row[SIZES + seat]):
        cards = work[sets + slot]
        useless = cards & ~work[DEAD] == 0
        if not useless and single(cards):
            for other in range(row[SIZES + seat]):
                useless = useless or (other != slot and work[sets + other] == cards)
        if useless:
            work[USELESS + found] = slot
            found += 1
    return found


@kernel
def _public_useless(row, cfg, memory, seat, work):  # type: ignore[no-untyped-def]  # compiled
    for slot in range(row[SIZES + seat]):
        work[AFTER + slot] = public(row, cfg, memory, seat, slot, work)
    return _find_useless(row, cfg, seat, AFTER, work)


@kernel
def information_watch(row, cfg, memory, me, action, touched, work):  # type: ignore[no-untyped-def]
    """Take in a move before it is made; see `smart_watch` for the arguments."""
    survey(row, cfg, work)
    mover = np.int64(row[TURN])
    move = cfg[CFG_MOVES + action]
    if move & 3 < 2:
        if move & 3 == 0:
            several = _public_useless(row, cfg, memory, mover, work)
            for place in range(several):
                if several > 1 and work[USELESS + place] == move >> 5:
                    _take_in(row, cfg, memory, me, mover, np.int64(place), several, work)
                    break
        return
    players = cfg[CFG_PLAYERS]
    step = (move >> 2) & 7
    by_rank, value = move & 3 == 3, move >> 5
    total, number = np.int64(0), np.int64(0)
    for other in range(1, players):
        classes = ways(row, cfg, memory, (mover + other) % players, work)
        if other == step:
            number = total + hint_class(by_rank, value, touched, work)
        total += classes
    _take_in(row, cfg, memory, me, mover, number, total, work)
    to = (mover + step) % players
    told = rank_set(value) if by_rank else color_set(value)
    for slot in range(row[SIZES + to]):
        index = held(row, cfg, to, slot)
        memory[index] &= told if touched >> slot & 1 else ~told


# -- choosing -------------------------------------------------------------------------------


@kernel
def _hint(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the hint of the right class that says most in the usual sense, −1 if none is."""
    players, colors, ranks = cfg[CFG_PLAYERS], cfg[CFG_COLORS], cfg[CFG_RANKS]
    total = np.int64(0)
    for step in range(1, players):
        total += ways(row, cfg, memory, (me + step) % players, work)
    if total == 0:
        return -1
    wanted = _sum(row, cfg, memory, me, total, work)
    step, to = 0, me
    for step in range(1, players):
        to = (me + step) % players
        classes = ways(row, cfg, memory, to, work)
        if wanted < classes:
            break
        wanted -= classes
    # What the hint says in the usual sense is judged after three answers a seat.
    ask(row, cfg, memory, to, np.int64(3 * (players - 1)), work)
    size = row[SIZES + to]
    learn(answer(row, cfg, to, work), size, AFTER, work)
    best, action = -1.0, -1
    for number in range(2 * size):  # of equally good hints the first, card by card, is given
        by_rank = number & 1 != 0
        card = card_at(row, cfg, to, number >> 1)
        value = card & 7 if by_rank else card >> 3
        told = rank_set(value) if by_rank else color_set(value)
        touched = 0
        for slot in range(size):
            if told >> card_at(row, cfg, to, slot) & 1:
                touched |= 1 << slot
        if touched == 0 or hint_class(by_rank, value, touched, work) != wanted:
            continue
        good = 1.0
        for slot in range(size):
            cards = work[AFTER + slot]
            if cards & ~work[DEAD] == 0 or single(cards):
                continue
            left = cards & (told if touched >> slot & 1 else ~told)
            after = weight(left, work, LEFT_OVER)
            if after > 0:
                settled = single(left) or left & ~work[DEAD] == 0
                good *= (2.0 if settled else 1.0) * weight(cards, work, LEFT_OVER) / after
        if good > best:
            base = 2 * cfg[CFG_HAND]
            if by_rank:
                action = base + (players - 1) * colors + (step - 1) * ranks + value
            else:
                action = base + (step - 1) * colors + value
            best = good
    return action


@kernel
def _visible(row, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    cards = np.int64(0)
    for seat in range(cfg[CFG_PLAYERS]):
        if seat != me:
            for slot in range(row[SIZES + seat]):
                cards |= np.int64(1) << card_at(row, cfg, seat, slot)
    return cards


@kernel
def _play_worth(row, cfg, me, cards, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return how good it is to play a card: low ranks, and what nobody else holds."""
    worth, total = 0.0, 0.0
    rest = cards
    while rest:
        low = rest & -rest
        rest ^= low
        card = the_card(low)
        copies = max(work[COUNTS + card], 0)
        holders = 1
        if row[DEALT] < cfg[CFG_DECK]:
            for seat in range(cfg[CFG_PLAYERS]):
                holds = False
                for slot in range(row[SIZES + seat]):
                    holds = holds or (seat != me and card_at(row, cfg, seat, slot) == card)
                holders += holds
        worth += copies * (9.0 - (card & 7)) / holders
        total += copies
    return worth / total


@kernel
def _risk(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return a card that is playable with probability above 3/4, else dead; or −1."""
    best, found = 0.75, -1
    for slot in range(row[SIZES + me]):
        cards = work[SETS + slot]
        if cards & ~(work[PLAYABLE] | work[DEAD]) == 0:
            playable = weight(cards & work[PLAYABLE], work, COUNTS)
            chance = playable / weight(cards, work, COUNTS)
            if chance > best:
                best, found = chance, slot
    return found


@kernel
def _least_loss(row, cfg, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the slot to discard when nothing is useless: seen elsewhere, not the last copy."""
    visible = _visible(row, cfg, me)
    spare = np.int64(0)
    for card in range(40):
        if work[ALL] >> card & 1 and (work[DEAD] >> card & 1 or work[LEFT_OVER + card] != 1):
            spare |= np.int64(1) << card
    best, found = -1.0, 0
    for slot in range(row[SIZES + me]):
        cards = work[SETS + slot]
        total = weight(cards, work, COUNTS)
        ranks = 0
        for rank in range(cfg[CFG_RANKS]):
            ranks += (rank + 1) * weight(cards & rank_set(rank), work, COUNTS)
        seen = weight(cards & visible, work, COUNTS) / total
        worth = 20.0 * seen + 10.0 * (weight(cards & spare, work, COUNTS) / total) + ranks / total
        if worth > best:
            best, found = worth, slot
    return found


@kernel
def _own_sets(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write at SETS what the seat itself knows of its hand: public sets less what it sees."""
    for slot in range(row[SIZES + me]):
        cards = public(row, cfg, memory, me, slot, work)
        kept = np.int64(0)
        rest = cards
        while rest:
            low = rest & -rest
            if work[COUNTS + the_card(low)] > 0:
                kept |= low
            rest ^= low
        work[SETS + slot] = kept
        if kept == 0:  # a partner broke the convention: count by what hints say
            rest = hinted(row, cfg, me, slot) & work[ALL]
            while rest:
                low = rest & -rest
                if work[COUNTS + the_card(low)] > 0:
                    work[SETS + slot] |= low
                rest ^= low


@kernel
def information_choose(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled
    """Return the move of seat `me`, whose turn it is; its own hand is not looked at."""
    survey(row, cfg, work)
    private_counts(row, cfg, me, work, COUNTS)
    _own_sets(row, cfg, memory, me, work)
    hand, size = cfg[CFG_HAND], row[SIZES + me]
    best, found = -1.0, -1
    for slot in range(size):
        if work[SETS + slot] & ~work[PLAYABLE] == 0:
            worth = _play_worth(row, cfg, me, work[SETS + slot], work)
            if worth > best:
                best, found = worth, slot
    if found >= 0:
        return hand + found
    lost = np.int64(0)
    for card in range(40):
        lost += row[DISCARDS + card]
    # So many discards leave enough of the deck to play everything.
    early = lost <= cfg[CFG_DECK] - cfg[CFG_COLORS] * cfg[CFG_RANKS] - cfg[CFG_PLAYERS] * hand
    if row[LIVES] > 1 and early:
        found = _risk(row, cfg, me, work)
        if found >= 0:
            return hand + found
    if row[INFORMATION] >= cfg[CFG_INFORMATION]:
        return _hint(row, cfg, memory, me, work) if row[INFORMATION] > 0 else np.int64(hand)
    useless = _find_useless(row, cfg, me, SETS, work)
    own_useless = work[USELESS] if useless else np.int64(-1)
    several = _public_useless(row, cfg, memory, me, work)
    if several <= 1 and own_useless < 0:
        early = False
    others_play = _visible(row, cfg, me) & work[PLAYABLE] != 0
    if not early and row[INFORMATION] > 0 and others_play:
        return _hint(row, cfg, memory, me, work)
    if several > 1:
        place = _sum(row, cfg, memory, me, several, work)
        _public_useless(row, cfg, memory, me, work)
        return work[USELESS + place]
    if own_useless >= 0:
        return own_useless
    _own_sets(row, cfg, memory, me, work)
    return np.int64(_least_loss(row, cfg, me, work))
