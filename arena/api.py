"""The façade: what `import arena` offers, each a thin call into the package that does it."""

from __future__ import annotations

from typing import Any

from arena.agent import Agent
from arena.game import Game
from arena.registry import AGENTS, GAMES, SOLVERS, load_target

__all__ = [
    "agent",
    "agents",
    "games",
    "make",
    "register_agent",
    "register_game",
    "register_solver",
    "serve",
    "solvers",
]

register_game = GAMES.register
register_agent = AGENTS.register
register_solver = SOLVERS.register


def make(id: str, **params: Any) -> Game:
    """Make a registered game.

    Args:
        id: a name that `games()` lists, an alias such as `leduc_poker`, the path of a
            Gambit file (`*.efg`, `*.nfg`), or any of these with parameters, as `Game.key`
            writes them: `goofspiel(num_cards=4)`.
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


def serve(thing: Any) -> None:
    """Play over standard input and output, so that `cmd:python this_file.py` is an agent.

    Args:
        thing: an agent, a class or function that makes one, or a function
            `f(observation) -> action`.
    """
    load_target("agents.process.serve:serve")(thing)


def games() -> list[str]:
    """Return the ids of all registered games."""
    return GAMES.names()


def agents() -> list[str]:
    """Return the ids of all registered agents."""
    return AGENTS.names()


def solvers() -> list[str]:
    """Return the ids of all registered solvers."""
    return SOLVERS.names()
