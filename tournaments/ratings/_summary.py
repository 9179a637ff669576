"""Games, wins, draws, losses, forfeits and mean payoff by agent, and the rows they fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournaments.ratings._compare import Comparison, compare_all
from tournaments.ratings.leaderboard import Leaderboard, Standing, order
from tournaments.ratings.selection import check_results
from tournaments.ratings.tally import Duels, Tally
from tournaments.records import ResultSet

__all__ = ["Summary", "board", "summarise"]


@dataclass(frozen=True, eq=False)
class Summary:
    """Counts by agent, shape (K,) each; the terms are those of `Standing`."""

    games: NDArray[np.int64]
    wins: NDArray[np.int64]
    draws: NDArray[np.int64]
    losses: NDArray[np.int64]
    forfeits: NDArray[np.int64]
    mean_payoff: NDArray[np.float64]


def summarise(results: ResultSet, data: Tally | None = None) -> Summary:
    """Count by agent. In a cooperative game nobody wins or loses: all seats draw.

    Args:
        results: what was played.
        data: its tally, whose counts are used where they say enough.
    """
    if data is not None and data.duels is not None:
        return _from_duels(results, data, data.duels)
    check_results(results)
    size = len(results.agents)
    games, wins, draws = (np.zeros(size) for _ in range(3))
    paid = np.zeros(size)
    weight = None if bool((results.count == 1).all()) else results.count.astype(np.float64)
    best, share = _best(results), _shares(results)
    for seat in range(results.seating.shape[1]):
        agent, payoff = results.seating[:, seat], results.payoffs[:, seat]
        times = weight
        if share is not None:
            times = share[:, seat] if weight is None else share[:, seat] * weight
        top, shared = best[0][:, seat], best[1]
        if bool((agent < 0).any()):
            here = agent >= 0
            agent, payoff, top, shared = agent[here], payoff[here], top[here], shared[here]
            times = None if times is None else times[here]
        one = np.ones(len(agent)) if times is None else times
        games += np.bincount(agent, times, size)
        paid += np.bincount(agent, payoff if times is None else payoff * times, size)
        wins += np.bincount(agent, one * (top & ~shared), size)
        draws += np.bincount(agent, one * (top & shared), size)
    return _whole(results, games, wins, draws, paid)


def _from_duels(results: ResultSet, data: Tally, duels: Duels) -> Summary:
    size = len(results.agents)
    (c,) = data.contests
    n = c.wins + c.draws + c.losses
    games = np.bincount(c.first, n, size) + np.bincount(c.second, n, size)
    wins = np.bincount(c.first, c.wins, size) + np.bincount(c.second, c.losses, size)
    draws = np.bincount(c.first, c.draws, size) + np.bincount(c.second, c.draws, size)
    return _whole(results, games, wins, draws, duels.paid)


def _whole(
    results: ResultSet,
    games: NDArray[Any],
    wins: NDArray[Any],
    draws: NDArray[Any],
    paid: NDArray[np.float64],
) -> Summary:
    size = len(results.agents)
    bad = np.flatnonzero(results.offender >= 0)
    guilty = results.seating[bad, results.offender[bad]]
    forfeits = np.bincount(guilty, results.count[bad], size)
    whole = [np.rint(x).astype(np.int64) for x in (games, wins, draws, forfeits)]
    losses = whole[0] - whole[1] - whole[2]
    mean = np.divide(paid, games, out=np.full(size, np.nan), where=games > 0)
    return Summary(whole[0], whole[1], whole[2], losses, whole[3], mean)


def _shares(results: ResultSet) -> NDArray[np.float64] | None:
    """Return 1 / seats that a seat's agent has in its team, (M, n); None if 1 everywhere."""
    out = None
    for g, team in enumerate(results.teams):
        if results.cooperative[g] or len(set(team)) in (1, len(team)):
            continue
        if out is None:
            out = np.ones(results.seating.shape)
        here = np.flatnonzero(results.game == g)
        for name in set(team):
            seats = np.flatnonzero([t == name for t in team])
            who = results.seating[np.ix_(here, seats)]
            same = (who[:, :, None] == who[:, None, :]).sum(axis=2)
            out[np.ix_(here, seats)] = 1.0 / same
    return out


def _best(results: ResultSet) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return by seat whether its team was paid most (M, n), and whether teams tied (M,)."""
    rows, seats = results.payoffs.shape
    top = np.zeros((rows, seats), dtype=np.bool_)
    shared = np.zeros(rows, dtype=np.bool_)
    one_game = len(results.games) == 1
    for g, team in enumerate(results.teams):
        here = slice(None) if one_game else np.flatnonzero(results.game == g)
        paid = results.payoffs[here, : len(team)]
        if paid.shape[0] == 0:
            continue
        names = sorted(set(team))
        if results.cooperative[g] or len(names) == 1:
            top[here, : len(team)] = True
            shared[here] = True
            continue
        if len(names) < len(team):
            side = [paid[:, [s for s, t in enumerate(team) if t == n]].mean(axis=1) for n in names]
        else:
            side, names = list(paid.T), list(team)
        # Column by column: reductions along a short axis are ten times slower.
        most = reduce(np.maximum, side)
        floor = most - 1e-9 * np.maximum(1.0, np.abs(most))
        wins = [column >= floor for column in side]
        for s, t in enumerate(team):
            top[here, s] = wins[names.index(t)]
        first, *rest = wins
        seen, twice = first, np.zeros_like(first)
        for column in rest:
            twice = twice | (seen & column)
            seen = seen | column
        shared[here] = twice
    return top, shared


def board(
    results: ResultSet,
    rating: NDArray[np.float64],
    *,
    method: str,
    scale: str,
    level: float,
    covariance: NDArray[np.float64] | None = None,
    half_width: NDArray[np.float64] | None = None,
    group: NDArray[np.int64] | None = None,
    warnings: Sequence[str] = (),
    details: Mapping[str, float] | None = None,
    by_game: Mapping[str, Leaderboard] | None = None,
    data: Tally | None = None,
) -> Leaderboard:
    """Put ratings (K,) and the counts of `results` together.

    Args:
        results: what was played.
        rating: on the published scale.
        method: as in `Leaderboard`.
        scale: as in `Leaderboard`.
        level: as in `Leaderboard`.
        covariance: joint covariance of the ratings (K, K); without it ranks are those of
            the order, equal ratings share one, and rank intervals are the whole table.
        half_width: half of each interval, shape (K,).
        group: agents of different groups cannot be compared.
        warnings: as in `Leaderboard`.
        details: as in `Leaderboard`.
        by_game: as in `Leaderboard`.
        data: the tally of `results`, if there is one.
    """
    summary = summarise(results, data)
    places = order(rating, results.agents)
    if covariance is not None:
        joint = compare_all(rating, covariance, order=places, level=level, group=group)
    else:
        joint = _plain_ranks(rating, places)
    width = np.full(len(rating), np.nan) if half_width is None else half_width
    columns = [
        results.agents,
        rating.tolist(),
        (rating - width).tolist(),
        (rating + width).tolist(),
        joint.rank.tolist(),
        joint.rank_low.tolist(),
        joint.rank_high.tolist(),
        summary.games.tolist(),
        summary.wins.tolist(),
        summary.draws.tolist(),
        summary.losses.tolist(),
        summary.forfeits.tolist(),
        summary.mean_payoff.tolist(),
    ]
    return Leaderboard(
        method,
        scale,
        level,
        tuple(Standing(*(column[k] for column in columns)) for k in places),
        tuple(warnings),
        dict(details or {}),
        None if covariance is None else joint.superiority[np.ix_(places, places)],
        dict(by_game or {}),
    )


def _plain_ranks(rating: NDArray[np.float64], places: list[int]) -> Comparison:
    size = len(rating)
    rank = np.empty(size, dtype=np.int64)
    for place, k in enumerate(places, start=1):
        before = places[place - 2] if place > 1 else None
        rank[k] = rank[before] if before is not None and rating[before] == rating[k] else place
    return Comparison(
        rank, np.ones(size, dtype=np.int64), np.full(size, size), np.full((size, size), 0.5)
    )
