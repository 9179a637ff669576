# ruff: noqa: PLR0912, PLR0917 - compiled: no keywords, decisions have many cases
"""Built-in players, unit by unit: what each one sees is all that it goes by.

- `closest` and `random` are SMAX's heuristic (JaxMARL, `heuristic_enemy.py`): shoot if
  anything is in range, at the last target while it stays there, else at the closest (or a
  random) one; otherwise walk along the axis best aligned with a random visible opponent,
  else towards the point opposite the own start.
- `focus_fire` is stronger: everybody shoots the opponent in range that is nearest to death,
  steps back from opponents it outranges while its weapon is not ready, and closes in on the
  nearest one.
- `attack_move` is how StarCraft II's own units behave when sent across the map: the nearest
  opponent in sight is attacked, wherever it runs; nobody in sight, they march on. Its orders
  are finer than a seat's actions, so it is built in only.
"""

from __future__ import annotations

import numpy as np

from games._stream import stream_below
from games.skirmish._jit import inlined
from games.skirmish._smac_kernels import blocked, can_reach
from games.skirmish.layout import (
    ACTION,
    CLIMBS,
    CLOSEST,
    COOLDOWN,
    DECISION_STEPS,
    FACING,
    FLIES,
    FOCUS,
    FULL_HEALTH,
    HEAL,
    HEALTH,
    HEIGHT,
    MEMORY,
    MOVE_X,
    MOVE_Y,
    MOVED,
    R_ALLIES,
    R_LOOKS,
    R_START,
    RADIUS,
    RANDOM,
    RANGE,
    SHIELD,
    SHOOT,
    SIGHT,
    SPEED,
    START_X,
    START_Y,
    TARGET,
    WIDTH,
    X,
    Y,
)

__all__ = ["attack_move", "choose"]

_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)
_FAR = np.float32(1e9)
_MARGIN = np.float32(2.5)  # who steps back keeps that far from the border
_DECISION = np.float32(DECISION_STEPS / 16.0)
_SMAC_MOVES = np.array([2, 4, 3, 5])  # up, right, down, left
_WAYS_X = np.array([0.0, 1.0, 0.0, -1.0], dtype=np.float32)
_WAYS_Y = np.array([1.0, 0.0, -1.0, 0.0], dtype=np.float32)
_ROUTE_X = np.array([0, 1, 1, 1, 0, -1, -1, -1])
_ROUTE_Y = np.array([1, 1, 0, -1, -1, -1, 0, 1])


@inlined
def _move(rules, ground, way):  # type: ignore[no-untyped-def]  # compiled by numba
    if ground is None:
        return way
    return _SMAC_MOVES[way]


@inlined
def _name(rules, ground, i, j, own):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the action of `i` that names unit `j` as its target (of the `own` team or not)."""
    allies = rules.numbers[R_ALLIES]
    if ground is None:
        return 5 + (j - allies if i < allies else allies - 1 - j)
    first = 0 if (i < allies) == own else allies
    return 6 + rules.numbers[R_LOOKS] + j - first


@inlined
def _square(units, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    dx, dy = units[X, j] - units[X, i], units[Y, j] - units[Y, i]
    return dx * dx + dy * dy


@inlined
def _in_range(rules, ground, stats, i, square):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether a target at that squared distance can be named."""
    reach = stats[SHOOT, i]
    if ground is None:
        return square < reach * reach
    return square <= reach * reach


@inlined
def _clear(walls, x, y, to_x, to_y):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether the straight line between two points meets no wall."""
    dx, dy = to_x - x, to_y - y
    pieces = int(2.0 * max(abs(dx), abs(dy))) + 1
    for piece in range(1, pieces):
        share = np.float32(piece / pieces)
        if blocked(walls, x + dx * share, y + dy * share):
            return False
    return True


@inlined
def _waypoint(rules, ground, units, stats, i, x, y):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the point to walk to on the way of unit `i` to (x, y): around walls."""
    if ground is None:
        return x, y
    if ground.walls.shape[0] == 0 or stats[FLIES, i] > _ZERO or stats[CLIMBS, i] > _ZERO:
        return x, y
    if _clear(ground.walls, units[X, i], units[Y, i], x, y):
        return x, y
    columns, rows = ground.walls.shape[1], ground.walls.shape[0]
    column = min(max(int(units[X, i]), 0), columns - 1)
    row = min(max(int(units[Y, i]), 0), rows - 1)
    to_column, to_row = min(max(int(x), 0), columns - 1), min(max(int(y), 0), rows - 1)
    way = ground.routes[row * columns + column, to_row * columns + to_column]
    if way == 8:
        return x, y
    return (
        np.float32(column + _ROUTE_X[way]) + _HALF,
        np.float32(row + _ROUTE_Y[way]) + _HALF,
    )


@inlined
def _goal(rules, ground, units, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return where unit `i` marches while it sees nobody."""
    if ground is not None and rules.numbers[R_START] == FACING:
        other = rules.numbers[R_ALLIES] if i < rules.numbers[R_ALLIES] else 0
        return rules.starts[0, other], rules.starts[1, other]
    return rules.reals[WIDTH] - units[START_X, i], rules.reals[HEIGHT] - units[START_Y, i]


@inlined
def _towards(rules, ground, units, stats, i, x, y):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the move along the axis best aligned with the way to (x, y)."""
    x, y = _waypoint(rules, ground, units, stats, i, x, y)
    dx, dy = x - units[X, i], y - units[Y, i]
    way, best = 0, dy
    if dx > best:
        way, best = 1, dx
    if -dy > best:
        way, best = 2, -dy
    if -dx > best:
        way = 3
    return _move(rules, ground, way)


@inlined
def _tend(rules, ground, units, stats, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return what a healer does: heal the weakest in range, else go to the weakest in sight."""
    allies = rules.numbers[R_ALLIES]
    first, last = (0, allies) if i < allies else (allies, units.shape[1])
    weakest, follow = -1, -1
    least, most = _FAR, _FAR
    for j in range(first, last):
        if units[HEALTH, j] <= _ZERO or not can_reach(stats, i, j):
            continue
        square = _square(units, i, j)
        share = units[HEALTH, j] / stats[FULL_HEALTH, j]
        if share < 1.0 and share < least and _in_range(rules, ground, stats, i, square):
            weakest, least = j, share
        if square < most and square < stats[SIGHT, i] * stats[SIGHT, i]:
            follow, most = j, square
    if weakest >= 0:
        return _name(rules, ground, i, weakest, True)
    if follow >= 0:
        if most < np.float32(4.0):
            return 1
        return _towards(rules, ground, units, stats, i, units[X, follow], units[Y, follow])
    x, y = _goal(rules, ground, units, i)
    return _towards(rules, ground, units, stats, i, x, y)


@inlined
def _plain(kind, rules, ground, units, marks, stats, i, streams, k):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return what SMAX's heuristic does."""
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    first, last, stride = (allies, count, 1) if i < allies else (allies - 1, -1, -1)
    sight = stats[SIGHT, i] * stats[SIGHT, i]
    seen = in_range = 0
    nearest, least = -1, _FAR
    last_target = marks[MEMORY, i]
    keep = False
    for j in range(first, last, stride):
        if units[HEALTH, j] <= _ZERO:
            continue
        square = _square(units, i, j)
        if square >= sight:
            continue
        seen += 1
        if _in_range(rules, ground, stats, i, square) and can_reach(stats, i, j):
            in_range += 1
            if j == last_target:
                keep = True
            if square < least:
                nearest, least = j, square
    if in_range > 0:
        if keep:
            nearest = last_target
        elif kind == RANDOM:
            left = stream_below(streams, k, in_range)
            for j in range(first, last, stride):
                if units[HEALTH, j] <= _ZERO:
                    continue
                square = _square(units, i, j)
                near = square < sight and _in_range(rules, ground, stats, i, square)
                if near and can_reach(stats, i, j):
                    if left == 0:
                        nearest = j
                        break
                    left -= 1
        marks[MEMORY, i] = nearest
        return _name(rules, ground, i, nearest, False)
    marks[MEMORY, i] = -1
    x, y = _goal(rules, ground, units, i)
    if seen > 0:
        left = stream_below(streams, k, seen)
        for j in range(first, last, stride):
            if units[HEALTH, j] > _ZERO and _square(units, i, j) < sight:
                if left == 0:
                    x, y = units[X, j], units[Y, j]
                    break
                left -= 1
    return _towards(rules, ground, units, stats, i, x, y)


@inlined
def _reach(rules, ground, stats, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return from how far `i` can hit `j`, between centres."""
    if ground is None:
        return stats[RANGE, i]
    return stats[RANGE, i] + stats[RADIUS, i] + stats[RADIUS, j]


@inlined
def _step_back(rules, ground, units, stats, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the move of `i` that leads farthest from `j` inside the map, −1 if none does."""
    width, height = rules.reals[WIDTH], rules.reals[HEIGHT]
    dx, dy = units[X, i] - units[X, j], units[Y, i] - units[Y, j]
    found, best = -1, _ZERO
    for way in range(4):
        x = units[X, i] + _WAYS_X[way] * stats[SPEED, i] * _DECISION
        y = units[Y, i] + _WAYS_Y[way] * stats[SPEED, i] * _DECISION
        inside = _MARGIN <= x <= width - _MARGIN and _MARGIN <= y <= height - _MARGIN
        gain = dx * _WAYS_X[way] + dy * _WAYS_Y[way]
        if ground is not None:
            inside &= not blocked(ground.walls, x, y)
        if inside and gain > best:
            found, best = way, gain
    return -1 if found < 0 else _move(rules, ground, found)


@inlined
def _focus(rules, ground, units, marks, stats, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return what the focus-firing player does."""
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    first, last = (allies, count) if i < allies else (0, allies)
    sight = stats[SIGHT, i] * stats[SIGHT, i]
    target, weakest = -1, _FAR
    nearest, least = -1, _FAR
    threat, closest = -1, _FAR
    for j in range(first, last):
        if units[HEALTH, j] <= _ZERO:
            continue
        square = _square(units, i, j)
        if square >= sight:
            continue
        if can_reach(stats, i, j):
            if square < least:
                nearest, least = j, square
            # Nearest to death; of equals the one that is nearer.
            life = units[HEALTH, j] + units[SHIELD, j] + square * np.float32(1e-3)
            if life < weakest and _in_range(rules, ground, stats, i, square):
                target, weakest = j, life
        if square < closest and can_reach(stats, j, i) and stats[HEAL, j] <= _ZERO:
            threat, closest = j, square
    waits = units[COOLDOWN, i] > _DECISION
    if waits and threat >= 0:
        danger = _reach(rules, ground, stats, threat, i) + stats[SPEED, threat] * _DECISION
        outranges = (
            _reach(rules, ground, stats, i, threat) > _reach(rules, ground, stats, threat, i) + 1.0
        )
        if outranges and closest < danger * danger:
            back = _step_back(rules, ground, units, stats, i, threat)
            if back >= 0:
                return back
    if target >= 0:
        marks[MEMORY, i] = target
        return _name(rules, ground, i, target, False)
    marks[MEMORY, i] = -1
    if nearest >= 0:
        return _towards(rules, ground, units, stats, i, units[X, nearest], units[Y, nearest])
    x, y = _goal(rules, ground, units, i)
    return _towards(rules, ground, units, stats, i, x, y)


@inlined
def choose(kind, rules, ground, units, marks, stats, i, streams, k):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the action of living unit `i`; its row of MEMORY is modified in place.

    Args:
        kind: CLOSEST, RANDOM, FOCUS, or anything else to stand still.
        rules: of the battle.
        ground: of the battle.
        units: one episode's, shape (UNIT_ROWS, U).
        marks: one episode's, shape (MARK_ROWS, U).
        stats: one episode's, shape (STAT_ROWS, U).
        i: the unit.
        streams: uint64; entry `k` is drawn from and modified in place.
        k: the episode.
    """
    if stats[HEAL, i] > _ZERO:
        return _tend(rules, ground, units, stats, i)
    if kind == FOCUS:
        return _focus(rules, ground, units, marks, stats, i)
    if kind in (CLOSEST, RANDOM):
        return _plain(kind, rules, ground, units, marks, stats, i, streams, k)
    if ground is None:
        return 4
    return 1


@inlined
def attack_move(rules, ground, units, marks, stats, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Give unit `i` the orders of a unit that is sent to attack (SMAC mode only)."""
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    own = stats[HEAL, i] > _ZERO
    first, last = (0, allies) if (i < allies) == own else (allies, count)
    sight = stats[SIGHT, i] * stats[SIGHT, i]
    marks[MOVED, i] = 0
    marks[ACTION, i] = 1
    kept = marks[TARGET, i]
    target, least, rank = -1, _FAR, 3
    for j in range(first, last):
        if units[HEALTH, j] <= _ZERO or not can_reach(stats, i, j):
            continue
        square = _square(units, i, j)
        if square >= sight:
            continue
        if own:
            wounded = units[HEALTH, j] < stats[FULL_HEALTH, j]
            order = 0 if wounded else 2
        else:
            # Those who shoot before those who heal, who is in range before who is not.
            reach = _reach(rules, ground, stats, i, j)
            order = (1 if square > reach * reach else 0) + (1 if stats[HEAL, j] > _ZERO else 0)
            if j == kept and square <= reach * reach:
                order, square = 0, _ZERO
        if order < rank or (order == rank and square < least):
            target, least, rank = j, square, order
    if target >= 0:
        marks[TARGET, i] = target
        if own and rank == 2:
            # Nobody to heal: stay with the nearest.
            marks[TARGET, i] = -1
            if least > np.float32(4.0):
                marks[MOVED, i] = 1
                units[MOVE_X, i], units[MOVE_Y, i] = units[X, target], units[Y, target]
        elif not _clear(ground.walls, units[X, i], units[Y, i], units[X, target], units[Y, target]):
            reach = _reach(rules, ground, stats, i, target)
            if _square(units, i, target) > reach * reach:
                marks[TARGET, i] = -1
                marks[MOVED, i] = 1
                units[MOVE_X, i], units[MOVE_Y, i] = _waypoint(
                    rules, units, stats, i, units[X, target], units[Y, target]
                )
        return
    marks[TARGET, i] = -1
    marks[MOVED, i] = 1
    x, y = _goal(rules, ground, units, i)
    dx, dy = x - units[X, i], y - units[Y, i]
    if dx * dx + dy * dy < np.float32(4.0):
        # Arrived and nobody there: look for the nearest opponent, wherever it is.
        for j in range(0 if i >= allies else allies, allies if i >= allies else count):
            square = _square(units, i, j)
            if units[HEALTH, j] > _ZERO and square < least:
                x, y, least = units[X, j], units[Y, j], square
    units[MOVE_X, i], units[MOVE_Y, i] = _waypoint(rules, ground, units, stats, i, x, y)
