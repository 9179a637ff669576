"""The rules: dealing, legality and moves of one episode; loops over many.

See `games.hanabi.layout` for the row (int16, modified in place) and the numbers of the
variant (`cfg`). The twin in plain Python is `tests/reference/hanabi.py`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

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
    "deal_all",
    "deal_where",
    "draw",
    "legal_all",
    "legal_bits",
    "legal_row",
    "pick",
    "play_at_random",
    "random_all",
    "refusal",
    "returned",
    "returns_all",
    "short_hand",
    "step_all",
]

# Why an action is refused.
FINE, NO_SUCH, NO_CARD, FULL, NO_TOKEN, NO_COLOR, NO_RANK = range(7)


@njit(cache=True)
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


@njit(cache=True)
def short_hand(row, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the seat that draws next, −1 if none does."""
    if row[DEALT] < cfg[CFG_DECK]:
        for seat in range(cfg[CFG_PLAYERS]):
            if row[SIZES + seat] < cfg[CFG_HAND]:
                return seat
    return -1


@njit(cache=True)
def _reveal(row, index):  # type: ignore[no-untyped-def]  # compiled by numba
    card = row[DECK + index]
    row[KNOWN + index] = (1 << (card >> 3)) | (32 << (card & 7)) | COLOR_TOLD | RANK_TOLD


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
def deal(row, cfg, sorted_row, streams, k):  # type: ignore[no-untyped-def]
    """Deal a new episode from stream `k` (modified in place); `sorted_row` is from `fresh`."""
    row[:] = sorted_row
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


@njit(cache=True)
def legal_bits(row, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the legal actions of the seat to move, bit by bit; 0 if the game is over."""
    if row[LIVE] == 0:
        return np.uint64(0)
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    seat = np.int64(row[TURN])
    slots = (np.uint64(1) << np.uint64(row[SIZES + seat])) - np.uint64(1)
    bits = slots << np.uint64(hand)
    if row[INFORMATION] < cfg[CFG_INFORMATION]:
        bits |= slots
    if row[INFORMATION] > 0:
        color_at = 2 * hand
        rank_at = color_at + (players - 1) * colors
        other = seat
        for _ in range(1, players):
            other = other + 1 if other + 1 < players else np.int64(0)
            seen_colors = np.uint64(0)
            seen_ranks = np.uint64(0)
            base = HANDS + other * hand
            for slot in range(base, base + row[SIZES + other]):
                card = np.uint64(row[DECK + row[slot]])
                seen_colors |= np.uint64(1) << (card >> np.uint64(3))
                seen_ranks |= np.uint64(1) << (card & np.uint64(7))
            bits |= (seen_colors << np.uint64(color_at)) | (seen_ranks << np.uint64(rank_at))
            color_at += colors
            rank_at += ranks
    return bits


@njit(cache=True)
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


@njit(cache=True)
def count(bits):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return how many bits are set (Warren, Hacker's Delight, section 5-1)."""
    bits -= (bits >> np.uint64(1)) & np.uint64(0x5555555555555555)
    pairs = np.uint64(0x3333333333333333)
    bits = (bits & pairs) + ((bits >> np.uint64(2)) & pairs)
    bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True)
def pick(bits, n):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the number of the n-th bit that is set, counted from 0."""
    for _ in range(n):
        bits &= bits - np.uint64(1)
    return count((bits & (~bits + np.uint64(1))) - np.uint64(1))  # bits below the lowest


@njit(cache=True)
def allowed(row, cfg, action):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether the seat to move may play `action`; faster than `legal_bits` for one."""
    if action < 0 or action >= cfg[CFG_ACTIONS]:
        return False
    move = cfg[CFG_MOVES + action]
    seat = np.int64(row[TURN])
    value = move >> 5
    if move & 3 < 2:
        full = move & 3 == 0 and row[INFORMATION] >= cfg[CFG_INFORMATION]
        return value < row[SIZES + seat] and not full
    other = seat + ((move >> 2) & 7)
    if other >= cfg[CFG_PLAYERS]:
        other -= cfg[CFG_PLAYERS]
    shift, mask = (0, 7) if move & 3 == 3 else (3, 31)
    base = HANDS + other * cfg[CFG_HAND]
    found = False
    for slot in range(base, base + row[SIZES + other]):
        found |= (row[DECK + row[slot]] >> shift) & mask == value
    return found and row[INFORMATION] > 0


@njit(cache=True)
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


@njit(cache=True)
def _use_card(row, cfg, seat, move):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play or discard; returns the card's position in the deck."""
    slot = move >> 5
    base = HANDS + seat * cfg[CFG_HAND]
    index = np.int64(row[base + slot])
    size = row[SIZES + seat]
    for i in range(base + slot, base + size - 1):
        row[i] = row[i + 1]
    row[base + size - 1] = -1
    row[SIZES + seat] = size - 1
    card = row[DECK + index]
    color, rank = card >> 3, card & 7
    if move & 3 == 0:
        row[DISCARDS + card] += 1
        row[INFORMATION] += 1
    elif row[FIREWORKS + color] == rank:
        row[FIREWORKS + color] = rank + 1
        row[SCORE] += 1
        row[OUTCOME] = 1
        if rank == cfg[CFG_RANKS] - 1 and row[INFORMATION] < cfg[CFG_INFORMATION]:
            row[INFORMATION] += 1
            row[OUTCOME] = 3
    else:
        row[DISCARDS + card] += 1
        row[LIVES] -= 1
    return index


@njit(cache=True)
def _tell(row, cfg, seat, move, touched):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give a hint; returns the slots touched. `touched` ≥ 0 says them if the hand is unknown."""
    row[INFORMATION] -= 1
    by_rank = move & 3 == 3
    value = move >> 5
    other = seat + ((move >> 2) & 7)
    if other >= cfg[CFG_PLAYERS]:
        other -= cfg[CFG_PLAYERS]
    if by_rank:
        bit, field, told = 32 << value, 0b1111100000, RANK_TOLD
    else:
        bit, field, told = 1 << value, 0b11111, COLOR_TOLD
    base = HANDS + other * cfg[CFG_HAND]
    size = row[SIZES + other]
    shift, mask = (0, 7) if by_rank else (3, 31)
    hits = np.int64(0)
    for slot in range(size):
        index = np.int64(row[base + slot])
        if touched < 0:
            hit = np.int64((row[DECK + index] >> shift) & mask == value)
        else:
            hit = (touched >> slot) & 1
        hits |= hit << slot
        known = np.int64(row[KNOWN + index])
        row[KNOWN + index] = (known & ~field) | bit | told if hit else known & ~bit
    return hits


@njit(cache=True)
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
    row[OUTCOME] = 0
    move = cfg[CFG_MOVES + action]
    if move & 3 < 2:
        note = np.int64(_use_card(row, cfg, seat, move))
    else:
        note = _tell(row, cfg, seat, move, touched)
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


@njit(cache=True)
def act_and_draw(row, cfg, action, touched):  # type: ignore[no-untyped-def]  # compiled by numba
    """Make a legal move; then the seat draws if it used a card and there is another."""
    seat = np.int64(row[TURN])
    act(row, cfg, action, touched)
    if action < 2 * cfg[CFG_HAND] and row[LIVE] and row[DEALT] < cfg[CFG_DECK]:
        draw(row, cfg, seat)


@njit(cache=True)
def returned(row, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the score so far."""
    if row[LIVES] == 0 and not cfg[CFG_KEEP_SCORE]:
        return 0
    return row[SCORE]


# -- many episodes --------------------------------------------------------------------------


@njit(cache=True)
def deal_all(rows, cfg, streams):  # type: ignore[no-untyped-def]  # compiled by numba
    """Deal N episodes; rows (N, W) and streams (N,) modified in place."""
    sorted_row = np.empty(rows.shape[1], rows.dtype)
    fresh(sorted_row, cfg)
    for k in range(rows.shape[0]):
        deal(rows[k], cfg, sorted_row, streams, k)


@njit(cache=True)
def deal_where(rows, cfg, chosen, streams):  # type: ignore[no-untyped-def]  # compiled by numba
    """Deal the episodes of the numbers `chosen` anew, a stream each; both modified in place."""
    sorted_row = np.empty(rows.shape[1], rows.dtype)
    fresh(sorted_row, cfg)
    for k in range(chosen.shape[0]):
        deal(rows[chosen[k]], cfg, sorted_row, streams, k)


@njit(cache=True)
def legal_all(rows, cfg, seat, live, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write where `seat` (−1: whoever it is) is to move, (N,), and what is legal, (N, A)."""
    for k in range(rows.shape[0]):
        mover = np.int64(rows[k, TURN]) if seat < 0 else seat
        live[k] = legal_row(rows[k], cfg, mover, out[k])


@njit(cache=True)
def step_all(rows, cfg, actions, before):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play one move of every episode that goes on, or none at all.

    Args:
        rows: the episodes, shape (N, W), modified in place.
        cfg: the numbers of the variant.
        actions: shape (N, n), or (N, 1) for whoever is to move.
        before: the scores before the move, shape (N,), modified in place.

    Returns:
        The number of the first episode whose action is refused, −1 if none is.
    """
    each = actions.shape[1] > 1
    for k in range(rows.shape[0]):
        row = rows[k]
        if row[LIVE] and not allowed(row, cfg, actions[k, row[TURN] if each else 0]):
            return k
    for k in range(rows.shape[0]):
        row = rows[k]
        before[k] = returned(row, cfg)
        if row[LIVE]:
            act_and_draw(row, cfg, actions[k, row[TURN] if each else 0], -1)
    return -1


@njit(cache=True)
def returns_all(rows, cfg, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the scores, shape (N,)."""
    for k in range(rows.shape[0]):
        out[k] = returned(rows[k], cfg)


@njit(cache=True)
def random_all(rows, cfg, streams, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Draw a legal action of whoever is to move, each equally likely.

    Args:
        rows: shape (N, W).
        cfg: the numbers of the variant.
        streams: shape (N,), modified in place.
        out: shape (N,), modified in place; 0 where the game is over.
    """
    for k in range(rows.shape[0]):
        row = rows[k]
        bits = legal_bits(row, cfg)
        out[k] = 0
        if bits:
            out[k] = pick(bits, stream_below(streams, k, count(bits)))


@njit(cache=True)
def play_at_random(rows, cfg, streams):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play episodes to their end, every legal action being equally likely.

    Args:
        rows: shape (N, W), modified in place.
        cfg: the numbers of the variant.
        streams: one a seat and episode, shape (N, n), modified in place.

    Returns:
        The number of moves.
    """
    moves = 0
    for k in range(rows.shape[0]):
        row, own = rows[k], streams[k]
        while row[LIVE]:
            bits = legal_bits(row, cfg)
            action = pick(bits, stream_below(own, row[TURN], count(bits)))
            act_and_draw(row, cfg, action, -1)
            moves += 1
    return moves
