"""What a seat knows: the canonical encoding, the row without what is hidden, other worlds.

The encoding is that of the Hanabi Learning Environment (Bard et al. 2020, section 4, and
its canonical encoder). Sections, in order, seats counted from the observer on:

1. Hands of the others, a one-hot card a slot; then for each seat whether its hand is short.
2. Board: deck (thermometer), fireworks (one-hot height a colour), tokens (thermometers).
3. Discards: a thermometer for each card.
4. Last move: who, what kind, to whom, colour, rank, slots touched, slot used, card used,
   whether it was played well, whether a token came back.
5. Knowledge of each seat's cards: cards not ruled out by hints, colour told, rank told.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from games._stream import stream_below
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_COPIES,
    CFG_DECK,
    CFG_HAND,
    CFG_INFORMATION,
    CFG_LIVES,
    CFG_MOVES,
    CFG_PLAYERS,
    CFG_RANKS,
    CFG_SEER,
    CFG_SHOW_KNOWLEDGE,
    DEALT,
    DECK,
    DISCARDS,
    FIREWORKS,
    HANDS,
    INFORMATION,
    KNOWN,
    LENGTH,
    LIVE,
    LIVES,
    LOG,
    MAX_CARDS,
    OUTCOME,
    SIZES,
    TURN,
)

__all__ = ["encode", "encode_all", "hide", "hide_all", "resample"]


@njit(cache=True)
def _encode_hands(row, cfg, seat, out):  # type: ignore[no-untyped-def]  # compiled by numba
    players, hand, ranks = cfg[CFG_PLAYERS], cfg[CFG_HAND], cfg[CFG_RANKS]
    cards = cfg[CFG_COLORS] * ranks
    at = 0
    other = seat
    for _ in range(1, players):
        other = other + 1 if other + 1 < players else 0
        for slot in range(row[SIZES + other]):
            card = row[DECK + row[HANDS + other * hand + slot]]
            out[at + slot * cards + (card >> 3) * ranks + (card & 7)] = 1.0
        at += hand * cards
    other = seat
    for step in range(players):
        if row[SIZES + other] < hand:
            out[at + step] = 1.0
        other = other + 1 if other + 1 < players else 0
    return at + players


@njit(cache=True)
def _encode_board(row, cfg, at, out):  # type: ignore[no-untyped-def]  # compiled by numba
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    for i in range(cfg[CFG_DECK] - row[DEALT]):
        out[at + i] = 1.0
    at += cfg[CFG_DECK] - cfg[CFG_PLAYERS] * cfg[CFG_HAND]
    for color in range(colors):
        height = row[FIREWORKS + color]
        if height > 0:
            out[at + height - 1] = 1.0
        at += ranks
    for i in range(row[INFORMATION]):
        out[at + i] = 1.0
    at += cfg[CFG_INFORMATION]
    for i in range(row[LIVES]):
        out[at + i] = 1.0
    at += cfg[CFG_LIVES]
    for color in range(colors):
        for rank in range(ranks):
            for i in range(row[DISCARDS + color * 8 + rank]):
                out[at + i] = 1.0
            at += cfg[CFG_COPIES + rank]
    return at


@njit(cache=True)
def _encode_last(row, cfg, seat, at, out):  # type: ignore[no-untyped-def]  # compiled by numba
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    end = at + 2 * players + 4 + colors + ranks + 2 * hand + colors * ranks + 2
    if row[LENGTH] == 0:
        return end
    entry = LOG + 2 * (row[LENGTH] - 1)
    action, note = row[entry], row[entry + 1]
    # Turns pass in order, so the last to move sits before the seat to move now.
    who = row[TURN] - 1 - seat
    who = who + players if who < 0 else who
    who = who + players if who < 0 else who
    out[at + who] = 1.0
    at += players
    target_at = at + 4
    color_at = target_at + players
    slots = color_at + colors + ranks
    card_at = slots + 2 * hand
    move = cfg[CFG_MOVES + action]
    value = move >> 5
    if move & 3 < 2:
        card = row[DECK + note]
        out[at + 1 - (move & 3)] = 1.0
        out[slots + hand + value] = 1.0
        out[card_at + (card >> 3) * ranks + (card & 7)] = 1.0
        out[end - 2] = np.float32(row[OUTCOME] & 1)
        out[end - 1] = np.float32(row[OUTCOME] >> 1)
        return end
    out[at + (move & 3)] = 1.0
    target = who + ((move >> 2) & 7)
    out[target_at + (target - players if target >= players else target)] = 1.0
    out[color_at + (colors if move & 3 == 3 else 0) + value] = 1.0
    for slot in range(hand):
        if note >> slot & 1:
            out[slots + slot] = 1.0
    return end


@njit(cache=True)
def _encode_knowledge(row, cfg, told, seat, at, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    width = told.shape[1]
    other = seat
    for _ in range(players):
        for slot in range(row[SIZES + other]):
            known = row[KNOWN + row[HANDS + other * hand + slot]]
            here = at + slot * width
            for i in range(width):
                out[here + i] = told[known, i]
        at += hand * width
        other = other + 1 if other + 1 < players else 0


@njit(cache=True)
def encode(row, cfg, told, seat, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the canonical encoding.

    Args:
        row: the episode; only read.
        cfg: the numbers of the variant.
        told: what is written for each entry of KNOWN; see `Variant.told`.
        seat: who looks.
        out: float32, shape (D,), modified in place.
    """
    out[:] = 0.0
    at = _encode_hands(row, cfg, seat, out)
    at = _encode_board(row, cfg, at, out)
    at = _encode_last(row, cfg, seat, at, out)
    if cfg[CFG_SHOW_KNOWLEDGE]:
        _encode_knowledge(row, cfg, told, seat, at, out)


@njit(cache=True)
def encode_all(rows, cfg, told, seat, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Encode N episodes where `seat` (−1: whoever it is) is to move; else 0; float32 (N, D)."""
    for k in range(rows.shape[0]):
        mover = np.int64(rows[k, TURN])
        if rows[k, LIVE] and (seat < 0 or mover == seat):
            encode(rows[k], cfg, told, mover, out[k])
        else:
            out[k] = 0.0


@njit(cache=True)
def hide(row, cfg, seat, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Copy a row without what `seat` does not know: its own cards and those to come."""
    out[:] = row
    for i in range(row[DEALT], MAX_CARDS):
        out[DECK + i] = -1
    if not cfg[CFG_SEER]:
        for slot in range(row[SIZES + seat]):
            out[DECK + row[HANDS + seat * cfg[CFG_HAND] + slot]] = -1


@njit(cache=True)
def hide_all(rows, cfg, seat, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """`hide` for N episodes, shape (N, W); from the seat to move if `seat` is −1."""
    for k in range(rows.shape[0]):
        hide(rows[k], cfg, np.int64(rows[k, TURN]) if seat < 0 else seat, out[k])


@njit(cache=True)
def resample(  # type: ignore[no-untyped-def]  # noqa: PLR0912, PLR0917 - compiled: no types, no keywords
    row, cfg, seat, streams, k, out
):
    """Write a row that `seat` cannot tell from `row`, drawn uniformly from all such rows.

    Every card of the own hand is drawn by itself from the unseen cards that its hints
    allow; if one card was drawn twice, all are drawn anew. So every assignment of unseen
    cards that agrees with the hints is equally likely. The rest is shuffled into the deck.

    Args:
        row: the episode; of the own hand and the cards to come nothing is read.
        cfg: the numbers of the variant.
        seat: the seat.
        streams: modified in place.
        k: which stream.
        out: shape (W,), modified in place.
    """
    hide(row, cfg, seat, out)
    hand = cfg[CFG_HAND]
    counts = np.zeros(40, np.int64)
    for color in range(cfg[CFG_COLORS]):
        for rank in range(cfg[CFG_RANKS]):
            counts[color * 8 + rank] = cfg[CFG_COPIES + rank]
    for i in range(row[DEALT]):
        if out[DECK + i] >= 0:
            counts[out[DECK + i]] -= 1
    unseen = np.empty(MAX_CARDS, np.int64)
    total = 0
    for card in range(40):
        for _ in range(counts[card]):
            unseen[total] = card
            total += 1
    size = 0 if cfg[CFG_SEER] else np.int64(row[SIZES + seat])
    fitting = np.empty((10, MAX_CARDS), np.int64)
    fits = np.zeros(10, np.int64)
    for slot in range(size):
        known = row[KNOWN + row[HANDS + seat * hand + slot]]
        for i in range(total):
            if (known >> (unseen[i] >> 3) & 1) and (known >> (5 + (unseen[i] & 7)) & 1):
                fitting[slot, fits[slot]] = i
                fits[slot] += 1
    drawn = np.empty(10, np.int64)
    slot = 0
    while slot < size:
        drawn[slot] = fitting[slot, stream_below(streams, k, fits[slot])]
        again = False
        for earlier in range(slot):
            again = again or drawn[earlier] == drawn[slot]
        slot = 0 if again else slot + 1
    for slot in range(size):
        out[DECK + row[HANDS + seat * hand + slot]] = unseen[drawn[slot]]
        unseen[drawn[slot]] = -1
    left = 0
    for i in range(total):
        if unseen[i] >= 0:
            unseen[left] = unseen[i]
            left += 1
    for i in range(row[DEALT], cfg[CFG_DECK]):
        j = stream_below(streams, k, left)
        out[DECK + i] = unseen[j]
        left -= 1
        unseen[j] = unseen[left]
