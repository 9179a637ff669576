"""Independent no-regret learners: Hedge in every state, everyone for itself.

In iteration t every seat plays π^t_h(s) ∝ exp(η Σ_{u < t} q^u_h(s, ·)), where q^u is what its
actions were worth against the others' play of iteration u (full information). What is
returned is the mixture of the T product policies that were played: against Markov
deviations its regret vanishes where states do not move, against deviations that remember
the history it does not, and no efficient independent learner can make it (in general).

Source: Foster, Golowich and Kakade 2023, "Hardness of independent learning and sparse
equilibrium computation in Markov games", theorem 1.2; Freund and Schapire 1999 (Hedge).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError
from arena.rng import generator
from games.markov.parts import check_memory
from solvers.loop import non_negative
from solvers.markov.certificates import certify
from solvers.markov.learners import flat
from solvers.markov.policy import MixturePolicy
from solvers.markov.run import MarkovSolver, Problem, Traits

__all__ = ["IndependentHedge", "independent"]

_ITERATIONS = 1000


class IndependentHedge:
    """Running learners.

    Args:
        problem: with a horizon.
        rate: η; 0: √(8 ln A / T) for T planned iterations.
        spread: standard deviation of the first log-weights, which differ by seat, step and
            state: learners that start alike at a symmetric equilibrium would stay there.
    """

    def __init__(self, problem: Problem, *, rate: float, spread: float) -> None:
        form = problem.form
        self._form, self._key = form, problem.key
        self._flat = flat(form)
        planned = problem.planned or _ITERATIONS
        horizon = form.horizon or 0
        width = self._flat.width
        check_memory(float(planned) * horizon * form.states * width, "the policies played")
        low, high = form.bounds
        unit = max((high - low) * horizon, 1e-300)
        chosen = rate or math.sqrt(8.0 * math.log(max(form.actions)) / planned)
        self._rate = chosen / (unit / horizon)
        noise = generator(problem.seed, "independent").normal(size=(horizon, form.states, width))
        self._score = spread * noise / max(self._rate, 1e-300)
        self._played = np.zeros((planned, horizon, form.states, width))
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Run `count` iterations."""
        from solvers.markov import _learning_kernels as kernels

        form, arrays = self._form, self._flat
        while self.iteration + count > len(self._played):
            check_memory(2.0 * self._played.size, "the policies played")
            self._played = np.concatenate([self._played, np.zeros_like(self._played)])
        kernels.hedge(
            form.reward,
            form.indptr,
            form.indices,
            form.probability,
            form.terminal,
            form.discount,
            arrays.counts,
            arrays.cut,
            arrays.strides,
            arrays.legal,
            np.full(len(self._played), self._rate),
            self.iteration,
            count,
            self._score,
            self._played,
        )
        self.iteration += count
        return count

    def answer(self) -> MixturePolicy:
        """Return the uniform mixture of what was played."""
        done = max(self.iteration, 1)
        played = self._played[:done]
        if not self.iteration:
            played = np.broadcast_to(self._flat.uniform(), played.shape)
        return MixturePolicy(self._key, self._flat.split(played), np.full(done, 1.0 / done))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the scores, and the rate, which follows from the iterations planned."""
        rate = np.array(self._rate)
        return {"iteration": np.array(self.iteration), "score": self._score.copy(), "rate": rate}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`, and the policies that were played."""
        self.iteration, self._rate = int(arrays["iteration"]), float(arrays["rate"])
        self._score = arrays["score"].copy()
        done = [arrays[f"policy.table_{seat}"] for seat in range(self._form.seats)]
        played = np.concatenate(done, axis=-1)[: self.iteration]
        room = max(len(self._played), self.iteration)
        self._played = np.zeros((room, *self._played.shape[1:]))
        self._played[: self.iteration] = played


def _start(problem: Problem) -> IndependentHedge:
    chosen = problem.settings
    rate = non_negative("rate", chosen["rate"])
    return IndependentHedge(problem, rate=rate, spread=non_negative("spread", chosen["spread"]))


def _quick(method: IndependentHedge, problem: Problem) -> float:
    try:
        return certify(problem.form, method.answer(), deviations="markov")["cce_gap"].value
    except NotApplicableError:
        return math.inf


def independent() -> MarkovSolver:
    """Independent Hedge; the trace is the gap against Markov deviations."""
    return MarkovSolver(
        "independent_hedge",
        _start,
        {"rate": 0.0, "spread": 0.3},
        traits=Traits(finite=True),
        iterations=_ITERATIONS,
        gap="cce_gap",
        quick_gap=_quick,
    )
