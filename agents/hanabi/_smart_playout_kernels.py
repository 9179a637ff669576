# ruff: noqa: PLR0911, PLR0912, PLR0917 - compiled: no keywords, one return a rule
"""SmartBot against itself from any position, at three times the speed of the general loop.

The same choices as `agents.hanabi._smart_kernels`, rule by rule, for the case that all seats
remember the same. What makes it fast: cards stand slot by slot instead of by their position
in the deck; the sets of playable, dead and critical cards are brought up to date by colour,
when a card is used; what one seat works out about the next serves its choice and what
everybody makes of it.

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
    CFG_AT_ONCE,
    CFG_COLORS,
    CFG_COPIES,
    CFG_DECK,
    CFG_HAND,
    CFG_INFORMATION,
    CFG_KEEP_SCORE,
    CFG_PLAYERS,
    CFG_RANKS,
    CFG_SEER,
    DEALT,
    DECK,
    DISCARDS,
    FIREWORKS,
    HANDS,
    INFORMATION,
    LIVE,
    LIVES,
    MAX_CARDS,
    SCORE,
    SIZES,
    TURN,
)
from games.hanabi.layout import LEFT as TURNS_LEFT

__all__ = ["TABLE", "smart_to_the_end"]

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
def _survey(t, cfg, color):  # type: ignore[no-untyped-def]  # compiled by numba
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
def _lay(row, cfg, memory, t):  # type: ignore[no-untyped-def]  # compiled by numba
    """Lay the table: `t` from an episode and what its seats remember."""
    t[:] = 0
    for color in range(cfg[CFG_COLORS]):
        t[FW + color] = row[FIREWORKS + color]
        for rank in range(cfg[CFG_RANKS]):
            card = 8 * color + rank
            t[ALL] |= np.int64(1) << card
            used = 1 if rank < row[FIREWORKS + color] else 0
            t[LEFT + card] = cfg[CFG_COPIES + rank] - row[DISCARDS + card] - used
        _survey(t, cfg, color)
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
def _count_out(t, players):  # type: ignore[no-untyped-def]  # compiled by numba
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
def _narrow(t, at, kept):  # type: ignore[no-untyped-def]  # compiled by numba
    cards = t[MEMORY + at] & kept
    if cards == 0:
        cards = t[HINTS + at]
        cards = cards & kept if cards & kept else cards
    t[MEMORY + at] = cards


@njit(cache=True)
def _doomed(t, seat):  # type: ignore[no-untyped-def]  # compiled by numba
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
def _next_doomed(t, players):  # type: ignore[no-untyped-def]  # compiled by numba
    if t[DOOMED] == -2:
        seat = t[MOVER] + 1
        t[DOOMED] = _doomed(t, seat if seat < players else 0)
    return t[DOOMED]


@njit(cache=True)
def _no_warning(t, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    players = cfg[CFG_PLAYERS]
    if t[DEALT_AT] == cfg[CFG_DECK] or t[TOKENS] == 0:
        return
    slot = _next_doomed(t, players)
    if slot >= 0:
        seat = t[MOVER] + 1 if t[MOVER] + 1 < players else 0
        _narrow(t, 10 * seat + slot, ~t[CRITICAL])


@njit(cache=True)
def _maybe_critical(t, cards, rank):  # type: ignore[no-untyped-def]  # compiled by numba
    critical = t[CRITICAL]
    return cards & ~critical != 0 and cards & rank_set(rank) & critical != 0


@njit(cache=True)
def _see_hint(t, cfg, to, by_rank, value, touched):  # type: ignore[no-untyped-def]  # compiled
    players = cfg[CFG_PLAYERS]
    mover = t[MOVER]
    warned = mover + 1 if mover + 1 < players else 0
    told = rank_set(value) if by_rank else np.int64(31) << (8 * value)
    silent = False
    if by_rank:
        doomed = _next_doomed(t, players)
        after = to + 1 if to + 1 < players else 0
        stalling = t[TOKENS] == cfg[CFG_INFORMATION] and mover == after and touched & 1 != 0
        warning = not stalling and to == warned and doomed >= 0 and touched >> doomed & 1 != 0
        if warning:
            warning = _maybe_critical(t, t[MEMORY + 10 * to + doomed], value)
            if warning:
                _narrow(t, 10 * to + doomed, t[CRITICAL])
        silent = stalling or warning
    identified, meant = False, -1
    playable = t[PLAYABLE]
    for slot in range(t[SIZE + to] - 1, -1, -1):
        at = 10 * to + slot
        cards = t[MEMORY + at]
        open_before = cards & playable != 0 and cards & ~playable != 0
        hit = touched >> slot & 1 != 0
        _narrow(t, at, told if hit else ~told)
        if open_before:
            cards = t[MEMORY + at]
            if cards & ~playable == 0:
                identified = True
            elif cards & playable != 0 and hit and meant < 0:
                meant = slot
    if not silent and not identified and meant >= 0:
        _narrow(t, 10 * to + meant, playable)
    if to != warned:
        _no_warning(t, cfg)


@njit(cache=True)
def _use_eyes(t, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    players = cfg[CFG_PLAYERS]
    out = t[GONE]
    for seat in range(players):
        for at in range(10 * seat, 10 * seat + t[SIZE + seat]):
            if seat != me:
                card = t[HAND + at]
            elif single(t[MEMORY + at]):
                card = the_card(t[MEMORY + at])
            else:
                continue
            t[LOCATED + card] += 1
            if t[LOCATED + card] >= t[LEFT + card]:
                out |= np.int64(1) << card
    for seat in range(players):
        for at in range(10 * seat, 10 * seat + t[SIZE + seat]):
            if seat != me:
                t[LOCATED + t[HAND + at]] = 0
            elif single(t[MEMORY + at]):
                t[LOCATED + the_card(t[MEMORY + at])] = 0
    left = t[ALL] & ~out
    for slot in range(t[SIZE + me]):
        cards = t[MEMORY + 10 * me + slot]
        if not single(cards) and cards & left:
            cards &= left
        t[EYES + slot] = cards


@njit(cache=True)
def _rank_value(cards, ranks):  # type: ignore[no-untyped-def]  # compiled by numba
    if cards == 0:
        return 1
    rank = the_card(cards) & 7
    return rank + 1 if rank < ranks and cards & ~rank_set(rank) == 0 else -1


@njit(cache=True)
def _sure(t, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    best, found = 0, -1
    playable = t[PLAYABLE]
    for slot in range(t[SIZE + me]):
        cards = t[EYES + slot]
        if cards & ~playable != 0:
            continue
        fitness = 6 - _rank_value(cards, cfg[CFG_RANKS])
        public = t[MEMORY + 10 * me + slot]
        if public & ~playable != 0:
            fitness += 100
        if fitness > best:
            best, found = fitness, slot
    return found


@njit(cache=True)
def _mystery(t, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    limit = 3 if t[LIVES_AT] >= 3 else 1
    if cfg[CFG_DECK] - t[DEALT_AT] > limit:
        return -1
    best, found = 0.0, -1
    for slot in range(t[SIZE + me] - 1, -1, -1):
        cards = t[EYES + slot]
        share = size_of(cards & t[PLAYABLE]) / size_of(cards)
        if share > best:
            best, found = share, slot
    return found


@njit(cache=True)
def _hint_gain(t, to, told, known):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return how many possibilities a hint rules out if it leads to a play, −1 if it misleads."""
    gain = 0
    reveals, settled, misleads = False, False, False
    playable = t[PLAYABLE]
    for slot in range(t[SIZE + to] - 1, -1, -1):
        before = t[MEMORY + 10 * to + slot]
        card = np.int64(1) << t[HAND + 10 * to + slot]
        hit = card & told != 0
        after = before & (told if hit else ~told)
        if after in (0, before):
            after = before
        else:
            gain += size_of(before) - size_of(after)
        if known >> slot & 1:
            continue
        if after & ~playable == 0:
            reveals = True
        elif hit and not settled and after & playable != 0:
            settled = True
            misleads = card & playable == 0
    return gain if reveals or (settled and not misleads) else -1


@njit(cache=True)
def _best_hint(t, cfg, me, to):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the gain of the best hint to a seat and the action, (−1, −1) if there is none."""
    players, colors, ranks = cfg[CFG_PLAYERS], cfg[CFG_COLORS], cfg[CFG_RANKS]
    step = to - me if to > me else to - me + players
    present, known = np.int64(0), 0
    playable = t[PLAYABLE]
    for slot in range(t[SIZE + to]):
        present |= np.int64(1) << t[HAND + 10 * to + slot]
        cards = t[MEMORY + 10 * to + slot]
        if cards & ~playable == 0 or cards & playable == 0:
            known |= 1 << slot
    avoid = -1
    if step == 1:
        doomed = _next_doomed(t, players)
        if doomed >= 0:
            rank = t[HAND + 10 * to + doomed] & 7
            if _maybe_critical(t, t[MEMORY + 10 * to + doomed], rank):
                avoid = rank
    best, action = -1, -1
    base = 2 * cfg[CFG_HAND] + (step - 1) * colors
    for color in range(colors):
        told = np.int64(31) << (8 * color)
        if present & told:
            gain = _hint_gain(t, to, told, known)
            if gain > best:
                best, action = gain, base + color
    base = 2 * cfg[CFG_HAND] + (players - 1) * colors + (step - 1) * ranks
    for rank in range(ranks):
        if rank != avoid and present & rank_set(rank):
            gain = _hint_gain(t, to, rank_set(rank), known)
            if gain > best:
                best, action = gain, base + rank
    return best, action


@njit(cache=True)
def _finesse(t, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    if t[TOKENS] >= cfg[CFG_INFORMATION]:
        return -1
    for slot in range(t[SIZE + me]):
        cards = t[MEMORY + 10 * me + slot]
        if not single(cards) or cards & t[CRITICAL] or not cards & t[PLAYABLE]:
            continue
        if _newest(t, cfg, me, the_card(cards)) >= 0:
            return slot
    return -1


@njit(cache=True)
def _newest(t, cfg, me, card):  # type: ignore[no-untyped-def]  # compiled by numba
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


@njit(cache=True)
def _discard(t, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    best, found = 0.0, -1
    for slot in range(t[SIZE + me]):
        cards = t[MEMORY + 10 * me + slot]
        if t[EYES + slot] & ~t[DEAD] != 0 and cards & ~t[DEAD] != 0:
            continue
        fitness = 2.0 - size_of(cards & t[DEAD]) / size_of(cards)
        if fitness > best:
            best, found = fitness, slot
    if found < 0:
        found = _doomed(t, me)
    if found < 0:
        found = 0
        for slot in range(1, t[SIZE + me]):
            value = _rank_value(t[MEMORY + 10 * me + slot], cfg[CFG_RANKS])
            if value > _rank_value(t[MEMORY + 10 * me + found], cfg[CFG_RANKS]):
                found = slot
    return found


@njit(cache=True)
def _decide(t, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    _use_eyes(t, cfg, me)
    sure = _sure(t, cfg, me)
    if t[DEALT_AT] == cfg[CFG_DECK]:
        if sure >= 0:
            return hand + sure
        mystery = _mystery(t, cfg, me)
        if mystery >= 0:
            return hand + mystery
    nearest = -2  # the gain of the best hint to the next seat
    nearest_hint = -1
    after = me + 1 if me + 1 < players else 0
    if t[TOKENS] > 0:
        doomed = _next_doomed(t, players)
        if doomed >= 0:
            card = t[HAND + 10 * after + doomed]
            if t[CRITICAL] >> card & 1:
                nearest, nearest_hint = _best_hint(t, cfg, me, after)
                if nearest > 0:
                    return nearest_hint
                step = after - me if after > me else after - me + players
                base = 2 * hand + (players - 1) * cfg[CFG_COLORS] + (step - 1) * cfg[CFG_RANKS]
                return base + (card & 7)
    spared = _finesse(t, cfg, me)
    if spared >= 0:
        return spared
    if sure >= 0:
        return hand + sure
    if t[TOKENS] > 0:
        best, action = 0, -1
        to = after
        for _ in range(1, players):
            gain, hint = _best_hint(t, cfg, me, to)
            if gain > best:
                best, action = gain, hint
            to = to + 1 if to + 1 < players else 0
        if action >= 0:
            return action
    mystery = _mystery(t, cfg, me)
    if mystery >= 0:
        return hand + mystery
    if t[TOKENS] < cfg[CFG_INFORMATION]:
        return _discard(t, cfg, me)
    to = me - 1 if me > 0 else players - 1
    if t[TOKENS] > 0 and t[SIZE + to] > 0:
        step = to - me if to > me else to - me + players
        base = 2 * hand + (players - 1) * cfg[CFG_COLORS] + (step - 1) * cfg[CFG_RANKS]
        return base + (t[HAND + 10 * to] & 7)
    return hand


@njit(cache=True)
def _hint(t, cfg, me, number):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give hint `number` (0 is the first one); return whether it was allowed."""
    players, colors, ranks = cfg[CFG_PLAYERS], cfg[CFG_COLORS], cfg[CFG_RANKS]
    by_rank = number >= (players - 1) * colors
    kinds = ranks if by_rank else colors
    if by_rank:
        number -= (players - 1) * colors
    step = 1
    while number >= kinds:
        number -= kinds
        step += 1
    to = me + step if me + step < players else me + step - players
    told = rank_set(number) if by_rank else np.int64(31) << (8 * number)
    touched = 0
    for slot in range(t[SIZE + to]):
        if told >> t[HAND + 10 * to + slot] & 1:
            touched |= 1 << slot
    if touched == 0 or t[TOKENS] == 0:
        return False
    _see_hint(t, cfg, to, by_rank, number, touched)
    t[TOKENS] -= 1
    for slot in range(t[SIZE + to]):
        t[HINTS + 10 * to + slot] &= told if touched >> slot & 1 else ~told
    return True


@njit(cache=True)
def _use(t, cfg, me, slot, playing):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play or discard; return whether it was allowed and means the same to all seats."""
    size = t[SIZE + me]
    if slot >= size or (not playing and t[TOKENS] >= cfg[CFG_INFORMATION]):
        return False
    cards = t[MEMORY + 10 * me + slot]
    _no_warning(t, cfg)
    if not playing and single(cards) and cards & t[PLAYABLE]:
        holder = _newest(t, cfg, me, the_card(cards))
        if holder < 0:
            return False
        _narrow(t, 10 * holder + t[SIZE + holder] - 1, cards)
    card = t[HAND + 10 * me + slot]
    for at in range(10 * me + slot, 10 * me + size - 1):
        t[HAND + at] = t[HAND + at + 1]
        t[MEMORY + at] = t[MEMORY + at + 1]
        t[HINTS + at] = t[HINTS + at + 1]
    t[SIZE + me] = size - 1
    color, rank = card >> 3, card & 7
    t[LEFT + card] -= 1
    if not playing:
        t[TOKENS] += 1
    elif t[FW + color] == rank:
        t[FW + color] = rank + 1
        t[SCORE_AT] += 1
        if rank == cfg[CFG_RANKS] - 1 and t[TOKENS] < cfg[CFG_INFORMATION]:
            t[TOKENS] += 1
    else:
        t[LIVES_AT] -= 1
    _survey(t, cfg, color)
    return True


@njit(cache=True)
def smart_to_the_end(row, cfg, memory, t):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play an episode to its end with SmartBot in every seat.

    Args:
        row: the episode, shape (W,); not modified.
        cfg: the numbers of the variant.
        memory: what every seat remembers, shape (50,); not modified.
        t: scratch, shape (TABLE,).

    Returns:
        The score, or −1 if something came up that needs the general loop.
    """
    players, hand, deck = cfg[CFG_PLAYERS], cfg[CFG_HAND], cfg[CFG_DECK]
    if cfg[CFG_SEER]:
        return -1
    _lay(row, cfg, memory, t)
    live = row[LIVE] != 0
    most = cfg[CFG_COLORS] * cfg[CFG_RANKS]
    while live:
        me = t[MOVER]
        t[DOOMED] = -2
        _count_out(t, players)
        action = _decide(t, cfg, me)
        last_round = t[DEALT_AT] == deck
        if action >= 2 * hand:
            fine = _hint(t, cfg, me, action - 2 * hand)
        else:
            fine = _use(t, cfg, me, action % hand, action >= hand)
        if not fine:
            return -1
        t[LAST] -= last_round
        live = t[LIVES_AT] > 0 and t[SCORE_AT] < most and (not last_round or t[LAST] > 0)
        if live and action < 2 * hand and not last_round:
            at = 10 * me + t[SIZE + me]
            t[HAND + at] = t[DECK_AT + t[DEALT_AT]]
            t[MEMORY + at] = t[ALL]
            t[HINTS + at] = t[ALL]
            t[SIZE + me] += 1
            t[DEALT_AT] += 1
            live = not (cfg[CFG_AT_ONCE] and t[DEALT_AT] == deck)
        t[MOVER] = me + 1 if me + 1 < players else 0
    if t[LIVES_AT] == 0 and not cfg[CFG_KEEP_SCORE]:
        return 0
    return t[SCORE_AT]
