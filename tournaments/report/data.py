"""What a report shows, as plain data: no store, no fit and no markup in here.

Axis letters: K agents, T points of a curve, n seats of a match's own game.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.types import CHANCE
from tournaments.teamwork import Teamwork

__all__ = [
    "BOARDS",
    "Board",
    "Curve",
    "GameInfo",
    "Match",
    "Pairs",
    "Replay",
    "ReportData",
    "Standing",
    "Step",
    "Table",
]


Board = Literal["discs", "marks", "chess", "kuhn", "leduc", "text"]
"""How the page draws a state from its text: `discs` or `marks` for grids of one character
a cell, `chess` for a position in Forsyth-Edwards notation, `kuhn` or `leduc` for cards;
`text` shows it as it is."""

BOARDS: dict[str, Board] = {
    "openspiel/chess": "chess",
    "openspiel/connect_four": "discs",
    "openspiel/kuhn_poker": "kuhn",
    "openspiel/leduc_poker": "leduc",
    "openspiel/tic_tac_toe": "marks",
}
"""The games whose text the page can draw, by key (with their default parameters)."""


@dataclass(frozen=True)
class GameInfo:
    """A game as the report names it.

    Attributes:
        key: id and parameters, such as `openspiel/goofspiel(num_cards=4)`.
        label: the short name that tabs and rows show.
        summary: one line about it.
        seat_names: what its seats are called, length n.
        payoff: `zero_sum`, `constant_sum`, `cooperative` or `general_sum`.
        board: how the page draws its states; a game's own `render_svg` goes first.
    """

    key: str
    label: str
    seat_names: tuple[str, ...]
    summary: str = ""
    payoff: str = "general_sum"
    board: Board = "text"


@dataclass(frozen=True)
class Standing:
    """One row of a leaderboard; `agent` is an index into `ReportData.agents`.

    `low` and `high` bound the rating's 95% interval, `rank_low` and `rank_high` the
    ranks that the data cannot exclude. Agents that cannot be told apart share `rank`.
    A rating that the data cannot give is NaN.
    """

    agent: int
    rank: int
    rank_low: int
    rank_high: int
    rating: float
    low: float
    high: float
    games: int
    wins: int
    draws: int
    losses: int
    forfeits: int = 0
    mean_payoff: float = float("nan")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who did how well in whose company; row agent against (or with) column agent.

    Attributes:
        wins: comparisons that the row agent won, shape (K, K); losses are the transpose.
        draws: comparisons that were even, shape (K, K), symmetric.
        payoff: the row agent's mean payoff, shape (K, K), NaN where the two never met.
        payoff_error: standard error of `payoff`, shape (K, K), NaN below two matches.
        met: matches behind `payoff`, shape (K, K); the diagonal is self-play.
    """

    wins: NDArray[np.int64]
    draws: NDArray[np.int64]
    payoff: NDArray[np.float64]
    payoff_error: NDArray[np.float64]
    met: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Table:
    """Everything about one game, or about all of them together.

    Attributes:
        label: the tab's name.
        standings: the leaderboard, best first.
        pairs: the matrices.
        superiority: probability that the row agent is the stronger one, shape (K, K), or
            None where no model was fitted.
        warnings: what the reader must know before trusting the order, in plain words.
        view: the matrix shown first: `win_rate`, or `payoff` where winning is not the aim.
        scale: what the ratings are, such as `Elo` or `mean payoff`.
    """

    label: str
    standings: Sequence[Standing]
    pairs: Pairs
    superiority: NDArray[np.float64] | None = None
    warnings: Sequence[str] = ()
    view: Literal["win_rate", "payoff"] = "win_rate"
    scale: str = "Elo"


@dataclass(frozen=True, eq=False)
class Curve:
    """Ratings after some of the matches, in the order in which they were scheduled.

    Attributes:
        matches: how many matches were counted, increasing, shape (T,).
        ratings: shape (T, K), NaN before an agent's first match.
    """

    matches: NDArray[np.int64]
    ratings: NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """One state of a replay and what led to it.

    Attributes:
        text: the state as text.
        moves: (seat, readable action) pairs that led here; seat −1 is chance; empty for
            the initial state.
        returns: payoffs collected so far, length n.
        chance: the probability of a chance outcome, or None.
        svg: a drawing of the state, where the game supplies one.
    """

    text: str
    moves: tuple[tuple[int, str], ...] = ()
    returns: tuple[float, ...] = ()
    chance: float | None = None
    svg: str = ""


@dataclass(frozen=True)
class Replay:
    """The states of one match, and `note` on whatever they do not show."""

    steps: Sequence[Step]
    note: str = ""


@dataclass(frozen=True)
class Match:
    """One stored match; `game` and `seating` are indices into the report's lists.

    Attributes:
        number: its place in the schedule; links are `#match=<number>`.
        id: the store's key.
        seating: the agent in each seat, length n.
        payoffs: length n.
        truncated: it was cut off by a limit, not ended by the rules.
        offender: the seat that forfeited, or −1; then `fault`, `detail` and `log` say
            what it did and what its agent wrote.
        replay: its states, or None where they were left out (`missing` says why).
    """

    number: int
    id: str
    game: int
    seating: tuple[int, ...]
    payoffs: tuple[float, ...]
    seed: int = 0
    truncated: bool = False
    offender: int = -1
    fault: str = ""
    detail: str = ""
    log: str = ""
    replay: Replay | None = None
    missing: str = ""


@dataclass(frozen=True, eq=False)
class ReportData:
    """A whole report.

    Attributes:
        name: the tournament's name.
        agents: labels, length K.
        games: the games, in the order of the tables.
        tables: all games together first (unless there is only one game), then each game.
        matches: stored matches in schedule order, perhaps not all of them.
        played: matches played in all.
        seed: the tournament's seed.
        version: arena's version.
        when: start and end, or one moment, readable.
        settings: further facts, name to value.
        curve: ratings over time, or None.
        notes: what was left out of the report, each a sentence.
        forfeits: forfeited matches in all; those in `matches` carry the details.
        teamwork: of each cooperative game.
    """

    name: str
    agents: Sequence[str]
    games: Sequence[GameInfo]
    tables: Sequence[Table]
    matches: Sequence[Match]
    played: int
    seed: int
    version: str
    when: str
    settings: Mapping[str, str] = field(default_factory=dict)
    curve: Curve | None = None
    notes: Sequence[str] = ()
    forfeits: int = 0
    teamwork: Sequence[Teamwork] = ()

    def __post_init__(self) -> None:
        k = len(self.agents)
        for table in self.tables:
            where = f"table {table.label!r}"
            pairs = table.pairs
            matrices = {
                "wins": pairs.wins,
                "draws": pairs.draws,
                "payoff": pairs.payoff,
                "payoff_error": pairs.payoff_error,
                "met": pairs.met,
                "superiority": table.superiority,
            }
            for name, matrix in matrices.items():
                if matrix is not None and matrix.shape != (k, k):
                    raise ParameterError(name, matrix.shape, f"shape {(k, k)}", where=where)
            for row in table.standings:
                _inside("agent", row.agent, k, where)
        if self.curve is not None and self.curve.ratings.shape != (len(self.curve.matches), k):
            allowed = f"shape {(len(self.curve.matches), k)}"
            raise ParameterError("curve.ratings", self.curve.ratings.shape, allowed)
        seen: set[int] = set()
        for match in self.matches:
            where = f"match {match.number}"
            if match.number in seen:
                raise ParameterError("number", match.number, "a number of its own", where=where)
            seen.add(match.number)
            _inside("game", match.game, len(self.games), where)
            for agent in match.seating:
                _inside("agent", agent, k, where)
            n = len(match.seating)
            if len(match.payoffs) != n:
                raise ParameterError("payoffs", match.payoffs, f"{n} numbers", where=where)
            if not CHANCE <= match.offender < n:
                raise ParameterError("offender", match.offender, f"-1 to {n - 1}", where=where)


def _inside(name: str, value: int, size: int, where: str) -> None:
    if not 0 <= value < size:
        raise ParameterError(name, value, f"0 to {size - 1}", where=where)
