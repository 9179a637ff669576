"""α-Rank: the share of time that evolving populations spend on each agent.

1. A mutant r invades a population of m agents s with fixation probability
   ρ(u) = (1 − e^−u) / (1 − e^−mu), u = α (payoff of r − payoff of s); ρ(0) = 1/m   (1)
2. A chain over agents (one population) or line-ups (one population a seat) moves from s
   to each neighbour r with probability η ρ, η one over the number of neighbours.
3. The rating is the chain's stationary distribution, by state reduction (Grassmann,
   Taksar and Heyman 1985), which subtracts nothing and so keeps tiny masses exact; in
   logarithms where (1) would underflow.

Source: Omidshafiei et al., "α-Rank: Multi-Agent Evaluation by Evolution" (2019), eqs.
4–9, in the local selection model (a mutant is compared with the agent that it meets).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from tournaments.crossplay import empirical_game, payoff_matrix
from tournaments.ratings._summary import board
from tournaments.ratings.leaderboard import Leaderboard
from tournaments.ratings.selection import only
from tournaments.records import ResultSet

__all__ = ["alpharank", "multi_population", "single_population"]

Array = NDArray[np.float64]

_MOST = 5000
_LEAST = -600.0
"""Fixation probabilities below exp of this are handled as logarithms."""


def alpharank(
    results: ResultSet,
    *,
    game: str | None = None,
    alpha: float = 100.0,
    population: int = 50,
    seats_apart: bool = False,
) -> Leaderboard:
    """Rate agents by their mass in α-Rank's stationary distribution.

    Args:
        results: a full round robin.
        game: which game; may be left out if there is only one.
        alpha: selection pressure, in units of 1/payoff.
        population: m of (1).
        seats_apart: one population a seat (rated by the mean of an agent's mass over
            seats) instead of one for all.

    Raises:
        NotApplicableError: pairs or line-ups that never played.
    """
    if game is not None and game in results.games:
        results = only(results, list(results.games).index(game))
    if seats_apart:
        table = empirical_game(results, game=game)
        if bool(np.isnan(table.payoff).any()):
            raise NotApplicableError(
                f"{int(np.isnan(table.payoff[0]).sum())} line-ups of {table.game} never played"
            )
        mass = multi_population(table.payoff, alpha=alpha, population=population)
        axes = range(mass.ndim)
        rating = np.mean(
            [mass.sum(axis=tuple(a for a in axes if a != axis)) for axis in axes], axis=0
        )
    else:
        matrix = payoff_matrix(results, game=game)
        matrix.require_complete()
        rating = single_population(matrix.mean, alpha=alpha, population=population)
    return board(
        results,
        rating,
        method="alpharank",
        scale=f"α-Rank mass, α = {alpha:g}, populations of {population}",
        level=float("nan"),
        warnings=("α-Rank takes the mean payoffs as exact: no intervals",),
    )


def single_population(payoff: Array, *, alpha: float = 100.0, population: int = 50) -> Array:
    """Return the stationary distribution of one population, shape (K,).

    Args:
        payoff: of the row agent against the column agent, shape (K, K); the diagonal is
            not used.
        alpha: see `alpharank`.
        population: see `alpharank`.
    """
    payoff = np.asarray(payoff, dtype=np.float64)
    if payoff.ndim != 2 or payoff.shape[0] != payoff.shape[1] or payoff.shape[0] == 0:
        raise ParameterError("payoff", payoff.shape, "a square matrix")
    _check(alpha, population)
    gain = payoff.T - payoff  # [s, r]: the mutant r's payoff less the resident s's
    np.fill_diagonal(gain, 0.0)
    if not bool(np.isfinite(gain).all()):
        raise ParameterError("payoff", "not a finite number", "finite payoffs off the diagonal")
    return _stationary(_log_fixation(alpha * gain, population))


def multi_population(payoff: Array, *, alpha: float = 100.0, population: int = 50) -> Array:
    """Return the stationary distribution of n populations, shape (K_1, …, K_n).

    Args:
        payoff: of each seat, shape (n, K_1, …, K_n).
        alpha: see `alpharank`.
        population: see `alpharank`.
    """
    payoff = np.asarray(payoff, dtype=np.float64)
    shape = payoff.shape[1:]
    if payoff.ndim < 2 or payoff.shape[0] != len(shape):
        raise ParameterError("payoff", payoff.shape, "shape (n, K_1, …, K_n)")
    if not bool(np.isfinite(payoff).all()):
        raise ParameterError("payoff", "not a finite number", "finite payoffs")
    _check(alpha, population)
    size = int(np.prod(shape))
    if size > _MOST:
        raise NotApplicableError(f"{size} line-ups are too many; the limit is {_MOST}")
    log_rate = np.full((size, size), -np.inf)
    index = np.arange(size).reshape(shape)
    for seat in range(len(shape)):
        # Line-ups that differ in this seat only, one row each: (size / K, K).
        line = np.moveaxis(index, seat, -1).reshape(-1, shape[seat])
        paid = np.moveaxis(payoff[seat], seat, -1).reshape(-1, shape[seat])
        gain = paid[:, None, :] - paid[:, :, None]
        fixation = _log_fixation(alpha * gain, population)
        log_rate[line[:, :, None], line[:, None, :]] = fixation
    return _stationary(log_rate).reshape(shape)


def _check(alpha: float, population: int) -> None:
    if not (np.isfinite(alpha) and alpha >= 0.0):
        raise ParameterError("alpha", alpha, "a finite number, 0 or more")
    if population < 2:
        raise ParameterError("population", population, "2 or more")


def _log_fixation(u: Array, m: int) -> Array:
    """Return ln ρ(u) of (1): for u < 0 it is −(m−1)|u| + ln ρ(|u|)."""
    size = np.abs(u)
    near = size < 1e-14
    safe = np.where(near, 1.0, size)
    up = np.log(np.expm1(-safe) / np.expm1(-m * safe))
    return np.asarray(np.where(near, -np.log(m), np.where(u < 0.0, up - (m - 1) * size, up)))


def _stationary(log_rate: Array) -> Array:
    """Return the distribution that is stationary under rates exp(log_rate), shape (S,)."""
    off = ~np.eye(len(log_rate), dtype=np.bool_)
    finite = log_rate[off & np.isfinite(log_rate)]
    if len(log_rate) == 1:
        return np.ones(1)
    if float(finite.min()) > _LEAST:
        rate = np.where(off, np.exp(log_rate), 0.0)
        return _reduce(rate)
    return _reduce_logs(np.where(off, log_rate, -np.inf))


def _reduce(rate: Array) -> Array:
    """Remove states one by one, last first, then put them back (modifies `rate`)."""
    size = len(rate)
    for n in range(size - 1, 0, -1):
        rate[:n, n] /= rate[n, :n].sum()
        rate[:n, :n] += np.outer(rate[:n, n], rate[n, :n])
    mass = np.zeros(size)
    mass[0] = 1.0
    for n in range(1, size):
        mass[n] = mass[:n] @ rate[:n, n]
    return np.asarray(mass / mass.sum())


def _reduce_logs(rate: Array) -> Array:
    """Do the same with logarithms (modifies `rate`)."""
    size = len(rate)
    for n in range(size - 1, 0, -1):
        rate[:n, n] -= np.logaddexp.reduce(rate[n, :n])
        rate[:n, :n] = np.logaddexp(rate[:n, :n], rate[:n, n][:, None] + rate[n, :n][None, :])
    mass = np.full(size, -np.inf)
    mass[0] = 0.0
    for n in range(1, size):
        mass[n] = np.logaddexp.reduce(mass[:n] + rate[:n, n])
    share: Sequence[float] = np.exp(mass - np.logaddexp.reduce(mass)).tolist()
    return np.asarray(share)
