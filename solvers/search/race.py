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
    names = np.array(actions, dtype=np.int64)
    alive, table = np.arange(count), np.zeros((0, count))
    worlds = np.zeros(count, dtype=np.int64)
    values, advantages, errors = np.zeros(count), np.zeros(count), np.zeros(count)
    started, used, size = time.monotonic(), 0, float(batch)
    halvings = max(1, math.ceil(math.log2(max(count, 2))))
    while True:
        if math.isinf(z):
            size = max(1.0, rollouts / halvings / len(alive))
        affordable = max(1, (rollouts - used) // len(alive))
        many = int(min(size, affordable))
        table = np.concatenate([table, playouts(names[alive].tolist(), many)])
        worlds[alive] += many
        used += many * len(alive)
        size *= growth
        late = used + len(alive) > rollouts or time.monotonic() - started >= seconds
        values[alive] = table.mean(axis=0)
        advantages[alive], errors[alive] = _paired(table, 0)
        stay = _left(table, values[alive], advantages[alive], errors[alive], z=z, margin=margin)
        alive, table = alive[stay], table[:, stay]
        if len(alive) == 1 or late:
            break
    left = np.zeros(count, dtype=np.bool_)
    left[alive] = True
    return Estimates(names, worlds, values, advantages, errors, left, used)


def _left(
    table: Reals, means: Reals, ahead: Reals, doubt: Reals, *, z: float, margin: float
) -> NDArray[np.bool_]:
    """Return which actions stay in the race; the first one always does."""
    if math.isinf(z):
        stay = np.zeros(len(means), dtype=np.bool_)
        stay[np.argsort(-means, kind="stable")[: (len(means) + 1) // 2]] = True
    else:
        behind, errors = _paired(table, int(np.argmax(means)))
        stay = (behind + z * errors >= -1e-12) & (ahead + z * doubt > margin)
    stay[0] = True
    return stay


def _paired(table: Reals, base: int) -> tuple[Reals, Reals]:
    """Return mean and standard error of payoffs, (M, A), less those of `base` in each world."""
    gains = table - table[:, base : base + 1]
    count = len(table)
    mean = gains.mean(axis=0)
    # Without the addend a run of equal gains would look certain after a few worlds.
    spread = np.maximum((gains * gains).sum(axis=0) - count * mean * mean, 0.0) + 0.25
    errors = np.sqrt(spread / (max(count - 1, 1) * count))
    errors[base] = 0.0
    return mean, errors
