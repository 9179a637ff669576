"""Optimistic Nash value iteration: zero-sum games whose transitions must be learnt.

Before an episode, from the last step, with the empirical model P̂ and a bonus β = c H √(ι / N)
for joint action a in state s, tried N times,

    Q̄ = min(r + P̂ V̄ + β, H − h),      Q̲ = max(r + P̂ V̲ − β, 0)                              (1)
    π_h(s) = a CCE of the game in which the first seat is paid Q̄ and the second −Q̲           (2)
    V̄ = E_π Q̄,  V̲ = E_π Q̲                                                                 (3)

The policies' own parts are played. Rewards are known and moved to [0, 1] inside. The answer
is the product of the marginals of the episode with the smallest V̄ − V̲ at the start, which
bounds its distance from equilibrium with high probability; the certificate is exact.

The plan is made anew whenever some joint action has been tried twice as often as at the
last plan, as the bonus hardly moves in between.

Source: Liu, Yu, Bai and Jin 2021, "A sharp analysis of model-based reinforcement learning
with self-play", algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.rng import Stream, derive
from arena.solver import Gap
from solvers.loop import non_negative
from solvers.markov.policy import CorrelatedPolicy, ProductPolicy, uniform
from solvers.markov.run import MarkovSolver, Problem, Traits
from solvers.markov.stage import solve_stages

__all__ = ["OptimisticNash", "optimistic_nash_vi"]

Reals = NDArray[np.float64]


class OptimisticNash:
    """A running learner; one iteration is one episode.

    Args:
        problem: two seats, zero sum, with a horizon.
        bonus: c.
    """

    def __init__(self, problem: Problem, *, bonus: float) -> None:
        form = self._form = problem.form
        self._key, self._bonus = problem.key, bonus
        self._chance = Stream(derive(problem.seed, "optimistic_nash_vi"))
        self._horizon = form.horizon or 0
        low, high = form.bounds
        self._reward = (form.reward[0] - low) / max(high - low, 1e-300)
        self._span = high - low
        self._tried = np.zeros((form.states, form.joint))
        self._led = np.zeros((form.states, form.joint, form.states))
        self._planned = np.zeros_like(self._tried)
        self._tables = [t.copy() for t in uniform(form, self._key, self._horizon).tables]
        self._best = [t.copy() for t in self._tables]
        self.width = math.inf
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Play `count` episodes."""
        for _ in range(count):
            if (self._tried > np.maximum(1.0, 2.0 * self._planned) - 1.0).any():
                self._plan()
            self._play()
            self.iteration += 1
        return count

    def _plan(self) -> None:
        """Do (1) to (3) for all steps."""
        form, horizon = self._form, self._horizon
        self._planned = self._tried.copy()
        seen = np.maximum(self._tried, 1.0)
        iota = math.log(max(2.0, float(form.states * form.joint * horizon * (self.iteration + 1))))
        extra = self._bonus * horizon * np.sqrt(iota / seen)
        model = self._led / seen[..., None]
        high, low = np.zeros(form.states), np.zeros(form.states)
        for h in reversed(range(horizon)):
            most = float(sum(form.discount**k for k in range(horizon - h)))
            up = self._reward + form.discount * model @ high + extra
            down = self._reward + form.discount * model @ low - extra
            up, down = np.minimum(up, most), np.maximum(down, 0.0)
            up[self._tried == 0], down[self._tried == 0] = most, 0.0
            sigma = solve_stages(form, np.stack([up, -down]), coarse=True, objective="welfare")
            both = CorrelatedPolicy(self._key, form.actions, sigma[None])
            for seat in (0, 1):
                self._tables[seat][h] = both.marginal(seat)[0]
            high, low = (np.einsum("sj,sj->s", sigma, q) for q in (up, down))
            high[form.terminal] = low[form.terminal] = 0.0
        width = float((high - low) @ form.initial)
        if width <= self.width:
            self.width = width
            self._best = [table.copy() for table in self._tables]

    def _play(self) -> None:
        form, chance = self._form, self._chance
        s = chance.index(form.initial.tolist())
        for h in range(self._horizon):
            if form.terminal[s]:
                break
            a, b = (chance.index(table[h, s].tolist()) for table in self._tables)
            joint = a * form.actions[1] + b
            states, chances = form.after(s, joint)
            to = int(states[chance.index(chances.tolist())])
            self._tried[s, joint] += 1
            self._led[s, joint, to] += 1
            s = to

    def answer(self) -> ProductPolicy:
        """Return the policies of the plan with the least uncertainty at the start."""
        return ProductPolicy(self._key, tuple(table.copy() for table in self._best))

    def bound(self) -> float:
        """Return V̄ − V̲ at the start of the best plan, in payoff units."""
        return self.width * self._span

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the counts."""
        return {"iteration": np.array(self.iteration), "tried": self._tried, "led": self._led}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from counts."""
        self._tried, self._led = arrays["tried"].copy(), arrays["led"].copy()
        self.iteration = int(arrays["iteration"])


def _facts(method: OptimisticNash, problem: Problem) -> dict[str, Gap]:
    if not math.isfinite(method.width):
        return {}
    return {"optimistic_width": Gap(method.bound(), "upper")}


def optimistic_nash_vi() -> MarkovSolver:
    """Optimistic Nash value iteration with the model learnt from play."""
    return MarkovSolver(
        "optimistic_nash_vi",
        lambda problem: OptimisticNash(
            problem, bonus=non_negative("bonus", problem.settings["bonus"])
        ),
        {"bonus": 0.05},
        traits=Traits(zero_sum=True, finite=True),
        iterations=1000,
        gap="nash_gap",
        more=_facts,
    )
