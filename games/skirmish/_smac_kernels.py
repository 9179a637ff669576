# ruff: noqa: PLR0912, PLR0917 - compiled: no keywords, one pass over many rules
"""SMAC: one decision of one episode by StarCraft II's rules, in float32.

All units act at once from the same state. A world step of 1/16 s:

1. An attacker whose target is in reach (distance between the edges at most its range)
   stands and fires when its weapon is ready, otherwise it walks up to the target. Every hit
   does its damage, plus a bonus on some attributes, to the shield first and then, less the
   armour but at least one half, to the health. A beam hits everything along a line across
   the line of fire; a suicide hits everything around it and dies.
2. A healer in reach of its target restores health for energy.
3. Units move; walls stop those on the ground, who slide along them. With `collision='orca'`
   they find ways around each other (`_orca_kernels`).
4. Shields regenerate 10 s after the last hit; zerg regain health, healers energy.
5. Otherwise living units of the same plane that overlap push each other apart by half the
   overlap.

Eight of them are a decision. The twin in plain Python is `tests/reference/skirmish.py`.

Sources: Liquipedia, "Damage calculation", "Shields", "Medivac"; the length of the world step
is SMAX's and SMAClite's (Michalski et al. 2023).
"""

from __future__ import annotations

import math

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from games._stream import stream_unit
from games.skirmish._jit import inlined
from games.skirmish._near_kernels import near
from games.skirmish._walk_kernels import blocked, walk, walk_around
from games.skirmish.layout import (
    ACTION,
    ARMOUR,
    ATTRIBUTES,
    BEFORE,
    BONUS,
    BONUS_AGAINST,
    CLIMBS,
    COOLDOWN,
    DAMAGE,
    ENERGY,
    FAR,
    FLIES,
    FULL_ENERGY,
    FULL_HEALTH,
    FULL_SHIELD,
    HEAL,
    HEALTH,
    HITS,
    LOOK_X,
    LOOK_Y,
    MOVE_X,
    MOVE_Y,
    MOVED,
    PAY_DEATH,
    PAY_NEGATIVE,
    PERIOD,
    QUIET,
    R_ALLIES,
    R_AVOID,
    R_POSITIVE,
    R_STEPS,
    RADIUS,
    RANGE,
    REACH,
    REGENERATION,
    REWARD_0,
    REWARD_1,
    SCALE_0,
    SCALE_1,
    SHIELD,
    SHOT,
    SPEED,
    SPLASH,
    TARGET,
    WORK_1,
    WORK_2,
    X,
    Y,
)

__all__ = ["can_reach", "smac_decision", "smac_decode", "smac_push"]

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)
_TINY = np.float32(1e-6)
_TICK = np.float32(1.0 / 16.0)
_SPREAD = np.float32(3.0 / 16.0)
_SLACK = np.float32(0.01)  # who walks up to a target ends up inside its range
_SHIELD_DELAY = np.float32(10.0)
_SHIELD_RATE = np.float32(2.0 / 16.0)
_ENERGY_RATE = np.float32(0.7875 / 16.0)
_ENERGY_HEALS = np.float32(3.0)  # health for one energy
_ENERGY_START = np.float32(5.0)  # without that much no healing begins
_BEAM_LONG = np.float32(1.4)
_BEAM_WIDE = np.float32(0.15)
_BLAST = np.float32(2.2)
_BEAM, _SUICIDE = np.float32(1.0), np.float32(2.0)

_STEP_X = np.array([0.0, 0.0, 1.0, -1.0], dtype=np.float32)  # north, south, east, west
_STEP_Y = np.array([1.0, -1.0, 0.0, 0.0], dtype=np.float32)


@inlined
def smac_decode(units, marks, stats, k, s, allies, looks, stride, i, action):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give unit `i` the order that an action stands for."""
    marks[k, ACTION, i] = action
    marks[k, TARGET, i] = -1
    marks[k, MOVED, i] = 0
    if action < 2:
        return
    if action < 6:
        marks[k, MOVED, i] = 1
        units[k, MOVE_X, i] = units[k, X, i] + _STEP_X[action - 2] * stride
        units[k, MOVE_Y, i] = units[k, Y, i] + _STEP_Y[action - 2] * stride
    elif action < 6 + looks:
        angle = 2.0 * math.pi * (action - 6) / looks
        units[k, LOOK_X, i] = np.float32(math.cos(angle))
        units[k, LOOK_Y, i] = np.float32(math.sin(angle))
    else:
        # Healers name units of their own team, all others their opponents.
        own = stats[s, HEAL, i] > _ZERO
        first = 0 if (i < allies) == own else allies
        marks[k, TARGET, i] = first + action - 6 - looks


@inlined
def can_reach(stats, s, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether the weapon of `i` works on `j`, or `j` can be healed by `i`."""
    if stats[s, HEAL, i] > _ZERO:
        return i != j and stats[s, FLIES, j] == _ZERO
    plane = 2 if stats[s, FLIES, j] > _ZERO else 1
    return np.int32(stats[s, REACH, i]) & plane != 0


@inlined
def _hit(units, stats, k, s, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Let one shot of `i` hit `j`: WORK_1 is the new health, WORK_2 the new shield."""
    damage = stats[s, DAMAGE, i]
    if np.int32(stats[s, BONUS_AGAINST, i]) & np.int32(stats[s, ATTRIBUTES, j]):
        damage += stats[s, BONUS, i]
    units[k, QUIET, j] = _ZERO
    for _ in range(int(stats[s, HITS, i])):
        left = damage
        if units[k, WORK_2, j] > _ZERO:
            taken = min(left, units[k, WORK_2, j])
            units[k, WORK_2, j] -= taken
            left -= taken
        if left > _ZERO:
            units[k, WORK_1, j] -= max(left - stats[s, ARMOUR, j], min(left, _HALF))


@inlined
def _fire(units, marks, stats, k, s, allies, i, target):  # type: ignore[no-untyped-def]  # compiled by numba
    """Let unit `i` fire at `target`, and at what else its splash hits."""
    splash = stats[s, SPLASH, i]
    if splash == _ZERO:
        _hit(units, stats, k, s, i, target)
        return
    first, last = (allies, units.shape[2]) if i < allies else (0, allies)
    ux, uy = units[k, X, target] - units[k, X, i], units[k, Y, target] - units[k, Y, i]
    length = math.sqrt(ux * ux + uy * uy)
    if length > _ZERO:
        ux, uy = ux / length, uy / length
    else:
        ux, uy = _ONE, _ZERO
    for j in range(first, last):
        if units[k, HEALTH, j] <= _ZERO or not can_reach(stats, s, i, j):
            continue
        if splash == _BEAM:
            dx, dy = units[k, X, j] - units[k, X, target], units[k, Y, j] - units[k, Y, target]
            along = max(abs(dx * ux + dy * uy) - _BEAM_WIDE, _ZERO)
            across = max(abs(dy * ux - dx * uy) - _BEAM_LONG, _ZERO)
            if along * along + across * across <= stats[s, RADIUS, j] * stats[s, RADIUS, j]:
                _hit(units, stats, k, s, i, j)
        else:
            dx, dy = units[k, X, j] - units[k, X, i], units[k, Y, j] - units[k, Y, i]
            reach = _BLAST + stats[s, RADIUS, j]
            if dx * dx + dy * dy <= reach * reach:
                _hit(units, stats, k, s, i, j)
    if splash == _SUICIDE:
        units[k, WORK_1, i] = _ZERO


@inlined
def _heal(units, stats, k, s, i, target):  # type: ignore[no-untyped-def]  # compiled by numba
    """Let unit `i` heal `target` for one world step; whether it did."""
    missing = stats[s, FULL_HEALTH, target] - units[k, WORK_1, target]
    if missing <= _ZERO or units[k, WORK_1, target] <= _ZERO:
        return False
    health = min(missing, stats[s, HEAL, i] * _TICK, units[k, ENERGY, i] * _ENERGY_HEALS)
    units[k, WORK_1, target] += health
    units[k, ENERGY, i] -= health / _ENERGY_HEALS
    return health > _ZERO


@inlined
def _attack(units, marks, stats, k, s, streams, allies, i, noise, step):  # type: ignore[no-untyped-def]  # compiled by numba
    """Let unit `i` attack its target; return how far it has to walk for that."""
    target = marks[k, TARGET, i]
    dx, dy = units[k, X, target] - units[k, X, i], units[k, Y, target] - units[k, Y, i]
    reach = stats[s, RANGE, i] + stats[s, RADIUS, i] + stats[s, RADIUS, target]
    square = dx * dx + dy * dy
    if square > reach * reach:
        return math.sqrt(square) - reach + _SLACK
    if stats[s, HEAL, i] <= _ZERO and units[k, COOLDOWN, i] <= _ZERO:
        marks[k, SHOT, i] = target
        _fire(units, marks, stats, k, s, allies, i, target)
        deviation = (
            noise[step, i]
            if noise.shape[0] > 0
            else np.float32(stream_unit(streams, k)) * _SPREAD - _TICK
        )
        units[k, COOLDOWN, i] = stats[s, PERIOD, i] + deviation
    return _ZERO


@inlined
def smac_push(units, stats, k, s, walls, width, height):  # type: ignore[no-untyped-def]  # compiled by numba
    """Push living units of the same plane apart that overlap; nobody leaves the map."""
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
                dx = units[k, X, i] - units[k, X, j]
                dy = units[k, Y, i] - units[k, Y, j]
                both = stats[s, RADIUS, i] + stats[s, RADIUS, j]
                square = dx * dx + dy * dy
                if (
                    square >= both * both
                    or units[k, HEALTH, j] <= _ZERO
                    or stats[s, FLIES, i] != stats[s, FLIES, j]
                ):
                    continue
                if not hit:
                    hit = True
                    units[k, WORK_1] = _ZERO
                    units[k, WORK_2] = _ZERO
                # Nothing moves what cannot walk, so the other one makes all the way.
                still_i, still_j = stats[s, SPEED, i] <= _ZERO, stats[s, SPEED, j] <= _ZERO
                length = np.float32(math.sqrt(square))
                if length <= _TINY:
                    dx, dy, length = _TINY, _ZERO, _TINY
                overlap = (both / length - _ONE) * _HALF
                if still_i != still_j:
                    overlap *= np.float32(2.0)
                if not still_i:
                    units[k, WORK_1, i] += dx * overlap
                    units[k, WORK_2, i] += dy * overlap
                if not still_j:
                    units[k, WORK_1, j] -= dx * overlap
                    units[k, WORK_2, j] -= dy * overlap
    if not hit:
        return
    for i in range(count):
        if units[k, HEALTH, i] > _ZERO:
            radius = stats[s, RADIUS, i]
            x = max(min(units[k, X, i] + units[k, WORK_1, i], width - radius), radius)
            y = max(min(units[k, Y, i] + units[k, WORK_2, i], height - radius), radius)
            if (
                stats[s, FLIES, i] > _ZERO
                or stats[s, CLIMBS, i] > _ZERO
                or not blocked(walls, x, y)
            ):
                units[k, X, i] = x
                units[k, Y, i] = y


@inlined
def _world_step(  # type: ignore[no-untyped-def]  # compiled by numba
    units, marks, stats, k, s, streams, numbers, width, height, walls, scratch, noise, step
):
    count, allies = units.shape[2], numbers[R_ALLIES]
    for i in range(count):
        units[k, WORK_1, i] = units[k, HEALTH, i]
        units[k, WORK_2, i] = units[k, SHIELD, i]
        units[k, QUIET, i] += _TICK
    for i in range(count):
        if units[k, HEALTH, i] <= _ZERO:
            continue
        if units[k, COOLDOWN, i] > _ZERO:
            units[k, COOLDOWN, i] = max(units[k, COOLDOWN, i] - _TICK, _ZERO)
        target = marks[k, TARGET, i]
        if target >= 0 and (
            units[k, HEALTH, target] <= _ZERO or not can_reach(stats, s, i, target)
        ):
            marks[k, TARGET, i] = target = -1
        far = _ZERO
        if target >= 0:
            far = _attack(units, marks, stats, k, s, streams, allies, i, noise, step)
        elif marks[k, MOVED, i]:
            far = np.float32(1e6)
        units[k, FAR, i] = far
    # Healing comes after all hits: what is dead stays dead.
    for i in range(count):
        if units[k, HEALTH, i] <= _ZERO or stats[s, HEAL, i] <= _ZERO:
            continue
        units[k, ENERGY, i] = min(units[k, ENERGY, i] + _ENERGY_RATE, stats[s, FULL_ENERGY, i])
        target = marks[k, TARGET, i]
        begun = marks[k, SHOT, i] == target or units[k, ENERGY, i] >= _ENERGY_START
        if (
            target >= 0
            and units[k, FAR, i] <= _ZERO
            and begun
            and _heal(units, stats, k, s, i, target)
        ):
            marks[k, SHOT, i] = target
    for i in range(count):
        if units[k, HEALTH, i] <= _ZERO:
            continue
        units[k, HEALTH, i] = max(units[k, WORK_1, i], _ZERO)
        units[k, SHIELD, i] = units[k, WORK_2, i]
        if units[k, HEALTH, i] <= _ZERO:
            units[k, SHIELD, i] = _ZERO
            continue
        if units[k, QUIET, i] >= _SHIELD_DELAY:
            units[k, SHIELD, i] = min(units[k, SHIELD, i] + _SHIELD_RATE, stats[s, FULL_SHIELD, i])
        if stats[s, REGENERATION, i] > _ZERO:
            units[k, HEALTH, i] = min(
                units[k, HEALTH, i] + stats[s, REGENERATION, i] * _TICK, stats[s, FULL_HEALTH, i]
            )
    for i in range(count):
        units[k, WORK_1, i] = units[k, X, i]
        units[k, WORK_2, i] = units[k, Y, i]
    if numbers[R_AVOID]:
        walk_around(units, marks, stats, k, s, walls, width, height, scratch)
        return
    for i in range(count):
        if units[k, HEALTH, i] > _ZERO and units[k, FAR, i] > _ZERO:
            walk(units, marks, stats, k, s, walls, width, height, i)
    for i in range(count):
        units[k, X, i] = units[k, WORK_1, i]
        units[k, Y, i] = units[k, WORK_2, i]
    smac_push(units, stats, k, s, walls, width, height)


@inlined
def smac_decision(  # type: ignore[no-untyped-def]  # compiled by numba
    units,
    marks,
    stats,
    k,
    s,
    streams,
    pays,
    numbers,
    rewards,
    width,
    height,
    walls,
    scratch,
    noise,
):
    """Play the orders given, and set the shaped rewards without what is paid for winning.

    A team is paid what the other one lost of health and shields (as an amount: shields that
    regenerate count too, as in SMAC) and for each of its deaths, divided by the scale; unless
    only that counts, a share of its own losses is taken off.

    Args:
        units: shape (N, UNIT_ROWS, U), modified in place.
        marks: shape (N, MARK_ROWS, U), modified in place.
        stats: shape (N or 1, STAT_ROWS, U).
        k: the episode.
        s: its row of `stats`.
        streams: entry `k` is drawn from and modified in place.
        pays: row `k` is written.
        numbers: of the rules.
        rewards: of the rules.
        width: of the map.
        height: of the map.
        walls: of the ground.
        scratch: of the world, modified in place.
        noise: deviations of cooldowns to replay, shape (steps, U), or `NO_NOISE`.
    """
    count, allies = units.shape[2], numbers[R_ALLIES]
    death = np.float32(rewards[PAY_DEATH])
    for i in range(count):
        marks[k, SHOT, i] = -1
        units[k, BEFORE, i] = units[k, HEALTH, i] + units[k, SHIELD, i]
    for step in range(numbers[R_STEPS]):
        _world_step(
            units, marks, stats, k, s, streams, numbers, width, height, walls, scratch, noise, step
        )
    lost_0 = lost_1 = killed_0 = killed_1 = _ZERO
    for i in range(count):
        change = units[k, BEFORE, i] - units[k, HEALTH, i] - units[k, SHIELD, i]
        died = death if units[k, BEFORE, i] > _ZERO and units[k, HEALTH, i] <= _ZERO else _ZERO
        if i < allies:
            lost_0 += change
            killed_0 += died
        else:
            lost_1 += change
            killed_1 += died
    if numbers[R_POSITIVE]:
        pays[k, REWARD_0] = abs(lost_1 + killed_1) / pays[k, SCALE_0]
        pays[k, REWARD_1] = abs(lost_0 + killed_0) / pays[k, SCALE_1]
    else:
        share = rewards[PAY_NEGATIVE]
        loss_0, loss_1 = float(lost_0 + killed_0), float(lost_1 + killed_1)
        pays[k, REWARD_0] = (loss_1 - share * loss_0) / pays[k, SCALE_0]
        pays[k, REWARD_1] = (loss_0 - share * loss_1) / pays[k, SCALE_1]
