"""Optimal extensive-form correlated equilibria of two players, by linear programming.

Maximise an objective over correlation plans ξ (`solvers.tree.correlation`, (1)), subject to:
no deviation pays. For a deviation that is triggered with the last recommended sequence σ
and is free from the infosets K below its trigger on, the variables v(K) bound what it earns
from K on, one inequality for each action b of K:

    v(K) ≥ Σ_{z after (K, b)} u(z) c(z) ξ(σ, τ(z)) + Σ_{K' after (K, b)} v(K')            (2)

with τ(z) the other seat's sequence at terminal z and c(z) the probability of its chance
moves; and what the first of them promise is at most what following earns there.

Source: von Stengel and Forges 2008, section 3.3 (EFCE); Farina, Bianchi and Sandholm 2020,
"Coarse correlation in extensive-form games", section 4 (EFCCE, NFCCE).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, NotApplicableError
from games.tree import Tree
from solvers.loop import choice
from solvers.tree.correlation import Concept, Relevant, certify_plan, relevant, triangle
from solvers.tree.mediators import CorrelationPlan, Outline
from solvers.tree.run import Answers, Traits, TreeSolver

__all__ = ["PlanLp", "efcce", "efce", "nfcce", "optimal_plan", "uniform_plan"]

Reals = NDArray[np.float64]

_OBJECTIVES = ("welfare", "fair", "first", "second", "any")
_MAX_NODES = 2_000_000
_MAX_PAIRS = 400_000


class PlanLp:
    """The linear program; one iteration solves it.

    Args:
        tree: of two players, triangle-free.
        concept: which equilibrium.
        objective: what is maximised.
        seconds: that HiGHS may take, or None.
    """

    def __init__(self, tree: Tree, concept: Concept, objective: str, seconds: float | None) -> None:
        self._tree, self._concept = tree, concept
        self._objective, self._seconds = objective, seconds
        self._pairs = _pairs(tree, concept)
        self._plan: CorrelationPlan | None = None
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Solve the program, once."""
        if self.iteration:
            return 0
        self._plan = _optimal(
            self._tree, self._pairs, self._concept, self._objective, self._seconds
        )
        self.iteration = 1
        return 1

    def behaviour(self) -> CorrelationPlan:
        """Return the plan found, or that of uniform play."""
        return self._plan or uniform_plan(self._tree, self._pairs)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return whether it was solved; the plan is the policy."""
        return {"iteration": np.array(self.iteration)}

    def adopt(self, policy: CorrelationPlan) -> None:
        """Take the plan of a solution."""
        policy.outline.check(self._tree)
        self._plan = policy

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the state of a solution."""
        self.iteration = int(arrays["iteration"])


def _start(concept: Concept) -> Callable[[Tree, int, int | None, Mapping[str, Any]], PlanLp]:
    def start(tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]) -> PlanLp:
        objective = choice("objective", settings["objective"], _OBJECTIVES)
        return PlanLp(tree, concept, objective, settings["seconds"])

    return start


def _solver(concept: Concept) -> TreeSolver:
    gap = f"{concept}_gap"
    return TreeSolver(
        concept,
        _start(concept),
        {"objective": "welfare"},
        Traits(seats=2, fits=lambda tree: _misfit(tree, concept)),
        iterations=None,
        objective=lambda tree, settings: lambda plan: certify_plan(tree, plan)[gap].value,
        gap=gap,
        answers=Answers(certify_plan, lambda tree, plan: plan),
    )


def _misfit(tree: Tree, concept: Concept) -> str | None:
    """Return why a tree of two players and perfect recall has no program, or None."""
    if tree.n_nodes > _MAX_NODES:
        return (
            f"{tree.game} is too large: {tree.n_nodes:,} nodes, and {concept} takes at most"
            f" {_MAX_NODES:,}"
        )
    pairs = relevant(tree)
    found = triangle(tree, pairs)
    if found is not None:
        i1, i2, j1, j2 = (repr(tree.keys[i]) for i in found)
        return (
            f"{tree.game} is not triangle-free, so {concept} has no program of polynomial size:"
            f" seat 0's infosets {i1}, {i2} and seat 1's {j1}, {j2} share private chance"
        )
    if len(pairs.pairs) > _MAX_PAIRS:
        return (
            f"{tree.game} has {len(pairs.pairs):,} relevant pairs of sequences, and {concept}"
            f" takes at most {_MAX_PAIRS:,}"
        )
    return None


def _pairs(tree: Tree, concept: Concept) -> Relevant:
    """Return the relevant pairs.

    Raises:
        NotApplicableError: the tree has no program.
    """
    if tree.seats == 2 and tree.breach is None and (reason := _misfit(tree, concept)):
        raise NotApplicableError(reason)
    return relevant(tree)


def uniform_plan(tree: Tree, pairs: Relevant) -> CorrelationPlan:
    """Return the correlation plan of two seats that play uniformly, each on its own."""
    plan, behaviour = np.ones(tree.n_sequences), tree.uniform()
    for i in range(tree.n_infosets):  # an infoset follows the one that leads to it
        ends = _ends(tree, i)
        plan[ends.start : ends.stop] = behaviour[ends.start : ends.stop] * plan[tree.info_parent[i]]
    return CorrelationPlan(
        Outline.of(tree), pairs.pairs, plan[pairs.pairs[:, 0]] * plan[pairs.pairs[:, 1]]
    )


def _ends(tree: Tree, infoset: int) -> range:
    first = int(tree.info_first[infoset])
    return range(first, first + int(tree.info_actions[infoset]))


def optimal_plan(tree: Tree, concept: Concept, *, objective: str = "welfare") -> CorrelationPlan:
    """Return an optimal correlation plan among the equilibria of one kind.

    Settings of the solvers are these: `objective`, what is maximised: `welfare` (the sum of
    payoffs), `fair` (the lesser payoff), `first` or `second` (one seat's), or `any`.

    Raises:
        NotApplicableError: three seats, imperfect recall, no triangle-freeness (the infosets
            are named), or too large a program.
        ArenaError: HiGHS gave up.
    """
    return _optimal(tree, _pairs(tree, concept), concept, objective, None)


def _optimal(
    tree: Tree, pairs: Relevant, concept: Concept, objective: str, seconds: float | None
) -> CorrelationPlan:
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix

    program = _Program(tree, pairs)
    program.consistency()
    for seat in (0, 1):
        program.incentives(seat, concept)
    cost = program.objective(objective)
    size = program.columns  # `fair` has added one
    equal, right = program.equal, np.array(program.equal_right)
    matrix = coo_matrix((equal.value, (equal.row, equal.col)), shape=(len(right), size)).tocsr()
    less = program.less
    bounds = np.array(
        [(0.0, np.inf)] * len(pairs.pairs) + [(-np.inf, np.inf)] * (size - len(pairs.pairs))
    )
    done = linprog(
        -cost,
        A_ub=coo_matrix((less.value, (less.row, less.col)), shape=(less.rows, size)).tocsr(),
        b_ub=np.zeros(less.rows),
        A_eq=matrix,
        b_eq=right,
        bounds=bounds,
        method="highs",
        options={
            "primal_feasibility_tolerance": 1e-10,
            "dual_feasibility_tolerance": 1e-10,
            **({} if seconds is None else {"time_limit": seconds}),
        },
    )
    if done.status == 1 and seconds is not None:
        raise ArenaError(
            f"HiGHS did not finish the {concept} of {tree.game} in {seconds:g} s; give it more"
        )
    if done.status != 0:
        raise ArenaError(f"HiGHS gave up on the {concept} of {tree.game}: {done.message}")
    weight = np.maximum(done.x[: len(pairs.pairs)], 0.0)
    return CorrelationPlan(Outline.of(tree), pairs.pairs, weight)


@dataclass
class _Rows:
    """Rows of a sparse matrix, as they come."""

    row: list[int] = field(default_factory=list)
    col: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    rows: int = 0

    def add(self, terms: list[tuple[int, float]]) -> None:
        for col, value in terms:
            self.row.append(self.rows)
            self.col.append(col)
            self.value.append(value)
        self.rows += 1


class _Program:
    """The linear program. Columns: ξ by relevant pair, then the bounds v."""

    def __init__(self, tree: Tree, pairs: Relevant) -> None:
        self._tree, self._pairs = tree, pairs
        self.columns = len(pairs.pairs)
        self.equal, self.less = _Rows(), _Rows()
        self.equal_right: list[float] = []
        self._own = tree.terminal_sequences.tolist()
        self._other = self._own[::-1]
        self._paid = (tree.payoffs * tree.terminal_chance).tolist()

    def consistency(self) -> None:
        """Add (1) of `solvers.tree.correlation`."""
        tree, number = self._tree, self._pairs.number
        empty = [int(tree.seat_sequence[p]) for p in (0, 1)]
        self.equal.add([(number[empty[0], empty[1]], 1.0)])
        self.equal_right.append(1.0)
        near: list[dict[int, list[int]]] = [{}, {}]
        for i, j in self._pairs.connected.tolist():
            near[0].setdefault(i, []).append(j)
            near[1].setdefault(j, []).append(i)
        for seat in (0, 1):
            low, high = int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])
            for infoset in range(low, high):
                others = [empty[1 - seat]]
                for other in near[seat].get(infoset, []):
                    others += self._ends(other)
                for other in others:
                    parent = int(tree.info_parent[infoset])
                    terms = [(self._column(seat, s, other), 1.0) for s in self._ends(infoset)]
                    self.equal.add([*terms, (self._column(seat, parent, other), -1.0)])
                    self.equal_right.append(0.0)

    def _ends(self, infoset: int) -> range:
        first = int(self._tree.info_first[infoset])
        return range(first, first + int(self._tree.info_actions[infoset]))

    def _column(self, seat: int, own: int, other: int) -> int:
        return self._pairs.number[(own, other) if seat == 0 else (other, own)]

    def incentives(self, seat: int, concept: Concept) -> None:
        """Add (2) for every trigger of a seat, and that no trigger pays."""
        tree = self._tree
        empty = int(tree.seat_sequence[seat])
        self._index(seat)
        if concept == "nfcce":
            first = {i: self._bound(seat, i, empty) for i in self._below.get(empty, [])}
            gained = [(column, 1.0) for column in first.values()]
            gained += self._terms(seat, self._ends_at.get(empty, []), empty)
            self._no_gain(seat, gained, empty)
            return
        for infoset in range(int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])):
            if concept == "efcce":
                told = int(tree.info_parent[infoset])
                column = self._bound(seat, infoset, told)
                followed = [z for s in self._ends(infoset) for z in self._under(s)]
                self._no_gain(seat, [(column, 1.0)], followed)
                continue
            for told in self._ends(infoset):
                column = self._bound(seat, infoset, told)
                self._no_gain(seat, [(column, 1.0)], told)

    def _index(self, seat: int) -> None:
        """Group terminals and infosets of a seat by the sequence before them."""
        tree = self._tree
        self._ends_at: dict[int, list[int]] = {}
        self._below: dict[int, list[int]] = {}
        for z, sequence in enumerate(tree.terminal_sequences[seat].tolist()):
            self._ends_at.setdefault(sequence, []).append(z)
        for infoset in range(int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])):
            self._below.setdefault(int(tree.info_parent[infoset]), []).append(infoset)

    def _under(self, sequence: int) -> Iterator[int]:
        """Yield the terminals at or below a sequence of the seat."""
        yield from self._ends_at.get(sequence, [])
        for infoset in self._below.get(sequence, []):
            for longer in self._ends(infoset):
                yield from self._under(longer)

    def _terms(self, seat: int, terminals: list[int], told: int) -> list[tuple[int, float]]:
        """Return u c ξ(told, τ(z)) of terminals, as columns and coefficients."""
        other, paid = self._other[seat], self._paid[seat]
        return [(self._column(seat, told, other[z]), paid[z]) for z in terminals]

    def _bound(self, seat: int, infoset: int, told: int) -> int:
        """Add v of an infoset and of those below, with (2); return its column."""
        column = self.columns
        self.columns += 1
        for sequence in self._ends(infoset):
            later = [self._bound(seat, i, told) for i in self._below.get(sequence, [])]
            terms = self._terms(seat, self._ends_at.get(sequence, []), told)
            self.less.add([(column, -1.0), *((c, 1.0) for c in later), *terms])
        return column

    def _no_gain(
        self, seat: int, gained: list[tuple[int, float]], followed: int | list[int]
    ) -> None:
        """Add: gained − Σ u c ξ over the terminals below (or at) `followed` ≤ 0."""
        terminals = list(self._under(followed)) if isinstance(followed, int) else followed
        lost = self._followed(seat, terminals)
        self.less.add([*gained, *((column, -value) for column, value in lost)])

    def _followed(self, seat: int, terminals: Iterable[int]) -> list[tuple[int, float]]:
        """Return u c ξ(σ(z), τ(z)) of terminals, as columns and coefficients."""
        own = self._own[seat]
        return [term for z in terminals for term in self._terms(seat, [z], own[z])]

    def objective(self, name: str) -> Reals:
        """Return the coefficients of what is maximised, shape (columns,)."""
        values = [self._followed(p, range(len(self._tree.terminals))) for p in (0, 1)]
        weights = {"welfare": (1.0, 1.0), "first": (1.0, 0.0), "second": (0.0, 1.0)}
        if name == "fair":
            least = self.columns
            self.columns += 1
            for terms in values:
                self.less.add([(least, 1.0), *((c, -v) for c, v in terms)])
            cost = np.zeros(self.columns)
            cost[least] = 1.0
            return cost
        cost = np.zeros(self.columns)
        for weight, terms in zip(weights.get(name, (0.0, 0.0)), values, strict=True):
            for column, value in terms:
                cost[column] += weight * value
        return cost


def efce() -> TreeSolver:
    """Extensive-form correlated equilibrium (von Stengel and Forges 2008)."""
    return _solver("efce")


def efcce() -> TreeSolver:
    """Extensive-form coarse correlated equilibrium (Farina, Bianchi and Sandholm 2020)."""
    return _solver("efcce")


def nfcce() -> TreeSolver:
    """Normal-form coarse correlated equilibrium, over correlation plans."""
    return _solver("nfcce")
