"""From results, ratings and stored matches to a `ReportData`.

1. Every leaderboard (all games together, and each game) becomes a table; a game that the
   combined rating leaves out (a cooperative one, say) is ranked by mean payoff instead.
2. Stored matches become rows; those whose moves were kept are replayed, forfeits first,
   then a fair share of every pairing, up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, ParameterError
from arena.game import Game
from arena.types import Action
from tournaments.ratings import Leaderboard, rate
from tournaments.ratings.selection import select
from tournaments.records import ResultSet
from tournaments.report.data import BOARDS, Curve, GameInfo, Match, ReportData, Standing, Table
from tournaments.report.fair import by_need
from tournaments.report.pairs import pair_matrices
from tournaments.report.replay import replay
from tournaments.teamwork import Teamwork, teamwork

__all__ = ["Kept", "collect", "game_info", "tables"]

REPLAYED = 5000
"""Matches replayed at most."""


@dataclass(frozen=True)
class Kept:
    """A stored match with its joint actions, or None where its moves were not stored."""

    match: Match
    steps: Sequence[Mapping[int, Action]] | None = None


def collect(
    results: ResultSet,
    board: Leaderboard,
    kept: Iterable[Kept],
    *,
    name: str,
    games: Sequence[Game],
    seed: int,
    when: str,
    settings: Mapping[str, str] | None = None,
    curve: Curve | None = None,
    notes: Sequence[str] = (),
    groups: Mapping[str, str] | None = None,
    replayed: int = REPLAYED,
) -> ReportData:
    """Gather a report.

    Args:
        results: everything that was played.
        board: its leaderboard, with those of the games in `by_game`.
        kept: the matches to list; their `game` and `seating` are indices into
            `results.games` and `results.agents`.
        name: the tournament's name.
        games: the games behind `results.games`, in that order.
        seed: the tournament's seed.
        when: start and end, readable.
        settings: further facts to show.
        curve: ratings over time; its columns are `results.agents`.
        notes: what `kept` leaves out, each a sentence.
        groups: agent to its group, for the report on teams of cooperative games.
        replayed: matches replayed at most.

    Raises:
        ParameterError: `games` does not fit `results.games`.
    """
    if len(games) != len(results.games):
        raise ParameterError("games", len(games), f"{len(results.games)} games")
    from arena import __version__

    labels = _labels(results, games)
    bad = results.offender >= 0
    return ReportData(
        name=name,
        agents=list(results.agents),
        games=[game_info(game, label) for label, game in zip(labels, games, strict=True)],
        tables=tables(results, board, games=games, labels=labels),
        matches=_replayed(list(kept), games, limit=replayed),
        played=len(results),
        seed=seed,
        version=__version__,
        when=when,
        settings=settings or {},
        curve=curve,
        notes=notes,
        forfeits=int(results.count[bad].sum()),
        teamwork=_teams(results, labels, groups or {}),
    )


def game_info(game: Game, label: str) -> GameInfo:
    """Return what a page says of a game."""
    return GameInfo(
        key=game.key,
        label=label,
        seat_names=game.seat_names,
        summary=game.summary,
        payoff=game.payoff,
        board=BOARDS.get(game.key, "text"),
    )


def _teams(results: ResultSet, labels: Sequence[str], groups: Mapping[str, str]) -> list[Teamwork]:
    """Return the report on teams of each cooperative game that was played."""
    found = []
    for g, label in enumerate(labels):
        part = select(results, [g])
        if results.cooperative[g] and len(part) and len(results.teams[g]) > 1:
            known = {agent: group for agent, group in groups.items() if agent in part.agents}
            found.append(replace(teamwork(part, known), game=label))
    return found


def _labels(results: ResultSet, games: Sequence[Game]) -> list[str]:
    """Return short names: keys lose their prefix (`openspiel/…`) where they stay different."""
    short = [
        game.name + game.key.removeprefix(game.id) if label == game.key else label
        for label, game in zip(results.games, games, strict=True)
    ]
    return short if len(set(short)) == len(short) else list(results.games)


def tables(
    results: ResultSet, board: Leaderboard, *, games: Sequence[Game], labels: Sequence[str]
) -> list[Table]:
    """Return the table of all games together, if there are several, and one a game.

    Args:
        results: everything that was played.
        board: its leaderboard, with those of the games in `by_game`.
        games: the games behind `results.games`.
        labels: what to call them.
    """
    played = [g for g in range(len(results.games)) if (results.game == g).any()]
    if len(played) <= 1:
        return [
            _table(results, board, game=g, label=labels[g], payoff=games[g].payoff) for g in played
        ]
    kinds = {games[g].payoff for g in played}
    shared = "general_sum" if kinds <= {"general_sum", "cooperative"} else "zero_sum"
    made = [_table(results, board, game=None, label="All games", payoff=shared)]
    for g in played:
        own = board.by_game.get(results.games[g])
        if own is None:
            own = rate(select(results, [g]), "payoff")
        made.append(_table(results, own, game=g, label=labels[g], payoff=games[g].payoff))
    return made


def _table(
    results: ResultSet, board: Leaderboard, *, game: int | None, label: str, payoff: str
) -> Table:
    number = {agent: k for k, agent in enumerate(results.agents)}
    # An agent that has not played (in this game) has no place in the table.
    rows = [(place, row) for place, row in enumerate(board.rows) if row.games]
    standings = [
        Standing(
            agent=number[row.agent],
            rank=row.rank,
            rank_low=row.rank_low,
            rank_high=row.rank_high,
            rating=row.rating,
            low=row.low,
            high=row.high,
            games=row.games,
            wins=row.wins,
            draws=row.draws,
            losses=row.losses,
            forfeits=row.forfeits,
            mean_payoff=row.mean_payoff,
        )
        for _, row in rows
    ]
    superiority: NDArray[np.float64] | None = None
    if board.superiority is not None:
        places = [place for place, _ in rows]
        agents = [standing.agent for standing in standings]
        superiority = np.full((len(number), len(number)), np.nan)
        superiority[np.ix_(agents, agents)] = board.superiority[np.ix_(places, places)]
    return Table(
        label=label,
        standings=standings,
        pairs=pair_matrices(results, game=game),
        superiority=superiority,
        warnings=board.warnings,
        view="payoff" if payoff in ("cooperative", "general_sum") else "win_rate",
        scale=board.scale,
    )


def _replayed(kept: Sequence[Kept], games: Sequence[Game], *, limit: int) -> list[Match]:
    """Return the matches in order, with the replays of those that come first by need."""
    stored = [place for place, one in enumerate(kept) if one.steps is not None]
    chosen = {stored[i] for i in by_need([kept[place].match for place in stored])[:limit]}
    return [
        _shown(one, games[one.match.game], wanted=place in chosen) for place, one in enumerate(kept)
    ]


def _shown(one: Kept, game: Game, *, wanted: bool) -> Match:
    match = one.match
    if one.steps is None:
        return replace(match, missing=match.missing or "its moves were not stored")
    if not wanted:
        return replace(match, missing="there are too many matches to show them all")
    try:
        return replace(match, replay=replay(game, seed=match.seed, steps=one.steps))
    except ArenaError as error:
        # The game has changed since; the result stands, and the page says what is wrong.
        return replace(match, missing=f"its moves do not fit the game as it is now ({error})")
