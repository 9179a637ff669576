"""Zero-sum Markov games: value iteration (Shapley) and policy iteration (Hoffman–Karp).

With q(s, a, b) = r(s, a, b) + γ Σ P(s' | s, a, b) v(s'), and val the value of a matrix game:

    Shapley 1953          v ← val q(s)                                                    (1)
    Hoffman, Karp 1966    y(s) ← the column seat's optimal strategy of q(s);
                          v ← the value of the row seat's best reply to y for ever        (2)

Over a horizon H, (1) from v = 0, H times, is exact and keeps every step's strategies.

Without a horizon: if d = Tv − v, the value lies between Tv + γ/(1−γ) min(d, 0) and
Tv + γ/(1−γ) max(d, 0) (MacQueen 1966), in every state. The certificate is independent of
that: both seats' best replies to the strategies found, by dynamic programming.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from arena.solver import Gap
from games.markov.form import MarkovGame
from games.markov.parts import check_memory
from solvers.loop import whole
from solvers.markov.policy import ProductPolicy
from solvers.markov.run import MarkovSolver, Problem, Traits

__all__ = ["Stages", "ZeroSum", "hoffman_karp", "shapley"]

Reals = NDArray[np.float64]

_TRUSTED = 1e-11
"""Duality gap, in units of a state's payoff range, above which HiGHS solves again."""
_STILL = 1e-13


class Stages:
    """Stage games of all states, solved at once.

    Attributes:
        x, y: optimal strategies of the last call, (S, A) and (S, B).
    """

    def __init__(self, form: MarkovGame) -> None:
        self.form = form
        self._q = np.empty((form.states, form.joint))
        self._gaps = np.zeros(form.states)
        self.x = np.zeros((form.states, form.actions[0]))
        self.y = np.zeros((form.states, form.actions[1]))

    def q(self, v: Reals) -> Reals:
        """Return q of values (S,), shape (S, J); valid until the next call."""
        from solvers.markov import _kernels as kernels

        form = self.form
        kernels.backup(
            form.reward[0],
            form.indptr,
            form.indices,
            form.probability,
            form.discount,
            v,
            0,
            form.states,
            self._q,
        )
        return self._q

    def values(self, v: Reals) -> Reals:
        """Apply (1) to values (S,), and keep the strategies in `x` and `y`."""
        from solvers.markov import _kernels as kernels

        form, q = self.form, self.q(v)
        worth = np.empty(form.states)
        rows, cols = form.legal
        kernels.matrix_games(
            q, rows, cols, form.terminal, 0, form.states, worth, self.x, self.y, self._gaps
        )
        doubtful = (self._gaps < 0) | (self._gaps > _TRUSTED)
        for s in np.flatnonzero(doubtful):
            self._again(q, int(s), worth)
        return worth

    def _again(self, q: Reals, s: int, worth: Reals) -> None:
        """Solve one state by HiGHS; modified in place: worth, x, y."""
        from solvers.matrix.two_seats import zero_sum

        rows, cols = (np.flatnonzero(mask[s]) for mask in self.form.legal)
        a = q[s].reshape(self.form.actions)[np.ix_(rows, cols)]
        own, other = zero_sum(a, algorithm="highs")
        self.x[s], self.y[s] = 0.0, 0.0
        self.x[s, rows], self.y[s, cols] = own, other
        worth[s] = own @ a @ other

    def replies(self, v: Reals, policy: Reals, *, seat: int) -> Reals:
        """Return the value of `seat`'s best reply for one step, then v, shape (S,)."""
        from solvers.markov import _kernels as kernels

        form = self.form
        worth = np.empty(form.states)
        rows, cols = form.legal
        kernels.best_replies(
            self.q(v), rows, cols, policy, seat == 0, form.terminal, 0, form.states, worth
        )
        return worth


class ZeroSum:
    """A running method; one iteration is one sweep of (1), or one step of (2).

    Args:
        form: two seats, zero sum.
        key: its key.
        karp: (2) instead of (1).
        sweeps: the most sweeps of a best reply in (2).
    """

    def __init__(self, form: MarkovGame, key: str, *, karp: bool, sweeps: int = 100_000) -> None:
        self._form, self._key, self._karp, self._sweeps = form, key, karp, sweeps
        self._stages = Stages(form)
        self.iteration = 0
        self.v = np.zeros(form.states)
        self.low, self.high = np.full(form.states, -np.inf), np.full(form.states, np.inf)
        horizon = form.horizon
        stages = horizon or 1
        check_memory(float(stages) * form.states * sum(form.actions), "the policy")
        self._tables = [np.zeros((stages, *legal.shape)) for legal in form.legal]
        for table, legal in zip(self._tables, form.legal, strict=True):
            table[:] = legal / legal.sum(axis=1, keepdims=True)
        low, high = form.bounds
        self._scale = max(abs(low), abs(high), 1e-300) / max(1.0 - form.discount, 1e-300)

    def advance(self, count: int) -> int:
        """Sweep up to `count` times."""
        done = 0
        while done < count and not self._over():
            if self._form.horizon is None:
                self._endless()
            else:
                self.v = self._stages.values(self.v)
                self._keep(self._form.horizon - 1 - self.iteration)
                self.low = self.high = self.v
            self.iteration += 1
            done += 1
        return done

    def _over(self) -> bool:
        if self._form.horizon is not None:
            return self.iteration >= self._form.horizon
        return self.width <= _STILL * self._scale

    @property
    def width(self) -> float:
        """The greatest distance between the bounds."""
        return float((self.high - self.low).max())

    def _keep(self, stage: int) -> None:
        self._tables[0][stage] = self._stages.x
        self._tables[1][stage] = self._stages.y

    def _endless(self) -> None:
        form = self._form
        after = self._stages.values(self.v)
        self._keep(0)
        ahead = form.discount / (1.0 - form.discount)
        change = after - self.v
        going = ~form.terminal
        low = after + going * (ahead * min(float(change.min()), 0.0))
        high = after + going * (ahead * max(float(change.max()), 0.0))
        self.low, self.high = np.maximum(self.low, low), np.minimum(self.high, high)
        if not self._karp:
            self.v = after
            return
        y, v = self._stages.y.copy(), after
        for _ in range(self._sweeps):
            reply = self._stages.replies(v, y, seat=0)
            apart = float(np.abs(reply - v).max())
            v = reply
            if apart * ahead <= _STILL * self._scale:
                break
        else:
            raise ArenaError(f"a best reply did not settle within {self._sweeps} sweeps")
        self.v = v

    def answer(self) -> ProductPolicy:
        """Return both seats' strategies."""
        return ProductPolicy(self._key, tuple(table.copy() for table in self._tables))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return values and bounds, shapes (S,)."""
        bounds = {"low": self.low, "high": self.high}
        return {"iteration": np.array(self.iteration), "v": self.v, **bounds}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from values, and the policy that goes with them."""
        self.v = arrays["v"].astype(np.float64)
        self.low, self.high = arrays["low"].copy(), arrays["high"].copy()
        self._tables = [arrays[f"policy.table_{seat}"].copy() for seat in (0, 1)]
        self.iteration = int(arrays["iteration"])


def _start(problem: Problem, *, karp: bool) -> ZeroSum:
    sweeps = whole("sweeps", problem.settings["sweeps"], least=1) if karp else 1
    return ZeroSum(problem.form, problem.key, karp=karp, sweeps=sweeps)


def _bounds(method: ZeroSum, problem: Problem) -> dict[str, Gap]:
    """Return bounds on the first seat's value, from the initial distribution."""
    initial = problem.form.initial
    used = initial > 0
    low, high = (float(initial[used] @ b[used]) for b in (method.low, method.high))
    return {"value_low": Gap(low, "lower"), "value_high": Gap(high, "upper")}


def _width(method: ZeroSum, problem: Problem) -> float:
    if problem.form.horizon is not None and method.iteration < problem.form.horizon:
        return float("inf")
    return method.width


def shapley() -> MarkovSolver:
    """Shapley's value iteration; the trace is the width of the bounds."""
    return MarkovSolver(
        "shapley",
        lambda problem: _start(problem, karp=False),
        traits=Traits(zero_sum=True),
        gap="nash_gap",
        more=_bounds,
        quick_gap=_width,
    )


def hoffman_karp() -> MarkovSolver:
    """Hoffman–Karp policy iteration; the trace is the width of the bounds."""
    return MarkovSolver(
        "hoffman_karp",
        lambda problem: _start(problem, karp=True),
        {"sweeps": 100_000},
        traits=Traits(zero_sum=True, discounted=True),
        gap="nash_gap",
        more=_bounds,
        quick_gap=_width,
    )
