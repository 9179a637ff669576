"""A feasible set as a mixed-integer program that HiGHS keeps between decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, ParameterError
from arena.types import Mask
from games.bandits.constraints import FeasibleSet

__all__ = ["Best", "Program", "model_of", "solvable"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Best:
    """What a program answered.

    Attributes:
        action: the chosen actions, shape (N,).
        value: its weight.
        bound: no feasible action weighs more.
    """

    action: Mask
    value: float
    bound: float


def model_of(
    chosen: FeasibleSet, *, costs: Reals | None = None, rows: Sequence[int] | None = None
) -> Any:
    """Return a quiet `highspy.Highs` that maximises `costs` over the set, one thread.

    Args:
        chosen: the set.
        costs: of all columns, shape (n,); by default zero.
        rows: only these rows.
    """
    import highspy

    matrix, lo, hi = chosen.matrix, chosen.lo, chosen.hi
    if rows is not None:
        matrix, lo, hi = matrix[list(rows)], lo[list(rows)], hi[list(rows)]
    m, n = matrix.shape
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = n, m
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_ = np.zeros(n) if costs is None else costs
    program.col_lower_, program.col_upper_ = chosen.lower, chosen.upper
    program.row_lower_, program.row_upper_ = lo, hi
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_ = matrix.indices
    program.a_matrix_.value_ = matrix.data
    kinds = highspy.HighsVarType
    program.integrality_ = [
        kinds.kInteger if whole else kinds.kContinuous for whole in chosen.integer
    ]
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 1e-9)
    solver.passModel(program)
    return solver


def solvable(chosen: FeasibleSet, *, rows: Sequence[int] | None = None) -> bool:
    """Return whether the set (or only some of its rows) holds any point."""
    import highspy

    solver = model_of(chosen, rows=rows)
    solver.run()
    status = solver.getModelStatus()
    states = highspy.HighsModelStatus
    if status in (states.kOptimal, states.kModelEmpty):
        return True
    if status in (states.kInfeasible, states.kUnboundedOrInfeasible):
        return False
    raise ArenaError(f"HiGHS cannot tell whether {chosen.title!r} is feasible: {status}")


class Program:
    """Maximises linear weights over a set; built once, only its costs change.

    Args:
        chosen: the set.
        seconds: time limit of one decision; None: none.
    """

    def __init__(self, chosen: FeasibleSet, *, seconds: float | None = None) -> None:
        self._set = chosen
        self._solver = model_of(chosen)
        if seconds is not None:
            self._solver.setOptionValue("time_limit", float(seconds))
        self._columns = np.arange(len(chosen.lower), dtype=np.int32)

    def best(self, weights: Any) -> Best:
        """Return a heaviest action.

        Args:
            weights: of the actions, shape (N,), or of all columns, shape (n,).

        Raises:
            ParameterError: weights of another shape, or not finite.
            ArenaError: the set is empty, or HiGHS found nothing in time.
        """
        costs = self._costs(weights)
        self._solver.changeColsCost(len(costs), self._columns, costs)
        self._solver.run()
        import highspy

        status = self._solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise ArenaError(
                f"no action is feasible: {', '.join(self._set.conflict())} contradict each other"
            )
        info = self._solver.getInfo()
        if info.primal_solution_status != 2:
            raise ArenaError(f"HiGHS found no action for {self._set.title!r}: {status}")
        solution = np.array(self._solver.getSolution().col_value)
        rounded = solution[self._set.actions] > 0.5
        value = float(info.objective_function_value)
        bound = value if not self._set.integer.any() else float(info.mip_dual_bound)
        return Best(rounded, value, bound)

    def _costs(self, weights: Any) -> Reals:
        given = np.asarray(weights, dtype=np.float64)
        n, columns = len(self._set.lower), self._set.actions
        if given.shape == (n,):
            costs = given.copy()
        elif given.shape == (len(columns),):
            costs = np.zeros(n)
            costs[columns] = given
        else:
            raise ParameterError("weights.shape", given.shape, f"({len(columns)},) or ({n},)")
        if not np.isfinite(costs).all():
            raise ParameterError("weights", "nan or inf", "finite numbers")
        return costs
