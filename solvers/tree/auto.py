"""`auto`: what suits the game, a race, and the next method where one fails.

Stages, in order:

- two players, constant sum, a small tree, no number of iterations asked for: the
  sequence-form linear program, then the race;
- two players, constant sum: the race of PDCFR+ and DCFR, for no single method wins
  everywhere; then the program, if it is not too large;
- other trees: Lemke–Howson for two players with few pure policies, the race, the logit path
  if every seat moves once, fictitious play.

A stage is left when it fails, ends above the wanted gap, or has stalled: its gap fell by
less than a tenth in each of two doublings of its iterations. The answer is the best of all
stages; the status tells what was left and why. Markov games go to the Markov solver that
applies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from arena.game import Game
from arena.registry import SOLVERS
from arena.solver import Progress, Solution, Solver
from games.tree import Tree
from solvers.certificates import Evaluator
from solvers.tree.run import Method, TreeSolver
from solvers.tree.stages import STAGES, is_one_shot, pure_counts

__all__ = ["Auto", "Chain", "auto", "stages_of"]

Reals = NDArray[np.float64]

_LP_TERMS = 50_000
"""Terminals up to which the linear program takes about a second."""

_LP_MOST = 1_000_000
"""Terminals up to which it is tried after the race."""

_PURE_MOST = 200
"""Pure policies a seat, up to which they are written out."""

_FIRST_LOOK = 256
_FELL = 0.9
_EXACT = 1e-9
_MARKOV = ("shapley", "cce")


def stages_of(tree: Tree, planned: int | None) -> list[str]:
    """Return the names of the stages that suit a tree, in order."""
    if tree.seats == 2 and tree.constant_sum is not None:
        if planned is None and len(tree.terminals) <= _LP_TERMS:
            return ["lp", "race"]
        return ["race", "lp"] if len(tree.terminals) <= _LP_MOST else ["race"]
    found = ["race", *(["logit"] if is_one_shot(tree) else []), "xfp"]
    if tree.seats == 2 and planned is None and max(pure_counts(tree)) <= _PURE_MOST:
        return ["pure", *found]
    return found


class Chain:
    """Methods that take over from each other.

    Args:
        tree: of perfect recall.
        names: of the stages, in order.
        planned: iterations planned, or None.
        until: the wanted gap (exploitability), or None.
        seconds: that a stage which cannot be interrupted may take, or None.
    """

    def __init__(
        self,
        tree: Tree,
        names: Sequence[str],
        *,
        planned: int | None = None,
        until: float | None = None,
        seconds: float | None = None,
    ) -> None:
        self._tree, self._names = tree, list(names)
        self._planned, self._until, self._seconds = planned, until, seconds
        self._evaluator = Evaluator(tree)
        self._scale = max(1.0, float(np.abs(tree.payoffs).max(initial=0.0)))
        self.iteration = 0
        self._at = 0
        self._method = self._make()
        self._gaps = (math.inf, math.inf)  # at the last two looks
        self._best = tree.uniform()
        self._best_gap = math.inf
        self._notes: list[str] = []
        self._look = _FIRST_LOOK
        self._stalled = False

    def _make(self) -> Method:
        return STAGES[self._names[self._at]][1](self._tree, self._planned, self._seconds)

    def _gap(self, behaviour: Reals) -> float:
        return self._evaluator.nash_conv(behaviour) / self._tree.seats

    def advance(self, count: int) -> int:
        """Run up to `count` iterations of the stage at work, or of the next one."""
        while True:
            done, why = 0, ""
            if self._stalled and (self._until is not None or self._more):
                why = "stalled at"
            else:
                try:
                    left = self._look - self._method.iteration
                    done = self._method.advance(min(count, max(1, left)))
                except ArenaError as error:
                    why = f"gave up ({error}) at"
            if done:
                self.iteration += done
                if self._method.iteration >= self._look:
                    self._check()
                return done
            gap = self._gap(self._method.behaviour())
            if self._until is None and not why and gap <= _EXACT * self._scale:
                return 0  # as good as it gets
            if not self._next(gap, why or "ended at"):
                return 0

    @property
    def _more(self) -> bool:
        return self._at + 1 < len(self._names)

    def _check(self) -> None:
        """Look whether the stage still gets anywhere; at fixed iterations, for resuming."""
        gap = self._gap(self._method.behaviour())
        before, last = self._gaps
        self._gaps = (last, gap)
        self._look = 2 * self._method.iteration
        self._stalled = gap > _FELL * last and last > _FELL * before

    def _next(self, gap: float, why: str) -> bool:
        """Leave a stage; return whether there is another one."""
        if gap < self._best_gap:
            self._best, self._best_gap = self._method.behaviour(), gap
        if not self._more:
            return False
        name = STAGES[self._names[self._at]][0]
        self._at += 1
        self._notes.append(f"{name} {why} {gap:.2g}, so {STAGES[self._names[self._at]][0]} went on")
        self._method = self._make()
        self._gaps, self._look, self._stalled = (math.inf, math.inf), _FIRST_LOOK, False
        return True

    def note(self) -> str:
        """Return which stages were left, and why."""
        return "; ".join(self._notes)

    def behaviour(self) -> Reals:
        """Return the best policy of all stages."""
        now = self._method.behaviour()
        return now if self._gap(now) <= self._best_gap else self._best.copy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state of the chain and of the stage at work."""
        own = {f"stage.{name}": array for name, array in self._method.arrays().items()}
        return {
            **own,
            "iteration": np.array(self.iteration),
            "names": np.array(",".join(self._names)),
            "at": np.array(self._at),
            "gaps": np.array(self._gaps),
            "look": np.array(self._look),
            "stalled": np.array(self._stalled),
            "best": self._best.copy(),
            "best_gap": np.array(self._best_gap),
            "notes": np.array("\n".join(self._notes)),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._names, self._at = str(arrays["names"]).split(","), int(arrays["at"])
        self._method = self._make()
        self._method.restore(
            {n.removeprefix("stage."): a for n, a in arrays.items() if n.startswith("stage.")}
        )
        self.iteration, self._look = int(arrays["iteration"]), int(arrays["look"])
        first, second = arrays["gaps"].tolist()
        self._gaps, self._stalled = (first, second), bool(arrays["stalled"])
        self._best, self._best_gap = arrays["best"].copy(), float(arrays["best_gap"])
        self._notes = str(arrays["notes"]).splitlines()


def _start(tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]) -> Chain:
    seconds = settings["seconds"]
    return Chain(
        tree,
        stages_of(tree, planned),
        planned=planned,
        until=settings["until"],
        # What cannot be interrupted leaves time for what comes after it.
        seconds=None if seconds is None else 0.5 * seconds,
    )


@dataclass(frozen=True)
class Auto:
    """The solver `auto`: a chain on trees, the Markov solver that applies on Markov games."""

    trees: TreeSolver

    name = "auto"

    def of(self, game: Game) -> Solver:
        """Return what solves a game."""
        if "markov" in game.forms:
            for name in _MARKOV:
                solver: Solver = SOLVERS.factory(name)()
                if solver.obstacle(game) is None:
                    return solver
        return self.trees

    def obstacle(self, game: Game) -> str | None:
        """Return why the game cannot be handled, or None."""
        return self.of(game).obstacle(game)

    def solve(
        self, game: Game, *, seed: int = 0, progress: Progress | None = None, **settings: Any
    ) -> Solution:
        """Solve `game`; the solution names the solver that did."""
        return self.of(game).solve(game, seed=seed, progress=progress, **settings)


def auto() -> Auto:
    """What suits the game, the best of a race, and the next method where one fails."""
    return Auto(TreeSolver("auto", _start, iterations=2000))
