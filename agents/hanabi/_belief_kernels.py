# ruff: noqa: PLR0917 - compiled: no keywords
"""The loops of `agents.hanabi.belief`."""

from __future__ import annotations

import numpy as np
from numba import njit

from agents.hanabi._kernels import options, recall, watch
from agents.hanabi._table_kernels import hinted
from games.hanabi._kernels import act_and_draw, blank, count, draw
from games.hanabi._observe_kernels import resample
from games.hanabi.layout import (
    CFG_COLORS,
    CFG_COPIES,
    CFG_HAND,
    CFG_PLAYERS,
    CFG_RANKS,
    DEALT,
    DECK,
    HANDS,
    LENGTH,
    LOG,
    MAX_CARDS,
    SIZES,
    START,
    TURN,
)

__all__ = ["deal_hands", "enumerate_hands", "likelihoods", "sample_worlds"]


@njit(cache=True)
def likelihoods(bots, worlds, cfg, seat, memories, row, work, out):  # type: ignore[no-untyped-def]
    """Write how likely the moves of all seats but `seat` were in each world.

    Args:
        bots: the bot in each seat, shape (n,).
        worlds: episodes that differ in the hand of `seat` only, shape (M, W).
        cfg: the numbers of the variant.
        seat: whose belief it is.
        memories: scratch, shape (n, 50).
        row: scratch, shape (W,).
        work: scratch, shape (WORK,).
        out: shape (M,), modified in place.
    """
    players = cfg[CFG_PLAYERS]
    for k in range(worlds.shape[0]):
        world = worlds[k]
        blank(row, cfg)
        row[START] = world[START]
        row[TURN] = world[START]
        row[DECK : DECK + MAX_CARDS] = world[DECK : DECK + MAX_CARDS]
        for other in range(players):
            recall(memories[other], cfg)
            for _ in range(cfg[CFG_HAND]):
                draw(row, cfg, other)
        chance = 1.0
        for t in range(world[LENGTH]):
            action = np.int64(world[LOG + 2 * t])
            touched = np.int64(world[LOG + 2 * t + 1])
            mover = np.int64(row[TURN])
            if mover != seat:
                bits = options(bots[mover], row, cfg, memories[mover], mover, work)
                if not (bits >> np.uint64(action)) & np.uint64(1):
                    chance = 0.0
                    break
                chance /= count(bits)
            for other in range(players):
                if other != seat:
                    watch(bots[other], row, cfg, memories[other], other, action, touched, work)
            act_and_draw(row, cfg, action, touched)
        out[k] = chance


@njit(cache=True)
def sample_worlds(row, cfg, seat, streams, worlds):  # type: ignore[no-untyped-def]  # compiled
    """Fill `worlds`, shape (M, W), with `resample` of one episode; streams, (1,), go on."""
    for k in range(worlds.shape[0]):
        resample(row, cfg, seat, streams, 0, worlds[k])


@njit(cache=True)
def enumerate_hands(row, cfg, seat, hands, weights):  # type: ignore[no-untyped-def]  # compiled
    """List the hands of `seat` that counts and hints allow.

    Args:
        row: the episode without what is hidden from the seat.
        cfg: the numbers of the variant.
        seat: the seat.
        hands: int16, shape (M, H), modified in place.
        weights: in how many ways the unseen copies make each of them, shape (M,), modified.

    Returns:
        How many there are; it stops at M + 1.
    """
    size = np.int64(row[SIZES + seat])
    left = np.zeros(40, np.int64)
    for color in range(cfg[CFG_COLORS]):
        for rank in range(cfg[CFG_RANKS]):
            left[color * 8 + rank] = cfg[CFG_COPIES + rank]
    for i in range(row[DEALT]):
        if row[DECK + i] >= 0:
            left[row[DECK + i]] -= 1
    allowed = np.zeros(10, np.int64)
    chosen = np.full(11, -1, np.int64)
    ways = np.ones(11, np.float64)
    for slot in range(size):
        allowed[slot] = hinted(row, cfg, seat, slot)
    found, slot = 0, 0
    while slot >= 0:
        if slot == size:
            if found == hands.shape[0]:
                return found + 1
            hands[found, :size] = chosen[:size].astype(np.int16)
            weights[found] = ways[size]
            found += 1
            slot -= 1
            continue
        if chosen[slot] >= 0:
            left[chosen[slot]] += 1  # take back and go on to the next card
        card = chosen[slot] + 1
        while card < 40 and not (allowed[slot] >> card & 1 and left[card] > 0):
            card += 1
        if card == 40:
            chosen[slot] = -1
            slot -= 1
            continue
        chosen[slot] = card
        ways[slot + 1] = ways[slot] * left[card]
        left[card] -= 1
        slot += 1
    return found


@njit(cache=True)
def deal_hands(row, cfg, seat, hands, worlds):  # type: ignore[no-untyped-def]  # compiled
    """Fill `worlds`, shape (M, W), with copies of a row in which `seat` holds each hand."""
    for k in range(hands.shape[0]):
        worlds[k] = row
        for slot in range(row[SIZES + seat]):
            worlds[k, DECK + row[HANDS + seat * cfg[CFG_HAND] + slot]] = hands[k, slot]
