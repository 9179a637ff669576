"""The façade: what `import arena` offers, each a thin call into the package that does it."""

from __future__ import annotations

from typing import Any

from arena.agent import Agent
from arena.game import Game
from arena.registry import AGENTS, GAMES, SOLVERS, load_target
from arena.solver import Certificate, Progress, Solution

__all__ = [
    "agent",
    "agents",
    "evaluate",
    "games",
    "make",
    "register_agent",
    "register_game",
    "register_solver",
    "solve",
    "solvers",
]

register_game = GAMES.register
register_agent = AGENTS.register
register_solver = SOLVERS.register


def make(id: str, **params: Any) -> Game:
    """Make a registered game.

    Args:
        id: a name that `games()` lists, or an alias such as `leduc_poker`.
        params: the game's own parameters.

    Raises:
        UnknownNameError: with the nearest names.
        ParameterError: a parameter of the wrong name, type or range.
    """
    game: Game = GAMES.factory(id)(**params)
    return game


def agent(ref: str, **params: Any) -> Agent:
    """Make an agent from a registered name or a reference to code (see `agents.load`).

    Raises:
        UnknownNameError: with the nearest names.
        AgentError: the code it names cannot be loaded.
    """
    made: Agent = load_target("agents.load:load")(ref, **params)
    return made


def solve(
    game: Game | str,
    solver: str = "auto",
    *,
    seed: int = 0,
    progress: Progress | None = None,
    **settings: Any,
) -> Solution:
    """Solve a game and certify the answer.

    Args:
        game: a game, or the name of one.
        solver: a name that `solvers()` lists.
        seed: of solvers that sample.
        progress: called now and then with the point reached; a KeyboardInterrupt that it
            raises ends the work early, with what there is.
        settings: the solver's own; most take `until` (a gap in payoff units),
            `iterations`, `seconds` and `resume` (a `Solution` to go on from).

    Raises:
        NotApplicableError: the solver cannot handle the game; the message names the
            property that fails and the solvers that can.
        UnknownNameError: no solver or setting of that name.
        ParameterError: a setting out of range.
    """
    solution: Solution = load_target("solvers.dispatch:solve")(
        make(game) if isinstance(game, str) else game,
        solver,
        seed=seed,
        progress=progress,
        **settings,
    )
    return solution


def evaluate(game: Game | str, policy: Any, **options: Any) -> Certificate:
    """Return how far a policy is from equilibrium: gap name to certified gap.

    Args:
        game: a game, or the name of one.
        policy: a `TabularPolicy`, a `Solution`, any `Policy`, an agent that gives its
            probabilities (or is deterministic), an OpenSpiel `Policy`, the name or file of
            one of them, or a sequence of these, one a seat.
        options: see `solvers.evaluate.evaluate`.

    Raises:
        ParameterError: an infoset without probabilities.
        NotApplicableError: the game is too large to be evaluated exactly.
    """
    certificate: Certificate = load_target("solvers.evaluate:evaluate")(
        make(game) if isinstance(game, str) else game, policy, **options
    )
    return certificate


def games() -> list[str]:
    """Return the ids of all registered games."""
    return GAMES.names()


def agents() -> list[str]:
    """Return the ids of all registered agents."""
    return AGENTS.names()


def solvers() -> list[str]:
    """Return the ids of all registered solvers."""
    return SOLVERS.names()
