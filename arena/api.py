"""The façade: what `import arena` offers, each a thin call into the package that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from arena.agent import Agent
from arena.game import Game
from arena.registry import AGENTS, GAMES, SOLVERS, load_target
from arena.solver import Certificate, Progress, Solution

__all__ = [
    "agent",
    "agents",
    "evaluate",
    "games",
    "league",
    "make",
    "play",
    "register_agent",
    "register_game",
    "register_solver",
    "serve",
    "solve",
    "solvers",
    "to_pettingzoo",
    "tournament",
    "wrap",
]

register_game = GAMES.register
register_agent = AGENTS.register
register_solver = SOLVERS.register


def make(id: str, **params: Any) -> Game:
    """Make a registered game.

    Args:
        id: a name that `games()` lists, an alias such as `leduc_poker`, the path of a
            Gambit file (`*.efg`, `*.nfg`) or Markov game (`*.markov.npz`), or any of these
            with parameters, as `Game.key` writes them: `goofspiel(num_cards=4)`.
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


def wrap(env: Any, **options: Any) -> Game:
    """Return a PettingZoo environment as a game (see `games.adapters.pettingzoo.wrap`).

    Args:
        env: an `AECEnv` or `ParallelEnv`, or a function of no arguments that makes one.
        options: `id`, `payoff` and `chance`, which the environment itself does not tell.

    Raises:
        ParameterError: `env` is no PettingZoo environment, or cannot be copied.
    """
    game: Game = load_target("games.adapters.pettingzoo:wrap")(env, **options)
    return game


def to_pettingzoo(
    game: Game,
    *,
    parallel: bool | None = None,
    render_mode: Literal["ansi", "human"] | None = None,
) -> Any:
    """Return `game` as a PettingZoo environment (see `games.adapters.to_pettingzoo`).

    Args:
        game: any game whose observations have tensors.
        parallel: True for a `ParallelEnv`, False for an `AECEnv`; by default parallel if
            seats may act at once.
        render_mode: `ansi` or `human`.

    Raises:
        NotApplicableError: observations have no tensor.
    """
    export = load_target("games.adapters.to_pettingzoo:to_pettingzoo")
    return export(game, parallel=parallel, render_mode=render_mode)


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


def league(
    folder: Any,
    *,
    games: Sequence[Game | str] = (),
    agents: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """Open a league, or create it if `games` are given (see `tournaments.league.league`).

    Args:
        folder: where it lives.
        games: games or their names, for a new league.
        agents: its first members, name to reference or live object.
        settings: of a new league: `seed`, `anchor`, `anchor_rating`, `placement`, `limits`, ….
    """
    return load_target("tournaments.league:league")(folder, games=games, agents=agents, **settings)


def solve(
    game: Game | str,
    solver: str = "auto",
    *,
    seed: int = 0,
    progress: Progress | None = None,
    save: str | Path | None = None,
    checkpoint_every: float = 30.0,
    **settings: Any,
) -> Solution:
    """Solve a game and certify the answer.

    Args:
        game: a game, or the name of one.
        solver: a name that `solvers()` lists.
        seed: of solvers that sample.
        progress: called now and then with the point reached; a KeyboardInterrupt that it
            raises ends the work early, with what there is.
        save: a file (`.npz`) to write the solution to, at the end and now and then before,
            so that a run that is killed can be resumed.
        checkpoint_every: seconds between two of these.
        settings: the solver's own; most take `until` (a gap in payoff units),
            `iterations`, `seconds` and `resume` (a `Solution` or its file to go on from).

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
        save=save,
        checkpoint_every=checkpoint_every,
        **settings,
    )
    return solution


def evaluate(game: Game | str, policy: Any, **options: Any) -> Certificate:
    """Return how far a policy is from equilibrium: gap name to certified gap.

    Args:
        game: a game, or the name of one.
        policy: a `TabularPolicy`, a `Solution`, any `Policy`, a network (see
            `TensorPolicy`), an agent or bot, an OpenSpiel `Policy`, the name or file of one
            of them, or a sequence of these, one a seat.
        options: see `solvers.evaluate.evaluate`; with `approximate=True` lower bounds from
            best responses that are learned, for games too large for a tree.

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
