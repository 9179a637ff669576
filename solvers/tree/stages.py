"""What `auto` tries, one after the other: methods on a compiled tree.

- `Race`: PDCFR+ and DCFR in turns; the answer is the better one's average.
- `PureNash`: Lemke–Howson on the pure policies of a small two-seat game of any sum.
- `OneShot`: the logit path of a game in which every seat moves once, at the same time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.tree import Tree
from solvers.certificates import Evaluator
from solvers.tree.cfr import CfrMethod, dcfr, pdcfr_plus
from solvers.tree.fictitious_play import FictitiousPlay
from solvers.tree.run import Method
from solvers.tree.sequence_form import SequenceFormLp

__all__ = ["STAGES", "OneShot", "PureNash", "Race", "is_one_shot", "pure_counts"]

Reals = NDArray[np.float64]


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


def pure_counts(tree: Tree) -> list[float]:
    """Return how many pure policies each seat has (as floats: they may be very many)."""
    return [
        float(np.prod(tree.info_actions[tree.info_seat == p].astype(np.float64)))
        for p in range(tree.seats)
    ]


class PureNash:
    """Lemke–Howson on the pure policies of two seats; one iteration."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._behaviour = tree.uniform()
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Follow the path, once.

        Raises:
            ArenaError: it has no end within the limit of pivots.
        """
        from solvers.matrix.two_seats import lemke_howson
        from solvers.tree._kernels import average_policy

        if self.iteration:
            return 0
        tree = self._tree
        plans = [self._plans(p) for p in (0, 1)]
        ends = [plans[p][:, tree.terminal_sequences[p]] for p in (0, 1)]
        weighted = tree.payoffs * tree.terminal_chance
        mixed = lemke_howson(*(ends[0] * weighted[p] @ ends[1].T for p in (0, 1)))
        plan = mixed[0] @ plans[0] + mixed[1] @ plans[1]
        average_policy(tree.info_first, tree.info_actions, plan, self._behaviour)
        self.iteration = 1
        return 1

    def _plans(self, seat: int) -> Reals:
        """Return the realization plans of all pure policies of a seat, shape (P, Q)."""
        tree = self._tree
        own = range(int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1]))
        choices = list(itertools.product(*(range(int(tree.info_actions[i])) for i in own)))
        out = np.zeros((len(choices), tree.n_sequences))
        out[:, int(tree.seat_sequence[seat])] = 1.0
        picks = np.array(choices, dtype=np.int64).reshape(len(choices), len(own))
        rows = np.arange(len(choices))
        for k, i in enumerate(own):  # an infoset follows the one that leads to it
            out[rows, tree.info_first[i] + picks[:, k]] = out[:, tree.info_parent[i]]
        return out

    def behaviour(self) -> Reals:
        """Return what was found."""
        return self._behaviour.copy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was found."""
        return {"policy": self._behaviour.copy(), "iteration": np.array(self.iteration)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take what was found."""
        self._behaviour = arrays["policy"].astype(np.float64)
        self.iteration = int(arrays["iteration"])


def is_one_shot(tree: Tree) -> bool:
    """Whether every seat has one infoset, whose empty sequence leads to it."""
    return bool((np.diff(tree.seat_infoset) == 1).all())


class OneShot:
    """The logit path of a tree with one infoset a seat, towards precision without end."""

    def __init__(self, tree: Tree) -> None:
        from solvers.matrix.qre import LogitPath

        self._tree = tree
        payoffs = np.zeros((tree.seats, *tree.info_actions.tolist()))
        at = tuple(tree.terminal_sequences - tree.info_first[:, None])
        for p in range(tree.seats):
            np.add.at(payoffs[p], at, tree.payoffs[p] * tree.terminal_chance)
        self._path = LogitPath(payoffs, None)

    @property
    def iteration(self) -> int:
        """How many steps were taken."""
        return self._path.iteration

    def advance(self, count: int) -> int:
        """Take up to `count` steps."""
        return self._path.advance(count)

    def behaviour(self) -> Reals:
        """Return the policies at the last point."""
        out = self._tree.uniform()
        for first, row in zip(self._tree.info_first.tolist(), self._path.answer(), strict=True):
            out[first : first + len(row)] = row
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return where the walk stands."""
        return self._path.arrays()

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._path.restore(arrays)


Make = Callable[[Tree, "int | None", "float | None"], Method]


def _race(tree: Tree, planned: int | None, seconds: float | None) -> Race:
    return Race(
        tree,
        {
            "pdcfr+": CfrMethod(tree, pdcfr_plus().defaults, planned),
            "dcfr": CfrMethod(tree, dcfr().defaults, planned),
        },
    )


STAGES: dict[str, tuple[str, Make]] = {
    "lp": (
        "the linear program",
        lambda tree, planned, seconds: SequenceFormLp(tree, "choose", seconds),
    ),
    "race": ("the race of pdcfr+ and dcfr", _race),
    "pure": ("Lemke–Howson", lambda tree, planned, seconds: PureNash(tree)),
    "logit": ("the logit path", lambda tree, planned, seconds: OneShot(tree)),
    "xfp": ("fictitious play", lambda tree, planned, seconds: FictitiousPlay(tree)),
}
"""Name to what people call it and (tree, iterations planned, seconds) to a method."""
