"""The rules: dealing, legality and moves of one episode.

See `games.hanabi.layout` for the row (int16, modified in place) and the numbers of the
variant (`cfg`). The twin in plain Python is `tests/reference/hanabi.py`.
"""

from __future__ import annotations

import numpy as np

from games._jit import kernel
from games._stream import stream_below
from games.hanabi.layout import (
    ANY_CARD,
    CFG_ACTIONS,
    CFG_AT_ONCE,
    CFG_COLORS,
    CFG_COPIES,
    CFG_DECK,
    CFG_HAND,
    CFG_INFORMATION,
    CFG_KEEP_SCORE,
    CFG_LIVES,
    CFG_MOVES,
    CFG_PLAYERS,
    CFG_RANDOM_START,
    CFG_RANKS,
    CFG_SEER,
    COLOR_TOLD,
    DEALT,
    DECK,
    DISCARDS,
    FIREWORKS,
    HANDS,
    INFORMATION,
    KNOWN,
    LEFT,
    LENGTH,
    LIVE,
    LIVES,
    LOG,
    MAX_CARDS,
    OUTCOME,
    RANK_TOLD,
    SCORE,
    SIZES,
    START,
    TURN,
)

__all__ = [
    "act",
    "act_and_draw",
    "allowed",
    "blank",
    "count",
    "deal",
    "draw",
    "fresh",
    "legal_bits",
    "legal_row",
    "pick",
    "refusal",
    "returned",
    "short_hand",
]

# Why an action is refused.
FINE, NO_SUCH, NO_CARD, FULL, NO_TOKEN, NO_COLOR, NO_RANK = range(7)

# Mixed with signed numbers, unsigned ones would become floats.
_0, _1, _2, _3, _4, _7, _8, _15, _56, _255 = (
    np.uint64(n) for n in (0, 1, 2, 3, 4, 7, 8, 15, 56, 255)
)
_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_PAIRS = np.uint64(0x5555555555555555)
_FOURS = np.uint64(0x3333333333333333)
_BYTES = np.uint64(0x0F0F0F0F0F0F0F0F)


@kernel
def blank(row, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Set up an episode before any card is dealt; the deck is unknown."""
    row[:] = 0
    row[LIVE] = 1
    row[LIVES] = cfg[CFG_LIVES]
    row[INFORMATION] = cfg[CFG_INFORMATION]
    row[LEFT] = cfg[CFG_PLAYERS]
    if cfg[CFG_RANDOM_START]:
        row[START] = -1
    for i in range(MAX_CARDS):
        row[HANDS + i] = -1
        row[DECK + i] = -1
        row[KNOWN + i] = ANY_CARD


@kernel
def short_hand(row, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the seat that draws next, −1 if none does."""
    if row[DEALT] < cfg[CFG_DECK]:
        for seat in range(cfg[CFG_PLAYERS]):
            if row[SIZES + seat] < cfg[CFG_HAND]:
                return seat
    return -1


@kernel
def _reveal(row, index):  # type: ignore[no-untyped-def]  # compiled by numba
    card = row[DECK + index]
    row[KNOWN + index] = (1 << (card >> 3)) | (32 << (card & 7)) | COLOR_TOLD | RANK_TOLD


@kernel
def draw(row, cfg, seat):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give the next card of the deck to `seat`."""
    index = row[DEALT]
    size = row[SIZES + seat]
    row[HANDS + seat * cfg[CFG_HAND] + size] = index
    row[SIZES + seat] = size + 1
    row[DEALT] = index + 1
    if cfg[CFG_SEER]:
        _reveal(row, index)
    if cfg[CFG_AT_ONCE] and row[LENGTH] > 0 and index + 1 == cfg[CFG_DECK]:
        row[LIVE] = 0


@kernel
def fresh(row, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Set up an episode that is dealt from a sorted deck; `deal` only shuffles it."""
    blank(row, cfg)
    at = DECK
    for color in range(cfg[CFG_COLORS]):
        for rank in range(cfg[CFG_RANKS]):
            for _ in range(cfg[CFG_COPIES + rank]):
                row[at] = color * 8 + rank
                at += 1
    for seat in range(cfg[CFG_PLAYERS]):
        for _ in range(cfg[CFG_HAND]):
            draw(row, cfg, seat)


@kernel
def deal(row, cfg, sorted_row, streams, k):  # type: ignore[no-untyped-def]
    """Deal a new episode from stream `k` (modified in place); `sorted_row` is from `fresh`."""
    for i in range(row.shape[0]):
        row[i] = sorted_row[i]
    if cfg[CFG_RANDOM_START]:
        row[START] = stream_below(streams, k, cfg[CFG_PLAYERS])
        row[TURN] = row[START]
    for i in range(DECK + cfg[CFG_DECK] - 1, DECK, -1):
        j = DECK + stream_below(streams, k, i - DECK + 1)
        card = row[i]
        row[i] = row[j]
        row[j] = card
    if cfg[CFG_SEER]:
        for index in range(row[DEALT]):
            _reveal(row, index)


@kernel
def legal_bits(row, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the legal actions of the seat to move, bit by bit; 0 if the game is over."""
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    other = np.int64(row[TURN])
    tokens = row[INFORMATION]
    slots = (1 << np.int64(row[SIZES + other])) - 1
    bits = (slots << hand) | (slots if tokens < cfg[CFG_INFORMATION] else 0)
    color_at = 2 * hand
    rank_at = color_at + (players - 1) * colors
    hints = np.int64(0)
    for _ in range(1, players):
        other = other + 1 if other + 1 < players else np.int64(0)
        seen_colors = np.int64(0)
        seen_ranks = np.int64(0)
        base = HANDS + other * hand
        for slot in range(base, base + row[SIZES + other]):
            card = np.int64(row[DECK + row[slot]])
            seen_colors |= np.int64(1) << (card >> 3)
            seen_ranks |= np.int64(1) << (card & 7)
        hints |= (seen_colors << color_at) | (seen_ranks << rank_at)
        color_at += colors
        rank_at += ranks
    bits |= hints if tokens > 0 else 0
    return np.uint64(bits if row[LIVE] else 0)


@kernel
def legal_row(row, cfg, seat, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the actions that are legal for `seat` if it is its turn; say whether it is.

    Args:
        row: the episode; only read.
        cfg: the numbers of the variant.
        seat: the seat.
        out: bool, shape (A,), modified in place.
    """
    bits = legal_bits(row, cfg) if row[TURN] == seat else np.uint64(0)
    for action in range(out.shape[0]):
        out[action] = (bits >> np.uint64(action)) & np.uint64(1)
    return bits != np.uint64(0)


@kernel
def count(bits):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return how many bits are set (Warren, Hacker's Delight, section 5-1)."""
    bits -= (bits >> _1) & _PAIRS
    bits = (bits & _FOURS) + ((bits >> _2) & _FOURS)
    bits = (bits + (bits >> _4)) & _BYTES
    return np.int64((bits * _ONES) >> _56)


@kernel
def pick(bits, n):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the number of the n-th bit that is set, counted from 0 (Vigna 2008, section 3).

    Counts of pairs, fours and bytes, then down again: no branch depends on the bits.
    """
    n = np.uint64(n)
    pairs = bits - ((bits >> _1) & _PAIRS)
    fours = (pairs & _FOURS) + ((pairs >> _2) & _FOURS)
    sums = ((fours + (fours >> _4)) & _BYTES) * _ONES  # byte k: bits set in bytes 0 to k
    below = (((n * _ONES) | _HIGH) - sums) & _HIGH  # high bit of byte k: sums there ≤ n
    place = (((below >> _7) * _ONES) >> _56) << _3
    n -= ((sums << _8) >> place) & _255
    here = (fours >> place) & _15
    step = n >= here
    n -= here if step else _0
    place += _4 if step else _0
    here = (pairs >> place) & _3
    step = n >= here
    n -= here if step else _0
    place += _2 if step else _0
    place += _1 if n >= (bits >> place) & _1 else _0
    return np.int64(place)


@kernel
def allowed(row, cfg, action):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether the seat to move may play `action`."""
    if action < 0 or action >= cfg[CFG_ACTIONS]:
        return False
    return (legal_bits(row, cfg) >> np.uint64(action)) & _1 != _0


@kernel
def refusal(row, cfg, action):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return why the seat to move may not play `action`, 0 if it may."""
    if action < 0 or action >= cfg[CFG_ACTIONS]:
        return NO_SUCH
    if allowed(row, cfg, action):
        return FINE
    kind = cfg[CFG_MOVES + action] & 3
    if kind < 2:
        held = row[SIZES + row[TURN]]
        return NO_CARD if cfg[CFG_MOVES + action] >> 5 >= held else FULL
    if row[INFORMATION] == 0:
        return NO_TOKEN
    return NO_COLOR if kind == 2 else NO_RANK


@kernel
def _use_card(row, cfg, seat, move):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play or discard; returns the card's position in the deck."""
    slot = move >> 5
    base = HANDS + seat * cfg[CFG_HAND]
    index = np.int64(row[base + slot])
    last = base + row[SIZES + seat] - 1
    for i in range(base, last):
        row[i] = row[i + (1 if i >= base + slot else 0)]
    row[last] = -1
    row[SIZES + seat] -= 1
    card = np.int64(row[DECK + index])
    rank = card & 7
    # Without branches: which of the three it is cannot be foretold.
    height = row[FIREWORKS + (card >> 3)]
    play = move & 1
    good = play & (1 if height == rank else 0)
    last_rank = 1 if rank == cfg[CFG_RANKS] - 1 else 0
    back = good & last_rank & (1 if row[INFORMATION] < cfg[CFG_INFORMATION] else 0)
    row[FIREWORKS + (card >> 3)] = height + good
    row[SCORE] += good
    row[DISCARDS + card] += 1 - good
    row[LIVES] -= play - good
    row[INFORMATION] += back + 1 - play
    row[OUTCOME] = good | (back << 1)
    return index


@kernel
def _tell(row, cfg, seat, move, touched):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give a hint; returns the slots touched. `touched` ≥ 0 says them if the hand is unknown."""
    row[INFORMATION] -= 1
    by_rank = move & 1
    value = move >> 5
    other = seat + ((move >> 2) & 7)
    if other >= cfg[CFG_PLAYERS]:
        other -= cfg[CFG_PLAYERS]
    five = 5 * by_rank
    bit = np.int64(1) << (value + five)
    unsure = ~(np.int64(0b11111) << five)
    told = bit | (COLOR_TOLD << by_rank)
    base = HANDS + other * cfg[CFG_HAND]
    shift = 3 - 3 * by_rank
    hits = np.int64(0)
    for slot in range(row[SIZES + other]):
        index = np.int64(row[base + slot])
        seen = 1 if (np.int64(row[DECK + index]) >> shift) & 7 == value else 0
        hit = seen if touched < 0 else (touched >> slot) & 1
        hits |= hit << slot
        known = np.int64(row[KNOWN + index])
        row[KNOWN + index] = (known & unsure) | told if hit else known & ~bit
    return hits


@kernel
def act(row, cfg, action, touched):  # type: ignore[no-untyped-def]  # compiled by numba
    """Make a legal move of the seat to move, without the draw that may follow.

    Args:
        row: the episode, modified in place.
        cfg: the numbers of the variant.
        action: the action.
        touched: −1; or the slots that a hint touched, where the hand is not known.
    """
    seat = np.int64(row[TURN])
    if row[DEALT] == cfg[CFG_DECK]:
        row[LEFT] -= 1
    move = cfg[CFG_MOVES + action]
    if move & 2:
        row[OUTCOME] = 0
        note = _tell(row, cfg, seat, move, touched)
    else:
        note = np.int64(_use_card(row, cfg, seat, move))
    at = LOG + 2 * np.int64(row[LENGTH])
    row[at] = action
    row[at + 1] = note
    row[LENGTH] += 1
    row[TURN] = seat + 1 if seat + 1 < cfg[CFG_PLAYERS] else 0
    if (
        row[LIVES] == 0
        or row[SCORE] == cfg[CFG_COLORS] * cfg[CFG_RANKS]
        or (row[DEALT] == cfg[CFG_DECK] and row[LEFT] == 0)
    ):
        row[LIVE] = 0


@kernel
def act_and_draw(row, cfg, action, touched):  # type: ignore[no-untyped-def]  # compiled by numba
    """Make a legal move; then the seat draws if it used a card and there is another."""
    seat = np.int64(row[TURN])
    act(row, cfg, action, touched)
    if action < 2 * cfg[CFG_HAND] and row[LIVE] and row[DEALT] < cfg[CFG_DECK]:
        draw(row, cfg, seat)


@kernel
def returned(row, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the score so far."""
    if row[LIVES] == 0 and not cfg[CFG_KEEP_SCORE]:
        return 0
    return row[SCORE]
