"""Replay of whole episodes in arrays that are allocated once.

A row is a situation: what was seen, and what was done and paid then; the last row of an
episode is where it ended. Rows are written as they come, those of many episodes in turn, and
each knows the row that follows it. The oldest rows make room for new ones, and an episode is
forgotten when its first row is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.qmix._kernels import pack

__all__ = ["Packed", "Replay"]

_ROUND = 32


@dataclass(frozen=True, eq=False)
class Packed:
    """B episodes in the order of time, the longest first in each time; P rows in all.

    Attributes:
        rows: numbers of the rows in the replay, and zeros after them so that there are a
            multiple of `_ROUND`: products of few different sizes are faster, shape (≥ P,).
        counts: rows of each time, shape (T + 1,), Σ = P.
        acted: where in `rows` the rows with decisions are, shape (P − B,).
    """

    rows: NDArray[np.int64]
    counts: NDArray[np.int64]
    acted: NDArray[np.int64]

    @property
    def first(self) -> int:
        """Rows of time 0: the rows after these follow the ones that `acted` names, in order."""
        return int(self.counts[0])

    @property
    def count(self) -> int:
        """P."""
        return len(self.acted) + self.first


class Replay:
    """R rows.

    Attributes:
        obs: shape (R, n, D).
        state: shape (R, S).
        avail: shape (R, n, A).
        action: shape (R, n); of no meaning in the last row of an episode.
        last: the action before, A at the start, shape (R, n).
        reward: shape (R,).
        ended: the game was over after the decision, by its rules, shape (R,).
        follow: the row after, shape (R,).
        total: rows written so far, those overwritten since included.
        begun: number of each episode's first row, counted from the first row ever.
        length: rows of each.
    """

    def __init__(self, rows: int, *, agents: int, inputs: int, actions: int, state: int) -> None:
        self.rows = rows
        self.obs = np.zeros((rows, agents, inputs), dtype=np.float32)
        self.state = np.zeros((rows, state), dtype=np.float32)
        self.avail = np.zeros((rows, agents, actions), dtype=np.bool_)
        self.action = np.zeros((rows, agents), dtype=np.int32)
        self.last = np.zeros((rows, agents), dtype=np.int32)
        self.reward = np.zeros(rows, dtype=np.float32)
        self.ended = np.zeros(rows, dtype=np.bool_)
        self.follow = np.zeros(rows, dtype=np.int64)
        self.total = 0
        self.begun = np.zeros(0, dtype=np.int64)
        self.length = np.zeros(0, dtype=np.int64)

    @property
    def episodes(self) -> int:
        """Whole episodes that are there."""
        return len(self.begun)

    def append(self, count: int) -> NDArray[np.int64]:
        """Return `count` rows to write to, the oldest ones."""
        at = (self.total + np.arange(count)) % self.rows
        self.total += count
        return at

    def close(self, begun: NDArray[np.int64], length: NDArray[np.int64]) -> None:
        """Take note of episodes that are whole, and forget those that were overwritten.

        Args:
            begun: numbers of their first rows, not decreasing, shape (E,).
            length: rows of each, shape (E,).
        """
        first, size = np.append(self.begun, begun), np.append(self.length, length)
        kept = first >= self.total - self.rows
        self.begun, self.length = first[kept], size[kept]

    def sample(self, count: int, rng: np.random.Generator) -> Packed:
        """Draw different episodes, each as likely."""
        picks = rng.choice(len(self.begun), size=count, replace=False, shuffle=False)
        picks = picks[np.argsort(-self.length[picks], kind="stable")]
        lengths = self.length[picks]
        rows = np.zeros(-(-int(lengths.sum()) // _ROUND) * _ROUND, dtype=np.int64)
        counts = np.empty(int(lengths[0]), dtype=np.int64)
        pack(self.begun[picks] % self.rows, lengths, self.follow, rows, counts)
        return Packed(rows, counts, _acted(counts))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is written, for checkpoints."""
        filled = min(self.total, self.rows)
        out = {name: getattr(self, name)[:filled].copy() for name in _ROWS}
        return {**out, "begun": self.begun.copy(), "length": self.length.copy()}

    def load(self, arrays: dict[str, NDArray[Any]], total: int) -> None:
        """Put back what `arrays` returned, and `total`."""
        for name in _ROWS:
            getattr(self, name)[: len(arrays[name])] = arrays[name]
        self.begun, self.length = np.array(arrays["begun"]), np.array(arrays["length"])
        self.total = total


_ROWS = ("obs", "state", "avail", "action", "last", "reward", "ended", "follow")


def _acted(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the rows are that another one follows: the first of each time."""
    starts = np.cumsum(counts) - counts
    sizes = counts[1:]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    found: NDArray[np.int64] = np.repeat(starts[:-1], sizes) + within
    return found
