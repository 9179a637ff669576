"""Exact equilibria of two-player constant-sum trees by linear programming (HiGHS).

With sequence-form payoff A (rows seat 0, columns seat 1), flow constraints E x = e and
F y = f of the two seats' realization plans (von Stengel 1996, eq. 4.4):

    maximise fᵀv   subject to   E x = e,   Fᵀv − Aᵀx ≤ 0,   x ≥ 0,   v free               (1)

The multipliers of the inequalities are an optimal plan of seat 1, so one program gives
both policies. The certificate judges them, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from games.tree import Tree
from solvers.loop import choice
from solvers.tree.run import Traits, TreeSolver

__all__ = ["SequenceFormLp", "sequence_form_lp"]

Reals = NDArray[np.float64]


class SequenceFormLp:
    """The linear program; one iteration solves it.

    Args:
        tree: two players, constant sum.
        algorithm: of HiGHS.
        seconds: that it may take, or None.
    """

    def __init__(self, tree: Tree, algorithm: str, seconds: float | None = None) -> None:
        self._tree, self._algorithm, self._seconds = tree, algorithm, seconds
        self.iteration = 0
        self._behaviour = tree.uniform()

    def advance(self, count: int) -> int:
        """Solve the program, once."""
        if self.iteration:
            return 0
        self._behaviour = _solve(self._tree, self._algorithm, self._seconds)
        self.iteration = 1
        return 1

    def behaviour(self) -> Reals:
        """Return the policy found."""
        return self._behaviour.copy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the policy and whether it was found."""
        return {"policy": self._behaviour.copy(), "iteration": np.array(self.iteration)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the policy of `arrays`."""
        self._behaviour = arrays["policy"].astype(np.float64)
        self.iteration = int(arrays["iteration"])


def _solve(tree: Tree, algorithm: str, seconds: float | None) -> Reals:
    """Build (1) by rows, solve it, and return both policies, shape (Q,)."""
    import highspy

    form = tree.sequence_form
    own, other = int(tree.seat_sequence[1]), tree.n_sequences - int(tree.seat_sequence[1])
    mine, theirs = int(tree.seat_infoset[1]), tree.n_infosets - int(tree.seat_infoset[1])
    # Columns: x by sequence of seat 0, then v by infoset of seat 1, its root first.
    n_cols = own + 1 + theirs
    flow = _flow(tree, 0, 0)
    # Row j of the inequalities is sequence j of seat 1: form rows hold −Aᵀ there already.
    begin, end = int(form.ptr[own]), int(form.ptr[-1])
    counts = np.diff(form.ptr[own:])
    flow_other = _flow(tree, 1, own)
    rows = np.concatenate(
        [flow[0], 1 + mine + np.repeat(np.arange(other), counts), 1 + mine + flow_other[1]]
    )
    cols = np.concatenate([flow[1], form.col[begin:end], own + flow_other[0]])
    vals = np.concatenate([flow[2], form.val[begin:end], flow_other[2]])
    order = np.lexsort((cols, rows))
    n_rows = 1 + mine + other
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_rows))])

    inf = highspy.kHighsInf
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = n_cols, n_rows
    cost = np.zeros(n_cols)
    cost[own] = 1.0
    program.col_cost_ = cost
    program.col_lower_ = np.concatenate([np.zeros(own), np.full(1 + theirs, -inf)])
    program.col_upper_ = np.full(n_cols, inf)
    program.sense_ = highspy.ObjSense.kMaximize
    lower, upper = np.zeros(n_rows), np.zeros(n_rows)
    lower[0] = upper[0] = 1.0
    lower[1 + mine :] = -inf
    program.row_lower_, program.row_upper_ = lower, upper
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = starts.astype(np.int32)
    program.a_matrix_.index_ = cols[order].astype(np.int32)
    program.a_matrix_.value_ = vals[order]
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("solver", algorithm)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-10)
    solver.setOptionValue("dual_feasibility_tolerance", 1e-10)
    if seconds is not None:
        solver.setOptionValue("time_limit", float(seconds))
    solver.passModel(program)
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise ArenaError(
            f"HiGHS gave up on the sequence form of {tree.game}: "
            f"{solver.modelStatusToString(status)}"
        )
    found = solver.getSolution()
    plan = np.concatenate(
        [np.asarray(found.col_value)[:own], np.abs(np.asarray(found.row_dual)[1 + mine :])]
    )
    return _policy(tree, plan)


def _flow(tree: Tree, seat: int, base: int) -> tuple[Any, Any, Any]:
    """Return (constraint, sequence, coefficient) of a seat's flow constraints.

    Constraint 0 fixes the empty sequence, constraint 1 + i says that the actions of its
    infoset i add up to the infoset's parent sequence. Sequences count from `base`.
    """
    low, high = int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])
    count = high - low
    actions = tree.info_actions[low:high]
    row = 1 + np.arange(count)
    played = np.arange(int(tree.seat_sequence[seat]), int(tree.seat_sequence[seat + 1]))[1:]
    constraint = np.concatenate([[0], row, np.repeat(row, actions)])
    sequence = np.concatenate([[base], tree.info_parent[low:high], played]) - base
    value = np.concatenate([[1.0], np.full(count, -1.0), np.ones(len(played))])
    return constraint, sequence, value


def _policy(tree: Tree, plan: Reals) -> Reals:
    """Return the behaviour policy of a plan that is feasible up to rounding."""
    from solvers.tree._kernels import average_policy

    out = np.empty(tree.n_sequences)
    average_policy(tree.info_first, tree.info_actions, np.maximum(plan, 0.0), out)
    return out


def _start(
    tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]
) -> SequenceFormLp:
    algorithm = choice("algorithm", settings["algorithm"], ("choose", "simplex", "ipm"))
    return SequenceFormLp(tree, algorithm, settings["seconds"])


def sequence_form_lp() -> TreeSolver:
    """Exact equilibrium by the sequence-form linear program (von Stengel 1996)."""
    return TreeSolver(
        "sequence_form_lp",
        _start,
        {"algorithm": "choose"},
        Traits(seats=2, constant_sum=True),
        iterations=None,
    )
