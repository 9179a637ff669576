# ruff: noqa: PLR0917 - compiled: no keywords
"""SMAC: how units walk, past walls and around each other."""

from __future__ import annotations

import math

import numpy as np

from games.skirmish._jit import inlined, kernel
from games.skirmish._orca_kernels import avoid
from games.skirmish.layout import (
    CLIMBS,
    FAR,
    FLIES,
    HEALTH,
    MOVE_X,
    MOVE_Y,
    RADIUS,
    SPEED,
    TARGET,
    VEL_X,
    VEL_Y,
    WORK_1,
    WORK_2,
    X,
    Y,
)

__all__ = ["blocked", "walk", "walk_around"]

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_TINY = np.float32(1e-6)
_TICK = np.float32(1.0 / 16.0)


@inlined
def blocked(walls, x, y):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether a point lies in a wall; outside the map counts as one."""
    if walls.shape[0] == 0:
        return False
    column, row = math.floor(x), math.floor(y)
    if column < 0 or row < 0 or column >= walls.shape[1] or row >= walls.shape[0]:
        return True
    return walls[row, column] != 0


@inlined
def _wish(units, marks, stats, k, s, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the way of unit `i` to its target or the point it was sent to, and its share now."""
    target = marks[k, TARGET, i]
    if target >= 0:
        dx, dy = units[k, X, target] - units[k, X, i], units[k, Y, target] - units[k, Y, i]
    else:
        dx, dy = units[k, MOVE_X, i] - units[k, X, i], units[k, MOVE_Y, i] - units[k, Y, i]
    length = math.sqrt(dx * dx + dy * dy)
    pace = min(stats[s, SPEED, i] * _TICK, units[k, FAR, i])
    if length <= _TINY or pace <= _ZERO:
        return dx, dy, _ZERO
    return dx, dy, min(pace / length, _ONE)


@inlined
def _go(units, stats, k, s, walls, width, height, i, x, y):  # type: ignore[no-untyped-def]  # compiled by numba
    """Let unit `i` end at a point (WORK_1, WORK_2), or as far as walls and the border allow."""
    radius = stats[s, RADIUS, i]
    x = max(min(x, width - radius), radius)
    y = max(min(y, height - radius), radius)
    if stats[s, FLIES, i] > _ZERO or stats[s, CLIMBS, i] > _ZERO or not blocked(walls, x, y):
        units[k, WORK_1, i], units[k, WORK_2, i] = x, y
    elif not blocked(walls, x, units[k, Y, i]):
        units[k, WORK_1, i] = x
    elif not blocked(walls, units[k, X, i], y):
        units[k, WORK_2, i] = y


@inlined
def walk(units, marks, stats, k, s, walls, width, height, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Set WORK_1, WORK_2 to where unit `i` walks in a world step; they are where it stands."""
    dx, dy, share = _wish(units, marks, stats, k, s, i)
    if share > _ZERO:
        x, y = units[k, X, i] + dx * share, units[k, Y, i] + dy * share
        _go(units, stats, k, s, walls, width, height, i, x, y)


@kernel
def walk_around(units, marks, stats, k, s, walls, width, height, scratch):  # type: ignore[no-untyped-def]  # compiled by numba
    """Move all who want to walk, around each other (`_orca_kernels`).

    WORK_1 and WORK_2 hold where units stand; `scratch` is the world's.
    """
    count, lines = units.shape[2], scratch[k]
    for i in range(count):
        if units[k, HEALTH, i] <= _ZERO or units[k, FAR, i] <= _ZERO:
            continue
        dx, dy, share = _wish(units, marks, stats, k, s, i)
        if share > _ZERO:
            x, y = dx * share / _TICK, dy * share / _TICK
            vx, vy = avoid(units, stats, k, s, i, x, y, lines)
            x = units[k, X, i] + np.float32(vx) * _TICK
            y = units[k, Y, i] + np.float32(vy) * _TICK
            _go(units, stats, k, s, walls, width, height, i, x, y)
    for i in range(count):
        units[k, VEL_X, i] = (units[k, WORK_1, i] - units[k, X, i]) / _TICK
        units[k, VEL_Y, i] = (units[k, WORK_2, i] - units[k, Y, i]) / _TICK
    for i in range(count):
        units[k, X, i], units[k, Y, i] = units[k, WORK_1, i], units[k, WORK_2, i]
