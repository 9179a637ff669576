"""Monte Carlo CFR: regrets from sampled parts of the tree.

`mccfr_external` samples chance and the other seats and tries all actions of one seat;
`mccfr_outcome` samples one episode and weights it by importance. Neither needs perfect
recall to run (without it there is no guarantee, and no certificate of Nash).

Source: Lanctot, Waugh, Zinkevich and Bowling 2009, "Monte Carlo sampling for regret
minimization in extensive games", section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.rng import derive
from games.tree import Tree
from solvers.loop import positive
from solvers.tree.run import Traits, TreeSolver

__all__ = ["MonteCarlo", "mccfr_external", "mccfr_outcome"]

Reals = NDArray[np.float64]


class MonteCarlo:
    """A running Monte Carlo sweep; `explore` None means external sampling."""

    def __init__(self, tree: Tree, seed: int, explore: float | None) -> None:
        from solvers.tree._sampling_kernels import depth_of

        self._tree, self._explore = tree, explore
        self.iteration = 0
        size = tree.n_sequences
        self._regret, self._total, self._policy = np.zeros(size), np.zeros(size), np.ones(size)
        self._random = np.array([derive(seed, "mccfr")], dtype=np.uint64)
        self._payoff_at = np.zeros(tree.n_nodes, dtype=np.int32)
        self._payoff_at[tree.terminals] = np.arange(len(tree.terminals))
        depth = depth_of(tree.parent) + 2
        widest = int(tree.info_actions.max(initial=1))
        self._scratch: tuple[NDArray[Any], ...]
        if explore is None:
            self._scratch = (np.zeros(depth, np.int64), np.zeros(depth, np.int64))
            self._scratch += (np.zeros((depth, widest)),)
        else:
            self._scratch = (np.zeros(depth, np.int64), np.zeros(depth, np.int64))
            self._scratch += (np.zeros(depth), np.zeros(depth))

    def advance(self, count: int) -> int:
        """Run `count` iterations, each sampling once for every seat."""
        from solvers.tree import _sampling_kernels as kernels

        tree = self._tree
        nodes = (tree.seat, tree.infoset, tree.first_child, tree.n_children, tree.chance)
        ends = (self._payoff_at, tree.payoffs, tree.info_first, tree.info_actions, tree.seats)
        learned = (self._random, self._regret, self._policy, self._total)
        if self._explore is None:
            kernels.external(*nodes, *ends, count, *learned, *self._scratch)
        else:
            kernels.outcome(*nodes, *ends, count, self._explore, *learned, *self._scratch)
        self.iteration += count
        return count

    def behaviour(self) -> Reals:
        """Return the average policy."""
        from solvers.tree._kernels import average_policy

        out = np.empty_like(self._total)
        average_policy(self._tree.info_first, self._tree.info_actions, self._total, out)
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return regrets, sums of policies, the generator's state and the iteration."""
        return {
            "regret": self._regret.copy(),
            "total": self._total.copy(),
            "random": self._random[0].copy(),
            "iteration": np.array(self.iteration),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._regret = arrays["regret"].astype(np.float64)
        self._total = arrays["total"].astype(np.float64)
        self._random[0] = arrays["random"]
        self.iteration = int(arrays["iteration"])


def _external(
    tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]
) -> MonteCarlo:
    return MonteCarlo(tree, seed, None)


def _outcome(tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]) -> MonteCarlo:
    explore = positive("explore", settings["explore"])
    if explore > 1.0:
        raise ParameterError("explore", explore, "a probability above 0, at most 1")
    return MonteCarlo(tree, seed, explore)


def mccfr_external() -> TreeSolver:
    """External-sampling MCCFR (Lanctot et al. 2009)."""
    return TreeSolver(
        "mccfr_external",
        _external,
        traits=Traits(perfect_recall=False),
        iterations=10_000,
    )


def mccfr_outcome() -> TreeSolver:
    """Outcome-sampling MCCFR (Lanctot et al. 2009)."""
    return TreeSolver(
        "mccfr_outcome",
        _outcome,
        {"explore": 0.6},
        Traits(perfect_recall=False),
        iterations=100_000,
    )
