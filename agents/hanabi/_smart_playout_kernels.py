# ruff: noqa: PLR0917 - compiled: no keywords, one return a rule
"""SmartBot against itself from any position, at three times the speed of the general loop.

The same choices as `agents.hanabi._smart_kernels`, rule by rule, for the case that all seats
remember the same. What makes it fast: cards stand slot by slot instead of by their position
in the deck; the sets of playable, dead and critical cards are brought up to date by colour,
when a card is used; what one seat works out about the next serves its choice and what
everybody makes of it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from agents.hanabi._smart_choice_kernels import decide
from agents.hanabi._smart_desk_kernels import (
    ALL,
    CRITICAL,
    DEALT_AT,
    DECK_AT,
    DOOMED,
    FW,
    HAND,
    HINTS,
    LAST,
    LEFT,
    LIVES_AT,
    MEMORY,
    MOVER,
    PLAYABLE,
    SCORE_AT,
    SIZE,
    TOKENS,
    count_out,
    lay,
    maybe_critical,
    narrow,
    newest_at,
    next_doomed,
    survey_color,
)
from agents.hanabi._table_kernels import rank_set, single, the_card
from games.hanabi.layout import (
    CFG_AT_ONCE,
    CFG_COLORS,
    CFG_DECK,
    CFG_HAND,
    CFG_INFORMATION,
    CFG_KEEP_SCORE,
    CFG_PLAYERS,
    CFG_RANKS,
    CFG_SEER,
    LIVE,
)

__all__ = ["smart_to_the_end"]


@njit(cache=True)
def _no_warning(t, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    players = cfg[CFG_PLAYERS]
    if t[DEALT_AT] == cfg[CFG_DECK] or t[TOKENS] == 0:
        return
    slot = next_doomed(t, players)
    if slot >= 0:
        seat = t[MOVER] + 1 if t[MOVER] + 1 < players else 0
        narrow(t, 10 * seat + slot, ~t[CRITICAL])


@njit(cache=True)
def _see_hint(t, cfg, to, by_rank, value, touched):  # type: ignore[no-untyped-def]  # compiled
    players = cfg[CFG_PLAYERS]
    mover = t[MOVER]
    warned = mover + 1 if mover + 1 < players else 0
    told = rank_set(value) if by_rank else np.int64(31) << (8 * value)
    silent = False
    if by_rank:
        doomed = next_doomed(t, players)
        after = to + 1 if to + 1 < players else 0
        stalling = t[TOKENS] == cfg[CFG_INFORMATION] and mover == after and touched & 1 != 0
        warning = not stalling and to == warned and doomed >= 0 and touched >> doomed & 1 != 0
        if warning:
            warning = maybe_critical(t, t[MEMORY + 10 * to + doomed], value)
            if warning:
                narrow(t, 10 * to + doomed, t[CRITICAL])
        silent = stalling or warning
    identified, meant = False, -1
    playable = t[PLAYABLE]
    for slot in range(t[SIZE + to] - 1, -1, -1):
        at = 10 * to + slot
        cards = t[MEMORY + at]
        open_before = cards & playable != 0 and cards & ~playable != 0
        hit = touched >> slot & 1 != 0
        narrow(t, at, told if hit else ~told)
        if open_before:
            cards = t[MEMORY + at]
            if cards & ~playable == 0:
                identified = True
            elif cards & playable != 0 and hit and meant < 0:
                meant = slot
    if not silent and not identified and meant >= 0:
        narrow(t, 10 * to + meant, playable)
    if to != warned:
        _no_warning(t, cfg)


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
        holder = newest_at(t, cfg, me, the_card(cards))
        if holder < 0:
            return False
        narrow(t, 10 * holder + t[SIZE + holder] - 1, cards)
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
    survey_color(t, cfg, color)
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
    lay(row, cfg, memory, t)
    live = row[LIVE] != 0
    most = cfg[CFG_COLORS] * cfg[CFG_RANKS]
    while live:
        me = t[MOVER]
        t[DOOMED] = -2
        count_out(t, players)
        action = decide(t, cfg, me)
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
