"""From a `Spec` back to the tables of its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import inf
from typing import Any

from arena.agent import Limits
from tournaments.spec.model import Spec

__all__ = ["spec_data"]


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
            "group": a.group or None,
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
