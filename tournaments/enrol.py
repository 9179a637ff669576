"""Keeping what has changed apart: the agents and games of a spec against those of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.errors import StoreError
from tournaments.plan import Plan
from tournaments.spec import Spec, parse_spec, spec_data
from tournaments.store import Store, plan_rows

__all__ = ["Enrolled", "enrol", "new_meta", "stored_seed", "stored_spec"]


@dataclass(frozen=True)
class Enrolled:
    """Database ids of the boards and entries of a plan, in its order."""

    games: Sequence[int]
    agents: Sequence[int]


def new_meta(spec: Spec, seed: int, total: int) -> dict[str, str]:
    """Return what `meta` says about a tournament."""
    from arena import __version__

    live = any(a.live is not None for a in spec.agents) or any(
        g.live is not None for g in spec.games
    )
    return {
        "name": spec.name,
        "seed": str(seed),
        "spec": json.dumps(spec_data(spec), sort_keys=True, default=str),
        "live": str(int(live)),
        "total": str(total),
        "arena": __version__,
    }


def stored_spec(store: Store) -> Spec:
    """Return the spec that a file holds.

    Raises:
        StoreError: it was made of live objects, which no file can hold.
    """
    meta = store.meta()
    if meta["live"] == "1":
        raise StoreError(
            f"{store.path} was played with live objects; pass the spec with them to resume it"
        )
    return parse_spec(json.loads(meta["spec"]), source=str(store.path))


def stored_seed(store: Store, spec: Spec) -> int:
    """Return the run seed of a file.

    Raises:
        StoreError: `spec` has another one.
    """
    if "league" in store.meta():
        raise StoreError(
            f"{store.path} belongs to a league, which picks its own matches; play them with: "
            f"arena league run {store.path.parent}"
        )
    seed = int(store.meta()["seed"])
    if spec.seed not in (None, seed):
        raise StoreError(
            f"{store.path} has [tournament] seed = {seed}, {spec.source} has {spec.seed}; "
            "another seed needs another file"
        )
    return seed


def enrol(store: Store, spec: Spec, plan: Plan, *, allow_changed: bool = False) -> Enrolled:
    """Find the games and agents of a plan in a file, adding those that are new.

    More agents, games, repetitions or rounds are growth, and welcome. What has changed or
    is missing is refused; `allow_changed` adds it as a new version with a label of its own.

    Raises:
        StoreError: naming everything that has changed.
    """
    games, agents = plan_rows(plan)
    found_games = _match("game", games, store.games())
    found_agents = _match("agent", agents, store.agents())
    changes = found_games.changes + found_agents.changes
    changes += _schedule_changes(json.loads(store.meta()["spec"]), spec_data(spec))
    if changes and not allow_changed:
        raise StoreError(
            f"{store.path} belongs to another version of this tournament: {'; '.join(changes)} "
            "(allow changes to go on with new versions kept apart, or choose another file)"
        )
    return Enrolled(
        games=[_add(row, store.add_game) for row in found_games.rows],
        agents=[_add(row, store.add_agent) for row in found_agents.rows],
    )


@dataclass(frozen=True)
class _Matched:
    """Rows to be added, or ids that are there; and in words what has changed."""

    rows: list[dict[str, Any] | int]
    changes: list[str]


def _match(
    kind: str, wanted: Sequence[dict[str, Any]], stored: Sequence[Mapping[str, Any]]
) -> _Matched:
    labels = {row["label"] for row in stored} | {row["label"] for row in wanted}
    rows: list[dict[str, Any] | int] = []
    changes: list[str] = []
    for row in wanted:
        versions = [old for old in stored if old["name"] == row["name"]]
        same = [old["id"] for old in versions if old["digest"] == row["digest"]]
        if same:
            rows.append(same[0])
            continue
        if versions:
            changes.append(_difference(kind, versions[-1], row))
            number = 2
            while f"{row['name']} v{number}" in labels:
                number += 1
            row = {**row, "label": f"{row['name']} v{number}"}  # noqa: PLW2901
            labels.add(row["label"])
        rows.append(row)
    names = {row["name"] for row in wanted}
    gone = sorted({old["name"] for old in stored} - names)
    changes += [f"{kind} {name!r} is no longer in the spec" for name in gone]
    return _Matched(rows, changes)


def _difference(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before, after = json.loads(old["facts"]), json.loads(new["facts"])
    parts = [
        f"{key} was {before.get(key)!r}, is {after.get(key)!r}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]
    return f"{kind} {new['name']!r} has changed ({', '.join(parts)})"


def _schedule_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    before, after = old["tournament"], new["tournament"]
    changes = [
        f"{key} was {before.get(key)!r}, is {after.get(key)!r}"
        for key in ("schedule", "max_seatings")
        if before.get(key) != after.get(key)
    ]
    for key in ("repetitions", "rounds"):
        if (before.get(key) or 0) > (after.get(key) or 0):
            changes.append(f"{key} was {before.get(key)!r}, is only {after.get(key)!r}")
    gone = set(before.get("challengers", ())) - set(after.get("challengers", ()))
    changes += [f"{name!r} is no longer a challenger" for name in sorted(gone)]
    if before.get("schedule") == "swiss" and _growth_changes_swiss(old, new):
        changes.append("agents, games and repetitions of a Swiss tournament cannot change")
    return changes


def _growth_changes_swiss(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    same = old["tournament"].get("repetitions") == new["tournament"].get("repetitions")
    names = [[a["name"] for a in data["agents"]] for data in (old, new)]
    games = [[(g["id"], g.get("label")) for g in data["games"]] for data in (old, new)]
    return not same or names[0] != names[1] or games[0] != games[1]


def _add(row: dict[str, Any] | int, add: Callable[[Mapping[str, Any]], int]) -> int:
    return row if isinstance(row, int) else add(row)
