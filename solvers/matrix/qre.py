"""Logit quantal response equilibria of n seats along the principal branch.

With x = ln π over all actions of all seats, u(π) the payoff of each action and λ the
precision (1/temperature), the equilibria of precision λ are the zeros of

    F(x, s) = x − λ u(e^x) + ln Σ_seat e^(λ u(e^x)),   λ = e^s                            (1)

The principal branch starts at uniform play (λ = 0). It is followed by pseudo-arclength
continuation: step along the tangent, then Newton's method in the plane across it, with
lengths weighted by π so that actions that are hardly played do not shorten the steps. The
branch may fold back in λ; at a bifurcation it goes straight on.

Sources: McKelvey and Palfrey 1995, "Quantal response equilibria for normal form games";
Turocy 2005, "A dynamic homotopy interpretation of the logistic QRE correspondence";
Allgower and Georg 1990, "Numerical Continuation Methods", chapters 6 and 10.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve

from arena.errors import ArenaError
from arena.solver import Gap
from games.normal_form import NormalForm
from solvers._threads import one_thread
from solvers.loop import positive
from solvers.matrix.certificates import certify_qre
from solvers.matrix.run import MatrixSolver

__all__ = ["Branch", "LogitPath", "logit_branch", "logit_qre"]

Reals = NDArray[np.float64]

_START = 1e-2
_FAR = 1e6
_SMALL = 600
"""Actions in all up to which linear algebra runs on one thread."""
_FIRST_STEP, _LEAST_STEP, _GREATEST_STEP = 0.2, 1e-8, 0.3
_COSINE = 0.95
_MOST_POINTS = 20_000
_DISTANCE = 0.02
"""How far, in weighted length, a predictor should land from the branch."""


@dataclass(frozen=True, eq=False)
class Branch:
    """Points of the principal branch, in the order in which they were met.

    Attributes:
        precision: λ at each point, per payoff unit, shape (T,); it need not rise throughout.
        profiles: strategies of all seats side by side, shape (T, ΣA).
        actions: number of actions of each seat.
    """

    precision: Reals
    profiles: Reals
    actions: tuple[int, ...]

    def profile(self, point: int = -1) -> list[Reals]:
        """Return the strategies at a point, one array a seat."""
        return list(np.split(self.profiles[point], np.cumsum(self.actions)[:-1]))


class _Field:
    """F and its derivatives. Payoffs are in units of their range."""

    def __init__(self, payoffs: Reals) -> None:
        self.seats = len(payoffs)
        self.actions = payoffs.shape[1:]
        self.unit = max((float(np.ptp(pay)) for pay in payoffs), default=1.0) or 1.0
        self._pay = [np.ascontiguousarray(pay) / self.unit for pay in payoffs]
        ends = np.cumsum(self.actions)
        self.spans = [slice(int(e - a), int(e)) for a, e in zip(self.actions, ends, strict=True)]
        self.size = int(ends[-1])
        self._fixed: Reals | None = None

    def slopes(self, policy: Reals) -> Reals:
        """Return ∂u/∂π, shape (D, D): zero within a seat, constant for two seats."""
        if self._fixed is not None:
            return self._fixed
        out = np.zeros((self.size, self.size))
        parts = [policy[span] for span in self.spans]
        for seat in range(self.seats):
            for other in range(self.seats):
                if other != seat:
                    block = self._pay[seat]
                    for axis in reversed(range(self.seats)):
                        if axis not in (seat, other):
                            block = np.tensordot(block, parts[axis], axes=(axis, 0))
                    block = block if seat < other else block.T
                    out[self.spans[seat], self.spans[other]] = block
        if self.seats == 2:
            self._fixed = out
        return out

    def worth(self, policy: Reals, slopes: Reals) -> Reals:
        """Return u(π), shape (D,)."""
        if self.seats == 1:
            return self._pay[0]
        # u is linear in each other seat, so Σ_other ∂u/∂π_other · π_other counts it n − 1 times.
        worth: Reals = slopes @ policy / (self.seats - 1)
        return worth

    def at(self, x: Reals, s: float) -> tuple[Reals, Reals, Reals]:
        """Return F (D,), ∂F/∂x (D, D) and ∂F/∂s (D,)."""
        rate = math.exp(s)
        policy = np.exp(np.minimum(x, 1.0))
        slopes = self.slopes(policy)
        worth = self.worth(policy, slopes)
        value, by_s = x.copy(), np.empty(self.size)
        by_x = slopes * (-rate * policy)
        for span in self.spans:
            logits = rate * worth[span]
            shifted = logits - logits.max()
            log_sum = math.log(float(np.exp(shifted).sum()))
            response = np.exp(shifted - log_sum)
            value[span] -= shifted - log_sum
            for other in self.spans:
                if other is not span:  # within a seat there is nothing to take off
                    by_x[span, other] -= response @ by_x[span, other]
            by_s[span] = -rate * (worth[span] - response @ worth[span])
        by_x[np.diag_indices(self.size)] += 1.0
        return value, by_x, by_s

    def bordered(self, by_x: Reals, by_s: Reals, row: Reals) -> Callable[[Reals, float], Reals]:
        """Return the solver of [∂F/∂x, ∂F/∂s; row] z = (right, last).

        Within a seat ∂F/∂x is the identity, so of two seats the first is eliminated.
        """
        if self.seats != 2:
            system = np.empty((self.size + 1, self.size + 1))
            system[:-1, :-1], system[:-1, -1], system[-1] = by_x, by_s, row
            whole = lu_factor(system, check_finite=False)
            return lambda right, last: np.asarray(
                lu_solve(whole, np.append(right, last), check_finite=False)
            )
        m = self.actions[0]
        # The other seat and s, and what they do to the first seat.
        edge = np.column_stack([by_x[:m, m:], by_s[:m]])
        below = np.vstack([by_x[m:, :m], row[None, :m]])
        rest = np.empty((self.size + 1 - m, self.size + 1 - m))
        rest[:-1, :-1], rest[:-1, -1], rest[-1] = by_x[m:, m:], by_s[m:], row[m:]
        rest -= below @ edge
        factors = lu_factor(rest, overwrite_a=True, check_finite=False)

        def solve(right: Reals, last: float) -> Reals:
            tail = np.append(right[m:], last) - below @ right[:m]
            tail = lu_solve(factors, tail, check_finite=False)
            return np.concatenate([right[:m] - edge @ tail, tail])

        return solve

    def settle(self, x: Reals, s: float, *, limit: int = 30) -> Reals:
        """Return the zero of F(·, s) next to x by Newton's method.

        Raises:
            ArenaError: there is none near.
        """
        least, best = math.inf, x
        for _ in range(limit):
            value, by_x, _ = self.at(x, s)
            weight = np.exp(np.minimum(x, 0.0))
            size = float(np.abs(value * weight).max())
            if size >= least and least < 1e-9:
                return best
            if size < least:
                least, best = size, x
            x = x - lu_solve(lu_factor(by_x, check_finite=False), value, check_finite=False)
            if not np.isfinite(x).all():
                break
        if least < 1e-9:
            return best
        raise ArenaError(f"Newton's method found no quantal response equilibrium at λ = e^{s:g}")


class LogitPath:
    """A walk along the principal branch; one iteration is one step.

    Args:
        payoffs: shape (n, A_1, …, A_n).
        precision: λ where the walk ends, per payoff unit; None: 1e6 per payoff range.
    """

    def __init__(self, payoffs: Reals, precision: float | None) -> None:
        self._field = field = _Field(payoffs)
        self._end = math.log(_FAR if precision is None else precision * field.unit)
        self.iteration = 0
        self._done = False
        self._x = -np.log(np.repeat(field.actions, field.actions).astype(np.float64))
        self._points: list[Reals] = [np.exp(self._x)]
        self._rates: list[float] = [0.0]
        self._step = _FIRST_STEP
        self._tangent = np.zeros(0)
        self._s = min(math.log(_START), self._end)
        with one_thread() if field.size <= _SMALL else nullcontext():
            self._x = field.settle(self._x, self._s)
        self._keep()
        if self._s >= self._end:
            self._done = True

    def _keep(self) -> None:
        self._points.append(self._normal(self._x))
        self._rates.append(math.exp(self._s))

    def _normal(self, x: Reals) -> Reals:
        policy = np.exp(x)
        for span in self._field.spans:
            policy[span] /= policy[span].sum()
        return policy

    def advance(self, count: int) -> int:
        """Take up to `count` steps, fewer if the end of the branch is reached."""
        taken = 0
        with one_thread() if self._field.size <= _SMALL else nullcontext():
            while taken < count and not self._done:
                self._take()
                taken += 1
                self.iteration += 1
        return taken

    def _take(self) -> None:
        field = self._field
        if len(self._points) > _MOST_POINTS:
            raise ArenaError(
                f"the branch is not at its end after {_MOST_POINTS} points, at precision"
                f" {math.exp(self._s) / field.unit:g}"
            )
        weight = np.append(np.exp(self._x), 1.0)
        if not len(self._tangent):
            _, by_x, by_s = field.at(self._x, self._s)
            slope = lu_solve(lu_factor(by_x, check_finite=False), -by_s, check_finite=False)
            self._tangent = np.append(slope, 1.0)
            self._tangent /= _length(self._tangent, weight)
        while True:
            if self._step < _LEAST_STEP:
                raise ArenaError(
                    "the principal branch cannot be followed beyond precision"
                    f" {math.exp(self._s) / field.unit:g} (steps below {_LEAST_STEP:g})"
                )
            guess = np.append(self._x, self._s) + self._step * self._tangent
            found = self._correct(guess, weight)
            if found is not None:
                break
            self._step *= 0.5
        point, tangent, distance = found
        if point[-1] >= self._end:
            self._finish(point, tangent)
            return
        self._x, self._s, self._tangent = point[:-1], float(point[-1]), tangent
        self._keep()
        growth = math.sqrt(_DISTANCE / max(distance, 1e-12))
        self._step = min(_GREATEST_STEP, self._step * min(2.0, max(0.5, growth)))

    def _correct(self, z: Reals, weight: Reals) -> tuple[Reals, Reals, float] | None:
        """Return the point on the branch across from z, the tangent there, and how far it was."""
        field, row = self._field, self._tangent * weight
        first = last = 0.0
        for round_ in range(8):
            value, by_x, by_s = field.at(z[:-1], float(z[-1]))
            solve = field.bordered(by_x, by_s, row)
            move = solve(-value, 0.0)
            size = _length(move, weight)
            if round_ == 0:
                first = size
            far = size > (10 * _DISTANCE if round_ == 0 else max(0.4 * last, 1e-9))
            if far or not math.isfinite(size):
                return None
            z = z + move
            last = size
            if size < 1e-7:
                tangent = solve(np.zeros(field.size), 1.0)
                new_weight = np.append(np.exp(np.minimum(z[:-1], 0.0)), 1.0)
                tangent /= _length(tangent, new_weight)
                # Tangents that turn by more may belong to another branch.
                mean = np.sqrt(weight * new_weight)
                if float((tangent * mean) @ self._tangent) < _COSINE:
                    return None
                return z, tangent, first
        return None

    def _finish(self, beyond: Reals, tangent: Reals) -> None:
        """Go back from a point beyond the end to the end itself."""
        share = (self._end - self._s) / (float(beyond[-1]) - self._s)
        between = self._x + share * (beyond[:-1] - self._x)
        near = beyond[:-1] - (float(beyond[-1]) - self._end) / tangent[-1] * tangent[:-1]
        for guess in (between, near):
            try:
                x = self._field.settle(guess, self._end)
            except ArenaError:
                continue
            policy, old = np.exp(x), np.exp(between)
            if float(np.abs(policy - old).max()) < 0.1:
                self._x, self._s, self._done = x, self._end, True
                self._keep()
                return
        # The two points lie on different sides of a fold: come closer first.
        self._step *= 0.25
        if self._step < _LEAST_STEP:
            raise ArenaError("the principal branch turns back where it should end")

    def answer(self) -> list[Reals]:
        """Return the strategies at the last point, one array a seat."""
        policy = self._normal(self._x)
        return [policy[span] for span in self._field.spans]

    @property
    def precision(self) -> float:
        """λ at the last point, per payoff unit."""
        return math.exp(self._s) / self._field.unit

    def branch(self) -> Branch:
        """Return all points so far."""
        return Branch(
            np.array(self._rates) / self._field.unit,
            np.array(self._points),
            tuple(self._field.actions),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the branch and where the walk stands."""
        return {
            "branch_precision": np.array(self._rates) / self._field.unit,
            "branch": np.array(self._points),
            "position": np.append(self._x, self._s),
            "tangent": self._tangent,
            "step": np.array(self._step),
            "iteration": np.array(self.iteration),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._points = list(arrays["branch"].astype(np.float64))
        self._rates = (arrays["branch_precision"] * self._field.unit).tolist()
        self._x, self._s = arrays["position"][:-1].copy(), float(arrays["position"][-1])
        self._tangent, self._step = arrays["tangent"].copy(), float(arrays["step"])
        self.iteration = int(arrays["iteration"])
        self._done = self._s >= self._end


def _length(move: Reals, weight: Reals) -> float:
    return math.sqrt(float((move * move) @ weight))


def logit_branch(form: NormalForm, *, precision: float | None = None) -> Branch:
    """Return the principal branch of logit equilibria.

    Args:
        form: any number of seats, any payoffs.
        precision: λ = 1/temperature where to end, per payoff unit; by default 1e6 divided
            by the payoffs' range, which is as good as a Nash equilibrium.

    Raises:
        ParameterError: a precision that is not positive.
        ArenaError: the branch could not be followed.
    """
    if precision is not None:
        positive("precision", precision)
    path = LogitPath(np.asarray(form.payoffs, dtype=np.float64), precision)
    while path.advance(1000):
        pass
    return path.branch()


def _start(
    form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
) -> LogitPath:
    temperature = settings["temperature"]
    if temperature is not None:
        temperature = positive("temperature", temperature)
    precision = None if temperature is None else 1.0 / temperature
    return LogitPath(np.asarray(form.payoffs, dtype=np.float64), precision)


def _certify(
    form: NormalForm, profile: Sequence[Reals], settings: Mapping[str, Any]
) -> Mapping[str, Gap]:
    if settings["temperature"] is None:
        return {}
    return certify_qre(form, profile, temperature=float(settings["temperature"]))


def logit_qre() -> MatrixSolver:
    """The principal branch of logit equilibria, to a temperature or towards Nash.

    With `temperature` (in payoff units) the answer is the equilibrium there; without, the
    branch is followed until exploitability is at most `until` or precision 1e6 per payoff
    range. `Solution.state` holds the branch: `branch_precision` and `branch`.
    """
    return MatrixSolver(
        "logit_qre", _start, {"temperature": None}, iterations=None, certify=_certify
    )
