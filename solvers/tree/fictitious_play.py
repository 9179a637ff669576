"""Extensive-form fictitious play (XFP) on realization plans.

All seats at once move their plan by 1/(t + 1) towards a best response to the others'
plans. Mixing realization plans is mixing whole strategies, so this is fictitious play of
the normal form, and it converges to Nash in two-player zero-sum games.

Source: Heinrich, Lanctot and Silver 2015, "Fictitious self-play in extensive-form games",
section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.tree import Tree
from solvers.tree.run import TreeSolver

__all__ = ["FictitiousPlay", "xfp"]

Reals = NDArray[np.float64]


class FictitiousPlay:
    """Running fictitious play. Arrays are indexed by sequence, shape (Q,)."""

    def __init__(self, tree: Tree) -> None:
        from solvers.tree._kernels import realize

        self._tree = tree
        self.iteration = 0
        self._weighted = tree.payoffs * tree.terminal_chance
        self._plan = np.ones(tree.n_sequences)
        realize(
            0,
            tree.n_infosets,
            tree.info_first,
            tree.info_actions,
            tree.info_parent,
            tree.uniform(),
            self._plan,
        )

    def advance(self, count: int) -> int:
        """Run `count` iterations."""
        from solvers.tree._kernels import fictitious_many

        tree, size = self._tree, self._tree.n_sequences
        fictitious_many(
            tree.terminal_sequences,
            self._weighted,
            tree.seat_infoset,
            tree.seat_sequence,
            tree.info_first,
            tree.info_actions,
            tree.info_parent,
            self.iteration + 1,
            count,
            np.zeros(size),
            self._plan,
            np.zeros(size),
            np.zeros(tree.n_infosets, dtype=np.int64),
        )
        self.iteration += count
        return count

    def behaviour(self) -> Reals:
        """Return the policy of the current plans."""
        from solvers.tree._kernels import average_policy

        out = np.empty_like(self._plan)
        average_policy(self._tree.info_first, self._tree.info_actions, self._plan, out)
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the plans and the iteration."""
        return {"plan": self._plan.copy(), "iteration": np.array(self.iteration)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._plan = arrays["plan"].astype(np.float64)
        self.iteration = int(arrays["iteration"])


def _start(
    tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]
) -> FictitiousPlay:
    return FictitiousPlay(tree)


def xfp() -> TreeSolver:
    """Extensive-form fictitious play (Heinrich, Lanctot and Silver 2015)."""
    return TreeSolver("xfp", _start)
