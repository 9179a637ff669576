"""Shortest ways around the walls of a map, square by square."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

__all__ = ["route_table"]

_NO_WAY = 8
_STEPS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


def route_table(walls: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the direction of the next square on a shortest way from each square to each.

    Breadth-first search from every target; diagonal steps do not cut corners.

    Args:
        walls: 1 where there is a wall, shape (rows, columns); (0, 0): no walls.

    Returns:
        Directions 0 to 7 clockwise from +y, 8 where there is no way (or it is reached), shape
        (squares, squares), from and to; squares are numbered row by row.
    """
    rows, columns = walls.shape
    count = rows * columns
    out = np.full((count, count), _NO_WAY, dtype=np.uint8)
    free = walls.ravel() == 0
    around = _neighbours(walls)
    for target in np.flatnonzero(free).tolist():
        reached = {target}
        waiting = deque([target])
        while waiting:
            square = waiting.popleft()
            for way, other in around[square]:
                if other not in reached:
                    reached.add(other)
                    out[other, target] = (way + 4) % 8
                    waiting.append(other)
    return out


def _neighbours(walls: NDArray[np.uint8]) -> list[list[tuple[int, int]]]:
    """Return for each square the ways out of it and the squares they lead to."""
    rows, columns = walls.shape
    out: list[list[tuple[int, int]]] = []
    for row in range(rows):
        for column in range(columns):
            found = []
            for way, (dx, dy) in enumerate(_STEPS):
                x, y = column + dx, row + dy
                inside = 0 <= x < columns and 0 <= y < rows and walls[row, column] == 0
                if inside and not (walls[y, x] or walls[row, x] or walls[y, column]):
                    found.append((way, y * columns + x))
            out.append(found)
    return out
