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
from numba import njit

from games._stream import stream_unit
from games.skirmish.layout import (
    ACTION,
    BEFORE,
    COOLDOWN,
    DAMAGE,
    DECISION_STEPS,
    FULL_HEALTH,
    HEALTH,
    HEIGHT,
    MOVE_X,
    MOVE_Y,
    PERIOD,
    R_ALLIES,
    RADIUS,
    RANGE,
    REWARD_0,
    REWARD_1,
    SHOT,
    SPEED,
    TARGET,
    WIDTH,
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
_SLACK = np.float32(1.00001)  # the exact test follows
_TICK = np.float32(1.0 / 16.0)
_SPREAD = np.float32(3.0 / 16.0)

# Up, right, down, left, as a rotation by 45 degrees in float32 leaves them.
_STEP_X = np.array([1.2688051e-08, 0.99999994, -1.2688051e-08, -0.99999994], dtype=np.float32)
_STEP_Y = np.array([0.99999994, -1.2688051e-08, -0.99999994, 1.2688051e-08], dtype=np.float32)


@njit(cache=True)
def smax_decode(world, rules, k, i, action):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give unit `i` the order that an action stands for."""
    units, marks = world.units[k], world.marks[k]
    allies = rules.numbers[R_ALLIES]
    marks[ACTION, i] = action
    units[MOVE_X, i] = _ZERO
    units[MOVE_Y, i] = _ZERO
    marks[TARGET, i] = -1
    if action < 4:
        units[MOVE_X, i] = _STEP_X[action]
        units[MOVE_Y, i] = _STEP_Y[action]
    elif action > 4:
        # Team 1 counts its opponents backwards.
        marks[TARGET, i] = allies + action - 5 if i < allies else allies - 1 - (action - 5)


@njit(cache=True, inline="always")
def _fused(a, b, c):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return a·b + c rounded once, as XLA's fused multiply-add does it on SMAX's side.

    Crowds magnify what differs in the last bit to centimetres within an episode.
    """
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


@njit(cache=True)
def smax_push(units, stats):  # type: ignore[no-untyped-def]  # compiled by numba
    """Push living units apart that overlap."""
    count = units.shape[1]
    hit = False
    for i in range(count):
        if units[HEALTH, i] <= _ZERO:
            continue
        x, y, radius = units[X, i], units[Y, i], stats[RADIUS, i]
        for j in range(i + 1, count):
            dx = x - units[X, j]
            dy = y - units[Y, j]
            both = radius + stats[RADIUS, j]
            if dx * dx + dy * dy < both * both * _SLACK and units[HEALTH, j] > _ZERO:
                if not hit:
                    hit = True
                    units[WORK_1] = _ZERO
                    units[WORK_2] = _ZERO
                length = math.sqrt(_fused(dx, dx, dy * dy)) + _TINY
                overlap = both / length - _ONE
                if overlap > _ZERO:
                    units[WORK_1, i] = _fused(dx, overlap, units[WORK_1, i])
                    units[WORK_2, i] = _fused(dy, overlap, units[WORK_2, i])
                    units[WORK_1, j] = _fused(-dx, overlap, units[WORK_1, j])
                    units[WORK_2, j] = _fused(-dy, overlap, units[WORK_2, j])
    if hit:
        for i in range(count):
            if units[HEALTH, i] > _ZERO:
                units[X, i] += units[WORK_1, i] * _HALF
                units[Y, i] += units[WORK_2, i] * _HALF


@njit(cache=True)
def _world_step(units, marks, stats, streams, k, width, height, noise, step):  # type: ignore[no-untyped-def]  # compiled by numba
    count = units.shape[1]
    for i in range(count):
        units[WORK_1, i] = _ZERO
    for i in range(count):
        target = marks[TARGET, i]
        cooldown = units[COOLDOWN, i]
        if (
            target >= 0
            and cooldown <= _ZERO
            and units[HEALTH, i] > _ZERO
            and units[HEALTH, target] > _ZERO
        ):
            dx = units[X, i] - units[X, target]
            dy = units[Y, i] - units[Y, target]
            reach = stats[RANGE, i]
            if dx * dx + dy * dy < reach * reach:
                units[WORK_1, target] += stats[DAMAGE, i]
                marks[SHOT, i] = target
                deviation = (
                    noise[step, i]
                    if noise.shape[0] > 0
                    else np.float32(stream_unit(streams, k)) * _SPREAD - _TICK
                )
                units[COOLDOWN, i] = stats[PERIOD, i] + deviation
                continue
        units[COOLDOWN, i] = cooldown - _TICK
    for i in range(count):
        health = units[HEALTH, i]
        if health > _ZERO:
            x = units[X, i] + units[MOVE_X, i] * stats[SPEED, i] * _TICK
            y = units[Y, i] + units[MOVE_Y, i] * stats[SPEED, i] * _TICK
            health = max(health - units[WORK_1, i], _ZERO)
            if x <= _ZERO or y <= _ZERO or x >= width or y >= height:
                x = max(min(x, width), _ZERO)
                y = max(min(y, height), _ZERO)
                health = _ZERO
            units[X, i] = x
            units[Y, i] = y
            units[HEALTH, i] = health
    smax_push(units, stats)


@njit(cache=True)
def smax_decision(world, rules, k, noise):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play the orders given, and set the shaped rewards without what is paid for winning.

    Args:
        world: modified in place.
        rules: of the battle.
        k: the episode.
        noise: deviations of cooldowns to replay, shape (8, U), or `NO_NOISE`.
    """
    units, marks = world.units[k], world.marks[k]
    stats = world.stats[k if world.stats.shape[0] > 1 else 0]
    width, height = rules.reals[WIDTH], rules.reals[HEIGHT]
    count = units.shape[1]
    allies = rules.numbers[R_ALLIES]
    for i in range(count):
        marks[SHOT, i] = -1
        units[BEFORE, i] = units[HEALTH, i]
    for step in range(DECISION_STEPS):
        _world_step(units, marks, stats, world.streams, k, width, height, noise, step)
    lost_0 = lost_1 = _ZERO
    for i in range(count):
        share = (units[BEFORE, i] - units[HEALTH, i]) / stats[FULL_HEALTH, i]
        if i < allies:
            lost_0 += share
        else:
            lost_1 += share
    world.pays[k, REWARD_0] = lost_1 / np.float32(count - allies)
    world.pays[k, REWARD_1] = lost_0 / np.float32(allies)
