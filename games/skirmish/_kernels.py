# ruff: noqa: PLR0917 - compiled: no keywords
"""Loops over many episodes; `_step_kernels` has what they do with one."""

from __future__ import annotations

import numpy as np

from games.skirmish._jit import inlined, kernel, lend
from games.skirmish._opponent_kernels import choose
from games.skirmish._start_kernels import start_one
from games.skirmish._step_kernels import available, sees, step_one, view_one, view_unit
from games.skirmish.layout import (
    ACTION,
    COOLDOWN,
    CUT,
    HEALTH,
    HEIGHT,
    MEMORY,
    MOVE_X,
    MOVE_Y,
    OVER,
    R_ALLIES,
    R_DRAWN,
    R_LOOKS,
    REWARD_0,
    REWARD_1,
    SHIELD,
    SHOT,
    STEP,
    TARGET,
    TYPE,
    WIDTH,
    WINNER,
    X,
    Y,
)

__all__ = [
    "choose_all",
    "first_unavailable",
    "hide_all",
    "legal_all",
    "observe_all",
    "roll",
    "start_all",
    "state_all",
    "step_all",
    "unlawful",
    "view_all",
]


@kernel
def start_all(world, rules, ground, episodes, streams):  # type: ignore[no-untyped-def]  # compiled by numba
    """Begin the episodes of these numbers, shape (M,), from the streams given, shape (M,)."""
    world, rules = lend(world), lend(rules)
    for at in range(len(episodes)):
        world.streams[episodes[at]] = streams[at]
        start_one(world, rules, ground, episodes[at])


@kernel
def step_all(world, rules, ground, actions, noise, first, last):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play one decision of episodes `first` to `last`."""
    world, rules = lend(world), lend(rules)
    for k in range(first, last):
        step_one(world, rules, ground, k, actions, noise)


@kernel
def unlawful(world, rules, ground, actions, mask):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the first (episode, seat) whose action is not legal, (−1, −1) if all are.

    `mask` is scratch, shape (N, 1, A).
    """
    world, rules = lend(world), lend(rules)
    for k in range(actions.shape[0]):
        if world.heads[k, OVER]:
            continue
        for i in range(actions.shape[1]):
            if world.units[k, HEALTH, i] > 0.0:
                action = actions[k, i]
                available(world, rules, ground, k, i, mask)
                if action < 0 or action >= mask.shape[2] or not mask[k, 0, action]:
                    return k, i
    return -1, -1


@kernel
def legal_all(world, rules, ground, i, live, legal):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write where unit `i` is to move, shape (N,), and its legal actions there, shape (N, 1, A)."""
    world, rules = lend(world), lend(rules)
    for k in range(len(live)):
        live[k] = world.heads[k, OVER] == 0 and world.units[k, HEALTH, i] > 0.0
        if live[k]:
            available(world, rules, ground, k, i, legal)
        else:
            legal[k] = False


@kernel
def observe_all(world, rules, ground, i, mask, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write what unit `i` observes in every episode, shapes (N, 1, A) and (N, 1, D)."""
    world, rules = lend(world), lend(rules)
    for k in range(len(out)):
        view_unit(world, rules, ground, k, i, mask, out)


@kernel
def state_all(world, rules, ground, obs, out, avail):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the state vector of every episode, shape (N, S); see `view_one`."""
    world, rules = lend(world), lend(rules)
    for k in range(len(out)):
        view_one(world, rules, ground, k, obs, out, avail)


@kernel
def hide_all(world, rules, ground, i, hidden):  # type: ignore[no-untyped-def]  # compiled by numba
    """Blot out what unit `i` does not see in `hidden`, a copy of `world` (modified in place).

    Of units out of sight nothing is left (no health), of others what their observation shows:
    position, health and shield, in SMAX also cooldown, last move and last action.
    """
    hidden.streams[:] = 0
    hidden.pays[:] = 0.0
    hidden.seen[:] = 0
    hidden.scratch[:] = 0.0
    smax = ground is None
    for k in range(len(world.heads)):
        units, marks = hidden.units[k], hidden.marks[k]
        alive = world.units[k, HEALTH, i] > 0.0
        for j in range(units.shape[1]):
            if j == i:
                continue
            for row in range(units.shape[0]):
                told = row in (X, Y, HEALTH, SHIELD)
                told |= smax and row in (COOLDOWN, MOVE_X, MOVE_Y)
                if not told:
                    units[row, j] = 0.0
            marks[MEMORY, j] = marks[TARGET, j] = marks[SHOT, j] = -1
            if not smax:
                marks[ACTION, j] = 1
            if not (alive and sees(world, rules, ground, k, i, j)):
                units[:, j] = 0.0
                marks[ACTION, j] = 0
                if rules.numbers[R_DRAWN]:
                    marks[TYPE, j] = 0
                    hidden.stats[k, :, j] = 0.0


@kernel
def choose_all(kind, world, rules, ground, i, live, streams, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write what a built-in player does as unit `i` where it is live, shape (N,)."""
    units, marks, _, _, _, stats, _, _ = world
    allies, looks = rules.numbers[R_ALLIES], rules.numbers[R_LOOKS]
    width, height = rules.reals[WIDTH], rules.reals[HEIGHT]
    for k in range(len(live)):
        s = k if stats.shape[0] > 1 else 0
        out[k] = 0
        if live[k]:
            if ground is None:
                out[k] = choose(
                    kind, units, marks, stats, k, s, allies, looks, width, height, rules.starts,
                    None, None, i, streams,
                )  # fmt: skip
            else:
                out[k] = choose(
                    kind, units, marks, stats, k, s, allies, looks, width, height, rules.starts,
                    ground.walls, ground.routes, i, streams,
                )  # fmt: skip


# -- learners -----------------------------------------------------------------------------


@kernel
def view_all(world, rules, ground, obs, state, avail):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write observations (N, n, D), states (N, S) and available actions (N, n, A)."""
    world, rules = lend(world), lend(rules)
    for k in range(len(obs)):
        view_one(world, rules, ground, k, obs, state, avail)


@kernel
def first_unavailable(heads, units, avail, actions):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the first (episode, seat) whose action is not in `avail`, (−1, −1) if all are."""
    for k in range(actions.shape[0]):
        for i in range(actions.shape[1]):
            action = actions[k, i]
            if 0 <= action < avail.shape[2] and avail[k, i, action]:
                continue
            if heads[k, OVER] == 0 and units[k, HEALTH, i] > 0.0:
                return k, i
    return -1, -1


@inlined
def _mixed(counter):  # type: ignore[no-untyped-def]  # compiled by numba
    """SplitMix64's mixing of a counter: the stream of the next episode."""
    z = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@inlined
def _roll_one(world, rules, ground, k, actions, noise, now, last, told, restarts):  # type: ignore[no-untyped-def]  # compiled by numba
    """Step episode `k`, see what it looks like, and begin the next one if it is over."""
    obs, state, avail = now
    reward, done, cut, won, length = told
    heads = world.heads
    step_one(world, rules, ground, k, actions, noise)
    reward[k, 0] = world.pays[k, REWARD_0]
    if reward.shape[1] > 1:
        reward[k, 1] = world.pays[k, REWARD_1]
    over = heads[k, OVER] == 1
    done[k] = over
    cut[k] = heads[k, CUT] == 1
    won[k] = heads[k, WINNER]
    length[k] = heads[k, STEP]
    if over and restarts.shape[0]:
        last_obs, last_state, last_avail = last
        view_one(world, rules, ground, k, last_obs, last_state, last_avail)
        restarts[k] += np.uint64(0x9E3779B97F4A7C15)
        world.streams[k] = _mixed(restarts[k])
        start_one(world, rules, ground, k)
    view_one(world, rules, ground, k, obs, state, avail)


@kernel
def roll(world, rules, ground, actions, noise, now, last, told, restarts, begin, end):  # type: ignore[no-untyped-def]  # compiled by numba
    """Step episodes `begin` to `end`; see `games.skirmish.rollout.Rollout` for the arrays."""
    world, rules = lend(world), lend(rules)
    now, last, told = lend(now), lend(last), lend(told)
    for k in range(begin, end):
        _roll_one(world, rules, ground, k, actions, noise, now, last, told, restarts)
