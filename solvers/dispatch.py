"""From a solver's name to its answer, with the alternatives where it does not apply."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.checkpoint import Checkpoints
from arena.errors import ArenaError, NotApplicableError
from arena.game import Game
from arena.registry import SOLVERS
from arena.solver import Progress, Solution, Solver
from games.tree import Budget, Tree, tree_at_hand, tree_of

__all__ = ["LOOK_NODES", "Verdict", "applicable", "resolved", "solve", "verdicts"]

LOOK_NODES = 400_000
"""Nodes up to which a tree is compiled to see which solvers apply."""

LOOK_SECONDS = 5.0
"""Seconds that it may take."""


@dataclass(frozen=True)
class Verdict:
    """Whether a solver can handle a game.

    Attributes:
        applies: None where only a larger tree than was looked at would tell.
        reason: which property fails, or why it is not known; "" if it applies.
    """

    applies: bool | None
    reason: str = ""


def verdicts(game: Game, *, nodes: int = LOOK_NODES) -> dict[str, Verdict]:
    """Return for every solver whether it can handle `game`.

    What only the tree shows (imperfect recall, payoffs that do not add up, private chance)
    is looked up in the compiled tree: the one at hand or on disk, or else one of at most
    `nodes` nodes that is compiled now.
    """
    found: dict[str, Verdict] = {}
    tree: Tree | str | None = None
    for name in SOLVERS.names():
        solver = resolved(name, game)
        reason = solver.obstacle(game)
        misfit = getattr(solver, "misfit", None)
        if reason is None and misfit is not None and getattr(solver, "looks", True):
            tree = _look(game, nodes) if tree is None else tree
            if isinstance(tree, str):
                found[name] = Verdict(None, tree)
                continue
            reason = misfit(tree)
        found[name] = Verdict(reason is None, reason or "")
    return found


def resolved(name: str, game: Game) -> Solver:
    """Return the solver of that name, or what it leaves the game to (`of`)."""
    solver: Solver = SOLVERS.factory(name)()
    of = getattr(solver, "of", None)
    found: Solver = solver if of is None else of(game)
    return found


def _look(game: Game, nodes: int) -> Tree | str:
    """Return the game's tree, or why it is not known."""
    known = tree_at_hand(game)
    if known is not None:
        return known
    try:
        return tree_of(game, budget=Budget(nodes=nodes, seconds=LOOK_SECONDS))
    except NotApplicableError as error:
        slow = "compile in" in str(error)
        told = str(error) if slow else f"the tree of {game.key} has more than {nodes:,} nodes"
        return f"unknown: {told}"
    except ArenaError as error:
        return f"unknown: {error}"


def applicable(game: Game) -> dict[str, str | None]:
    """Return, for every solver, why it cannot handle `game`, or None if it can (or may)."""
    return {
        name: None if verdict.applies is not False else verdict.reason
        for name, verdict in verdicts(game).items()
    }


def solve(
    game: Game,
    solver: str,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    save: str | Path | None = None,
    checkpoint_every: float = 30.0,
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
        raise NotApplicableError(_but(game, solver, reason))
    if save is not None:
        progress = Checkpoints(save, every=checkpoint_every, progress=progress)
    try:
        solution = chosen.solve(game, seed=seed, progress=progress, **settings)
    except NotApplicableError as error:
        raise NotApplicableError(_but(game, solver, str(error))) from error
    if save is not None:
        solution.save(save)
    return solution


def _but(game: Game, solver: str, reason: str) -> str:
    """Return why a solver does not apply, and which do."""
    found = {name: verdict for name, verdict in verdicts(game).items() if name != solver}
    able = [name for name, verdict in found.items() if verdict.applies]
    perhaps = [name for name, verdict in found.items() if verdict.applies is None]
    if able:
        return f"{reason}; solvers that apply: {', '.join(able)}"
    if perhaps:
        return f"{reason}; solvers that may apply: {', '.join(perhaps)}"
    return f"{reason}; no solver applies"
