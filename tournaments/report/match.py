"""One match as a page: every state, drawn where the game can draw it."""

from __future__ import annotations

import sys
from pathlib import Path

from arena.files import write_atomic
from tournaments.report.collect import game_info
from tournaments.report.data import Match, ReportData
from tournaments.report.html import fill
from tournaments.report.payload import facts, pack_replays
from tournaments.report.replay import replay
from tournaments.report.text import escape
from tournaments.single import Match as Played

__all__ = ["build_match", "write_match"]


def build_match(played: Played) -> str:
    """Return the match as one HTML document with nothing beside it."""
    from arena import __version__

    game, fault = played.game, played.fault
    agents = list(dict.fromkeys(played.agents))
    match = Match(
        number=1,
        id="",
        game=0,
        seating=tuple(agents.index(name) for name in played.agents),
        payoffs=played.payoffs,
        seed=played.seed,
        truncated=played.truncated,
        offender=-1 if fault is None else fault.seat,
        fault="" if fault is None else fault.kind,
        detail="" if fault is None else fault.detail,
        replay=replay(game, seed=played.seed, steps=played.steps),
    )
    data = ReportData(
        name=game.key,
        agents=agents,
        games=[game_info(game, game.key)],
        tables=[],
        matches=[match],
        played=1,
        seed=played.seed,
        version=__version__,
        when="",
    )
    replays, replayed = pack_replays([match], budget=sys.maxsize)
    return fill(
        "match.html",
        "match.js",
        title=escape(game.key),
        name=f"<bdi>{escape(game.key)}</bdi>",
        summary=f"<bdi>{escape(game.summary)}</bdi>",
        version=escape(__version__),
        facts=facts(data, shown=[match], replayed=replayed),
        replays=replays,
    )


def write_match(played: Played, path: str | Path) -> Path:
    """Write the page to `path` (atomically) and return the path."""
    with write_atomic(path) as file:
        file.write(build_match(played).encode("utf-8"))
    return Path(path)
