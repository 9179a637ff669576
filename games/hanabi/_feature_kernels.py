"""What follows from a canonical encoding, a number a card: see `games.hanabi.features`."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["derive_all"]


@njit(cache=True)
def _judge(tensor, copies, colors, ranks, fireworks, discards, kinds, left):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled
    """Write whether each card is playable, dead, critical; and the copies not on the table."""
    at = discards
    for c in range(colors):
        height = 0
        for r in range(ranks):
            if tensor[fireworks + c * ranks + r] > 0.5:
                height = r + 1
        reachable = True
        for r in range(ranks):
            card = c * ranks + r
            gone = 0
            for i in range(copies[r]):
                gone += tensor[at + i] > 0.5
            at += copies[r]
            dead = r < height or not reachable
            kinds[0, card] = r == height
            kinds[1, card] = dead
            kinds[2, card] = not dead and gone == copies[r] - 1
            left[card] = copies[r] - gone - (r < height)
            if r >= height and gone == copies[r]:
                reachable = False


@njit(cache=True)
def _guess(tensor, at, cards, kinds, left, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled
    """Write the shares of playable, dead and critical cards among those not ruled out."""
    total = 0.0
    sums = np.zeros(3)
    for card in range(cards):
        weight = left[card] if tensor[at + card] > 0.5 else 0.0
        total += weight
        for k in range(3):
            sums[k] += weight * kinds[k, card]
    for k in range(3):
        out[k] = sums[k] / total if total > 0.0 else 0.0


@njit(cache=True)
def derive_all(tensors, copies, sizes, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the features of N encodings.

    Args:
        tensors: float32, shape (N, D).
        copies: of a card by rank.
        sizes: players, hand, colours, ranks; where fireworks, discards and knowledge begin.
        out: float32, shape (N, (2n − 1)·h·3), modified in place.
    """
    players, hand, colors, ranks, fireworks, discards, told = sizes
    cards = colors * ranks
    width = cards + colors + ranks
    kinds = np.zeros((3, cards))
    left, unseen = np.zeros(cards), np.zeros(cards)
    for n in range(tensors.shape[0]):
        tensor = tensors[n]
        _judge(tensor, copies, colors, ranks, fireworks, discards, kinds, left)
        unseen[:] = left
        at = 3 * hand
        for slot in range((players - 1) * hand):
            for card in range(cards):
                if tensor[slot * cards + card] > 0.5:
                    unseen[card] -= 1.0
                    out[n, at] = kinds[0, card]
                    out[n, at + 1] = kinds[1, card]
                    out[n, at + 2] = kinds[2, card]
            at += 3
        for slot in range(hand):
            _guess(tensor, told + slot * width, cards, kinds, unseen, out[n, 3 * slot :])
        for slot in range(hand, players * hand):
            _guess(tensor, told + slot * width, cards, kinds, left, out[n, at:])
            at += 3
