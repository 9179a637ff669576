"""Nash averaging: rate agents against the maximum-entropy equilibrium of their meta-game.

The meta-game is the antisymmetric matrix A, A[i, j] what i gains against j. Its
equilibria are the p with p ≥ 0, Σp = 1, A p ≤ 0. Of them the one with the largest
entropy is unique, so copies of an agent change nothing (Balduzzi et al. 2018, §4):

1. The largest support, by one linear program over the cone x ≥ 0, A x ≤ 0:
   maximise Σ t with 0 ≤ t ≤ 1 and t ≤ x (HiGHS).
2. On that support S, maximum entropy under A_S p = 0 (and A p ≤ 0 elsewhere), through
   its smooth dual: p ∝ exp(−Bᵀλ), λ minimises ln Σ exp(−Bᵀλ).
3. The rating of agent i is (A p)_i: 0 for the agents in S, negative below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog, minimize
from scipy.special import logsumexp, softmax

from arena.errors import NotApplicableError, ParameterError
from tournaments.crossplay import payoff_matrix
from tournaments.ratings._summary import board
from tournaments.ratings.leaderboard import Leaderboard
from tournaments.ratings.selection import only
from tournaments.records import ResultSet

__all__ = ["max_entropy_nash", "nash_averaging"]

Array = NDArray[np.float64]

_FEASIBLE = 1e-6


def nash_averaging(results: ResultSet, *, game: str | None = None) -> Leaderboard:
    """Rate by mean payoff against the maximum-entropy equilibrium of the round robin.

    Args:
        results: a full round robin of one game.
        game: which game; may be left out if there is only one.

    Raises:
        NotApplicableError: pairs that never met, or a cooperative game.
    """
    if game is not None and game in results.games:
        results = only(results, list(results.games).index(game))
    matrix = payoff_matrix(results, game=game)
    if matrix.cooperative:
        raise NotApplicableError(f"{matrix.game} is cooperative: it has no winners to average")
    matrix.require_complete()
    gain = matrix.zero_sum()
    np.fill_diagonal(gain, 0.0)
    share = max_entropy_nash(gain)
    return board(
        results,
        np.round(gain @ share, 9) + 0.0,
        method="nash_averaging",
        scale="payoff against the maximum-entropy equilibrium",
        level=float("nan"),
        warnings=("Nash averaging takes the mean payoffs as exact: no intervals",),
        details={
            f"equilibrium share of {a}": float(p)
            for a, p in zip(results.agents, share, strict=True)
        },
    )


def max_entropy_nash(gain: Array) -> Array:
    """Return the symmetric equilibrium of largest entropy, shape (K,).

    Args:
        gain: antisymmetric up to rounding, shape (K, K).

    Raises:
        ParameterError: a matrix that is not square or not antisymmetric.
        NotApplicableError: the search did not converge; the message says how far it got.
    """
    gain = np.asarray(gain, dtype=np.float64)
    if gain.ndim != 2 or gain.shape[0] != gain.shape[1] or gain.shape[0] == 0:
        raise ParameterError("gain", gain.shape, "a square matrix")
    scale = float(np.abs(gain).max())
    if not np.isfinite(scale) or float(np.abs(gain + gain.T).max()) > 1e-6 * scale:
        raise ParameterError("gain", "not antisymmetric", "a matrix with A = −Aᵀ up to rounding")
    size = len(gain)
    if scale == 0.0:
        return np.full(size, 1.0 / size)
    a = 0.5 * (gain - gain.T) / scale
    inside = _largest_support(a)
    share = np.zeros(size)
    share[inside] = _max_entropy(a, inside)
    return share


def _largest_support(a: Array) -> NDArray[np.int64]:
    """Return the agents that some equilibrium plays (one equilibrium plays them all)."""
    size = len(a)
    eye = np.eye(size)
    # Variables x, t: A x ≤ 0 and t − x ≤ 0.
    rows = np.block([[a, np.zeros((size, size))], [-eye, eye]])
    found = linprog(
        np.concatenate([np.zeros(size), -np.ones(size)]),
        A_ub=rows,
        b_ub=np.zeros(2 * size),
        bounds=[(0.0, None)] * size + [(0.0, 1.0)] * size,
        method="highs",
    )
    if found.status != 0:
        raise NotApplicableError(f"the linear program failed: {found.message}")
    return np.flatnonzero(found.x[size:] > 0.5)


def _max_entropy(a: Array, inside: NDArray[np.int64]) -> Array:
    """Return the distribution on `inside` of largest entropy that is an equilibrium of `a`."""
    if len(inside) == 1:
        return np.ones(1)
    outside = np.setdiff1d(np.arange(len(a)), inside)
    rows = np.concatenate([a[np.ix_(inside, inside)], a[np.ix_(outside, inside)]])
    bounds = [(None, None)] * len(inside) + [(0.0, None)] * len(outside)

    def dual(weight: Array) -> tuple[float, Array]:
        slope = -(weight @ rows)
        return float(logsumexp(slope)), -(rows @ softmax(slope))

    best = minimize(
        dual,
        np.zeros(len(rows)),
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-16, "gtol": 1e-10},
    )
    share = np.asarray(softmax(-(best.x @ rows)))
    excess = float((rows @ share).max())
    if excess > _FEASIBLE:
        raise NotApplicableError(
            f"the maximum-entropy equilibrium was not reached: some agent still gains "
            f"{excess:.1g} of the largest payoff ({best.message})"
        )
    return share
