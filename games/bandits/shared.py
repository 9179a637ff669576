"""What all episodes of one bandit share: tables to draw from, and how actions are numbered.

Where the feasible actions are few, an action of the game is its number in the list of them
(`Discrete`); otherwise it is the vector of zeros and ones itself (`MultiDiscrete`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError, ParameterError
from arena.types import Mask
from games.bandits.form import RestlessBandit

__all__ = ["EXPOSURES", "INDEXED", "Shared"]

EXPOSURES = ("auto", "index", "vector")
"""How a game may show its actions."""

INDEXED = 4_096
"""Feasible actions up to which `auto` numbers them."""

_MOST = 200_000


class Shared:
    """Tables of one bandit.

    Args:
        form: the bandit.
        exposure: one of `EXPOSURES`.

    Attributes:
        listed: the numbered actions, shape (F, N), or None where actions are vectors.
        cumulative, initial: cumulative distributions whose last possible entry is 2.

    Raises:
        ParameterError: too many actions to number, or another exposure.
    """

    def __init__(self, form: RestlessBandit, exposure: str = "auto") -> None:
        if exposure not in EXPOSURES:
            raise ParameterError("exposure", exposure, " or ".join(EXPOSURES))
        self.form = form
        self.listed: Mask | None = None
        if exposure != "vector":
            limit = INDEXED if exposure == "auto" else _MOST
            self.listed = form.feasible.listed(limit)
            if self.listed is None and exposure == "index":
                raise ParameterError(
                    "exposure", exposure, f"vector: more than {_MOST} actions are feasible"
                )
        self.cumulative = _cumulative(form.transition)
        self.initial = _cumulative(form.initial)
        self.weights = form.discount ** np.arange(form.horizon)
        self._seen: dict[bytes, Mask] = {}

    def vector(self, action: Any) -> Mask:
        """Return the action as booleans, shape (N,).

        Raises:
            IllegalActionError: it is no number of an action, or not feasible.
        """
        if self.listed is None:
            return self._feasible(action)
        whole = isinstance(action, int | np.integer) and not isinstance(action, bool | np.bool_)
        if not whole or not 0 <= action < len(self.listed):
            raise IllegalActionError(
                f"{action!r} is no action; there are 0 to {len(self.listed) - 1}"
            )
        row: Mask = self.listed[action]
        return row

    def number(self, chosen: Any) -> Any:
        """Return what a vector is called in this game: its number, or itself.

        Raises:
            IllegalActionError: it is not feasible.
        """
        if self.listed is None:
            return self._feasible(chosen).astype(np.int64)
        row = find(self.listed, self.form.feasible.vector(chosen))
        if row < 0:
            self.form.feasible.check(chosen)
            raise IllegalActionError(f"{np.flatnonzero(chosen).tolist()} is not in the list")
        return row

    def _feasible(self, action: Any) -> Mask:
        vector = self.form.feasible.vector(action)
        key = vector.tobytes()
        if key not in self._seen:
            if len(self._seen) > _MOST:
                self._seen.clear()
            self._seen[key] = self.form.feasible.check(vector)
        return self._seen[key]

    def vectors(self, actions: NDArray[Any]) -> Mask:
        """Return checked vectors of many actions, shape (K, N), from numbers (K,) or vectors.

        Raises:
            IllegalActionError: naming the first episode whose action is not feasible.
        """
        if self.listed is not None and actions.ndim == 1:
            wrong = (actions < 0) | (actions >= len(self.listed))
            if wrong.any():
                episode = int(np.argmax(wrong))
                raise IllegalActionError(
                    f"episode {episode} played {int(actions[episode])};"
                    f" legal are 0 to {len(self.listed) - 1}"
                )
            rows: Mask = self.listed[actions]
            return rows
        for episode, action in enumerate(actions):
            try:
                self._feasible(action)
            except IllegalActionError as error:
                raise IllegalActionError(f"episode {episode}: {error}") from error
        found: Mask = actions.astype(np.bool_)
        return found


def find(listed: Mask, chosen: Mask) -> int:
    """Return the row of `listed` that equals `chosen`, or −1; rows are in lexical order."""
    low, high = 0, len(listed)
    while low < high:
        middle = (low + high) // 2
        differ = np.flatnonzero(listed[middle] != chosen)
        if not len(differ):
            return middle
        if listed[middle][differ[0]]:
            high = middle
        else:
            low = middle + 1
    return -1


def _cumulative(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return cumulative sums whose last entry of positive probability is 2."""
    size = chances.shape[-1]
    last = size - 1 - np.argmax(chances[..., ::-1] > 0, axis=-1)
    out = np.cumsum(chances, axis=-1)
    out[np.arange(size) >= last[..., None]] = 2.0
    found: NDArray[np.float64] = np.ascontiguousarray(out)
    return found
