"""Soft Shapley: quantal response equilibria of zero-sum Markov games, and curricula of them.

With temperatures τ_μ, τ_ν the seats play

    max_μ min_ν E Σ γ^t (r_t + τ_μ H(μ(s_t)) − τ_ν H(ν(s_t)))                               (1)
    μ ∝ exp(q ν / τ_μ),    ν ∝ exp(−qᵀ μ / τ_ν)   in every state                            (2)
    v ← qre value of q = r + γ P v                                                        (3)

(3) contracts by γ; (2) is found by a method of the mirror family (`solvers.mirror`). A
schedule (`solvers.schedules`) lets temperatures fall; every point of the path is kept:
temperatures, value, mean policy entropies, Nash gap, and the bound that holds of it,

    Nash gap ≤ (τ_μ ln A + τ_ν ln B) / (1 − γ).                                           (4)

In one state with γ → 0, (2) is the logit equilibrium at λ = 1/τ.

Source: McKelvey and Palfrey 1995; Savas, Ahmadi, Tanaka and Topcu 2019, "Entropy-regularized
stochastic games"; Cen, Wei and Chi 2021, "Fast policy extragradient methods", section 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.solver import Gap
from games.markov.form import MarkovGame
from solvers.loop import flag, positive, whole
from solvers.markov.certificates import certify
from solvers.markov.policy import ProductPolicy
from solvers.markov.run import MarkovSolver, Problem, Traits
from solvers.markov.shapley import Stages
from solvers.mirror import named
from solvers.schedules import Feedback, Schedule, schedule

__all__ = ["PATH", "PathPoint", "SoftShapley", "bound", "path_of", "soft_shapley"]

Reals = NDArray[np.float64]

_LOOKAHEADS = ("none", "extragradient", "optimistic", "mixture")
_PROXES = ("implicit", "linearised")
_SWEEPS = 100_000

PATH = ("temperature_0", "temperature_1", "value", "entropy_0", "entropy_1", "nash_gap", "bound",
        "inner_iterations", "residual")  # fmt: skip
"""Columns of the path."""


@dataclass(frozen=True)
class PathPoint:
    """One equilibrium on the way.

    Attributes:
        temperatures: τ of both seats.
        value: what the first seat is paid from the start, without entropies.
        entropies: mean over states of both policies' entropies, in nats.
        nash_gap: certified by best replies.
        bound: (4).
        inner_iterations: spent on (2), all states and sweeps together.
        residual: how far (1) is from solved, in payoff units.
    """

    temperatures: tuple[float, float]
    value: float
    entropies: tuple[float, float]
    nash_gap: float
    bound: float
    inner_iterations: int
    residual: float

    def row(self) -> list[float]:
        """Return it as numbers, in the order of `PATH`."""
        facts = [self.value, *self.entropies, self.nash_gap, self.bound]
        return [*self.temperatures, *facts, float(self.inner_iterations), self.residual]


def bound(form: MarkovGame, temperatures: tuple[float, float]) -> float:
    """Return (4), with the greatest number of legal actions of a seat in any state."""
    entropy = sum(
        tau * math.log(max(1, int(legal.sum(axis=1).max())))
        for tau, legal in zip(temperatures, form.legal, strict=True)
    )
    return entropy / (1.0 - form.discount)


class SoftShapley:
    """One iteration solves (1) at the present temperatures, then asks the schedules.

    Args:
        form: two seats, zero sum, discounted.
        key: its key.
        schedules: one a seat.
        algorithm: a regularised method of `solvers.mirror`.
        divergence: −KL(π‖uniform) in place of H(π): less by ln A a step, which matters where
            the seats decide how long an episode lasts.
        precision: residual at which (1) counts as solved, in payoff units.
        block: inner iterations between looks at the gap.
        limit: inner iterations a state and sweep.
    """

    def __init__(
        self,
        form: MarkovGame,
        key: str,
        schedules: tuple[Schedule, Schedule],
        *,
        algorithm: str = "nash_mp",
        divergence: bool = False,
        precision: float = 1e-8,
        block: int = 10,
        limit: int = 20_000,
    ) -> None:
        chosen = named(algorithm)
        if chosen.beta <= 0 or chosen.magnet_refresh or chosen.answer != "last":
            allowed = "egpo, inpo, mmd, nash_md or nash_mp: methods with a fixed magnet"
            raise ParameterError("algorithm", algorithm, allowed)
        self._form, self._key, self._schedules = form, key, schedules
        self._mirror, self._precision = chosen, precision
        self._block, self._limit = block, limit
        self._divergence = divergence
        self._stages = Stages(form)
        self._policy = np.concatenate(
            [legal / legal.sum(axis=1, keepdims=True) for legal in form.legal], axis=1
        )
        self.v = np.zeros(form.states)
        self._gaps = np.zeros(form.states)
        self.temperatures = (float(schedules[0].start), float(schedules[1].start))
        self.path: list[PathPoint] = []
        self.iteration = 0
        self._ended = False

    def advance(self, count: int) -> int:
        """Solve at up to `count` temperatures."""
        done = 0
        while done < count and not self._ended:
            self._solve()
            self.iteration += 1
            done += 1
            self._fall()
        return done

    def _fall(self) -> None:
        here = self.path[-1]
        last = all(
            tau <= plan.end * (1 + 1e-12)
            for tau, plan in zip(self.temperatures, self._schedules, strict=True)
        )
        performances = (here.value, -here.value)
        after = tuple(
            plan.next(tau, Feedback(here.residual, performance))
            for plan, tau, performance in zip(
                self._schedules, self.temperatures, performances, strict=True
            )
        )
        # Who stays where it is would only solve the same game again.
        self._ended = last or after == self.temperatures
        if not self._ended:
            self.temperatures = (after[0], after[1])

    def _solve(self) -> None:
        """Iterate (3) at the present temperatures to the precision; append to the path."""
        from solvers.markov import _soft_kernels as kernels

        form = self._form
        tau, other = self.temperatures
        rows, cols = form.legal
        inner, worth = 0, np.empty(form.states)
        eta = self._mirror.eta
        decreasing = eta == "decreasing"
        left = math.inf
        gamma = form.discount
        for _ in range(_SWEEPS):
            # Early sweeps need not be exact: the gap follows the residual down.
            wanted = max(self._precision * (1.0 - gamma), min(1e-2, 0.01 * left) * (1.0 - gamma))
            spent, worst = kernels.soft_games(
                self._stages.q(self.v),
                rows,
                cols,
                form.terminal,
                tau,
                other,
                float(eta) if isinstance(eta, int | float) else 0.0,
                decreasing,
                _LOOKAHEADS.index(self._mirror.lookahead),
                _PROXES.index(self._mirror.prox),
                self._divergence,
                wanted,
                self._block,
                self._limit,
                self._policy,
                worth,
                self._gaps,
            )
            inner += spent
            moved = float(np.abs(worth - self.v).max())
            left = (gamma * moved + worst) / (1.0 - gamma)
            stuck = moved * gamma <= self._precision * (1.0 - gamma) and worst > wanted
            self.v = worth.copy()
            if left <= self._precision or stuck:
                break
        self.path.append(self._point(inner, left))

    def _point(self, inner: int, residual: float) -> PathPoint:
        form = self._form
        found = certify(form, self.answer())
        halves = np.split(self._policy[~form.terminal], [form.actions[0]], axis=1)
        entropies = [
            float(-(half * np.log(np.maximum(half, 1e-300))).sum(axis=1).mean()) for half in halves
        ]
        return PathPoint(
            temperatures=self.temperatures,
            value=found["value_0"].value,
            entropies=(entropies[0], entropies[1]),
            nash_gap=found["nash_gap"].value,
            bound=bound(form, self.temperatures),
            inner_iterations=inner,
            residual=residual,
        )

    def answer(self) -> ProductPolicy:
        """Return the policies at the last temperatures."""
        halves = np.split(self._policy, [self._form.actions[0]], axis=1)
        tables = tuple((h / h.sum(axis=1, keepdims=True))[None].copy() for h in halves)
        return ProductPolicy(self._key, tables)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the values and the path, shape (N, columns of `PATH`)."""
        rows = np.array([p.row() for p in self.path]).reshape(-1, len(PATH))
        return {
            "iteration": np.array(self.iteration),
            "v": self.v,
            "path": rows,
            "warm": self._policy.copy(),
            "temperatures": np.array(self.temperatures),
            "ended": np.array(self._ended),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self.v, self._policy = arrays["v"].copy(), arrays["warm"].copy()
        self.path = path_of(arrays["path"])
        tau, other = (float(t) for t in arrays["temperatures"])
        self.temperatures = (tau, other)
        self.iteration, self._ended = int(arrays["iteration"]), bool(arrays["ended"])


def path_of(rows: Reals) -> list[PathPoint]:
    """Return the path that `Solution.state["path"]` holds."""
    return [
        PathPoint((r[0], r[1]), r[2], (r[3], r[4]), r[5], r[6], int(r[7]), r[8])
        for r in rows.tolist()
    ]


def _start(problem: Problem) -> SoftShapley:
    chosen = problem.settings
    plans = []
    for seat in range(2):
        end = positive(f"temperature_{seat}", chosen[f"temperature_{seat}"])
        start = positive(f"start_{seat}", chosen[f"start_{seat}"])
        plans.append(
            schedule(
                chosen[f"schedule_{seat}"],
                start=max(start, end),
                end=end,
                options={name: chosen[name] for name in ("factor", "tolerance", "level")},
            )
        )
    return SoftShapley(
        problem.form,
        problem.key,
        (plans[0], plans[1]),
        algorithm=chosen["algorithm"],
        divergence=flag("divergence", chosen["divergence"]),
        precision=positive("precision", chosen["precision"]),
        limit=whole("limit", chosen["limit"], least=1),
    )


def _facts(method: SoftShapley, problem: Problem) -> dict[str, Gap]:
    """Return the bound (4) and the residual at the last temperatures."""
    if not method.path:
        return {}
    here = method.path[-1]
    return {"nash_bound": Gap(here.bound, "upper"), "qre_residual": Gap(here.residual, "upper")}


def soft_shapley() -> MarkovSolver:
    """Quantal response equilibrium along a schedule of temperatures."""
    return MarkovSolver(
        "soft_shapley",
        _start,
        {
            "temperature_0": 0.01,
            "temperature_1": 0.01,
            "start_0": 1.0,
            "start_1": 1.0,
            "schedule_0": "geometric",
            "schedule_1": "geometric",
            "factor": 0.5,
            "tolerance": 0.01,
            "level": 0.0,
            "algorithm": "nash_mp",
            "divergence": False,
            "precision": 1e-8,
            "limit": 20_000,
        },
        traits=Traits(zero_sum=True, discounted=True),
        gap="nash_gap",
        more=_facts,
        quick_gap=lambda method, problem: method.path[-1].nash_gap if method.path else math.inf,
    )
