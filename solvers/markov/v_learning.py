"""V-learning: a CCE from play alone, one decentralised learner a seat.

Every seat keeps an optimistic value Ṽ_h(s) and a bandit for each (h, s), and sees only its
own actions and rewards. At the t-th visit, with α_t = (H + 1)/(H + t):

    Ṽ ← (1 − α_t) Ṽ + α_t (r + V_{h+1}(s') + c √(H³ A ι / t)),    V = min(Ṽ, H − h)           (1)
    π ∝ exp(−η_t Σ_i w_i l̂_i / w_t),    l̂ = l 1[a] / (π(a) + η_t),  η_t = √(H ln A / (A t))   (2)

with losses l = (H − h − r − V_{h+1}(s')) / (H − h), weights w_t = α_t / ∏_{1 < i ≤ t} (1 − α_i)
and ι = ln(S A K H), K the episodes planned. Rewards are moved to [0, 1] inside. What is
returned is the certified policy of `v_policy`, with an upper bound on its CCE gap.

Why √H in η_t: a bandit's weighted regret is at most α_t ln A / η_t + A Σ_i α_t^i η_i / 2, up to
constants and deviations; as α_t ≤ 2H/t, both terms are √(H A ln A / t) at this rate, which
times the range H of losses is the bonus of (1). With √(ln A / (A t)) it would be √(H⁴ A ι / t).
The paper divides losses by H at every step; dividing by what can still be paid keeps them in
[0, 1] too, so that the bonus holds, and learns faster at later steps.

Source: Jin, Liu, Wang and Yu 2021, "V-learning: a simple, efficient, decentralized algorithm
for multiagent RL" (arXiv 2110.14555), algorithms 1 (learning) and 3 (output), and the
appendix on weighted bandits (follow the regularised leader); Neu 2015 (exploration).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.rng import derive, stream_states
from games.markov.parts import check_memory
from solvers.loop import non_negative
from solvers.markov.learners import flat
from solvers.markov.run import MarkovSolver, Problem, Traits
from solvers.markov.v_policy import VPolicy

__all__ = ["VLearning", "v_learning"]

_EPISODES = 20_000


class VLearning:
    """A running V-learner; one iteration is one episode.

    Args:
        problem: with a horizon.
        bonus: c of (1).
    """

    def __init__(self, problem: Problem, *, bonus: float) -> None:
        form = problem.form
        self._form, self._key = form, problem.key
        self._flat = flat(form)
        horizon = form.horizon or 0
        room = problem.planned or _EPISODES
        check_memory(float(room) * horizon * (self._flat.width + 1), "the episodes played")
        iota = math.log(form.states * max(form.actions) * room * horizon)
        self._bonus = bonus**2 * horizon**3 * iota
        low, high = form.bounds
        self._low, self._span = low, max(high - low, 1e-300)
        self._streams = stream_states(np.array([derive(problem.seed, "v_learning")], np.uint64))
        remaining = sum(form.discount**h for h in range(horizon))
        left = [remaining if h == 0 else sum(form.discount**k for k in range(horizon - h))
                for h in range(horizon + 1)]  # fmt: skip
        self._value = np.broadcast_to(
            np.array(left)[None, :, None], (form.seats, horizon + 1, form.states)
        ).copy()
        self._visits = np.zeros((horizon, form.states), dtype=np.int64)
        self._score = np.zeros((horizon, form.states, self._flat.width))
        start = self._flat.uniform()
        self._policy = np.repeat(start[None], horizon, axis=0)
        self._start = start
        self._states = np.zeros((room, horizon), dtype=np.int64)
        self._played = np.zeros((room, horizon, self._flat.width))
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Play `count` episodes."""
        from solvers.markov import _learning_kernels as kernels

        form, arrays = self._form, self._flat
        while self.iteration + count > len(self._states):
            check_memory(2.0 * self._played.size, "the episodes played")
            self._states = np.concatenate([self._states, np.zeros_like(self._states)])
            self._played = np.concatenate([self._played, np.zeros_like(self._played)])
        kernels.v_learning(
            form.reward,
            form.indptr,
            form.indices,
            form.probability,
            form.initial,
            form.terminal,
            form.discount,
            arrays.counts,
            arrays.cut,
            arrays.legal,
            self._low,
            self._span,
            self._bonus,
            self.iteration,
            count,
            form.horizon,
            self._streams,
            self._value,
            self._visits,
            self._score,
            self._policy,
            self._states,
            self._played,
        )
        self.iteration += count
        return count

    def answer(self) -> VPolicy:
        """Return the certified policy of all episodes so far."""
        done = self.iteration
        return VPolicy(
            self._key,
            self._form.actions,
            self._states[:done].copy(),
            self._played[:done].copy(),
            self._start,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return values, visits, scores, current policies and the streams."""
        return {
            "iteration": np.array(self.iteration),
            "value": self._value.copy(),
            "visits": self._visits.copy(),
            "score": self._score.copy(),
            "current": self._policy.copy(),
            "bonus": np.array(self._bonus),
            "streams": self._streams.copy(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`, and the episodes that were played."""
        self._value, self._visits, self._score, self._policy, self._streams = (
            arrays[name].copy() for name in ("value", "visits", "score", "current", "streams")
        )
        self._bonus, self.iteration = float(arrays["bonus"]), int(arrays["iteration"])
        room = max(len(self._states), self.iteration)
        self._states = np.zeros((room, *self._states.shape[1:]), dtype=np.int64)
        self._played = np.zeros((room, *self._played.shape[1:]))
        self._states[: self.iteration] = arrays["policy.states"]
        self._played[: self.iteration] = arrays["policy.played"]


def _start(problem: Problem) -> VLearning:
    return VLearning(problem, bonus=non_negative("bonus", problem.settings["bonus"]))


def v_learning() -> MarkovSolver:
    """V-learning with its certified output policy."""
    return MarkovSolver(
        "v_learning",
        _start,
        {"bonus": 0.05},
        traits=Traits(finite=True),
        iterations=_EPISODES,
        gap="cce_gap",
    )
