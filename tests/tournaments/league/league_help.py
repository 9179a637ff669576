"""Small leagues among agents of known skill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import league_contest

from tournaments.league import League

FILE = Path(league_contest.__file__)
SKILLS = {"low": -300.0, "mid": 0.0, "high": 300.0}


def join(league: League, name: str, skill: float, **options: Any) -> Any:
    """Let an agent of some skill join, by its file."""
    return league.join(name, f"{FILE}:Number", params={"skill": skill}, isolation="none", **options)


def number(skill: float) -> Any:
    """Return a factory of live agents of one skill."""

    def make() -> league_contest.Number:
        return league_contest.Number(skill)

    return make


def table(league: League) -> list[tuple[Any, ...]]:
    """Return all that a table says, but for the dates."""
    return [
        (row.member.label, row.status, row.standing, row.margin)
        for row in league.leaderboard().rows
    ]
