"""The linear programs of stage games by HiGHS, each started from the last basis of its state.

    maximise cᵀσ   under   Gσ ≤ 0, Σσ = 1, σ ≥ 0                                           (1)

G is `solvers.markov._kernels.gains`, in units of each seat's own payoff range. From one step
of backward induction to the next a state's program changes little, so the basis found
there is nearly optimal here: HiGHS starts from it. What it returns is solved anew from its
final basis, which takes the tolerances of floating-point pivots out of the answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from games.markov.form import MarkovGame
from solvers.markov.learners import legal_table, strides_of

__all__ = ["HighsStages", "grain_of"]

Reals = NDArray[np.float64]
Bases = NDArray[np.int8]

_TOLERANCE = 1e-10
_GRAIN = 1e-14


def grain_of(q: Reals) -> Reals:
    """Return the differences in payoffs (n, S, J) that are rounding, seat by seat, (n,)."""
    return np.asarray(_GRAIN * np.abs(q).max(axis=(1, 2)))


class HighsStages:
    """Solves the stage games of a Markov game, and remembers bases.

    Args:
        form: the game.
        coarse: CCE, else CE.

    Attributes:
        basis: HiGHS's status of every joint action and row by state, −1 before there is one,
            shape (S, J + m + 1), m the greatest number of rows of G.
        pivots: simplex iterations so far.
    """

    def __init__(self, form: MarkovGame, *, coarse: bool) -> None:
        import highspy

        self._highspy = highspy
        self._form, self._coarse = form, coarse
        self._strides = strides_of(form)
        self._counts = np.array(form.actions, dtype=np.int64)
        self._mask = form.legal_joint
        self._legal = legal_table(form)
        self._rows = sum(a if coarse else a * (a - 1) for a in form.actions)
        size = form.joint + self._rows + 1
        self.basis: Bases = np.full((form.states, size), -1, dtype=np.int8)
        self.pivots = 0
        self._statuses = {int(s): s for s in highspy.HighsBasisStatus.__members__.values()}
        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("presolve", "off")
        self._highs.setOptionValue("primal_feasibility_tolerance", _TOLERANCE)
        self._highs.setOptionValue("dual_feasibility_tolerance", _TOLERANCE)

    def solve(self, q: Reals, price: Reals, s: int) -> Reals:
        """Return the best (C)CE of one state, shape (J,).

        Args:
            q: (n, S, J).
            price: c, (S, J).
            s: the state; not a terminal one.

        Raises:
            ArenaError: HiGHS gave up.
        """
        from solvers.markov import _kernels as kernels

        columns = np.flatnonzero(self._mask[s])
        body = np.zeros((self._rows, len(columns)))
        rows = kernels.gains(
            q,
            s,
            self._counts,
            self._strides,
            self._legal[s],
            columns,
            self._coarse,
            grain_of(q),
            body,
        )
        body = body[:rows]
        value = price[s, columns]
        span = float(np.ptp(value))
        big = float(np.abs(q[:, s][:, columns]).max())
        cost = (value - value.mean()) / span if span > 1e-12 * big else np.zeros(len(columns))
        self._pass(cost, body)
        width = len(columns)
        kept = self.basis[s]
        if kept[0] >= 0:
            self._start(kept, width, rows)
        self._highs.run()
        status = self._highs.getModelStatus()
        if status != self._highspy.HighsModelStatus.kOptimal:
            words = self._highs.modelStatusToString(status)
            raise ArenaError(f"HiGHS gave up on the stage game of state {s}: {words}")
        self.pivots += int(self._highs.getInfo().simplex_iteration_count)
        found = self._highs.getBasis()
        cols = np.array([int(x) for x in found.col_status], dtype=np.int8)
        ends = np.array([int(x) for x in found.row_status], dtype=np.int8)
        kept[:width], kept[width : width + rows + 1] = cols, ends
        out = np.zeros(self._form.joint)
        rough = np.maximum(np.asarray(self._highs.getSolution().col_value), 0.0)
        out[columns] = self._exact(body, cols, ends, rough / rough.sum())
        return out

    def _pass(self, cost: Reals, body: Reals) -> None:
        highspy, (rows, width) = self._highspy, body.shape
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = rows + 1, width
        lp.row_lower_ = np.append(np.full(rows, -highspy.kHighsInf), 1.0)
        lp.row_upper_ = np.append(np.zeros(rows), 1.0)
        lp.col_cost_ = cost
        lp.col_lower_, lp.col_upper_ = np.zeros(width), np.full(width, highspy.kHighsInf)
        full = np.vstack([body, np.ones(width)]).T
        kept = full != 0.0
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32)
        lp.a_matrix_.index_ = np.nonzero(kept)[1].astype(np.int32)
        lp.a_matrix_.value_ = full[kept]
        lp.sense_ = highspy.ObjSense.kMaximize
        self._highs.passModel(lp)

    def _start(self, kept: Bases, width: int, rows: int) -> None:
        basis = self._highspy.HighsBasis()
        basis.col_status = [self._statuses[int(x)] for x in kept[:width]]
        basis.row_status = [self._statuses[int(x)] for x in kept[width : width + rows + 1]]
        basis.valid = True
        self._highs.setBasis(basis)

    def _exact(self, body: Reals, cols: Bases, ends: Bases, rough: Reals) -> Reals:
        """Return σ solved from its basis, if that is at least as feasible as `rough`."""
        basic = int(self._highspy.HighsBasisStatus.kBasic)
        inside, tight = np.flatnonzero(cols == basic), np.flatnonzero(ends != basic)
        if len(inside) != len(tight):
            return rough
        system = np.vstack([body, np.ones(body.shape[1])])[np.ix_(tight, inside)]
        right = (tight == len(body)).astype(np.float64)
        try:
            value = np.linalg.solve(system, right)
        except np.linalg.LinAlgError:
            return rough
        exact = np.zeros(len(rough))
        exact[inside] = np.maximum(value, 0.0)
        if not np.isfinite(exact).all() or not exact.sum() > 0.0:
            return rough
        exact /= exact.sum()
        worst = [float((body @ x).max(initial=0.0)) for x in (exact, rough)]
        return exact if worst[0] <= worst[1] else rough
