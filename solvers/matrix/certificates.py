"""Certificates of normal forms: computed from the payoff tensor, apart from any solver.

For a profile π of mixed strategies, u_p(a) the payoff of seat p for action a:
    regret_p   = max_a u_p(a) − Σ_a π_p(a) u_p(a)                                        (1)
    NashConv   = Σ_p regret_p, exploitability = NashConv / n (Lanctot et al. 2017)
    QRE gap    = Σ_p τ KL(π_p ‖ softmax(u_p/τ + ln ρ_p)), the sum of regrets of the game
                 in which seat p also pays τ KL(· ‖ ρ_p) (McKelvey and Palfrey 1995)         (2)
For a distribution σ over joint actions (Aumann 1987; Moulin and Vial 1978):
    CCE gap    = Σ_p max(0, max_b E_σ[u_p(b, a_−p) − u_p(a)])                              (3)
    CE gap     = Σ_p Σ_a max_b Σ_{a_−p} σ(a, a_−p) (u_p(b, a_−p) − u_p(a, a_−p))            (4)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.solver import Gap
from games.normal_form import NormalForm

__all__ = [
    "action_values",
    "certify_joint",
    "certify_profile",
    "certify_qre",
    "checked_joint",
    "checked_profile",
]

Reals = NDArray[np.float64]

_SUM = 1e-6


def checked_profile(form: NormalForm, profile: Sequence[Any]) -> list[Reals]:
    """Return mixed strategies as arrays, one a seat, shape (A_p,).

    Raises:
        ParameterError: not one distribution for each seat; the message names the seat.
    """
    if len(profile) != form.seats:
        raise ParameterError("profile", f"{len(profile)} strategies", f"{form.seats}, one a seat")
    out = []
    for seat, (given, count) in enumerate(zip(profile, form.actions, strict=True)):
        row = np.asarray(given, dtype=np.float64)
        if row.shape != (count,) or not _is_distribution(row):
            raise ParameterError(
                f"strategy of seat {seat}",
                row.tolist(),
                f"{count} probabilities that sum to one",
            )
        out.append(row)
    return out


def checked_joint(form: NormalForm, joint: Any) -> Reals:
    """Return a distribution over joint actions, shape (A_1, …, A_n).

    Raises:
        ParameterError: another shape, or no distribution.
    """
    array = np.asarray(joint, dtype=np.float64)
    if array.shape != form.actions:
        raise ParameterError("joint.shape", array.shape, f"{form.actions}")
    if not _is_distribution(array):
        raise ParameterError(
            "joint", f"total {float(array.sum())!r}", "probabilities that sum to one"
        )
    return array


def _is_distribution(array: Reals) -> bool:
    return bool(
        np.isfinite(array).all() and (array >= -1e-12).all() and abs(array.sum() - 1.0) <= _SUM
    )


def action_values(form: NormalForm, profile: Sequence[Any], seat: int) -> Reals:
    """Return the payoff of each action of `seat` against the others' strategies, shape (A,)."""
    values = form.payoffs[seat]
    # From the last axis down, so that the axes still to come keep their place.
    for other in reversed(range(form.seats)):
        if other != seat:
            values = np.tensordot(values, profile[other], axes=(other, 0))
    return np.asarray(values, dtype=np.float64)


def certify_profile(form: NormalForm, profile: Sequence[Any]) -> dict[str, Gap]:
    """Return how far mixed strategies are from a Nash equilibrium, by (1).

    Args:
        form: any number of seats, any payoffs.
        profile: one distribution a seat, shapes (A_p,).

    Returns:
        `nash_conv` and `exploitability`; for each seat p `value_p` and `regret_p`.

    Raises:
        ParameterError: not a distribution; the message names the seat.
    """
    rows = checked_profile(form, profile)
    regrets, values = [], []
    for seat, row in enumerate(rows):
        worth = action_values(form, rows, seat)
        values.append(float(worth @ row))
        regrets.append(max(0.0, float(worth.max()) - values[-1]))
    total = sum(regrets)
    out = {"nash_conv": Gap(total), "exploitability": Gap(total / form.seats)}
    for seat in range(form.seats):
        out[f"value_{seat}"] = Gap(values[seat])
        out[f"regret_{seat}"] = Gap(regrets[seat])
    return out


def certify_qre(
    form: NormalForm,
    profile: Sequence[Any],
    *,
    temperature: float,
    magnet: Sequence[Any] | None = None,
) -> dict[str, Gap]:
    """Return how far mixed strategies are from the logit equilibrium at a temperature.

    Args:
        form: any number of seats, any payoffs.
        profile: one distribution a seat, shapes (A_p,).
        temperature: τ, in payoff units.
        magnet: ρ, a distribution a seat; by default uniform.

    Returns:
        `qre_gap`, by (2), in payoff units, and `qre_residual`: the greatest difference
        between a probability and the quantal response to the profile.

    Raises:
        ParameterError: a temperature that is not positive, or no distribution.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ParameterError("temperature", temperature, "a positive number")
    rows = checked_profile(form, profile)
    pulls = None if magnet is None else checked_profile(form, magnet)
    gap = residual = 0.0
    for seat, row in enumerate(rows):
        logits = action_values(form, rows, seat) / temperature
        if pulls is not None:
            with np.errstate(divide="ignore"):
                logits = logits + np.log(pulls[seat])
        shifted = logits - logits.max()
        log_response = shifted - np.log(np.exp(shifted).sum())
        residual = max(residual, float(np.abs(row - np.exp(log_response)).max()))
        played = row > 0
        gap += temperature * float(row[played] @ (np.log(row[played]) - log_response[played]))
    return {"qre_gap": Gap(max(0.0, gap)), "qre_residual": Gap(residual)}


def certify_joint(form: NormalForm, joint: Any) -> dict[str, Gap]:
    """Return how far a distribution over joint actions is from (coarse) correlated equilibrium.

    Args:
        form: any number of seats, any payoffs.
        joint: shape (A_1, …, A_n).

    Returns:
        `cce_gap` and `ce_gap`, by (3) and (4); for each seat p `value_p`,
        `cce_regret_p` and `ce_regret_p`.

    Raises:
        ParameterError: another shape, or no distribution.
    """
    sigma = checked_joint(form, joint)
    coarse, swap, values = [], [], []
    for seat in range(form.seats):
        pay = np.moveaxis(form.payoffs[seat], seat, 0).reshape(form.actions[seat], -1)
        weight = np.moveaxis(sigma, seat, 0).reshape(form.actions[seat], -1)
        earned = weight @ pay.T  # [told, played instead], shape (A, A)
        told = np.diagonal(earned)
        values.append(float(told.sum()))
        coarse.append(max(0.0, float(earned.sum(axis=0).max()) - values[-1]))
        swap.append(float((earned.max(axis=1) - told).sum()))
    out = {"cce_gap": Gap(sum(coarse)), "ce_gap": Gap(sum(swap))}
    for seat in range(form.seats):
        out[f"value_{seat}"] = Gap(values[seat])
        out[f"cce_regret_{seat}"] = Gap(coarse[seat])
        out[f"ce_regret_{seat}"] = Gap(swap[seat])
    return out
