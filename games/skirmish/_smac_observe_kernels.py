# ruff: noqa: PLR0912, PLR0917 - compiled: no keywords, one pass over many numbers
"""SMAC: what units see, and what they can do.

Of each unit: 4 flags of moves, [paths around], [heights around]; each opponent (can be named,
distance, Δx, Δy, [health], [shield], [type]); each other unit of its team (seen, distance, Δx,
Δy, [health], [shield], [type], [last action]); its own ([health], [shield], [position], [look
direction], [type]); [time]. The state: allies (health, cooldown or energy, x, y, [shield],
[type]), enemies (health, x, y, [shield], [type]), then [the allies' last actions, one-hot] and
[time]. `games.skirmish.options` has the settings that decide what is in brackets.
"""

from __future__ import annotations

import math

import numpy as np

from games._stream import stream_unit
from games.skirmish._jit import inlined, kernel
from games.skirmish._smac_kernels import can_reach
from games.skirmish._walk_kernels import blocked
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
    MOVE,
    PERIOD,
    R_ACTIONS_0,
    R_ACTIONS_1,
    R_ALL_HEALTH,
    R_ALLIES,
    R_LIMIT,
    R_LOOKS,
    R_OBS_0,
    R_OBS_1,
    R_OBS_ACTIONS,
    R_OBS_CLOCK,
    R_OBS_HEIGHT,
    R_OBS_PATHING,
    R_OWN_HEALTH,
    R_OWN_POSITION,
    R_SHIELDS_0,
    R_SHIELDS_1,
    R_STATE_ACTIONS,
    R_STATE_CLOCK,
    R_TYPES,
    REVEAL,
    SHIELD,
    SHOOT,
    SIGHT,
    STEP,
    TYPE,
    VIEW,
    WIDTH,
    X,
    Y,
)

__all__ = ["in_sight", "reveal", "smac_available", "smac_sees", "smac_state", "smac_unit"]

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)
_TINY = np.float32(1e-6)
# The points around a unit that SMAC looks at, in moves.
_AROUND_X = np.array([0.0, 0.0, 2.0, -2.0, 1.0, -1.0, 1.0, -1.0, 0.0], dtype=np.float32)
_AROUND_Y = np.array([2.0, -2.0, 0.0, 0.0, 1.0, -1.0, -1.0, 1.0, 0.0], dtype=np.float32)


@inlined
def in_sight(units, k, numbers, reals, i, j, far, edge):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether `j` is within `far` of `i` and in its field of view (the dead are too).

    At exactly that distance it is if `edge`: SMAC's ranges of weapons include it, those of
    sight do not.
    """
    dx, dy = units[k, X, j] - units[k, X, i], units[k, Y, j] - units[k, Y, i]
    square = dx * dx + dy * dy
    if square > far * far or (square == far * far and not edge):
        return False
    if numbers[R_LOOKS] == 0 or square <= _TINY:
        return True
    along = dx * units[k, LOOK_X, i] + dy * units[k, LOOK_Y, i]
    return along >= reals[VIEW] * math.sqrt(square)


@inlined
def smac_sees(units, stats, k, s, seen, numbers, reals, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether `i` sees `j`, if both live."""
    if not in_sight(units, k, numbers, reals, i, j, stats[s, SIGHT, i], False):
        return False
    return seen.shape[2] == 0 or seen[k, i, j] & 1 == 1


@kernel
def reveal(units, stats, k, s, seen, streams, numbers, reals):  # type: ignore[no-untyped-def]  # compiled by numba
    """Draw who may see whom: the first of a team to sight an opponent does, the others by luck.

    `seen[k, i, j]` is 0 before anybody of the team sees j, then 1 (may see it) or 2 (may not);
    3 marks the first, and when that one dies all is drawn anew. SMACv2's extended partial
    observability (Ellis et al. 2023, section 5.2).
    """
    allies, count = numbers[R_ALLIES], units.shape[2]
    for j in range(count):
        first, last = (allies, count) if j < allies else (0, allies)
        finder = -1
        for i in range(count):
            if (i < allies) == (j < allies):
                seen[k, i, j] = 1
            elif seen[k, i, j] == 3:
                finder = i
        if finder >= 0 and units[k, HEALTH, finder] > _ZERO and units[k, HEALTH, j] > _ZERO:
            continue
        for i in range(first, last):
            seen[k, i, j] = 0
        if units[k, HEALTH, j] <= _ZERO:
            continue
        for i in range(first, last):
            alive = units[k, HEALTH, i] > _ZERO
            if alive and in_sight(units, k, numbers, reals, i, j, stats[s, SIGHT, i], False):
                for other in range(first, last):
                    drawn = np.float32(stream_unit(streams, k)) < reals[REVEAL]
                    seen[k, other, j] = 1 if drawn else 2
                seen[k, i, j] = 3
                break


@inlined
def smac_available(units, stats, k, s, numbers, reals, walls, i, avail, r):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write which actions unit `i` has, into row `r` of `avail[k]`."""
    allies, count = numbers[R_ALLIES], units.shape[2]
    looks = numbers[R_LOOKS]
    for action in range(avail.shape[2]):
        avail[k, r, action] = False
    if units[k, HEALTH, i] <= _ZERO:
        avail[k, r, 0] = True
        return
    x, y = units[k, X, i], units[k, Y, i]
    avail[k, r, 1] = True
    half = reals[MOVE] * _HALF
    avail[k, r, 2] = y + half < reals[HEIGHT] and not blocked(walls, x, y + half)
    avail[k, r, 3] = y - half >= _ZERO and not blocked(walls, x, y - half)
    avail[k, r, 4] = x + half < reals[WIDTH] and not blocked(walls, x + half, y)
    avail[k, r, 5] = x - half >= _ZERO and not blocked(walls, x - half, y)
    for look in range(looks):
        avail[k, r, 6 + look] = True
    own = stats[s, HEAL, i] > _ZERO
    first, last = (0, allies) if (i < allies) == own else (allies, count)
    for j in range(first, last):
        avail[k, r, 6 + looks + j - first] = (
            units[k, HEALTH, j] > _ZERO
            and can_reach(stats, s, i, j)
            and in_sight(units, k, numbers, reals, i, j, stats[s, SHOOT, i], True)
        )


@inlined
def _other(units, marks, stats, k, s, i, j, flag, healths, shields, types, obs, r, at):  # type: ignore[no-untyped-def]  # compiled by numba
    dx, dy = units[k, X, j] - units[k, X, i], units[k, Y, j] - units[k, Y, i]
    share = _ONE / stats[s, SIGHT, i]
    obs[k, r, at] = flag
    obs[k, r, at + 1] = math.sqrt(dx * dx + dy * dy) * share
    obs[k, r, at + 2] = dx * share
    obs[k, r, at + 3] = dy * share
    at += 4
    if healths:
        obs[k, r, at] = units[k, HEALTH, j] / stats[s, FULL_HEALTH, j]
        at += 1
        if shields:
            if stats[s, FULL_SHIELD, j] > _ZERO:
                obs[k, r, at] = units[k, SHIELD, j] / stats[s, FULL_SHIELD, j]
            at += 1
    if types:
        obs[k, r, at + marks[k, TYPE, j]] = _ONE


@inlined
def _surroundings(units, k, numbers, reals, walls, heights, i, obs, r):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the ground around unit `i` behind its four moves; return where the next number goes.

    Outside the map all can be walked on and is of height 1, as SMAC has it.
    """
    at = 4
    x, y, move = math.floor(units[k, X, i]), math.floor(units[k, Y, i]), reals[MOVE]
    for kind in range(2):
        if not numbers[R_OBS_HEIGHT if kind else R_OBS_PATHING]:
            continue
        for point in range(8 + kind):
            column = math.floor(x + _AROUND_X[point] * move)
            row = math.floor(y + _AROUND_Y[point] * move)
            obs[k, r, at] = _ONE
            if 0 <= column < reals[WIDTH] and 0 <= row < reals[HEIGHT]:
                if kind:
                    flat = heights.shape[0] == 0
                    obs[k, r, at] = _ZERO if flat else heights[row, column]
                elif walls.shape[0] and walls[row, column]:
                    obs[k, r, at] = _ZERO
            at += 1
    return at


@inlined
def smac_unit(  # type: ignore[no-untyped-def]  # compiled by numba
    units, marks, heads, stats, k, s, seen, numbers, reals, walls, heights, i, avail, obs, r
):
    """Write what unit `i` observes into row `r` of `obs[k]`; that of `avail` holds its actions."""
    allies, count = numbers[R_ALLIES], units.shape[2]
    ally = i < allies
    for f in range(obs.shape[2]):
        obs[k, r, f] = _ZERO
    if numbers[R_OBS_CLOCK]:
        last = (numbers[R_OBS_0] if ally else numbers[R_OBS_1]) - 1
        obs[k, r, last] = np.float32(heads[k, STEP] / numbers[R_LIMIT])
    if units[k, HEALTH, i] <= _ZERO:
        return
    for way in range(4):
        obs[k, r, way] = avail[k, r, 2 + way]
    mine = numbers[R_SHIELDS_0] if ally else numbers[R_SHIELDS_1]
    theirs = numbers[R_SHIELDS_1] if ally else numbers[R_SHIELDS_0]
    types, looks = numbers[R_TYPES], numbers[R_LOOKS]
    healths, actions = numbers[R_ALL_HEALTH], 0
    if numbers[R_OBS_ACTIONS]:
        actions = numbers[R_ACTIONS_0] if ally else numbers[R_ACTIONS_1]
    at = 4
    if numbers[R_OBS_PATHING] or numbers[R_OBS_HEIGHT]:
        at = _surroundings(units, k, numbers, reals, walls, heights, i, obs, r)
    healer = stats[s, HEAL, i] > _ZERO
    # Opponents first, then the own team.
    for half in range(2):
        own = half == 1
        first, last = (allies, count) if ally != own else (0, allies)
        shields = mine if own else theirs
        facts = 4 + types + (1 + shields if healths else 0)
        wide = facts + actions if own else facts
        for j in range(first, last):
            if j == i:
                continue
            if units[k, HEALTH, j] > _ZERO and smac_sees(
                units, stats, k, s, seen, numbers, reals, i, j
            ):
                named = own or (not healer and avail[k, r, 6 + looks + j - first])
                flag = _ONE if named else _ZERO
                _other(units, marks, stats, k, s, i, j, flag, healths, shields, types, obs, r, at)
                if wide > facts and marks[k, ACTION, j] >= 0:
                    obs[k, r, at + facts + marks[k, ACTION, j]] = _ONE
            at += wide
    if numbers[R_OWN_HEALTH]:
        obs[k, r, at] = units[k, HEALTH, i] / stats[s, FULL_HEALTH, i]
        at += 1
        if mine:
            if stats[s, FULL_SHIELD, i] > _ZERO:
                obs[k, r, at] = units[k, SHIELD, i] / stats[s, FULL_SHIELD, i]
            at += 1
    if numbers[R_OWN_POSITION]:
        obs[k, r, at] = units[k, X, i] / reals[WIDTH]
        obs[k, r, at + 1] = units[k, Y, i] / reals[HEIGHT]
        at += 2
    if looks:
        obs[k, r, at] = units[k, LOOK_X, i]
        obs[k, r, at + 1] = units[k, LOOK_Y, i]
        at += 2
    if types:
        obs[k, r, at + marks[k, TYPE, i]] = _ONE


@inlined
def smac_state(units, marks, heads, stats, k, s, numbers, reals, state):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the state vector."""
    allies, count = numbers[R_ALLIES], units.shape[2]
    types, actions = numbers[R_TYPES], numbers[R_ACTIONS_0]
    for f in range(state.shape[1]):
        state[k, f] = _ZERO
    at = 0
    for i in range(count):
        ally = i < allies
        shields = numbers[R_SHIELDS_0] if ally else numbers[R_SHIELDS_1]
        if units[k, HEALTH, i] > _ZERO:
            state[k, at] = units[k, HEALTH, i] / stats[s, FULL_HEALTH, i]
            to = at + 1
            if ally:
                if stats[s, FULL_ENERGY, i] > _ZERO:
                    state[k, to] = units[k, ENERGY, i] / stats[s, FULL_ENERGY, i]
                else:
                    state[k, to] = units[k, COOLDOWN, i] / stats[s, PERIOD, i]
                to += 1
            state[k, to] = units[k, X, i] / reals[WIDTH] - _HALF
            state[k, to + 1] = units[k, Y, i] / reals[HEIGHT] - _HALF
            to += 2
            if shields:
                if stats[s, FULL_SHIELD, i] > _ZERO:
                    state[k, to] = units[k, SHIELD, i] / stats[s, FULL_SHIELD, i]
                to += 1
            if types:
                state[k, to + marks[k, TYPE, i]] = _ONE
        at += 3 + ally + shields + types
    for i in range(allies if numbers[R_STATE_ACTIONS] else 0):
        # Before the first decision nobody has acted.
        if marks[k, ACTION, i] >= 0:
            state[k, at + marks[k, ACTION, i]] = _ONE
        at += actions
    if numbers[R_STATE_CLOCK]:
        state[k, at] = np.float32(heads[k, STEP] / numbers[R_LIMIT])
