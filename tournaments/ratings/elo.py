"""Elo over time: a curve to look at, not a ranking.

After each match the first agent's rating moves by K · (score − expected), expected =
1 / (1 + 10^(−gap/400)) (Elo 1978); matches of n seats move every agent by the mean of
its n−1 comparisons. The result depends on the order of the matches: the same results
shuffled give other ratings, often another leader, so it has no intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from tournaments.ratings._summary import board
from tournaments.ratings.leaderboard import Leaderboard
from tournaments.ratings.sequence import Comparisons, comparisons
from tournaments.records import ResultSet

__all__ = ["Curve", "elo", "elo_curve"]


@dataclass(frozen=True, eq=False)
class Curve:
    """Ratings over time.

    Attributes:
        agents: labels, length K.
        match: number of matches played at each point, shape (T,).
        rating: shape (T, K); NaN before an agent's first match.
    """

    agents: tuple[str, ...]
    match: NDArray[np.int64]
    rating: NDArray[np.float64]


def elo(results: ResultSet, *, k: float = 16.0, start: float = 1500.0) -> Leaderboard:
    """Return the ratings at the end of `elo_curve`, with a warning that order decided them.

    Raises:
        NotApplicableError: the results are folded, so that their order is lost.
    """
    curve = elo_curve(results, k=k, start=start, points=1)
    return board(
        results,
        np.nan_to_num(curve.rating[-1], nan=start),
        method="elo",
        scale=f"Elo from {start:g}, K = {k:g}",
        level=float("nan"),
        warnings=(
            "Elo depends on the order of the matches and has no intervals: use it as a curve "
            "over time, and method 'davidson' to rank",
        ),
    )


def elo_curve(
    results: ResultSet, *, k: float = 16.0, start: float = 1500.0, points: int = 200
) -> Curve:
    """Return Elo ratings at about `points` evenly spaced moments.

    Args:
        results: ordered matches with two or more sides.
        k: largest change a match.
        start: rating of a newcomer.
        points: how many moments to keep; the last match is always one.

    Raises:
        NotApplicableError: the results are folded, so that their order is lost.
        ParameterError: a setting out of range.
    """
    if k <= 0.0:
        raise ParameterError("k", k, "a number above 0")
    if points < 1:
        raise ParameterError("points", points, "1 or more")
    if not results.ordered:
        raise NotApplicableError("a curve over time needs single matches in order, not folded rows")
    games = comparisons(results)
    total = games.matches
    keep = np.unique(np.linspace(total / points, total, points).round().astype(np.int64))
    keep = keep[keep > 0]
    rating = [start] * len(results.agents)
    seen = [False] * len(results.agents)
    lines = []
    for low, high in zip([0, *keep[:-1].tolist()], keep.tolist(), strict=True):
        _play(games, slice(games.start[low], games.start[high]), rating, seen, k)
        lines.append([r if s else float("nan") for r, s in zip(rating, seen, strict=True)])
    return Curve(tuple(results.agents), keep, np.array(lines))


def _play(games: Comparisons, rows: slice, rating: list[float], seen: list[bool], k: float) -> None:
    """Update ratings (in place) by the comparisons in `rows`, which are whole matches."""
    first, second = games.first[rows].tolist(), games.second[rows].tolist()
    score, share = games.score[rows].tolist(), games.share[rows].tolist()
    number = games.match[rows].tolist()
    moves: dict[int, float] = {}
    current = -1
    for a, b, s, w, m in zip(first, second, score, share, number, strict=True):
        if m != current:
            for agent, move in moves.items():
                rating[agent] += move
            moves = {}
            current = m
        # Beyond 4000 points a result is certain to the last digit.
        gap = min(max(rating[b] - rating[a], -4000.0), 4000.0)
        move = k * w * (s - 1.0 / (1.0 + 10.0 ** (gap / 400.0)))
        moves[a] = moves.get(a, 0.0) + move
        moves[b] = moves.get(b, 0.0) - move
        seen[a] = seen[b] = True
    for agent, move in moves.items():
        rating[agent] += move
