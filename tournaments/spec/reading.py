"""From a TOML file, or tables of the same shape, to a `Spec`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, cast, get_args

from agents.references import parse
from arena.agent import Limits
from arena.errors import AgentError, ArenaError, SpecError
from arena.keys import split_key
from tournaments import toml
from tournaments.spec.model import (
    AgentSpec,
    ExecutorKind,
    ExecutorSpec,
    ForfeitSpec,
    GameSpec,
    Isolation,
    Record,
    ScheduleKind,
    ScheduleSpec,
    Spec,
    check_names,
)
from tournaments.spec.section import Section

__all__ = ["parse_spec", "read_spec"]


def read_spec(path: str | Path) -> Spec:
    """Read a TOML file.

    Raises:
        SpecError: the file cannot be read, or something in it is wrong.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read: {error}") from error
    try:
        data = toml.loads(text)
    except toml.TOMLDecodeError as error:
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
    top = Section(data, source, "")
    top.only("tournament", "games", "agents", "clock", "limits", "forfeit", "executor")
    head = top.table("tournament")
    head.only(
        *("name", "seed", "schedule", "repetitions", "rounds", "challengers"),
        *("max_seatings", "max_steps", "record"),
    )
    games = tuple(_game(section) for section in _games(top))
    agents = tuple(_agent(section, folder) for section in _agents(top))
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


def _games(top: Section) -> list[Section]:
    """Return the tables of the games, which may be shortened to `"id(parameter=value)"`."""

    def full(text: str) -> Mapping[str, Any]:
        try:
            name, params = split_key(text)
        except ArenaError as error:
            raise top.error("games", text, f"a game ({error})") from error
        return {"id": name, "params": params}

    return top.tables("games", full)


def _agents(top: Section) -> list[Section]:
    """Return the tables of the agents, which may be shortened to `name = "reference"`."""
    rows = top.data.get("agents", [])
    if isinstance(rows, Mapping):
        named = [{"name": name, "ref": ref} for name, ref in rows.items()]
        top = Section({"agents": named}, top.source, "")
    return top.tables("agents", lambda text: {"ref": text})


def _game(section: Section) -> GameSpec:
    own = "the game's own parameters stand in params, such as params = {players = 3}"
    section.only("id", "params", "label", "seats", note=own)
    return GameSpec(
        id=section.text("id"),
        params=section.table("params").data,
        label=section.text("label", default=""),
        seats=section.integer("seats", low=1),
    )


def _agent(section: Section, folder: Path | None) -> AgentSpec:
    section.only("name", "ref", "params", "isolation", "limits", "group")
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
        group=section.text("group", default=""),
    )


def _schedule(head: Section, agents: Sequence[AgentSpec]) -> ScheduleSpec:
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


def _clocks(top: Section) -> Limits | None:
    clock, sizes = top.table("clock"), top.table("limits")
    if not clock.data and not sizes.data:
        return None
    clock.only("move", "game", "cpu", "begin")
    merged = {**sizes.data}
    for key, value in clock.data.items():
        if key in merged:
            raise clock.error(key, value, "to stand in one of [clock] and [limits]")
        merged[key] = value
    return _limits(Section(merged, top.source, "[clock]/[limits]"))


def _limits(section: Section) -> Limits:
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


def _forfeit(section: Section) -> ForfeitSpec:
    section.only("offender", "others")
    return ForfeitSpec(offender=section.number("offender"), others=section.number("others"))


def _executor(section: Section) -> ExecutorSpec:
    section.only("kind", "workers")
    kind = section.choice("kind", get_args(ExecutorKind), default="processes")
    return ExecutorSpec(
        kind=cast(ExecutorKind, kind), workers=section.integer("workers", low=1, high=1024)
    )
