"""Correlated equilibria of tiny trees from their definitions, over pairs of pure policies."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from scipy.optimize import linprog

from games.tree import Tree


class PurePairs:
    """Every pure policy of both seats of a tree, and what each deviation does to them."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.own = [
            list(range(int(tree.seat_infoset[p]), int(tree.seat_infoset[p + 1]))) for p in (0, 1)
        ]
        self.pure = [
            list(itertools.product(*(range(int(tree.info_actions[i])) for i in self.own[p])))
            for p in (0, 1)
        ]
        self.index = [{pure: k for k, pure in enumerate(self.pure[p])} for p in (0, 1)]
        self.plans = [np.array([self.plan(p, pure) for pure in self.pure[p]]) for p in (0, 1)]
        ends = [self.plans[p][:, tree.terminal_sequences[p]] for p in (0, 1)]
        self.payoff = [
            ends[0] * (tree.payoffs[p] * tree.terminal_chance) @ ends[1].T for p in (0, 1)
        ]

    def plan(self, seat: int, pure: tuple[int, ...]) -> np.ndarray:
        out = np.zeros(self.tree.n_sequences)
        out[self.tree.seat_sequence[seat]] = 1.0
        for infoset, action in zip(self.own[seat], pure, strict=True):
            out[self.tree.info_first[infoset] + action] = out[self.tree.info_parent[infoset]]
        return out

    def below(self, seat: int, infoset: int) -> list[int]:
        """The infosets of the seat at or below one of them."""
        found = [infoset]
        for i in self.own[seat]:
            parent = int(self.tree.info_parent[i])
            if any(
                self.tree.info_first[j]
                <= parent
                < self.tree.info_first[j] + self.tree.info_actions[j]
                for j in found
            ):
                found.append(i)
        return found

    def deviations(self, seat: int, concept: str) -> Iterator[list[tuple[int, int]]]:
        """Each deviation as [(pure policy that triggers it, what is played instead)]."""
        if concept == "nfcce":
            for k in range(len(self.pure[seat])):
                yield [(j, k) for j in range(len(self.pure[seat]))]
            return
        for infoset in self.own[seat]:
            below = self.below(seat, infoset)
            count = int(self.tree.info_actions[infoset])
            for told in range(count) if concept == "efce" else (None,):
                for other in itertools.product(
                    *(range(int(self.tree.info_actions[i])) for i in below)
                ):
                    swap = dict(zip(below, other, strict=True))
                    moves = []
                    for j, pure in enumerate(self.pure[seat]):
                        at = self.own[seat].index(infoset)
                        reached = self.plans[seat][j, self.tree.info_parent[infoset]] > 0
                        if reached and told in (None, pure[at]):
                            new = tuple(
                                swap.get(i, a) for i, a in zip(self.own[seat], pure, strict=True)
                            )
                            moves.append((j, self.index[seat][new]))
                    yield moves

    def gains(self, seat: int, concept: str) -> Iterator[np.ndarray]:
        """What each deviation adds to the seat's payoff, by pair of pure policies."""
        paid = self.payoff[seat] if seat == 0 else self.payoff[seat].T
        for moves in self.deviations(seat, concept):
            gain = np.zeros_like(paid)
            for j, k in moves:
                gain[j] = paid[k] - paid[j]
            yield gain if seat == 0 else gain.T

    def gap(self, mix: np.ndarray, concept: str) -> float:
        return max(
            0.0,
            *(float((mix * gain).sum()) for p in (0, 1) for gain in self.gains(p, concept)),
        )

    def best_welfare(self, concept: str) -> float:
        """The most welfare of any equilibrium, by a program over all pairs of pure policies."""
        rows = np.array([gain.ravel() for p in (0, 1) for gain in self.gains(p, concept)])
        welfare = (self.payoff[0] + self.payoff[1]).ravel()
        done = linprog(
            -welfare,
            A_ub=rows,
            b_ub=np.zeros(len(rows)),
            A_eq=np.ones((1, len(welfare))),
            b_eq=[1.0],
        )
        assert done.status == 0, done.message
        return float(-done.fun)

    def correlation(self, mix: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """ξ of each pair of sequences under a distribution over pairs of pure policies."""
        return np.array(
            [self.plans[0][:, a] @ mix @ self.plans[1][:, b] for a, b in pairs.tolist()]
        )
