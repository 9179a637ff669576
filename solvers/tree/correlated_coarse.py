"""Coarse correlated equilibria of any tree by regret minimisation: the joint play, averaged.

1. Every seat runs predictive CFR+ against the others' current policies, all at once.
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
from collections.abc import Mapping
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

__all__ = ["CoarseSolver", "JointPlay", "certify_joint", "joint_cfr"]

Reals = NDArray[np.float64]

_MAX_BYTES = 1 << 30
_CHUNK_BYTES = 1 << 26


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


def certify_joint(tree: Tree, joint: JointPlay) -> dict[str, Gap]:
    """Return how far a joint play is from a (normal-form) coarse correlated equilibrium.

    Returns:
        `cce_gap`, the most that one seat gains by a policy of its own instead of its part;
        for each seat p `value_p` and `regret_p`, the gain of its best policy.

    Raises:
        NotApplicableError: imperfect recall.
    """
    if tree.breach is not None:
        raise NotApplicableError(f"{tree.game} has imperfect recall: best responses are not known")
    together = np.zeros(len(tree.terminals))
    others = np.zeros((tree.seats, len(tree.terminals)))
    step = max(1, _CHUNK_BYTES // (8 * (tree.seats + 1) * len(tree.terminals)))
    for low in range(0, len(joint.weights), step):
        weight = joint.weights[low : low + step]
        plans = _plans(tree, joint.behaviours[low : low + step])
        reach = [plans[:, tree.terminal_sequences[p]] for p in range(tree.seats)]
        for p in range(tree.seats):
            rest = np.ones((len(weight), len(tree.terminals)))
            for q in range(tree.seats):
                if q != p:
                    rest *= reach[q]
            others[p] += weight @ rest
            if p == 0:
                together += weight @ (rest * reach[0])
    out: dict[str, Gap] = {}
    for p in range(tree.seats):
        paid = tree.payoffs[p] * tree.terminal_chance
        value = float(paid @ together)
        best = _best(tree, p, paid * others[p])
        out[f"value_{p}"], out[f"regret_{p}"] = Gap(value), Gap(max(0.0, best - value))
    worst = max(out[f"regret_{p}"].value for p in range(tree.seats))
    return {"cce_gap": Gap(worst), **out}


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


@dataclass(frozen=True)
class CoarseSolver:
    """The registered solver. Settings: `until`, `iterations` (1000), `seconds`."""

    name: str = "joint_cfr"
    gap: str = "cce_gap"
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
        most = _MAX_BYTES // (8 * tree.n_sequences)
        limit = iterations or (min(most, 100_000) if until or seconds else 1000)
        if limit > most:
            raise ParameterError("iterations", limit, f"at most {most:,} for {tree.game}")
        chosen: Mapping[str, Any] = {**pcfr_plus().defaults, "alternating": False}
        method = CfrMethod(tree, {**chosen, "answer": "last"}, limit)
        seen: list[Reals] = []
        trace: list[TracePoint] = []
        began = time.perf_counter()
        status = "iteration limit"
        joint = _uniform(tree, [method.behaviour()])
        try:
            while len(seen) < limit:
                for _ in range(min(max(1, len(seen) // 4), limit - len(seen))):
                    seen.append(method.behaviour())
                    method.advance(1)
                joint = _uniform(tree, seen)
                gap = certify_joint(tree, joint)["cce_gap"].value
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
        certificate = certify_joint(tree, joint)
        return Solution(game, self.name, settings, joint, certificate, trace, status)


def _uniform(tree: Tree, seen: list[Reals]) -> JointPlay:
    return JointPlay(tree, np.array(seen), np.full(len(seen), 1.0 / len(seen)))


def joint_cfr() -> CoarseSolver:
    """Coarse correlated equilibrium by averaging the joint play of predictive CFR+."""
    return CoarseSolver()
