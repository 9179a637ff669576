# ruff: noqa: PLR0917 - compiled: no keywords
"""The loops of `agents.hanabi.tracking` and `agents.hanabi.searching`."""

from __future__ import annotations

import numpy as np
from numba import njit

from agents.hanabi._kernels import options, recall, touched_by, watch
from agents.hanabi._playout_kernels import play_on
from agents.hanabi._smart_desk_kernels import TABLE
from games._stream import stream_below
from games.hanabi._kernels import act_and_draw, blank, count, draw, legal_bits, returned
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_COPIES,
    CFG_DECK,
    CFG_HAND,
    CFG_PLAYERS,
    CFG_RANKS,
    DEALT,
    DECK,
    HANDS,
    LENGTH,
    LOG,
    MAX_CARDS,
    START,
    TURN,
)

__all__ = [
    "begin_row",
    "count_ways",
    "deal_worlds",
    "follow",
    "make_moves",
    "playouts",
    "replay",
    "unseen_counts",
]


@njit(cache=True)
def begin_row(seen, cfg, row):  # type: ignore[no-untyped-def]  # compiled by numba
    """Set `row` to the beginning of the episode `seen`, all hands dealt; modified in place."""
    blank(row, cfg)
    row[START] = seen[START]
    row[TURN] = seen[START]
    row[DECK : DECK + MAX_CARDS] = seen[DECK : DECK + MAX_CARDS]
    for other in range(cfg[CFG_PLAYERS]):
        for _ in range(cfg[CFG_HAND]):
            draw(row, cfg, other)


@njit(cache=True)
def unseen_counts(seen, cfg, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write how many of each card are not seen in the row `seen`, shape (40,)."""
    out[:] = 0
    for color in range(cfg[CFG_COLORS]):
        for rank in range(cfg[CFG_RANKS]):
            out[color * 8 + rank] = cfg[CFG_COPIES + rank]
    for i in range(seen[DEALT]):
        if seen[DECK + i] >= 0:
            out[seen[DECK + i]] -= 1


@njit(cache=True)
def count_ways(hands, unseen, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write in how many ways the unseen copies, shape (40,), make each hand, (K, H), to (K,)."""
    left = unseen.copy()
    for k in range(hands.shape[0]):
        ways = 1.0
        for slot in range(hands.shape[1]):
            ways *= max(left[hands[k, slot]], 0)
            left[hands[k, slot]] -= 1
        for slot in range(hands.shape[1]):
            left[hands[k, slot]] += 1
        out[k] = ways


@njit(cache=True)
def replay(  # type: ignore[no-untyped-def]
    bots, start, seen, cfg, seat, hands, parents, before, soft, row, work, likely, memories
):
    """Go through the moves from `start` to `seen` with each hand in place of the unknown one.

    Args:
        bots: the bot in each seat, shape (n,).
        start: an earlier position of the episode `seen`, shape (W,).
        seen: the episode without what is hidden from the seat, shape (W,).
        cfg: the numbers of the variant.
        seat: whose hand it is.
        hands: shape (K, H).
        parents: what of `before` each hand goes on from, −1: nothing yet, shape (K,).
        before: what the seats remembered at `start`, shape (M, n, 50).
        soft: probability with which a partner plays any legal move instead of the bot's.
        row: scratch, shape (W,).
        work: scratch, shape (WORK,).
        likely: how likely the partners' moves were, shape (K,), modified in place.
        memories: what the seats remember at `seen`, shape (K, n, 50), modified in place.
    """
    players = cfg[CFG_PLAYERS]
    for k in range(hands.shape[0]):
        row[:] = start
        row[DECK : DECK + MAX_CARDS] = seen[DECK : DECK + MAX_CARDS]
        for slot in range(hands.shape[1]):
            row[DECK + seen[HANDS + seat * cfg[CFG_HAND] + slot]] = hands[k, slot]
        mine = memories[k]
        for other in range(players):
            if parents[k] < 0:
                recall(mine[other], cfg)
            else:
                mine[other] = before[parents[k], other]
        chance = 1.0
        while row[LENGTH] < seen[LENGTH]:
            at = LOG + 2 * row[LENGTH]
            action, note = np.int64(seen[at]), np.int64(seen[at + 1])
            mover = np.int64(row[TURN])
            if action >= 2 * cfg[CFG_HAND] and touched_by(row, cfg, action) != note:
                chance = 0.0
            elif mover != seat:
                bits = options(bots[mover], row, cfg, mine[mover], mover, work)
                hit = (bits >> np.uint64(action)) & np.uint64(1)
                chance *= (1.0 - soft) * hit / count(bits) + soft / count(legal_bits(row, cfg))
            if chance == 0.0:
                break
            touched = note if action >= 2 * cfg[CFG_HAND] else np.int64(0)
            for other in range(players):
                if other != seat:
                    watch(bots[other], row, cfg, mine[other], other, action, touched, work)
            act_and_draw(row, cfg, action, touched)
        likely[k] = chance


@njit(cache=True)
def _deal_world(seen, cfg, seat, hand, unseen, cards, streams, world):  # type: ignore[no-untyped-def]
    """Write a full episode: the seat's hand as given, the rest shuffled into the deck."""
    world[:] = seen
    left = 0
    for slot in range(hand.shape[0]):
        world[DECK + seen[HANDS + seat * cfg[CFG_HAND] + slot]] = hand[slot]
        unseen[hand[slot]] -= 1
    for card in range(40):
        for _ in range(unseen[card]):
            cards[left] = card
            left += 1
    for slot in range(hand.shape[0]):
        unseen[hand[slot]] += 1
    for i in range(seen[DEALT], cfg[CFG_DECK]):
        j = stream_below(streams, 0, left)
        world[DECK + i] = cards[j]
        left -= 1
        cards[j] = cards[left]


@njit(cache=True)
def playouts(  # type: ignore[no-untyped-def]
    bots, seen, cfg, seat, own, hands, memories, chosen, actions, streams, unseen, work, out
):
    """Play each action in each world, everybody following the bots afterwards.

    All actions of a world meet the same cards, and the same luck of bots that draw.

    Args:
        bots: the bot in each seat, shape (n,).
        seen: the episode without what is hidden from the seat, shape (W,).
        cfg: the numbers of the variant.
        seat: whose turn it is.
        own: what the seat itself remembers, shape (50,).
        hands: the seat's possible hands, shape (K, H).
        memories: what the partners then remember, shape (K, n, 50).
        chosen: which hand each world has, shape (M,).
        actions: shape (A,).
        streams: one, shape (1,), modified in place.
        unseen: how many of each card the seat has not seen, shape (40,).
        work: scratch, shape (WORK,).
        out: scores, shape (M, A), modified in place.
    """
    players = cfg[CFG_PLAYERS]
    world, row = np.empty_like(seen), np.empty_like(seen)
    cards = np.empty(MAX_CARDS, np.int64)
    minds = np.empty((players, MAX_CARDS), np.int64)
    luck = np.empty(players, np.uint64)
    table = np.empty(TABLE, np.int64)
    for m in range(chosen.shape[0]):
        k = chosen[m]
        _deal_world(seen, cfg, seat, hands[k], unseen, cards, streams, world)
        stream_below(streams, 0, 2)
        for a in range(actions.shape[0]):
            row[:] = world
            for other in range(players):
                minds[other] = own if other == seat else memories[k, other]
                luck[other] = streams[0] ^ np.uint64(other * 0x9E3779B97F4A7C15)
            action = np.int64(actions[a])
            touched = touched_by(row, cfg, action)
            for other in range(players):
                watch(bots[other], row, cfg, minds[other], other, action, touched, work)
            act_and_draw(row, cfg, action, touched)
            out[m, a] = play_on(bots, row, cfg, minds, luck, work, table)


@njit(cache=True)
def deal_worlds(seen, cfg, seat, hands, chosen, unseen, streams, out):  # type: ignore[no-untyped-def]
    """Write the full episodes that `playouts` plays in, shape (M, W)."""
    cards = np.empty(MAX_CARDS, np.int64)
    for m in range(chosen.shape[0]):
        _deal_world(seen, cfg, seat, hands[chosen[m]], unseen, cards, streams, out[m])


@njit(cache=True)
def follow(rows, cfg, action, note, likely):  # type: ignore[no-untyped-def]  # compiled by numba
    """Make a move that was seen in every episode that agrees with it; else `likely` is 0.

    Args:
        rows: shape (K, W), modified in place.
        cfg: the numbers of the variant.
        action: the move.
        note: the slots touched, if it is a hint.
        likely: shape (K,), modified in place; where it is 0 nothing is done.
    """
    for k in range(rows.shape[0]):
        if likely[k] == 0.0:
            continue
        touched = np.int64(0)
        if action >= 2 * cfg[CFG_HAND]:
            touched = np.int64(touched_by(rows[k], cfg, action))
            if touched != note:
                likely[k] = 0.0
                continue
        act_and_draw(rows[k], cfg, action, touched)


@njit(cache=True)
def make_moves(rows, cfg, moves, out, where):  # type: ignore[no-untyped-def]  # compiled by numba
    """Make a move in each episode; `out[where[k]]` becomes the score of episode k so far."""
    for k in range(rows.shape[0]):
        act_and_draw(rows[k], cfg, moves[k], -1)
        out[where[k]] = returned(rows[k], cfg)
