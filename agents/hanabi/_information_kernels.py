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

SETS = FREE  # public sets of a hand as the questions are asked, 10
ODDS = FREE + 10  # in parts per 2^40, probability of being playable, 10
ASKED = FREE + 20  # slot of each question, +16 for those about classes, 20
CLASSES = FREE + 40  # possible answers of each question, 20
QUESTIONS = FREE + 60  # how many
ORDER = FREE + 61  # slots in the order of asking, 10
WAYS = FREE + 72  # how hints to a seat are told apart: kind, count, slot
COLOR_CLASS = FREE + 76  # class of a colour hint, 5
RANK_CLASS = FREE + 84  # class of a rank hint, 5
COUNTS = FREE + 96  # copies not seen by the seat, 40
USELESS = FREE + 140  # slots, 10
AFTER = FREE + 160  # sets of a hand after the answers, 10
OPEN = FREE + 170  # public sets of a hand, 10
COLORS_OF = FREE + 180  # colours of each of them, bit by bit, 10
RANKS_OF = FREE + 190  # ranks of each of them, 10


@kernel
def _public(row, cfg, memory, seat, slot, work):  # type: ignore[no-untyped-def]  # compiled
    """Return the public set of a card; what hints say if a partner broke the convention."""
    left = np.int64(0)
    cards = memory[held(row, cfg, seat, slot)]
    rest = cards
    while rest:
        low = rest & -rest
        if work[LEFT_OVER + the_card(low)] > 0:
            left |= low
        rest ^= low
    if left == 0:
        left = hinted(row, cfg, seat, slot) & work[ALL]
    return left


# -- questions (1) --------------------------------------------------------------------------


@kernel
def _ask(row, cfg, memory, seat, total, work):  # type: ignore[no-untyped-def]  # compiled
    """List the questions about a hand whose answers fit below `total`."""
    size = row[SIZES + seat]
    known_play = False
    for slot in range(size):
        cards = _public(row, cfg, memory, seat, slot, work)
        work[SETS + slot] = cards
        playable = weight(cards & work[PLAYABLE], work, LEFT_OVER)
        all_of_them = weight(cards, work, LEFT_OVER)
        work[ODDS + slot] = (playable << 40) // all_of_them
        known_play = known_play or playable == all_of_them
        # Insertion sort: likelier to be playable first, then older.
        at = slot
        while at > 0 and work[ODDS + work[ORDER + at - 1]] < work[ODDS + slot]:
            work[ORDER + at] = work[ORDER + at - 1]
            at -= 1
        work[ORDER + at] = slot
    asked, left = 0, total
    for about_classes in (False, True):
        if known_play and not about_classes:
            continue
        for i in range(size):
            slot = work[ORDER + i]
            cards = work[SETS + slot]
            if left <= 1 or single(cards) or cards & ~work[DEAD] == 0:
                continue
            if not about_classes:
                sure = cards & ~work[PLAYABLE] == 0
                if sure or work[ODDS + slot] * 5 < np.int64(1) << 40:
                    continue
                classes = np.int64(2)
            else:
                classes = _class_count(cards, left, work)
            work[ASKED + asked] = slot + (16 if about_classes else 0)
            work[CLASSES + asked] = classes
            asked += 1
            left //= classes
    work[QUESTIONS] = asked


@kernel
def _class_count(cards, most, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return into how many classes a set falls: dead cards are one, the others take turns."""
    dead = 1 if cards & work[DEAD] else 0
    alive = 0
    rest = cards & ~work[DEAD]
    while rest:
        rest &= rest - 1
        alive += 1
    return np.int64(min(alive, most - dead) + dead)


@kernel
def _class_of(cards, classes, card, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the class of a card of the set."""
    if work[DEAD] >> card & 1:
        return classes - 1
    dead = 1 if cards & work[DEAD] else 0
    place = 0
    rest = cards & ~work[DEAD] & ((np.int64(1) << card) - 1)
    while rest:
        rest &= rest - 1
        place += 1
    return place % (classes - dead)


@kernel
def _answer(row, cfg, seat, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the number that the hand of `seat`, which is seen, answers to its questions."""
    number = np.int64(0)
    for q in range(work[QUESTIONS]):
        slot = work[ASKED + q] & 15
        card = card_at(row, cfg, seat, slot)
        if work[ASKED + q] >= 16:
            value = np.int64(_class_of(work[SETS + slot], work[CLASSES + q], card, work))
        else:
            value = np.int64(work[PLAYABLE] >> card & 1)
        number = number * work[CLASSES + q] + value
    return number


@kernel
def _learn(number, size, out, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write at `work[out:]` the sets that the answers leave; False if there are none."""
    product = np.int64(1)
    for q in range(work[QUESTIONS]):
        product *= work[CLASSES + q]
    for slot in range(size):
        work[out + slot] = work[SETS + slot]
    if number >= product:
        return False
    for q in range(work[QUESTIONS]):
        product //= work[CLASSES + q]
        value = number // product
        number -= value * product
        slot = work[ASKED + q] & 15
        if work[ASKED + q] < 16:
            work[out + slot] &= work[PLAYABLE] if value else ~work[PLAYABLE]
            continue
        cards = work[SETS + slot]
        kept = np.int64(0)
        rest = cards
        while rest:
            low = rest & -rest
            if _class_of(cards, work[CLASSES + q], the_card(low), work) == value:
                kept |= low
            rest ^= low
        work[out + slot] &= kept
    empty = 0
    for slot in range(size):
        empty += work[out + slot] == 0
    return empty == 0


# -- classes of hints (2) -------------------------------------------------------------------


@kernel
def _features(cards, by_rank, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the colours (or ranks) of a set, bit by bit."""
    found = np.int64(0)
    for value in range(cfg[CFG_RANKS] if by_rank else cfg[CFG_COLORS]):
        if cards & (rank_set(value) if by_rank else color_set(value)):
            found |= np.int64(1) << value
    return found


@kernel
def _open_hand(row, cfg, memory, seat, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the public sets of a hand, and their colours and ranks."""
    for slot in range(row[SIZES + seat]):
        cards = _public(row, cfg, memory, seat, slot, work)
        work[OPEN + slot] = cards
        work[COLORS_OF + slot] = _features(cards, False, cfg)
        work[RANKS_OF + slot] = _features(cards, True, cfg)


@kernel
def _shared(size, features, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether all cards of a hand may have one colour (or rank) in common."""
    common = np.int64(31)
    for slot in range(size):
        common &= work[features + slot]
    return common != 0


@kernel
def _apart(size, features, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the largest set of slots no two of which may share a colour (or rank)."""
    best, most = 1, 1
    for slots in range(3, 1 << size):
        taken, number, fine = np.int64(0), 0, True
        for slot in range(size):
            if slots >> slot & 1:
                own = work[features + slot]
                if taken & own:
                    fine = False
                    break
                taken |= own
                number += 1
        if fine and number > most:
            best, most = slots, number
    return best, most


@kernel
def _ways(row, cfg, memory, seat, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Work out how hints to `seat` are told apart; returns into how many classes."""
    colors, ranks, size = cfg[CFG_COLORS], cfg[CFG_RANKS], row[SIZES + seat]
    if size == 0:
        work[WAYS], work[WAYS + 1] = 0, 0
        return 0
    _open_hand(row, cfg, memory, seat, work)
    by_color, some = _apart(size, COLORS_OF, work)
    by_rank, more = _apart(size, RANKS_OF, work)
    if some + more > 4:
        # Slots that cannot be confused: which of them is touched, and by what, is the class.
        for value in range(5):
            work[COLOR_CLASS + value] = work[RANK_CLASS + value] = -1
        classes = 0
        for slot in range(size):
            if by_color >> slot & 1:
                own = work[COLORS_OF + slot]
                for value in range(colors):
                    if own >> value & 1:
                        work[COLOR_CLASS + value] = classes
                classes += 1
            if by_rank >> slot & 1:
                own = work[RANKS_OF + slot]
                for value in range(ranks):
                    if own >> value & 1:
                        work[RANK_CLASS + value] = classes
                classes += 1
        turn = 0
        for value in range(colors):
            if work[COLOR_CLASS + value] < 0:
                work[COLOR_CLASS + value] = turn
                turn = (turn + 1) % classes
        for value in range(ranks):
            if work[RANK_CLASS + value] < 0:
                work[RANK_CLASS + value] = turn
                turn = (turn + 1) % classes
        work[WAYS], work[WAYS + 1] = 5, classes
        return classes
    # One slot: its rank, its colour, or neither; and if both must differ, which of them.
    split = not _shared(size, COLORS_OF, work) and not _shared(size, RANKS_OF, work)
    best, found = -1, 0
    for slot in range(size):
        cards = work[OPEN + slot]
        worth = 0
        if cards & ~work[DEAD] != 0 and not single(cards):
            both = work[COLORS_OF + slot] | work[RANKS_OF + slot] << 5
            while both:
                both &= both - 1
                worth += 1
        if worth > best:
            best, found = worth, slot
    classes = 4 if split else 3
    work[WAYS], work[WAYS + 1], work[WAYS + 2] = classes, classes, found
    return classes


@kernel
def _hint_class(by_rank, value, touched, work):  # type: ignore[no-untyped-def]  # compiled
    """Return the class of a hint to the seat that `_ways` looked at."""
    if work[WAYS] == 5:
        return work[(RANK_CLASS if by_rank else COLOR_CLASS) + value]
    if touched >> work[WAYS + 2] & 1:
        return np.int64(0 if by_rank else 1)
    return np.int64(2 if work[WAYS] == 3 or by_rank else 3)


# -- sums (3, 4) ----------------------------------------------------------------------------


@kernel
def _sum(row, cfg, memory, me, total, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the sum of the numbers of all seats but `me`, modulo `total`."""
    number = np.int64(0)
    for seat in range(cfg[CFG_PLAYERS]):
        if seat != me:
            _ask(row, cfg, memory, seat, total, work)
            number += _answer(row, cfg, seat, work)
    return number % total


@kernel
def _take_in(row, cfg, memory, me, mover, number, total, work):  # type: ignore[no-untyped-def]
    """Learn what the sum `number` modulo `total`, told by `mover`, says of every hand."""
    for seat in range(cfg[CFG_PLAYERS]):
        if seat in (mover, me):
            continue
        _ask(row, cfg, memory, seat, total, work)
        own = _answer(row, cfg, seat, work)
        number -= own
        if _learn(own, row[SIZES + seat], AFTER, work):
            for slot in range(row[SIZES + seat]):
                memory[held(row, cfg, seat, slot)] = work[AFTER + slot]
    if me == mover:
        return
    number %= total
    _ask(row, cfg, memory, me, total, work)
    if _learn(number, row[SIZES + me], AFTER, work):
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
        work[AFTER + slot] = _public(row, cfg, memory, seat, slot, work)
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
        classes = _ways(row, cfg, memory, (mover + other) % players, work)
        if other == step:
            number = total + _hint_class(by_rank, value, touched, work)
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
        total += _ways(row, cfg, memory, (me + step) % players, work)
    if total == 0:
        return -1
    wanted = _sum(row, cfg, memory, me, total, work)
    step, to = 0, me
    for step in range(1, players):
        to = (me + step) % players
        classes = _ways(row, cfg, memory, to, work)
        if wanted < classes:
            break
        wanted -= classes
    _ask(row, cfg, memory, to, total, work)
    size = row[SIZES + to]
    _learn(_answer(row, cfg, to, work), size, AFTER, work)
    best, action = -1.0, -1
    for number in range(colors + ranks):
        by_rank = number >= colors
        value = number - colors if by_rank else number
        told = rank_set(value) if by_rank else color_set(value)
        touched = 0
        for slot in range(size):
            if told >> card_at(row, cfg, to, slot) & 1:
                touched |= 1 << slot
        if touched == 0 or _hint_class(by_rank, value, touched, work) != wanted:
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
        worth = 20.0 * weight(cards & visible, work, COUNTS) / total
        worth += 10.0 * weight(cards & spare, work, COUNTS) / total
        for rank in range(cfg[CFG_RANKS]):
            worth += (rank + 1.0) * weight(cards & rank_set(rank), work, COUNTS) / total
        if worth > best:
            best, found = worth, slot
    return found


@kernel
def _own_sets(row, cfg, memory, me, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write at SETS what the seat itself knows of its hand: public sets less what it sees."""
    for slot in range(row[SIZES + me]):
        cards = _public(row, cfg, memory, me, slot, work)
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
