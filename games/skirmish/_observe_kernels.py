# ruff: noqa: PLR0917 - compiled: no keywords
"""What units see: observations, available actions and the state vector, in either mode.

SMAX (`observation_type="unit_list"`), for each unit: 13 numbers for every other unit, own
team first (health, Δx, Δy in units of its sight, last move, last attack, cooldown, type),
zeros for the dead and unseen, then 10 of its own. The state: 10 numbers a unit with
positions and cooldowns as they are, then all teams, then all types.

SMAC, for each unit: 4 flags of moves; each opponent (can be named, distance, Δx, Δy, health,
[shield], [type]); each other unit of its team (seen, distance, Δx, Δy, health, [shield],
[type]); its own (health, [shield], [position], [look direction], [type]). The state: allies
(health, cooldown or energy, x, y, [shield], [type]), enemies (health, x, y, [shield],
[type]), then the allies' last actions, one-hot.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from games._stream import stream_unit
from games.skirmish._smac_kernels import blocked, can_reach
from games.skirmish.layout import (
    ACTION,
    COOLDOWN,
    ENERGY,
    FULL_ENERGY,
    FULL_HEALTH,
    FULL_SHIELD,
    HEAL,
    HEALTH,
    HEIGHT,
    LOOK_X,
    LOOK_Y,
    MOVE_X,
    MOVE_Y,
    PERIOD,
    R_ACTIONS_0,
    R_ACTIONS_1,
    R_ALLIES,
    R_LAST,
    R_LOOKS,
    R_MODE,
    R_OBS_0,
    R_OBS_1,
    R_OWN_POSITION,
    R_SHIELDS_0,
    R_SHIELDS_1,
    R_TYPES,
    REVEAL,
    SHIELD,
    SHOOT,
    SIGHT,
    SMAX,
    TYPE,
    WIDTH,
    X,
    Y,
)

__all__ = ["available", "in_sight", "observe_state", "observe_unit", "reveal", "sees"]

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_FEATURES = 13
_OWN = 10
_TINY = np.float32(1e-6)


@njit(cache=True)
def _ready(cooldown, period):  # type: ignore[no-untyped-def]  # compiled by numba
    return max(min(cooldown / period, _ONE), _ZERO)


# -- SMAX ---------------------------------------------------------------------------------


@njit(cache=True)
def _smax_unit(rules, units, marks, stats, i, out):  # type: ignore[no-untyped-def]  # compiled by numba
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    if units[HEALTH, i] <= _ZERO:
        out[: _FEATURES * (count - 1) + _OWN] = _ZERO
        return
    x, y, sight = units[X, i], units[Y, i], stats[SIGHT, i]
    square = sight * sight
    share = _ONE / sight
    first, last, stride = (0, count, 1) if i < allies else (count - 1, -1, -1)
    attack_0 = _ONE / np.float32(rules.numbers[R_ACTIONS_0] - 1)
    attack_1 = _ONE / np.float32(rules.numbers[R_ACTIONS_1] - 1)
    at = 0
    for j in range(first, last, stride):
        if j == i:
            continue
        for f in range(_FEATURES):
            out[at + f] = _ZERO
        dx = units[X, j] - x
        dy = units[Y, j] - y
        if dx * dx + dy * dy < square and units[HEALTH, j] > _ZERO:
            out[at] = units[HEALTH, j] / stats[FULL_HEALTH, j]
            out[at + 1] = dx * share
            out[at + 2] = dy * share
            out[at + 3] = units[MOVE_X, j]
            out[at + 4] = units[MOVE_Y, j]
            action = marks[ACTION, j]
            if action > 4:
                out[at + 5] = np.float32(action) * (attack_0 if j < allies else attack_1)
            out[at + 6] = _ready(units[COOLDOWN, j], stats[PERIOD, j])
            out[at + 7 + marks[TYPE, j]] = _ONE
        at += _FEATURES
    for f in range(_OWN):
        out[at + f] = _ZERO
    out[at] = units[HEALTH, i] / stats[FULL_HEALTH, i]
    out[at + 1] = x / rules.reals[WIDTH]
    out[at + 2] = y / rules.reals[HEIGHT]
    out[at + 3] = _ready(units[COOLDOWN, i], stats[PERIOD, i])
    out[at + 4 + marks[TYPE, i]] = _ONE


@njit(cache=True)
def _smax_state(rules, units, marks, stats, out):  # type: ignore[no-untyped-def]  # compiled by numba
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    at = 0
    for i in range(count):
        for f in range(_OWN):
            out[at + f] = _ZERO
        if units[HEALTH, i] > _ZERO:
            out[at] = units[HEALTH, i] / stats[FULL_HEALTH, i]
            out[at + 1] = units[X, i]
            out[at + 2] = units[Y, i]
            out[at + 3] = units[COOLDOWN, i]
            out[at + 4 + marks[TYPE, i]] = _ONE
        at += _OWN
    for i in range(count):
        out[at + i] = _ZERO if i < allies else _ONE
        out[at + count + i] = np.float32(marks[TYPE, i])


@njit(cache=True)
def _smax_available(rules, units, stats, i, out):  # type: ignore[no-untyped-def]  # compiled by numba
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    alive = units[HEALTH, i] > _ZERO
    out[0] = out[1] = out[2] = out[3] = alive
    out[4] = True
    x, y, reach = units[X, i], units[Y, i], stats[SHOOT, i] * stats[SHOOT, i]
    first, last, stride = (allies, count, 1) if i < allies else (allies - 1, -1, -1)
    at = 5
    for j in range(first, last, stride):
        dx = units[X, j] - x
        dy = units[Y, j] - y
        near = dx * dx + dy * dy < reach
        out[at] = near & alive & (units[HEALTH, j] > _ZERO)
        at += 1
    out[at:] = False


# -- SMAC ---------------------------------------------------------------------------------


@njit(cache=True)
def in_sight(rules, units, stats, i, j, far):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether `j` is within `far` of `i` and in its field of view (the dead are too)."""
    dx, dy = units[X, j] - units[X, i], units[Y, j] - units[Y, i]
    square = dx * dx + dy * dy
    if square > far * far:
        return False
    looks = rules.numbers[R_LOOKS]
    if looks == 0 or square <= _TINY:
        return True
    along = dx * units[LOOK_X, i] + dy * units[LOOK_Y, i]
    return along >= np.float32(math.cos(math.pi / looks)) * math.sqrt(square)


@njit(cache=True)
def sees(world, rules, k, units, stats, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether `i` sees `j`, if both live."""
    if not in_sight(rules, units, stats, i, j, stats[SIGHT, i]):
        return False
    return world.seen.shape[1] == 0 or world.seen[k, i, j] & 1 == 1


@njit(cache=True)
def reveal(world, rules, k):  # type: ignore[no-untyped-def]  # compiled by numba
    """Draw who may see whom: the first of a team to sight an opponent does, the others by luck.

    `seen[i, j]` is 0 before anybody of the team sees j, then 1 (may see it) or 2 (may not);
    it is forgotten when the first one dies (3 marks the first). SMACv2's extended partial
    observability (Ellis et al. 2023, section 5.2).
    """
    if world.seen.shape[1] == 0:
        return
    units, seen = world.units[k], world.seen[k]
    stats = world.stats[k if world.stats.shape[0] > 1 else 0]
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    for i in range(count):
        for j in range(count):
            seen[i, j] = 1 if (i < allies) == (j < allies) else seen[i, j]
    for j in range(count):
        first, last = (allies, count) if j < allies else (0, allies)
        finder = -1
        for i in range(first, last):
            if seen[i, j] == 3:
                finder = i
        if finder >= 0 and units[HEALTH, finder] > _ZERO and units[HEALTH, j] > _ZERO:
            continue
        for i in range(first, last):
            seen[i, j] = 0
        if units[HEALTH, j] <= _ZERO:
            continue
        for i in range(first, last):
            alive = units[HEALTH, i] > _ZERO
            if alive and in_sight(rules, units, stats, i, j, stats[SIGHT, i]):
                for other in range(first, last):
                    drawn = np.float32(stream_unit(world.streams, k)) < rules.reals[REVEAL]
                    seen[other, j] = 1 if drawn else 2
                seen[i, j] = 3
                break


@njit(cache=True)
def _smac_available(world, rules, k, i, out):  # type: ignore[no-untyped-def]  # compiled by numba
    units = world.units[k]
    stats = world.stats[k if world.stats.shape[0] > 1 else 0]
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    looks = rules.numbers[R_LOOKS]
    out[:] = False
    if units[HEALTH, i] <= _ZERO:
        out[0] = True
        return
    x, y = units[X, i], units[Y, i]
    width, height = rules.reals[WIDTH], rules.reals[HEIGHT]
    out[1] = True
    out[2] = y + _ONE < height and not blocked(rules.walls, x, y + _ONE)
    out[3] = y - _ONE >= _ZERO and not blocked(rules.walls, x, y - _ONE)
    out[4] = x + _ONE < width and not blocked(rules.walls, x + _ONE, y)
    out[5] = x - _ONE >= _ZERO and not blocked(rules.walls, x - _ONE, y)
    out[6 : 6 + looks] = True
    own = stats[HEAL, i] > _ZERO
    first, last = (0, allies) if (i < allies) == own else (allies, count)
    for j in range(first, last):
        out[6 + looks + j - first] = (
            units[HEALTH, j] > _ZERO
            and can_reach(stats, i, j)
            and in_sight(rules, units, stats, i, j, stats[SHOOT, i])
        )


@njit(cache=True)
def _smac_other(rules, units, marks, stats, i, j, flag, shields, out, at):  # type: ignore[no-untyped-def]  # compiled by numba
    dx, dy = units[X, j] - units[X, i], units[Y, j] - units[Y, i]
    share = _ONE / stats[SIGHT, i]
    out[at] = flag
    out[at + 1] = math.sqrt(dx * dx + dy * dy) * share
    out[at + 2] = dx * share
    out[at + 3] = dy * share
    out[at + 4] = units[HEALTH, j] / stats[FULL_HEALTH, j]
    at += 5
    if shields:
        if stats[FULL_SHIELD, j] > _ZERO:
            out[at] = units[SHIELD, j] / stats[FULL_SHIELD, j]
        at += 1
    if rules.numbers[R_TYPES]:
        out[at + marks[TYPE, j]] = _ONE


@njit(cache=True)
def _smac_unit(world, rules, k, i, mask, out):  # type: ignore[no-untyped-def]  # compiled by numba
    units, marks = world.units[k], world.marks[k]
    stats = world.stats[k if world.stats.shape[0] > 1 else 0]
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    ally = i < allies
    out[:] = _ZERO
    if units[HEALTH, i] <= _ZERO:
        return
    for way in range(4):
        out[way] = mask[2 + way]
    mine = rules.numbers[R_SHIELDS_0] if ally else rules.numbers[R_SHIELDS_1]
    theirs = rules.numbers[R_SHIELDS_1] if ally else rules.numbers[R_SHIELDS_0]
    types, looks = rules.numbers[R_TYPES], rules.numbers[R_LOOKS]
    at = 4
    first, last = (allies, count) if ally else (0, allies)
    healer = stats[HEAL, i] > _ZERO
    for j in range(first, last):
        if units[HEALTH, j] > _ZERO and sees(world, rules, k, units, stats, i, j):
            named = not healer and mask[6 + looks + j - first]
            flag = _ONE if named else _ZERO
            _smac_other(rules, units, marks, stats, i, j, flag, theirs, out, at)
        at += 5 + theirs + types
    first, last = (0, allies) if ally else (allies, count)
    for j in range(first, last):
        if j == i:
            continue
        if units[HEALTH, j] > _ZERO and sees(world, rules, k, units, stats, i, j):
            _smac_other(rules, units, marks, stats, i, j, _ONE, mine, out, at)
        at += 5 + mine + types
    out[at] = units[HEALTH, i] / stats[FULL_HEALTH, i]
    at += 1
    if mine:
        if stats[FULL_SHIELD, i] > _ZERO:
            out[at] = units[SHIELD, i] / stats[FULL_SHIELD, i]
        at += 1
    if rules.numbers[R_OWN_POSITION]:
        out[at] = units[X, i] / rules.reals[WIDTH]
        out[at + 1] = units[Y, i] / rules.reals[HEIGHT]
        at += 2
    if looks:
        out[at] = units[LOOK_X, i]
        out[at + 1] = units[LOOK_Y, i]
        at += 2
    if types:
        out[at + marks[TYPE, i]] = _ONE


@njit(cache=True)
def _smac_state(rules, units, marks, stats, out):  # type: ignore[no-untyped-def]  # compiled by numba
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    types, actions = rules.numbers[R_TYPES], rules.numbers[R_ACTIONS_0]
    width, height = rules.reals[WIDTH], rules.reals[HEIGHT]
    half = np.float32(0.5)
    out[:] = _ZERO
    at = 0
    for i in range(count):
        ally = i < allies
        shields = rules.numbers[R_SHIELDS_0] if ally else rules.numbers[R_SHIELDS_1]
        size = 3 + ally + shields + types
        if units[HEALTH, i] > _ZERO:
            out[at] = units[HEALTH, i] / stats[FULL_HEALTH, i]
            to = at + 1
            if ally:
                if stats[FULL_ENERGY, i] > _ZERO:
                    out[to] = units[ENERGY, i] / stats[FULL_ENERGY, i]
                else:
                    out[to] = units[COOLDOWN, i] / stats[PERIOD, i]
                to += 1
            out[to] = units[X, i] / width - half
            out[to + 1] = units[Y, i] / height - half
            to += 2
            if shields:
                if stats[FULL_SHIELD, i] > _ZERO:
                    out[to] = units[SHIELD, i] / stats[FULL_SHIELD, i]
                to += 1
            if types:
                out[to + marks[TYPE, i]] = _ONE
        at += size
    if rules.numbers[R_LAST]:
        for i in range(allies):
            # Before the first decision nobody has acted.
            if marks[ACTION, i] >= 0:
                out[at + marks[ACTION, i]] = _ONE
            at += actions


# -- either -------------------------------------------------------------------------------


@njit(cache=True)
def available(world, rules, k, i, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write which actions unit `i` has, bool, shape (A or more,); the rest is False."""
    if rules.numbers[R_MODE] == SMAX:
        stats = world.stats[k if world.stats.shape[0] > 1 else 0]
        _smax_available(rules, world.units[k], stats, i, out)
    else:
        _smac_available(world, rules, k, i, out)


@njit(cache=True)
def observe_unit(world, rules, k, i, mask, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write what unit `i` observes, shape (D or more,); `mask` holds its available actions."""
    if rules.numbers[R_MODE] == SMAX:
        stats = world.stats[k if world.stats.shape[0] > 1 else 0]
        _smax_unit(rules, world.units[k], world.marks[k], stats, i, out)
    else:
        size = rules.numbers[R_OBS_0 if i < rules.numbers[R_ALLIES] else R_OBS_1]
        _smac_unit(world, rules, k, i, mask, out[:size])
        out[size:] = _ZERO


@njit(cache=True)
def observe_state(world, rules, k, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the state vector, shape (S,)."""
    stats = world.stats[k if world.stats.shape[0] > 1 else 0]
    if rules.numbers[R_MODE] == SMAX:
        _smax_state(rules, world.units[k], world.marks[k], stats, out)
    else:
        _smac_state(rules, world.units[k], world.marks[k], stats, out)
