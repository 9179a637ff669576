"""Naive twins of the tree code: random games as states, and definitions written out."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from arena.game import Game, Snapshot
from arena.types import CHANCE, Discrete


@dataclass
class Node:
    """A history of a toy game: terminal if `payoffs`, chance if `odds`, else decisions."""

    payoffs: Sequence[float] | None = None
    odds: Sequence[float] | None = None
    movers: Sequence[int] = ()
    keys: Mapping[int, str | None] = field(default_factory=dict)
    counts: Mapping[int, int] = field(default_factory=dict)
    children: dict[tuple[int, ...], Node] = field(default_factory=dict)


class ToyState:
    """A `State` over toy nodes, chance exposed."""

    def __init__(self, node: Node, n: int) -> None:
        self.node, self.n = node, n

    def actors(self) -> tuple[int, ...]:
        if self.node.payoffs is not None:
            return ()
        return (CHANCE,) if self.node.odds is not None else tuple(self.node.movers)

    def observe(self, seat: int) -> Snapshot:
        return Snapshot(seat, actions=self.legal(seat), key=self.node.keys.get(seat))

    def legal(self, seat: int) -> list[int]:
        return list(range(self.node.counts[seat]))

    def chance_outcomes(self) -> list[tuple[int, float]]:
        return list(enumerate(self.node.odds or ()))

    def step(self, actions: Mapping[int, Any]) -> None:
        self.node = self.node.children[tuple(int(actions[s]) for s in sorted(actions))]

    def rewards(self) -> np.ndarray:
        return self.returns()

    def returns(self) -> np.ndarray:
        return np.array(self.node.payoffs or [0.0] * self.n, dtype=np.float64)

    def clone(self) -> ToyState:
        return ToyState(self.node, self.n)

    def render(self) -> str:
        return str(self.node)


def toy_game(root: Node, n: int, *, actions: int = 3, payoff: str = "general_sum") -> Game:
    return Game(
        id="toy",
        seats=n,
        actions=(Discrete(actions),) * n,
        payoff=payoff,  # type: ignore[arg-type]
        turns="sequential",
        forms={"state": lambda seed=0: ToyState(root, n)},
        rebuildable=False,
    )


def random_game(
    seed: int, *, n: int = 2, depth: int = 4, zero_sum: bool = False, ties: bool = True
) -> Game:
    """A random game of perfect recall: keys hold the seat's own past and a random signal.

    With `ties`, payoffs are small integers.
    """
    rng = np.random.default_rng(seed)

    def grow(level: int, past: tuple[str, ...]) -> Node:
        kind = rng.random()
        if level == 0 or kind < 0.1:
            payoffs = rng.integers(-5, 6, n).astype(float) if ties else rng.normal(size=n)
            if zero_sum:
                payoffs[-1] = -payoffs[:-1].sum()
            return Node(payoffs=payoffs.tolist())
        if kind < 0.3:
            odds = rng.dirichlet(np.ones(int(rng.integers(1, 4))))
            return Node(
                odds=odds.tolist(), children={(k,): grow(level - 1, past) for k in range(len(odds))}
            )
        size = 2 if kind < 0.45 and n > 1 else 1
        movers = sorted(rng.choice(n, size=size, replace=False).tolist())
        keys, counts = {}, {}
        for seat in movers:
            signal = int(rng.integers(0, 2))
            counts[seat] = 2 + (len(past[seat]) + signal) % 2
            keys[seat] = f"{past[seat]}|{signal}"
        node = Node(movers=movers, keys=keys, counts=counts)
        for joint in itertools.product(*(range(counts[s]) for s in movers)):
            after = list(past)
            for seat, action in zip(movers, joint, strict=True):
                after[seat] = f"{keys[seat]}:{action}"
            node.children[joint] = grow(level - 1, tuple(after))
        return node

    root = grow(depth, ("",) * n)
    return toy_game(root, n, payoff="zero_sum" if zero_sum else "general_sum")


Behaviour = Mapping[tuple[int, str], Sequence[float]]


def infosets(game: Game) -> dict[tuple[int, str], int]:
    """{(seat, key): number of actions}, by walking every history."""
    found: dict[tuple[int, str], int] = {}

    def visit(node: Node) -> None:
        for seat in node.movers:
            key = node.keys[seat]
            assert key is not None
            found[seat, key] = node.counts[seat]
        for child in node.children.values():
            visit(child)

    visit(game.root().node)  # type: ignore[attr-defined]
    return found


def expected(game: Game, policy: Behaviour) -> np.ndarray:
    """Expected payoffs by plain recursion."""

    def value(node: Node) -> np.ndarray:
        if node.payoffs is not None:
            return np.array(node.payoffs)
        out = np.zeros(game.seats)
        for joint, child in node.children.items():
            if node.odds is not None:
                weight = node.odds[joint[0]]
            else:
                weight = 1.0
                for seat, action in zip(node.movers, joint, strict=True):
                    weight *= policy[seat, node.keys[seat] or ""][action]
            out = out + weight * value(child)
        return out

    return value(game.root().node)  # type: ignore[attr-defined]


def pure_policies(game: Game, seat: int) -> Iterator[Behaviour]:
    """Every deterministic policy of a seat."""
    own = [(key, count) for key, count in infosets(game).items() if key[0] == seat]
    for picks in itertools.product(*(range(count) for _, count in own)):
        yield {
            key: [float(a == pick) for a in range(count)]
            for (key, count), pick in zip(own, picks, strict=True)
        }


def nash_conv(game: Game, policy: Behaviour) -> float:
    """NashConv by trying every deterministic policy of every seat."""
    base = expected(game, policy)
    return sum(
        max(expected(game, {**policy, **pure})[seat] for pure in pure_policies(game, seat))
        - base[seat]
        for seat in range(game.seats)
    )


class RecursiveCfr:
    """Regret minimisation by recursion over histories, all variants written out.

    `rates(t)` gives (positive, negative, ahead, keep, add), as the kernels take them.
    """

    def __init__(
        self,
        game: Game,
        rates: Callable[[int], Sequence[float]],
        *,
        floor: bool,
        predictive: bool,
        alternating: bool,
    ) -> None:
        self.game, self.rates = game, rates
        self.floor, self.predictive, self.alternating = floor, predictive, alternating
        self.t = 0
        self.counts = infosets(game)
        self.policy = {k: np.full(c, 1.0 / c) for k, c in self.counts.items()}
        self.regret = {k: np.zeros(c) for k, c in self.counts.items()}
        self.total = {k: np.zeros(c) for k, c in self.counts.items()}

    def step(self) -> None:
        self.t += 1
        seats = range(self.game.seats)
        if self.alternating:
            for seat in seats:
                self._update(seat, *self._walk(seat))
        else:
            walked = [self._walk(seat) for seat in seats]
            for seat in seats:
                self._update(seat, *walked[seat])

    def average(self) -> dict[tuple[int, str], np.ndarray]:
        return {
            k: x / x.sum() if x.sum() > 0 else np.full(len(x), 1 / len(x))
            for k, x in self.total.items()
        }

    def _walk(self, seat: int) -> tuple[dict[Any, np.ndarray], dict[Any, float]]:
        gains: dict[Any, np.ndarray] = defaultdict(lambda: np.zeros(1))
        reach: dict[Any, float] = {}

        def value(node: Node, own: float, others: float) -> float:
            if node.payoffs is not None:
                return node.payoffs[seat]
            if node.odds is not None:
                return sum(
                    p * value(node.children[k,], own, others * p) for k, p in enumerate(node.odds)
                )
            mine = {}
            total = 0.0
            for joint, child in node.children.items():
                chance, step, act = 1.0, 1.0, None
                for mover, action in zip(node.movers, joint, strict=True):
                    p = self.policy[mover, node.keys[mover] or ""][action]
                    if mover == seat:
                        step, act = p, action
                    else:
                        chance *= p
                below = value(child, own * step, others * chance)
                total += chance * step * below
                if act is not None:
                    mine[act] = mine.get(act, 0.0) + chance * below
            if mine:
                key = (seat, node.keys[seat] or "")
                reach[key] = own
                regrets = np.array([mine[a] - total for a in range(self.counts[key])])
                gains[key] = gains[key] + others * regrets
            return total

        value(self.game.root().node, 1.0, 1.0)  # type: ignore[attr-defined]
        return gains, reach

    def _update(
        self, seat: int, gains: Mapping[Any, np.ndarray], reach: Mapping[Any, float]
    ) -> None:
        positive, negative, ahead, keep, add = self.rates(self.t)
        for key in self.counts:
            if key[0] != seat:
                continue
            old, gain = self.regret[key], gains[key]
            self.total[key] = keep * self.total[key] + add * reach[key] * self.policy[key]
            new = np.where(old > 0, positive * old, negative * old) + gain
            if self.floor:
                new = np.maximum(new, 0.0)
            self.regret[key] = new
            lean = np.maximum(ahead * new + gain if self.predictive else new, 0.0)
            count = len(new)
            self.policy[key] = lean / lean.sum() if lean.sum() > 0 else np.full(count, 1 / count)


def random_table(game: Game, tree: Any, seed: int) -> tuple[np.ndarray, Behaviour]:
    """A policy with all actions played, as an array over sequences and as a table."""
    rng = np.random.default_rng(seed)
    table = {key: rng.dirichlet(np.ones(count)) for key, count in infosets(game).items()}
    out = np.ones(tree.n_sequences)
    for i, key in enumerate(tree.keys):
        first = tree.info_first[i]
        out[first : first + tree.info_actions[i]] = table[int(tree.info_seat[i]), key]
    return out, {key: row.tolist() for key, row in table.items()}


def conditional_payoffs(game: Game, policy: Behaviour) -> dict[tuple[int, str], np.ndarray]:
    """What each action pays its seat given that its infoset is reached, history by history."""
    paid: dict[tuple[int, str], np.ndarray] = {}
    mass: dict[tuple[int, str], float] = defaultdict(float)

    def visit(node: Node, reach: np.ndarray) -> np.ndarray:
        """Return the value; `reach[p]` is the probability that all but seat p lead here."""
        if node.payoffs is not None:
            return np.array(node.payoffs)
        total = np.zeros(game.seats)
        below: dict[tuple[int, int], float] = defaultdict(float)
        for joint, child in node.children.items():
            after, share = reach.copy(), 1.0
            if node.odds is not None:
                share = node.odds[joint[0]]
                after *= share
            steps = {}
            moves = dict(zip(node.movers, joint, strict=True)) if node.movers else {}
            for seat, action in moves.items():
                steps[seat] = policy[seat, node.keys[seat] or ""][action]
                share *= steps[seat]
                for other in range(game.seats):
                    after[other] *= 1.0 if other == seat else steps[seat]
            value = visit(child, after)
            total += share * value
            for seat, action in moves.items():
                # The others who move here at once are part of what happens to the seat.
                below[seat, action] += share / steps[seat] * value[seat]
        for seat in node.movers:
            key = (seat, node.keys[seat] or "")
            paid.setdefault(key, np.zeros(node.counts[seat]))
            mass[key] += reach[seat]
            for action in range(node.counts[seat]):
                paid[key][action] += reach[seat] * below[seat, action]
        return total

    visit(game.root().node, np.ones(game.seats))  # type: ignore[attr-defined]
    return {key: row / mass[key] for key, row in paid.items()}
