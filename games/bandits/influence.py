"""Arms that influence each other: the dynamics do not fall apart arm by arm.

How arm j moves depends on what is done to it and on how many of its neighbours are in the top
state, counted up to C − 1: with A modes of acting, the mode is m + A·c, m = link · a. So the
value of acting on an arm lies partly in what its neighbours do later, which no sum of values
of single arms can hold; bounds and indices for independent arms do not apply.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.bandits.form import RestlessBandit

__all__ = ["InfluencedBandit"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class InfluencedBandit(RestlessBandit):
    """A bandit whose arms depend on their neighbours; `transition` has A·C modes.

    Attributes:
        neighbours: whose top states count for arm j, zeros and ones, shape (J, J).
        counted: C, numbers of neighbours that are told apart.

    Raises:
        ParameterError: a shape or number that does not fit.
    """

    neighbours: Ints = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    counted: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.counted < 1 or self.modes % self.counted:
            raise ParameterError("counted", self.counted, f"a divisor of {self.modes} modes")
        given = np.asarray(self.neighbours)
        wanted = (self.arms, self.arms)
        if given.shape != wanted or not ((given == 0) | (given == 1)).all():
            raise ParameterError("neighbours", given.shape, f"zeros and ones, shape {wanted}")
        if (self.link.sum(axis=1) >= self.acting).any():
            raise ParameterError("modes", self.modes, "enough for what actions allow")

    @property
    def influenced(self) -> bool:
        """Whether how an arm moves depends on the states of others too."""
        return True

    @property
    def acting(self) -> int:
        """Number A of modes of acting."""
        return self.modes // self.counted

    def counts(self, levels: Any) -> Ints:
        """Return how many neighbours are in the top state, below C, shape (..., J)."""
        top = np.asarray(levels) == self.sizes - 1
        found: Ints = np.minimum(top.astype(np.int64) @ self.neighbours.T, self.counted - 1)
        return found

    def near(self, levels: Any) -> Ints:
        """Return which neighbours i of arm j are in the top state, shape (..., J, J)."""
        top = np.asarray(levels) == self.sizes - 1
        found: Ints = self.neighbours * top[..., None, :]
        return found

    def modes_at(self, levels: Any, action: Any) -> Ints:
        """Return the modes in which arms at `levels`, shape (..., J), move, shape (..., J)."""
        return self.modes_of(action) + self.acting * self.counts(levels)

    def averaged(self, weights: Reals) -> RestlessBandit:
        """Return independent arms that move as these do on average.

        Args:
            weights: how often each arm has each count of neighbours, shape (J, C); rows sum
                to one.
        """
        shape = (self.arms, self.counted, self.acting, self.states, self.states)
        chances = np.einsum("jc,jcmst->jmst", weights, self.transition.reshape(shape))
        paid = np.einsum("jc,jcmst->jmst", weights, (self.transition * self.reward).reshape(shape))
        pay = np.divide(paid, chances, out=np.zeros_like(paid), where=chances > 0)
        return RestlessBandit(
            chances,
            pay,
            self.feasible,
            link=self.link,
            initial=self.initial,
            horizon=self.horizon,
            discount=self.discount,
            sizes=self.sizes,
            title=f"{self.title}, arms on their own",
        )
