"""Fold results to pair counts: who beat whom how often, by game and by seats.

1. The seats of one team become one *position*; elsewhere a position is a seat.
2. Every two positions of a match are compared by payoff: a win, a draw or a loss.
3. Equal comparisons are counted, so that a million matches among a hundred agents
   become ten thousand rows.
4. Where comparisons depend on each other (the pairs of one match with more than two
   positions; matches that share their luck), `Links` remembers which belong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.rng import derive_many
from tournaments.ratings.selection import check_results, compare, played_games, select
from tournaments.records import ResultSet

__all__ = ["Contest", "Duels", "Links", "Tally", "tally"]

_DENSE = 10_000_000
"""Count in a dense table up to this many cells, by sorting beyond."""


@dataclass(frozen=True, eq=False)
class Links:
    """Which comparisons of a contest belong to which cluster of dependent ones.

    Attributes:
        row: row of the contest, shape (Q,).
        outcome: +1 the first won, 0 a draw, −1 the second won, shape (Q,).
        cluster: cluster number, shared by all contests, shape (Q,).
        count: how often, within the cluster, shape (Q,).
    """

    row: NDArray[np.int64]
    outcome: NDArray[np.int8]
    cluster: NDArray[np.int64]
    count: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contest:
    """Comparisons of two positions of one game: E rows, each a pair of units.

    Attributes:
        game: game index.
        positions: the two positions compared.
        weight: weight of a comparison: 2/p in a game of p positions, because the
            p(p−1)/2 comparisons of one match say about as much as p−1 matches.
        first: unit in the first position, shape (E,).
        second: unit in the second, shape (E,).
        wins: how often the first was paid more, shape (E,).
        draws: how often both were paid the same, shape (E,).
        losses: how often the second was paid more, shape (E,).
        links: dependence of the comparisons, None where all are independent.
    """

    game: int
    positions: tuple[int, int]
    weight: float
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    wins: NDArray[np.float64]
    draws: NDArray[np.float64]
    losses: NDArray[np.float64]
    links: Links | None = None


@dataclass(frozen=True, eq=False)
class Duels:
    """What else one pass over matches of two seats gathers.

    Attributes:
        paid: total payoff by agent, shape (K,).
        constant_sum: whether the payoffs of every match sum to the same.
    """

    paid: NDArray[np.float64]
    constant_sum: bool


@dataclass(frozen=True, eq=False)
class Tally:
    """All comparisons of a result set.

    Attributes:
        agents: agent labels, length K.
        games: game keys.
        positions: number of positions (teams) by game.
        units: what is compared: unit k < K is agent k alone, later ones are line-ups
            (agent indices, one a seat of the team).
        contests: comparisons by game and positions.
        copies: how many independent copies of each cluster there are, shape (C,); empty
            where all comparisons are independent.
        duels: further counts, where all results are of one game of two seats and one pass
            could gather them; None elsewhere.
    """

    agents: Sequence[str]
    games: Sequence[str]
    positions: Sequence[int]
    units: Sequence[tuple[int, ...]]
    contests: Sequence[Contest]
    copies: NDArray[np.float64]
    duels: Duels | None = None

    @property
    def dependent(self) -> bool:
        """Whether some comparisons depend on each other."""
        return len(self.copies) > 0

    def comparisons(self) -> NDArray[np.float64]:
        """Return how often each agent was compared with another unit, shape (K,)."""
        size = len(self.units)
        seen = np.zeros(size)
        for c in self.contests:
            n = np.where(c.first == c.second, 0.0, c.wins + c.draws + c.losses)
            seen += np.bincount(c.first, n, size) + np.bincount(c.second, n, size)
        total = np.zeros(len(self.agents))
        for unit, times in zip(self.units, seen, strict=True):
            for agent in set(unit):
                total[agent] += times
        return total


def tally(results: ResultSet) -> Tally:
    """Fold `results` to pair counts.

    Cooperative games hold no comparisons and are left out.

    Raises:
        ParameterError: results that cannot be used (see `check_results`).
        NotApplicableError: no match sets one position against another.
    """
    check_results(results)
    agents = len(results.agents)
    units: dict[tuple[int, ...], int] = {(k,): k for k in range(agents)}
    rivals = [g for g in played_games(results) if not results.cooperative[g]]
    positions = [len(set(team)) for team in results.teams]
    rivals = [g for g in rivals if positions[g] > 1]
    if not rivals:
        raise NotApplicableError(
            "no match has two sides: cooperative and one-seat games have no winners; "
            "rank by method 'payoff'"
        )
    results = select(results, rivals)
    clusters, copies = _clusters(results, rivals, positions)
    if clusters is None and (found := _duels(results, positions)) is not None:
        return found
    sides = {g: _sides(results, g, units) for g in rivals}
    contests = [
        contest for g in rivals for contest in _contests(results, g, sides[g], len(units), clusters)
    ]
    if clusters is not None:
        contests, copies = _merge(contests, copies)
    return Tally(results.agents, results.games, positions, tuple(units), contests, copies)


def _clusters(
    results: ResultSet, rivals: Sequence[int], positions: Sequence[int]
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64]]:
    """Number the clusters of dependent comparisons: by block, or by match of many seats."""
    if results.block is not None:
        blocks, cluster = np.unique(results.block, return_inverse=True)
        if len(blocks) < len(results.block) or int(results.count.max()) > 1:
            return cluster.astype(np.int64), np.ones(len(blocks))
    if any(positions[g] > 2 for g in rivals):
        return np.arange(len(results.game)), results.count.astype(np.float64)
    return None, np.zeros(0)


def _duels(results: ResultSet, positions: Sequence[int]) -> Tally | None:
    """Count one game of two seats in one pass, if that is what the results are."""
    size = len(results.agents)
    if len(results.games) > 1 or len(results.teams[0]) != 2 or results.seating.shape[1] != 2:
        return None
    if 3 * size * size > max(_DENSE, 4 * len(results.game)):
        return None
    if int(results.seating.min()) < 0:
        raise ParameterError("seating", -1, "an agent in each of the 2 seats")
    from tournaments.ratings._kernels import fold_duels

    table, paid = np.zeros(3 * size * size), np.zeros(size)
    constant = fold_duels(results.seating, results.payoffs, results.count, size, table, paid)
    lines = table.reshape(-1, 3)
    pairs = np.flatnonzero(lines[:, 0] + lines[:, 1] + lines[:, 2])
    wins, draws, losses = np.ascontiguousarray(lines[pairs].T)
    contest = Contest(0, (0, 1), 1.0, pairs // size, pairs % size, wins, draws, losses)
    units = tuple((k,) for k in range(size))
    duels = Duels(paid, bool(constant))
    return Tally(results.agents, results.games, positions, units, [contest], np.zeros(0), duels)


def _sides(
    results: ResultSet, game: int, units: dict[tuple[int, ...], int]
) -> tuple[NDArray[np.intp] | slice, list[NDArray[np.int64]], list[NDArray[np.float64]]]:
    """Return the rows of a game and, by position, the unit that played and its mean payoff."""
    whole = len(results.games) == 1 or bool((results.game == game).all())
    rows: NDArray[np.intp] | slice = slice(None) if whole else np.flatnonzero(results.game == game)
    seating, payoffs = results.seating[rows], results.payoffs[rows]
    team = results.teams[game]
    members = [[s for s, t in enumerate(team) if t == name] for name in sorted(set(team))]
    if len(team) > seating.shape[1]:
        raise ParameterError("teams", team, f"at most {seating.shape[1]} seats")
    if bool((seating[:, : len(team)] < 0).any()):
        raise ParameterError("seating", -1, f"an agent in each of the {len(team)} seats")
    who, paid = [], []
    for seats in members:
        if len(seats) == 1:
            who.append(seating[:, seats[0]].astype(np.int64))
            paid.append(payoffs[:, seats[0]])
            continue
        lineups, inverse = np.unique(seating[:, seats], axis=0, return_inverse=True)
        names = [(line[0],) if len(set(line)) == 1 else tuple(line) for line in lineups.tolist()]
        numbers = np.array([units.setdefault(name, len(units)) for name in names], dtype=np.int64)
        who.append(numbers[inverse.reshape(-1)])
        paid.append(payoffs[:, seats].mean(axis=1))
    return rows, who, paid


def _contests(
    results: ResultSet,
    game: int,
    sides: tuple[NDArray[np.intp] | slice, list[NDArray[np.int64]], list[NDArray[np.float64]]],
    size: int,
    clusters: NDArray[np.int64] | None,
) -> list[Contest]:
    """Compare every two positions of a game and count equal comparisons."""
    rows, who, paid = sides
    count = results.count[rows]
    times = None if bool((count == 1).all()) else count.astype(np.float64)
    contests = []
    for s in range(len(who)):
        for t in range(s + 1, len(who)):
            sign = compare(paid[s], paid[t])
            cell = (who[s] * size + who[t]) * 3 + (1 - sign)
            codes, counts = _count(cell, times, size * size * 3)
            links = None
            if clusters is not None:
                number, inside = clusters[rows], np.ones(len(count))
                # By match, a cluster stands for `count` copies of one match; by block,
                # equal matches of the block are part of one cluster.
                if results.block is not None:
                    inside = count.astype(np.float64)
                links = Links(_places(codes, cell // 3, size * size), sign, number, inside)
            contests.append(
                Contest(
                    game,
                    (s, t),
                    2.0 / len(who),
                    codes // size,
                    codes % size,
                    counts[:, 0].copy(),
                    counts[:, 1].copy(),
                    counts[:, 2].copy(),
                    links,
                )
            )
    return contests


def _count(
    cell: NDArray[np.int64], times: NDArray[np.float64] | None, size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the pairs that occur, increasing, and their wins, draws and losses (E, 3)."""
    if size <= max(_DENSE, 4 * len(cell)):
        table = np.bincount(cell, times, size).astype(np.float64, copy=False).reshape(-1, 3)
        pairs = np.flatnonzero(table.any(axis=1)).astype(np.int64)
        return pairs, table[pairs]
    pairs, inverse = np.unique(cell // 3, return_inverse=True)
    flat = np.bincount(inverse * 3 + cell % 3, times, 3 * len(pairs)).astype(np.float64)
    return pairs, flat.reshape(-1, 3)


def _places(codes: NDArray[np.int64], wanted: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return where each of `wanted` stands in the increasing `codes` below `size`."""
    if size > max(_DENSE, 4 * len(wanted)):
        return np.searchsorted(codes, wanted)
    place = np.zeros(size, dtype=np.int64)
    place[codes] = np.arange(len(codes))
    return np.asarray(place[wanted])


def _merge(
    contests: Sequence[Contest], copies: NDArray[np.float64]
) -> tuple[list[Contest], NDArray[np.float64]]:
    """Fold clusters that hold the same comparisons into one with more copies.

    Two clusters are the same when the sums of 64-bit hashes of their comparisons are.
    """
    total = np.zeros(len(copies), dtype=np.uint64)
    for number, contest in enumerate(contests):
        if (links := contest.links) is None or len(links.row) == 0:
            continue
        outcome = links.row * 3 + links.outcome + 1
        hashes = derive_many(number, np.arange(3 * len(contest.first)))[outcome]
        hashes *= links.count.astype(np.uint64)
        if bool((np.diff(links.cluster) < 0).any()):
            places = np.argsort(links.cluster, kind="stable")
            hashes, cluster = hashes[places], links.cluster[places]
        else:
            cluster = links.cluster
        starts = np.flatnonzero(np.concatenate([[True], cluster[1:] != cluster[:-1]]))
        total[cluster[starts]] += np.add.reduceat(hashes, starts)
    _, index, inverse = np.unique(total, return_index=True, return_inverse=True)
    first = np.zeros(len(copies), dtype=np.bool_)
    first[index] = True
    merged = []
    for contest in contests:
        if (links := contest.links) is not None:
            keep = first[links.cluster]
            links = Links(
                links.row[keep],
                links.outcome[keep],
                inverse[links.cluster[keep]].astype(np.int64),
                links.count[keep],
            )
        merged.append(replace(contest, links=links))
    return merged, np.bincount(inverse, copies).astype(np.float64)
