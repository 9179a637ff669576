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
from arena.rng import generator
from games.bandits.constraints import budget_set
from games.bandits.form import RestlessBandit
from games.bandits.instances import chain

__all__ = ["InfluencedBandit", "herd"]

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


def herd(
    *, arms: int = 20, budget: int = 3, horizon: int = 20, instance: int = 0
) -> RestlessBandit:
    """Arms on a ring: those between two top arms stay up by themselves, lone ones fall."""
    if arms < 3:
        raise ParameterError("arms", arms, "at least 3, on a ring")
    rng = generator(instance, "bandits", "herd")
    alone, acted = 0.1 * rng.random(arms), 0.75 + 0.1 * rng.random(arms)
    up = np.zeros((arms, 6))  # by neighbours at the top (0, 1, 2), then by acting
    for count, lift in enumerate((0.0, 0.35, 0.85)):
        up[:, 2 * count] = alone + lift
        up[:, 2 * count + 1] = np.maximum(acted, up[:, 2 * count])
    reward = np.tile([0.0, 0.1, 0.2, 0.0], (arms, 1))
    reward[:, 3] = 1.0 + rng.random(arms)
    # Arms that pay more on the way up pay less at the top: what pays next misleads.
    reward[:, 1:3] += (0.4 * (2.0 - reward[:, 3]))[:, None]
    levels = np.broadcast_to(reward[:, None, None, :], (arms, 6, 4, 4))
    ring = np.zeros((arms, arms), dtype=np.int64)
    at = np.arange(arms)
    ring[at, (at + 1) % arms] = ring[at, (at - 1) % arms] = 1
    initial = np.zeros((arms, 4))
    initial[:, 0], initial[:, 1] = 0.8, 0.2
    return InfluencedBandit(
        chain(up),
        levels,
        budget_set(arms, budget),
        initial=initial,
        horizon=horizon,
        title="herd",
        link=np.eye(arms, dtype=np.int64),
        neighbours=ring,
        counted=3,
    )
