"""A tournament in one call, without a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.agent import Limits
from arena.errors import ParameterError
from arena.game import Game
from arena.rng import fresh_seed
from tournaments.api import Outcome, run
from tournaments.spec import (
    AgentSpec,
    ExecutorSpec,
    ForfeitSpec,
    GameSpec,
    ScheduleKind,
    ScheduleSpec,
    Spec,
)

__all__ = ["tournament"]


def tournament(
    spec: Spec | str | Path | None = None,
    *,
    games: Sequence[Game | str | GameSpec] = (),
    agents: Mapping[str, Any] | Sequence[str | AgentSpec] = (),
    name: str = "tournament",
    schedule: ScheduleKind = "auto",
    repetitions: int = 1,
    rounds: int | None = None,
    challengers: Sequence[str] = (),
    seed: int | None = None,
    workers: int | None = None,
    limits: Limits | None = None,
    forfeit: ForfeitSpec | None = None,
    **options: Any,
) -> Outcome:
    """Play a tournament.

    Args:
        spec: a spec or the path of its file; the other arguments then stay unset.
        games: games, their names, or specs with parameters.
        agents: names or references; or a mapping from name to reference, class, factory,
            function or agent object.
        name: of the tournament.
        schedule: who meets whom.
        repetitions: matches of each seating.
        rounds: of a Swiss tournament.
        challengers: of a gauntlet.
        seed: the run seed; None draws a fresh one.
        workers: processes; None plays in this one, where live objects need to be.
        limits: clocks and sizes.
        forfeit: what a forfeit pays.
        options: for `tournaments.api.run`: `db`, `resume`, `allow_changed`, `durable`,
            `progress`.

    Raises:
        SpecError: something is wrong with the tournament; nothing has been played.
    """
    if spec is not None:
        if games or agents:
            raise ParameterError("games, agents", "given", "nothing beside a spec")
        return run(spec, **options)
    named = agents if isinstance(agents, Mapping) else {_name(a): a for a in agents}
    if len(named) < len(agents):
        raise ParameterError("agents", list(agents), "different names; a mapping can give them")
    made = Spec(
        name=name,
        games=tuple(_game(game) for game in games),
        agents=tuple(_agent(label, thing) for label, thing in named.items()),
        seed=fresh_seed() if seed is None else seed,
        schedule=ScheduleSpec(
            kind=schedule, repetitions=repetitions, rounds=rounds, challengers=tuple(challengers)
        ),
        limits=limits,
        forfeit=forfeit or ForfeitSpec(),
        executor=ExecutorSpec("in_process" if workers is None else "processes", workers),
        source="arena.tournament",
    )
    return run(made, **options)


def _name(agent: str | AgentSpec) -> str:
    return agent.name if isinstance(agent, AgentSpec) else agent


def _game(game: Game | str | GameSpec) -> GameSpec:
    if isinstance(game, GameSpec):
        return game
    if isinstance(game, str):
        return GameSpec(game)
    if game.rebuildable:
        return GameSpec(game.id, dict(game.params))
    return GameSpec(game.id, live=game)


def _agent(name: str, thing: Any) -> AgentSpec:
    if isinstance(thing, AgentSpec):
        return thing
    if isinstance(thing, str):
        return AgentSpec(name=name, ref=thing)
    return AgentSpec(name=name, live=thing)
