"""Which action is worth how much, from play-outs, giving up early on what is clearly worse.

1. All actions are tried in the same worlds (common random numbers), a batch of worlds at a
   time; batches grow by `growth`.
2. After each batch an action is given up whose advantage over the best one, paired world by
   world, is below −`margin` − `z` standard errors (never the first action, the blueprint's).
3. It ends when one action is left, or after `rollouts` play-outs or `seconds`.

With `z` = inf nothing is given up before its time: then the worse half is dropped after
each of ⌈log₂ A⌉ equal shares of the budget (sequential halving).

Sources: Karnin, Koren and Somekh 2013, "Almost optimal exploration in multi-armed bandits",
section 3; Maron and Moore 1997, "The racing algorithm" (paired comparisons and elimination);
Lerer et al. 2020, section 5.1 (the same pruning in SPARTA).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimates", "Playouts", "race"]

Reals = NDArray[np.float64]

Playouts = Callable[[Sequence[int], int], Reals]
"""(actions, worlds) to payoffs, shape (worlds, actions): the same worlds for all actions."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """What the play-outs say of each action.

    Attributes:
        actions: as given, the blueprint's choice first, shape (A,).
        worlds: in how many worlds each was tried, shape (A,).
        values: mean payoffs Q̂, shape (A,).
        advantages: means of payoff − payoff of the first action in the same worlds, (A,).
        errors: standard errors of the advantages, shape (A,); 0 for the first.
        alive: which were never given up, shape (A,).
        rollouts: play-outs in all.
    """

    actions: NDArray[np.int64]
    worlds: NDArray[np.int64]
    values: Reals
    advantages: Reals
    errors: Reals
    alive: NDArray[np.bool_]
    rollouts: int


def race(
    actions: Sequence[int],
    playouts: Playouts,
    *,
    rollouts: int = 1000,
    seconds: float = math.inf,
    batch: int = 12,
    growth: float = 1.6,
    z: float = 2.0,
    margin: float = 0.0,
) -> Estimates:
    """Estimate what actions are worth.

    Args:
        actions: the blueprint's choice first, shape (A,).
        playouts: tries actions in fresh worlds.
        rollouts: play-outs in all, at most (but one world for all is always played).
        seconds: of wall-clock time, looked at between batches.
        batch: worlds of the first batch.
        growth: of the batches.
        z: standard errors below the best at which an action is given up.
        margin: an action this much better than the first one is not enough to go on for it.
    """
    count = len(actions)
    sums, worlds = np.zeros(count), np.zeros(count, dtype=np.int64)
    payoffs: list[Reals] = []  # a block per batch, NaN where an action was given up
    alive = np.arange(count)
    started, used, size = time.monotonic(), 0, float(batch)
    halvings = max(1, math.ceil(math.log2(max(count, 2))))
    while True:
        if math.isinf(z):
            size = max(1.0, rollouts / halvings / len(alive))
        affordable = max(1, (rollouts - used) // len(alive))
        many = int(min(size, affordable))
        found = playouts([actions[int(i)] for i in alive], many)
        block = np.full((many, count), np.nan)
        block[:, alive] = found
        payoffs.append(block)
        sums[alive] += found.sum(axis=0)
        worlds[alive] += many
        used += many * len(alive)
        size *= growth
        late = used + len(alive) > rollouts or time.monotonic() - started >= seconds
        alive = _left(np.concatenate(payoffs), alive, sums, worlds, z=z, margin=margin)
        if len(alive) == 1 or late:
            break
    table = np.concatenate(payoffs)
    advantages, errors = _paired(table, 0)
    left = np.zeros(count, dtype=np.bool_)
    left[alive] = True
    return Estimates(
        np.array(actions, dtype=np.int64), worlds, sums / worlds, advantages, errors, left, used
    )


def _left(
    table: Reals,
    alive: NDArray[np.int64],
    sums: Reals,
    worlds: NDArray[np.int64],
    *,
    z: float,
    margin: float,
) -> NDArray[np.int64]:
    """Return the actions that stay in the race; the first one always does."""
    means = sums[alive] / worlds[alive]
    if math.isinf(z):
        order = alive[np.argsort(-means, kind="stable")]
        return np.sort(np.unique(np.append(order[: (len(order) + 1) // 2], alive[0])))
    best = int(alive[np.argmax(means)])
    behind, errors = _paired(table, best)
    stay = behind + z * errors >= -1e-12
    ahead, doubt = _paired(table, 0)
    stay &= ahead + z * doubt > margin
    stay[0] = True
    return alive[stay[alive]]


def _paired(table: Reals, base: int) -> tuple[Reals, Reals]:
    """Return mean and standard error of payoffs − those of `base` in the same worlds."""
    gains = table - table[:, base : base + 1]
    count = (~np.isnan(gains)).sum(axis=0)
    mean = np.nansum(gains, axis=0) / np.maximum(count, 1)
    spread = np.nansum((gains - mean) ** 2, axis=0)
    # Without this a run of equal gains would look certain after a few worlds.
    variance = (spread + 0.25) / np.maximum(count - 1, 1) / np.maximum(count, 1)
    errors = np.sqrt(variance)
    errors[base] = 0.0
    return mean, errors
