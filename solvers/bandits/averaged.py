"""The Lagrangian policy of arms that influence each other, taken for independent ones.

Each arm moves as it does on average: the counts of its neighbours have the frequencies that were
seen under the plan before, beginning with all alike. Plans and frequencies are made in turn a
few times, and the best plan is kept. Prices and values are those of `solvers.bandits.lagrangian`;
they bound nothing here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.game import Game
from arena.rng import derive, derive_many
from games.bandits.form import RestlessBandit
from games.bandits.influence import InfluencedBandit
from solvers.bandits.episodes import steps
from solvers.bandits.lagrangian import relax
from solvers.bandits.policy import ValuePolicy

__all__ = ["Averaged", "average"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_PLANS, _EPISODES = 4, 100


class Averaged:
    """Plays values of arms that are taken for independent.

    Args:
        form: the bandit.
        values: shape (H, J, S, A), of modes of acting alone.
    """

    def __init__(self, form: InfluencedBandit, values: Reals) -> None:
        self.values = values
        weights = np.full((form.arms, form.counted), 1.0 / form.counted)
        self._alone, self._policy = form.averaged(weights), ValuePolicy("", values)

    def choose(self, form: RestlessBandit, levels: Ints, step: int) -> Ints:
        """Return vectors of actions, shape (K, N), for states of the arms, shape (K, J)."""
        return self._policy.choose(self._alone, levels, step)


def average(game: Game, *, seed: int = 0) -> Averaged:
    """Return the best of a few such policies of an influenced bandit.

    Args:
        game: its form `bandit` is an `InfluencedBandit`.
        seed: of the episodes that are played for the frequencies.
    """
    form: Any = game.form("bandit")
    seeds = derive_many(derive(seed, "averaged"), np.arange(_EPISODES))
    weights = np.full((form.arms, form.counted), 1.0 / form.counted)
    plans: list[tuple[float, Averaged]] = []
    for _ in range(_PLANS):
        policy = Averaged(form, relax(form.averaged(weights), rounds=10).values)
        seen = np.zeros_like(weights)
        for batch in steps(game, policy, seeds):
            if batch.actors().any():
                counts = form.counts(batch.levels)
                seen += (counts[..., None] == np.arange(form.counted)).sum(axis=0)
        plans.append((float(batch.returns().mean()), policy))
        weights = 0.5 * weights + 0.5 * seen / seen.sum(axis=1, keepdims=True)
    return max(plans, key=lambda plan: plan[0])[1]
