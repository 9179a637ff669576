"""Whittle indices of arms with n states in O(n³), with the test of indexability.

The index of state i is the charge λ on acting at which acting and resting are equally good.
As λ grows from −∞, the optimal policy leaves states from "always act" one at a time:

1. For the policy that acts in A, the advantage of acting in i is α_i − λ β_i, with
   α = δr + X r^A and β = 1 + X 1_A, where X = γ (P¹ − P⁰) M⁻¹ and M = I − γ P^A       (1)
   (average reward: γ = 1 and M = I − P^A + 1 e_0ᵀ, so that the value of state 0 is the gain);
2. the next state to leave is the i ∈ A whose advantage is the first to reach zero, and the λ
   where it does is its index;                                                          (2)
3. leaving changes one row of M, so with w = X e_i / (1 + X_ii) (Sherman–Morrison)
   X ← X − w X_i, α ← α − w α_i, β ← β − w β_i;                                        (3)
4. the arm is indexable exactly when no state that left wants to act again on the way. (4)

Only one column and one row of X are looked at in a step, so (3) is put off and applied to all
of X once in `_BLOCK` steps, as one matrix product.

Source: Gast, Gaujal and Khun 2023, "Testing indexability and computing Whittle and Gittins
index in subcubic time", Mathematical Methods of Operations Research 97.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from games.bandits.form import RestlessBandit

__all__ = ["Whittle", "indices_of", "whittle_indices"]

Reals = NDArray[np.float64]

_BLOCK = 48
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Whittle:
    """Indices of one arm.

    Attributes:
        indices: λ at which acting and resting are equally good, shape (n,); inf for states in
            which acting is better at any charge.
        indexable: whether the set of resting states only grows with λ; otherwise the indices
            are those of the states' first leaving and mean little.
    """

    indices: Reals
    indexable: bool


def whittle_indices(transition: Reals, reward: Reals, *, discount: float = 1.0) -> Whittle:
    """Return the Whittle indices of an arm.

    Args:
        transition: P, shape (2, n, n): resting, then acting.
        reward: shape (2, n).
        discount: γ; 1: average reward (the chain must have one recurrent class under the
            policies on the way).

    Raises:
        ParameterError: shapes or a discount out of range.
        NotApplicableError: average reward, and several recurrent classes.
    """
    chances, pay = np.asarray(transition, np.float64), np.asarray(reward, np.float64)
    n = chances.shape[-1]
    if chances.shape != (2, n, n) or pay.shape != (2, n):
        raise ParameterError("transition.shape", chances.shape, "(2, n, n), and rewards (2, n)")
    if not 0.0 < discount <= 1.0:
        raise ParameterError("discount", discount, "a number in (0, 1]")
    x = _first(chances, discount)
    alpha = (pay[1] - pay[0]) + x @ pay[1]  # (1): r^A is the reward of acting everywhere
    beta = 1.0 + x.sum(axis=1)
    scale = max(1.0, float(np.abs(pay).max()))
    acting = np.ones(n, dtype=np.bool_)
    indices = np.full(n, np.inf)
    left = np.zeros((n, _BLOCK))  # w of the steps that are put off
    right = np.zeros((_BLOCK, n))  # X_i of the same
    held, charge, indexable = 0, -np.inf, True
    for _ in range(n):
        crossing = np.full(n, np.inf)
        may = acting & (beta > _TOLERANCE)
        crossing[may] = alpha[may] / beta[may]
        i = int(np.argmin(crossing))
        after = float(crossing[i])
        if after == np.inf:
            indexable &= _stays(alpha, beta, ~acting, None, scale)
            break
        after = max(after, charge)
        indexable &= _stays(alpha, beta, ~acting, after, scale)
        charge = indices[i] = after
        column = x[:, i] - left[:, :held] @ right[:held, i]
        row = x[i] - left[i, :held] @ right[:held]
        pivot = 1.0 + float(column[i])
        if abs(pivot) < 1e-14:
            raise NotApplicableError(_CHAINS)
        w = column / pivot
        left[:, held], right[held] = w, row
        held += 1
        alpha = alpha - w * alpha[i]  # (3)
        beta = beta - w * beta[i]
        acting[i] = False
        if held == _BLOCK:
            x -= left @ right
            held = 0
    return Whittle(indices, bool(indexable))


_CHAINS = (
    "with average reward an arm must have one recurrent class under every policy on the way;"
    " give a discount below 1"
)


def _first(chances: Reals, discount: float) -> Reals:
    """Return X of "act everywhere" (1), shape (n, n)."""
    from scipy.linalg import LinAlgError, solve

    n = chances.shape[-1]
    system = np.eye(n) - discount * chances[1]
    if discount == 1.0:
        system[:, 0] += 1.0
    try:
        found: Reals = solve(system.T, discount * (chances[1] - chances[0]).T, check_finite=False).T
    except LinAlgError as error:
        raise NotApplicableError(_CHAINS) from error
    if not np.isfinite(found).all() or np.abs(found).max() > 1e13:
        raise NotApplicableError(_CHAINS)
    return np.ascontiguousarray(found)


def _stays(
    alpha: Reals, beta: Reals, resting: NDArray[np.bool_], charge: float | None, scale: float
) -> bool:
    """Return whether no resting state wants to act at `charge` (None: as it grows for ever)."""
    if charge is None:
        return bool((beta[resting] >= -1e-7).all())
    wish = alpha[resting] - charge * beta[resting]
    return bool((wish <= 1e-7 * scale * max(1.0, abs(charge))).all())


def indices_of(form: RestlessBandit, *, discount: float | None = None) -> tuple[Reals, list[int]]:
    """Return the indices of all arms, shape (J, S), and the arms that are not indexable.

    Args:
        form: a bandit whose arms have two modes.
        discount: by default the bandit's own.

    Raises:
        NotApplicableError: more than two modes, or several recurrent classes.
    """
    if form.modes != 2:
        raise NotApplicableError(
            f"Whittle indices are about acting or not; these arms have {form.modes} modes"
        )
    gamma = form.discount if discount is None else discount
    out, bad = np.zeros((form.arms, form.states)), []
    expected = form.expected
    for j, size in enumerate(form.sizes):
        found = whittle_indices(
            form.transition[j, :, :size, :size], expected[j, :, :size], discount=gamma
        )
        out[j, :size] = found.indices
        if not found.indexable:
            bad.append(j)
    finite = np.isfinite(out)
    top = float(np.abs(out[finite]).max()) if finite.any() else 1.0
    return np.where(finite, out, 1e6 * max(top, 1.0)), bad
