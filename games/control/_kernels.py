"""The point mass in its wind, many episodes at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["step_point_mass"]


@njit(cache=True)
def step_point_mass(  # type: ignore[no-untyped-def]  # noqa: PLR0917 # compiled by numba
    body, control, wind, mass, friction, live, facts, substeps, reward, done
):
    """Move every live mass by one decision; `body`, `reward` and `done` modified in place.

    Args:
        body: x, vx, y, vy of each episode, shape (N, 4).
        control: the controller's force, shape (N, 2).
        wind: the adversary's force, shape (N, 2).
        mass: shape (N,).
        friction: shape (N,).
        live: where the episode goes on, shape (N,).
        facts: time step, half width of the arena, half width of the gap, lower edge of the
            wind, the goal's y and its radius, whether the wall is sticky, shape (7,).
        substeps: parts of a step.
        reward: what the step pays the controller, shape (N,).
        done: whether the goal is reached, shape (N,).
    """
    part = facts[0] / substeps
    wall, gap, edge, goal, radius = facts[1], facts[2], facts[3], facts[4], facts[5]
    sticky = facts[6] > 0.0
    for i in range(len(body)):
        if not live[i]:
            reward[i] = 0.0
            continue
        x, vx, y, vy = body[i, 0], body[i, 1], body[i, 2], body[i, 3]
        for _ in range(substeps):
            if sticky and y == 0.0 and abs(x) > gap:
                break  # it sticks
            fx, fy = control[i, 0], control[i, 1]
            if edge <= y <= 0.0:
                fx += wind[i, 0]
                fy += wind[i, 1]
            vx += part * (fx - friction[i] * vx) / mass[i]
            vy += part * (fy - friction[i] * vy) / mass[i]
            to_x, to_y = x + part * vx, y + part * vy
            if (y < 0.0) != (to_y < 0.0):
                share = y / (y - to_y)
                at = x + share * (to_x - x)
                if abs(at) > gap and sticky:
                    to_x, vx, to_y, vy = at, 0.0, 0.0, 0.0
                elif abs(at) > gap:
                    to_y, vy = y, 0.0
            if abs(to_x) > wall:
                to_x, vx = min(max(to_x, -wall), wall), 0.0
            if abs(to_y) > wall:
                to_y, vy = min(max(to_y, -wall), wall), 0.0
            x, y = to_x, to_y
        body[i, 0], body[i, 1], body[i, 2], body[i, 3] = x, vx, y, vy
        distance = np.sqrt(x * x + (y - goal) * (y - goal))
        done[i] = distance <= radius
        reward[i] = 0.0 if done[i] else np.exp(-distance) - 1.0
