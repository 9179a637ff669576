"""Decisions of many episodes as flat arrays in the order of time, and their minibatches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Episodes", "Record", "minibatches"]

_FIELDS = ("tensor", "legal", "action", "chance", "value", "chain", "moment")


@dataclass(frozen=True, eq=False)
class Episodes:
    """M decisions of N episodes, those of one time step together.

    Attributes:
        tensor: what the network saw, shape (M, D).
        legal: shape (M, A).
        action: what was done, or what the teacher would have done, shape (M,).
        chance: its probability, shape (M,).
        value: what the critic foretold, shape (M,).
        chain: to whose succession of decisions it belongs, shape (M,).
        beyond: what the critic foretells after the end of each succession that a time limit has
            cut off, 0 of the others, shape (how many successions there are,).
        moment: which of J moments it was made at, shape (M,): those of different seats may be
            made at the same one.
        joint: the latest observations of all seats at each, shape (J, n·D), or None.
        gain: what was paid from it until the chain's next one, shape (M,); see `Record`.
        returns: of the episodes, shape (N, n).
        moments: J, how many times anybody moved, in all episodes.
    """

    tensor: NDArray[np.float32]
    legal: NDArray[np.bool_]
    action: NDArray[np.int64]
    chance: NDArray[np.float32]
    value: NDArray[np.float32]
    chain: NDArray[np.int64]
    moment: NDArray[np.int64]
    joint: NDArray[np.float32] | None
    beyond: NDArray[np.float64]
    gain: NDArray[np.float64]
    returns: NDArray[np.float64]
    moments: int


class Record:
    """Episodes as they come about.

    Args:
        episodes: N.
        chains: successions of decisions in each.
        fade: what pay counts less by for each moment that its chain has not decided at: γ where
            all decide at every moment as long as they can, so that what is paid after a unit's
            death does not make up for it; else 1.
    """

    def __init__(self, episodes: int, chains: int, fade: float = 1.0) -> None:
        self._fade = fade
        self._weight = np.zeros((episodes, chains))
        self._decides = np.zeros((episodes, chains), dtype=np.bool_)
        self._chains, self._count, self._moments = chains, 0, 0
        self._latest = np.full((episodes, chains), -1, dtype=np.int64)
        self._gain = np.zeros(4 * episodes)
        self._parts: dict[str, list[Any]] = {name: [] for name in _FIELDS}
        self._joints: list[NDArray[np.float32]] = []
        self._beyond = np.zeros((episodes, chains))

    def decide(
        self, rows: NDArray[np.int64], chain: int, which: NDArray[np.int64], *found: NDArray[Any]
    ) -> None:
        """Add a decision in each of the episodes `rows`.

        Args:
            rows: the episodes, shape (M,).
            chain: whose it is.
            which: of the moments that `close` will close next, shape (M,).
            found: tensor, legal, action, chance and value, see `Episodes`.
        """
        self._decides[rows, chain] = True
        self._latest[rows, chain] = np.arange(self._count, self._count + len(rows))
        self._count += len(rows)
        marks = (rows * self._chains + chain, self._moments + which)
        for name, part in zip(_FIELDS, (*found, *marks), strict=True):
            self._parts[name].append(part)

    def close(self, moments: int, joint: NDArray[np.float32] | None) -> None:
        """Tell how many moments the last decisions were, and what all seats saw at each."""
        self._moments += moments
        self._weight = np.where(self._decides, 1.0, self._fade * self._weight)
        self._decides[:] = False
        if joint is not None:
            self._joints.append(joint)

    def pay(self, paid: NDArray[np.float64]) -> None:
        """Let what was paid, shape (N, chains), belong to the latest decision of each chain."""
        while len(self._gain) < self._count:
            self._gain = np.concatenate([self._gain, np.zeros(len(self._gain))])
        told = self._latest >= 0
        self._gain[self._latest[told]] += (self._weight * paid)[told]

    def foretell(self, rows: NDArray[np.int64], chain: Any, values: NDArray[Any]) -> None:
        """Tell what comes after the end of the episodes `rows`, shape (M,), that were cut off.

        Args:
            rows: the episodes.
            chain: for whom, or a slice of several.
            values: shape (M,), or (M, 1) for several.
        """
        self._beyond[rows, chain] = values * self._weight[rows, chain]

    def episodes(self, returns: NDArray[np.float64]) -> Episodes:
        """Return them all."""
        return Episodes(
            **{name: np.concatenate(self._parts[name]) for name in _FIELDS},
            joint=np.concatenate(self._joints) if self._joints else None,
            beyond=self._beyond.ravel(),
            gain=self._gain[: self._count],
            returns=returns,
            moments=self._moments,
        )


def minibatches(
    played: Episodes, size: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Yield all decisions once, in random order, in parts of about one size.

    With a joint critic, decisions of one moment stay together: it is asked once for them.

    Args:
        played: the decisions.
        size: of a part, at most.
        rng: draws the order.

    Yields:
        decisions, shape (m,); the moments they were made at, each once, shape (j,); and which
        of these each decision was made at, shape (m,).
    """
    count = len(played.action)
    if played.joint is None:
        order = rng.permutation(count)
    else:
        order = np.argsort(rng.permutation(played.moments)[played.moment], kind="stable")
    step = math.ceil(count / math.ceil(count / size))
    for rows in np.split(order, range(step, count, step)):
        yield rows, *np.unique(played.moment[rows], return_inverse=True)
