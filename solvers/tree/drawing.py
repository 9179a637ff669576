"""Pairs of pure plans drawn from a correlation plan.

In a triangle-free game the connections between the infosets that follow one sequence of
each seat form stars: one infoset, and others of the other seat that are connected to it
alone (a path of four would be a triangle). Starting with the two empty sequences,

1. at a pair (σ, τ), draw at the centre I of each star an action a with probability
   ξ(Ia, τ') / ξ(σ, τ'), τ' the longest part of τ whose infoset is connected to I;
2. go on at (Ia, τ) with the infosets that follow Ia on one side and the star's leaves on
   the other.

Whenever two infosets are connected, the second is drawn given the action at the first, so
every relevant pair of sequences is drawn with probability ξ. The idea is that of Farina and
Sandholm 2020, "Polynomial-time computation of optimal correlated equilibria in two-player
extensive-form games with public chance moves and beyond", section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError

if TYPE_CHECKING:
    from solvers.tree.mediators import CorrelationPlan

__all__ = ["Drawing"]

Choose = Callable[[Sequence[float]], int]


class Drawing:
    """Draws from one correlation plan.

    Args:
        plan: of a triangle-free game.
    """

    def __init__(self, plan: CorrelationPlan) -> None:
        outline = plan.outline
        self._plan = plan
        self._empty = (int(outline.seat_sequence[0]), int(outline.seat_sequence[1]))
        self._first = outline.info_first.tolist()
        self._count = outline.info_actions.tolist()
        self._parent = outline.info_parent.tolist()
        self._seat = outline.info_seat.tolist()
        infosets = np.full(outline.n_sequences, -1, dtype=np.int64)
        played = outline.sequence_action >= 0
        infosets[played] = np.repeat(np.arange(len(self._count)), self._count)
        self._infoset: list[int] = infosets.tolist()
        self._start = np.ones(outline.n_sequences)
        self._start[played] = np.repeat(1.0 / np.array(self._count), self._count)
        self._below: dict[int, list[int]] = {}
        for infoset, parent in enumerate(self._parent):
            self._below.setdefault(parent, []).append(infoset)
        both = infosets[plan.pairs]
        self._connected = {(int(i), int(j)) for i, j in both.tolist() if i >= 0 and j >= 0}

    def draw(self, choose: Choose) -> NDArray[np.float64]:
        """Return a pair of plans as a behaviour policy, shape (Q,); uniform off the plans.

        Args:
            choose: from probabilities to an index.

        Raises:
            NotApplicableError: the game is not triangle-free.
        """
        out = self._start.copy()
        below = self._below
        first, second = self._empty
        stack = [(first, second, below.get(first, []), below.get(second, []))]
        while stack:
            mine, theirs, ours, others = stack.pop()
            for infoset, leaves in self._stars(ours, others):
                told = self._tell(infoset, (mine, theirs), choose, out)
                if self._seat[infoset] == 0:
                    stack.append((told, theirs, below.get(told, []), leaves))
                else:
                    stack.append((mine, told, leaves, below.get(told, [])))
        return out

    def _tell(
        self,
        infoset: int,
        known: tuple[int, int],
        choose: Choose,
        out: NDArray[np.float64],
    ) -> int:
        """Draw what is recommended at an infoset, note it in `out`; return the sequence."""
        seat = self._seat[infoset]
        other = known[1 - seat]
        while other != self._empty[1 - seat]:
            at = self._infoset[other]
            if ((infoset, at) if seat == 0 else (at, infoset)) in self._connected:
                break
            other = self._parent[at]
        first, count = self._first[infoset], self._count[infoset]
        ends = range(first, first + count)
        weight = [max(0.0, self._plan(*((s, other) if seat == 0 else (other, s)))) for s in ends]
        total = sum(weight)
        # What has no weight is not reached, but for rounding.
        share = [w / total for w in weight] if total > 0.0 else [1.0 / count] * count
        told: int = first + choose(share)
        out[first : first + count] = 0.0
        out[told] = 1.0
        return told

    def _stars(self, ours: Sequence[int], others: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """Yield the centre and the leaves of each star among infosets of seat 0 and 1."""
        near: dict[int, list[int]] = {i: [] for i in (*ours, *others)}
        for i in ours:
            for j in others:
                if (i, j) in self._connected:
                    near[i].append(j)
                    near[j].append(i)
        for infoset, leaves in near.items():
            if len(leaves) == 1:
                hub = leaves[0]
                if len(near[hub]) > 1 or self._seat[infoset] == 1:
                    continue  # a leaf, or the half of a pair that comes second
            elif any(len(near[leaf]) > 1 for leaf in leaves):
                raise NotApplicableError(
                    f"{self._plan.game} is not triangle-free, so nothing can be drawn from a"
                    " correlation plan"
                )
            yield infoset, leaves
