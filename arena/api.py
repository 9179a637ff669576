"""The façade: what `import arena` offers, each a thin call into the package that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.agent import Agent
from arena.game import Game
from arena.registry import AGENTS, GAMES, SOLVERS, load_target

__all__ = [
    "agent",
    "agents",
    "games",
    "make",
    "play",
    "register_agent",
    "register_game",
    "register_solver",
    "serve",
    "solvers",
    "tournament",
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


def serve(thing: Any) -> None:
    """Play over standard input and output, so that `cmd:python this_file.py` is an agent.

    Args:
        thing: an agent, a class or function that makes one, or a function
            `f(observation) -> action`.
    """
    load_target("agents.process.serve:serve")(thing)


def play(game: Game | str, agents: Sequence[Any], **options: Any) -> Any:
    """Play one match here and now and return it with its moves (see `tournaments.single.play`).

    Args:
        game: a game or its name.
        agents: one a seat: names, references or agent objects.
        options: `seed`, `params` (of a game given by name), `limits`, `forfeit`, `max_steps`.
    """
    return load_target("tournaments.single:play")(game, agents, **options)


def tournament(
    spec: Any = None,
    *,
    games: Sequence[Game | str] = (),
    agents: Mapping[str, Any] | Sequence[str] = (),
    **options: Any,
) -> Any:
    """Play a tournament and return its outcome (see `tournaments.quick.tournament`).

    Args:
        spec: the path of a TOML file or a `Spec`; or leave it out and name what plays.
        games: games or their names.
        agents: names or references; or a mapping from name to reference or live object.
        options: `db`, `resume`, `progress`, …; without `spec` also `repetitions`, `schedule`,
            `seed`, `workers`, ….
    """
    return load_target("tournaments.quick:tournament")(spec, games=games, agents=agents, **options)


def games() -> list[str]:
    """Return the ids of all registered games."""
    return GAMES.names()


def agents() -> list[str]:
    """Return the ids of all registered agents."""
    return AGENTS.names()


def solvers() -> list[str]:
    """Return the ids of all registered solvers."""
    return SOLVERS.names()
