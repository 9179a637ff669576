"""Results as a sequence of comparisons in order, for methods that rate over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError
from tournaments.ratings.selection import check_results, compare, select
from tournaments.records import ResultSet

__all__ = ["Comparisons", "comparisons"]


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Comparisons of two seats of different teams, in order of their matches; Q in all.

    Attributes:
        matches: number of matches M.
        start: where match m begins, shape (M + 1,).
        match: match of each comparison, shape (Q,).
        first: agent, shape (Q,).
        second: agent, shape (Q,).
        score: 1 the first was paid more, 0.5 the same, 0 less; by team, shape (Q,).
        share: weight: 1 over the number of opponents' seats, shape (Q,).
    """

    matches: int
    start: NDArray[np.int64]
    match: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: NDArray[np.float64]
    share: NDArray[np.float64]


def comparisons(results: ResultSet) -> Comparisons:
    """Return all comparisons; cooperative and one-sided games hold none and are left out.

    Raises:
        NotApplicableError: no match has two sides.
    """
    check_results(results)
    rivals = [
        g
        for g, team in enumerate(results.teams)
        if len(set(team)) > 1 and not results.cooperative[g]
    ]
    results = select(results, rivals)
    if len(results.game) == 0:
        raise NotApplicableError("no match has two sides; rank by method 'payoff'")
    parts = []
    for g in rivals:
        rows = np.flatnonzero(results.game == g)
        team = results.teams[g]
        payoffs = results.payoffs[rows]
        paid = {
            name: payoffs[:, [s for s, t in enumerate(team) if t == name]].mean(axis=1)
            for name in sorted(set(team))
        }
        for s in range(len(team)):
            for t in range(s + 1, len(team)):
                if team[s] == team[t]:
                    continue
                rivals_of = max(
                    sum(other != team[s] for other in team), sum(other != team[t] for other in team)
                )
                parts.append(
                    (
                        rows,
                        results.seating[rows, s].astype(np.int64),
                        results.seating[rows, t].astype(np.int64),
                        0.5 + 0.5 * compare(paid[team[s]], paid[team[t]]),
                        np.full(len(rows), 1.0 / rivals_of),
                    )
                )
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    place = np.argsort(columns[0], kind="stable")
    match, first, second, score, share = (column[place] for column in columns)
    # A folded row repeats its match.
    times = results.count[match]
    if bool((times > 1).any()):
        # Number the repetitions so that each keeps its comparisons together.
        offset = np.cumsum(results.count) - results.count
        total = int(times.sum())
        index = np.repeat(np.arange(len(match)), times)
        again = np.arange(total) - np.repeat(np.cumsum(times) - times, times)
        match = offset[match[index]] + again
        place = np.argsort(match, kind="stable")
        index, match = index[place], match[place]
        first, second, score, share = (x[index] for x in (first, second, score, share))
    matches = int(results.count.sum())
    start = np.searchsorted(match, np.arange(matches + 1)).astype(np.int64)
    return Comparisons(matches, start, match, first, second, score, share)
