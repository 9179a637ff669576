"""Opening a league, or creating it where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.errors import StoreError
from arena.game import Game
from tournaments.league.creating import game_spec
from tournaments.league.league import League
from tournaments.league.settings import FILE
from tournaments.spec import GameSpec

__all__ = ["league"]


def league(
    folder: str | Path,
    *,
    games: Sequence[Game | str | GameSpec] = (),
    agents: Mapping[str, Any] | None = None,
    **settings: Any,
) -> League:
    """Open a league, or create it when `games` are given and there is none yet.

    Args:
        folder: where it lives.
        games: for a new league; an existing one must have the same.
        agents: members, name to reference or live object; those that are not in an existing
            league join it, and live ones come back.
        settings: of a new league (see `League.create`); an existing one must have the same.

    Raises:
        StoreError: there is no league and no games are given, the folder is something else,
            or a league of other games or settings.
    """
    path = Path(folder)
    if not (path / FILE).is_file() and games:
        return League.create(path, games=games, agents=agents, **settings)
    found = League(path)
    wanted = [game_spec(game) for game in games]
    stored = [(g.spec.id, dict(g.spec.params)) for g in found.settings.games]
    if games and [(g.id, dict(g.params)) for g in wanted] != stored:
        raise StoreError(f"{path} is a league of other games: {', '.join(g for g, _ in stored)}")
    for key, value in settings.items():
        there = getattr(found.settings, key, value)
        if value is not None and (key, value) != ("method", "auto") and value != there:
            raise StoreError(f"{path} is a league with {key} = {there!r}, not {value!r}")
    for name, agent in (agents or {}).items():
        if not found.knows(name, agent):
            found.join(name, agent)
    return found
