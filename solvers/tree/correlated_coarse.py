"""Correlated equilibria of any tree by regret minimisation: the joint play, averaged.

1. Every seat minimises regret against the others' current policies, all at once: by
   predictive CFR+ for a coarse correlated equilibrium (`joint_cfr`), by regret over triggers
   for an extensive-form one (`joint_efce`, `joint_efcce`; see `correlated_regret`).
2. The answer is a mediator: it draws an iteration t with weight w_t and every seat plays
   its policy of that iteration. With w_t = 1 the gap of this joint play is the largest
   average regret, so it vanishes, for any number of seats and any payoffs.

Averages of each seat's policies apart would forget how they were correlated: outside
two-player zero-sum games they need not approach an equilibrium of any kind (Celli, Marchesi,
Bianchi and Gatti 2019, "Learning to correlate in multi-player general-sum sequential games").

The certificate is the gap by best response against the others' joint play, computed from
the policies themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError
from arena.solver import Gap
from games.tree import Tree
from solvers.tree.cfr import CfrMethod, pcfr_plus
from solvers.tree.correlated_regret import TriggerPlay
from solvers.tree.mediators import JointPlay, Outline
from solvers.tree.run import Answers, TreeSolver

__all__ = ["JointMethod", "certify_joint", "joint_cfr", "joint_efcce", "joint_efce"]

Reals = NDArray[np.float64]

_MAX_BYTES = 1 << 30  # of policies and of reaches, each


def certify_joint(tree: Tree, joint: JointPlay, *, recommended: bool = False) -> dict[str, Gap]:
    """Return how far a joint play is from coarse correlated equilibria.

    Args:
        tree: any number of seats, any payoffs.
        joint: what the mediator does.
        recommended: also judge it as a mediator that recommends one action after the other.

    Returns:
        `cce_gap`, the most that one seat gains by a policy of its own instead of its part;
        for each seat p `value_p` and `regret_p`, the gain of its best policy. With
        `recommended` also `efce_gap` and `efcce_gap` (see `solvers.tree.correlation`).

    Raises:
        NotApplicableError: imperfect recall.
    """
    if tree.breach is not None:
        raise NotApplicableError(f"{tree.game} has imperfect recall: best responses are not known")
    plans = _plans(tree, joint.behaviours)
    out: dict[str, Gap] = {}
    gaps = {"cce_gap": 0.0, **({"efce_gap": 0.0, "efcce_gap": 0.0} if recommended else {})}
    for p in range(tree.seats):
        others = np.ones((len(plans), len(tree.terminals)))
        for q in range(tree.seats):
            if q != p:
                others *= plans[:, tree.terminal_sequences[q]]
        others *= joint.weights[:, None]
        paid = tree.payoffs[p] * tree.terminal_chance
        reach = (others * plans[:, tree.terminal_sequences[p]]).sum(axis=0)
        value = float(paid @ reach)
        best = _best(tree, p, paid * others.sum(axis=0))
        out[f"value_{p}"], out[f"regret_{p}"] = Gap(value), Gap(max(0.0, best - value))
        gaps["cce_gap"] = max(gaps["cce_gap"], best - value)
        if recommended:
            gains = _trigger_gains(
                tree, p, plans, others=others, paid=paid, followed_at=paid * reach
            )
            for name, gain in gains.items():
                gaps[name] = max(gaps[name], gain)
    return {**{name: Gap(gap) for name, gap in gaps.items()}, **out}


def _trigger_gains(
    tree: Tree, seat: int, plans: Reals, *, others: Reals, paid: Reals, followed_at: Reals
) -> dict[str, float]:
    """Return the most that one trigger of each kind gains a seat.

    Args:
        tree: the game.
        seat: whose.
        plans: realization plans, shape (T, Q).
        others: weight × the others' reach of each terminal, shape (T, Z).
        paid: payoff × chance, shape (Z,).
        followed_at: the same × everybody's reach, shape (Z,).
    """
    own = tree.terminal_sequences[seat]
    followed = np.bincount(own, weights=followed_at, minlength=tree.n_sequences)
    low, high = int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])
    for i in range(high - 1, low - 1, -1):
        first = int(tree.info_first[i])
        after = first + int(tree.info_actions[i])
        followed[int(tree.info_parent[i])] += followed[first:after].sum()
    out = {"efce_gap": 0.0, "efcce_gap": 0.0}
    for i in range(low, high):
        first = int(tree.info_first[i])
        after = first + int(tree.info_actions[i])
        kept = {s: followed[s] for s in range(first, after)}
        for told in (*kept, int(tree.info_parent[i])):
            name = "efce_gap" if told in kept else "efcce_gap"
            follow = kept.get(told, sum(kept.values()))
            free = _best_from(tree, seat, i, paid * (plans[:, told] @ others))
            out[name] = max(out[name], free - float(follow))
    return out


def _best_from(tree: Tree, seat: int, infoset: int, worth_at: Reals) -> float:
    """Return the value of a seat's best policy from an infoset on."""
    worth = np.bincount(tree.terminal_sequences[seat], weights=worth_at, minlength=tree.n_sequences)
    value = 0.0
    for i in range(int(tree.seat_infoset[seat + 1]) - 1, infoset - 1, -1):
        first = int(tree.info_first[i])
        value = float(worth[first : first + int(tree.info_actions[i])].max())
        worth[int(tree.info_parent[i])] += value
    return value


def _plans(tree: Tree, behaviours: Reals) -> Reals:
    """Return realization plans of many policies, shape (T, Q)."""
    out = np.ones_like(behaviours)
    for i in range(tree.n_infosets):  # an infoset follows the one that leads to it
        first = int(tree.info_first[i])
        after = first + int(tree.info_actions[i])
        parent = int(tree.info_parent[i])
        out[:, first:after] = behaviours[:, first:after] * out[:, parent, None]
    return out


def _best(tree: Tree, seat: int, worth_at: Reals) -> float:
    """Return the value of a seat's best policy; `worth_at` is by terminal, shape (Z,)."""
    worth = np.bincount(tree.terminal_sequences[seat], weights=worth_at, minlength=tree.n_sequences)
    low, high = int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])
    for i in range(high - 1, low - 1, -1):
        first = int(tree.info_first[i])
        worth[int(tree.info_parent[i])] += worth[first : first + int(tree.info_actions[i])].max()
    return float(worth[int(tree.seat_sequence[seat])])


class _Play(Protocol):
    """What the seats play, one iteration after the other."""

    def behaviour(self) -> Reals:
        """Return the current policies, shape (Q,)."""

    def advance(self) -> None:
        """Play once and learn from it."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything needed to go on."""

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""


class _CfrPlay:
    """Predictive CFR+ of all seats at once."""

    def __init__(self, tree: Tree) -> None:
        chosen: Mapping[str, Any] = {**pcfr_plus().defaults, "alternating": False}
        self._method = CfrMethod(tree, {**chosen, "answer": "last"}, None)
        self.behaviour = self._method.behaviour
        self.arrays, self.restore = self._method.arrays, self._method.restore

    def advance(self) -> None:
        """Play once and learn from it."""
        self._method.advance(1)


class JointMethod:
    """The joint play so far. Policies are kept in a buffer that doubles."""

    def __init__(self, tree: Tree, play: _Play) -> None:
        self._tree, self._play = tree, play
        self._outline = Outline.of(tree)
        self._seen = np.empty((16, tree.n_sequences))
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Run `count` iterations."""
        for _ in range(count):
            if self.iteration == len(self._seen):
                self._seen = np.concatenate([self._seen, np.empty_like(self._seen)])
            self._seen[self.iteration] = self._play.behaviour()
            self._play.advance()
            self.iteration += 1
        return count

    def behaviour(self) -> JointPlay:
        """Return the mediator that draws one of the iterations."""
        seen = self._seen[: self.iteration] if self.iteration else self._play.behaviour()[None]
        return JointPlay(self._outline, seen, np.full(len(seen), 1.0 / len(seen)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state of the play; what was played is in the policy."""
        own = {f"play.{name}": array for name, array in self._play.arrays().items()}
        return {**own, "rounds": np.array(self.iteration)}

    def adopt(self, policy: JointPlay) -> None:
        """Take what a solution has played."""
        policy.outline.check(self._tree)
        self._seen = np.array(policy.behaviours, dtype=np.float64)

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the state of a solution."""
        self._play.restore(
            {n.removeprefix("play."): a for n, a in arrays.items() if n.startswith("play.")}
        )
        self.iteration = int(arrays["rounds"])


def _solver(name: str, gap: str, play: Callable[[Tree], _Play]) -> TreeSolver:
    recommended = gap != "cce_gap"

    def judge(tree: Tree, joint: JointPlay) -> dict[str, Gap]:
        return certify_joint(tree, joint, recommended=recommended)

    return TreeSolver(
        name,
        lambda tree, seed, planned, settings: JointMethod(tree, play(tree)),
        objective=lambda tree, settings: lambda joint: judge(tree, joint)[gap].value,
        gap=gap,
        answers=Answers(judge, lambda tree, joint: joint),
        most=_most,
        growth=0.25,
    )


def _most(tree: Tree) -> int:
    """Return how many iterations fit into memory."""
    return min(100_000, _MAX_BYTES // (8 * max(tree.n_sequences, len(tree.terminals))))


def joint_cfr() -> TreeSolver:
    """Coarse correlated equilibrium by averaging the joint play of predictive CFR+."""
    return _solver("joint_cfr", "cce_gap", _CfrPlay)


def joint_efce() -> TreeSolver:
    """Extensive-form correlated equilibrium by regret over triggers."""
    return _solver("joint_efce", "efce_gap", lambda tree: TriggerPlay(tree, coarse=False))


def joint_efcce() -> TreeSolver:
    """Extensive-form coarse correlated equilibrium by regret over triggers."""
    return _solver("joint_efcce", "efcce_gap", lambda tree: TriggerPlay(tree, coarse=True))
