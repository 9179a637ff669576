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

from games._jit import kernel
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
    CFG_SPREAD,
    COLOR_TOLD,
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
    RANK_TOLD,
    SIZES,
    TURN,
)

__all__ = ["encode", "encode_all", "encode_seats", "hide", "hide_all", "pack", "resample", "unpack"]

# Mixed with signed numbers, unsigned ones would become floats.
_0, _1, _5, _31, _63 = (np.uint64(n) for n in (0, 1, 5, 31, 63))
_TOLD_COLOR = np.uint64(COLOR_TOLD)
_TOLD_RANK = np.uint64(RANK_TOLD)


# -- packed: bit i of the encoding is bit i % 64 of word i // 64 ---------------------------


@kernel
def _put(words, at, bits):  # type: ignore[no-untyped-def]  # compiled by numba
    """Set bits, uint64, at position `at` on. One more word than needed must be there."""
    shift = np.uint64(at & 63)
    words[at >> 6] |= bits << shift
    words[(at >> 6) + 1] |= (bits >> _1) >> (_63 - shift)


@kernel
def _bit(at):  # type: ignore[no-untyped-def]  # compiled by numba
    return _1 << np.uint64(at)


@kernel
def _first(n):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return n < 64 ones."""
    return (_1 << np.uint64(n)) - _1


@kernel
def _pack_hands(row, cfg, seat, words):  # type: ignore[no-untyped-def]  # compiled by numba
    players, hand, ranks = cfg[CFG_PLAYERS], cfg[CFG_HAND], cfg[CFG_RANKS]
    cards = cfg[CFG_COLORS] * ranks
    at = 0
    other = seat
    short = np.uint64(1 if row[SIZES + seat] < hand else 0)
    for step in range(1, players):
        other = other + 1 if other + 1 < players else 0
        size = np.int64(row[SIZES + other])
        short |= np.uint64(1 if size < hand else 0) << np.uint64(step)
        base = HANDS + other * hand
        for slot in range(size):
            card = np.int64(row[DECK + row[base + slot]])
            _put(words, at + slot * cards + (card >> 3) * ranks + (card & 7), _1)
        at += hand * cards
    _put(words, at, short)
    return at + players


@kernel
def _thermometer(words, at, n, width):  # type: ignore[no-untyped-def]  # compiled by numba
    """Set the first n bits of a field that may be wider than a word."""
    for start in range(0, width, 32):
        _put(words, at + start, _first(min(max(n - start, 0), 32)))


@kernel
def _pack_board(row, cfg, at, words):  # type: ignore[no-untyped-def]  # compiled by numba
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    width = cfg[CFG_DECK] - cfg[CFG_PLAYERS] * cfg[CFG_HAND]
    _thermometer(words, at, cfg[CFG_DECK] - row[DEALT], width)
    at += width
    for color in range(colors):
        _put(words, at, _bit(row[FIREWORKS + color]) >> _1)
        at += ranks
    _thermometer(words, at, np.int64(row[INFORMATION]), cfg[CFG_INFORMATION])
    at += cfg[CFG_INFORMATION]
    _thermometer(words, at, np.int64(row[LIVES]), cfg[CFG_LIVES])
    at += cfg[CFG_LIVES]
    for color in range(colors):
        lost = np.uint64(0)
        place = np.uint64(0)
        for rank in range(ranks):
            lost |= _first(row[DISCARDS + color * 8 + rank]) << place
            place += np.uint64(cfg[CFG_COPIES + rank])
        _put(words, at, lost)
        at += np.int64(place)
    return at


@kernel
def _pack_last(row, cfg, seat, at, words):  # type: ignore[no-untyped-def]  # compiled by numba
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    end = at + 2 * players + 4 + colors + ranks + 2 * hand + colors * ranks + 2
    if row[LENGTH] == 0:
        return end
    entry = LOG + 2 * (np.int64(row[LENGTH]) - 1)
    action, note = np.int64(row[entry]), np.int64(row[entry + 1])
    # Turns pass in order, so the last to move sits before the seat to move now.
    who = np.int64(row[TURN]) - 1 - seat
    who = who + players if who < 0 else who
    who = who + players if who < 0 else who
    kind_at = at + players
    slots = kind_at + 4 + players + colors + ranks
    move = cfg[CFG_MOVES + action]
    value = move >> 5
    _put(words, at, _bit(who))
    if move & 2:
        target = who + ((move >> 2) & 7)
        told = kind_at + 4 + players + (colors if move & 1 else 0) + value
        _put(words, kind_at, _bit(move & 3))
        _put(words, kind_at + 4, _bit(target - players if target >= players else target))
        _put(words, told, _1)
        _put(words, slots, np.uint64(note))
        return end
    card = np.int64(row[DECK + note])
    _put(words, kind_at, _bit(1 - (move & 1)))
    _put(words, slots + hand, _bit(value))
    _put(words, slots + 2 * hand + (card >> 3) * ranks + (card & 7), _1)
    _put(words, end - 2, np.uint64(row[OUTCOME]))
    return end


@kernel
def _pack_knowledge(row, cfg, seat, at, words):  # type: ignore[no-untyped-def]
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    colors = np.uint64(cfg[CFG_COLORS])
    cards = colors * np.uint64(cfg[CFG_RANKS])
    all_ranks = _first(cfg[CFG_RANKS])  # a fresh card's entry has bits for five
    width = np.int64(cards) + cfg[CFG_COLORS] + cfg[CFG_RANKS]
    word, filled = at >> 6, at & 63
    open_word = words[word]
    other = seat
    for _ in range(players):
        base = HANDS + other * hand
        size = row[SIZES + other]
        for slot in range(hand):
            bits = _0
            if slot < size:
                known = np.uint64(row[KNOWN + row[base + slot]])
                by_color, by_rank = known & _31, (known >> _5) & all_ranks
                # One bit a colour, `ranks` apart; times the ranks is a bit for each card.
                bits = np.uint64(cfg[CFG_SPREAD + np.int64(by_color)]) * by_rank
                bits |= (by_color if known & _TOLD_COLOR else _0) << cards
                bits |= (by_rank if known & _TOLD_RANK else _0) << (cards + colors)
            open_word |= bits << np.uint64(filled)
            filled += width
            if filled >= 64:
                words[word] = open_word
                word += 1
                filled -= 64
                open_word = bits >> np.uint64(width - filled)
        other = other + 1 if other + 1 < players else 0
    words[word] = open_word


@kernel
def pack(row, cfg, seat, words):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the canonical encoding bit by bit.

    Args:
        row: the episode; only read.
        cfg: the numbers of the variant.
        seat: who looks.
        words: uint64, shape (D // 64 + 2,), modified in place; the last is 0.
    """
    for i in range(words.shape[0]):
        words[i] = _0
    at = _pack_hands(row, cfg, seat, words)
    at = _pack_board(row, cfg, at, words)
    at = _pack_last(row, cfg, seat, at, words)
    if cfg[CFG_SHOW_KNOWLEDGE]:
        _pack_knowledge(row, cfg, seat, at, words)


@kernel
def unpack(words, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write packed bits as numbers; float32, shape (D,), modified in place."""
    whole = out.shape[0] >> 6
    for i in range(whole):
        word = words[i]
        for j in range(64):  # of constant length, so that it is compiled to vectors
            out[64 * i + j] = np.float32(np.int64((word >> np.uint64(j)) & _1))
    word = words[whole]
    for j in range(out.shape[0] & 63):
        out[64 * whole + j] = np.float32(np.int64((word >> np.uint64(j)) & _1))


@kernel
def encode(row, cfg, seat, words, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the canonical encoding.

    Args:
        row: the episode; only read.
        cfg: the numbers of the variant.
        seat: who looks.
        words: scratch, uint64, shape (D // 64 + 2,).
        out: float32, shape (D,), modified in place.
    """
    pack(row, cfg, seat, words)
    unpack(words, out)


@kernel
def encode_all(rows, cfg, seat, words, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Encode N episodes where `seat` (−1: whoever it is) is to move; else 0; float32 (N, D)."""
    for k in range(rows.shape[0]):
        mover = np.int64(rows[k, TURN])
        if rows[k, LIVE] and (seat < 0 or mover == seat):
            encode(rows[k], cfg, mover, words, out[k])
        else:
            out[k] = 0.0


@kernel
def encode_seats(rows, cfg, words, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Encode N episodes for every seat, whoever is to move; float32, shape (N, n, D)."""
    for k in range(rows.shape[0]):
        for seat in range(out.shape[1]):
            encode(rows[k], cfg, seat, words, out[k, seat])


@kernel
def hide(row, cfg, seat, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Copy a row without what `seat` does not know: its own cards and those to come."""
    for i in range(row.shape[0]):
        out[i] = row[i]
    for i in range(row[DEALT], MAX_CARDS):
        out[DECK + i] = -1
    if not cfg[CFG_SEER]:
        for slot in range(row[SIZES + seat]):
            out[DECK + row[HANDS + seat * cfg[CFG_HAND] + slot]] = -1


@kernel
def hide_all(rows, cfg, seat, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """`hide` for N episodes, shape (N, W); from the seat to move if `seat` is −1."""
    for k in range(rows.shape[0]):
        hide(rows[k], cfg, np.int64(rows[k, TURN]) if seat < 0 else seat, out[k])


@njit(cache=True)  # it takes scratch
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
