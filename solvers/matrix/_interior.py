"""An interior-point method for separable convex functions of a distribution.

    minimise Σ_j φ(σ_j)   under   Gσ ≤ ε, Σσ = 1, σ ≥ 0                                    (1)

with φ(σ) = σ ln σ (entropy) or σ²/2 (Gini impurity). φ'' is diagonal, so that one step is a
dense Cholesky factor of order m, the number of rows of G. With λ the multipliers of the
rows, s their slacks, z those of σ ≥ 0 and μ the barrier, Newton's method on

    φ'(σ) + Gᵀλ + ν − z = 0,  Gσ + s = ε,  Σσ = 1,  λs = μ,  zσ = μ                          (2)

Source: Boyd and Vandenberghe 2004, "Convex Optimization", section 11.7.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from arena.errors import ArenaError

__all__ = ["spread"]

Reals = NDArray[np.float64]

_SHORT = 0.99
_END = 1e-13


def spread(g: Any, *, entropy: bool, slack: float, limit: int = 200) -> Reals:
    """Return the solution of (1), shape (J,).

    Args:
        g: G, a sparse array (m, J) with entries of size about one.
        entropy: the largest entropy, else the largest Gini impurity 1 − Σσ².
        slack: ε, positive, so that the interior is not empty.
        limit: the most steps.

    Raises:
        ArenaError: no convergence.
    """
    m, size = g.shape
    gt = g.T.tocsr()
    sigma = np.full(size, 1.0 / size)
    # Without entropy the objective is scaled so that its gradient at uniform play is one.
    curve = 1.0 if entropy else float(size)
    s = np.maximum(slack - g @ sigma, 0.1)
    lam, z, nu = 1.0 / s * 0.1, np.ones(size), 0.0
    centring = 0.1
    for _ in range(limit):
        gap = float(lam @ s) + float(z @ sigma)
        primal = slack - g @ sigma - s
        first = np.log(sigma) + 1.0 if entropy else curve * sigma
        dual = first + gt @ lam + nu - z
        total = 1.0 - float(sigma.sum())
        worst = max(float(np.abs(primal).max()), abs(total))
        # The weight keeps entries that are hardly played from holding up the end.
        if gap < _END * 1e3 and worst < _END and float(np.abs(dual * sigma).max()) < 1e-9:
            return np.asarray(sigma / sigma.sum())
        mu = centring * gap / (m + size)
        hessian = (1.0 / sigma if entropy else np.full(size, curve)) + z / sigma
        pull = dual + z - mu / sigma
        inverse = 1.0 / hessian
        scaled = g.multiply(inverse[None, :]).tocsr()
        schur = (scaled @ gt).toarray()
        schur[np.diag_indices(m)] += s / lam
        # Rows far from tight have enormous diagonals: equal ones keep the others' digits.
        even = 1.0 / np.sqrt(np.diagonal(schur))
        schur *= even[:, None] * even
        schur[np.diag_indices(m)] += 1e-15
        factor = cho_factor(schur, check_finite=False)
        right = -(primal - mu / lam + s) - scaled @ pull
        ones = scaled @ np.ones(size)
        by_ones = even * cho_solve(factor, even * ones, check_finite=False)
        by_right = even * cho_solve(factor, even * right, check_finite=False)
        d_nu = (float(ones @ by_right) - (-total - float(inverse @ pull))) / (
            float(ones @ by_ones) - float(inverse.sum())
        )
        d_lam = by_right - d_nu * by_ones
        d_sigma = -inverse * (pull + gt @ d_lam + d_nu)
        d_s = primal - g @ d_sigma
        step = min(_room(sigma, d_sigma), _room(s, d_s))
        d_z = (mu - z * d_sigma) / sigma - z
        dual_step = min(_room(lam, d_lam), _room(z, d_z))
        # After a short step: back to the middle first.
        centring = 0.1 if min(step, dual_step) > 0.5 else min(1.2, 2.0 * centring + 0.3)
        sigma, s = sigma + step * d_sigma, s + step * d_s
        lam, z, nu = lam + dual_step * d_lam, z + dual_step * d_z, nu + dual_step * d_nu
        if not np.isfinite(sigma).all():
            break
    raise ArenaError(f"the interior-point method did not converge within {limit} steps")


def _room(value: Reals, move: Reals) -> float:
    """Return how far along `move` a positive vector stays positive, at most 1."""
    falling = move < 0
    if not falling.any():
        return 1.0
    return min(1.0, _SHORT * float((-value[falling] / move[falling]).min()))
