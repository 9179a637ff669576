"""The symmetries of Hanabi: its colours can change names without changing the rules.

They are what other-play relabels by (Hu et al. 2020, "Other-play for zero-shot
coordination", section 5).
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from games.hanabi.variant import Variant

__all__ = ["symmetries"]


def symmetries(variant: Variant) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all K = colours! relabellings of the canonical encoding and of the actions.

    Relabelling 0 leaves everything as it is.

    Returns:
        `observation`, shape (K, D): entry i of the relabelled tensor is entry
        `observation[k, i]` of the tensor. `action`, shape (K, A): the relabelled action i
        is the action `action[k, i]`, so that a mask is relabelled alike.
    """
    orders = list(permutations(range(variant.colors)))
    # An entry is a place before, and within a colour's block, or a place without a colour.
    base, color, stride = _entries(_sections(variant))
    moves = [variant.action(number) for number in range(variant.actions)]
    numbers = {move: number for number, move in enumerate(moves)}
    observation = np.empty((len(orders), len(base)), dtype=np.int64)
    action = np.empty((len(orders), variant.actions), dtype=np.int64)
    for k, order in enumerate(orders):
        observation[k] = base + np.array(order)[color] * stride
        for i, (kind, one, two) in enumerate(moves):
            action[k, i] = numbers[kind, one, order[two] if kind == "color" else two]
    return observation, action


def _sections(variant: Variant) -> list[tuple[int, int]]:
    """Return the encoding as sections: (colours, entries of each), (1, entries) without colour."""
    n, h = variant.players, variant.cards_held
    colors, ranks = variant.colors, variant.ranks
    hands = [(colors, ranks)] * ((n - 1) * h) + [(1, n)]
    board = [
        (1, variant.deck_size - n * h),
        (colors, ranks),
        (1, variant.max_information_tokens + variant.max_life_tokens),
    ]
    discards = [(colors, sum(variant.copies))]
    last = [(1, 2 * n + 4), (colors, 1), (1, ranks + 2 * h), (colors, ranks), (1, 2)]
    told = [(colors, ranks), (colors, 1), (1, ranks)] * (n * h)
    shown = [] if variant.observation_type == "minimal" else told
    return hands + board + discards + last + shown


def _entries(
    sections: list[tuple[int, int]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for each entry its place for colour 0, its colour, and the width of a colour."""
    base, color, stride = [], [], []
    at = 0
    for colors, width in sections:
        for c in range(colors):
            base.append(at + np.arange(width))
            color.append(np.full(width, c))
            stride.append(np.full(width, width if colors > 1 else 0))
        at += colors * width
    return np.concatenate(base), np.concatenate(color), np.concatenate(stride)
