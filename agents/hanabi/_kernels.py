# ruff: noqa: PLR0917 - compiled: no keywords, and one return a bot
"""Playing bots: one choice, what a seat remembers, whole games; see `agents.hanabi.table`.

`memory` is int64: for a seat, one number for each position in the deck, shape (50,). What
it means is the bot's affair; it starts as the set of all cards everywhere.
"""

from __future__ import annotations

import numpy as np

from agents.hanabi._holmes_kernels import holmes_choose, holmes_watch
from agents.hanabi._information_kernels import information_choose, information_watch
from agents.hanabi._rule_kernels import ANY_HINT, rule_choose
from agents.hanabi._smart_kernels import smart_choose
from agents.hanabi._smart_watch_kernels import smart_watch
from agents.hanabi._table_kernels import color_hint, rank_hint
from games._jit import kernel
from games._stream import stream_below
from games.hanabi._kernels import act_and_draw, allowed, blank, count, draw, legal_bits, pick
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_HAND,
    CFG_MOVES,
    CFG_PLAYERS,
    CFG_RANKS,
    DECK,
    HANDS,
    LENGTH,
    LIVE,
    LOG,
    MAX_CARDS,
    SIZES,
    START,
    TURN,
)

__all__ = [
    "HOLMES",
    "INFORMATION_BOT",
    "RANDOM",
    "SMART",
    "act_all",
    "catch_up",
    "choose",
    "options",
    "play_games",
    "recall",
    "touched_by",
    "watch",
]

RANDOM = 0
SMART = 10
INFORMATION_BOT = 11
HOLMES = 12


@kernel
def recall(memory, cfg):  # type: ignore[no-untyped-def]  # compiled by numba
    """Set up what a seat remembers before the first move; modified in place."""
    cards = np.int64(0)
    for color in range(cfg[CFG_COLORS]):
        for rank in range(cfg[CFG_RANKS]):
            cards |= np.int64(1) << (8 * color + rank)
    memory[:] = cards


@kernel
def touched_by(row, cfg, action):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the slots that a hint touches, 0 for a play or a discard."""
    move = cfg[CFG_MOVES + action]
    touched = 0
    if move & 3 >= 2:
        other = (row[TURN] + ((move >> 2) & 7)) % cfg[CFG_PLAYERS]
        shift, mask = (0, 7) if move & 3 == 3 else (3, 31)
        for slot in range(row[SIZES + other]):
            card = np.int64(row[DECK + row[HANDS + other * cfg[CFG_HAND] + slot]])
            if (card >> shift) & mask == move >> 5:
                touched |= 1 << slot
    return touched


@kernel
def options(bot, row, cfg, memory, seat, work):  # type: ignore[no-untyped-def]  # compiled
    """Return the moves of `seat`, whose turn it is, bit by bit: each is equally likely.

    Args:
        bot: which bot.
        row: the episode; of the own hand nothing is read, nor of the deck to come.
        cfg: the numbers of the variant.
        memory: of the seat, modified in place.
        seat: the seat.
        work: scratch, shape (WORK,).
    """
    action = np.int64(-1)
    if bot == SMART:
        action = np.int64(smart_choose(row, cfg, memory, seat, work))
    elif bot == INFORMATION_BOT:
        action = np.int64(information_choose(row, cfg, memory, seat, work))
    elif bot == HOLMES:
        action = np.int64(holmes_choose(row, cfg, memory, seat, work))
    elif bot != RANDOM:
        action = np.int64(rule_choose(bot, row, cfg, seat, work))
    if action >= 0 and allowed(row, cfg, action):
        return np.uint64(1) << np.uint64(action)
    bits = legal_bits(row, cfg)
    if action == ANY_HINT:  # to the next seat, if there is one
        colors = ((1 << cfg[CFG_COLORS]) - 1) << color_hint(cfg, 1, 0)
        ranks = ((1 << cfg[CFG_RANKS]) - 1) << rank_hint(cfg, 1, 0)
        hints = bits & np.uint64(colors | ranks)
        return hints if hints else bits
    if bot >= SMART:  # these are deterministic; they come here in odd variants only
        return bits & (~bits + np.uint64(1))
    return bits


@kernel
def choose(bot, row, cfg, memory, seat, streams, k, work):  # type: ignore[no-untyped-def]
    """Return one of `options`, drawn from stream `k`, modified in place, if there are several."""
    bits = options(bot, row, cfg, memory, seat, work)
    several = count(bits)
    return np.int64(pick(bits, stream_below(streams, k, several) if several > 1 else 0))


@kernel
def watch(bot, row, cfg, memory, seat, action, touched, work):  # type: ignore[no-untyped-def]
    """Let `seat` take in a move before it is made; `memory` modified in place."""
    if bot == SMART:
        smart_watch(row, cfg, memory, seat, action, touched, work)
    elif bot == INFORMATION_BOT:
        information_watch(row, cfg, memory, seat, action, touched, work)
    elif bot == HOLMES:
        holmes_watch(row, cfg, memory, seat, action, touched, work)


@kernel
def play_games(bots, rows, cfg, memories, streams, work):  # type: ignore[no-untyped-def]
    """Play episodes to their end.

    Args:
        bots: the bot in each seat, shape (n,).
        rows: the episodes, shape (N, W), modified in place.
        cfg: the numbers of the variant.
        memories: of each seat, shape (n, 50), scratch if episodes are at their beginning.
        streams: shape (N, n), modified in place.
        work: scratch, shape (WORK,).
    """
    players = cfg[CFG_PLAYERS]
    for k in range(rows.shape[0]):
        row = rows[k]
        for seat in range(players):
            recall(memories[seat], cfg)
        while row[LIVE]:
            mover = np.int64(row[TURN])
            action = choose(bots[mover], row, cfg, memories[mover], mover, streams[k], mover, work)
            touched = touched_by(row, cfg, action)
            for seat in range(players):
                watch(bots[seat], row, cfg, memories[seat], seat, action, touched, work)
            act_and_draw(row, cfg, action, touched)


@kernel
def _earlier(row, seen):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whether `row` is an earlier sight of the same game as `seen`."""
    if row[LENGTH] < 0 or row[LENGTH] > seen[LENGTH] or row[START] != seen[START]:
        return False
    different = 0
    for i in range(LOG, LOG + 2 * row[LENGTH]):
        different += row[i] != seen[i]
    for i in range(DECK, DECK + MAX_CARDS):
        different += row[i] >= 0 and row[i] != seen[i]
    return different == 0


@kernel
def catch_up(bot, seen, row, cfg, memory, seat, work):  # type: ignore[no-untyped-def]
    """Bring `row` and `memory` of a seat up to `seen` by going through its moves.

    Args:
        bot: which bot.
        seen: the episode without what is hidden from the seat.
        row: the same at an earlier move, or something else (−1 moves: nothing yet), which
            then is begun anew. Modified in place.
        cfg: the numbers of the variant.
        memory: of the seat, modified in place.
        seat: the seat.
        work: scratch, shape (WORK,).
    """
    if not _earlier(row, seen):
        recall(memory, cfg)
        blank(row, cfg)
        row[START] = seen[START]
        row[TURN] = seen[START]
        for i in range(DECK, DECK + MAX_CARDS):
            row[i] = seen[i]
        for other in range(cfg[CFG_PLAYERS]):
            for _ in range(cfg[CFG_HAND]):
                draw(row, cfg, other)
    for i in range(DECK, DECK + MAX_CARDS):
        row[i] = seen[i]
    while row[LENGTH] < seen[LENGTH]:
        at = LOG + 2 * row[LENGTH]
        action, note = np.int64(seen[at]), np.int64(seen[at + 1])
        watch(bot, row, cfg, memory, seat, action, note, work)
        act_and_draw(row, cfg, action, note)


@kernel
def act_all(bot, seen, rows, cfg, memories, seat, streams, out, work):  # type: ignore[no-untyped-def]
    """Choose in every episode where `seat` is to move.

    Args:
        bot: which bot.
        seen: the episodes without what is hidden from the seat, shape (N, W).
        rows: the same as the seat last saw them, shape (N, W), modified in place.
        cfg: the numbers of the variant.
        memories: shape (N, 50), modified in place.
        seat: the seat.
        streams: shape (N,), modified in place.
        out: the actions, shape (N,), modified in place.
        work: scratch, shape (WORK,).
    """
    for k in range(seen.shape[0]):
        if seen[k, LIVE] and seen[k, TURN] == seat:
            catch_up(bot, seen[k], rows[k], cfg, memories[k], seat, work)
            out[k] = choose(bot, rows[k], cfg, memories[k], seat, streams, k, work)
