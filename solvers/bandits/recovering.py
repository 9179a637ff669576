"""Recovering bandits: a bound, Whittle indices in closed form, and purely periodic policies.

1. An arm played every d rounds pays R(d)/d a round and takes 1/d of a place, so for every λ

       min_λ Σ_j max_d (R_j(d) − λ)⁺ / d + λ K                                         (1)

   bounds what any policy earns a round in the long run.
2. The Whittle index of an arm idle for τ rounds is W(τ) = (τ + 1) R(τ) − τ R(τ + 1).
3. A purely periodic policy plays arm j every d_j rounds. Periods are those of (1) at the best
   λ, rounded up to b·2^k for a base b; arms with such periods fit into K places without a clash
   exactly when Σ 1/d_j ≤ K. All bases that give other roundings are tried, arms are dropped,
   worst first, until the rest fit, and what is then free is given back to arms that gain
   most by a shorter period.

Source: Simchi-Levi, Zheng and Zhu 2021, ICML.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.bandits.form import RestlessBandit
from games.bandits.recovering import recovery_of

__all__ = ["Periodic", "periodic", "recovering_bound", "recovering_indices"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEVELS = 12
"""Periods tried: b, 2b, …, 2048b."""


@dataclass(frozen=True, eq=False)
class Periodic:
    """A purely periodic policy.

    Attributes:
        periods: d_j, or 0 for an arm that is never played, shape (N,).
        offsets: the first round in which it is played, shape (N,).
        cycle: after how many rounds everything repeats.
        reward: what it earns a round.
        bound: what any policy earns at most a round, (1).
    """

    periods: Ints
    offsets: Ints
    cycle: int
    reward: float
    bound: float

    def plays(self, round: int) -> NDArray[np.bool_]:
        """Return which arms are played in that round, counted from 0, shape (N,)."""
        on = self.periods > 0
        found: NDArray[np.bool_] = on & (round % np.maximum(self.periods, 1) == self.offsets)
        return found


def recovering_indices(form: RestlessBandit) -> Reals:
    """Return values of resting (0) and acting (Whittle's index), shape (J, S, 2)."""
    table = recovery_of(form)
    idle = np.arange(1, table.shape[1] + 1)
    after = np.concatenate([table[:, 1:], table[:, -1:]], axis=1)
    index = (idle + 1) * table - idle * after
    out = np.zeros((form.arms, form.states, 2))
    out[:, : table.shape[1], 1] = index
    if form.states > table.shape[1]:
        out[:, -1, 1] = index[:, 0]
    return out


def _chosen(table: Reals, charge: float) -> tuple[Reals, Ints]:
    """Return max_d (R(d) − λ)⁺ / d and the d that attains it, 0 if none pays."""
    idle = np.arange(1, table.shape[1] + 1)
    gain = (table - charge) / idle
    best = gain.argmax(axis=1)
    value = gain[np.arange(len(table)), best]
    return np.maximum(value, 0.0), np.where(value > 0, best + 1, 0)


def recovering_bound(recovery: Reals, budget: int) -> tuple[float, float]:
    """Return the bound (1) a round, and the λ that attains it.

    (1) is convex in λ; its slope is K − Σ 1/d, so bisection finds the λ where it turns.
    """
    low, high = 0.0, float(max(recovery.max(), 0.0)) + 1e-12
    for _ in range(200):
        middle = (low + high) / 2
        periods = _chosen(recovery, middle)[1]
        if (1.0 / periods[periods > 0]).sum() > budget:
            low = middle
        else:
            high = middle
    return min(
        (float(_chosen(recovery, charge)[0].sum()) + charge * budget, charge)
        for charge in (0.0, low, high)
    )


def periodic(recovery: Reals, budget: int) -> Periodic:
    """Return a good purely periodic policy.

    Args:
        recovery: R_j(d), shape (N, D).
        budget: arms played in a round, K.

    Raises:
        ParameterError: a budget below 1.
    """
    if budget < 1:
        raise ParameterError("budget", budget, "at least 1 arm a round")
    table = np.asarray(recovery, dtype=np.float64)
    bound, charge = recovering_bound(table, budget)
    best: tuple[float, Ints, int] = (-1.0, np.zeros(len(table), dtype=np.int64), 1)
    # At the turning point some arms stand between two periods; a little more charge or less
    # gives either.
    targets = {
        tuple(_chosen(table, max(charge + nudge * max(1.0, charge), 0.0))[1].tolist())
        for nudge in (0.0, 1e-9, -1e-9, 1e-3, -1e-3)
    }
    for target in sorted(targets):
        for base in range(1, 2 * table.shape[1] + 1):
            periods = _fitted(table, np.array(target), base, budget)
            earned = _earned(table, periods)
            if earned > best[0]:
                best = (earned, periods, base)
    earned, periods, base = best
    return Periodic(periods, _offsets(periods, budget), _cycle(periods), earned, bound)


def _earned(table: Reals, periods: Ints) -> float:
    on = np.flatnonzero(periods)
    at = np.minimum(periods[on], table.shape[1]) - 1
    return float((table[on, at] / periods[on]).sum())


def _cycle(periods: Ints) -> int:
    return int(max(periods.max(initial=1), 1))


def _fitted(table: Reals, wanted: Ints, base: int, budget: int) -> Ints:
    """Return periods base·2^k near `wanted` that fit into the budget."""
    depth = table.shape[1]
    levels = base * 2 ** np.arange(_LEVELS)
    periods = np.append(levels, 0)  # the last one: never
    share = np.append(1.0 / levels, 0.0)
    rate = np.zeros((len(table), _LEVELS + 1))
    rate[:, :-1] = table[:, np.minimum(levels, depth) - 1] / levels
    arms = np.arange(len(table))
    at = np.where(wanted > 0, np.searchsorted(levels, np.maximum(wanted, 1)), _LEVELS)
    # Lengthen or drop where a place is worth least, then shorten or add where worth most.
    while share[at].sum() > budget + 1e-12:
        best = (np.inf, 0, 0)
        for then in (np.minimum(at + 1, _LEVELS), np.full(len(at), _LEVELS)):
            freed = share[at] - share[then]
            lost = rate[arms, at] - rate[arms, then]
            price = np.where(freed > 0, lost / np.where(freed > 0, freed, 1.0), np.inf)
            arm = int(price.argmin())
            best = min(best, (float(price[arm]), arm, int(then[arm])))
        at[best[1]] = best[2]
    while True:
        taken = share[None, :] - share[at][:, None]
        gain = rate - rate[arms, at][:, None]
        may = (taken > 0) & (taken <= budget - share[at].sum() + 1e-12) & (gain > 1e-15)
        if not may.any():
            found: Ints = periods[at].astype(np.int64)
            return found
        worth = np.where(may, gain / np.where(taken > 0, taken, 1.0), -np.inf)
        row, column = np.unravel_index(int(worth.argmax()), worth.shape)
        at[row] = column


def _offsets(periods: Ints, budget: int) -> Ints:
    """Return first rounds without a clash: short periods first, each into a free class."""
    offsets = np.zeros(len(periods), dtype=np.int64)
    used = np.zeros(_cycle(periods), dtype=np.int64)
    for arm in sorted(np.flatnonzero(periods), key=lambda j: (periods[j], j)):
        period = int(periods[arm])
        fits = [r for r in range(period) if (used[r::period] < budget).all()]
        offsets[arm] = fits[0]
        used[fits[0] :: period] += 1
    return offsets
