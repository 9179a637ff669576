"""A league's settings and members: `league.toml`, written as a whole or not at all.

[league]      format, name, seed, created, method, anchor, anchor_rating, record
[placement]   interval, min_matches, max_matches, batch
[[games]]     id, params, label; version and digest, by which changes are noticed
[[members]]   name, version, ref, params, isolation, limits; fingerprint, digest, joined,
              retired, reason
[limits] [forfeit]    as in a tournament file
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

from arena.agent import Limits
from arena.errors import FormatError, ParameterError, StoreError, UnknownNameError
from arena.files import write_atomic
from tournaments import toml
from tournaments.spec import (
    AgentSpec,
    ExecutorSpec,
    ForfeitSpec,
    GameSpec,
    Isolation,
    Record,
    Spec,
    parse_spec,
    spec_data,
)

__all__ = [
    "FILE",
    "HERE",
    "LeagueGame",
    "Member",
    "Method",
    "Placement",
    "Settings",
    "check_name",
    "read_settings",
    "write_settings",
]

FILE = "league.toml"
FORMAT = 1
HERE = ExecutorSpec("in_process")
"""Where a league plays unless it is told otherwise; live objects need it."""

Method = Literal["davidson", "cross_play"]


@dataclass(frozen=True)
class Placement:
    """When a newcomer's place counts as known.

    Attributes:
        interval: its margin is at most this: Elo, or payoff where payoffs rank.
        min_matches: matches that it plays in any case.
        max_matches: matches after which it counts as placed whatever its margin.
        batch: pairings that are chosen at a time.
    """

    interval: float = 60.0
    min_matches: int = 20
    max_matches: int = 4000
    batch: int = 16

    def __post_init__(self) -> None:
        if not 0.0 < self.interval < float("inf"):
            raise ParameterError("interval", self.interval, "a number above 0")
        for name in ("min_matches", "max_matches", "batch"):
            if getattr(self, name) < 1:
                raise ParameterError(name, getattr(self, name), "1 or more")


@dataclass(frozen=True)
class LeagueGame:
    """A game of the league, and the version that its results belong to."""

    spec: GameSpec
    version: str
    digest: str


@dataclass(frozen=True)
class Member:
    """One version of an agent.

    Attributes:
        name: what it joined as; versions share it.
        version: 1 for the first.
        spec: how it is made; its name is the label.
        live: whether it is a Python object that no file can hold.
        fingerprint: a digest of code and parameters (of a live object: code and state).
        digest: the same with limits.
        joined: when, UTC, ISO 8601.
        retired: when it left, or "".
        reason: why it left.
    """

    name: str
    version: int
    spec: AgentSpec
    live: bool
    fingerprint: str
    digest: str
    joined: str
    retired: str = ""
    reason: str = ""

    @property
    def label(self) -> str:
        """What tables call it: the name, and from the second version on `name@2`."""
        return self.spec.name


@dataclass(frozen=True)
class Settings:
    """All of `league.toml`.

    Attributes:
        anchor: label of the member whose rating never moves ("": the first that joins).
        anchor_rating: that rating.
        method: `davidson` (Elo scale), or `cross_play` (mean payoff with each other member).
    """

    name: str
    seed: int
    created: str
    method: Method
    games: tuple[LeagueGame, ...]
    members: tuple[Member, ...] = ()
    anchor: str = ""
    anchor_rating: float = 0.0
    placement: Placement = field(default_factory=Placement)
    limits: Limits | None = None
    forfeit: ForfeitSpec = field(default_factory=ForfeitSpec)
    max_steps: int | None = None
    record: Record = "sample"

    def member(self, label: str) -> Member:
        """Return one version.

        Raises:
            UnknownNameError: no member has that label; with the nearest.
        """
        for member in self.members:
            if member.label == label:
                return member
        labels = [m.label for m in self.members]
        raise UnknownNameError("member", label, labels, hint=f"members: {', '.join(labels)}")

    def versions(self, name: str) -> list[Member]:
        """Return all versions of a name, oldest first."""
        return [member for member in self.members if member.name == name]

    def spec(self, agents: Sequence[AgentSpec], *, source: str, executor: ExecutorSpec) -> Spec:
        """Return the tournament that `agents` play."""
        return Spec(
            name=self.name,
            games=tuple(game.spec for game in self.games),
            agents=tuple(agents),
            seed=self.seed,
            limits=self.limits,
            forfeit=self.forfeit,
            executor=executor,
            max_steps=self.max_steps,
            record=self.record,
            source=source,
        )


def check_name(name: str) -> str:
    """Refuse names that could be taken for a version or an option.

    Raises:
        ParameterError: the name is not allowed.
    """
    if not re.fullmatch(r"[^\W][^@=\x00-\x1f\x7f]*", name) or name != name.strip():
        raise ParameterError("name", name, "a name that starts with a letter or digit, without @")
    return name


# -- reading ---------------------------------------------------------------------------


def read_settings(folder: Path) -> Settings:
    """Read `league.toml`.

    Raises:
        StoreError: there is no league in that folder.
        FormatError: the file is damaged, or from a later version.
        SpecError: something in it is not allowed.
    """
    path = folder / FILE
    if not path.is_file():
        what = "there is no such folder" if not folder.exists() else f"there is no {FILE} in it"
        raise StoreError(
            f"{folder} is not a league: {what}; make one with: arena league create {folder} "
            "--game NAME"
        )
    data = _parsed(path)
    try:
        return _settings(data, path)
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: {error!r} is missing or of the wrong type") from error


def _parsed(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = toml.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, toml.TOMLDecodeError) as error:
        raise FormatError(f"{path}: cannot be read: {error}") from error
    head = data.get("league")
    if not isinstance(head, dict) or "format" not in head:
        raise FormatError(f"{path}: [league] format is missing; this is no file of a league")
    if head["format"] != FORMAT:
        raise FormatError(f"{path} has format {head['format']}; this arena reads format {FORMAT}")
    return data


def _settings(data: dict[str, Any], path: Path) -> Settings:
    head, place = data["league"], data.get("placement", {})
    games, members = data["games"], data.get("members", [])
    # A tournament's own reader checks what a league has in common with one.
    spec = parse_spec(
        {
            "tournament": {
                k: head[k] for k in ("name", "seed", "record", "max_steps") if k in head
            },
            "games": [_part(game, "id", "params", "label") for game in games],
            "agents": [
                {"ref": "live", **_part(member, "ref", "params", "limits"), "name": _label(member)}
                for member in members
            ]
            or [{"name": "none", "ref": "none"}],
            "limits": data.get("limits", {}),
            "forfeit": data.get("forfeit", {}),
        },
        source=str(path),
    )
    known = {f.name for f in fields(Placement)}
    for key in place:
        if key not in known:
            raise UnknownNameError("setting of [placement]", key, known)
    method = head["method"]
    if method not in get_args(Method):
        raise ParameterError("method", method, " or ".join(get_args(Method)), where=str(path))
    return Settings(
        name=head["name"],
        seed=head["seed"],
        created=head["created"],
        method=cast(Method, method),
        games=tuple(
            LeagueGame(made, game["version"], game["digest"])
            for made, game in zip(spec.games, games, strict=True)
        ),
        members=tuple(
            _member(made, member) for made, member in zip(spec.agents, members, strict=False)
        ),
        anchor=head.get("anchor", ""),
        anchor_rating=float(head.get("anchor_rating", 0.0)),
        placement=Placement(**place),
        limits=spec.limits,
        forfeit=spec.forfeit,
        max_steps=spec.max_steps,
        record=spec.record,
    )


def _part(table: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: table[key] for key in keys if key in table}


def _label(member: Mapping[str, Any]) -> str:
    version = int(member["version"])
    return str(member["name"]) if version == 1 else f"{member['name']}@{version}"


def _member(made: AgentSpec, member: Mapping[str, Any]) -> Member:
    isolation = member.get("isolation")
    if isolation not in (None, *get_args(Isolation)):
        raise ParameterError("isolation", isolation, "none, process or sandbox")
    live = bool(member.get("live"))
    return Member(
        name=member["name"],
        version=int(member["version"]),
        spec=replace(made, isolation=isolation, ref="" if live else made.ref),
        live=live,
        fingerprint=member["fingerprint"],
        digest=member["digest"],
        joined=member["joined"],
        retired=member.get("retired", ""),
        reason=member.get("reason", ""),
    )


# -- writing ---------------------------------------------------------------------------

_TOP = "# A league of arena; `arena league --help` shows what changes it.\n"


def write_settings(folder: Path, settings: Settings) -> None:
    """Write `league.toml` in the place of the old one, atomically."""
    live = [m.label for m in settings.members if m.live]
    data = spec_data(
        settings.spec(
            [replace(m.spec, live=None) for m in settings.members],
            source=FILE,
            executor=ExecutorSpec(),
        )
    )
    head = {
        "format": FORMAT,
        "name": settings.name,
        "seed": settings.seed,
        "created": settings.created,
        "method": settings.method,
        "anchor": settings.anchor,
        "anchor_rating": settings.anchor_rating,
        "max_steps": settings.max_steps,
        "record": settings.record,
    }
    games = [
        {**_filled(told), "version": game.version, "digest": game.digest}
        for told, game in zip(data["games"], settings.games, strict=True)
    ]
    members = []
    for told, member in zip(data["agents"], settings.members, strict=True):
        about = {**told, "name": member.name, "version": member.version}
        if member.label in live:
            about["live"] = True
            del about["ref"]
        for key in ("fingerprint", "digest", "joined", "retired", "reason"):
            about[key] = getattr(member, key)
        members.append(_filled(about))
    parts = [_TOP, _table("league", head), _table("placement", vars(settings.placement))]
    parts += [_table(name, data[name]) for name in ("limits", "forfeit") if data[name]]
    parts += [_table("games", game, many=True) for game in games]
    parts += [_table("members", member, many=True) for member in members]
    text = "\n".join(parts)
    with write_atomic(folder / FILE) as file:
        file.write(text.encode())


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", {})}


def _table(name: str, values: Mapping[str, Any], *, many: bool = False) -> str:
    lines = [f"[[{name}]]" if many else f"[{name}]"]
    lines += [f"{_key(key)} = {_toml(value)}" for key, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Return a value as TOML.

    Raises:
        ParameterError: TOML cannot say it.
    """
    if isinstance(value, bool | str):
        # JSON's escapes are TOML's too; the one control character that JSON leaves is not.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    raise ParameterError(
        "params", value, "text, numbers, true, false, lists and tables (TOML has nothing else)"
    )


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)
