"""Optimistic least-squares value iteration with a CCE oracle, for games of low rank.

With given features φ(s, a) of P(s' | s, a) = φ·μ(s') and r_i = φ·θ_i (rewards in [0, 1]
inside), a plan goes from the last step to the first,

    Λ_h = λ I + Σ φ φᵀ,     w_i = u + Λ_h⁻¹ Σ φ (r_i + γ V_i(s') − H + h)                  (1)
    Q_i = min(φ·w_i + β √(φᵀ Λ_h⁻¹ φ), H − h)                                             (2)
    π_h(s) = CCE of Q(s), V_i = E_π Q_i                                                   (3)

where φ·u = H − h if features can say so (as distributions can): what was never tried is
worth the most it could be, whatever β. π is played with shared randomness, and the plan is
made anew when det Λ_h has grown by the factor `switch` for some h (1: before every episode),
which costs a constant factor of the regret and leaves O(D H ln K) plans. The answer is the
plan with the least bonus along its own path; the certificate is exact.

Features are the rows that `games.markov.generators.low_rank` gives, or, for any other game,
one indicator for each state and joint action.

Source: Xie, Chen, Wang and Yang 2020, "Learning zero-sum simultaneous-move Markov games using
function approximation and correlated equilibrium", algorithm 1, with one Q a seat; Jin, Yang,
Wang and Jordan 2020 (LSVI-UCB); Abbasi-Yadkori, Pál and Szepesvári 2011, section 5.1 (rare
switching).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.keys import split_key
from arena.rng import derive, stream_states
from games.markov.form import MarkovGame
from games.markov.generators import low_rank
from games.markov.parts import check_memory
from solvers.loop import non_negative, positive
from solvers.markov.policy import CorrelatedPolicy, uniform
from solvers.markov.run import MarkovSolver, Problem, Traits
from solvers.markov.stage import solve_stages

__all__ = ["Lsvi", "features_of", "lsvi"]

Reals = NDArray[np.float64]


def features_of(form: MarkovGame, key: str) -> Reals:
    """Return the features of a game made by `low_rank`, else indicators, (S, J, D)."""
    name, params = split_key(key)
    if name == "markov/low_rank":
        own = {k: v for k, v in params.items() if k not in ("horizon", "discount")}
        return low_rank(**own).features
    size = form.states * form.joint
    check_memory(float(size) ** 2, "one feature for each state and joint action")
    return np.eye(size).reshape(form.states, form.joint, size)


class Lsvi:
    """A running learner; one iteration is one episode.

    Args:
        problem: with a horizon.
        features: φ, shape (S, J, D).
        bonus: β.
        ridge: λ.
        switch: by how much a determinant grows before there is a new plan, at least 1.
    """

    def __init__(
        self, problem: Problem, features: Reals, *, bonus: float, ridge: float, switch: float = 1.0
    ) -> None:
        form = self._form = problem.form
        if features.shape[:2] != (form.states, form.joint):
            raise ParameterError(
                "features.shape", features.shape, f"({form.states}, {form.joint}, D)"
            )
        self._key, self._bonus = problem.key, bonus
        self._phi = np.ascontiguousarray(features)
        self._streams = stream_states(np.array([derive(problem.seed, "lsvi")], np.uint64))
        self._limit = math.log(switch)
        self._horizon = form.horizon or 0
        depth = features.shape[2]
        check_memory(
            float(self._horizon) * depth * (2 * depth + form.states), "the sums of features"
        )
        self._gram = np.repeat(ridge * np.eye(depth)[None], self._horizon, axis=0)
        self._inverse = np.linalg.inv(self._gram)
        self._grown = np.full(self._horizon, np.inf)  # there is no plan yet
        # Targets change with V, so sums are kept by next state: (H, D, S), and of rewards.
        self._led = np.zeros((self._horizon, depth, form.states))
        self._paid = np.zeros((self._horizon, depth, form.seats))
        low, high = form.bounds
        self._low, self._span = low, max(high - low, 1e-300)
        start = uniform(form, problem.key, self._horizon).correlated().joint
        self._policy, self._best = start, start.copy()
        self._width = math.inf
        rows = features.reshape(-1, depth)
        self._ones, *_ = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)
        self._level = 1.0 if np.allclose(rows @ self._ones, 1.0, atol=1e-8) else 0.0
        self._ones = self._ones * self._level
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Play `count` episodes."""
        from solvers.markov import _play_kernels as kernels

        form, done = self._form, 0
        while done < count:
            if (self._grown > self._limit).any():
                self._plan()
            done += kernels.least_squares(
                form.reward,
                form.indptr,
                form.indices,
                form.probability,
                form.initial,
                form.terminal,
                self._low,
                self._span,
                self._policy,
                self._phi,
                self._limit,
                count - done,
                self._streams,
                self._gram,
                self._inverse,
                self._grown,
                self._led,
                self._paid,
            )
        self.iteration += done
        return done

    def _plan(self) -> None:
        """Do (1) to (3) for all steps."""
        form, phi = self._form, self._phi
        self._inverse = np.linalg.inv(self._gram)  # what updates in place lose is regained
        self._grown[:] = 0.0
        rows = phi.reshape(-1, phi.shape[2])
        v = np.zeros((form.seats, form.states))
        sigma = np.zeros_like(self._policy)
        extra = np.zeros((self._horizon, form.states, form.joint))
        for h in reversed(range(self._horizon)):
            most = float(sum(form.discount**k for k in range(self._horizon - h)))
            inverse = self._inverse[h]
            tried = self._led[h].sum(axis=1)[:, None]
            targets = self._paid[h] + form.discount * self._led[h] @ v.T
            w = most * self._ones[:, None] + inverse @ (targets - most * self._level * tried)
            spread = ((rows @ inverse) * rows).sum(axis=1).reshape(form.states, form.joint)
            extra[h] = self._bonus * np.sqrt(np.maximum(spread, 0.0))
            q = (rows @ w).T.reshape(form.seats, form.states, form.joint) + extra[h]
            q = np.clip(q, 0.0, most)
            sigma[h] = solve_stages(form, q, coarse=True, objective="welfare")
            v = np.einsum("sj,isj->is", sigma[h], q)
            v[:, form.terminal] = 0.0
        self._policy = sigma
        width = self._along(sigma, extra)
        if width < self._width:
            self._width, self._best = width, sigma.copy()

    def _along(self, sigma: Reals, extra: Reals) -> float:
        """Return the bonus along the policy's path in the model that is estimated."""
        form = self._form
        reach, total = form.initial.copy(), 0.0
        for h in range(self._horizon):
            both = reach[:, None] * sigma[h]
            total += float((both * extra[h]).sum())
            weights = self._inverse[h] @ self._led[h]
            ahead = np.maximum(np.einsum("sj,sjd->d", both, self._phi) @ weights, 0.0)
            # What the estimate does not know yet may be anywhere: count it as unexplored.
            total += self._bonus * max(0.0, 1.0 - float(ahead.sum()))
            reach = ahead / max(ahead.sum(), 1.0)
        return total

    def answer(self) -> CorrelatedPolicy:
        """Return the policy that was surest of itself."""
        return CorrelatedPolicy(self._key, self._form.actions, self._best.copy())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was learnt, the plan that is played, and the streams."""
        return {
            "iteration": np.array(self.iteration),
            "gram": self._gram.copy(),
            "inverse": self._inverse.copy(),
            "grown": self._grown.copy(),
            "led": self._led.copy(),
            "paid": self._paid.copy(),
            "plan": self._policy.copy(),
            "width": np.array(self._width),
            "streams": self._streams.copy(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`, and the policy that goes with them."""
        (
            self._gram,
            self._inverse,
            self._grown,
            self._led,
            self._paid,
            self._policy,
            self._streams,
        ) = (
            arrays[name].copy()
            for name in ("gram", "inverse", "grown", "led", "paid", "plan", "streams")
        )
        self._best, self._width = arrays["policy.joint"].copy(), float(arrays["width"])
        self.iteration = int(arrays["iteration"])


def _start(problem: Problem) -> Lsvi:
    return Lsvi(
        problem,
        features_of(problem.form, problem.key),
        bonus=non_negative("bonus", problem.settings["bonus"]),
        ridge=positive("ridge", problem.settings["ridge"]),
        switch=_factor(problem.settings["switch"]),
    )


def _factor(value: Any) -> float:
    if positive("switch", value) < 1.0:
        raise ParameterError("switch", value, "a factor, 1 or more")
    return float(value)


def lsvi() -> MarkovSolver:
    """Optimistic least-squares value iteration with a CCE oracle."""
    return MarkovSolver(
        "lsvi",
        _start,
        {"bonus": 0.3, "ridge": 1.0, "switch": 1.5},
        traits=Traits(finite=True),
        iterations=200,
        gap="cce_gap",
    )
