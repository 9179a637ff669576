"""The description of a tournament: frozen dataclasses, and the TOML file they come from.

    [tournament]   name, seed, schedule, repetitions, rounds, challengers, max_seatings,
                   max_steps, record
    [[games]]      id, params, label, seats
    [[agents]]     name, ref, params, isolation, limits
    [clock]        move, game, cpu, begin                     (seconds)
    [limits]       memory, output (bytes, or "512 MB"), processes
    [forfeit]      offender, others                           (payoffs)
    [executor]     kind, workers

Reading a file finds everything that is wrong with its text; `tournaments.entry` then makes
the games and agents and finds what is wrong with those, before anything is played.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import inf
from pathlib import Path
from typing import Any, Literal, cast, get_args

from agents.references import parse
from arena.agent import Limits
from arena.errors import AgentError, SpecError, nearest
from arena.game import Game

__all__ = [
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
    "parse_spec",
    "read_spec",
    "spec_data",
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
    """

    name: str
    ref: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    isolation: Isolation | None = None
    limits: Limits | None = None
    live: Any = None

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


def read_spec(path: str | Path) -> Spec:
    """Read a TOML file.

    Raises:
        SpecError: the file cannot be read, or something in it is wrong.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:  # pragma: no cover - depends on the interpreter
        import tomli as tomllib

    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read: {error}") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: not valid TOML: {error}") from error
    return parse_spec(data, source=str(path), folder=Path(path).resolve().parent)


def parse_spec(
    data: Mapping[str, Any], *, source: str = "spec", folder: Path | None = None
) -> Spec:
    """Turn the tables of a spec file into a `Spec`.

    Args:
        data: what the TOML file (or a JSON one of the same shape) holds.
        source: what messages call it.
        folder: where relative `file.py:…` references start; by default they stay as they are.

    Raises:
        SpecError: naming section, key, value and what is allowed.
    """
    top = _Section(data, source, "")
    top.only("tournament", "games", "agents", "clock", "limits", "forfeit", "executor")
    head = top.table("tournament")
    head.only(
        *("name", "seed", "schedule", "repetitions", "rounds", "challengers"),
        *("max_seatings", "max_steps", "record"),
    )
    games = tuple(_game(section) for section in top.tables("games"))
    agents = tuple(_agent(section, folder) for section in top.tables("agents"))
    spec = Spec(
        name=head.text("name", default=Path(source).stem),
        seed=head.integer("seed", low=0, high=(1 << 63) - 1),
        games=games,
        agents=agents,
        schedule=_schedule(head, agents),
        limits=_clocks(top),
        forfeit=_forfeit(top.table("forfeit")),
        executor=_executor(top.table("executor")),
        max_steps=head.integer("max_steps", low=1),
        record=cast(Record, head.choice("record", get_args(Record), default="sample")),
        source=source,
    )
    check_names(spec)
    return spec


def spec_data(spec: Spec) -> dict[str, Any]:
    """Return the tables of a spec file that `parse_spec` turns into `spec` again.

    Live objects leave only a note of what they are.
    """
    schedule = spec.schedule
    head = {
        "name": spec.name,
        "seed": spec.seed,
        "schedule": schedule.kind,
        "repetitions": schedule.repetitions,
        "rounds": schedule.rounds,
        "challengers": list(schedule.challengers) or None,
        "max_seatings": schedule.max_seatings,
        "max_steps": spec.max_steps,
        "record": spec.record,
    }
    games = [
        {"id": g.id, "params": dict(g.params), "label": g.label, "seats": g.seats}
        for g in spec.games
    ]
    agents = [
        {
            "name": a.name,
            "ref": a.ref or f"<{type(a.live).__name__}>",
            "params": dict(a.params),
            "isolation": a.isolation,
            "limits": None if a.limits is None else _limits_data(a.limits),
        }
        for a in spec.agents
    ]
    return {
        "tournament": _without_none(head),
        "games": [_without_none(game) for game in games],
        "agents": [_without_none(agent) for agent in agents],
        "limits": {} if spec.limits is None else _limits_data(spec.limits),
        "forfeit": _without_none(
            {"offender": spec.forfeit.offender, "others": spec.forfeit.others}
        ),
        "executor": _without_none({"kind": spec.executor.kind, "workers": spec.executor.workers}),
    }


def _limits_data(limits: Limits) -> dict[str, Any]:
    values = {f.name: getattr(limits, f.name) for f in fields(limits)}
    return {k: v for k, v in values.items() if v is not None and v != inf}


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


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
                f"which is no agent's name{_hint(challenger, names)}"
            )


def _game(section: _Section) -> GameSpec:
    section.only("id", "params", "label", "seats")
    return GameSpec(
        id=section.text("id"),
        params=section.table("params").data,
        label=section.text("label", default=""),
        seats=section.integer("seats", low=1),
    )


def _agent(section: _Section, folder: Path | None) -> AgentSpec:
    section.only("name", "ref", "params", "isolation", "limits")
    ref = section.text("ref")
    try:
        reference = parse(ref)
    except AgentError as error:
        raise section.error("ref", ref, f"a reference to an agent ({error})") from error
    if folder is not None and reference.kind in ("file", "policy"):
        # Files are looked for beside the spec, wherever the command is run.
        tail = f":{reference.attribute}" if reference.attribute else ""
        plain = ref.removesuffix(tail) if tail else ref
        ref = f"{folder / Path(plain).expanduser()}{tail}"
    isolation = section.choice("isolation", get_args(Isolation), default=None)
    if reference.kind == "command" and isolation == "none":
        raise section.error("isolation", "none", "'process' or 'sandbox' for a command")
    limits = _limits(section.table("limits")) if "limits" in section.data else None
    return AgentSpec(
        name=section.text("name", default=ref),
        ref=ref,
        params=section.table("params").data,
        isolation=cast("Isolation | None", isolation),
        limits=limits,
    )


def _schedule(head: _Section, agents: Sequence[AgentSpec]) -> ScheduleSpec:
    kind = cast(ScheduleKind, head.choice("schedule", get_args(ScheduleKind), default="auto"))
    challengers = head.strings("challengers")
    rounds = head.integer("rounds", low=1)
    if kind == "gauntlet" and not challengers:
        raise head.error("challengers", None, "a list of agents' names, for a gauntlet")
    if kind == "swiss" and rounds is None:
        raise head.error("rounds", None, "a number of rounds, for a Swiss tournament")
    if challengers and kind != "gauntlet":
        raise head.error("challengers", list(challengers), 'nothing unless schedule = "gauntlet"')
    if rounds is not None and kind != "swiss":
        raise head.error("rounds", rounds, 'nothing unless schedule = "swiss"')
    return ScheduleSpec(
        kind=kind,
        repetitions=head.integer("repetitions", low=1, default=1) or 1,
        rounds=rounds,
        challengers=challengers,
        max_seatings=head.integer("max_seatings", low=1, default=20_000) or 1,
    )


def _clocks(top: _Section) -> Limits | None:
    clock, sizes = top.table("clock"), top.table("limits")
    if not clock.data and not sizes.data:
        return None
    clock.only("move", "game", "cpu", "begin")
    merged = {**sizes.data}
    for key, value in clock.data.items():
        if key in merged:
            raise clock.error(key, value, "to stand in one of [clock] and [limits]")
        merged[key] = value
    return _limits(_Section(merged, top.source, "[clock]/[limits]"))


def _limits(section: _Section) -> Limits:
    section.only(*(f.name for f in fields(Limits)))
    chosen: dict[str, Any] = {}
    for key in ("move", "game", "cpu", "begin"):
        if key in section.data:
            chosen[key] = section.seconds(key)
    for key in ("memory", "output"):
        if key in section.data:
            chosen[key] = section.size(key)
    if "processes" in section.data:
        chosen["processes"] = section.integer("processes", low=1)
    return Limits(**chosen)


def _forfeit(section: _Section) -> ForfeitSpec:
    section.only("offender", "others")
    return ForfeitSpec(offender=section.number("offender"), others=section.number("others"))


def _executor(section: _Section) -> ExecutorSpec:
    section.only("kind", "workers")
    kind = section.choice("kind", get_args(ExecutorKind), default="processes")
    return ExecutorSpec(
        kind=cast(ExecutorKind, kind), workers=section.integer("workers", low=1, high=1024)
    )


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


class _Section:
    """One table of the file; every complaint names file, section, key, value and remedy."""

    def __init__(self, data: object, source: str, name: str) -> None:
        if not isinstance(data, Mapping):
            raise SpecError(f"{source}: {name or 'the file'} = {data!r} is not a table")
        self.data: Mapping[str, Any] = data
        self.source = source
        self.name = name

    def error(self, key: str, value: object, allowed: str) -> SpecError:
        where = f"{self.source}: {self.name} " if self.name else f"{self.source}: "
        if value is None:
            return SpecError(f"{where}{key} is missing; expected {allowed}")
        return SpecError(f"{where}{key} = {value!r} is not allowed; expected {allowed}")

    def only(self, *allowed: str) -> None:
        for key in self.data:
            if key not in allowed:
                where = f"{self.name} has" if self.name else "there is"
                raise SpecError(
                    f"{self.source}: {where} no key {key!r}{_hint(key, allowed)} "
                    f"(allowed: {', '.join(allowed)})"
                )

    def table(self, key: str) -> _Section:
        name = f"[{key}]" if not self.name else f"{self.name} {key}"
        return _Section(self.data.get(key, {}), self.source, name)

    def tables(self, key: str) -> list[_Section]:
        rows = self.data.get(key, [])
        if not isinstance(rows, list):
            raise self.error(key, rows, f"tables headed [[{key}]]")
        return [_Section(row, self.source, f"[[{key}]] #{i + 1}") for i, row in enumerate(rows)]

    def text(self, key: str, *, default: str | None = None) -> str:
        value = self.data.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.error(key, value, "a text")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, value, "a list of texts")
        return tuple(value)

    def choice(self, key: str, allowed: Sequence[str], *, default: str | None) -> str | None:
        value = self.data.get(key, default)
        if value is None:
            return None
        if value not in allowed:
            listed = ", ".join(map(repr, allowed))
            raise self.error(key, value, f"one of {listed}{_hint(value, allowed)}")
        return str(value)

    def integer(
        self, key: str, *, low: int, high: int | None = None, default: int | None = None
    ) -> int | None:
        value = self.data.get(key, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise self.error(key, value, f"a whole number of at least {low}")
        if high is not None and value > high:
            raise self.error(key, value, f"a whole number of at most {high}")
        return value

    def number(self, key: str) -> float | None:
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) == inf:
            raise self.error(key, value, "a finite number")
        return float(value)

    def seconds(self, key: str) -> float:
        value = self.data[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self.error(key, value, "seconds, greater than 0")
        return float(value)

    def size(self, key: str) -> int:
        value = self.data[key]
        if isinstance(value, str):
            match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?i?)b?", value.strip().lower())
            if match and match[2] in _UNITS:
                return int(float(match[1]) * _UNITS[match[2]])
        elif isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        raise self.error(key, value, 'bytes, such as 1000000 or "512 MB"')


def _hint(name: object, known: Sequence[str]) -> str:
    found = nearest(str(name), known, count=1)
    return f"; did you mean {found[0]!r}?" if found else ""
