"""Transitions of a bandit, with priorities (Schaul et al. 2016, proportional)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Replay"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


class Replay:
    """A ring of transitions.

    Args:
        capacity: how many are kept.
        arms: J.
        actions: N.

    Attributes:
        size: how many there are.
        levels, after: states before and after, shape (C, J).
        steps: steps done before, shape (C,).
        actions: shape (C, N).
        rewards: shape (C,).
        priority: shape (C,).
    """

    def __init__(self, capacity: int, arms: int, actions: int) -> None:
        self.capacity, self.size, self.next = capacity, 0, 0
        self.levels = np.zeros((capacity, arms), dtype=np.int16)
        self.after = np.zeros((capacity, arms), dtype=np.int16)
        self.steps = np.zeros(capacity, dtype=np.int32)
        self.actions = np.zeros((capacity, actions), dtype=np.int8)
        self.rewards = np.zeros(capacity)
        self.priority = np.zeros(capacity)

    def add(self, levels: Ints, steps: Any, actions: Ints, rewards: Reals, after: Ints) -> None:
        """Add transitions; they get the greatest priority there is."""
        most = float(self.priority[: self.size].max()) if self.size else 1.0
        at = (self.next + np.arange(len(levels))) % self.capacity
        self.levels[at], self.after[at] = levels, after
        self.steps[at], self.actions[at], self.rewards[at] = steps, actions, rewards
        self.priority[at] = most
        self.next = int((self.next + len(levels)) % self.capacity)
        self.size = min(self.capacity, self.size + len(levels))

    def draw(
        self, count: int, rng: np.random.Generator, *, power: float, correction: float
    ) -> tuple[Ints, Reals]:
        """Return which transitions are drawn, shape (count,), and their weights, at most 1.

        Args:
            count: how many.
            rng: what they are drawn from.
            power: α, 0 for uniform.
            correction: β of the importance weights.
        """
        chance = (self.priority[: self.size] + 1e-6) ** power
        chance /= chance.sum()
        at = rng.choice(self.size, size=count, p=chance)
        weight = (self.size * chance[at]) ** -correction
        return at, weight / weight.max()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is in it, as arrays."""
        n = self.size
        names = ("levels", "after", "steps", "actions", "rewards", "priority")
        return {name: getattr(self, name)[:n].copy() for name in names}

    def load(self, arrays: Mapping[str, NDArray[Any]], following: int) -> None:
        """Put back what `arrays` returned; `following` was `next`."""
        n = self.size = len(arrays["rewards"])
        self.next = following
        for name, array in arrays.items():
            getattr(self, name)[:n] = array
