"""The paper's baselines that learn nothing, for any bandit, chosen for many episodes at once.

`none`, `random`, `sampling` (the best of K random feasible actions for the next step),
`greedy` (one arm after the other) and `myopic` (the best next step, exactly). They look one
step ahead with the bandit's own transitions, and at influenced arms as they stand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.bandits.form import RestlessBandit
from games.bandits.influence import InfluencedBandit
from solvers.bandits.maximise import Maximiser
from solvers.bandits.policy import greedy_action

__all__ = ["BASELINES", "Baseline"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

BASELINES = ("none", "random", "sampling", "greedy", "myopic")

_POOL = 2_000


class Baseline:
    """One of `BASELINES`.

    Args:
        name: which.
        form: the bandit.
        seed: of random actions.
        samples: K of `sampling`.

    Raises:
        ParameterError: there is no such baseline.
    """

    def __init__(self, name: str, form: RestlessBandit, *, seed: int = 0, samples: int = 100):
        if name not in BASELINES:
            raise ParameterError("baseline", name, ", ".join(BASELINES))
        self.name, self.form, self._samples = name, form, samples
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._alone = form
        if isinstance(form, InfluencedBandit):
            weights = np.full((form.arms, form.counted), 1.0 / form.counted)
            self._alone = form.averaged(weights)
        self._most = Maximiser(self._alone) if name == "myopic" else None
        self._pool = np.zeros((0, form.feasible.size), dtype=np.int64)
        if name in ("random", "sampling"):
            rows = [form.feasible.sample(self._rng) for _ in range(_POOL)]
            self._pool = np.array(rows).astype(np.int64)

    def choose(self, form: RestlessBandit, levels: Ints, step: int) -> Ints:
        """Return vectors of actions, shape (K, N), for states of the arms, shape (K, J)."""
        out = np.zeros((len(levels), form.feasible.size), dtype=np.int64)
        if self.name == "none":
            return out
        if self.name == "random":
            return self._pool[self._rng.integers(len(self._pool), size=len(levels))]
        values = self._next(levels)
        if self._most is not None:
            return self._most.best(values)[0]
        if self.name == "greedy":
            return np.array([greedy_action(self._alone, row) for row in values])
        arms = np.arange(form.arms)
        for k, row in enumerate(values):
            tried = self._pool[self._rng.integers(len(self._pool), size=self._samples)]
            worth = row[arms, form.modes_of(tried)].sum(axis=1)
            out[k] = tried[int(worth.argmax())]
        return out

    def _next(self, levels: Ints) -> Reals:
        """Return what each mode of acting pays next, shape (K, J, A)."""
        form = self.form
        expected = form.expected.transpose(0, 2, 1)[np.arange(form.arms), levels]  # (K, J, M)
        if not isinstance(form, InfluencedBandit):
            return expected
        split = expected.reshape(*levels.shape, form.counted, form.acting)
        at = form.counts(levels)[..., None, None]
        found: Reals = np.take_along_axis(split, at, axis=2)[:, :, 0]
        return found
