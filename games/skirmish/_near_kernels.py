# ruff: noqa: PLR0917 - compiled: no keywords
"""Which units may touch: the inner loop of both modes."""

from __future__ import annotations

import numpy as np

from games.skirmish._jit import inlined
from games.skirmish.layout import RADIUS, X, Y

__all__ = ["near"]

_SLACK = np.float32(1.00001)  # the caller's exact test follows


@inlined
def near(units, stats, k, s, i, first, last):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return which of the at most 64 units from `first` on may overlap with `i`, as bits.

    There are no branches, and no indices that could be negative, so that the compiler takes
    many units at a time.
    """
    x, y, radius = units[k, X, i], units[k, Y, i], stats[s, RADIUS, i]
    found = np.uint64(0)
    for bit in range(last - first):
        j = np.uint64(first) + np.uint64(bit)
        dx = x - units[k, X, j]
        dy = y - units[k, Y, j]
        both = radius + stats[s, RADIUS, j]
        found |= np.uint64(dx * dx + dy * dy < both * both * _SLACK) << np.uint64(bit)
    return found
