"""One name, two forms: `cce` and `ce` take Markov games as well as normal forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from arena.game import Game
from arena.solver import Progress, Solution, Solver
from solvers.markov import backward_induction
from solvers.matrix import correlated

__all__ = ["ByForm", "cce", "ce"]


@dataclass(frozen=True)
class ByForm:
    """A solver for games with the form `markov`, and another one for the rest.

    A game that the other one cannot handle goes to the first if it can (see its `obstacle`).
    """

    markov: Solver
    other: Solver

    def of(self, game: Game) -> Solver:
        """Return what solves a game."""
        if "markov" in game.forms:
            return self.markov
        if self.other.obstacle(game) is not None and self.markov.obstacle(game) is None:
            return self.markov
        return self.other

    def obstacle(self, game: Game) -> str | None:
        """Return why the game's solver cannot handle it, or None."""
        return self.of(game).obstacle(game)

    def solve(
        self, game: Game, *, seed: int = 0, progress: Progress | None = None, **settings: Any
    ) -> Solution:
        """Solve `game` by the solver for its form."""
        return self.of(game).solve(game, seed=seed, progress=progress, **settings)


def cce() -> ByForm:
    """Coarse correlated equilibrium of a normal form or a Markov game."""
    return ByForm(backward_induction.cce(), correlated.cce())


def ce() -> ByForm:
    """Correlated equilibrium of a normal form or a Markov game."""
    return ByForm(backward_induction.ce(), correlated.ce())
