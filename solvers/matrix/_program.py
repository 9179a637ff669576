"""The linear programs of correlated equilibria, by rows and columns made when needed.

With G of `_gains` and c a price of joint actions:

    maximise cᵀσ   under   Gσ ≤ 0, Σσ = 1, σ ≥ 0                                           (1)

1. Joint actions that no equilibrium plays are left out (`Gains.playable`).
2. A small program over the dearest joint actions and none of the rows is solved by HiGHS;
   rows that its σ violates are added, and so on until there are none (Kelley 1960).
3. All other joint actions are priced with the multipliers y of the rows; those with a
   positive reduced cost c − Gᵀy − ν are added (Gilmore and Gomory 1961), back to 2, until
   there are none. One more column, which relaxes all rows at a high price, keeps the small
   program feasible.
4. A program that takes many pivots is handed to HiGHS as a whole: interior point, crossover.
5. σ is refined: the same program around it, the residuals scaled to one, gives a correction
   (Gleixner, Steffy and Wolter 2016, "Iterative refinement for linear programming").
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from solvers.matrix._gains import Gains

__all__ = ["maximise"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_PRICE = 1e-10
"""Reduced costs, and violations of rows, up to which nothing is added."""
_FIRST, _BATCH = 1000, 500
"""Columns in the first program, and how many are added at most each time."""
_ENTRIES = 50_000_000
"""Entries of G up to which a program is handed over as a whole."""
_EXACT, _GIVEN_UP = 1e-13, 1e-8
"""Violations, in units of a seat's range of payoffs: where refinement stops, and where it
is an error that it did not get there."""
_RELAXED = 1e-9
_SMALL = 600
"""Columns up to which a whole program is for the simplex method."""


def maximise(gains: Gains, price: Reals, allowed: Ints | None = None) -> Reals:
    """Return a distribution that solves (1), shape (J,), with the support of a vertex.

    Args:
        gains: G.
        price: c, shape (J,).
        allowed: joint actions that may be played; by default all.

    Raises:
        ArenaError: HiGHS gave up, or no equilibrium plays only what is allowed.
    """
    alive = gains.playable()
    if allowed is not None:
        inside = np.zeros(gains.size, dtype=np.bool_)
        inside[allowed] = True
        alive &= inside
    pool = np.flatnonzero(alive)
    if not len(pool):
        raise ArenaError("no equilibrium plays only the allowed joint actions")
    best = np.zeros(gains.size)
    best[pool[price[pool].argmax()]] = 1.0
    if not (gains.times(best) > 0).any():
        return best
    return _Program(gains, price, pool, allowed is not None).run()


class _Program:
    """The program over the rows and columns taken so far."""

    def __init__(self, gains: Gains, price: Reals, pool: Ints, restricted: bool) -> None:
        import highspy

        self._highspy, self._gains = highspy, gains
        self._pool, self._restricted = pool, restricted
        inside = price[pool]
        self._price = (price - inside.mean()) / (float(np.ptp(inside)) or 1.0)
        # Where each row of G is in the program, or −1; row 0 is Σσ = 1, column 0 relaxes.
        self._place = np.full(gains.rows, -1)
        self._kept = np.zeros(0, dtype=np.int64)
        self._out = np.zeros(gains.size, dtype=np.bool_)
        self._out[pool] = True
        self._penalty = 100.0
        self._pivots, self._budget = 0, 60 + len(pool) // 8
        if len(pool) * sum(gains.actions) > _ENTRIES:
            self._budget = 1 << 30
        self._empty()

    def _empty(self) -> Any:
        """Return the program with nothing but Σσ = 1 and the relaxing column."""
        highspy = self._highspy
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = 1, 1
        lp.row_lower_, lp.row_upper_ = np.ones(1), np.ones(1)
        lp.col_cost_ = np.array([-self._penalty])
        lp.col_lower_, lp.col_upper_ = np.zeros(1), np.full(1, highspy.kHighsInf)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.zeros(2, dtype=np.int32)
        lp.sense_ = highspy.ObjSense.kMaximize
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("presolve", "off")
        highs.setOptionValue("threads", 1)
        # By default entries up to 1e-9 would be dropped.
        highs.setOptionValue("small_matrix_value", 1e-12)
        self._highs = highs
        self._tolerance(1e-10)
        highs.passModel(lp)
        return highs

    def _add_columns(self, joint: Ints) -> None:
        rows, values = self._gains.columns(joint)
        place = self._place[rows]
        count = len(joint)
        index = np.concatenate([np.zeros((count, 1), dtype=np.int64), place], axis=1)
        body = np.concatenate([np.ones((count, 1)), np.where(place >= 0, values, 0.0)], axis=1)
        used = body != 0.0
        ends = np.cumsum(used.sum(axis=1))
        starts = np.concatenate([[0], ends[:-1]])
        self._highs.addCols(
            count,
            self._price[joint],
            np.zeros(count),
            np.full(count, self._highspy.kHighsInf),
            int(ends[-1]),
            starts.astype(np.int32),
            index[used].astype(np.int32),
            body[used],
        )
        self._out[joint] = False
        self._kept = np.concatenate([self._kept, joint])

    def _add_rows(self, rows: Ints) -> None:
        each, place, values = self._gains.block(rows, self._kept)
        ends = np.cumsum(each)
        # Each row begins with the relaxing column.
        at = ends - each
        index = np.insert(place + 1, at, 0)
        body = np.insert(values, at, -1.0)
        count = len(rows)
        self._place[rows] = self._highs.getNumRow() + np.arange(count)
        self._highs.addRows(
            count,
            np.full(count, -self._highspy.kHighsInf),
            np.zeros(count),
            len(index),
            (at + np.arange(count)).astype(np.int32),
            index.astype(np.int32),
            body,
        )

    def run(self) -> Reals:
        """Return an optimal σ, refined; by the whole program where a part of it fails."""
        handed_over = not self._by_parts()
        if handed_over:
            self._whole()
        best, worst = self._refined()
        if worst > _GIVEN_UP and not handed_over:
            self._whole()
            best, worst = min((best, worst), self._refined(), key=lambda found: found[1])
        if worst > _GIVEN_UP:
            raise ArenaError(
                f"HiGHS left a violation of {worst:g} of the payoffs' range in a correlated"
                " equilibrium"
            )
        return best

    def _by_parts(self) -> bool:
        """Solve, add rows and columns until there are none to add; False if that fails."""
        self._add_columns(self._pool[_largest(self._price[self._pool], _FIRST)])
        while True:
            if not self._solve():
                return False
            found = self._highs.getSolution()
            value, dual = np.asarray(found.col_value), np.asarray(found.row_dual)
            violated = self._gains.times(self._joint(value[1:])) - max(value[0], 0.0)
            violated[self._place >= 0] = 0.0
            rows = np.flatnonzero(violated > _PRICE)
            if len(rows):
                self._add_rows(rows)
                continue
            y = np.where(self._place >= 0, dual[self._place], 0.0)
            reduced = self._price - self._gains.transposed(y) - dual[0]
            reduced[~self._out] = -1.0
            count = int((reduced > _PRICE).sum())
            if count:
                self._add_columns(_largest(reduced, min(count, _BATCH)))
            elif value[0] <= _RELAXED:
                return True
            elif self._penalty < 1e9:
                self._penalty *= 100.0
                self._highs.changeColCost(0, -self._penalty)
            else:
                return False

    def _solve(self) -> bool:
        """Solve the program so far; False when that takes more pivots than are left."""
        self._highs.setOptionValue("simplex_iteration_limit", self._budget - self._pivots + 1)
        self._highs.run()
        self._pivots += self._highs.getInfo().simplex_iteration_count
        solved = self._highs.getModelStatus() == self._highspy.HighsModelStatus.kOptimal
        return bool(solved and self._pivots <= self._budget)

    def _whole(self) -> None:
        """Take all rows and columns, and solve that program by an interior-point method."""
        highs = self._empty()
        # An interior-point method pays dearly for a column that is fixed to 0.
        highs.deleteCols(1, np.zeros(1, dtype=np.int32))
        self._kept = np.zeros(0, dtype=np.int64)
        rows = self._gains.useful(self._pool)
        self._place = np.full(self._gains.rows, -1)
        self._place[rows] = 1 + np.arange(len(rows))
        highs.addRows(
            len(rows),
            np.full(len(rows), -self._highspy.kHighsInf),
            np.zeros(len(rows)),
            0,
            np.zeros(len(rows), dtype=np.int32),
            np.zeros(0, dtype=np.int32),
            np.zeros(0),
        )
        self._add_columns(self._pool)
        # The interior-point method is the faster one on large programs, without presolve.
        small = len(self._pool) <= _SMALL
        highs.setOptionValue("solver", "simplex" if small else "ipm")
        highs.setOptionValue("presolve", "on" if small else "off")
        self._tolerance(1e-7)
        highs.run()
        status = self._highspy.HighsModelStatus
        if highs.getModelStatus() != status.kOptimal:
            # Too hard without the simplex method, or infeasible.
            highs.clearSolver()
            highs.setOptionValue("solver", "simplex")
            highs.setOptionValue("presolve", "on")
            highs.run()
        if highs.getModelStatus() != status.kOptimal:
            words = highs.modelStatusToString(highs.getModelStatus())
            if self._restricted and highs.getModelStatus() == status.kInfeasible:
                raise ArenaError("no equilibrium plays only the allowed joint actions")
            raise ArenaError(f"HiGHS gave up on a correlated equilibrium: {words}")
        highs.setOptionValue("solver", "simplex")
        highs.setOptionValue("presolve", "off")
        self._tolerance(1e-10)

    def _tolerance(self, value: float) -> None:
        self._highs.setOptionValue("primal_feasibility_tolerance", value)
        self._highs.setOptionValue("dual_feasibility_tolerance", value)

    def _refined(self) -> tuple[Reals, float]:
        """Return σ + z/Δ, z from the program of the residuals, and its greatest violation."""
        highs, gains = self._highs, self._gains
        inf = self._highspy.kHighsInf
        # The relaxing column, if there still is one, must stay at 0.
        count = len(self._kept)
        before = highs.getNumCol() - count
        value = np.maximum(np.asarray(highs.getSolution().col_value)[before:], 0.0)
        best = self._joint(value / value.sum())
        worst = float(gains.times(best).max())
        highs.setOptionValue("simplex_iteration_limit", 100_000)
        if before:
            highs.changeColBounds(0, 0.0, 0.0)
        caution = 1.0
        for _ in range(8):
            if worst <= _EXACT:
                break
            residual = gains.times(best)
            missing = np.flatnonzero((residual > 0.1 * worst) & (self._place < 0))
            if len(missing):
                self._add_rows(missing)
            scale = caution / worst
            taken = np.flatnonzero(self._place >= 0)
            upper = np.zeros(highs.getNumRow())
            upper[self._place[taken]] = -scale * residual[taken]
            lower = np.full(len(upper), -inf)
            upper[0] = lower[0] = scale * (1.0 - float(best.sum()))
            highs.changeRowsBounds(
                len(upper), np.arange(len(upper), dtype=np.int32), lower, np.minimum(upper, inf)
            )
            highs.changeColsBounds(
                count,
                np.arange(before, before + count, dtype=np.int32),
                -scale * best[self._kept],
                np.full(count, inf),
            )
            highs.run()
            if highs.getModelStatus() != self._highspy.HighsModelStatus.kOptimal:
                # Residuals scaled to less than one leave HiGHS more room.
                caution *= 1e-2
                highs.clearSolver()
                continue
            move = np.asarray(highs.getSolution().col_value)[before:]
            better = best + self._joint(move) / scale
            np.maximum(better, 0.0, out=better)
            better /= better.sum()
            left = float(gains.times(better).max())
            if left >= worst:
                break
            best, worst = better, left
        return best, worst

    def _joint(self, value: Reals) -> Reals:
        out = np.zeros(self._gains.size)
        out[self._kept] = value
        return out


def _largest(values: Reals, count: int) -> Ints:
    """Return the places of the `count` largest values."""
    if count >= len(values):
        return np.arange(len(values))
    return np.argpartition(values, len(values) - count)[len(values) - count :]
