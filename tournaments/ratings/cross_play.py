"""Rank by mean payoff with (or against) each of the others, every one of them equally.

An agent's rating in one game is the mean of its cells in the payoff matrix, its own kind
left out; over several games, the mean of those. Unlike the mean over matches it does not
depend on who was met how often, so results of an adaptive schedule can be ranked by it.

The error of a cell follows from its matches (`tournaments.crossplay`); cells are taken as
independent, but for the two of a pair in a cooperative game, which are one and the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from arena.errors import ParameterError
from tournaments.crossplay import PayoffMatrix, payoff_matrix
from tournaments.ratings._summary import board
from tournaments.ratings.leaderboard import Leaderboard
from tournaments.ratings.selection import check_results, only
from tournaments.records import ResultSet

__all__ = ["cell_errors", "cross_play"]


def cross_play(results: ResultSet, *, level: float = 0.95, per_game: bool = True) -> Leaderboard:
    """Rank by mean payoff with each other agent.

    Args:
        results: what was played.
        level: level of the intervals, and of all rank statements together.
        per_game: add one leaderboard a game where several games were played.

    Raises:
        ParameterError: no matches, or a level out of range.
        NotApplicableError: a game of one seat.
    """
    if not 0.0 < level < 1.0:
        raise ParameterError("level", level, "a number between 0 and 1")
    check_results(results)
    played = np.unique(results.game[results.count > 0]).tolist()
    size = len(results.agents)
    parts = [only(results, g) for g in played]
    ratings = np.full((len(played), size), np.nan)
    covariance = np.zeros((size, size))
    unmet: list[str] = []
    for row, (g, part) in enumerate(zip(played, parts, strict=True)):
        matrix = payoff_matrix(part)
        # A game in which somebody did not play leaves its agent out.
        place = np.array([list(results.agents).index(name) for name in matrix.agents])
        ratings[row, place] = matrix.cross_play()
        covariance[np.ix_(place, place)] += _covariance(matrix)
        missing = np.isnan(matrix.mean) & ~np.eye(len(matrix.agents), dtype=np.bool_)
        if missing.any():
            unmet.append(f"{results.games[g]}: {int((missing & missing.T).sum()) // 2} pairs")
    with np.errstate(invalid="ignore"):
        known = np.isfinite(ratings)
        times = known.sum(axis=0)
        rating = np.where(known, ratings, 0.0).sum(axis=0) / times
        covariance /= np.outer(times, times)
    warnings = [f"never met, so left out of the means: {text}" for text in unmet]
    if len(played) > 1:
        warnings.append("payoffs of several games are averaged, whatever their scales")
    by_game = {}
    if per_game and len(played) > 1:
        by_game = {
            results.games[g]: cross_play(part, level=level)
            for g, part in zip(played, parts, strict=True)
        }
    return board(
        results,
        np.where(times > 0, rating, -np.inf),
        method="cross_play",
        scale="mean payoff with each other agent",
        level=level,
        covariance=covariance,
        half_width=float(ndtri(0.5 + 0.5 * level)) * np.sqrt(np.diag(covariance)),
        warnings=warnings,
        by_game=by_game,
    )


def cell_errors(matrix: PayoffMatrix) -> NDArray[np.float64]:
    """Return the standard error of every cell that was played, shape (K, K).

    A cell of one match, which says nothing of its own error, gets that of one match of the
    whole matrix, pooled; cells without matches are NaN.
    """
    n = matrix.matches.astype(np.float64)
    known = np.isfinite(matrix.error) & (n > 1)
    weight = np.where(known, n, 0.0)
    spread = np.where(known, matrix.error**2 * n, 0.0)
    total = weight.sum()
    single = float((spread * weight).sum() / total) if total else np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = np.sqrt(single / n)
        # A few equal payoffs say little about their error: two matches of the pooled
        # spread are added to a cell's own.
        own = np.sqrt((matrix.error**2 * n * n + single * 2.0) / (n + 2.0) / n)
    return np.where(n == 0, np.nan, np.where(known, own, pooled))


def _covariance(matrix: PayoffMatrix) -> NDArray[np.float64]:
    """Return the joint covariance of the agents' means, shape (K, K)."""
    square = cell_errors(matrix) ** 2
    np.fill_diagonal(square, np.nan)
    met = np.isfinite(matrix.mean) & ~np.eye(len(matrix.agents), dtype=np.bool_)
    others = met.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.where(met, square, 0.0).sum(axis=1) / others**2
        shared = np.where(met & met.T, square, 0.0) / np.outer(others, others)
    covariance = shared if matrix.cooperative else np.zeros_like(square)
    np.fill_diagonal(covariance, np.where(others > 0, own, np.nan))
    return np.asarray(covariance)
