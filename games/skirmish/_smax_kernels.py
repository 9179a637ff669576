# ruff: noqa: PLR0917 - compiled: no keywords
"""SMAX: one decision of one episode, exactly as JaxMARL's SMAX plays it, in float32.

All units act at once from the same state. A world step of 1/16 s:

1. An attack counts if both units live, their distance is below the attacker's range and
   its weapon is ready; it then takes its type's cooldown plus a deviation uniform in
   [−1/16, 2/16] s, otherwise the cooldown falls by 1/16 s.
2. Living units move speed/16, clipped to the map; damage comes off the health.
3. Who touches the border of the map dies.
4. Living units that overlap push each other apart by half the overlap each.

Eight of them are a decision. The twin in plain Python is `tests/reference/skirmish.py`.
"""

from __future__ import annotations

import math

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from games._stream import stream_unit
from games.skirmish._jit import inlined
from games.skirmish._near_kernels import near
from games.skirmish.layout import (
    ACTION,
    BEFORE,
    COOLDOWN,
    DAMAGE,
    DECISION_STEPS,
    FULL_HEALTH,
    HEALTH,
    MOVE_X,
    MOVE_Y,
    PERIOD,
    RADIUS,
    RANGE,
    REWARD_0,
    REWARD_1,
    SHOT,
    SPEED,
    TARGET,
    WORK_1,
    WORK_2,
    X,
    Y,
)

__all__ = ["NO_NOISE", "smax_decision", "smax_decode", "smax_push"]

NO_NOISE = np.zeros((0, 0), dtype=np.float32)
"""No recorded deviations of cooldowns: they are drawn."""

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)
_TINY = np.float32(1e-6)
_TICK = np.float32(1.0 / 16.0)
_SPREAD = np.float32(3.0 / 16.0)

# Up, right, down, left, as a rotation by 45 degrees in float32 leaves them.
_STEP_X = np.array([1.2688051e-08, 0.99999994, -1.2688051e-08, -0.99999994], dtype=np.float32)
_STEP_Y = np.array([0.99999994, -1.2688051e-08, -0.99999994, 1.2688051e-08], dtype=np.float32)


@inlined
def smax_decode(units, marks, k, allies, i, action):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give unit `i` the order that an action stands for."""
    marks[k, ACTION, i] = action
    units[k, MOVE_X, i] = _ZERO
    units[k, MOVE_Y, i] = _ZERO
    marks[k, TARGET, i] = -1
    if action < 4:
        units[k, MOVE_X, i] = _STEP_X[action]
        units[k, MOVE_Y, i] = _STEP_Y[action]
    elif action > 4:
        # Team 1 counts its opponents backwards.
        marks[k, TARGET, i] = allies + action - 5 if i < allies else allies - 1 - (action - 5)


@inlined
def _fused(a, b, c):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return a·b + c rounded once, as XLA's fused multiply-add does it on SMAX's side.

    Crowds magnify what differs in the last bit to centimetres within an episode.
    """
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


@inlined
def smax_push(units, stats, k, s):  # type: ignore[no-untyped-def]  # compiled by numba
    """Push living units apart that overlap."""
    count = units.shape[2]
    hit = False
    for i in range(count - 1):
        if units[k, HEALTH, i] <= _ZERO:
            continue
        for first in range(i + 1, count, 64):
            found = near(units, stats, k, s, i, first, min(first + 64, count))
            while found:
                j = first + np.int64(trailing_zeros(found))
                found &= found - np.uint64(1)
                if units[k, HEALTH, j] <= _ZERO:
                    continue
                if not hit:
                    hit = True
                    for u in range(count):
                        units[k, WORK_1, u] = _ZERO
                        units[k, WORK_2, u] = _ZERO
                dx = units[k, X, i] - units[k, X, j]
                dy = units[k, Y, i] - units[k, Y, j]
                length = math.sqrt(_fused(dx, dx, dy * dy)) + _TINY
                overlap = (stats[s, RADIUS, i] + stats[s, RADIUS, j]) / length - _ONE
                if overlap > _ZERO:
                    units[k, WORK_1, i] = _fused(dx, overlap, units[k, WORK_1, i])
                    units[k, WORK_2, i] = _fused(dy, overlap, units[k, WORK_2, i])
                    units[k, WORK_1, j] = _fused(-dx, overlap, units[k, WORK_1, j])
                    units[k, WORK_2, j] = _fused(-dy, overlap, units[k, WORK_2, j])
    if hit:
        for i in range(count):
            if units[k, HEALTH, i] > _ZERO:
                units[k, X, i] += units[k, WORK_1, i] * _HALF
                units[k, Y, i] += units[k, WORK_2, i] * _HALF


@inlined
def _world_step(units, marks, stats, k, s, streams, width, height, noise, step):  # type: ignore[no-untyped-def]  # compiled by numba
    count = units.shape[2]
    for i in range(count):
        units[k, WORK_1, i] = _ZERO
    for i in range(count):
        target = marks[k, TARGET, i]
        cooldown = units[k, COOLDOWN, i]
        after = cooldown - _TICK
        if target >= 0 and cooldown <= _ZERO:
            dx = units[k, X, i] - units[k, X, target]
            dy = units[k, Y, i] - units[k, Y, target]
            reach = stats[s, RANGE, i]
            if (
                dx * dx + dy * dy < reach * reach
                and units[k, HEALTH, i] > _ZERO
                and units[k, HEALTH, target] > _ZERO
            ):
                units[k, WORK_1, target] += stats[s, DAMAGE, i]
                marks[k, SHOT, i] = target
                if noise.shape[0] > 0:
                    deviation = noise[step, i]
                else:
                    deviation = np.float32(stream_unit(streams, k)) * _SPREAD - _TICK
                after = stats[s, PERIOD, i] + deviation
        units[k, COOLDOWN, i] = after
    for i in range(count):
        health = units[k, HEALTH, i]
        if health > _ZERO:
            pace = stats[s, SPEED, i] * _TICK
            x = units[k, X, i] + units[k, MOVE_X, i] * pace
            y = units[k, Y, i] + units[k, MOVE_Y, i] * pace
            health = max(health - units[k, WORK_1, i], _ZERO)
            if x <= _ZERO or y <= _ZERO or x >= width or y >= height:
                x = max(min(x, width), _ZERO)
                y = max(min(y, height), _ZERO)
                health = _ZERO
            units[k, X, i] = x
            units[k, Y, i] = y
            units[k, HEALTH, i] = health
    smax_push(units, stats, k, s)


@inlined
def smax_decision(units, marks, stats, k, s, streams, pays, allies, width, height, noise):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play the orders given, and set the shaped rewards without what is paid for winning.

    Args:
        units: shape (N, UNIT_ROWS, U), modified in place.
        marks: shape (N, MARK_ROWS, U), modified in place.
        stats: shape (N or 1, STAT_ROWS, U).
        k: the episode.
        s: its row of `stats`.
        streams: entry `k` is drawn from and modified in place.
        pays: row `k` is written.
        allies: units of team 0.
        width: of the map.
        height: of the map.
        noise: deviations of cooldowns to replay, shape (8, U), or `NO_NOISE`.
    """
    count = units.shape[2]
    for i in range(count):
        marks[k, SHOT, i] = -1
        units[k, BEFORE, i] = units[k, HEALTH, i]
    for step in range(DECISION_STEPS):
        _world_step(units, marks, stats, k, s, streams, width, height, noise, step)
    lost_0 = lost_1 = _ZERO
    for i in range(count):
        share = (units[k, BEFORE, i] - units[k, HEALTH, i]) / stats[s, FULL_HEALTH, i]
        if i < allies:
            lost_0 += share
        else:
            lost_1 += share
    pays[k, REWARD_0] = lost_1 / np.float32(count - allies)
    pays[k, REWARD_1] = lost_0 / np.float32(allies)
