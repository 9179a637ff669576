"""Correlation plans of two players: what they are, and how far from equilibrium they are.

A mediator draws a pair of pure plans and recommends, at every infoset reached, the action
of the seat's plan. The *correlation plan* ξ(σ, τ) is the probability that the plans drawn
play sequence σ of seat 0 and sequence τ of seat 1, for every *relevant* pair: one of them is
empty, or their infosets are connected (some path passes both). It satisfies

    ξ(∅, ∅) = 1,   Σ_a ξ(Ia, τ) = ξ(σ(I), τ),   Σ_b ξ(σ, Jb) = ξ(σ, σ(J))              (1)

(von Stengel and Forges 2008, "Extensive-form correlated equilibrium", Definition 2.2). In
games that are *triangle-free*, those without chance or with public chance among them, every
non-negative solution of (1) is a correlation plan (Farina and Sandholm 2020, "Polynomial-time
computation of optimal correlated equilibria in two-player extensive-form games with public
chance moves and beyond", Definition 3 and Theorem 1).

Deviations from following the recommendations, each weaker than the next:

- NFCCE: decide before the game to ignore them all;
- EFCCE: follow up to an infoset, and from there on ignore them, the one there unseen;
- EFCE: follow up to an infoset, see what is recommended there, and ignore it and the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError
from arena.solver import Gap
from games.tree import Tree
from solvers.tree.mediators import CorrelationPlan

__all__ = ["Concept", "Relevant", "certify_plan", "relevant", "triangle"]

Reals = NDArray[np.float64]
Concept = Literal["efce", "efcce", "nfcce"]

_FOUND: WeakKeyDictionary[Tree, Relevant] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Relevant:
    """The relevant pairs of sequences of a two-player tree.

    Attributes:
        pairs: sequences of seat 0 and of seat 1 (numbered as in the tree), shape (R, 2).
        connected: infosets of seat 0 and of seat 1 that are connected, shape (C, 2).
    """

    pairs: NDArray[np.int64]
    connected: NDArray[np.int64]

    @cached_property
    def number(self) -> dict[tuple[int, int], int]:
        """Pair to its row in `pairs`."""
        return {(int(a), int(b)): r for r, (a, b) in enumerate(self.pairs)}


def relevant(tree: Tree) -> Relevant:
    """Return the relevant pairs of a two-player tree of perfect recall (found once a tree).

    Raises:
        NotApplicableError: more or fewer than two seats, or imperfect recall.
    """
    if tree.seats != 2 or tree.breach is not None:
        lacks = f"{tree.seats} seats" if tree.seats != 2 else "imperfect recall"
        raise NotApplicableError(
            f"{tree.game} has {lacks}; correlation plans are for two players with perfect recall"
        )
    if tree not in _FOUND:
        _FOUND[tree] = _relevant(tree)
    return _FOUND[tree]


def _relevant(tree: Tree) -> Relevant:
    linked: set[tuple[int, int]] = set()
    above: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for node in range(tree.n_nodes):
        mine: tuple[int, ...] = ()
        theirs: tuple[int, ...] = ()
        if node:
            parent = int(tree.parent[node])
            mine, theirs = above[parent]
            seat, infoset = int(tree.seat[parent]), int(tree.infoset[parent])
            if seat == 0:
                linked.update((infoset, other) for other in theirs)
                mine = (*mine, infoset)
            elif seat == 1:
                linked.update((other, infoset) for other in mine)
                theirs = (*theirs, infoset)
        above.append((mine, theirs))
    connected = np.array(sorted(linked), dtype=np.int64).reshape(-1, 2)
    empty = (int(tree.seat_sequence[0]), int(tree.seat_sequence[1]))
    pairs = [empty]
    pairs += [(s, empty[1]) for s in range(empty[0] + 1, empty[1])]
    pairs += [(empty[0], s) for s in range(empty[1] + 1, tree.n_sequences)]
    for i, j in connected.tolist():
        rows, cols = _actions(tree, i), _actions(tree, j)
        pairs += [(s, t) for s in rows for t in cols]
    return Relevant(np.array(pairs, dtype=np.int64), connected)


def _actions(tree: Tree, infoset: int) -> range:
    """Return the sequences that end in the infoset's actions."""
    first = int(tree.info_first[infoset])
    return range(first, first + int(tree.info_actions[infoset]))


def triangle(tree: Tree, pairs: Relevant) -> tuple[int, int, int, int] | None:
    """Return infosets I₁, I₂ and J₁, J₂ that break triangle-freeness, or None.

    Two infosets of a seat with the same parent sequence each, with I₁ ⇌ J₁, I₂ ⇌ J₂, I₁ ⇌ J₂.
    """
    neighbours: dict[int, dict[int, set[int]]] = {}
    for i, j in pairs.connected.tolist():
        neighbours.setdefault(i, {}).setdefault(int(tree.info_parent[j]), set()).add(j)
    families: dict[int, list[int]] = {}
    for i in neighbours:
        families.setdefault(int(tree.info_parent[i]), []).append(i)
    for family in families.values():
        for one in family:
            for two in family:
                if one == two:
                    continue
                for parent, near in neighbours[one].items():
                    far = neighbours[two].get(parent, set())
                    # J₂ is near both; J₁ is another one that is near I₁.
                    for second in sorted(near & far):
                        for first in sorted(near - {second}):
                            return one, two, first, second
    return None


def certify_plan(tree: Tree, plan: CorrelationPlan) -> dict[str, Gap]:
    """Return how far a correlation plan is from the three kinds of equilibrium.

    Args:
        tree: of two players.
        plan: over the tree's relevant pairs.

    Returns:
        `efce_gap`, `efcce_gap`, `nfcce_gap`: the most that one deviation of that kind adds
        to a seat's expected payoff; `value_p`; `plan_residual`, the largest violation of (1).
    """
    worst = {
        concept: max(0.0, *(_best_gain(tree, plan, seat, concept) for seat in (0, 1)))
        for concept in ("efce", "efcce", "nfcce")
    }
    rows, cols = tree.terminal_sequences
    reach = np.array([plan(int(a), int(b)) for a, b in zip(rows, cols, strict=True)])
    values = tree.payoffs @ (tree.terminal_chance * reach)
    out = {f"{concept}_gap": Gap(gap) for concept, gap in worst.items()}
    out["plan_residual"] = Gap(_residual(tree, plan))
    return {**out, **{f"value_{p}": Gap(float(v)) for p, v in enumerate(values)}}


def _residual(tree: Tree, plan: CorrelationPlan) -> float:
    """Return the largest violation of (1) and of non-negativity."""
    empty = (int(tree.seat_sequence[0]), int(tree.seat_sequence[1]))
    worst = max(abs(plan(*empty) - 1.0), -float(plan.weight.min()))
    # Each pair (Ia, τ) takes part in the sum of infoset I at τ, and likewise on the other side.
    for seat in (0, 1):
        sums: dict[tuple[int, int], float] = {}
        for (a, b), weight in zip(plan.pairs.tolist(), plan.weight.tolist(), strict=True):
            own, other = (a, b) if seat == 0 else (b, a)
            if own != empty[seat]:
                at = (_infoset_of(tree, own), other)
                sums[at] = sums.get(at, 0.0) + weight
        for (infoset, other), total in sums.items():
            parent = int(tree.info_parent[infoset])
            pair = (parent, other) if seat == 0 else (other, parent)
            worst = max(worst, abs(total - plan(*pair)))
    return worst


def _infoset_of(tree: Tree, sequence: int) -> int:
    return int(np.searchsorted(tree.info_first, sequence, side="right")) - 1


def _best_gain(tree: Tree, plan: CorrelationPlan, seat: int, concept: str) -> float:
    """Return the most that a deviation of the kind adds to the seat's payoff."""
    empty = int(tree.seat_sequence[seat])
    mine, theirs = tree.terminal_sequences[seat], tree.terminal_sequences[1 - seat]
    paid = tree.payoffs[seat] * tree.terminal_chance
    ends: dict[int, list[int]] = {}
    for z, sequence in enumerate(mine.tolist()):
        ends.setdefault(sequence, []).append(z)
    below: dict[int, list[int]] = {}
    low, high = int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])
    for infoset in range(low, high):
        below.setdefault(int(tree.info_parent[infoset]), []).append(infoset)

    def xi(own: int, other: int) -> float:
        return plan(own, other) if seat == 0 else plan(other, own)

    def followed(sequence: int) -> float:
        """Return what is earned after the sequence by following on."""
        here = sum(paid[z] * xi(sequence, int(theirs[z])) for z in ends.get(sequence, []))
        later = (s for i in below.get(sequence, []) for s in _actions(tree, i))
        return float(here) + sum(followed(s) for s in later)

    def deviated(sequence: int, told: int) -> float:
        """Return the most that can be earned after the sequence if `told` were the last word."""
        here = sum(paid[z] * xi(told, int(theirs[z])) for z in ends.get(sequence, []))
        return float(here) + sum(best(i, told) for i in below.get(sequence, []))

    def best(infoset: int, told: int) -> float:
        return max(deviated(s, told) for s in _actions(tree, infoset))

    if concept == "nfcce":
        return deviated(empty, empty) - followed(empty)
    gains = [0.0]
    for infoset in range(low, high):
        if concept == "efcce":
            follow = sum(followed(s) for s in _actions(tree, infoset))
            gains.append(best(infoset, int(tree.info_parent[infoset])) - follow)
        else:
            gains += [best(infoset, s) - followed(s) for s in _actions(tree, infoset)]
    return max(gains)
