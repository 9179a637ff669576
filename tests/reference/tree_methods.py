"""Naive twins of methods on trees: definitions written out, one infoset at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from games.tree import TERMINAL, Tree


def spans(tree: Tree) -> list[range]:
    """The sequences of each infoset."""
    pairs = zip(tree.info_first.tolist(), tree.info_actions.tolist(), strict=True)
    return [range(first, first + count) for first, count in pairs]


def below(tree: Tree) -> list[list[int]]:
    """The infosets that each sequence leads to next."""
    out: list[list[int]] = [[] for _ in range(tree.n_sequences)]
    for i, parent in enumerate(tree.info_parent.tolist()):
        out[parent].append(i)
    return out


def last_sequences(tree: Tree, node: int) -> tuple[list[int], float]:
    """The last sequence of each seat on the way to a node and the chance of it, walking up."""
    out = tree.seat_sequence[:-1].tolist()
    seen = set()
    reach = 1.0
    while node > 0:
        above = int(tree.parent[node])
        seat = int(tree.seat[above])
        reach *= float(tree.chance[node])
        if seat >= 0 and seat not in seen:
            seen.add(seat)
            offset = node - int(tree.first_child[above])
            out[seat] = int(tree.info_first[tree.infoset[above]]) + offset
        node = above
    return out, reach


def plans(tree: Tree, policy: np.ndarray) -> list[float]:
    """The realization plan of every sequence, by recursion from the top."""
    out = [1.0] * tree.n_sequences
    for i, span in enumerate(spans(tree)):
        for s in span:
            out[s] = out[int(tree.info_parent[i])] * float(policy[s])
    return out


def worth(tree: Tree, plan: Sequence[float]) -> list[float]:
    """What each sequence pays its seat against the others' plans, from every terminal."""
    out = [0.0] * tree.n_sequences
    for z, node in enumerate(np.flatnonzero(tree.seat == TERMINAL).tolist()):
        last, reach = last_sequences(tree, node)
        for seat in range(tree.seats):
            others = math.prod(plan[last[q]] for q in range(tree.seats) if q != seat)
            out[last[seat]] += reach * others * float(tree.payoffs[seat, z])
    return out


def mirror_step(
    tree: Tree,
    policy: np.ndarray,
    magnet: np.ndarray,
    *,
    eta: float,
    alpha: float,
    alternating: bool,
) -> np.ndarray:
    """One iteration of magnetic mirror descent with dilated entropy, by its closed form."""
    out = policy.copy()
    under, infosets = below(tree), spans(tree)
    fixed = worth(tree, plans(tree, policy))
    for seat in range(2):
        grad = worth(tree, plans(tree, out)) if alternating else fixed
        done: dict[int, float] = {}

        def level(i: int, grad: Sequence[float] = grad, done: dict[int, float] = done) -> float:
            """Log of the sum of exp h over an infoset, its policy on the way."""
            h = {}
            for s in infosets[i]:
                pull = eta * grad[s] + math.log(policy[s]) + eta * alpha * math.log(magnet[s])
                h[s] = pull / (1.0 + eta * alpha) + sum(level(j) for j in under[s])
            done[i] = math.log(sum(math.exp(v) for v in h.values()))
            for s, value in h.items():
                out[s] = math.exp(value - done[i])
            return done[i]

        for i in under[int(tree.seat_sequence[seat])]:
            level(i)
    return out


def soft_values(
    tree: Tree, policy: np.ndarray, magnet: np.ndarray, temperature: float
) -> list[tuple[float, float]]:
    """Per seat: the regularised value of the policy, and of the best soft response."""
    under, infosets = below(tree), spans(tree)
    pay = worth(tree, plans(tree, policy))

    def value(s: int) -> float:
        return pay[s] + sum(
            policy[t] * (value(t) - temperature * math.log(policy[t] / magnet[t]))
            for i in under[s]
            for t in infosets[i]
        )

    def best(s: int) -> float:
        return pay[s] + sum(
            temperature
            * math.log(sum(magnet[t] * math.exp(best(t) / temperature) for t in infosets[i]))
            for i in under[s]
        )

    roots = tree.seat_sequence[:-1].tolist()
    return [(value(root), best(root)) for root in roots]


def fictitious_step(tree: Tree, plan: np.ndarray, t: int) -> np.ndarray:
    """Every seat's plan moved by 1/(t + 1) to a best response."""
    pay = worth(tree, plan.tolist())
    under, infosets = below(tree), spans(tree)
    response = [0.0] * tree.n_sequences

    def best(s: int) -> float:
        return pay[s] + sum(max(best(u) for u in infosets[i]) for i in under[s])

    def play(s: int) -> None:
        response[s] = 1.0
        for i in under[s]:
            play(max(infosets[i], key=best))

    for root in tree.seat_sequence[:-1].tolist():
        play(root)
    return plan + (np.array(response) - plan) / (t + 1)


class SplitMix:
    """Steele, Lea and Flood 2014."""

    def __init__(self, state: int) -> None:
        self.state = state

    def random(self) -> float:
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return ((z ^ (z >> 31)) >> 11) / 2.0**53

    def draw(self, weights: Sequence[float]) -> int:
        left = self.random()
        pick = 0
        for k, weight in enumerate(weights):
            if weight > 0.0:
                pick = k
                left -= weight
                if left < 0.0:
                    break
        return pick


class MonteCarloTwin:
    """External and outcome sampling by recursion (Lanctot et al. 2009)."""

    def __init__(self, tree: Tree, state: int) -> None:
        self.tree, self.random = tree, SplitMix(state)
        self.regret, self.total = np.zeros(tree.n_sequences), np.zeros(tree.n_sequences)
        self.column = {int(v): z for z, v in enumerate(tree.terminals)}

    def policy(self, span: slice) -> np.ndarray:
        lean = np.maximum(self.regret[span], 0.0)
        return lean / lean.sum() if lean.sum() > 0 else np.full(len(lean), 1.0 / len(lean))

    def _at(self, v: int) -> tuple[int, int, slice]:
        tree = self.tree
        seat, first = int(tree.seat[v]), int(tree.first_child[v])
        if seat < 0:
            return seat, first, slice(0)
        i = int(tree.infoset[v])
        start = int(tree.info_first[i])
        return seat, first, slice(start, start + int(tree.info_actions[i]))

    def external(self) -> None:
        for walker in range(self.tree.seats):
            self._external(0, walker)

    def _external(self, v: int, walker: int) -> float:
        tree = self.tree
        if v in self.column:
            return float(tree.payoffs[walker, self.column[v]])
        seat, first, span = self._at(v)
        if seat == -1:
            odds = tree.chance[first : first + int(tree.n_children[v])].tolist()
            return self._external(first + self.random.draw(odds), walker)
        policy = self.policy(span)
        if seat == walker:
            values = np.array([self._external(first + k, walker) for k in range(len(policy))])
            mean = float(policy @ values)
            self.regret[span] += values - mean
            return mean
        if seat == (walker + 1) % tree.seats:
            self.total[span] += policy
        return self._external(first + self.random.draw(policy.tolist()), walker)

    def outcome(self, explore: float) -> None:
        for walker in range(self.tree.seats):
            self._outcome(0, walker, explore, own=1.0, drawn=1.0, sample=1.0)

    def _outcome(
        self, v: int, walker: int, explore: float, *, own: float, drawn: float, sample: float
    ) -> tuple[float, float]:
        """Return the payoff over the seat's own sampling, and its reach from here on."""
        tree = self.tree
        if v in self.column:
            return float(tree.payoffs[walker, self.column[v]]) / drawn, 1.0
        seat, first, span = self._at(v)
        if seat == -1:
            odds = tree.chance[first : first + int(tree.n_children[v])].tolist()
            k = self.random.draw(odds)
            return self._outcome(
                first + k, walker, explore, own=own, drawn=drawn, sample=sample * odds[k]
            )
        policy = self.policy(span)
        count = len(policy)
        if seat != walker:
            k = self.random.draw(policy.tolist())
            return self._outcome(
                first + k, walker, explore, own=own, drawn=drawn, sample=sample * policy[k]
            )
        if self.random.random() < explore:
            k = min(int(self.random.random() * count), count - 1)
        else:
            k = self.random.draw(policy.tolist())
        step = explore / count + (1.0 - explore) * policy[k]
        weight, tail = self._outcome(
            first + k,
            walker,
            explore,
            own=own * policy[k],
            drawn=drawn * step,
            sample=sample * step,
        )
        self.total[span] += own / sample * policy
        gains = np.zeros(count)
        gains[k] = weight * tail
        self.regret[span] += gains - weight * tail * policy[k]
        return weight, tail * policy[k]
