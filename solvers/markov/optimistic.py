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

from arena.rng import derive, stream_states
from arena.solver import Gap
from games.markov.parts import check_memory
from solvers.loop import non_negative
from solvers.markov.learners import flat
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
        own = derive(problem.seed, "optimistic_nash_vi")
        self._streams = stream_states(np.array([own], np.uint64))
        self._flat = flat(form)
        self._horizon = form.horizon or 0
        low, high = form.bounds
        self._reward = (form.reward[0] - low) / max(high - low, 1e-300)
        self._span = high - low
        check_memory(2.0 * form.states**2 * form.joint, "the counted transitions")
        self._tried = np.zeros((form.states, form.joint))
        self._led = np.zeros((form.states, form.joint, form.states))
        self._planned = np.zeros_like(self._tried)
        self._tables = [t.copy() for t in uniform(form, self._key, self._horizon).tables]
        self._best = [t.copy() for t in self._tables]
        self.width = math.inf
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Play `count` episodes."""
        from solvers.markov import _play_kernels as kernels

        form, done = self._form, 0
        while done < count:
            goal = np.maximum(1.0, 2.0 * self._planned)
            if (self._tried >= goal).any():
                self._plan()
                goal = np.maximum(1.0, 2.0 * self._planned)
            done_now = kernels.counted(
                form.indptr,
                form.indices,
                form.probability,
                form.initial,
                form.terminal,
                self._flat.counts,
                self._flat.cut,
                np.concatenate(self._tables, axis=2),
                goal,
                count - done,
                self._streams,
                self._tried,
                self._led,
            )
            done += done_now
            self.iteration += done_now
        return done

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

    def answer(self) -> ProductPolicy:
        """Return the policies of the plan with the least uncertainty at the start."""
        return ProductPolicy(self._key, tuple(table.copy() for table in self._best))

    def bound(self) -> float:
        """Return V̄ − V̲ at the start of the best plan, in payoff units."""
        return self.width * self._span

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the counts, those of the last plan, the plan itself, and the streams."""
        return {
            "iteration": np.array(self.iteration),
            "tried": self._tried.copy(),
            "led": self._led.copy(),
            "planned": self._planned.copy(),
            "plan_0": self._tables[0].copy(),
            "plan_1": self._tables[1].copy(),
            "width": np.array(self.width),
            "streams": self._streams.copy(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`, and the policy that goes with them."""
        self._tried, self._led, self._planned, self._streams = (
            arrays[name].copy() for name in ("tried", "led", "planned", "streams")
        )
        self._tables = [arrays[f"plan_{seat}"].copy() for seat in (0, 1)]
        self._best = [arrays[f"policy.table_{seat}"].copy() for seat in (0, 1)]
        self.width, self.iteration = float(arrays["width"]), int(arrays["iteration"])


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
