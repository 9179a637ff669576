"""`auto`: pick what suits the game, and race where no single method wins everywhere.

1. Two players, constant sum, a small tree, and no number of iterations asked for: the
   sequence-form linear program.
2. Otherwise two regret minimisers, PDCFR+ and DCFR, take turns; each time the gap is
   asked for, the better of the two averages is the answer.

The race costs twice the iterations of the winner at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.tree import Tree
from solvers.certificates import Evaluator
from solvers.tree.cfr import CfrMethod, dcfr, pdcfr_plus
from solvers.tree.run import Method, TreeSolver
from solvers.tree.sequence_form import SequenceFormLp

__all__ = ["Race", "auto"]

Reals = NDArray[np.float64]

_LP_TERMS = 50_000
"""Terminals up to which the linear program takes about a second."""


class Race:
    """Two methods that advance together; the answer is the better one's."""

    def __init__(self, tree: Tree, methods: Mapping[str, CfrMethod]) -> None:
        self._methods = dict(methods)
        self._evaluator = Evaluator(tree)
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Run `count` iterations of each."""
        for method in self._methods.values():
            method.advance(count)
        self.iteration += count
        return count

    def behaviour(self) -> Reals:
        """Return the average policy of least NashConv."""
        answers = [method.behaviour() for method in self._methods.values()]
        return min(answers, key=self._evaluator.nash_conv)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of both, under their names."""
        out = {
            f"{name}.{key}": array
            for name, method in self._methods.items()
            for key, array in method.arrays().items()
        }
        return {**out, "iteration": np.array(self.iteration)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        for name, method in self._methods.items():
            own = {k.partition(".")[2]: a for k, a in arrays.items() if k.startswith(f"{name}.")}
            method.restore(own)
        self.iteration = int(arrays["iteration"])


def _start(tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]) -> Method:
    two = tree.seats == 2 and tree.constant_sum is not None
    if two and planned is None and len(tree.terminals) <= _LP_TERMS:
        return SequenceFormLp(tree, "choose")
    return Race(
        tree,
        {
            "pdcfr+": CfrMethod(tree, pdcfr_plus().defaults, planned),
            "dcfr": CfrMethod(tree, dcfr().defaults, planned),
        },
    )


def auto() -> TreeSolver:
    """Linear program for small two-player zero-sum games, else the best of a race."""
    return TreeSolver("auto", _start, iterations=2000)
