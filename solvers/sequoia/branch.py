"""Branch and bound over actions, with bounds that know how many actions may be on.

A node fixes some actions. Its bound replaces neurons by lines from the output down to the
actions (CROWN: Zhang et al. 2018, "Efficient neural network robustness certification with
general activation functions", NeurIPS), and lets only the most valuable free actions be on,
as many as the set allows at once. Rows about actions alone are propagated; a set with
further variables is asked about every better action, and each refusal becomes a row:

1. if the linear relaxation refuses a* too, by how much it is missed, V(a), is convex, so that
   V(a*) + g·(a − a*) ≤ 0 holds for all feasible a, g its slope at a* (Benders 1962);
2. else, of a minimal refused set S at most |S| − 1 may be on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, ParameterError
from games.bandits.constraints import FeasibleSet
from games.bandits.program import Program
from solvers.sequoia.encode import ActionNet
from solvers.sequoia.local import dense_rows

__all__ = ["Brancher", "Found", "neuron_bounds"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_CUTS = 400
"""Rows of refused actions that are kept."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a search knows when it stops.

    Attributes:
        action: the best action, shape (N,).
        value: its value.
        bound: no action is worth more.
        nodes: how many were bounded.
        done: whether the gap was reached.
    """

    action: Ints
    value: float
    bound: float
    nodes: int
    done: bool


def neuron_bounds(
    net: ActionNet, fixed: NDArray[np.int8], least: int, most: int, given: Any = None
) -> tuple[Reals, Reals]:
    """Return bounds of all pre-activations, each shape (T,).

    Args:
        net: the network as a function of actions.
        fixed: −1 (free), 0 or 1 for each action, shape (N,).
        least: how many of the free actions are on at least.
        most: and at most.
        given: your own bounds (lower, upper), which are tightened.

    Raises:
        ParameterError: bounds of another shape, not numbers, or crossed.
    """
    from solvers.sequoia import _bound_kernels as kernels

    n, count = net.inputs, len(net.bias)
    lower, upper = np.full(count, -np.inf), np.full(count, np.inf)
    kernels.bounds_of(
        net.starts, net.weight, net.bias, fixed, least, most, lower, upper,
        np.empty(n + count), np.empty(n),
    )  # fmt: skip
    if given is None:
        return lower, upper
    told = [np.asarray(side, dtype=np.float64) for side in given]
    if len(told) != 2 or any(side.shape != (count,) for side in told):
        shapes = ", ".join(str(side.shape) for side in told)
        raise ParameterError("neuron bounds", f"shapes {shapes}", f"({count},) twice, one a neuron")
    for low, high, wanted in (
        (told[0], told[1], "lower ≤ upper"),
        (told[0], upper + 1e-6, "bounds that some action meets"),
        (lower - 1e-6, told[1], "bounds that some action meets"),
    ):
        if not (low <= high).all():
            k = int(np.argmin(low <= high))
            raise ParameterError(f"bounds of neuron {k}", f"({told[0][k]}, {told[1][k]})", wanted)
    lower, upper = np.maximum(lower, told[0]), np.minimum(upper, told[1])
    return np.minimum(lower, upper), upper


class Brancher:
    """Searches one feasible set; built once, used for any network over its actions.

    Attributes:
        chosen: the set.
        most_nodes: where to give up.

    Raises:
        ArenaError: the set is empty.
    """

    def __init__(self, chosen: FeasibleSet, *, most_nodes: int = 20_000) -> None:
        self.chosen, self.most_nodes = chosen, most_nodes
        rows, low, high = dense_rows(chosen)
        n = chosen.size
        self.plain = chosen.plain
        self._count = self._known = len(low)
        room = 0 if self.plain else _CUTS
        self._rows = np.vstack([rows, np.zeros((room, n))])
        self._low = np.concatenate([low, np.full(room, -np.inf)])
        self._high = np.concatenate([high, np.full(room, np.inf)])
        program, ones = Program(chosen), np.ones(n)
        self.most = round(program.best(ones).value)
        self.least = round(-program.best(-ones).value)
        self._tree: Any = None
        self._shadow: Shadow | None = None
        own = chosen.actions
        self.fixed = np.full(n, -1, dtype=np.int8)
        self.fixed[chosen.upper[own] < 1.0] = 0
        self.fixed[chosen.lower[own] > 0.0] = 1

    @property
    def suits(self) -> bool:
        """Whether refused actions can be made rows: all rows are known, or the set shrinks."""
        return self.plain or self.chosen.shortcuts.shrinks

    def forget(self) -> None:
        """Drop the rows of refused actions."""
        self._count = self._known

    def free(self) -> tuple[int, int]:
        """Return how many of the actions that are free at the start are on, least and most."""
        on, free = int((self.fixed == 1).sum()), int((self.fixed < 0).sum())
        return max(0, self.least - on), min(self.most - on, free)

    def bounds(self, net: ActionNet, given: Any = None) -> tuple[Reals, Reals]:
        """Return bounds of all pre-activations over the set."""
        return neuron_bounds(net, self.fixed, *self.free(), given)

    def search(
        self,
        net: ActionNet,
        start: Ints,
        *,
        gap: float,
        bounds: tuple[Reals, Reals] | None = None,
    ) -> Found:
        """Return the best action, or the best so far when the nodes are used up.

        Args:
            net: the values.
            start: a feasible action, shape (N,).
            gap: relative to the value, or absolute below one.
            bounds: of the pre-activations, if they are known.
        """
        from solvers.sequoia import _bound_kernels as kernels
        from solvers.sequoia._branch_kernels import search

        n, count = net.inputs, len(net.bias)
        lower, upper = self.bounds(net) if bounds is None else bounds
        tree = self._room(count)
        heap, reach, fixed, lows, highs = tree
        heap[0], fixed[0], lows[0], highs[0] = 0, self.fixed, lower, upper
        arrays = (net.starts, net.weight, net.bias, net.out)
        work = (
            np.empty(n + count),
            np.empty(n),
            np.empty(n, dtype=np.int8),
            np.empty(count),
            np.empty((5, count + 1)),
        )
        columns = np.ascontiguousarray(np.vstack([net.weight[:, :n], net.out[None, :n]]).T)
        reach[0] = kernels.output_bound(
            *arrays, net.constant, self.fixed, *self.free(), lower, upper, work[0], work[1]
        )
        incumbent = start.astype(np.int8)
        value = np.array([float(net.values(start[None])[0]), np.inf, -np.inf])
        marks = np.array([1, 1, 1], dtype=np.int64)
        limits = np.array([self.least, self.most, self.most_nodes], dtype=np.int64)
        while True:
            status = search(
                (*arrays, net.constant), columns, self._rows, self._low, self._high, self._count,
                limits, np.array([gap, gap]), not self.plain, tree, marks,
                incumbent, value, work,
            )  # fmt: skip
            if status != 2:
                break
            action = work[2]
            if self.chosen.allows(action):
                incumbent[:] = action
                value[0] = float(net.values(action[None])[0])
            elif not self._cut(action):
                status = 1
                break
        return Found(
            incumbent.astype(np.int64), float(value[0]), float(value[1]), int(marks[2]), status == 0
        )

    def _room(self, neurons: int) -> Any:
        """Return arrays for the nodes of a search, the same ones for networks of one size."""
        if self._tree is None or self._tree[3].shape[1] != neurons:
            size = 2 * self.most_nodes + 8
            self._tree = (
                np.empty(size, dtype=np.int64),
                np.empty(size),
                np.empty((size, self.chosen.size), dtype=np.int8),
                np.empty((size, neurons)),
                np.empty((size, neurons)),
            )
        return self._tree

    def _cut(self, action: NDArray[np.int8]) -> bool:
        """Add a row that refuses these actions; False if there is no more room."""
        if not self.chosen.shortcuts.shrinks:
            raise ArenaError(f"actions of {self.chosen.title!r} cannot be refused by rows")
        if self._count >= len(self._high):
            return False
        if self._shadow is None:
            self._shadow = Shadow(self.chosen)
        found = self._shadow.cut(action)
        if found is not None:
            self._rows[self._count], self._high[self._count] = found
            self._count += 1
            return True
        kept = action.astype(np.int64)
        for k in np.flatnonzero(action == 1):
            kept[k] = 0
            if self.chosen.allows(kept):
                kept[k] = 1
        self._rows[self._count] = kept
        self._high[self._count] = kept.sum() - 1.0
        self._count += 1
        return True


class Shadow:
    """The linear relaxation of a set, seen from its actions: by how much one is missed.

    Args:
        chosen: the set.
    """

    def __init__(self, chosen: FeasibleSet) -> None:
        import highspy
        from scipy.sparse import csr_array, eye_array, hstack

        m, n = chosen.matrix.shape
        self._actions = chosen.actions.astype(np.int32)
        matrix = csr_array(hstack([chosen.matrix, eye_array(m), -eye_array(m)]))
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = n + 2 * m, m
        program.col_cost_ = np.concatenate([np.zeros(n), np.ones(2 * m)])
        program.col_lower_ = np.concatenate([chosen.lower, np.zeros(2 * m)])
        program.col_upper_ = np.concatenate([chosen.upper, np.full(2 * m, highspy.kHighsInf)])
        program.row_lower_, program.row_upper_ = chosen.lo, chosen.hi
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = matrix.indptr.astype(np.int32)
        program.a_matrix_.index_ = matrix.indices.astype(np.int32)
        program.a_matrix_.value_ = matrix.data
        self._solver = highspy.Highs()
        self._solver.silent()
        self._solver.setOptionValue("threads", 1)
        self._solver.setOptionValue("presolve", "off")
        self._solver.passModel(program)

    def cut(self, action: NDArray[np.int8]) -> tuple[Reals, float] | None:
        """Return g and g·a* − V(a*), or None where the relaxation allows the action."""
        import highspy

        at = action.astype(np.float64)
        self._solver.changeColsBounds(len(at), self._actions, at, at)
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        missed = float(self._solver.getInfo().objective_function_value)
        if missed <= _MISSED:
            return None
        slope = np.array(self._solver.getSolution().col_dual)[self._actions]
        return slope, float(slope @ at) - missed + _SLACK


_MISSED = 1e-4
"""By how much an action has to be missed for its row to be taken, well above the rounding."""

_SLACK = 1e-6
