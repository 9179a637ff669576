# ruff: noqa: PLR0917 - compiled: no keywords
"""How units that walk find ways around each other: optimal reciprocal collision avoidance.

A walker takes, of all velocities that keep it clear of everybody near for one second, the one
nearest to what it wants; each of two walkers makes half the way around the other, and all of
it around who stands. Every neighbour rules out a half-plane of velocities, so this is a linear
program in two dimensions; where the half-planes leave nothing, the velocity that violates them
least is taken. Lines are kept in float32, four numbers each: a point and a direction whose left
side is allowed.

Source: van den Berg, Guy, Lin and Manocha 2011, "Reciprocal n-Body Collision Avoidance",
sections 4 and 5; that who stands does not yield is SMAClite's (Michalski et al. 2023).
"""

from __future__ import annotations

import math

from games.skirmish._jit import inlined, kernel
from games.skirmish.layout import FAR, FLIES, HEALTH, RADIUS, SPEED, VEL_X, VEL_Y, X, Y

__all__ = ["avoid"]

_HORIZON = 1.0  # seconds
_STEPS = 16.0  # world steps in a second: who overlaps gets clear within one
_EPSILON = 1e-5
_SECOND = 4  # where the second set of lines begins


@inlined
def _best_on(lines, at, n, most, x, y, outward):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the best velocity on line `n` that lines before it allow, and whether there is one.

    The best is the nearest to (x, y), or with `outward` the farthest in that direction; none is
    longer than `most`.
    """
    px, py = float(lines[n, at]), float(lines[n, at + 1])
    dx, dy = float(lines[n, at + 2]), float(lines[n, at + 3])
    along = px * dx + py * dy
    inside = along * along + most * most - (px * px + py * py)
    if inside < 0.0:
        return False, x, y
    root = math.sqrt(inside)
    low, high = -along - root, -along + root
    for m in range(n):
        ex, ey = float(lines[m, at + 2]), float(lines[m, at + 3])
        cross = dx * ey - dy * ex
        side = ex * (py - lines[m, at + 1]) - ey * (px - lines[m, at])
        if abs(cross) < _EPSILON:
            if side < 0.0:
                return False, x, y
            continue
        if cross > 0.0:
            high = min(high, side / cross)
        else:
            low = max(low, side / cross)
        if low > high:
            return False, x, y
    if outward:
        share = high if x * dx + y * dy > 0.0 else low
    else:
        share = min(max(dx * (x - px) + dy * (y - py), low), high)
    return True, px + share * dx, py + share * dy


@inlined
def _violation(lines, at, n, x, y):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return how far a velocity is on the wrong side of line `n`, below 0 if it is not."""
    return lines[n, at + 2] * (lines[n, at + 1] - y) - lines[n, at + 3] * (lines[n, at] - x)


@inlined
def _meet(lines, at, count, most, x, y, outward):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return how many lines can be kept at once, and the best velocity that keeps these."""
    length = math.sqrt(x * x + y * y)
    rx, ry = x, y
    if outward or length > most:
        rx, ry = x * most / length, y * most / length
    for n in range(count):
        if _violation(lines, at, n, rx, ry) > 0.0:
            found, nx, ny = _best_on(lines, at, n, most, x, y, outward)
            if not found:
                return n, rx, ry
            rx, ry = nx, ny
    return count, rx, ry


@inlined
def _least_violation(lines, count, kept, most, rx, ry):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the velocity that violates the worst line least, from one that keeps `kept`."""
    worst = 0.0
    for n in range(kept, count):
        if _violation(lines, 0, n, rx, ry) <= worst:
            continue
        # Where another line is violated as much as this one, the two bisect each other.
        px, py = float(lines[n, 0]), float(lines[n, 1])
        dx, dy = float(lines[n, 2]), float(lines[n, 3])
        made = 0
        for m in range(n):
            qx, qy = float(lines[m, 0]), float(lines[m, 1])
            ex, ey = float(lines[m, 2]), float(lines[m, 3])
            cross = dx * ey - dy * ex
            if abs(cross) <= _EPSILON:
                if dx * ex + dy * ey > 0.0:
                    continue
                lines[made, _SECOND] = 0.5 * (px + qx)
                lines[made, _SECOND + 1] = 0.5 * (py + qy)
            else:
                share = (ex * (py - qy) - ey * (px - qx)) / cross
                lines[made, _SECOND] = px + share * dx
                lines[made, _SECOND + 1] = py + share * dy
            length = math.sqrt((ex - dx) * (ex - dx) + (ey - dy) * (ey - dy))
            lines[made, _SECOND + 2] = (ex - dx) / length
            lines[made, _SECOND + 3] = (ey - dy) / length
            made += 1
        solved, nx, ny = _meet(lines, _SECOND, made, most, -dy, dx, True)
        if solved == made:
            rx, ry = nx, ny
        worst = _violation(lines, 0, n, rx, ry)
    return rx, ry


@inlined
def _half_plane(units, stats, k, s, i, j, lines, n):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write line `n`: what `i` has to keep to so as not to meet `j`."""
    rx, ry = float(units[k, X, j] - units[k, X, i]), float(units[k, Y, j] - units[k, Y, i])
    vx = float(units[k, VEL_X, i] - units[k, VEL_X, j])
    vy = float(units[k, VEL_Y, i] - units[k, VEL_Y, j])
    both = float(stats[s, RADIUS, i] + stats[s, RADIUS, j])
    square = rx * rx + ry * ry
    apart = square > both * both
    rate = 1.0 / _HORIZON if apart else _STEPS
    wx, wy = vx - rate * rx, vy - rate * ry
    length = math.sqrt(wx * wx + wy * wy)
    back = wx * rx + wy * ry
    if not apart or (back < 0.0 and back * back > both * both * length * length):
        # Nearest is the disc at the end of the cone.
        if length > 0.0:
            wx, wy = wx / length, wy / length
        else:
            wx, wy = 1.0, 0.0
        dx, dy = wy, -wx
        ux, uy = (both * rate - length) * wx, (both * rate - length) * wy
    else:
        leg = math.sqrt(square - both * both)
        if rx * wy - ry * wx > 0.0:
            dx, dy = (rx * leg - ry * both) / square, (rx * both + ry * leg) / square
        else:
            dx, dy = -(rx * leg + ry * both) / square, (rx * both - ry * leg) / square
        along = vx * dx + vy * dy
        ux, uy = along * dx - vx, along * dy - vy
    share = 0.5 if units[k, FAR, j] > 0.0 else 1.0
    lines[n, 0] = units[k, VEL_X, i] + share * ux
    lines[n, 1] = units[k, VEL_Y, i] + share * uy
    lines[n, 2], lines[n, 3] = dx, dy


@kernel
def avoid(units, stats, k, s, i, x, y, lines):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the velocity of walking unit `i` that wants to have the velocity (x, y).

    Args:
        units: shape (N, UNIT_ROWS, U).
        stats: shape (N or 1, STAT_ROWS, U).
        k: the episode.
        s: its row of `stats`.
        i: the unit.
        x: wanted, in distance a second, at most its speed.
        y: likewise.
        lines: scratch, shape (U, 8 or more).
    """
    most, count = float(stats[s, SPEED, i]), 0
    for j in range(units.shape[2]):
        if j == i or units[k, HEALTH, j] <= 0.0 or stats[s, FLIES, i] != stats[s, FLIES, j]:
            continue
        dx, dy = units[k, X, j] - units[k, X, i], units[k, Y, j] - units[k, Y, i]
        near = stats[s, RADIUS, i] + stats[s, RADIUS, j]
        near += (stats[s, SPEED, i] + stats[s, SPEED, j]) * _HORIZON
        if dx * dx + dy * dy < near * near:
            _half_plane(units, stats, k, s, i, j, lines, count)
            count += 1
    kept, rx, ry = _meet(lines, 0, count, most, x, y, False)
    if kept < count:
        rx, ry = _least_violation(lines, count, kept, most, rx, ry)
    length = math.sqrt(rx * rx + ry * ry)
    if length > most:  # by the rounding of lines
        rx, ry = rx * most / length, ry * most / length
    return rx, ry
