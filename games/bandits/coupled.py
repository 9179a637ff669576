"""The coupled action sets of coRMAB: capacity, schedule, path (Xu et al. 2025, section 3).

Each set is given in the smallest exact form that we know; the paper's form is there too
(`formulation=`), equal action by action, for comparison and for whoever wants its variables:

1. Capacity. Workers of one capacity and arms of one cost are alike, so it is enough to count
   how many workers of a capacity carry which *pattern* of costs.
2. Schedule. An arm with slots {s, t} needs two worker-slots out of s and t. By Hall's theorem
   for the transport problem that works out exactly when for every set T of slots
   2·#{acted arms with slots within T} ≤ #{(worker, slot in T) that are available}.
3. Path. A closed walk through the source that visits v ∈ S and has at most L steps exists
   exactly when there is a balanced set of arcs, at most L of them, each used at most once,
   through which a flow from the source reaches all of S (an Eulerian multigraph needs no edge
   more than twice, and then once each way).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.types import Mask
from games.bandits import tours
from games.bandits.constraints import FeasibleSet, Shortcuts
from games.bandits.rows import Rows

__all__ = ["capacity_set", "path_set", "schedule_set"]

Ints = NDArray[np.int64]

_MOST_PATTERNS = 2_000
_MOST_SLOTS = 10


# -- capacity --------------------------------------------------------------------------------


def capacity_set(
    costs: Sequence[int], capacities: Sequence[int], *, formulation: str = "patterns"
) -> FeasibleSet:
    """Return which arms workers can carry together, each arm whole by one worker.

    Args:
        costs: of the arms, integers ≥ 1, shape (J,).
        capacities: of the workers, integers ≥ 0.
        formulation: `patterns` (small) or `assignment` (the paper's, one binary for each worker
            and arm).

    Raises:
        ParameterError: a cost or capacity out of range, or another formulation.
    """
    price, room = _whole("costs", costs, 1), _whole("capacities", capacities, 0)
    kinds = [int(c) for c in np.unique(price)]
    patterns = {int(c): _patterns(int(c), kinds) for c in np.unique(room)}
    if formulation not in ("patterns", "assignment"):
        raise ParameterError("formulation", formulation, "patterns or assignment")
    few = sum(map(len, patterns.values())) <= _MOST_PATTERNS
    rows = Rows(len(price), "arm")
    if formulation == "patterns" and few:
        members = [np.flatnonzero(price == cost) for cost in kinds]
        carried: list[dict[int, float]] = [dict.fromkeys(map(int, own), 1.0) for own in members]
        for capacity, found in patterns.items():
            workers = int((room == capacity).sum())
            columns = [
                rows.column(f"capacity {capacity} as {pattern}", upper=workers) for pattern in found
            ]
            rows.row(f"workers of capacity {capacity}", dict.fromkeys(columns, 1.0), hi=workers)
            for column, pattern in zip(columns, found, strict=True):
                for row, count in zip(carried, pattern, strict=True):
                    row[column] = -float(count)
        for cost, entries in zip(kinds, carried, strict=True):
            rows.row(f"arms of cost {cost}", entries, hi=0.0)
    else:
        grid = [
            [rows.column(f"worker {i} takes arm {j}") for j in range(len(price))]
            for i in range(len(room))
        ]
        for j in range(len(price)):
            taken = {own[j]: -1.0 for own in grid}
            rows.row(f"arm {j} by one worker", {j: 1.0, **taken}, lo=0.0, hi=0.0)
        for i, own in enumerate(grid):
            load = {column: float(price[j]) for j, column in enumerate(own)}
            rows.row(f"capacity of worker {i}", load, hi=float(room[i]))
    counts = _Counts(price, room, kinds, patterns) if few else None
    return rows.build(
        f"{len(room)} workers of capacities {sorted(room.tolist())}",
        Shortcuts(
            allows=None if counts is None else counts.allows,
            listed=None if counts is None else counts.listed,
            shrinks=True,
        ),
    )


def _whole(name: str, given: Sequence[int], least: int) -> Ints:
    array = np.asarray(given)
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array < least).any():
        raise ParameterError(name, given, f"integers ≥ {least}, one each")
    found: Ints = array.astype(np.int64)
    return found


def _patterns(capacity: int, kinds: list[int]) -> list[tuple[int, ...]]:
    """Return the maximal counts of costs that fit into `capacity`."""
    fits = [
        counts
        for counts in product(*(range(capacity // cost + 1) for cost in kinds))
        if sum(n * cost for n, cost in zip(counts, kinds, strict=True)) <= capacity
    ]
    left = {
        counts: capacity - sum(n * c for n, c in zip(counts, kinds, strict=True)) for counts in fits
    }
    return [counts for counts in fits if all(left[counts] < cost for cost in kinds)]


class _Counts:
    """Capacity by counting: what fits depends on how many arms of each cost are taken."""

    def __init__(
        self,
        price: Ints,
        room: Ints,
        kinds: list[int],
        patterns: dict[int, list[tuple[int, ...]]],
    ) -> None:
        self._members = [np.flatnonzero(price == cost) for cost in kinds]
        self._stock = tuple(len(own) for own in self._members)
        self._loads = [patterns[int(c)] for c in sorted(room, reverse=True)]
        self._size = len(price)
        self._known: dict[tuple[int, tuple[int, ...]], bool] = {}

    def allows(self, chosen: Mask) -> bool:
        """Return whether the chosen arms fit."""
        return self._fits(tuple(int(chosen[own].sum()) for own in self._members), 0)

    def _fits(self, need: tuple[int, ...], worker: int) -> bool:
        if not any(need):
            return True
        if worker == len(self._loads):
            return False
        key = (worker, need)
        if key not in self._known:
            self._known[key] = any(
                self._fits(
                    tuple(max(0, n - k) for n, k in zip(need, pattern, strict=True)), worker + 1
                )
                for pattern in self._loads[worker]
            )
        return self._known[key]

    def listed(self, limit: int) -> Mask | None:
        """Return all sets of arms that fit, unless there are more than `limit`."""
        from math import comb, prod

        vectors = [
            counts
            for counts in product(*(range(n + 1) for n in self._most()))
            if self._fits(counts, 0)
        ]
        sizes = [prod(map(comb, self._stock, counts)) for counts in vectors]
        if sum(sizes) > limit:
            return None
        blocks = []
        for counts, size in zip(vectors, sizes, strict=True):
            block = np.zeros((size, self._size), dtype=np.bool_)
            picks = (combinations(own, k) for own, k in zip(self._members, counts, strict=True))
            for row, groups in enumerate(product(*picks)):
                for group in groups:
                    block[row, list(group)] = True
            blocks.append(block)
        return np.concatenate(blocks)

    def _most(self) -> list[int]:
        """Return the greatest number of arms of each cost that fits by itself."""
        return [
            min(n, sum(max(p[k] for p in load) for load in self._loads))
            for k, n in enumerate(self._stock)
        ]


# -- schedule --------------------------------------------------------------------------------


def schedule_set(
    arm_slots: Sequence[Sequence[int]],
    worker_slots: Sequence[Sequence[int]],
    budget: int,
    *,
    formulation: str = "slots",
) -> FeasibleSet:
    """Return which arms can be served: each needs two worker-slots among its own slots.

    Args:
        arm_slots: the slots at which each arm is available.
        worker_slots: the slots at which each worker is; one arm a slot.
        budget: the greatest number of arms.
        formulation: `slots` (small) or `assignment` (the paper's x_ijs).

    Raises:
        ParameterError: a negative slot, a budget out of range, or another formulation.
    """
    arms = [frozenset(map(int, _whole("arm_slots", list(s), 0))) for s in arm_slots]
    workers = [frozenset(map(int, _whole("worker_slots", list(s), 0))) for s in worker_slots]
    slots = sorted(frozenset().union(*arms, *workers))
    if not 0 <= budget <= len(arms):
        raise ParameterError("budget", budget, f"0 to {len(arms)}, the number of arms")
    if formulation not in ("slots", "assignment"):
        raise ParameterError("formulation", formulation, "slots or assignment")
    rows = Rows(len(arms), "arm")
    rows.row("budget", dict.fromkeys(range(len(arms)), 1.0), hi=budget)
    if formulation == "slots" and len(slots) <= _MOST_SLOTS:
        for size in range(1, len(slots) + 1):
            for group in combinations(slots, size):
                inside = [j for j, own in enumerate(arms) if own <= set(group)]
                supply = sum(len(own & set(group)) for own in workers)
                if inside and 2 * len(inside) > supply:
                    name = f"slots {', '.join(map(str, group))}"
                    rows.row(name, dict.fromkeys(inside, 2.0), hi=float(supply))
        for j, own in enumerate(arms):
            if not own:
                rows.row(f"arm {j} is never available", {j: 1.0}, hi=0.0)
    else:
        _assignments(rows, arms, workers)
    return rows.build(f"{len(workers)} workers in {len(slots)} slots", Shortcuts(shrinks=True))


def _assignments(rows: Rows, arms: list[frozenset[int]], workers: list[frozenset[int]]) -> None:
    by_arm: list[list[int]] = [[] for _ in arms]
    for i, own in enumerate(workers):
        for s in sorted(own):
            at = [j for j, slots in enumerate(arms) if s in slots]
            columns = {j: rows.column(f"worker {i} at arm {j} in slot {s}") for j in at}
            rows.row(f"worker {i} in slot {s}", dict.fromkeys(columns.values(), 1.0), hi=1.0)
            for j, column in columns.items():
                by_arm[j].append(column)
                rows.row(f"arm {j} if worker {i} in slot {s}", {column: 1.0, j: -1.0}, hi=0.0)
    for j, columns_of in enumerate(by_arm):
        rows.row(f"arm {j} at most twice", dict.fromkeys(columns_of, 1.0), hi=2.0)
        rows.row(f"arm {j} twice", {j: 2.0, **dict.fromkeys(columns_of, -1.0)}, hi=0.0)


# -- path ------------------------------------------------------------------------------------


def path_set(
    graph: Any, source: int, budget: int, *, length: int | None = None, formulation: str = "arcs"
) -> FeasibleSet:
    """Return which nodes lie together on a closed walk from `source`.

    Args:
        graph: `networkx.Graph` on the nodes 0 … J−1, the arms.
        source: where the walk starts and ends.
        budget: the greatest number B of nodes that are acted on.
        length: the greatest number of steps; by default 2B. Waiting is allowed.
        formulation: `arcs` (small) or `unrolled` (the paper's flow through time, with the
            steps that wait counted in its row of one step at a time).

    Raises:
        ParameterError: a source or budget out of range, nodes of other names.
    """
    size = graph.number_of_nodes()
    if set(graph.nodes) != set(range(size)):
        raise ParameterError("graph", sorted(map(str, graph.nodes))[:5], "nodes 0 … J−1")
    if source not in graph:
        raise ParameterError("source", source, f"a node, 0 to {size - 1}")
    if not 0 <= budget <= size:
        raise ParameterError("budget", budget, f"0 to {size}, the number of arms")
    steps = 2 * budget if length is None else length
    if formulation not in ("arcs", "unrolled"):
        raise ParameterError("formulation", formulation, "arcs or unrolled")
    rows = Rows(size, "arm")
    rows.row("budget", dict.fromkeys(range(size), 1.0), hi=budget)
    (_arcs if formulation == "arcs" else _unrolled)(rows, graph, source, steps, budget)
    walks = tours.Walks(graph, source, budget, steps)
    return rows.build(
        f"closed walks of {steps} steps from node {source}",
        Shortcuts(allows=walks.allows, listed=walks.listed, sample=walks.sample, shrinks=True),
    )


def _arcs(rows: Rows, graph: Any, source: int, steps: int, budget: int) -> None:
    arcs = sorted({(u, v) for a, b in graph.edges if a != b for u, v in ((a, b), (b, a))})
    used = {arc: rows.column(f"walk {arc[0]} to {arc[1]}") for arc in arcs}
    flow = {
        arc: rows.column(f"reach {arc[1]} from {arc[0]}", upper=budget, integer=False)
        for arc in arcs
    }
    rows.row("length of the walk", dict.fromkeys(used.values(), 1.0), hi=steps)
    for v in sorted(graph.nodes):
        into = [(u, v) for u in graph.neighbors(v) if u != v]
        out = [(v, u) for u in graph.neighbors(v) if u != v]
        balance = {used[a]: 1.0 for a in into} | {used[a]: -1.0 for a in out}
        rows.row(f"walk in and out of {v}", balance, lo=0.0, hi=0.0)
        if v != source:
            reached = {flow[a]: 1.0 for a in into} | {flow[a]: -1.0 for a in out}
            rows.row(f"arm {v} reached from the source", {v: -1.0, **reached}, lo=0.0, hi=0.0)
            visits = {used[a]: -1.0 for a in into}
            rows.row(f"arm {v} on the walk", {v: 1.0, **visits}, hi=0.0)
    for arc in arcs:
        rows.row(f"reach {arc[1]} only by walking", {flow[arc]: 1.0, used[arc]: -budget}, hi=0.0)


def _unrolled(rows: Rows, graph: Any, source: int, steps: int, budget: int) -> None:
    arcs = sorted({(u, v) for a, b in graph.edges for u, v in ((a, b), (b, a))})
    arcs = sorted({*arcs, *((v, v) for v in graph.nodes)})
    at = [
        {arc: rows.column(f"step {t}: {arc[0]} to {arc[1]}") for arc in arcs} for t in range(steps)
    ]
    for t, step in enumerate(at):
        rows.row(f"one step at time {t}", dict.fromkeys(step.values(), 1.0), lo=1.0, hi=1.0)
    if steps:
        begin = {c: 1.0 for arc, c in at[0].items() if arc[0] == source}
        end = {c: 1.0 for arc, c in at[-1].items() if arc[1] == source}
        rows.row("start at the source", begin, lo=1.0, hi=1.0)
        rows.row("end at the source", end, lo=1.0, hi=1.0)
    for t in range(steps - 1):
        for v in sorted(graph.nodes):
            into = {c: 1.0 for arc, c in at[t].items() if arc[1] == v}
            out = {c: -1.0 for arc, c in at[t + 1].items() if arc[0] == v}
            rows.row(f"go on from {v} at time {t}", into | out, lo=0.0, hi=0.0)
    for v in sorted(graph.nodes):
        visits = {c: -1.0 for step in at for arc, c in step.items() if arc[1] == v}
        if steps or v != source:
            rows.row(f"arm {v} on the walk", {v: 1.0, **visits}, hi=0.0)
