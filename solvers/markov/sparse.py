"""SparseCCE: few product policies whose mixture has a small CCE gap.

A (T, ε)-SparseCCE is a mixture of T product policies that no seat gains more than ε by
leaving, even if it remembers the history. It is PPAD-hard to find one in general for small
T and ε; this searches, and certifies what it finds.

1. Candidates: what independent Hedge plays, thinned to `pool` policies, and the pure
   policies of the likeliest actions of each.
2. From the best single candidate, the one whose addition (with equal weights) lowers the
   gap most joins, up to `components`; then members are exchanged while that helps.

The whole frontier of components against gap is returned (`frontier`).

Source: Foster, Golowich and Kakade 2023, definition 3.1 (SparseCCE).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.loop import whole
from solvers.markov.certificates import certify
from solvers.markov.independent import IndependentHedge
from solvers.markov.policy import MixturePolicy
from solvers.markov.run import MarkovSolver, Problem, Traits

__all__ = ["SparseCce", "sparse_cce"]


class SparseCce:
    """A running search; one iteration adds a component.

    Args:
        problem: with a horizon.
        components: the most components T.
        pool: candidates.
        learning: iterations of independent Hedge behind them.
    """

    def __init__(self, problem: Problem, *, components: int, pool: int, learning: int) -> None:
        self._problem, self._most = problem, components
        inner = Problem(problem.form, problem.key, problem.seed, learning, {})
        learner = IndependentHedge(inner, rate=0.0, spread=1.0)
        learner.advance(learning)
        mixed = learner.answer()
        picks = np.unique(np.linspace(0, learning - 1, pool).astype(int))
        self._tables = [table[picks] for table in mixed.tables]
        # Pure versions too: mixtures of pure policies can be sparse equilibria.
        pure = [_pure(table) for table in self._tables]
        self._tables = [
            np.concatenate([table, sharp]) for table, sharp in zip(self._tables, pure, strict=True)
        ]
        self._members: list[int] = []
        self.frontier: list[float] = []
        self._gaps: dict[tuple[int, ...], float] = {}
        self._best: list[int] = []
        self.iteration = 0

    def _policy(self, members: list[int]) -> MixturePolicy:
        tables = tuple(table[members] for table in self._tables)
        share = np.full(len(members), 1.0 / len(members))
        return MixturePolicy(self._problem.key, tables, share)

    def _gap(self, members: list[int]) -> float:
        key = tuple(sorted(members))
        if key not in self._gaps:
            found = certify(self._problem.form, self._policy(list(key)), deviations="history")
            self._gaps[key] = found["cce_gap"].value
        return self._gaps[key]

    def advance(self, count: int) -> int:
        """Add up to `count` components."""
        done = 0
        while done < count and len(self._members) < self._most:
            everyone = range(len(self._tables[0]))
            self._members = min(([*self._members, k] for k in everyone), key=self._gap)
            self._exchange()
            gap = self._gap(self._members)
            if not self._best or gap < min(self.frontier):
                self._best = list(self._members)
            self.frontier.append(min([gap, *self.frontier]))
            self.iteration += 1
            done += 1
        return done

    def _exchange(self) -> None:
        """Replace members one by one while the gap falls."""
        while True:
            others = (
                [*self._members[:place], k, *self._members[place + 1 :]]
                for place in range(len(self._members))
                for k in range(len(self._tables[0]))
            )
            best = min(others, key=self._gap)
            if self._gap(best) >= self._gap(self._members) - 1e-12:
                return
            self._members = best

    def answer(self) -> MixturePolicy:
        """Return the best mixture so far."""
        return self._policy(self._best or [0])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the frontier: the least gap with 1, 2, … components."""
        return {
            "iteration": np.array(self.iteration),
            "frontier": np.array(self.frontier),
            "members": np.array(self._members, dtype=np.int64),
            "best": np.array(self._best, dtype=np.int64),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`; candidates follow from the settings."""
        self.iteration, self.frontier = int(arrays["iteration"]), arrays["frontier"].tolist()
        self._members, self._best = arrays["members"].tolist(), arrays["best"].tolist()


def _pure(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the likeliest action of every row, with probability one."""
    out = np.zeros_like(table)
    np.put_along_axis(out, table.argmax(axis=-1)[..., None], 1.0, axis=-1)
    return out


def _start(problem: Problem) -> SparseCce:
    chosen = problem.settings
    return SparseCce(
        problem,
        components=whole("components", chosen["components"], least=1),
        pool=whole("pool", chosen["pool"], least=1),
        learning=whole("learning", chosen["learning"], least=1),
    )


def _quick(method: SparseCce, problem: Problem) -> float:
    return method.frontier[-1] if method.frontier else math.inf


def sparse_cce() -> MarkovSolver:
    """A frontier of sparsity against gap."""
    return MarkovSolver(
        "sparse_cce",
        _start,
        {"components": 6, "pool": 20, "learning": 1000},
        traits=Traits(finite=True),
        gap="cce_gap",
        quick_gap=_quick,
    )
