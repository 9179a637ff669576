"""Writing a `FeasibleSet` row by row, with names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from games.bandits.constraints import FeasibleSet, Shortcuts

__all__ = ["Rows"]


class Rows:
    """Columns and rows so far; the first columns are the binary actions.

    Args:
        actions: how many actions N.
        kind: what an action is called.
    """

    def __init__(self, actions: int, kind: str) -> None:
        self._actions = actions
        self._names = [f"{kind} {k}" for k in range(actions)]
        self._upper = [1.0] * actions
        self._integer = [True] * actions
        self._rows: list[tuple[str, Mapping[int, float], float, float]] = []

    def column(self, name: str, *, upper: float = 1.0, integer: bool = True) -> int:
        """Add a column between 0 and `upper`; return its number."""
        self._names.append(name)
        self._upper.append(float(upper))
        self._integer.append(integer)
        return len(self._names) - 1

    def row(
        self, name: str, entries: Mapping[int, float], *, lo: float = -np.inf, hi: float = np.inf
    ) -> None:
        """Add lo ≤ Σ entries · columns ≤ hi."""
        self._rows.append((name, entries, float(lo), float(hi)))

    def build(self, title: str, shortcuts: Shortcuts | None = None) -> FeasibleSet:
        """Return the set."""
        from scipy.sparse import csr_array

        pairs = [(i, k, c) for i, row in enumerate(self._rows) for k, c in row[1].items()]
        row, column, value = (
            (np.array(part) for part in zip(*pairs, strict=True))
            if pairs
            else (
                np.zeros(0, dtype=np.int64),
                np.zeros(0, dtype=np.int64),
                np.zeros(0),
            )
        )
        size = len(self._names)
        return FeasibleSet(
            csr_array((value.astype(np.float64), (row, column)), shape=(len(self._rows), size)),
            np.array([lo for _, _, lo, _ in self._rows]),
            np.array([hi for _, _, _, hi in self._rows]),
            np.zeros(size),
            np.array(self._upper),
            np.array(self._integer, dtype=np.bool_),
            np.arange(self._actions),
            tuple(name for name, *_ in self._rows),
            tuple(self._names),
            title,
            shortcuts or Shortcuts(),
        )
