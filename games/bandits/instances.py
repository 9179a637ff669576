"""The bandits of the coRMAB paper, drawn from a seed (Xu, Wilder, Khalil and Tambe 2025).

Every instance starts from the same kind of arms: a chain of four levels in which acting or not
only sets the probability of going up one level, else it goes down one. The first B arms are
good: their top level pays 4 to 6, but they pay less on the way up, so that a myopic choice is
misled. A step pays the levels that are reached.

`reference_compat` gives what the authors' public code makes of two of the problems: its path
rows are vacuous (waiting escapes them), so any `budget` arms may be chosen; its interventions
number exactly `budget`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.rng import generator
from games.bandits.constraints import FeasibleSet, budget_set
from games.bandits.coupled import capacity_set, path_set, schedule_set
from games.bandits.form import RestlessBandit

__all__ = ["budget", "capacity", "interventions", "path", "schedule"]

Reals = NDArray[np.float64]

LEVELS = 4
_START = 0.2
"""The chance of an arm to start at level 1; else it starts at 0."""


def budget(
    *, arms: int = 20, budget: int = 5, horizon: int = 20, instance: int = 0
) -> RestlessBandit:
    """The arms of the coRMAB problems, any `budget` of which may be acted on."""
    rng = generator(instance, "bandits", "budget")
    _sizes(arms, budget)
    chances, reward = _base(rng, arms, budget)
    return _bandit(chances, reward, budget_set(arms, budget), horizon, "budget only")


def capacity(
    *, arms: int = 20, budget: int = 5, horizon: int = 20, instance: int = 0
) -> RestlessBandit:
    """Arms with costs are assigned to `budget` workers with capacities (multiple knapsack)."""
    rng = generator(instance, "bandits", "capacity")
    _sizes(arms, budget)
    chances, reward = _base(rng, arms, budget)
    costs = rng.integers(2, 7, arms).tolist()
    capacities = rng.integers(2, 8, budget).tolist()
    return _bandit(
        chances,
        reward,
        capacity_set(costs, capacities),
        horizon,
        "capacity",
        costs=costs,
        capacities=capacities,
    )


def schedule(
    *, arms: int = 20, budget: int = 5, horizon: int = 20, instance: int = 0, slots: int = 5
) -> RestlessBandit:
    """Arms need two appointments with `budget` workers at slots that suit both (matching)."""
    if slots < 3:
        raise ParameterError("slots", slots, "at least 3: workers have that many")
    rng = generator(instance, "bandits", "schedule")
    _sizes(arms, budget)
    chances, reward = _base(rng, arms, budget)
    # Weights sorted against each other: arms and workers are rarely free at the same time.
    late, early = np.sort(rng.random(slots)), np.sort(rng.random(slots))[::-1]
    arm_slots = [
        sorted(rng.choice(slots, 2, replace=False, p=late / late.sum()).tolist())
        for _ in range(arms)
    ]
    worker_slots = [
        sorted(rng.choice(slots, 3, replace=False, p=early / early.sum()).tolist())
        for _ in range(budget)
    ]
    return _bandit(
        chances,
        reward,
        schedule_set(arm_slots, worker_slots, budget),
        horizon,
        "schedule",
        arm_slots=arm_slots,
        worker_slots=worker_slots,
    )


def path(
    *,
    arms: int = 20,
    budget: int = 5,
    horizon: int = 20,
    instance: int = 0,
    reference_compat: bool = False,
) -> RestlessBandit:
    """Stations of the London Underground on a walk of 2·`budget` steps from a source."""
    from games.bandits.tube import SOURCES, tube

    rng = generator(instance, "bandits", "path")
    graph = tube(arms)
    _sizes(arms, budget)
    chances, reward = _base(rng, arms, budget)
    source = SOURCES[arms]
    chosen = budget_set(arms, budget) if reference_compat else path_set(graph, source, budget)
    return _bandit(chances, reward, chosen, horizon, "path", graph=graph, source=source)


def interventions(
    *,
    arms: int = 20,
    budget: int = 5,
    horizon: int = 20,
    instance: int = 0,
    actions: int = 12,
    reference_compat: bool = False,
) -> RestlessBandit:
    """Each of `actions` interventions touches three arms, which move by a sigmoid of them."""
    rng = generator(instance, "bandits", "interventions")
    _sizes(arms, budget)
    if not budget < actions:
        raise ParameterError("actions", actions, f"more than the budget {budget}")
    _, reward = _base(rng, arms, budget)
    first = int(np.ceil(arms * budget / actions))
    if min(first, arms - first) < 3:
        raise ParameterError("arms", arms, "so many that good and bad interventions touch three")
    good_actions = rng.choice(actions, budget, replace=False)
    bad_actions = np.setdiff1d(np.arange(actions), good_actions)
    alpha, beta, shift = np.zeros((3, arms))
    good = np.arange(arms) >= first
    alpha[good] = rng.integers(7, 11, good.sum()) / 10
    beta[good] = rng.integers(14, 20, good.sum()) / 10
    shift[good] = rng.integers(9, 11, good.sum())
    alpha[~good] = rng.integers(2, 6, (~good).sum()) / 10
    beta[~good] = 1.0
    shift[~good] = rng.integers(1, 3, (~good).sum())
    link = np.zeros((arms, actions), dtype=np.int64)
    _groups(rng, link, good_actions, np.flatnonzero(good))
    _groups(rng, link, bad_actions, np.flatnonzero(~good))
    modes = int(link.sum(axis=1).max()) + 1
    force = 3.0 * np.arange(modes)
    up = 0.01 + 0.98 * (
        alpha[:, None] / (1 + np.exp(-(beta[:, None] * force - shift[:, None])))
        - (alpha / (1 + np.exp(shift)))[:, None]
    )
    return _bandit(
        chain(up),
        reward,
        budget_set(actions, budget, exactly=reference_compat),
        horizon,
        "interventions",
        link=link,
    )


# -- parts -------------------------------------------------------------------------------------


def _sizes(arms: int, budget: int) -> None:
    if arms < 1:
        raise ParameterError("arms", arms, "at least 1")
    if not 1 <= budget <= arms:
        raise ParameterError("budget", budget, f"1 to {arms}, the number of arms")


def _base(rng: np.random.Generator, arms: int, good: int) -> tuple[Reals, Reals]:
    """Return transitions (J, 2, 4, 4) and the levels' rewards (J, 4)."""
    passive, active = 0.2 * rng.random(arms), 0.7 + 0.2 * rng.random(arms)
    reward = np.tile([0.1, 0.15, 0.2, 0.0], (arms, 1))
    reward[:good, :3] = [0.2, 0.15, 0.1]
    reward[:good, 3] = rng.integers(4, 7, good)
    reward[good:, 3] = rng.integers(1, 4, arms - good)
    return chain(np.stack([passive, active], axis=1)), reward


def chain(up: Reals, levels: int = LEVELS) -> Reals:
    """Return chains that go up one level with probability `up`, shape (J, M), else down one."""
    out = np.zeros((*up.shape, levels, levels))
    for s in range(levels):
        out[..., s, min(s + 1, levels - 1)] += up
        out[..., s, max(s - 1, 0)] += 1.0 - up
    return out


def _groups(rng: np.random.Generator, link: NDArray[np.int64], actions: Any, arms: Any) -> None:
    """Let each three actions touch the same three arms, each left over three of its own."""
    for first in range(0, len(actions), 3):
        group = actions[first : first + 3]
        for members in [group] if len(group) == 3 else [[a] for a in group]:
            fresh = np.array([j for j in arms if not link[j].any()], dtype=np.int64)
            used = np.setdiff1d(arms, fresh)
            touched = np.concatenate([rng.permutation(fresh), rng.permutation(used)])[:3]
            link[np.ix_(touched, np.asarray(members, dtype=np.int64))] = 1


def _bandit(
    chances: Reals,
    levels: Reals,
    chosen: FeasibleSet,
    horizon: int,
    title: str,
    *,
    link: NDArray[np.int64] | None = None,
    **extra: Any,
) -> RestlessBandit:
    arms, modes, states, _ = chances.shape
    initial = np.zeros((arms, states))
    initial[:, 0], initial[:, 1] = 1.0 - _START, _START
    reward = np.broadcast_to(levels[:, None, None, :], (arms, modes, states, states))
    plain = np.eye(arms, dtype=np.int64)
    return RestlessBandit(
        chances,
        reward,
        chosen,
        initial=initial,
        horizon=horizon,
        title=title,
        extra=extra,
        link=plain if link is None else link,
    )
