"""The network inside a mixed-integer program that HiGHS solves.

Stable neurons disappear: those that are never positive are zero, those that always are stand
for their own linear form. Each of the others gets a column h ≥ 0 and a binary δ, and with its
bounds l < 0 < u (big-M of the neuron's own size):

1. h ≥ z,
2. h ≤ z − l (1 − δ),
3. h ≤ u δ.

The columns and rows of the feasible set stay as they are; the network's part is passed anew
for each decision, which takes HiGHS a few milliseconds less than to change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from games.bandits.constraints import FeasibleSet
from solvers.sequoia.branch import Found
from solvers.sequoia.encode import ActionNet

__all__ = ["Embedded", "NetProgram", "embed", "tighten"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

OPTIONS: dict[str, Any] = {
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_detect_symmetry": False,
    "mip_allow_restart": False,
}
"""HiGHS with a good start from local search: its own searches for one are left out."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """The network's part of a program. N actions, U unstable neurons; linear forms over both.

    Attributes:
        forms: z of the unstable neurons, shape (U, N + U).
        offsets: their constants, shape (U,).
        lower, upper: bounds of z, shape (U,).
        out: Q, shape (N + U,).
        constant: its constant.
    """

    forms: Reals
    offsets: Reals
    lower: Reals
    upper: Reals
    out: Reals
    constant: float


def embed(net: ActionNet, lower: Reals, upper: Reals) -> Embedded:
    """Eliminate the stable neurons of a network; bounds of pre-activations, shape (T,)."""
    n, count = net.inputs, len(net.bias)
    unstable = np.flatnonzero((lower < 0.0) & (upper > 0.0))
    width = n + len(unstable)
    # Row n + j of `shape` is h_j over actions and unstable neurons.
    shape, shift = np.zeros((n + count, width)), np.zeros(n + count)
    shape[:n, :n] = np.eye(n)
    forms, offsets = np.zeros((len(unstable), width)), np.zeros(len(unstable))
    at = {int(j): k for k, j in enumerate(unstable)}
    for first, last in zip(net.starts[:-1], net.starts[1:], strict=True):
        block = net.weight[first:last, : n + first]
        z, offset = block @ shape[: n + first], block @ shift[: n + first] + net.bias[first:last]
        for j in range(first, last):
            if j in at:
                forms[at[j]], offsets[at[j]] = z[j - first], offset[j - first]
                shape[n + j, n + at[j]] = 1.0
            elif lower[j] >= 0.0:
                shape[n + j], shift[n + j] = z[j - first], offset[j - first]
    return Embedded(
        forms,
        offsets,
        lower[unstable],
        upper[unstable],
        net.out @ shape,
        net.constant + float(net.out @ shift),
    )


class NetProgram:
    """HiGHS on one feasible set, for any network over its actions.

    Args:
        chosen: the set.
        tuned: `OPTIONS`; False: HiGHS as it comes.
    """

    def __init__(self, chosen: FeasibleSet, *, tuned: bool = True) -> None:
        import highspy

        self.chosen = chosen
        matrix = chosen.matrix.tocsr()
        self._rows = (matrix.indptr, matrix.indices, matrix.data)
        self._solver = highspy.Highs()
        self._solver.silent()
        self._solver.setOptionValue("threads", 1)
        self._solver.setOptionValue("mip_feasibility_tolerance", 1e-7)
        if tuned:
            for name, value in OPTIONS.items():
                self._solver.setOptionValue(name, value)

    def solve(
        self,
        net: ActionNet,
        start: Ints | None,
        *,
        bounds: tuple[Reals, Reals],
        gap: float,
        seconds: float | None = None,
    ) -> Found | None:
        """Return the best action, or the best when the time is up; None if there is none then.

        Args:
            net: the values.
            start: a feasible action, shape (N,), to begin with; None: nothing is known.
            bounds: of the pre-activations.
            gap: relative to the value, or absolute below one.
            seconds: time limit.

        Raises:
            ArenaError: HiGHS fails.
        """
        import highspy

        part = embed(net, *bounds)
        solver = self._solver
        solver.setOptionValue("mip_rel_gap", 0.5 * gap)
        solver.setOptionValue("mip_abs_gap", 0.5 * gap)
        solver.setOptionValue("time_limit", float("inf") if seconds is None else float(seconds))
        solver.clearSolver()
        solver.passModel(self.model(part))
        if start is not None:
            hint = highspy.HighsSolution()
            hint.col_value = self._start(net, part, start, bounds)
            if hint.col_value:
                solver.setSolution(hint)
            else:
                on = self.chosen.actions.astype(np.int32)
                solver.setSolution(len(on), on, start.astype(np.float64))
        solver.run()
        status, info = solver.getModelStatus(), solver.getInfo()
        states = highspy.HighsModelStatus
        if status == states.kInfeasible:
            raise ArenaError(
                f"no action is feasible: {', '.join(self.chosen.conflict())} contradict each other"
            )
        if status not in (states.kOptimal, states.kTimeLimit, states.kSolutionLimit):
            raise ArenaError(f"HiGHS could not maximise the network: {status}")
        if info.primal_solution_status != 2:
            return None
        solution = np.array(solver.getSolution().col_value)
        action = (solution[self.chosen.actions] > 0.5).astype(np.int64)
        value = float(net.values(action[None])[0])
        whole = bool(self.chosen.integer.any()) or len(part.offsets) > 0
        bound = float(info.mip_dual_bound if whole else info.objective_function_value)
        return Found(
            action, value, max(bound, value), int(info.mip_node_count), status == states.kOptimal
        )

    def model(self, part: Embedded, *, relaxed: bool = False) -> Any:
        """Return the program as a `highspy.HighsLp`; `relaxed`: without integrality."""
        import highspy

        chosen = self.chosen
        m, n = chosen.matrix.shape
        own, u = chosen.actions, len(part.offsets)
        size = chosen.size
        indptr, indices, data = self._rows
        # Rows 1, 2 and 3 of each unstable neuron.
        rows = [(indptr[1:], indices, data)]
        lo, hi = [chosen.lo], [chosen.hi]
        at = np.concatenate([own, n + np.arange(u)])
        blocks = []
        for k in range(u):
            form = part.forms[k]
            used = np.flatnonzero(form)
            columns, values = at[used], form[used]
            h, d = n + k, n + u + k
            blocks.append((np.append(columns, h), np.append(values, -1.0)))
            blocks.append((np.append(columns, [h, d]), np.append(-values, [1.0, -part.lower[k]])))
            blocks.append((np.array([h, d]), np.array([1.0, -part.upper[k]])))
            lo.append(np.full(3, -np.inf))
            hi.append(np.array([-part.offsets[k], part.offsets[k] - part.lower[k], 0.0]))
        counts = np.array([len(c) for c, _ in blocks], dtype=np.int64)
        if blocks:
            rows.append(
                (
                    indptr[-1] + np.cumsum(counts),
                    np.concatenate([c for c, _ in blocks]),
                    np.concatenate([v for _, v in blocks]),
                )
            )
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = n + 2 * u, m + 3 * u
        program.sense_ = highspy.ObjSense.kMaximize
        cost = np.zeros(n + 2 * u)
        cost[own] = part.out[:size]
        cost[n : n + u] = part.out[size:]
        program.col_cost_, program.offset_ = cost, part.constant
        zeros, ones = np.zeros(u), np.ones(u)
        program.col_lower_ = np.concatenate([chosen.lower, zeros, zeros])
        program.col_upper_ = np.concatenate([chosen.upper, part.upper, ones])
        program.row_lower_, program.row_upper_ = np.concatenate(lo), np.concatenate(hi)
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.concatenate([[0], *(r[0] for r in rows)]).astype(np.int32)
        program.a_matrix_.index_ = np.concatenate([r[1] for r in rows]).astype(np.int32)
        program.a_matrix_.value_ = np.concatenate([r[2] for r in rows])
        if not relaxed:
            kinds = highspy.HighsVarType
            whole = np.concatenate([chosen.integer, np.zeros(u, np.bool_), np.ones(u, np.bool_)])
            program.integrality_ = [
                kinds.kInteger if yes else kinds.kContinuous for yes in whole.tolist()
            ]
        return program

    def write(self, model: Any, path: Path) -> None:
        """Write the program as an MPS file that minimises −Q; columns are c0, c1, ….

        The constant of Q is left out.
        """
        import highspy

        model.col_cost_ = -np.asarray(model.col_cost_)
        model.sense_, model.offset_ = highspy.ObjSense.kMinimize, 0.0
        solver = highspy.Highs()
        solver.silent()
        solver.passModel(model)
        for k in range(model.num_col_):
            solver.passColName(k, f"c{k}")
        for k in range(model.num_row_):
            solver.passRowName(k, f"r{k}")
        solver.writeModel(str(path))

    def _start(
        self, net: ActionNet, part: Embedded, action: Ints, bounds: tuple[Reals, Reals]
    ) -> list[float]:
        """Return all columns' values at an action; empty where the set has further columns."""
        if not self.chosen.plain:
            return []
        n, u = self.chosen.size, len(part.offsets)
        point = np.zeros(n + u)
        point[:n] = action
        for k in range(u):  # forms are over earlier neurons alone
            point[n + k] = max(0.0, float(part.forms[k] @ point) + part.offsets[k])
        full = np.zeros(n + 2 * u)
        full[self.chosen.actions] = action
        full[n : n + u] = point[n:]
        full[n + u :] = point[n:] > 0.0
        values: list[float] = full.tolist()
        return values


def tighten(
    program: NetProgram, net: ActionNet, bounds: tuple[Reals, Reals]
) -> tuple[tuple[Reals, Reals], int]:
    """Tighten bounds of unstable neurons by linear programs, layer by layer.

    Each program has the set's own rows and, of the neurons below, the relaxation of the
    formulation above. First-layer neurons gain where the set is more than a number of
    actions; the later ones by the joint relaxation.

    Returns:
        The bounds, and how many programs were solved.
    """
    import highspy

    lower, upper = bounds[0].copy(), bounds[1].copy()
    solved, n = 0, net.inputs
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    for first, last in zip(net.starts[:-1], net.starts[1:], strict=True):
        todo = [j for j in range(first, last) if lower[j] < 0.0 < upper[j]]
        if not todo:
            continue
        # The part of the network below this layer, with one output for each of its neurons.
        below = ActionNet(
            net.starts[: np.searchsorted(net.starts, first) + 1],
            net.weight[:first, : n + first],
            net.bias[:first],
            np.zeros(n + first),
            0.0,
        )
        for j in todo:
            target = ActionNet(
                below.starts, below.weight, below.bias, net.weight[j, : n + first], net.bias[j]
            )
            part = embed(target, lower[:first], upper[:first])
            if j == todo[0]:
                solver.passModel(program.model(part, relaxed=True))
            costs = np.zeros(solver.getNumCol())
            own, u = program.chosen.actions, len(part.offsets)
            columns = program.chosen.matrix.shape[1]
            costs[own] = part.out[: program.chosen.size]
            costs[columns : columns + u] = part.out[program.chosen.size :]
            solver.changeColsCost(len(costs), np.arange(len(costs), dtype=np.int32), costs)
            for sense in (highspy.ObjSense.kMaximize, highspy.ObjSense.kMinimize):
                solver.changeObjectiveSense(sense)
                solver.changeObjectiveOffset(part.constant)
                solver.run()
                solved += 1
                if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                    continue
                reach = float(solver.getInfo().objective_function_value)
                slack = 1e-6 * (1.0 + abs(reach))
                if sense == highspy.ObjSense.kMaximize:
                    upper[j] = min(upper[j], reach + slack)
                else:
                    lower[j] = max(lower[j], reach - slack)
    return (lower, upper), solved
