"""Glicko-2: ratings with a deviation and a volatility, updated period by period.

Steps 1–8 of Glickman, "Example of the Glicko-2 system" (2013); the volatility is found
by the Illinois algorithm of step 5. All matches of a period count as simultaneous, so
within a period their order does not matter; between periods it does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from arena.errors import ParameterError
from tournaments.ratings._summary import board
from tournaments.ratings.leaderboard import Leaderboard
from tournaments.ratings.sequence import comparisons
from tournaments.records import ResultSet

__all__ = ["glicko2", "update"]

_SCALE = 173.7178
_EPSILON = 1e-6


def glicko2(
    results: ResultSet,
    *,
    period: int | None = None,
    tau: float = 0.5,
    start: float = 1500.0,
    deviation: float = 350.0,
    volatility: float = 0.06,
) -> Leaderboard:
    """Rate by Glicko-2; intervals are rating ± 1.96 deviations.

    Args:
        results: matches; of n sides count all comparisons of two.
        period: matches a rating period; None makes all of them one period, whose order
            does not matter. Folded results have no order, so they need None.
        tau: how fast the volatility may change (Glickman: 0.3 to 1.2).
        start: rating of a newcomer.
        deviation: deviation of a newcomer.
        volatility: volatility of a newcomer.

    Raises:
        ParameterError: a setting out of range.
        NotApplicableError: no match has two sides.
    """
    for name, value in (("tau", tau), ("deviation", deviation), ("volatility", volatility)):
        if not value > 0.0:
            raise ParameterError(name, value, "a number above 0")
    if period is not None and (period < 1 or not results.ordered):
        raise ParameterError("period", period, "a number of matches, of ordered results; or None")
    games = comparisons(results)
    size = len(results.agents)
    players = [(start, deviation, volatility)] * size
    length = games.matches if period is None else period
    for low in range(0, games.matches, length):
        rows = slice(games.start[low], games.start[min(low + length, games.matches)])
        met: list[dict[tuple[int, float], float]] = [{} for _ in range(size)]
        # A comparison in a match of n sides counts like one of n−1 matches would.
        for a, b, s in zip(
            games.first[rows].tolist(),
            games.second[rows].tolist(),
            games.score[rows].tolist(),
            strict=True,
        ):
            if a != b:
                met[a][b, s] = met[a].get((b, s), 0.0) + 1.0
                met[b][a, 1.0 - s] = met[b].get((a, 1.0 - s), 0.0) + 1.0
        players = [
            update(
                players[k],
                [(*players[b][:2], s, n) for (b, s), n in met[k].items()],
                tau=tau,
                start=start,
            )
            for k in range(size)
        ]
    rating = np.array([p[0] for p in players])
    spread = np.array([p[1] for p in players])
    return board(
        results,
        rating,
        method="glicko2",
        scale=f"Glicko-2 from {start:g}",
        level=0.95,
        half_width=1.959963984540054 * spread,
        warnings=()
        if period is None
        else ("Glicko-2 with several periods depends on the order of the matches",),
        details={f"volatility of {a}": p[2] for a, p in zip(results.agents, players, strict=True)},
    )


def update(
    player: tuple[float, float, float],
    met: Sequence[tuple[float, float, float, float]],
    *,
    tau: float,
    start: float = 1500.0,
) -> tuple[float, float, float]:
    """Return a player's rating, deviation and volatility after one period.

    Args:
        player: rating, deviation and volatility before it.
        met: rating and deviation of an opponent, the score against it, how often.
        tau: see `glicko2`.
        start: where the scale has its zero.
    """
    mu, phi, sigma = (player[0] - start) / _SCALE, player[1] / _SCALE, player[2]
    if not met:
        return player[0], _SCALE * math.hypot(phi, sigma), sigma
    precision, surplus = 0.0, 0.0
    for rating, deviation, score, times in met:
        other = deviation / _SCALE
        g = 1.0 / math.sqrt(1.0 + 3.0 * other * other / math.pi**2)
        expected = 1.0 / (1.0 + math.exp(-g * (mu - (rating - start) / _SCALE)))
        precision += times * g * g * expected * (1.0 - expected)
        surplus += times * g * (score - expected)
    variance = 1.0 / precision
    sigma = _volatility(phi, sigma, variance, variance * surplus, tau)
    phi = 1.0 / math.sqrt(1.0 / (phi * phi + sigma * sigma) + precision)
    return start + _SCALE * (mu + phi * phi * surplus), _SCALE * phi, sigma


def _volatility(phi: float, sigma: float, v: float, delta: float, tau: float) -> float:
    """Find the new volatility (step 5)."""
    log_old = math.log(sigma * sigma)

    def f(x: float) -> float:
        e = math.exp(x)
        total = phi * phi + v + e
        return e * (delta * delta - total) / (2.0 * total * total) - (x - log_old) / (tau * tau)

    a = log_old
    if delta * delta > phi * phi + v:
        b = math.log(delta * delta - phi * phi - v)
    else:
        k = 1
        while f(log_old - k * tau) < 0.0:
            k += 1
        b = log_old - k * tau
    fa, fb = f(a), f(b)
    while abs(b - a) > _EPSILON:
        c = a + (a - b) * fa / (fb - fa)
        fc = f(c)
        if fc * fb <= 0.0:
            a, fa = b, fb
        else:
            fa *= 0.5
        b, fb = c, fc
    return math.exp(a / 2.0)
