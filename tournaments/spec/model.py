"""A tournament as frozen dataclasses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.references import parse
from arena.agent import Limits
from arena.errors import SpecError
from arena.game import Game
from tournaments.spec.section import hint

__all__ = [
    "USER_CODE_LIMITS",
    "AgentSpec",
    "ExecutorKind",
    "ExecutorSpec",
    "ForfeitSpec",
    "GameSpec",
    "Isolation",
    "Record",
    "ScheduleKind",
    "ScheduleSpec",
    "Spec",
    "check_names",
]

Isolation = Literal["none", "process", "sandbox"]
ScheduleKind = Literal["auto", "round_robin", "gauntlet", "swiss", "cross_play"]
ExecutorKind = Literal["in_process", "processes", "ray"]
Record = Literal["all", "sample", "none"]

USER_CODE_LIMITS = Limits(move=60.0)
"""Limits of code from outside the registry when the file sets none: no move takes a minute."""


@dataclass(frozen=True)
class GameSpec:
    """A game by its registry name.

    Attributes:
        label: what tables call it; by default its key.
        seats: the number of seats that is expected, or None; a check, not a parameter.
        live: a `Game` object instead of a name; in-process only unless it is rebuildable.
    """

    id: str
    params: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    seats: int | None = None
    live: Game | None = None


@dataclass(frozen=True)
class AgentSpec:
    """An agent by a reference that `agents.load` understands.

    Attributes:
        isolation: `none` plays inside the worker; `process` and `sandbox` in a child of
            its own. None stands for the default: registered agents inside, others outside.
        limits: clocks and sizes; None stands for the tournament's.
        live: an agent object or a factory of agents; in-process only.
        group: the agents that it was made or trained with share this name; reports of
            cooperative games tell partners of other groups apart (`tournaments.teamwork`).
    """

    name: str
    ref: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    isolation: Isolation | None = None
    limits: Limits | None = None
    live: Any = None
    group: str = ""

    @property
    def tier(self) -> Isolation:
        """Where the agent runs, the default resolved."""
        if self.isolation is not None:
            return self.isolation
        if self.live is not None or parse(self.ref).kind in ("registered", "policy"):
            return "none"
        return "process"


@dataclass(frozen=True)
class ScheduleSpec:
    """Who meets whom, and how often.

    Attributes:
        kind: `auto` is `cross_play` for cooperative games and `round_robin` for others.
        repetitions: matches of each seating; every seat order of a group shares its seeds.
        rounds: rounds of a Swiss tournament.
        challengers: the agents that meet all the others in a gauntlet.
        max_seatings: above so many seatings of one game a balanced sample is played.
    """

    kind: ScheduleKind = "auto"
    repetitions: int = 1
    rounds: int | None = None
    challengers: tuple[str, ...] = ()
    max_seatings: int = 20_000


@dataclass(frozen=True)
class ForfeitSpec:
    """What a forfeit pays; None stands for the game's worst and what follows from it."""

    offender: float | None = None
    others: float | None = None


@dataclass(frozen=True)
class ExecutorSpec:
    """Where matches are played; `workers` None stands for the number of cores."""

    kind: ExecutorKind = "processes"
    workers: int | None = None

    @property
    def size(self) -> int:
        """The number of workers."""
        if self.workers is not None:
            return self.workers
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1


@dataclass(frozen=True)
class Spec:
    """A tournament.

    Attributes:
        seed: the run seed; None draws a fresh one, which the store keeps.
        limits: for agents that set none of their own; None leaves registered agents
            untimed and gives user code `USER_CODE_LIMITS`.
        max_steps: an episode is cut off after so many steps; None stands for no limit in
            games of known length and 10 000 in others.
        record: which matches keep their moves, besides every forfeit.
        source: the file it was read from, for messages.
    """

    name: str
    games: tuple[GameSpec, ...]
    agents: tuple[AgentSpec, ...]
    seed: int | None = None
    schedule: ScheduleSpec = ScheduleSpec()
    limits: Limits | None = None
    forfeit: ForfeitSpec = ForfeitSpec()
    executor: ExecutorSpec = ExecutorSpec()
    max_steps: int | None = None
    record: Record = "sample"
    source: str = "spec"

    def limits_of(self, agent: AgentSpec) -> Limits | None:
        """Return the limits that hold for `agent`, or None where nothing is limited."""
        if agent.limits is not None:
            return agent.limits
        if self.limits is not None:
            return self.limits
        return USER_CODE_LIMITS if agent.tier != "none" else None


def check_names(spec: Spec) -> None:
    """Check what needs no game or agent to be made.

    Raises:
        SpecError: no games or agents, or two of one name.
    """
    if not spec.games:
        raise SpecError(f"{spec.source}: [[games]] is empty; a tournament needs a game")
    if not spec.agents:
        raise SpecError(f"{spec.source}: [[agents]] is empty; a tournament needs agents")
    names = [agent.name for agent in spec.agents]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(
                f"{spec.source}: [[agents]] name = {name!r} stands {names.count(name)} times; "
                "every agent needs a name of its own"
            )
    for challenger in spec.schedule.challengers:
        if challenger not in names:
            raise SpecError(
                f"{spec.source}: [tournament] challengers has {challenger!r}, "
                f"which is no agent's name{hint(challenger, names)}"
            )
