"""Collision avoidance in plain Python: what a walker may do, and the best of it, by trying all.

The half-planes come from the nearest point of the border of each velocity obstacle; the best
velocity is looked for among all points where it can be (corners, feet, the circle), and where
there is none, the smallest violation that leaves one is bisected.

Source: van den Berg et al. 2011, "Reciprocal n-Body Collision Avoidance", sections 4 and 5.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

HORIZON = 1.0
RATE = 16.0


@dataclass
class Walker:
    place: complex
    velocity: complex
    radius: float
    speed: float
    walks: bool


Line = tuple[complex, complex]
"""A point and a unit direction; velocities on its left side are allowed."""


def half_plane(one: Walker, other: Walker) -> Line:
    """Return what `one` has to keep to so as not to meet `other`."""
    gap, both = other.place - one.place, one.radius + other.radius
    relative = one.velocity - other.velocity
    if abs(gap) > both:
        centre, radius = gap / HORIZON, both / HORIZON
        slope = math.asin(min(both / abs(gap), 1.0))
        legs = [gap / abs(gap) * cmath.rect(1, sign * slope) for sign in (1, -1)]
        # The border: the near arc of a disc, and from its ends two legs to infinity.
        along = [(relative * leg.conjugate()).real for leg in legs]
        start = math.sqrt(abs(gap) ** 2 - both**2) / HORIZON
        off = relative - centre
        # On the arc the disc's own normal is the border's.
        arc = centre + radius * off / abs(off)
        on_arc = all(((arc * leg.conjugate()).real) <= start + 1e-12 for leg in legs)
        points = [leg * t for leg, t in zip(legs, along, strict=True) if t >= start]
        points += [arc] if on_arc else []
        best = min(points, key=lambda point: abs(point - relative))
        if best is arc:
            normal = off / abs(off)
        else:
            leg = min(legs, key=lambda leg: abs((best * leg.conjugate()).imag))
            normal = leg * (1j if leg is legs[0] else -1j)
    else:
        off = relative - gap * RATE
        normal = off / abs(off)
        best = gap * RATE + both * RATE * normal
    share = 0.5 if other.walks else 1.0
    return one.velocity + share * (best - relative), normal * -1j


def violation(line: Line, velocity: complex) -> float:
    """Return how far a velocity is on the wrong side, below 0 if it is not."""
    point, direction = line
    return -(((velocity - point) * (direction * 1j).conjugate()).real)


def candidates(lines: list[Line], most: float, wanted: complex) -> list[complex]:
    """Return every point where the allowed velocity nearest to `wanted` can be."""
    out = [wanted if abs(wanted) <= most else wanted / abs(wanted) * most]
    for number, (point, direction) in enumerate(lines):
        foot = point + direction * ((wanted - point) * direction.conjugate()).real
        out.append(foot)
        middle = point - direction * (point * direction.conjugate()).real
        if abs(middle) <= most:
            half = math.sqrt(most**2 - abs(middle) ** 2)
            out += [middle + direction * half, middle - direction * half]
        for other, way in lines[:number]:
            cross = (direction.conjugate() * way).imag
            if abs(cross) > 1e-9:
                t = (way.conjugate() * (point - other)).imag / cross
                out.append(point + direction * t)
    return out


def best(lines: list[Line], most: float, wanted: complex, slack: float = 0.0) -> complex | None:
    """Return the allowed velocity nearest to `wanted`, None where none violates <= `slack`."""
    moved = [(point - direction * 1j * slack, direction) for point, direction in lines]
    fine = [
        point
        for point in candidates(moved, most, wanted)
        if abs(point) <= most + 1e-9 and all(violation(line, point) <= 1e-9 for line in moved)
    ]
    return min(fine, key=lambda point: abs(point - wanted)) if fine else None


def avoid(one: Walker, others: list[Walker], wanted: complex) -> complex:
    """Return the velocity of `one` that wants to have the velocity `wanted`."""
    near = [
        other
        for other in others
        if abs(other.place - one.place)
        < one.radius + other.radius + (one.speed + other.speed) * HORIZON
    ]
    lines = [half_plane(one, other) for other in near]
    found = best(lines, one.speed, wanted)
    if found is not None:
        return found
    low, high = 0.0, 200.0
    for _ in range(60):
        slack = (low + high) / 2
        low, high = (low, slack) if best(lines, one.speed, wanted, slack) else (slack, high)
    found = best(lines, one.speed, wanted, high)
    assert found is not None
    return found
