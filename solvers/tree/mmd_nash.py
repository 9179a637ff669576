"""Magnetic mirror descent whose magnet moves: Nash equilibria of two-player zero-sum trees.

Mirror descent towards a magnet (`solvers.tree.mmd`) is run in stages, each with a magnet and
a temperature of its own:

1. Every `check` iterations the current policy and the average of the stage are judged by
   NashConv; the best policy seen so far is the answer.
2. Once the better of the two has at most `shrink` times the gap the stage began with, or the
   stage has taken `patience` of all iterations, a stage begins there: the policy, and the
   magnet with it, move to that policy.
3. The temperature of a stage that begins with gap g is α = c g/D, with D the greatest
   dilated entropy of both seats. The equilibrium of the regularised game has a gap of about
   α D at most, so a stage can always shrink the gap; and α falls as fast as the gap does.

With `refresh` given instead, the magnet moves to the current policy every so many
iterations at one temperature, and the answer is the last iterate.

Sources: Sokota et al. 2023, "A unified approach to reinforcement learning, quantal response
equilibria, and two-player zero-sum games", section 5 (moving magnets); Applegate, Hinder, Lu
and Lubin 2023, "Faster first-order primal-dual methods for linear programming using restarts
and sharpness", section 3 (restarts at the average, adaptive and forced).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.tree import Tree
from solvers.certificates import Evaluator
from solvers.loop import positive, whole
from solvers.tree.mmd import ZERO_SUM, MmdMethod
from solvers.tree.run import Method, TreeSolver

__all__ = ["Refreshed", "Restarted", "greatest_entropy", "mmd_nash"]

Reals = NDArray[np.float64]

_STEP, _SHARE = 1.5, 0.1
"""η L and c: of those tried on Kuhn, Leduc, Liar's dice 4 and 5, Goofspiel 4 and 5 and
battleship, the ones that are good on all."""
_PATIENCE, _SHORTEST = 0.36, 100


def _largest(tree: Tree) -> float:
    return float(np.abs(tree.sequence_form.val).max(initial=0.0)) or 1.0


def greatest_entropy(tree: Tree) -> float:
    """Return D: the sum over seats of the greatest dilated entropy of a plan."""
    below = np.zeros(tree.n_sequences)
    for i in range(tree.n_infosets - 1, -1, -1):
        part = slice(tree.info_first[i], tree.info_first[i] + tree.info_actions[i])
        top = below[part].max()
        # max Σ b (below − log b) = log Σ exp(below)
        below[tree.info_parent[i]] += top + np.log(np.exp(below[part] - top).sum())
    return float(below[tree.seat_sequence[:-1]].sum())


class Restarted:
    """Stages with falling temperatures. Arrays are indexed by sequence, shape (Q,)."""

    def __init__(self, tree: Tree, settings: Mapping[str, Any]) -> None:
        self._evaluator = Evaluator(tree)
        self._check, self._shrink = int(settings["check"]), float(settings["shrink"])
        self._heat = _SHARE / max(greatest_entropy(tree), 1e-300)
        step = settings["step"] or _STEP / _largest(tree)
        self._inner = MmdMethod(tree, temperature=1.0, step=step, alternating=True)
        self.iteration = 0
        self._best = self._inner.policy.copy()
        self._gap = self._evaluator.nash_conv(self._best)
        self._began = 0
        self._begin(self._best, self._gap)

    def _begin(self, policy: Reals, gap: float) -> None:
        """Begin a stage at a policy of that gap."""
        self._stage_gap, self._began = gap, self.iteration
        self._inner.move_to(policy)
        self._inner.move_magnet()
        self._inner.alpha = self._heat * gap

    def advance(self, count: int) -> int:
        """Run `count` iterations; stop early where the gap is zero."""
        done = 0
        while done < count and self._gap > 0.0:
            block = min(count - done, self._check - self.iteration % self._check)
            done += self._inner.advance(block)
            self.iteration = self._inner.iteration
            if self.iteration % self._check == 0:
                self._judge()
        return done

    def _judge(self) -> None:
        current, average = self._inner.policy, self._inner.average()
        gaps = [self._evaluator.nash_conv(policy) for policy in (current, average)]
        gap, policy = min(gaps), current if gaps[0] <= gaps[1] else average
        if gap < self._gap:
            self._gap, self._best = gap, policy.copy()
        taken = self.iteration - self._began
        if gap <= self._shrink * self._stage_gap or taken > max(
            _SHORTEST, _PATIENCE * self.iteration
        ):
            self._begin(policy.copy(), gap)

    def behaviour(self) -> Reals:
        """Return the best policy seen."""
        return self._best.copy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the sweep's arrays, the best policy, and where the stage stands."""
        return {
            **self._inner.arrays(),
            "best": self._best.copy(),
            "gap": np.array(self._gap),
            "stage_gap": np.array(self._stage_gap),
            "began": np.array(self._began),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._inner.restore(arrays)
        self.iteration = self._inner.iteration
        self._best, self._gap = arrays["best"].astype(np.float64), float(arrays["gap"])
        self._stage_gap, self._began = float(arrays["stage_gap"]), int(arrays["began"])
        self._inner.alpha = self._heat * self._stage_gap


class Refreshed:
    """One temperature; the magnet moves to the current policy every so many iterations."""

    def __init__(self, tree: Tree, settings: Mapping[str, Any]) -> None:
        bound = _largest(tree)
        self._refresh = int(settings["refresh"])
        self._inner = MmdMethod(
            tree,
            temperature=settings["temperature"] or 0.1 * bound,
            step=settings["step"] or 1.0 / bound,
            alternating=True,
        )
        self._inner.move_magnet()
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Run `count` iterations, moving the magnet on the way."""
        left = count
        while left:
            block = min(left, self._refresh - self.iteration % self._refresh)
            left -= self._inner.advance(block)
            self.iteration = self._inner.iteration
            if self.iteration % self._refresh == 0:
                self._inner.move_magnet()
        return count

    def behaviour(self) -> Reals:
        """Return the last policy."""
        return self._inner.policy.copy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the sweep's arrays."""
        return self._inner.arrays()

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._inner.restore(arrays)
        self.iteration = self._inner.iteration


def _start(tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]) -> Method:
    for name in ("temperature", "step"):
        if settings[name] is not None:
            positive(name, settings[name])
    whole("check", settings["check"], least=1)
    if not 0.0 < positive("shrink", settings["shrink"]) < 1.0:
        raise ParameterError("shrink", settings["shrink"], "a number between 0 and 1")
    if settings["refresh"] is not None:
        whole("refresh", settings["refresh"], least=1)
        return Refreshed(tree, settings)
    if settings["temperature"] is not None:
        raise ParameterError(
            "temperature",
            settings["temperature"],
            "None: it follows the gap, unless the magnet moves by a fixed `refresh`",
        )
    return Restarted(tree, settings)


def mmd_nash() -> TreeSolver:
    """Magnetic mirror descent with a moving magnet: Nash in zero-sum trees."""
    defaults = {"step": None, "check": 20, "shrink": 0.5, "refresh": None, "temperature": None}
    return TreeSolver("mmd_nash", _start, defaults, ZERO_SUM)
