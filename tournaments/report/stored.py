"""A report straight from a result file.

Listed are the matches whose moves the file kept and all forfeits; the tables count
everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from arena.api import make
from arena.errors import ArenaError, NotApplicableError
from arena.game import Game
from arena.types import Discrete
from tournaments.ratings import Leaderboard, leaderboard
from tournaments.records import ResultSet
from tournaments.report.collect import REPLAYED, Kept, collect
from tournaments.report.data import Curve, Match, ReportData
from tournaments.report.html import write
from tournaments.teamwork import stored_groups

__all__ = ["ResultFile", "report_of", "write_report"]

READ = 20_000
"""Matches with moves, and faults, read at most from a file."""


class ResultFile(Protocol):
    """What a report needs of an open `tournaments.store.Store`."""

    def meta(self) -> Mapping[str, str]:
        """Return the facts of the tournament: name, seed, created, spec, arena, total."""

    def games(self) -> Sequence[Mapping[str, Any]]:
        """Return the games, in the order of the results' indices."""

    def agents(self) -> Sequence[Mapping[str, Any]]:
        """Return the agents, in the order of the results' indices."""

    def results(self, *, ordered: bool = False) -> ResultSet:
        """Return the results."""

    def episodes(self) -> Iterable[Any]:
        """Yield the matches whose moves were kept (`StoredEpisode`), in schedule order."""

    def faults(self) -> Iterable[Any]:
        """Yield the faults (`StoredFault`), in schedule order."""


def report_of(
    store: ResultFile, *, board: Leaderboard | None = None, replayed: int = REPLAYED
) -> ReportData:
    """Gather the report of a result file.

    Args:
        store: the open file.
        board: its leaderboard, by default the default rating.
        replayed: matches replayed at most.

    Raises:
        ParameterError: nothing has been played yet.
    """
    results = store.results()
    meta = store.meta()
    made = [_game(row) for row in store.games()]
    kept, late = _kept(store, [why for _, why in made])
    settings = _settings(meta, store.agents())
    notes = []
    total = int(meta.get("total", "0"))
    if len(results) < total:
        notes.append(f"Not complete: {len(results):,} of {total:,} matches have been played.")
    if len(kept) < len(results):
        notes.append("Listed are the matches whose moves were stored, and all forfeits.")
    if late:
        notes.append(
            f"{late:,} failures came after a match was over (while an agent was being closed, "
            "say) and changed no result."
        )
    return collect(
        results,
        leaderboard(results) if board is None else board,
        kept,
        name=meta["name"],
        games=[game for game, _ in made],
        seed=int(meta["seed"]),
        when=_moment(meta["created"]),
        settings=settings,
        curve=_curve(store.results(ordered=True)),
        notes=notes,
        groups=stored_groups(meta, store.agents()),
        replayed=replayed,
    )


def write_report(db: str | Path, path: str | Path = "report.html") -> Path:
    """Write the report of the result file `db` to `path`, and return the path.

    Raises:
        StoreError: `db` is missing, or not a result file of arena.
        ParameterError: nothing has been played yet.
    """
    from tournaments.store import Store

    with Store.open(db) as store:
        return write(report_of(store), path)


def _game(row: Mapping[str, Any]) -> tuple[Game, str]:
    """Return a stored game, and why it cannot be replayed here ("" if it can)."""
    facts = json.loads(row["facts"])
    why = ""
    try:
        game = make(row["game_id"], **json.loads(row["params"]))
        if game.version == row["version"]:
            return game, ""
        why = f"played with {row['version']}, here is {game.version}"
    except ArenaError as error:
        why = f"its game cannot be made here: {error}"
    # What a table needs to know stands in the file.
    seats = int(row["seats"])
    known = Game(
        id=str(facts.get("game", row["game_id"])),
        seats=seats,
        actions=(Discrete(0),) * seats,
        payoff=row["payoff"],
        turns="sequential",
        forms={},
        teams=tuple(json.loads(row["teams"])),
    )
    return known, why


def _kept(store: ResultFile, missing: Sequence[str]) -> tuple[list[Kept], int]:
    """Return the matches to list, and the number of faults that changed no result."""
    late = 0
    faults: dict[tuple[Any, ...], Any] = {}
    for fault in islice(store.faults(), READ):
        if fault.forfeit:
            faults[_key(fault)] = fault
        else:
            late += 1
    found: dict[tuple[Any, ...], Kept] = {}
    for episode in islice(store.episodes(), READ):
        outcome = episode.outcome
        match = Match(
            number=1,
            id="",
            game=episode.game,
            seating=episode.seating,
            payoffs=outcome.payoffs,
            seed=episode.seed,
            truncated=outcome.truncated,
            offender=outcome.offender,
            missing=missing[episode.game],
            **_what(faults.get(_key(episode))),
        )
        found[_key(episode)] = Kept(match, None if missing[episode.game] else episode.steps)
    games = store.games()
    for key, fault in faults.items():
        if key not in found:
            # The worker ended or was stopped with its agent, so the moves went with it.
            paid = json.loads(games[fault.game]["facts"])["forfeits"][fault.seat]
            match = Match(
                number=1,
                id="",
                game=fault.game,
                seating=fault.seating,
                payoffs=tuple(paid),
                offender=fault.seat,
                missing="its moves were not stored",
                **_what(fault),
            )
            found[key] = Kept(match)
    numbered = []
    # Both came in schedule order; the sort is stable.
    for number, key in enumerate(sorted(found, key=lambda key: key[:2]), 1):
        stage, repetition, game, seating = key
        name = f"{stage}.{repetition}.{game}.{'-'.join(map(str, seating))}"
        one = found[key]
        numbered.append(Kept(_numbered(one.match, number, name), one.steps))
    return numbered, late


def _key(one: Any) -> tuple[int, int, int, tuple[int, ...]]:
    return (one.stage, one.repetition, one.game, tuple(one.seating))


def _numbered(match: Match, number: int, name: str) -> Match:
    return replace(match, number=number, id=name)


def _what(fault: Any) -> dict[str, Any]:
    if fault is None:
        return {}
    return {"fault": fault.kind, "detail": fault.detail, "log": fault.log}


def _curve(results: ResultSet) -> Curve | None:
    """Return Elo over time, or None where no game has two sides."""
    from tournaments.ratings.elo import elo_curve

    try:
        made = elo_curve(results)
    except NotApplicableError:
        return None
    return Curve(made.match, made.rating)


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M UTC")


def _settings(meta: Mapping[str, str], agents: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the spec's settings in readable rows."""
    spec = json.loads(meta["spec"])
    rows: dict[str, str] = {}
    for section in ("tournament", "limits", "forfeit", "executor"):
        for key, value in spec.get(section, {}).items():
            if section == "tournament" and key in ("name", "seed"):
                continue
            name = key.replace("_", " ")
            label = name if section == "tournament" else f"{section}: {name}"
            rows[label.capitalize()] = _said(value)
    rows["Played with arena"] = meta["arena"]
    for row in agents:
        facts = json.loads(row["facts"])
        params = ", ".join(f"{k}={_said(v)}" for k, v in facts.get("params", {}).items())
        rows[f"Agent {row['label']}"] = f"{facts.get('ref', '')} {params}".strip()
    return rows


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return value if isinstance(value, str) else json.dumps(value)
