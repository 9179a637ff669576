"""Recovering bandits: what an arm pays grows with the time that it was left alone.

In each round at most K of N arms are played; an arm that was last played d rounds ago pays
R_j(d), non-decreasing in d and constant from `memory` rounds on. As a restless bandit: state
d − 1, acting pays and leads to state 0.

With `payment="bernoulli"` an arm pays 1 with probability R_j(d), else 0: state S − 1 then means
"played without success one round ago", and is like state 0 in all else.

Source: Simchi-Levi, Zheng and Zhu 2021, "Dynamic planning and learning under recovering
rewards", ICML.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.rng import generator
from games.bandits.constraints import budget_set
from games.bandits.form import RestlessBandit

__all__ = ["from_recovery", "recovering", "recovery_of"]

Reals = NDArray[np.float64]

_PAYMENTS = ("mean", "bernoulli")


def recovering(
    *,
    arms: int = 30,
    budget: int = 5,
    horizon: int = 200,
    memory: int = 20,
    instance: int = 0,
    payment: str = "mean",
) -> RestlessBandit:
    """Arms recover while idle, by concave functions; `budget` of them are played a round."""
    if arms < 1:
        raise ParameterError("arms", arms, "at least 1")
    if memory < 1:
        raise ParameterError("memory", memory, "at least 1 round")
    rng = generator(instance, "bandits", "recovering")
    worth, rate = rng.uniform(0.2, 1.0, arms), rng.uniform(0.05, 0.7, arms)
    idle = np.arange(1, memory + 1)
    return from_recovery(
        worth[:, None] * (1.0 - np.exp(-rate[:, None] * idle)),
        budget,
        horizon=horizon,
        payment=payment,
    )


def from_recovery(
    recovery: Reals, budget: int, *, horizon: int = 200, payment: str = "mean"
) -> RestlessBandit:
    """Return the bandit of given recovery functions.

    Args:
        recovery: R_j(d) for d = 1 … D, non-decreasing, shape (N, D).
        budget: arms played in a round, K.
        horizon: rounds.
        payment: `mean` pays R itself, `bernoulli` pays 1 with that probability.

    Raises:
        ParameterError: a function that decreases, or no probability where one is needed.
    """
    table = np.asarray(recovery, dtype=np.float64)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise ParameterError("recovery.shape", table.shape, "numbers of shape (N, D)")
    down = np.argwhere(np.diff(table, axis=1) < -1e-12)
    if len(down):
        arm, at = (int(k) for k in down[0])
        raise ParameterError(
            f"recovery of arm {arm} at {at + 2} rounds",
            float(table[arm, at + 1]),
            f"at least {table[arm, at]:g}, as after {at + 1}",
        )
    if payment not in _PAYMENTS:
        raise ParameterError("payment", payment, " or ".join(_PAYMENTS))
    drawn = payment == "bernoulli"
    if drawn and ((table < 0) | (table > 1)).any():
        raise ParameterError("recovery", float(table.max()), "probabilities, as they are drawn")
    arms, memory = table.shape
    states = memory + drawn
    chances, reward = np.zeros((2, arms, 2, states, states))
    idle = np.minimum(np.arange(memory) + 1, memory - 1)
    chances[:, 0, np.arange(memory), idle] = 1.0
    if drawn:
        chances[:, 0, memory, idle[0]] = 1.0
        pay = np.concatenate([table, table[:, :1]], axis=1)
        chances[:, 1, :, 0] = pay
        chances[:, 1, :, memory] = 1.0 - pay
        reward[:, 1, :, 0] = 1.0
    else:
        chances[:, 1, :, 0] = 1.0
        reward[:, 1, :, 0] = table
    initial = np.zeros((arms, states))
    initial[:, memory - 1] = 1.0
    return RestlessBandit(
        chances,
        reward,
        budget_set(arms, budget),
        initial=initial,
        horizon=horizon,
        title=f"{arms} recovering arms, {budget} a round",
        extra={"recovery": table},
    )


def recovery_of(bandit: RestlessBandit) -> Reals:
    """Return R_j(d), shape (N, D), of a recovering bandit.

    Raises:
        ParameterError: it is none.
    """
    table = bandit.extra.get("recovery")
    if table is None:
        raise ParameterError("bandit", bandit.title or "this", "a recovering bandit")
    found: Reals = table
    return found
