# ruff: noqa: PLR0917 - compiled: no keywords
"""SMAX (`observation_type="unit_list"`): what units see, and what they can do.

Of each unit: 13 numbers for every other unit, own team first (health, Δx, Δy in units of its
sight, last move, last attack, cooldown, type), zeros for the dead and unseen, then 10 of its
own. The state: 10 numbers a unit with positions and cooldowns as they are, then all teams,
then all types. Most of the 13 do not depend on who looks, so `smax_table` computes them once.
"""

from __future__ import annotations

import numpy as np

from games.skirmish._jit import inlined
from games.skirmish.layout import (
    ACTION,
    COOLDOWN,
    FULL_HEALTH,
    HEALTH,
    MOVE_X,
    MOVE_Y,
    PERIOD,
    SHOOT,
    SIGHT,
    TYPE,
    X,
    Y,
)

__all__ = ["smax_available", "smax_sees", "smax_state", "smax_table", "smax_unit"]

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_FEATURES = 13
_OWN = 10


@inlined
def smax_table(units, marks, stats, k, s, allies, table):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write what anybody sees of each unit, shape (U, 13 or more); Δx and Δy stay open."""
    count = units.shape[2]
    # Actions of a unit but one: four moves, and as many attacks as it has opponents.
    attack_0 = np.float32(4 + count - allies)
    attack_1 = np.float32(4 + allies)
    for j in range(count):
        table[k, j, 0] = units[k, HEALTH, j] / stats[s, FULL_HEALTH, j]
        table[k, j, 3] = units[k, MOVE_X, j]
        table[k, j, 4] = units[k, MOVE_Y, j]
        action = marks[k, ACTION, j]
        attack = np.float32(action) / (attack_0 if j < allies else attack_1)
        table[k, j, 5] = attack if action > 4 else _ZERO
        table[k, j, 6] = max(min(units[k, COOLDOWN, j] / stats[s, PERIOD, j], _ONE), _ZERO)
        for kind in range(6):
            table[k, j, 7 + kind] = _ZERO
        table[k, j, 7 + marks[k, TYPE, j]] = _ONE


@inlined
def smax_sees(units, stats, k, s, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether `i` sees `j`, if both live."""
    dx, dy = units[k, X, j] - units[k, X, i], units[k, Y, j] - units[k, Y, i]
    return dx * dx + dy * dy < stats[s, SIGHT, i] * stats[s, SIGHT, i]


@inlined
def smax_unit(units, stats, k, s, table, allies, width, height, i, obs, r):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write what unit `i` observes, into row `r` of `obs[k]`."""
    count = units.shape[2]
    if units[k, HEALTH, i] <= _ZERO:
        for f in range(obs.shape[2]):
            obs[k, r, f] = _ZERO
        return
    x, y, sight = units[k, X, i], units[k, Y, i], stats[s, SIGHT, i]
    square = sight * sight
    share = _ONE / sight
    at = 0
    for n in range(count):
        # Team 1 counts backwards.
        j = n if i < allies else count - 1 - n
        if j == i:
            continue
        dx = units[k, X, j] - x
        dy = units[k, Y, j] - y
        if dx * dx + dy * dy < square and units[k, HEALTH, j] > _ZERO:
            # All are read before any is written: the compiler cannot know them apart.
            f0, f3, f4, f5, f6 = (
                table[k, j, 0],
                table[k, j, 3],
                table[k, j, 4],
                table[k, j, 5],
                table[k, j, 6],
            )
            f7, f8, f9 = table[k, j, 7], table[k, j, 8], table[k, j, 9]
            f10, f11, f12 = table[k, j, 10], table[k, j, 11], table[k, j, 12]
            obs[k, r, at] = f0
            obs[k, r, at + 1] = dx * share
            obs[k, r, at + 2] = dy * share
            obs[k, r, at + 3] = f3
            obs[k, r, at + 4] = f4
            obs[k, r, at + 5] = f5
            obs[k, r, at + 6] = f6
            obs[k, r, at + 7] = f7
            obs[k, r, at + 8] = f8
            obs[k, r, at + 9] = f9
            obs[k, r, at + 10] = f10
            obs[k, r, at + 11] = f11
            obs[k, r, at + 12] = f12
        else:
            for f in range(_FEATURES):
                obs[k, r, at + f] = _ZERO
        at += _FEATURES
    obs[k, r, at] = table[k, i, 0]
    obs[k, r, at + 1] = x / width
    obs[k, r, at + 2] = y / height
    for f in range(7):
        obs[k, r, at + 3 + f] = table[k, i, 6 + f]


@inlined
def smax_state(units, marks, k, table, allies, state):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the state vector."""
    count = units.shape[2]
    at = 0
    for i in range(count):
        if units[k, HEALTH, i] > _ZERO:
            state[k, at] = table[k, i, 0]
            state[k, at + 1] = units[k, X, i]
            state[k, at + 2] = units[k, Y, i]
            state[k, at + 3] = units[k, COOLDOWN, i]
            for kind in range(6):
                state[k, at + 4 + kind] = table[k, i, 7 + kind]
        else:
            for f in range(_OWN):
                state[k, at + f] = _ZERO
        at += _OWN
    for i in range(count):
        state[k, at + i] = _ZERO if i < allies else _ONE
        state[k, at + count + i] = np.float32(marks[k, TYPE, i])


@inlined
def smax_available(units, stats, k, s, allies, i, avail, r):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write which actions unit `i` has, into row `r` of `avail[k]`."""
    count = units.shape[2]
    alive = units[k, HEALTH, i] > _ZERO
    for way in range(4):
        avail[k, r, way] = alive
    avail[k, r, 4] = True
    x, y, reach = units[k, X, i], units[k, Y, i], stats[s, SHOOT, i] * stats[s, SHOOT, i]
    first, others = (allies, count - allies) if i < allies else (0, allies)
    for n in range(others):
        j = first + n if i < allies else allies - 1 - n
        dx = units[k, X, j] - x
        dy = units[k, Y, j] - y
        near = dx * dx + dy * dy < reach
        avail[k, r, 5 + n] = near & alive & (units[k, HEALTH, j] > _ZERO)
    for action in range(5 + others, avail.shape[2]):
        avail[k, r, action] = False
