"""What has changed since it joined: found, and given versions of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from agents.load import fingerprint
from arena.errors import ArenaError
from tournaments.league.settings import LeagueGame, Member, Settings
from tournaments.plan import Plan

__all__ = ["now", "outdated", "renewed"]


def renewed(settings: Settings, plan: Plan) -> tuple[Settings, list[str]]:
    """Return the settings with new versions of what has changed, and the changes in words."""
    changes: list[str] = []
    games = []
    for game, board in zip(settings.games, plan.boards, strict=True):
        if board.digest == game.digest:
            games.append(game)
            continue
        what = (
            f"version {game.version} is now {board.version}"
            if board.version != game.version
            else "its forfeits or its limit of steps differ"
        )
        changes.append(f"game {game.spec.label!r} has changed ({what})")
        games.append(
            LeagueGame(
                replace(game.spec, label=_next_label(game.spec.label)), board.version, board.digest
            )
        )
    members = list(settings.members)
    entries = {entry.spec.name: entry for entry in plan.entries}
    for member in settings.members:
        entry = entries.get(member.label)
        if entry is None or member.live or entry.digest == member.digest:
            continue
        code = entry.fingerprint != member.fingerprint
        changes.append(
            f"agent {member.label!r} has changed since it joined "
            f"({'its code' if code else 'its limits'})"
        )
        number = max(m.version for m in members if m.name == member.name) + 1
        members[members.index(member)] = replace(member, retired=now(), reason="it changed")
        members.append(
            replace(
                member,
                version=number,
                spec=replace(member.spec, name=f"{member.name}@{number}"),
                fingerprint=entry.fingerprint,
                digest=entry.digest,
                joined=now(),
            )
        )
    return replace(settings, games=tuple(games), members=tuple(members)), changes


def _next_label(label: str) -> str:
    base, mark, number = label.rpartition(" v")
    if mark and number.isdigit():
        return f"{base} v{int(number) + 1}"
    return f"{label} v2"


def outdated(member: Member, name: str, retire_old: bool) -> Member:
    """Let an older version leave if that is wanted, or if its code is there no more."""
    if member.name != name or member.retired:
        return member
    if retire_old:
        return replace(member, retired=now(), reason="a newer version joined")
    if not member.live:
        try:
            there = fingerprint(member.spec.ref, member.spec.params) == member.fingerprint
        except ArenaError:
            there = False
        if not there:
            return replace(member, retired=now(), reason="its code was replaced")
    return member


def now() -> str:
    """Return the time as `league.toml` writes it, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
