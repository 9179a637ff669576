"""CFR+ in exact rational arithmetic, from a tree's terminals."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from games.tree import Tree


def _exact(value: float) -> Fraction:
    return Fraction(value).limit_denominator(10**6)


class ExactCfrPlus:
    """Alternating CFR+ of two players, zero sum. `regret` and `policy` by sequence, (Q,)."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.spans = [
            range(int(first), int(first + count))
            for first, count in zip(tree.info_first, tree.info_actions, strict=True)
        ]
        self.regret = [Fraction(0)] * tree.n_sequences
        self.policy = [Fraction(1)] * tree.n_sequences
        for span in self.spans:
            for s in span:
                self.policy[s] = Fraction(1, len(span))
        ends = (tree.terminal_sequences.T, tree.terminal_chance, tree.payoffs[0])
        self.ends = [
            (int(a), int(b), _exact(float(c)) * _exact(float(u)))
            for (a, b), c, u in zip(*ends, strict=True)
        ]

    def step(self) -> None:
        """Update seat 0, then seat 1."""
        tree = self.tree
        for seat in (0, 1):
            plan = [Fraction(1)] * tree.n_sequences
            for i, span in enumerate(self.spans):
                for s in span:
                    plan[s] = plan[tree.info_parent[i]] * self.policy[s]
            worth = [Fraction(0)] * tree.n_sequences
            for a, b, weight in self.ends:
                if seat == 0:
                    worth[a] += weight * plan[b]
                else:
                    worth[b] -= weight * plan[a]
            low, high = tree.seat_infoset[seat], tree.seat_infoset[seat + 1]
            for i in range(high - 1, low - 1, -1):
                span = self.spans[i]
                value = sum((self.policy[s] * worth[s] for s in span), Fraction(0))
                worth[tree.info_parent[i]] += value
                for s in span:
                    self.regret[s] = max(Fraction(0), self.regret[s] + worth[s] - value)
                total = sum(self.regret[s] for s in span)
                for s in span:
                    self.policy[s] = self.regret[s] / total if total else Fraction(1, len(span))

    def floats(self) -> np.ndarray:
        """Return the policy in floats, (Q,)."""
        return np.array([float(p) for p in self.policy])
