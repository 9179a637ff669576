"""CCE and CE by backward induction: from the last step, an equilibrium of each stage game.

1. q_i(s, a) = r_i(s, a) + γ Σ P(s' | s, a) v_i(s'), with v = 0 after the last step;
2. σ_h(s) is the (coarse) correlated equilibrium of the stage game q(s) with the greatest
   objective: a linear program for each state, solved by a dual simplex kernel, or
   (`lp="highs"`) by HiGHS from the basis that the state had at the step after;
3. v_i(s) = Σ_a σ_h(a | s) q_i(s, a), and on to the step before.

The result is a CCE (CE) against deviations that remember the history. Objectives are met
stage by stage: given what follows, welfare (a seat's value, …) is the greatest possible.

A discounted game without a horizon is cut off after the first T steps with
γ^T (r_max − r_min) / (1 − γ) ≤ `precision` for each seat; afterwards the last stage goes on
for ever. The policy is not stationary: a stationary Markov CCE is PPAD-hard (Daskalakis,
Golowich and Zhang 2022), this is not. The certificate is that of the endless game.

Source: Jin, Liu, Wang and Yu 2021; Foster, Golowich and Kakade 2023, section 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.solver import Gap
from games.markov.form import MarkovGame
from games.markov.parts import check_memory
from solvers.loop import choice, positive, whole
from solvers.markov.certificates import certify
from solvers.markov.highs import HighsStages
from solvers.markov.policy import CorrelatedPolicy
from solvers.markov.run import MarkovSolver, Problem
from solvers.markov.stage import OBJECTIVES, PROGRAMS, first_legal, solve_stages
from solvers.markov.values import backup

__all__ = ["BackwardInduction", "cce", "ce", "truncation"]

Reals = NDArray[np.float64]


def truncation(form: MarkovGame, precision: float) -> int:
    """Return after how many steps of a discounted game at most `precision` a seat is left."""
    low, high = form.bounds
    left = (high - low) / (1.0 - form.discount)
    if left <= precision:
        return 1
    return max(1, math.ceil(math.log(precision / left) / math.log(form.discount)))


class BackwardInduction:
    """One iteration is one step, from the last to the first.

    Args:
        form: the game.
        key: its key.
        stages: steps H.
        coarse: CCE, else CE.
        objective: see `solvers.markov.stage`.
        seat: whose payoff the objective `value` is about.
        rounds: iterations of the objective `no_regret`.
        lp: what solves linear programs, see `solvers.markov.stage.PROGRAMS`.
    """

    def __init__(
        self,
        form: MarkovGame,
        key: str,
        stages: int,
        *,
        coarse: bool,
        objective: str = "welfare",
        seat: int = 0,
        rounds: int = 1000,
        lp: str = "simplex",
    ) -> None:
        check_memory(float(stages) * form.states * form.joint, "the policy")
        self._form, self._key, self.stages = form, key, stages
        self._coarse, self._objective, self._seat, self._rounds = coarse, objective, seat, rounds
        self._highs = HighsStages(form, coarse=coarse) if lp == "highs" else None
        self.iteration = 0
        self._joint = np.zeros((stages, form.states, form.joint))
        self._joint[:] = first_legal(form)
        self._v = np.zeros((form.seats, form.states))

    def advance(self, count: int) -> int:
        """Solve up to `count` steps more."""
        done = 0
        while done < count and self.iteration < self.stages:
            q = backup(self._form, self._v)
            sigma = solve_stages(
                self._form,
                q,
                coarse=self._coarse,
                objective=self._objective,
                seat=self._seat,
                iterations=self._rounds,
                highs=self._highs,
            )
            self._v = np.einsum("sj,isj->is", sigma, q)
            self._v[:, self._form.terminal] = 0.0
            self._joint[self.stages - 1 - self.iteration] = sigma
            self.iteration += 1
            done += 1
        return done

    def answer(self) -> CorrelatedPolicy:
        """Return the policy; steps that are not solved yet play the first legal actions."""
        return CorrelatedPolicy(self._key, self._form.actions, self._joint)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the number of steps, the values found, and HiGHS's bases."""
        bases = {} if self._highs is None else {"basis": self._highs.basis.copy()}
        return {"iteration": np.array(self.iteration), "v": self._v, **bases}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from values, and the policy that goes with them."""
        self._v, self.iteration = arrays["v"].copy(), int(arrays["iteration"])
        self._joint = arrays["policy.joint"].copy()
        if self._highs is not None:
            self._highs.basis = arrays["basis"].copy()


def _start(problem: Problem, *, coarse: bool) -> BackwardInduction:
    chosen, form = problem.settings, problem.form
    objective = choice("objective", chosen["objective"], OBJECTIVES)
    seat = whole("seat", chosen["seat"], most=form.seats - 1)
    precision = positive("precision", chosen["precision"])
    stages = form.horizon or truncation(form, precision)
    rounds = whole("rounds", chosen["rounds"], least=1)
    if problem.planned is not None and problem.planned < stages:
        raise ParameterError("iterations", problem.planned, f"at least {stages}, the steps")
    return BackwardInduction(
        form,
        problem.key,
        stages,
        coarse=coarse,
        objective=objective,
        seat=seat,
        rounds=rounds,
        lp=choice("lp", chosen["lp"], PROGRAMS),
    )


def _truncated(method: BackwardInduction, problem: Problem) -> dict[str, Gap]:
    """Return what all seats together may gain after the truncation, a bound known beforehand."""
    form = problem.form
    if form.horizon is not None:
        return {}
    low, high = form.bounds
    left = form.discount**method.stages * (high - low) / (1.0 - form.discount)
    return {"truncation_bound": Gap(form.seats * left, "upper")}


def _gap(method: BackwardInduction, problem: Problem, name: str) -> float:
    """Return the gap once all steps are solved; before, there is no policy to speak of."""
    if method.iteration < method.stages:
        return math.inf
    return certify(problem.form, method.answer())[name].value


def cce() -> MarkovSolver:
    """Coarse correlated equilibrium by backward induction."""
    return _solver("cce", coarse=True)


def ce() -> MarkovSolver:
    """Correlated equilibrium by backward induction."""
    return _solver("ce", coarse=False)


def _solver(name: str, *, coarse: bool) -> MarkovSolver:
    return MarkovSolver(
        name,
        lambda problem: _start(problem, coarse=coarse),
        {"objective": "welfare", "seat": 0, "precision": 1e-3, "rounds": 1000, "lp": "simplex"},
        gap=f"{name}_gap",
        more=_truncated,
        quick_gap=lambda method, problem: _gap(method, problem, f"{name}_gap"),
    )
