"""Pair matrices from results: wins, draws and mean payoffs of every two agents.

Every two seats of different teams in a match are compared by payoff, so a match of two
seats gives one comparison and a match of n gives n(n−1)/2. Mean payoffs are taken over
every two seats, team mates included: in a cooperative game they are the cross-play matrix.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tournaments.crossplay import payoff_matrix
from tournaments.records import ResultSet
from tournaments.report.data import Pairs

__all__ = ["pair_matrices"]


def pair_matrices(results: ResultSet, *, game: int | None = None) -> Pairs:
    """Count wins, draws and payoffs of every two agents.

    Args:
        results: any result set, folded or not.
        game: index of the only game to count, or None for all.

    Returns:
        Matrices of shape (K, K). In a cooperative game the errors are those of
        `tournaments.crossplay`, where matches that share their luck count once.
    """
    if game is not None and results.cooperative[game] and len(results.teams[game]) > 1:
        return _together(results, game)
    k = len(results.agents)
    wins, draws, met = (np.zeros((k, k), dtype=np.int64) for _ in range(3))
    total, squares = (np.zeros((k, k)) for _ in range(2))
    for index in range(len(results.games)) if game is None else [game]:
        rows = results.game == index
        seating, payoffs, count = results.seating[rows], results.payoffs[rows], results.count[rows]
        teams = results.teams[index]
        for a, b in combinations(range(len(teams)), 2):
            for i, j in ((a, b), (b, a)):
                row, column, paid = seating[:, i], seating[:, j], payoffs[:, i]
                np.add.at(met, (row, column), count)
                np.add.at(total, (row, column), paid * count)
                np.add.at(squares, (row, column), paid * paid * count)
                if teams[a] != teams[b] and not results.cooperative[index]:
                    other = payoffs[:, j]
                    np.add.at(wins, (row, column), count * (paid > other))
                    np.add.at(draws, (row, column), count * (paid == other))
    # Each self-play match was entered from both of its seats.
    diagonal = np.arange(k)
    for counts in (wins, draws):
        counts[diagonal, diagonal] = 0
    return Pairs(wins, draws, *_means(total, squares, met), met)


def _together(results: ResultSet, game: int) -> Pairs:
    """Return the matrices of a cooperative game, where nobody wins."""
    k = len(results.agents)
    if not (results.game == game).any():
        none = np.zeros((k, k), dtype=np.int64)
        unknown = np.full((k, k), np.nan)
        return Pairs(none, none.copy(), unknown, unknown.copy(), none.copy())
    matrix = payoff_matrix(results, game=results.games[game])
    at = np.array([list(results.agents).index(agent) for agent in matrix.agents])
    inner = np.ix_(at, at)
    mean, error = np.full((2, k, k), np.nan)
    met = np.zeros((k, k), dtype=np.int64)
    mean[inner], error[inner], met[inner] = matrix.mean, matrix.error, matrix.matches
    none = np.zeros((k, k), dtype=np.int64)
    return Pairs(none, none.copy(), mean, error, met)


def _means(
    total: NDArray[np.float64], squares: NDArray[np.float64], met: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means and their standard errors, NaN where there is too little data."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(met > 0, total / met, np.nan)
        spread = np.maximum(squares - total * mean, 0.0) / (met - 1)
        error = np.where(met > 1, np.sqrt(spread / met), np.nan)
    return mean, error
