# ruff: noqa: PLR0917 - compiled: no keywords
"""The code of the information strategy: questions about a hand, and classes of hints.

Steps 1 and 2 of `_information_kernels`: from what is public everybody derives the same.
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
    rank_set,
    single,
    size_of,
    the_card,
    weight,
)
from games._jit import kernel
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_RANKS,
    SIZES,
)

__all__ = ["SETS", "answer", "ask", "hint_class", "learn", "public", "ways"]

SETS = FREE  # public sets of a hand as the questions are asked, 10
ODDS = FREE + 10  # in parts per 2^40, probability of being playable, 10
ASKED = FREE + 20  # slot of each question, +16 for those about classes, 20
CLASSES = FREE + 40  # possible answers of each question, 20
QUESTIONS = FREE + 60  # how many
ORDER = FREE + 61  # slots in the order of asking, 10
WAYS = FREE + 72  # how hints to a seat are told apart: kind, count, slot
COLOR_CLASS = FREE + 76  # class of a colour hint, 5
RANK_CLASS = FREE + 84  # class of a rank hint, 5
OPEN = FREE + 170  # public sets of a hand, 10
COLORS_OF = FREE + 180  # colours of each of them, bit by bit, 10
RANKS_OF = FREE + 190  # ranks of each of them, 10


@kernel
def public(row, cfg, memory, seat, slot, work):  # type: ignore[no-untyped-def]  # compiled
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
def ask(row, cfg, memory, seat, total, work):  # type: ignore[no-untyped-def]  # compiled
    """List the questions about a hand whose answers fit below `total`."""
    size = row[SIZES + seat]
    known_play = False
    for slot in range(size):
        cards = public(row, cfg, memory, seat, slot, work)
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
                playable = weight(cards & work[PLAYABLE], work, LEFT_OVER)
                if sure or playable * 5 < weight(cards, work, LEFT_OVER):
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
def answer(row, cfg, seat, work):  # type: ignore[no-untyped-def]  # compiled by numba
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
def learn(number, size, out, work):  # type: ignore[no-untyped-def]  # compiled by numba
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
        cards = public(row, cfg, memory, seat, slot, work)
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
    """Return the largest set of slots no two of whose cards share a colour (or rank).

    As in O'Dwyer's program, whose scores these are, that takes in cards of the same slot.
    """
    best, most = 1, 1
    for slots in range(3, 1 << size):
        taken, number, fine = np.int64(0), 0, True
        for slot in range(size):
            if slots >> slot & 1:
                own = work[features + slot]
                if taken & own or size_of(own) != size_of(work[OPEN + slot]):
                    fine = False
                    break
                taken |= own
                number += 1
        if fine and number > most:
            best, most = slots, number
    return best, most


@kernel
def _by_slot(row, cfg, seat, by_color, by_rank, work):  # type: ignore[no-untyped-def]
    """Make classes of slots that cannot be confused: which is touched, and by what."""
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    for value in range(5):
        work[COLOR_CLASS + value] = work[RANK_CLASS + value] = -1
    classes = 0
    for slot in range(row[SIZES + seat]):
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


@kernel
def ways(row, cfg, memory, seat, work):  # type: ignore[no-untyped-def]  # compiled by numba
    """Work out how hints to `seat` are told apart; returns into how many classes."""
    size = row[SIZES + seat]
    if size == 0:
        work[WAYS], work[WAYS + 1] = 0, 0
        return 0
    _open_hand(row, cfg, memory, seat, work)
    by_color, some = _apart(size, COLORS_OF, work)
    by_rank, more = _apart(size, RANKS_OF, work)
    if some + more > 4:
        return _by_slot(row, cfg, seat, by_color, by_rank, work)
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
def hint_class(by_rank, value, touched, work):  # type: ignore[no-untyped-def]  # compiled
    """Return the class of a hint to the seat that `ways` looked at."""
    if work[WAYS] == 5:
        return work[(RANK_CLASS if by_rank else COLOR_CLASS) + value]
    if touched >> work[WAYS + 2] & 1:
        return np.int64(0 if by_rank else 1)
    return np.int64(2 if work[WAYS] == 3 or by_rank else 3)
