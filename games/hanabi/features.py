"""What follows from the canonical encoding and is hard for a perceptron to work out.

For each card three numbers: whether it can be played now, whether it never can, and whether
it is the last copy of one that still can. Of the cards that the seat sees they are 0 or 1;
of its own cards, and of those of the others as their holders know them, they are shares among
the cards that hints leave, weighted by the copies that are not on the table (and, of its own
cards, that the seat does not see in other hands). Nothing is added that the encoding does not
say: networks learn sooner with it, not from more.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError
from games.hanabi.variant import Variant

__all__ = ["feature_numbers", "features"]

Derive = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def features(variant: Variant) -> Derive:
    """Return the function from encodings, shape (N, D), to features, shape (N, F).

    F is 3·(2n − 1)·h: own cards; the cards of the others; these as their holders know them.
    Seats that are not shown (slots of short hands, rows of zeros) have zeros.

    Raises:
        NotApplicableError: encodings of the type `minimal` do not say what hints said.
    """
    from games.hanabi._feature_kernels import derive_all

    copies, sizes, width = feature_numbers(variant)

    def derive(tensors: NDArray[np.float32]) -> NDArray[np.float32]:
        out = np.zeros((len(tensors), width), dtype=np.float32)
        derive_all(np.ascontiguousarray(tensors), copies, sizes, out)
        return out

    return derive


def feature_numbers(variant: Variant) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return what `derive_all` takes, the copies by rank and the sizes, and F.

    Raises:
        NotApplicableError: see `features`.
    """
    if variant.observation_type == "minimal":
        raise NotApplicableError("hanabi: features need observation_type = card_knowledge or seer")
    n, h, cards = variant.players, variant.cards_held, variant.max_score
    fireworks = (n - 1) * h * cards + n + variant.deck_size - n * h
    discards = fireworks + cards + variant.max_information_tokens + variant.max_life_tokens
    told = variant.tensor_size - n * h * (cards + variant.colors + variant.ranks)
    sizes = np.array([n, h, variant.colors, variant.ranks, fireworks, discards, told])
    return np.array(variant.copies), sizes, 3 * (2 * n - 1) * h
