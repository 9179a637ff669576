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

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from arena.game import Game
from arena.policy import TabularPolicy
from arena.rng import generator
from arena.solver import Gap, Progress, Solution, TracePoint
from games.tree import DEFAULT_BUDGET, Budget, Tree, obstacle, tree_of
from solvers.loop import check_limits
from solvers.tree.cfr import CfrMethod, pcfr_plus
from solvers.tree.correlated_regret import TriggerPlay

__all__ = [
    "JointPlay",
    "JointSolver",
    "certify_joint",
    "joint_cfr",
    "joint_efcce",
    "joint_efce",
]

Reals = NDArray[np.float64]

_MAX_BYTES = 1 << 30  # of policies and of reaches, each


@dataclass(frozen=True, eq=False)
class JointPlay:
    """A mediator that draws one of several policies of all seats.

    Attributes:
        tree: what it is for.
        behaviours: policies of all seats, each of shape (Q,); shape (T, Q).
        weights: probability of each, shape (T,).
    """

    tree: Tree
    behaviours: Reals
    weights: Reals

    def draw(self, seed: int) -> TabularPolicy:
        """Return the policy that all seats play in one episode."""
        t = int(generator(seed).choice(len(self.weights), p=self.weights))
        return self.tree.to_table(self.behaviours[t])


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


class _CfrPlay:
    """Predictive CFR+ of all seats at once."""

    def __init__(self, tree: Tree) -> None:
        chosen: Mapping[str, Any] = {**pcfr_plus().defaults, "alternating": False}
        self._method = CfrMethod(tree, {**chosen, "answer": "last"}, None)

    def behaviour(self) -> Reals:
        """Return the current policies, shape (Q,)."""
        return self._method.behaviour()

    def advance(self) -> None:
        """Play once and learn from it."""
        self._method.advance(1)


_PLAYS: Mapping[str, Callable[[Tree], _CfrPlay | TriggerPlay]] = {
    "joint_cfr": _CfrPlay,
    "joint_efce": lambda tree: TriggerPlay(tree, coarse=False),
    "joint_efcce": lambda tree: TriggerPlay(tree, coarse=True),
}


@dataclass(frozen=True)
class JointSolver:
    """A registered solver. Settings: `until`, `iterations` (1000), `seconds`."""

    name: str
    gap: str
    saves: bool = False

    def obstacle(self, game: Game) -> str | None:
        """Return why the solver cannot handle `game`, or None."""
        return obstacle(game)

    def solve(
        self,
        game: Game,
        *,
        seed: int = 0,
        progress: Progress | None = None,
        until: float | None = None,
        iterations: int | None = None,
        seconds: float | None = None,
        cache: bool = True,
        budget: Budget = DEFAULT_BUDGET,
        **unknown: Any,
    ) -> Solution:
        """Return a `Solution` whose policy is a `JointPlay`.

        Raises:
            NotApplicableError: no tree, or imperfect recall.
            ParameterError: a limit out of range, or iterations that take over 1 GiB to keep.
        """
        for name in unknown:
            known = ("until", "iterations", "seconds", "cache", "budget")
            raise UnknownNameError(f"setting of {self.name}", name, known)
        check_limits(until, iterations, seconds)
        if reason := self.obstacle(game):
            raise NotApplicableError(reason)
        tree = tree_of(game, budget=budget, cache=cache)
        if tree.breach is not None:
            raise NotApplicableError(
                f"{tree.game} has imperfect recall, and {self.name} needs perfect"
            )
        most = _MAX_BYTES // (8 * max(tree.n_sequences, len(tree.terminals)))
        limit = iterations or (min(most, 100_000) if until or seconds else 1000)
        if limit > most:
            raise ParameterError("iterations", limit, f"at most {most:,} for {tree.game}")
        method = _PLAYS[self.name](tree)
        recommended = self.gap != "cce_gap"
        seen: list[Reals] = []
        trace: list[TracePoint] = []
        began = time.perf_counter()
        status = "iteration limit"
        joint = _uniform(tree, [method.behaviour()])
        try:
            while len(seen) < limit:
                for _ in range(min(max(1, len(seen) // 4), limit - len(seen))):
                    seen.append(method.behaviour())
                    method.advance()
                joint = _uniform(tree, seen)
                gap = certify_joint(tree, joint, recommended=recommended)[self.gap].value
                trace.append(TracePoint(len(seen), time.perf_counter() - began, gap))
                if progress is not None:
                    progress(trace[-1])
                if until is not None and gap <= until:
                    status = "converged"
                    break
                if seconds is not None and trace[-1].seconds >= seconds:
                    status = "time limit"
                    break
        except KeyboardInterrupt:
            status = "interrupted"
        settings = {"seed": seed, "until": until, "iterations": iterations, "seconds": seconds}
        certificate = certify_joint(tree, joint, recommended=recommended)
        return Solution(game, self.name, settings, joint, certificate, trace, status)


def _uniform(tree: Tree, seen: list[Reals]) -> JointPlay:
    return JointPlay(tree, np.array(seen), np.full(len(seen), 1.0 / len(seen)))


def joint_cfr() -> JointSolver:
    """Coarse correlated equilibrium by averaging the joint play of predictive CFR+."""
    return JointSolver("joint_cfr", "cce_gap")


def joint_efce() -> JointSolver:
    """Extensive-form correlated equilibrium by regret over triggers."""
    return JointSolver("joint_efce", "efce_gap")


def joint_efcce() -> JointSolver:
    """Extensive-form coarse correlated equilibrium by regret over triggers."""
    return JointSolver("joint_efcce", "efcce_gap")
