"""Rank by mean payoff: for cooperative and general-sum games.

An agent's mean m_k is over all its seats and matches. Its error comes from clusters: a
cluster (matches that share their luck, or one match) moves m_k by the sum of its
(payoff − m_k) / N_k, and the joint covariance of all means is the sum over clusters of
the outer products of these moves, times C/(C−1). So luck that two agents shared, by
playing the same seeds, cancels from their difference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import stdtrit

from arena.errors import ParameterError
from tournaments.ratings._summary import board
from tournaments.ratings.leaderboard import Leaderboard
from tournaments.ratings.selection import check_results, only, select
from tournaments.records import ResultSet

__all__ = ["clusters", "payoff"]


def payoff(results: ResultSet, *, level: float = 0.95, per_game: bool = True) -> Leaderboard:
    """Rank by mean payoff a match, with intervals (Student's t on clusters).

    Several games count by their matches; a warning says so, and `by_game` has them apart.

    Args:
        results: what was played.
        level: level of the intervals, and of all rank statements together.
        per_game: add one leaderboard a game where several games were played.

    Raises:
        ParameterError: no matches, or a level out of range.
    """
    if not 0.0 < level < 1.0:
        raise ParameterError("level", level, "a number between 0 and 1")
    check_results(results)
    results = select(results, range(len(results.games)))
    mean, covariance, seen = _means(results)
    error = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore"):
        quantile = np.where(seen > 1, stdtrit(np.maximum(seen - 1, 1), 0.5 + 0.5 * level), np.nan)
    warnings = []
    single = [results.agents[k] for k in np.flatnonzero(seen == 1).tolist()]
    if single:
        warnings.append(f"one match or seed only, so no interval: {_some(single)}")
    idle = [results.agents[k] for k in np.flatnonzero(seen == 0).tolist()]
    if idle:
        warnings.append(f"no match at all: {_some(idle)}")
    played = np.unique(results.game).tolist()
    by_game = {}
    if len(played) > 1:
        warnings.append("payoffs of several games are averaged by match, whatever their scales")
        if per_game:
            by_game = {results.games[g]: payoff(only(results, g), level=level) for g in played}
    covariance[seen < 2] = np.nan
    covariance[:, seen < 2] = np.nan
    return board(
        results,
        np.where(seen > 0, mean, -np.inf),
        method="payoff",
        scale="mean payoff a match",
        level=level,
        covariance=covariance,
        half_width=quantile * error,
        warnings=warnings,
        by_game=by_game,
    )


def clusters(results: ResultSet) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return by row its cluster (M,), and by cluster how many copies there are (C,).

    Rows that share a block are one cluster; without blocks every match is its own, and a
    folded row stands for as many as its count.
    """
    if results.block is None:
        return np.arange(len(results.game)), results.count.astype(np.float64)
    names, number = np.unique(results.block, return_inverse=True)
    return number.astype(np.int64), np.ones(len(names))


def _means(
    results: ResultSet,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return means (K,), their joint covariance (K, K) and clusters an agent was in (K,)."""
    size = len(results.agents)
    times = results.count.astype(np.float64)
    total, paid = np.zeros(size), np.zeros(size)
    seats = []
    for s in range(results.seating.shape[1]):
        # An empty seat moves nothing: agent 0 is paid nothing, no times.
        here = results.seating[:, s] >= 0
        agent = np.where(here, results.seating[:, s], 0).astype(np.int64)
        payoff = np.where(here, results.payoffs[:, s], 0.0)
        total += np.bincount(agent, times * here, size)
        paid += np.bincount(agent, payoff * times * here, size)
        seats.append((here, agent, payoff))
    with np.errstate(invalid="ignore"):
        mean = paid / total
    played = np.where(total > 0.0, total, 1.0)
    center = np.where(total > 0.0, mean, 0.0)
    moves = [
        (agent, here * (payoff - center[agent]) / played[agent]) for here, agent, payoff in seats
    ]
    if results.block is None:
        covariance, seen = _by_match(moves, [here for here, _, _ in seats], times, size)
    else:
        covariance, seen = _by_block(results, moves, [here for here, _, _ in seats])
    # The correction by the clusters of each agent, not of all: a newcomer has few.
    grow = np.sqrt(np.divide(seen, seen - 1.0, out=np.ones(size), where=seen > 1.0))
    return mean, covariance * grow[:, None] * grow[None, :], seen


Moves = Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]


def _by_match(
    moves: Moves, here: Sequence[NDArray[np.bool_]], times: NDArray[np.float64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return covariance and clusters where every match is a cluster of its own."""
    covariance, seen = np.zeros(size * size), np.zeros(size)
    for s, (agent, move) in enumerate(moves):
        for other, with_it in moves:
            covariance += np.bincount(agent * size + other, move * with_it * times, size * size)
        new = here[s].copy()
        for t in range(s):
            new &= ~(here[t] & (moves[t][0] == agent))
        seen += np.bincount(agent, times * new, size)
    return covariance.reshape(size, size), seen


def _by_block(
    results: ResultSet, moves: Moves, here: Sequence[NDArray[np.bool_]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return covariance and clusters where rows of one block are a cluster."""
    cluster, copies = clusters(results)
    shape = (len(copies), len(results.agents))
    values = np.concatenate(
        [(move * results.count)[k] for (_, move), k in zip(moves, here, strict=True)]
    )
    rows = np.concatenate([cluster[k] for k in here])
    columns = np.concatenate([agent[k] for (agent, _), k in zip(moves, here, strict=True)])
    table = sparse.csr_matrix((values, (rows, columns)), shape=shape)
    part = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    covariance = np.asarray((table.T @ table).todense())
    return covariance, np.bincount(part.indices, minlength=shape[1]).astype(np.float64)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
