# ruff: noqa: PLR0912, PLR0917 - compiled: no keywords, decisions have many cases
"""Built-in players, unit by unit: what each one sees is all that it goes by.

- `closest` and `random` are SMAX's heuristic (JaxMARL, `heuristic_enemy.py`): shoot if
  anything is in range, at the last target while it stays there, else at the closest (or a
  random) one; otherwise walk along the axis best aligned with a random visible opponent,
  else towards the point opposite the own start.
- `focus_fire` is stronger: units share out the opponents in range, those nearest to death
  first and none more shots than it takes, step back from opponents they outrange
  while their weapon is not ready, and close in on the nearest one.
- `attack_move` is how StarCraft II's own units behave when sent across the map: the nearest
  opponent in sight is attacked, wherever it runs; nobody in sight, they march on. Its orders
  are finer than a seat's actions, so it is built in only.
"""

from __future__ import annotations

import numpy as np

from games._stream import stream_below
from games.skirmish._jit import inlined
from games.skirmish._smac_kernels import can_reach
from games.skirmish._walk_kernels import blocked
from games.skirmish.layout import (
    ACTION,
    CLIMBS,
    CLOSEST,
    COOLDOWN,
    DAMAGE,
    DECISION_STEPS,
    FLIES,
    FOCUS,
    FULL_HEALTH,
    HEAL,
    HEALTH,
    HITS,
    MEMORY,
    MOVE_X,
    MOVE_Y,
    MOVED,
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
    WORK_1,
    X,
    Y,
)

__all__ = ["attack_move", "choose"]

_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)
_NEARER = np.float32(1e-3)
_FAR = np.float32(1e9)
_MARGIN = np.float32(2.5)  # who steps back keeps that far from the border
_DECISION = np.float32(DECISION_STEPS / 16.0)
_SMAC_MOVES = np.array([2, 4, 3, 5])  # up, right, down, left
_WAYS_X = np.array([0.0, 1.0, 0.0, -1.0], dtype=np.float32)
_WAYS_Y = np.array([1.0, 0.0, -1.0, 0.0], dtype=np.float32)
_ROUTE_X = np.array([0, 1, 1, 1, 0, -1, -1, -1])
_ROUTE_Y = np.array([1, 1, 0, -1, -1, -1, 0, 1])


@inlined
def _move(walls, way):  # type: ignore[no-untyped-def]  # compiled by numba
    if walls is None:
        return way
    return _SMAC_MOVES[way]


@inlined
def _name(allies, looks, walls, i, j, own):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the action of `i` that names unit `j` as its target (of the `own` team or not)."""
    if walls is None:
        return 5 + (j - allies if i < allies else allies - 1 - j)
    first = 0 if (i < allies) == own else allies
    return 6 + looks + j - first


@inlined
def _square(units, k, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    dx, dy = units[k, X, j] - units[k, X, i], units[k, Y, j] - units[k, Y, i]
    return dx * dx + dy * dy


@inlined
def _in_range(stats, s, walls, i, square):  # type: ignore[no-untyped-def]  # compiled by numba
    """Whether a target at that squared distance can be named."""
    reach = stats[s, SHOOT, i]
    if walls is None:
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
def _waypoint(units, stats, k, s, walls, routes, i, x, y):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the point to walk to on the way of unit `i` to (x, y): around walls."""
    if walls is None:
        return x, y
    if walls.shape[0] == 0 or stats[s, FLIES, i] > _ZERO or stats[s, CLIMBS, i] > _ZERO:
        return x, y
    if _clear(walls, units[k, X, i], units[k, Y, i], x, y):
        return x, y
    columns, rows = walls.shape[1], walls.shape[0]
    column = min(max(int(units[k, X, i]), 0), columns - 1)
    row = min(max(int(units[k, Y, i]), 0), rows - 1)
    to_column, to_row = min(max(int(x), 0), columns - 1), min(max(int(y), 0), rows - 1)
    way = routes[row * columns + column, to_row * columns + to_column]
    if way == 8:
        return x, y
    return (
        np.float32(column + _ROUTE_X[way]) + _HALF,
        np.float32(row + _ROUTE_Y[way]) + _HALF,
    )


@inlined
def _goal(units, k, allies, width, height, starts, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return where unit `i` marches while it sees nobody."""
    if starts.shape[1] > 0:
        other = allies if i < allies else 0
        return starts[0, other], starts[1, other]
    return width - units[k, START_X, i], height - units[k, START_Y, i]


@inlined
def _towards(units, stats, k, s, walls, routes, i, x, y):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the move along the axis best aligned with the way to (x, y)."""
    x, y = _waypoint(units, stats, k, s, walls, routes, i, x, y)
    dx, dy = x - units[k, X, i], y - units[k, Y, i]
    way, best = 0, dy
    if dx > best:
        way, best = 1, dx
    if -dy > best:
        way, best = 2, -dy
    if -dx > best:
        way = 3
    return _move(walls, way)


@inlined
def _tend(units, stats, k, s, allies, looks, width, height, starts, walls, routes, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return what a healer does: heal the weakest in range, else go to the weakest in sight."""
    first, last = (0, allies) if i < allies else (allies, units.shape[2])
    weakest, follow = -1, -1
    least, most = _FAR, _FAR
    for j in range(first, last):
        if units[k, HEALTH, j] <= _ZERO or not can_reach(stats, s, i, j):
            continue
        square = _square(units, k, i, j)
        share = units[k, HEALTH, j] / stats[s, FULL_HEALTH, j]
        if share < 1.0 and share < least and _in_range(stats, s, walls, i, square):
            weakest, least = j, share
        if square < most and square < stats[s, SIGHT, i] * stats[s, SIGHT, i]:
            follow, most = j, square
    if weakest >= 0:
        return _name(allies, looks, walls, i, weakest, True)
    if follow >= 0:
        if most < np.float32(4.0):
            return 1
        return _towards(
            units, stats, k, s, walls, routes, i, units[k, X, follow], units[k, Y, follow]
        )
    x, y = _goal(units, k, allies, width, height, starts, i)
    return _towards(units, stats, k, s, walls, routes, i, x, y)


@inlined
def _plain(  # type: ignore[no-untyped-def]  # compiled by numba
    kind, units, marks, stats, k, s, allies, looks, width, height, starts, walls, routes, i, streams
):
    """Return what SMAX's heuristic does."""
    count = units.shape[2]
    first, last, stride = (allies, count, 1) if i < allies else (allies - 1, -1, -1)
    sight = stats[s, SIGHT, i] * stats[s, SIGHT, i]
    seen = in_range = 0
    nearest, least = -1, _FAR
    last_target = marks[k, MEMORY, i]
    keep = False
    for j in range(first, last, stride):
        if units[k, HEALTH, j] <= _ZERO:
            continue
        square = _square(units, k, i, j)
        if square >= sight:
            continue
        seen += 1
        if _in_range(stats, s, walls, i, square) and can_reach(stats, s, i, j):
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
                if units[k, HEALTH, j] <= _ZERO:
                    continue
                square = _square(units, k, i, j)
                near = square < sight and _in_range(stats, s, walls, i, square)
                if near and can_reach(stats, s, i, j):
                    if left == 0:
                        nearest = j
                        break
                    left -= 1
        marks[k, MEMORY, i] = nearest
        return _name(allies, looks, walls, i, nearest, False)
    marks[k, MEMORY, i] = -1
    x, y = _goal(units, k, allies, width, height, starts, i)
    if seen > 0:
        left = stream_below(streams, k, seen)
        for j in range(first, last, stride):
            if units[k, HEALTH, j] > _ZERO and _square(units, k, i, j) < sight:
                if left == 0:
                    x, y = units[k, X, j], units[k, Y, j]
                    break
                left -= 1
    return _towards(units, stats, k, s, walls, routes, i, x, y)


@inlined
def _reach(stats, s, walls, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return from how far `i` can hit `j`, between centres."""
    if walls is None:
        return stats[s, RANGE, i]
    return stats[s, RANGE, i] + stats[s, RADIUS, i] + stats[s, RADIUS, j]


@inlined
def _step_back(units, stats, k, s, width, height, walls, i, j):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the move of `i` that leads farthest from `j` inside the map, −1 if none does."""
    dx, dy = units[k, X, i] - units[k, X, j], units[k, Y, i] - units[k, Y, j]
    found, best = -1, _ZERO
    for way in range(4):
        x = units[k, X, i] + _WAYS_X[way] * stats[s, SPEED, i] * _DECISION
        y = units[k, Y, i] + _WAYS_Y[way] * stats[s, SPEED, i] * _DECISION
        inside = _MARGIN <= x <= width - _MARGIN and _MARGIN <= y <= height - _MARGIN
        gain = dx * _WAYS_X[way] + dy * _WAYS_Y[way]
        if walls is not None:
            inside &= not blocked(walls, x, y)
        if inside and gain > best:
            found, best = way, gain
    return -1 if found < 0 else _move(walls, found)


@inlined
def _shared_target(units, stats, k, s, allies, walls, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return whom `i` shoots: the opponent nearest to death whom earlier units leave alive.

    Every unit of the team works out the same division: one after the other takes the weakest
    in its range, and a shot of it comes off. WORK_1 holds the life of opponents, 0 for those
    that `i` does not see; it is modified in place.
    """
    count = units.shape[2]
    first, last = (allies, count) if i < allies else (0, allies)
    begin = 0 if i < allies else allies
    target = -1
    for u in range(begin, i + 1):
        if units[k, HEALTH, u] <= _ZERO or stats[s, HEAL, u] > _ZERO:
            continue
        target, weakest = -1, _FAR
        for j in range(first, last):
            if units[k, HEALTH, j] <= _ZERO or units[k, WORK_1, j] == _ZERO:
                continue
            square = _square(units, k, u, j)
            if not (_in_range(stats, s, walls, u, square) and can_reach(stats, s, u, j)):
                continue
            # Those already dealt with come last; of equals the nearer one goes first.
            left = units[k, WORK_1, j]
            life = (left if left > _ZERO else np.float32(1e6) + left) + square * _NEARER
            if life < weakest:
                target, weakest = j, life
        if target >= 0 and u < i:
            left = units[k, WORK_1, target] - stats[s, DAMAGE, u] * stats[s, HITS, u]
            units[k, WORK_1, target] = left if left != _ZERO else -_NEARER
    return target


@inlined
def _focus(units, marks, stats, k, s, allies, looks, width, height, starts, walls, routes, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return what the focus-firing player does."""
    count = units.shape[2]
    first, last = (allies, count) if i < allies else (0, allies)
    sight = stats[s, SIGHT, i] * stats[s, SIGHT, i]
    nearest, least = -1, _FAR
    threat, closest = -1, _FAR
    for j in range(first, last):
        units[k, WORK_1, j] = _ZERO
        if units[k, HEALTH, j] <= _ZERO:
            continue
        square = _square(units, k, i, j)
        if square >= sight:
            continue
        units[k, WORK_1, j] = units[k, HEALTH, j] + units[k, SHIELD, j]
        if can_reach(stats, s, i, j) and square < least:
            nearest, least = j, square
        if square < closest and can_reach(stats, s, j, i) and stats[s, HEAL, j] <= _ZERO:
            threat, closest = j, square
    waits = units[k, COOLDOWN, i] > _DECISION
    if waits and threat >= 0:
        danger = _reach(stats, s, walls, threat, i) + stats[s, SPEED, threat] * _DECISION
        outranges = _reach(stats, s, walls, i, threat) > _reach(stats, s, walls, threat, i) + 1.0
        if outranges and closest < danger * danger:
            back = _step_back(units, stats, k, s, width, height, walls, i, threat)
            if back >= 0:
                return back
    target = _shared_target(units, stats, k, s, allies, walls, i)
    if target >= 0:
        marks[k, MEMORY, i] = target
        return _name(allies, looks, walls, i, target, False)
    marks[k, MEMORY, i] = -1
    if nearest >= 0:
        return _towards(
            units, stats, k, s, walls, routes, i, units[k, X, nearest], units[k, Y, nearest]
        )
    x, y = _goal(units, k, allies, width, height, starts, i)
    return _towards(units, stats, k, s, walls, routes, i, x, y)


@inlined
def choose(  # type: ignore[no-untyped-def]  # compiled by numba
    kind, units, marks, stats, k, s, allies, looks, width, height, starts, walls, routes, i, streams
):
    """Return the action of living unit `i`; its row of MEMORY is modified in place.

    Args:
        kind: CLOSEST, RANDOM, FOCUS, or anything else to stand still.
        units: shape (N, UNIT_ROWS, U).
        marks: shape (N, MARK_ROWS, U).
        stats: shape (N or 1, STAT_ROWS, U).
        k: the episode.
        s: its row of `stats`.
        allies: units of team 0.
        looks: look actions.
        width: of the map.
        height: of the map.
        starts: where the teams start, shape (3, U), or (3, 0) where that is drawn.
        walls: None in mode SMAX.
        routes: likewise.
        i: the unit.
        streams: entry `k` is drawn from and modified in place.
    """
    if stats[s, HEAL, i] > _ZERO:
        return _tend(units, stats, k, s, allies, looks, width, height, starts, walls, routes, i)
    if kind == FOCUS:
        return _focus(
            units, marks, stats, k, s, allies, looks, width, height, starts, walls, routes, i
        )
    if kind in (CLOSEST, RANDOM):
        return _plain(
            kind,
            units,
            marks,
            stats,
            k,
            s,
            allies,
            looks,
            width,
            height,
            starts,
            walls,
            routes,
            i,
            streams,
        )
    if walls is None:
        return 4
    return 1


@inlined
def attack_move(  # type: ignore[no-untyped-def]  # compiled by numba
    units, marks, stats, k, s, allies, looks, width, height, starts, walls, routes, i
):
    """Give unit `i` the orders of a unit that is sent to attack (SMAC mode only)."""
    count = units.shape[2]
    own = stats[s, HEAL, i] > _ZERO
    first, last = (0, allies) if (i < allies) == own else (allies, count)
    sight = stats[s, SIGHT, i] * stats[s, SIGHT, i]
    marks[k, MOVED, i] = 0
    marks[k, ACTION, i] = 1
    kept = marks[k, TARGET, i]
    target, least, rank = -1, _FAR, 3
    for j in range(first, last):
        if units[k, HEALTH, j] <= _ZERO or not can_reach(stats, s, i, j):
            continue
        square = _square(units, k, i, j)
        if square >= sight:
            continue
        if own:
            wounded = units[k, HEALTH, j] < stats[s, FULL_HEALTH, j]
            order = 0 if wounded else 2
        else:
            # Those who shoot before those who heal, who is in range before who is not.
            reach = _reach(stats, s, walls, i, j)
            order = (1 if square > reach * reach else 0) + (1 if stats[s, HEAL, j] > _ZERO else 0)
            if j == kept and square <= reach * reach:
                order, square = 0, _ZERO
        if order < rank or (order == rank and square < least):
            target, least, rank = j, square, order
    if target >= 0:
        marks[k, TARGET, i] = target
        if own and rank == 2:
            # Nobody to heal: stay with the nearest.
            marks[k, TARGET, i] = -1
            if least > np.float32(4.0):
                marks[k, MOVED, i] = 1
                units[k, MOVE_X, i], units[k, MOVE_Y, i] = units[k, X, target], units[k, Y, target]
        elif not _clear(
            walls, units[k, X, i], units[k, Y, i], units[k, X, target], units[k, Y, target]
        ):
            reach = _reach(stats, s, walls, i, target)
            if _square(units, k, i, target) > reach * reach:
                marks[k, TARGET, i] = -1
                marks[k, MOVED, i] = 1
                units[k, MOVE_X, i], units[k, MOVE_Y, i] = _waypoint(
                    units, stats, k, s, walls, routes, i, units[k, X, target], units[k, Y, target]
                )
        return
    marks[k, TARGET, i] = -1
    marks[k, MOVED, i] = 1
    x, y = _goal(units, k, allies, width, height, starts, i)
    dx, dy = x - units[k, X, i], y - units[k, Y, i]
    if dx * dx + dy * dy < np.float32(4.0):
        # Arrived and nobody there: look for the nearest opponent, wherever it is.
        for j in range(0 if i >= allies else allies, allies if i >= allies else count):
            square = _square(units, k, i, j)
            if units[k, HEALTH, j] > _ZERO and square < least:
                x, y, least = units[k, X, j], units[k, Y, j], square
    x, y = _waypoint(units, stats, k, s, walls, routes, i, x, y)
    units[k, MOVE_X, i], units[k, MOVE_Y, i] = x, y
