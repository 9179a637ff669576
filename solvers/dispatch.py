"""From a solver's name to its answer, with the alternatives where it does not apply."""

from __future__ import annotations

from typing import Any

from arena.errors import NotApplicableError
from arena.game import Game
from arena.registry import SOLVERS
from arena.solver import Progress, Solution, Solver

__all__ = ["applicable", "solve"]


def applicable(game: Game) -> dict[str, str | None]:
    """Return, for every solver, why it cannot handle `game`, or None if it can."""
    out: dict[str, str | None] = {}
    for name in SOLVERS.names():
        solver: Solver = SOLVERS.factory(name)()
        out[name] = solver.obstacle(game)
    return out


def solve(
    game: Game,
    solver: str,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    **settings: Any,
) -> Solution:
    """Solve `game` with the solver of that name (see `arena.solve`).

    Raises:
        NotApplicableError: with the solvers that do apply.
        UnknownNameError, ParameterError: as `arena.solve`.
    """
    chosen: Solver = SOLVERS.factory(solver)()
    reason = chosen.obstacle(game)
    if reason is not None:
        able = [name for name, obstacle in applicable(game).items() if obstacle is None]
        others = f"solvers that apply: {', '.join(able)}" if able else "no solver applies"
        raise NotApplicableError(f"{reason}; {others}")
    return chosen.solve(game, seed=seed, progress=progress, **settings)
