"""What is controlled: the contract of plants, and the point mass.

A `Plants` object is N plants of one kind at once. It knows nothing of seats, noise or time
limits; that is `games.control.batch`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moved", "Plants", "PointMasses"]

Rows = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Moved:
    """What one step did.

    Attributes:
        reward: of the controller, shape (N,); 0 where nothing moved.
        ended: where the plant's own rules ended the episode, shape (N,).
        cut: where its own time limit did, shape (N,).
        failed: where the simulation broke down (numbers that are none), shape (N,).
    """

    reward: Rows
    ended: Mask
    cut: Mask
    failed: Mask


class Plants(Protocol):
    """N plants."""

    def look(self) -> Rows:
        """Return what can be seen of them, shape (N, D)."""

    def move(self, control: Rows, force: Rows, live: Mask) -> Moved:
        """Move those where `live`.

        Args:
            control: what the controller does, from −1 to 1, shape (N, K).
            force: what disturbs them, in their own units, shape (N, F).
            live: shape (N,).
        """

    def clone(self) -> Plants:
        """Return an independent copy."""

    def describe(self, row: int) -> str:
        """Return one plant in words."""


class PointMasses:
    """Masses in a square room; a wall with a gap lies between the start and the goal.

    The room is 4 wide, the start near (0, −1.5), the goal at (0, 1.5); the wind blows where
    −1 ≤ y ≤ 0, in front of the gap. A step takes 0.1 seconds and pays e^(−distance) − 1;
    an episode ends at the goal. After the point mass of Reddi et al. 2024, appendix.

    Args:
        uniform: two draws in [0, 1) for each start, shape (N, 2).
        mass: shape (N,).
        friction: shape (N,).
        gap: width of the gap.
        axes: along which the wind blows: `x`, `y` or `xy`.
        sticky: whether a mass that hits the wall beside the gap stays there.
    """

    names = ("x", "vx", "y", "vy")
    substeps = 5

    def __init__(
        self, uniform: Rows, *, mass: Rows, friction: Rows, gap: float, axes: str, sticky: bool
    ) -> None:
        from games.control import _kernels

        self._step = _kernels.step_point_mass
        self._mass, self._friction = mass, friction
        self._axes = ["xy".index(axis) for axis in axes]
        self._facts = np.array([0.1, 2.0, gap / 2.0, -1.0, 1.5, 0.2, float(sticky)])
        n = len(uniform)
        self.body: Rows = np.zeros((n, 4))
        self.body[:, 0] = 0.4 * (uniform[:, 0] - 0.5)
        self.body[:, 2] = -1.5 + 0.4 * (uniform[:, 1] - 0.5)

    def look(self) -> Rows:
        """Return x, vx, y and vy, shape (N, 4)."""
        return self.body.copy()

    def move(self, control: Rows, force: Rows, live: Mask) -> Moved:
        """Push the masses; see `Plants`."""
        n = len(self.body)
        reward, done = np.zeros(n), np.zeros(n, dtype=np.bool_)
        before = self.body.copy()
        wind = np.zeros((n, 2))
        wind[:, self._axes] = force
        self._step(
            self.body, control, wind, self._mass, self._friction, live,
            self._facts, self.substeps, reward, done,
        )  # fmt: skip
        failed = live & ~(np.isfinite(self.body).all(axis=1) & np.isfinite(reward))
        self.body[failed] = before[failed]
        reward[failed] = 0.0
        return Moved(reward, done & live & ~failed, np.zeros(n, dtype=np.bool_), failed)

    def clone(self) -> PointMasses:
        """Return an independent copy."""
        twin = PointMasses.__new__(PointMasses)
        twin.__dict__.update(self.__dict__)
        twin.body = self.body.copy()
        return twin

    def describe(self, row: int) -> str:
        """Return position and speed."""
        x, vx, y, vy = self.body[row].tolist()
        return f"at ({x:.4f}, {y:.4f}) with speed ({vx:.4f}, {vy:.4f})"
