"""Ranks that admit ties: simultaneous comparisons of all pairs from a joint covariance.

Two agents are *separated* when their difference exceeds c standard errors of that
difference, with c from Tukey and Kramer: the 95% quantile of the range of K independent
standard normals, over √2. All K(K−1)/2 statements then hold together with that
probability or more (Hayter 1984 for independent estimates with unequal variances). From
them follow rank intervals that hold together too: an agent's rank is at least 1 + the
number of agents separated above it, and at most K − the number separated below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

__all__ = ["Comparison", "compare_all", "critical_value"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What can be said about every pair.

    Attributes:
        rank: shared rank, shape (K,).
        rank_low: best rank of each agent that the data allow, shape (K,).
        rank_high: worst rank, shape (K,).
        superiority: probability that k is truly better than j, shape (K, K).
    """

    rank: NDArray[np.int64]
    rank_low: NDArray[np.int64]
    rank_high: NDArray[np.int64]
    superiority: NDArray[np.float64]


def compare_all(
    rating: NDArray[np.float64],
    covariance: NDArray[np.float64],
    *,
    order: list[int],
    level: float,
    group: NDArray[np.int64] | None = None,
) -> Comparison:
    """Compare all agents by their estimates (K,) and joint covariance (K, K).

    Args:
        rating: estimates.
        covariance: of the estimates; a common shift of all agents does not matter.
        order: agent indices from best to worst, by which shared ranks are given out.
        level: of all statements together.
        group: agents of different groups cannot be compared at all.
    """
    size = len(rating)
    with np.errstate(invalid="ignore"):  # −∞ less −∞: two agents without a match
        gap = rating[:, None] - rating[None, :]
    variance = np.diag(covariance)
    error = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * covariance, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0.0, gap / error, np.where(gap == 0.0, 0.0, np.copysign(np.inf, gap)))
    # An unknown error (one match) separates nothing.
    z[np.isnan(z)] = 0.0
    if group is not None:
        z[group[:, None] != group[None, :]] = 0.0
    np.fill_diagonal(z, 0.0)
    above = critical_value(size, level) < z.T  # above[k, j]: j is separated above k
    low = 1 + above.sum(axis=1)
    high = size - above.sum(axis=0)
    rank = np.empty(size, dtype=np.int64)
    leader = order[0]
    current = 1
    for place, k in enumerate(order, start=1):
        if above[k, leader]:
            leader, current = k, place
        rank[k] = current
    return Comparison(rank, low.astype(np.int64), high.astype(np.int64), ndtr(z))


@lru_cache(maxsize=64)
def critical_value(size: int, level: float) -> float:
    """Return Tukey and Kramer's c for all pairs of `size` estimates at `level`."""
    if size < 2:
        return 0.0
    z = np.linspace(-9.0, 9.0, 3601)
    weight = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) * (z[1] - z[0])

    def excess(q: float) -> float:
        inside = (ndtr(z + q) - ndtr(z)) ** (size - 1)
        return float(size * (weight @ inside)) - level

    return float(brentq(excess, 0.0, 40.0, xtol=1e-10) / np.sqrt(2.0))
