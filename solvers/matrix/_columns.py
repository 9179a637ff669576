"""The linear programs of correlated equilibria, by columns that are made when needed.

For σ ≥ 0 over joint actions, Σσ = 1 and c a price of joint actions:

    maximise cᵀσ   under   Gσ ≤ 0                                                          (1)

CCE: row (p, b) of G holds u_p(b, a_−p) − u_p(a). CE: row (p, a', b) holds the same where
a_p = a', and 0 elsewhere. G is never built: an optimal σ has few joint actions, so a small
program over some of them is solved by HiGHS, all others are priced with its multipliers y
by products of the payoff tensor, those with a positive reduced cost c − Gᵀy − ν are added,
and so on until there are none (Gilmore and Gomory 1961). One more column, which relaxes
all rows at a high price, keeps the small program feasible.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from games.normal_form import NormalForm

__all__ = ["Gains", "maximise"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_PRICE = 1e-10
_ROUNDS = 10_000
_PATIENCE = 6
_ENTRIES = 50_000_000
"""Rounds after which a program that is still relaxed takes all its columns (five times as
many for others), and the entries of G up to which any does."""


class Gains:
    """What seats gain by deviating: the matrix G of (1), in units of the payoffs' range.

    Args:
        form: the game.
        coarse: CCE rows, else CE rows.

    Attributes:
        rows: number of rows m.
        size: number of joint actions J.
    """

    def __init__(self, form: NormalForm, *, coarse: bool) -> None:
        self.coarse = coarse
        self.actions = form.actions
        self.size = math.prod(form.actions)
        self.unit = float(np.ptp(form.payoffs, axis=tuple(range(1, form.seats + 1))).max()) or 1.0
        # Own axis first, so that a seat's row of alternatives is a column here: (A, J / A).
        self._pay = [
            np.ascontiguousarray(np.moveaxis(pay, seat, 0)).reshape(form.actions[seat], -1)
            / self.unit
            for seat, pay in enumerate(form.payoffs)
        ]
        counts = [a if coarse else a * a for a in form.actions]
        self._first = np.concatenate([[0], np.cumsum(counts)])
        self.rows = int(self._first[-1])

    def _split(self, joint: Ints) -> list[tuple[Ints, Ints]]:
        """Return for each seat its own action and the place of the others', shape (K,) each."""
        where = np.unravel_index(joint, self.actions)
        out = []
        for seat in range(len(self.actions)):
            others = [k for k in range(len(self.actions)) if k != seat]
            rest = np.zeros(len(joint), dtype=np.int64)
            for k in others:
                rest = rest * self.actions[k] + where[k]
            out.append((where[seat].astype(np.int64), rest))
        return out

    def columns(self, joint: Ints) -> tuple[Ints, Reals]:
        """Return the rows and values of some columns of G, shape (K, ΣA) both."""
        rows, values = [], []
        for seat, (own, rest) in enumerate(self._split(joint)):
            pay = self._pay[seat]
            count = self.actions[seat]
            alternatives = np.arange(count)[None, :]
            offset = 0 if self.coarse else own[:, None] * count
            rows.append(
                self._first[seat] + offset + np.broadcast_to(alternatives, (len(own), count))
            )
            values.append(pay[:, rest].T - pay[own, rest][:, None])
        return np.concatenate(rows, axis=1), np.concatenate(values, axis=1)

    def transposed(self, y: Reals) -> Reals:
        """Return Gᵀ y, shape (J,)."""
        total = np.zeros(self.actions)
        for seat, count in enumerate(self.actions):
            weight = y[self._first[seat] : self._first[seat + 1]]
            pay = self._pay[seat]
            if self.coarse:
                part = (weight @ pay)[None, :] - weight.sum() * pay
            else:
                table = weight.reshape(count, count).copy()
                np.fill_diagonal(table, 0.0)
                busy = np.flatnonzero(table.any(axis=0))
                part = table[:, busy] @ pay[busy] - table.sum(axis=1)[:, None] * pay
            rest = [a for k, a in enumerate(self.actions) if k != seat]
            total += np.moveaxis(part.reshape(count, *rest), 0, seat)
        return total.ravel()

    def times(self, sigma: Reals) -> Reals:
        """Return G σ, shape (m,)."""
        shaped = sigma.reshape(self.actions)
        out = []
        for seat, count in enumerate(self.actions):
            weight = np.moveaxis(shaped, seat, 0).reshape(count, -1)
            earned = weight @ self._pay[seat].T
            gain = earned - np.diagonal(earned)[:, None]
            out.append(gain.sum(axis=0) if self.coarse else gain.ravel())
        return np.concatenate(out)


def maximise(gains: Gains, price: Reals, allowed: Ints | None = None) -> Reals:
    """Return a distribution that solves (1), shape (J,), with the support of a vertex.

    Args:
        gains: G.
        price: c, shape (J,).
        allowed: joint actions that may be played; by default all.

    Raises:
        ArenaError: HiGHS gave up, or no equilibrium plays only what is allowed.
    """
    return _Program(gains, price, allowed).run()


class _Program:
    """The small program over some of the columns."""

    def __init__(self, gains: Gains, price: Reals, allowed: Ints | None) -> None:
        import highspy

        self._highspy = highspy
        self._gains = gains
        self._allowed = allowed
        span = float(np.ptp(price)) or 1.0
        self._price = (price - price.mean()) / span
        self._inside = np.zeros(gains.size, dtype=np.bool_)
        if allowed is not None:
            self._inside[:] = True
            self._inside[allowed] = False
        self._kept = np.zeros(0, dtype=np.int64)
        self._batch = max(100, gains.rows // 2 if gains.coarse else sum(gains.actions))
        self._penalty = 100.0
        self._highs = self._empty()

    def _empty(self) -> Any:
        """Return the program with nothing but the relaxing column."""
        highspy, m = self._highspy, self._gains.rows
        inf = highspy.kHighsInf
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = m + 1, 1
        lp.row_lower_ = np.append(np.full(m, -inf), 1.0)
        lp.row_upper_ = np.append(np.zeros(m), 1.0)
        lp.col_cost_ = np.array([-self._penalty])
        lp.col_lower_, lp.col_upper_ = np.zeros(1), np.full(1, inf)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.array([0, m], dtype=np.int32)
        lp.a_matrix_.index_ = np.arange(m, dtype=np.int32)
        lp.a_matrix_.value_ = np.full(m, -1.0)
        lp.sense_ = highspy.ObjSense.kMaximize
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("presolve", "off")
        highs.setOptionValue("primal_feasibility_tolerance", 1e-10)
        highs.setOptionValue("dual_feasibility_tolerance", 1e-10)
        highs.passModel(lp)
        return highs

    def _add(self, joint: Ints) -> None:
        rows, values = self._gains.columns(joint)
        count = len(rows)
        index = np.concatenate([rows, np.full((count, 1), self._gains.rows)], axis=1)
        body = np.concatenate([values, np.ones((count, 1))], axis=1)
        kept = body != 0.0
        lengths = kept.sum(axis=1)
        starts = np.concatenate([[0], np.cumsum(lengths)])
        self._highs.addCols(
            count,
            self._price[joint],
            np.zeros(count),
            np.full(count, self._highspy.kHighsInf),
            int(starts[-1]),
            starts[:-1].astype(np.int32),
            index[kept].astype(np.int32),
            body[kept],
        )
        self._inside[joint] = True
        self._kept = np.concatenate([self._kept, joint])

    def run(self) -> Reals:
        """Solve, price, add, until nothing is to be gained."""
        start = np.flatnonzero(~self._inside) if self._allowed is not None else None
        pool = np.arange(self._gains.size) if start is None else start
        best = _largest(self._price[pool], self._batch)
        self._add(pool[best])
        relaxed, whole = True, len(pool) * sum(self._gains.actions) > _ENTRIES
        for round_ in range(_ROUNDS):
            if not whole and round_ >= (_PATIENCE if relaxed else 5 * _PATIENCE):
                self._take_all()
                whole = True
            self._solve()
            found = self._highs.getSolution()
            relaxed = float(found.col_value[0]) > 1e-7
            y = np.asarray(found.row_dual)
            reduced = self._price - self._gains.transposed(y[:-1]) - y[-1]
            reduced[self._inside] = -1.0
            count = int((reduced > _PRICE).sum())
            if count:
                self._add(_largest(reduced, min(count, self._batch)))
                continue
            value = np.asarray(found.col_value)
            if value[0] <= 1e-9 or self._penalty > 1e9:
                return self._exact(value)
            self._penalty *= 100.0
            self._highs.changeColCost(0, -self._penalty)
        raise ArenaError(f"column generation did not end within {_ROUNDS} rounds")

    def _take_all(self) -> None:
        """Hand the whole program to HiGHS: degenerate ones are faster with its presolve."""
        self._add(np.flatnonzero(~self._inside))
        self._highs.clearSolver()
        self._highs.setOptionValue("presolve", "on")

    def _solve(self) -> None:
        self._highs.run()
        status = self._highs.getModelStatus()
        if status != self._highspy.HighsModelStatus.kOptimal:
            words = self._highs.modelStatusToString(status)
            raise ArenaError(f"HiGHS gave up on a correlated equilibrium: {words}")

    def _exact(self, value: Reals) -> Reals:
        """Return σ, solved anew from its basis if that is closer to feasible."""
        if value[0] > 1e-7:
            raise ArenaError(
                "no equilibrium plays only the allowed joint actions"
                if self._allowed is not None
                else f"HiGHS left a gap of {value[0] * self._gains.unit:g}"
            )
        rough = self._spread(np.maximum(value[1:], 0.0))
        basis = self._highs.getBasis()
        basic = self._highspy.HighsBasisStatus.kBasic
        cols = np.array([s == basic for s in basis.col_status], dtype=np.bool_)
        rows = np.flatnonzero([s != basic for s in basis.row_status])
        if cols[0] or int(cols.sum()) != len(rows) or not len(rows):
            return rough
        joint = self._kept[cols[1:]]
        index, body = self._gains.columns(joint)
        place = np.full(self._gains.rows + 1, -1)
        place[rows] = np.arange(len(rows))
        system = np.zeros((len(rows), len(joint)))
        at = place[index]
        column = np.broadcast_to(np.arange(len(joint))[:, None], at.shape)
        system[at[at >= 0], column[at >= 0]] = body[at >= 0]
        right = np.zeros(len(rows))
        if place[-1] >= 0:
            system[place[-1]] = 1.0
            right[place[-1]] = 1.0
        try:
            exact = np.linalg.solve(system, right)
        except np.linalg.LinAlgError:
            return rough
        refined = np.zeros(self._gains.size)
        refined[joint] = np.maximum(exact, 0.0)
        if not np.isfinite(refined).all() or not refined.sum() > 0:
            return rough
        refined /= refined.sum()
        return refined if self._excess(refined) <= self._excess(rough) else rough

    def _excess(self, sigma: Reals) -> float:
        return float(self._gains.times(sigma).max())

    def _spread(self, value: Reals) -> Reals:
        out = np.zeros(self._gains.size)
        out[self._kept] = value
        return np.asarray(out / out.sum())


def _largest(values: Reals, count: int) -> Ints:
    """Return the places of the `count` largest values."""
    if count >= len(values):
        return np.arange(len(values))
    return np.argpartition(values, len(values) - count)[len(values) - count :]
