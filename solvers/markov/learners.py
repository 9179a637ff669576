"""Flat arrays that the learners share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.types import Mask
from games.markov.form import MarkovGame

__all__ = ["Flat", "flat", "legal_table", "strides_of"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Flat:
    """All seats' actions side by side in rows of width D = ΣA.

    Attributes:
        counts: (n,); cut: (n + 1,), where a seat begins; strides: (n,), of joint actions.
        legal: (S, D).
    """

    counts: Ints
    cut: Ints
    strides: Ints
    legal: Mask

    @property
    def width(self) -> int:
        """D."""
        return int(self.cut[-1])

    def uniform(self) -> NDArray[np.float64]:
        """Return uniform policies, (S, D)."""
        parts = np.split(self.legal, self.cut[1:-1], axis=1)
        return np.concatenate([p / p.sum(axis=1, keepdims=True) for p in parts], axis=1)

    def split(self, table: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Return (…, D) as one array a seat, (…, A_i)."""
        return tuple(np.ascontiguousarray(p) for p in np.split(table, self.cut[1:-1], axis=-1))


def flat(form: MarkovGame) -> Flat:
    """Return the arrays of a game."""
    counts = np.array(form.actions, dtype=np.int64)
    return Flat(
        counts,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        strides_of(form),
        np.concatenate(form.legal, axis=1),
    )


def strides_of(form: MarkovGame) -> Ints:
    """Return how far apart joint actions are that differ by one in a seat's action, (n,)."""
    return np.array([math.prod(form.actions[i + 1 :]) for i in range(form.seats)], dtype=np.int64)


def legal_table(form: MarkovGame) -> Mask:
    """Return which actions are legal, shape (S, n, widest)."""
    legal = np.zeros((form.states, form.seats, max(form.actions)), dtype=np.bool_)
    for seat, mask in enumerate(form.legal):
        legal[:, seat, : mask.shape[1]] = mask
    return legal
