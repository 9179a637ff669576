# ruff: noqa: PLR0917 - compiled: no keywords
"""One episode: orders, the decision, the end and the pay; and what it looks like.

`ground` is None in mode SMAX, so that each mode is compiled without the other's half.
"""

from __future__ import annotations

import numpy as np

from games.skirmish._jit import inlined, kernel
from games.skirmish._opponent_kernels import attack_move, choose
from games.skirmish._smac_kernels import smac_decision, smac_decode
from games.skirmish._smac_observe_kernels import (
    reveal,
    smac_available,
    smac_sees,
    smac_state,
    smac_unit,
)
from games.skirmish._smax_kernels import smax_decision, smax_decode
from games.skirmish._smax_observe_kernels import (
    smax_available,
    smax_sees,
    smax_state,
    smax_table,
    smax_unit,
)
from games.skirmish.layout import (
    ATTACK_MOVE,
    CUT,
    FIGHTERS_0,
    FIGHTERS_1,
    HEAL,
    HEALTH,
    HEIGHT,
    MOVE,
    OVER,
    PAY_DEFEAT,
    PAY_WIN,
    PLAYED,
    R_ALLIES,
    R_LIMIT,
    R_LOOKS,
    R_OBS_0,
    R_OBS_STATE,
    R_OPPONENT,
    R_SPARSE,
    RETURN_0,
    RETURN_1,
    REWARD_0,
    REWARD_1,
    SCALE_0,
    SCALE_1,
    STEP,
    WIDTH,
    WINNER,
)

__all__ = ["available", "sees", "step_one", "view_one", "view_unit"]

_ZERO = np.float32(0.0)


@inlined
def _command(units, marks, stats, k, s, streams, numbers, reals, starts, walls, routes, actions):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give every unit its orders: those of the seats, and those of the built-in opponent."""
    allies, count = numbers[R_ALLIES], units.shape[2]
    looks, opponent = numbers[R_LOOKS], numbers[R_OPPONENT]
    width, height = reals[WIDTH], reals[HEIGHT]
    seats = count if opponent == PLAYED else allies
    for i in range(count):
        if units[k, HEALTH, i] <= _ZERO:
            action = 4 if walls is None else 0
        elif i < seats:
            action = actions[k, i]
        elif opponent == ATTACK_MOVE:
            if walls is not None:
                attack_move(
                    units, marks, stats, k, s, allies, looks, width, height, starts, walls,
                    routes, i,
                )  # fmt: skip
            continue
        else:
            action = choose(
                opponent, units, marks, stats, k, s, allies, looks, width, height, starts,
                walls, routes, i, streams,
            )  # fmt: skip
        if walls is None:
            smax_decode(units, marks, k, allies, i, action)
        else:
            smac_decode(units, marks, stats, k, s, allies, looks, reals[MOVE], i, action)


@inlined
def _settle(units, stats, k, s, heads, pays, numbers, rewards, smax):  # type: ignore[no-untyped-def]  # compiled by numba
    """Count who lives, end the episode if it is over, and pay."""
    allies, limit, sparse = numbers[R_ALLIES], numbers[R_LIMIT], numbers[R_SPARSE]
    fighters_0 = fighters_1 = 0
    for i in range(units.shape[2]):
        if units[k, HEALTH, i] > _ZERO and stats[s, HEAL, i] <= _ZERO:
            if i < allies:
                fighters_0 += 1
            else:
                fighters_1 += 1
    heads[k, FIGHTERS_0], heads[k, FIGHTERS_1] = fighters_0, fighters_1
    heads[k, STEP] += 1
    won_0 = won_1 = 0.0
    if fighters_0 == 0 or fighters_1 == 0:
        heads[k, OVER] = 1
        if fighters_0 > 0:
            heads[k, WINNER] = 0
            won_0 = 1.0
        elif fighters_1 > 0:
            heads[k, WINNER] = 1
            won_1 = 1.0
    elif heads[k, STEP] >= limit:
        heads[k, OVER] = heads[k, CUT] = 1
    if sparse:
        pays[k, REWARD_0], pays[k, REWARD_1] = won_0 - won_1, won_1 - won_0
    elif smax:
        pays[k, REWARD_0] += won_0
        pays[k, REWARD_1] += won_1
    else:
        win, defeat = rewards[PAY_WIN], rewards[PAY_DEFEAT]
        pays[k, REWARD_0] += (won_0 * win + won_1 * defeat) / pays[k, SCALE_0]
        pays[k, REWARD_1] += (won_1 * win + won_0 * defeat) / pays[k, SCALE_1]
    pays[k, RETURN_0] += pays[k, REWARD_0]
    pays[k, RETURN_1] += pays[k, REWARD_1]


@kernel
def step_one(world, rules, ground, k, actions, noise):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play one decision of episode `k`; one that is over pays nothing more.

    Args:
        world: modified in place.
        rules: of the battle.
        ground: of the battle.
        k: the episode.
        actions: of the seats, shape (N, n); those of the dead are not looked at.
        noise: see `smax_decision`.
    """
    units, marks, heads, pays, streams, stats, seen, scratch = world
    numbers, reals = rules.numbers, rules.reals
    if heads[k, OVER]:
        pays[k, REWARD_0] = pays[k, REWARD_1] = 0.0
        return
    s = k if stats.shape[0] > 1 else 0
    allies, width, height = numbers[R_ALLIES], reals[WIDTH], reals[HEIGHT]
    rewards = rules.rewards
    if ground is None:
        _command(
            units, marks, stats, k, s, streams, numbers, reals, rules.starts, None, None, actions
        )
        smax_decision(units, marks, stats, k, s, streams, pays, allies, width, height, noise)
        _settle(units, stats, k, s, heads, pays, numbers, rewards, True)
    else:
        walls, routes = ground.walls, ground.routes
        _command(
            units, marks, stats, k, s, streams, numbers, reals, rules.starts, walls, routes,
            actions,
        )  # fmt: skip
        smac_decision(
            units, marks, stats, k, s, streams, pays, numbers, rewards, width, height, walls,
            scratch, noise,
        )  # fmt: skip
        _settle(units, stats, k, s, heads, pays, numbers, rewards, False)
        if seen.shape[1] > 0:
            reveal(units, stats, k, s, seen, streams, numbers, reals)


@inlined
def _unit(  # type: ignore[no-untyped-def]  # compiled by numba
    units,
    marks,
    heads,
    stats,
    k,
    s,
    seen,
    scratch,
    numbers,
    reals,
    walls,
    heights,
    i,
    avail,
    obs,
    r,
):
    if walls is None:
        width, height = reals[WIDTH], reals[HEIGHT]
        smax_available(units, stats, k, s, numbers[R_ALLIES], i, avail, r)
        smax_unit(units, stats, k, s, scratch, numbers[R_ALLIES], width, height, i, obs, r)
    else:
        smac_available(units, stats, k, s, numbers, reals, walls, i, avail, r)
        smac_unit(
            units, marks, heads, stats, k, s, seen, numbers, reals, walls, heights, i, avail, obs, r
        )


@kernel
def available(world, rules, ground, k, i, avail):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write which actions unit `i` has, bool, shape (N, 1, A or more); the rest is False."""
    units, _, _, _, _, stats, _, _ = world
    s = k if stats.shape[0] > 1 else 0
    if ground is None:
        smax_available(units, stats, k, s, rules.numbers[R_ALLIES], i, avail, 0)
    else:
        smac_available(units, stats, k, s, rules.numbers, rules.reals, ground.walls, i, avail, 0)


@kernel
def view_unit(world, rules, ground, k, i, avail, obs):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write available actions and observation of unit `i`, shapes (N, 1, A) and (N, 1, D)."""
    units, marks, heads, _, _, stats, seen, scratch = world
    numbers, reals = rules.numbers, rules.reals
    s = k if stats.shape[0] > 1 else 0
    if ground is None:
        smax_table(units, marks, stats, k, s, numbers[R_ALLIES], scratch)
        _unit(
            units, marks, heads, stats, k, s, seen, scratch, numbers, reals, None, None, i, avail,
            obs, 0,
        )  # fmt: skip
    else:
        _unit(
            units, marks, heads, stats, k, s, seen, scratch, numbers, reals, ground.walls,
            ground.heights, i, avail, obs, 0,
        )  # fmt: skip


@kernel
def view_one(world, rules, ground, k, obs, state, avail):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write what episode `k` looks like.

    Args:
        world: its scratch is modified in place.
        rules: of the battle.
        ground: of the battle.
        k: the episode.
        obs: shape (N, n, D), n may be 0 unless the state is made of observations.
        state: shape (N, S).
        avail: shape (N, n, A).
    """
    units, marks, heads, _, _, stats, seen, scratch = world
    numbers, reals = rules.numbers, rules.reals
    s = k if stats.shape[0] > 1 else 0
    if ground is None:
        allies = numbers[R_ALLIES]
        smax_table(units, marks, stats, k, s, allies, scratch)
        for i in range(obs.shape[1]):
            _unit(
                units, marks, heads, stats, k, s, seen, scratch, numbers, reals, None, None, i,
                avail, obs, i,
            )  # fmt: skip
        smax_state(units, marks, k, scratch, allies, state)
        return
    walls, heights = ground.walls, ground.heights
    for i in range(obs.shape[1]):
        _unit(
            units, marks, heads, stats, k, s, seen, scratch, numbers, reals, walls, heights, i,
            avail, obs, i,
        )  # fmt: skip
    if numbers[R_OBS_STATE]:
        size = numbers[R_OBS_0]
        for i in range(numbers[R_ALLIES]):
            for f in range(size):
                state[k, i * size + f] = obs[k, i, f]
    else:
        smac_state(units, marks, heads, stats, k, s, numbers, reals, state)


@inlined
def sees(world, rules, ground, k, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether unit `i` sees unit `j`, if both live."""
    units, _, _, _, _, stats, seen, _ = world
    s = k if stats.shape[0] > 1 else 0
    if ground is None:
        return smax_sees(units, stats, k, s, i, j)
    return smac_sees(units, stats, k, s, seen, rules.numbers, rules.reals, i, j)
