"""The replay memory: one preallocated table of transitions, a row each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from solvers.training.networks import require_torch

__all__ = ["Replay"]


class Replay:
    """The latest transitions.

    Args:
        capacity: rows.
        columns: name and width of each part of a row, in order.

    Attributes:
        size: rows filled.
    """

    def __init__(self, capacity: int, columns: Sequence[tuple[str, int]]) -> None:
        self._torch = require_torch("a replay memory")
        self.capacity, self.size, self._next = capacity, 0, 0
        self._spans: dict[str, slice] = {}
        width = 0
        for name, size in columns:
            self._spans[name] = slice(width, width + size)
            width += size
        self._rows: NDArray[np.float32] = np.zeros((capacity, width), dtype=np.float32)
        self._table = self._torch.from_numpy(self._rows)

    def add(self, parts: Mapping[str, NDArray[Any]]) -> None:
        """Append M rows, given by parts of shape (M, width); the oldest make room."""
        count = len(next(iter(parts.values())))
        at = (self._next + np.arange(count)) % self.capacity
        for name, span in self._spans.items():
            self._rows[at, span] = parts[name]
        self._next = int((self._next + count) % self.capacity)
        self.size = min(self.size + count, self.capacity)

    def draw(self, count: int, generator: Any) -> dict[str, Any]:
        """Return rows drawn with replacement, as tensors of shape (count, width) by part."""
        torch = self._torch
        drawn = torch.randint(self.size, (count,), generator=generator)
        rows = self._table.index_select(0, drawn)
        return {name: rows[:, span] for name, span in self._spans.items()}

    def filled(self, name: str) -> NDArray[np.float32]:
        """Return one part of all rows that are there, shape (size, width)."""
        return self._rows[: self.size, self._spans[name]]

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the rows that are filled and where the next one goes."""
        return {
            f"{prefix}rows": self._rows[: self.size].copy(),
            f"{prefix}next": np.array([self._next]),
        }

    def load(self, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
        """Put back what `arrays` returned.

        Raises:
            ParameterError: rows of another width, or more than fit.
        """
        rows = arrays[f"{prefix}rows"]
        if rows.ndim != 2 or rows.shape[1] != self._rows.shape[1] or len(rows) > self.capacity:
            raise ParameterError(
                "replay rows", rows.shape, f"at most {self.capacity} of {self._rows.shape[1]}"
            )
        self._rows[: len(rows)] = rows
        self.size, self._next = len(rows), int(arrays[f"{prefix}next"][0])
