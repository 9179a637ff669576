# ruff: noqa: PLR0911, PLR0912 - compiled: no keywords, one return a rule
"""SmartBot's choice at the desk of `agents.hanabi._smart_desk_kernels`, rule by rule."""

from __future__ import annotations

import numpy as np
from numba import njit

from agents.hanabi._smart_desk_kernels import (
    ALL,
    CRITICAL,
    DEAD,
    DEALT_AT,
    EYES,
    GONE,
    HAND,
    LEFT,
    LIVES_AT,
    LOCATED,
    MEMORY,
    PLAYABLE,
    SIZE,
    TOKENS,
    doomed_slot,
    maybe_critical,
    newest_at,
    next_doomed,
)
from agents.hanabi._table_kernels import rank_set, single, size_of, the_card
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_DECK,
    CFG_HAND,
    CFG_INFORMATION,
    CFG_PLAYERS,
    CFG_RANKS,
)

__all__ = ["decide"]


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
        doomed = next_doomed(t, players)
        if doomed >= 0:
            rank = t[HAND + 10 * to + doomed] & 7
            if maybe_critical(t, t[MEMORY + 10 * to + doomed], rank):
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
        if newest_at(t, cfg, me, the_card(cards)) >= 0:
            return slot
    return -1


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
        found = doomed_slot(t, me)
    if found < 0:
        found = 0
        for slot in range(1, t[SIZE + me]):
            value = _rank_value(t[MEMORY + 10 * me + slot], cfg[CFG_RANKS])
            if value > _rank_value(t[MEMORY + 10 * me + found], cfg[CFG_RANKS]):
                found = slot
    return found


@njit(cache=True)
def decide(t, cfg, me):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the move of seat `me`, whose turn it is; its own cards are not looked at."""
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
        doomed = next_doomed(t, players)
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
