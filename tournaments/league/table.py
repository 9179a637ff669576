"""The league's table: ratings on a scale that stays where it is, and who is placed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.special import ndtri

from arena.errors import ParameterError
from tournaments.league.settings import Member, Placement, Settings
from tournaments.ratings import Leaderboard, Standing, rate
from tournaments.ratings.davidson import ELO, DavidsonFit, fit
from tournaments.ratings.tally import Tally, tally
from tournaments.records import ResultSet

__all__ = ["LeagueTable", "Row", "Standing", "Survey", "survey", "table_of"]

Status = Literal["new", "placed", "retired"]
LEVEL = 0.95


@dataclass(frozen=True)
class Row:
    """One member's line.

    Attributes:
        member: who it is.
        status: `new` until it is placed; `retired` once it has left.
        standing: its rating and counts; None before its first match.
        margin: half-width of the 95% interval of its rating's difference from the placed
            member that it is best compared with (on the payoff scale: of its rating);
            infinite before its first match, and where another method than the league's
            own was asked for.
    """

    member: Member
    status: Status
    standing: Standing | None
    margin: float


@dataclass(frozen=True, eq=False)
class LeagueTable:
    """Members from best to worst, those without matches last.

    Attributes:
        name: of the league.
        board: the leaderboard behind it; None before the first match.
        rows: one a member, those who have left included.
        matches: matches in all.
    """

    name: str
    board: Leaderboard | None
    rows: tuple[Row, ...]
    matches: int

    def __getitem__(self, label: str) -> Row:
        """Return the line of one member."""
        for row in self.rows:
            if row.member.label == label:
                return row
        labels = ", ".join(row.member.label for row in self.rows)
        raise ParameterError("member", label, f"one of {labels}")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        rows = []
        for row in self.rows:
            standing = {} if row.standing is None else asdict(row.standing)
            rows.append(
                {
                    "member": row.member.label,
                    "name": row.member.name,
                    "version": row.member.version,
                    "status": row.status,
                    "joined": row.member.joined,
                    "retired": row.member.retired or None,
                    "margin": row.margin if np.isfinite(row.margin) else None,
                    **{k: v for k, v in standing.items() if k != "agent"},
                }
            )
        board = self.board
        return {
            "format": "arena-league-table",
            "version": 1,
            "league": self.name,
            "matches": self.matches,
            "method": None if board is None else board.method,
            "scale": None if board is None else board.scale,
            "level": None if board is None else board.level,
            "warnings": [] if board is None else list(board.warnings),
            "rows": rows,
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=1) + "\n"


@dataclass(frozen=True, eq=False)
class Survey:
    """What the results say, for the table and for the choice of matches.

    Attributes:
        results: with those agents only that have played.
        board: the leaderboard by the league's own method.
        games: seats played by label.
        tally: pair counts, None on the payoff scale.
        fitted: Davidson's model, None on the payoff scale.
    """

    results: ResultSet
    board: Leaderboard
    games: Mapping[str, int]
    tally: Tally | None
    fitted: DavidsonFit | None

    def margins(self, peers: Collection[str]) -> dict[str, float]:
        """Return the margin of every member that has played (see `Row`).

        Args:
            peers: labels of those who are placed; everybody if nobody is.
        """
        if self.fitted is None or self.fitted.covariance is None:
            return {row.agent: 0.5 * (row.high - row.low) for row in self.board.rows}
        labels = list(self.fitted.agents)
        covariance = self.fitted.covariance
        variance = np.diag(covariance)
        square = variance[:, None] + variance[None, :] - 2.0 * covariance
        np.fill_diagonal(square, np.inf)
        settled = np.array([label in peers for label in labels], dtype=np.bool_)
        if settled.any():
            among = np.where(settled[None, :], square, np.inf)
            alone = among.min(axis=1) == np.inf  # the only placed member: by all the others
            square = np.where(alone[:, None], square, among)
        half = float(ndtri(0.5 + 0.5 * LEVEL)) * ELO * np.sqrt(np.maximum(square.min(axis=1), 0.0))
        return dict(zip(labels, half.tolist(), strict=True))

    def placed(self, before: Collection[str], placement: Placement) -> list[str]:
        """Return who is placed now; who was placed before stays so.

        A member is placed once it has its minimum of matches and its margin is small, or
        its rank is beyond doubt, or it has played its maximum.
        """
        margin = self.margins(before)
        return [
            row.agent
            for row in self.board.rows
            if row.agent in before
            or (
                row.games >= placement.min_matches
                and (
                    margin[row.agent] <= placement.interval
                    or row.rank_low == row.rank_high
                    or row.games >= placement.max_matches
                )
            )
        ]


def survey(results: ResultSet, settings: Settings, *, method: str = "") -> Survey | None:
    """Rate what has been played; None before the first match.

    Args:
        results: everything that is stored.
        settings: the league's.
        method: instead of the league's own.
    """
    if not len(results):
        return None
    played = _only_played(results)
    chosen = method or settings.method
    if chosen == "davidson":
        anchor = anchor_of(settings, played.agents)
        board = rate(
            played, "davidson", level=LEVEL, anchor=anchor, anchor_rating=settings.anchor_rating
        )
    else:
        board = rate(played, chosen)
    by_elo = settings.method == "davidson"
    counts = tally(played) if by_elo else None
    return Survey(
        results=played,
        board=board,
        games={row.agent: row.games for row in board.rows},
        tally=counts,
        fitted=None if counts is None else fit(counts),
    )


def anchor_of(settings: Settings, played: Sequence[str]) -> str | None:
    """Return the label that stands still, or None if it has not played yet."""
    return settings.anchor if settings.anchor in played else None


def table_of(
    settings: Settings, found: Survey | None, placed: Collection[str], *, margins: bool = True
) -> LeagueTable:
    """Put settings, ratings, placings and (unless they are not wanted) margins together."""
    margin = found.margins(placed) if found is not None and margins else {}
    standings = {} if found is None else {row.agent: row for row in found.board.rows}
    by_label = {member.label: member for member in settings.members}
    order = [*standings, *(label for label in by_label if label not in standings)]
    rows = []
    for label in order:
        member = by_label[label]
        status: Status = "placed" if label in placed else "new"
        rows.append(
            Row(
                member,
                "retired" if member.retired else status,
                standings.get(label),
                margin.get(label, float("inf")),
            )
        )
    return LeagueTable(
        name=settings.name,
        board=None if found is None else found.board,
        rows=tuple(rows),
        matches=0 if found is None else len(found.results),
    )


def _only_played(results: ResultSet) -> ResultSet:
    """Return the results without agents that have not played."""
    used = np.unique(results.seating[results.seating >= 0])
    if len(used) == len(results.agents):
        return results
    number = np.full(len(results.agents) + 1, -1, dtype=np.int32)  # −1 finds the last: −1
    number[used] = np.arange(len(used), dtype=np.int32)
    return replace(
        results,
        agents=[results.agents[k] for k in used.tolist()],
        seating=number[results.seating],
    )
