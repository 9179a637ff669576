"""Where a league stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tournaments.league.playing import load_state
from tournaments.league.settings import Settings
from tournaments.store import Store

__all__ = ["LeagueStatus", "status_of"]


@dataclass(frozen=True)
class LeagueStatus:
    """Where a league stands.

    Attributes:
        matches: that are stored.
        pending: matches of the latest batch that are yet to be played.
        batches: begun so far.
        new: labels of members that are not placed yet; likewise the rest.
        faults: forfeits by (member, kind of fault).
    """

    name: str
    created: str
    games: tuple[str, ...]
    matches: int
    pending: int
    batches: int
    new: tuple[str, ...]
    placed: tuple[str, ...]
    retired: tuple[str, ...]
    faults: Mapping[tuple[str, str], int]


def status_of(settings: Settings, db: Path) -> LeagueStatus:
    """Return where a league stands, also while it is being played."""
    with Store.open(db) as store:
        state, meta = load_state(store), store.meta()
        matches, faults = store.count(), store.fault_counts()
    here = [m for m in settings.members if not m.retired]
    return LeagueStatus(
        name=settings.name,
        created=settings.created,
        games=tuple(game.spec.label for game in settings.games),
        matches=matches,
        pending=max(int(meta["total"]) - matches, 0) if state.lines else 0,
        batches=state.batch,
        new=tuple(m.label for m in here if m.label not in state.placed),
        placed=tuple(m.label for m in here if m.label in state.placed),
        retired=tuple(m.label for m in settings.members if m.retired),
        faults=faults,
    )
