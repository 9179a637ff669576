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
    "blank",
    "deal",
    "deal_all",
    "draw",
    "legal_all",
    "legal_row",
    "play_at_random",
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
def draw(row, cfg, seat):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give the next card of the deck to `seat`."""
    index = row[DEALT]
    size = row[SIZES + seat]
    row[HANDS + seat * cfg[CFG_HAND] + size] = index
    row[SIZES + seat] = size + 1
    row[DEALT] = index + 1
    if cfg[CFG_SEER] and row[DECK + index] >= 0:
        ranks = cfg[CFG_RANKS]
        card = row[DECK + index]
        row[KNOWN + index] = (
            (1 << (card // ranks)) | (32 << (card % ranks)) | COLOR_TOLD | RANK_TOLD
        )
    if cfg[CFG_AT_ONCE] and row[LENGTH] > 0 and index + 1 == cfg[CFG_DECK]:
        row[LIVE] = 0


@njit(cache=True)
def deal(row, cfg, streams, k):  # type: ignore[no-untyped-def]  # compiled by numba
    """Shuffle and deal a new episode from stream `k` (modified in place)."""
    blank(row, cfg)
    players, ranks = cfg[CFG_PLAYERS], cfg[CFG_RANKS]
    if cfg[CFG_RANDOM_START]:
        row[START] = stream_below(streams, k, players)
        row[TURN] = row[START]
    at = DECK
    for card in range(cfg[CFG_COLORS] * ranks):
        for _ in range(cfg[CFG_COPIES + card % ranks]):
            row[at] = card
            at += 1
    for i in range(cfg[CFG_DECK] - 1, 0, -1):
        j = stream_below(streams, k, i + 1)
        card = row[DECK + i]
        row[DECK + i] = row[DECK + j]
        row[DECK + j] = card
    for seat in range(players):
        for _ in range(cfg[CFG_HAND]):
            draw(row, cfg, seat)


@njit(cache=True)
def legal_row(row, cfg, seat, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the actions that are legal for `seat` if it is its turn, and return how many.

    Args:
        row: the episode; only read.
        cfg: the numbers of the variant.
        seat: the seat.
        out: bool, shape (A,), modified in place.
    """
    out[:] = False
    if row[LIVE] == 0 or row[TURN] != seat:
        return 0
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    size = row[SIZES + seat]
    count = np.int64(size)
    may_discard = row[INFORMATION] < cfg[CFG_INFORMATION]
    for slot in range(size):
        out[hand + slot] = True
        out[slot] = may_discard
    if may_discard:
        count += size
    if row[INFORMATION] > 0:
        for step in range(1, players):
            other = (seat + step) % players
            seen_colors = 0
            seen_ranks = 0
            for slot in range(row[SIZES + other]):
                card = row[DECK + row[HANDS + other * hand + slot]]
                seen_colors |= 1 << (card // ranks)
                seen_ranks |= 1 << (card % ranks)
            base = 2 * hand + (step - 1) * colors
            for color in range(colors):
                if seen_colors >> color & 1:
                    out[base + color] = True
                    count += 1
            base = 2 * hand + (players - 1) * colors + (step - 1) * ranks
            for rank in range(ranks):
                if seen_ranks >> rank & 1:
                    out[base + rank] = True
                    count += 1
    return count


@njit(cache=True)
def refusal(row, cfg, action):  # type: ignore[no-untyped-def]  # noqa: PLR0911 - compiled; a reason each
    """Return why the seat to move may not play `action`, 0 if it may."""
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    seat = row[TURN]
    if action < 0 or action >= cfg[CFG_ACTIONS]:
        return NO_SUCH
    if action < 2 * hand:
        if action % hand >= row[SIZES + seat]:
            return NO_CARD
        if action < hand and row[INFORMATION] >= cfg[CFG_INFORMATION]:
            return FULL
        return FINE
    if row[INFORMATION] == 0:
        return NO_TOKEN
    number = action - 2 * hand
    by_rank = number >= (players - 1) * colors
    if by_rank:
        number -= (players - 1) * colors
        other = (seat + number // ranks + 1) % players
        value = number % ranks
    else:
        other = (seat + number // colors + 1) % players
        value = number % colors
    for slot in range(row[SIZES + other]):
        card = row[DECK + row[HANDS + other * hand + slot]]
        if (card % ranks if by_rank else card // ranks) == value:
            return FINE
    return NO_RANK if by_rank else NO_COLOR


@njit(cache=True)
def _use_card(row, cfg, seat, action):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play or discard; returns the card's position in the deck."""
    hand, ranks = cfg[CFG_HAND], cfg[CFG_RANKS]
    slot = action % hand
    base = HANDS + seat * hand
    index = row[base + slot]
    size = row[SIZES + seat]
    for i in range(slot, size - 1):
        row[base + i] = row[base + i + 1]
    row[base + size - 1] = -1
    row[SIZES + seat] = size - 1
    card = row[DECK + index]
    color, rank = card // ranks, card % ranks
    if action < hand:
        row[DISCARDS + card] += 1
        row[INFORMATION] += 1
    elif row[FIREWORKS + color] == rank:
        row[FIREWORKS + color] = rank + 1
        row[SCORE] += 1
        row[OUTCOME] = 1
        if rank == ranks - 1 and row[INFORMATION] < cfg[CFG_INFORMATION]:
            row[INFORMATION] += 1
            row[OUTCOME] = 3
    else:
        row[DISCARDS + card] += 1
        row[LIVES] -= 1
    return index


@njit(cache=True)
def _tell(row, cfg, seat, action, touched):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give a hint; returns the slots touched. `touched` ≥ 0 says them if the hand is unknown."""
    players, hand = cfg[CFG_PLAYERS], cfg[CFG_HAND]
    colors, ranks = cfg[CFG_COLORS], cfg[CFG_RANKS]
    row[INFORMATION] -= 1
    number = action - 2 * hand
    by_rank = number >= (players - 1) * colors
    if by_rank:
        number -= (players - 1) * colors
        other = (seat + number // ranks + 1) % players
        value = number % ranks
        bit, field, told = 32 << value, 0b1111100000, RANK_TOLD
    else:
        other = (seat + number // colors + 1) % players
        value = number % colors
        bit, field, told = 1 << value, 0b11111, COLOR_TOLD
    base = HANDS + other * hand
    if touched < 0:
        touched = 0
        for slot in range(row[SIZES + other]):
            card = row[DECK + row[base + slot]]
            if (card % ranks if by_rank else card // ranks) == value:
                touched |= 1 << slot
    for slot in range(row[SIZES + other]):
        at = KNOWN + row[base + slot]
        if touched >> slot & 1:
            row[at] = (row[at] & ~field) | bit | told
        else:
            row[at] &= ~bit
    return touched


@njit(cache=True)
def act(row, cfg, action, touched):  # type: ignore[no-untyped-def]  # compiled by numba
    """Make a legal move of the seat to move, without the draw that may follow.

    Args:
        row: the episode, modified in place.
        cfg: the numbers of the variant.
        action: the action.
        touched: −1; or the slots that a hint touched, where the hand is not known.
    """
    seat = row[TURN]
    if row[DEALT] == cfg[CFG_DECK]:
        row[LEFT] -= 1
    row[OUTCOME] = 0
    if action < 2 * cfg[CFG_HAND]:
        note = np.int64(_use_card(row, cfg, seat, action))
    else:
        note = np.int64(_tell(row, cfg, seat, action, touched))
    at = LOG + 2 * row[LENGTH]
    row[at] = action
    row[at + 1] = note
    row[LENGTH] += 1
    row[TURN] = (seat + 1) % cfg[CFG_PLAYERS]
    if (
        row[LIVES] == 0
        or row[SCORE] == cfg[CFG_COLORS] * cfg[CFG_RANKS]
        or (row[DEALT] == cfg[CFG_DECK] and row[LEFT] == 0)
    ):
        row[LIVE] = 0


@njit(cache=True)
def act_and_draw(row, cfg, action, touched):  # type: ignore[no-untyped-def]  # compiled by numba
    """Make a legal move; then the seat draws if it used a card and there is another."""
    seat = row[TURN]
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
    for k in range(rows.shape[0]):
        deal(rows[k], cfg, streams, k)


@njit(cache=True)
def legal_all(rows, cfg, seat, live, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write where `seat` is to move, shape (N,), and its legal actions, shape (N, A)."""
    for k in range(rows.shape[0]):
        live[k] = legal_row(rows[k], cfg, seat, out[k]) > 0


@njit(cache=True)
def step_all(rows, cfg, actions, before):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play one move of every episode that goes on, or none at all.

    Args:
        rows: the episodes, shape (N, W), modified in place.
        cfg: the numbers of the variant.
        actions: shape (N, n).
        before: the scores before the move, shape (N,), modified in place.

    Returns:
        The number of the first episode whose action is refused, −1 if none is.
    """
    for k in range(rows.shape[0]):
        if rows[k, LIVE] and refusal(rows[k], cfg, actions[k, rows[k, TURN]]) != FINE:
            return k
    for k in range(rows.shape[0]):
        before[k] = returned(rows[k], cfg)
        if rows[k, LIVE]:
            act_and_draw(rows[k], cfg, actions[k, rows[k, TURN]], -1)
    return -1


@njit(cache=True)
def returns_all(rows, cfg, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the scores, shape (N,)."""
    for k in range(rows.shape[0]):
        out[k] = returned(rows[k], cfg)


@njit(cache=True)
def play_at_random(rows, cfg, streams, legal):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play episodes to their end, every legal action being equally likely.

    Args:
        rows: shape (N, W), modified in place.
        cfg: the numbers of the variant.
        streams: one a seat and episode, shape (N, n), modified in place.
        legal: scratch, bool, shape (A,).

    Returns:
        The number of moves.
    """
    moves = 0
    for k in range(rows.shape[0]):
        row = rows[k]
        while row[LIVE]:
            seat = row[TURN]
            left = stream_below(streams[k], seat, legal_row(row, cfg, seat, legal))
            action = 0
            for candidate in range(legal.shape[0]):
                if legal[candidate]:
                    if left == 0:
                        action = candidate
                        break
                    left -= 1
            act_and_draw(row, cfg, action, -1)
            moves += 1
    return moves
