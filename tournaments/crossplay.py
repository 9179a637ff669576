"""Payoffs of agent against (or with) agent, and the empirical game between agents.

The error of a cell comes from clusters: matches that share their luck count once, with
the sum of their deviations (as in `tournaments.ratings.payoff`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from tournaments.ratings.payoff import clusters
from tournaments.ratings.selection import check_results, select
from tournaments.records import ResultSet

__all__ = ["EmpiricalGame", "PayoffMatrix", "empirical_game", "payoff_matrix"]

_CELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class PayoffMatrix:
    """Mean payoff of the row agent in matches with the column agent.

    Attributes:
        agents: labels, length K.
        game: the game.
        cooperative: whether all seats share one payoff, so that the matrix is symmetric.
        mean: over all seats, shape (K, K); NaN where two agents never met.
        error: standard errors, shape (K, K); NaN with fewer than two clusters.
        matches: matches behind each cell, shape (K, K).
    """

    agents: tuple[str, ...]
    game: str
    cooperative: bool
    mean: NDArray[np.float64]
    error: NDArray[np.float64]
    matches: NDArray[np.int64]

    def zero_sum(self) -> NDArray[np.float64]:
        """Return the antisymmetric part, (M − Mᵀ) / 2: what a pairing is worth."""
        return 0.5 * (self.mean - self.mean.T)

    def symmetric(self) -> NDArray[np.float64]:
        """Return the symmetric part, (M + Mᵀ) / 2: what a pairing earns together."""
        return 0.5 * (self.mean + self.mean.T)

    def cross_play(self) -> NDArray[np.float64]:
        """Return each agent's mean over the others that it met, equally weighted, (K,)."""
        others = self.mean.copy()
        np.fill_diagonal(others, np.nan)
        met = np.isfinite(others)
        total = np.where(met, others, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / met.sum(axis=1))

    def require_complete(self, *, diagonal: bool = False) -> None:
        """Refuse a matrix with pairs that never met.

        Args:
            diagonal: whether matches of an agent with itself are needed too.

        Raises:
            NotApplicableError: names the first missing pairs.
        """
        missing = np.isnan(self.mean)
        if not diagonal:
            missing = missing & ~np.eye(len(self.agents), dtype=np.bool_)
        cells = np.argwhere(missing & missing.T)
        cells = cells[cells[:, 0] <= cells[:, 1]]
        if len(cells):
            shown = ", ".join(
                f"{self.agents[i]} and {self.agents[j]}" for i, j in cells[:3].tolist()
            )
            raise NotApplicableError(
                f"{len(cells)} pairs never met in {self.game} ({shown}"
                f"{', …' if len(cells) > 3 else ''}); play a full round robin"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values (NaN as null)."""
        return {
            "format": "arena-payoff-matrix",
            "version": 1,
            "agents": list(self.agents),
            "game": self.game,
            "cooperative": self.cooperative,
            "mean": _plain(self.mean),
            "error": _plain(self.error),
            "matches": self.matches.tolist(),
        }


@dataclass(frozen=True, eq=False)
class EmpiricalGame:
    """The game in which each seat picks the agent that plays for it.

    Attributes:
        agents: labels, length K.
        game: the game that was played.
        payoff: mean payoffs, shape (n, K, …, K); NaN where a line-up never played.
        error: standard errors, the same shape.
        matches: matches of each line-up, shape (K, …, K).
    """

    agents: tuple[str, ...]
    game: str
    payoff: NDArray[np.float64]
    error: NDArray[np.float64]
    matches: NDArray[np.int64]


def payoff_matrix(results: ResultSet, *, game: str | None = None) -> PayoffMatrix:
    """Return what each agent earned against each other (with, in a cooperative game).

    In a match of n seats, the payoff of a seat counts in the cell of each other seat that
    is not of its team (of each other seat in a cooperative game).

    Args:
        results: what was played.
        game: which game; may be left out if there is only one.

    Raises:
        ParameterError: several games and none named.
        UnknownNameError: no such game.
        NotApplicableError: a game of one seat.
    """
    results, g = _one_game(results, game)
    team, size = results.teams[g], len(results.agents)
    shared = bool(results.cooperative[g])
    pairs = [
        (s, t)
        for s in range(len(team))
        for t in range(len(team))
        if s != t and (shared or team[s] != team[t])
    ]
    if not pairs:
        raise NotApplicableError(f"{results.games[g]}: nobody meets anybody in a game of one seat")
    seating = results.seating.astype(np.int64)
    cell = np.concatenate([seating[:, s] * size + seating[:, t] for s, t in pairs])
    paid = np.concatenate([results.payoffs[:, s] for s, _ in pairs])
    mean, error, _ = _cells(results, cell, paid, len(pairs), size * size)
    # A match of two agents fills a cell once for each way that they met in it.
    matches = np.zeros(size * size, dtype=np.int64)
    met = np.concatenate([np.arange(len(results.game))] * len(pairs))
    seen = np.unique(np.stack([met, cell]), axis=1)
    np.add.at(matches, seen[1], results.count[seen[0]])
    shape = (size, size)
    return PayoffMatrix(
        tuple(results.agents),
        results.games[g],
        shared,
        mean.reshape(shape),
        error.reshape(shape),
        matches.reshape(shape),
    )


def empirical_game(results: ResultSet, *, game: str | None = None) -> EmpiricalGame:
    """Return the payoff tensor over line-ups, seat by seat.

    Args:
        results: what was played.
        game: which game; may be left out if there is only one.

    Raises:
        ParameterError: several games and none named.
        UnknownNameError: no such game.
        NotApplicableError: more line-ups than fit in memory.
    """
    results, g = _one_game(results, game)
    seats, size = len(results.teams[g]), len(results.agents)
    if size**seats * seats > _CELLS:
        raise NotApplicableError(
            f"{size} agents in {seats} seats make {size**seats} line-ups; the limit is "
            f"{_CELLS // seats}"
        )
    line = np.zeros(len(results.game), dtype=np.int64)
    for s in range(seats):
        line = line * size + results.seating[:, s]
    parts = [_cells(results, line, results.payoffs[:, s], 1, size**seats) for s in range(seats)]
    shape = (size,) * seats
    return EmpiricalGame(
        tuple(results.agents),
        results.games[g],
        np.stack([mean.reshape(shape) for mean, _, _ in parts]),
        np.stack([error.reshape(shape) for _, error, _ in parts]),
        np.rint(parts[0][2]).astype(np.int64).reshape(shape),
    )


def _one_game(results: ResultSet, game: str | None) -> tuple[ResultSet, int]:
    check_results(results)
    if game is not None and game not in results.games:
        raise UnknownNameError("game", game, results.games)
    played = sorted(set(np.unique(results.game[results.count > 0]).tolist()))
    if game is None:
        if len(played) > 1:
            names = ", ".join(results.games[g] for g in played)
            raise ParameterError("game", None, f"one of {names}")
        return select(results, played), played[0]
    g = list(results.games).index(game)
    if g not in played:
        raise NotApplicableError(f"no match of {game} was played")
    return select(results, [g]), g


def _cells(
    results: ResultSet,
    cell: NDArray[np.int64],
    paid: NDArray[np.float64],
    repeat: int,
    size: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return mean, standard error and weight by cell, clustered; `repeat` copies of the rows."""
    cluster, copies = clusters(results)
    times = np.tile(results.count.astype(np.float64), repeat)
    weight = np.bincount(cell, times, size)
    mean = np.divide(
        np.bincount(cell, paid * times, size), weight, out=np.full(size, np.nan), where=weight > 0
    )
    inside = times if results.block is not None else np.ones(len(times))
    key, group = np.unique(cell * len(copies) + np.tile(cluster, repeat), return_inverse=True)
    move = np.bincount(group.reshape(-1), (paid - mean[cell]) * inside, len(key))
    where, number = key // len(copies), copies[key % len(copies)]
    square = np.bincount(where, move * move * number, size)
    seen = np.bincount(where, number, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(square * seen / (seen - 1.0)) / weight
    return np.asarray(mean), np.where(seen > 1.0, error, np.nan), weight.astype(np.float64)


def _plain(table: NDArray[np.float64]) -> Sequence[Sequence[float | None]]:
    return [[x if np.isfinite(x) else None for x in line] for line in table.tolist()]
