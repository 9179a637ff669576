"""Stepping many episodes of a restless bandit; naive twins in `tests/reference/bandits.py`."""

# Compiled functions take flat arrays by position; numba's decorator has no types.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from games._stream import stream_unit

__all__ = ["draw_levels", "move_arms"]


@njit(cache=True)
def draw_levels(
    streams: NDArray[np.uint64], initial: NDArray[np.float64], levels: NDArray[np.int64]
) -> None:
    """Draw the first states of all arms; `streams` and `levels` are modified in place.

    Args:
        streams: one a episode, shape (N,).
        initial: cumulative distribution of each arm, shape (J, S), its end above 1.
        levels: shape (N, J).
    """
    for k in range(len(streams)):
        for j in range(levels.shape[1]):
            drawn = stream_unit(streams, k)
            s = 0
            while drawn >= initial[j, s]:
                s += 1
            levels[k, j] = s


@njit(cache=True)
def move_arms(
    modes: NDArray[np.integer[Any]],
    weight: float,
    live: NDArray[np.bool_],
    streams: NDArray[np.uint64],
    cumulative: NDArray[np.float64],
    reward: NDArray[np.float64],
    levels: NDArray[np.int64],
    paid: NDArray[np.float64],
    totals: NDArray[np.float64],
) -> None:
    """Move every arm of every live episode; the last four and `streams` are modified in place.

    Each arm takes one number of the episode's stream, whatever its mode, so that episodes of
    one seed have the same luck under all policies.

    Args:
        modes: shape (N, J).
        weight: γ^t.
        live: shape (N,).
        streams: shape (N,).
        cumulative: distributions of next states, shape (J, M, S, S), their ends above 1.
        reward: shape (J, M, S, S).
        levels: shape (N, J).
        paid: what each episode pays in this step, shape (N,).
        totals: shape (N,).
    """
    for k in range(len(streams)):
        paid[k] = 0.0
        if not live[k]:
            continue
        earned = 0.0
        for j in range(levels.shape[1]):
            drawn = stream_unit(streams, k)
            m, at = modes[k, j], levels[k, j]
            s = 0
            while drawn >= cumulative[j, m, at, s]:
                s += 1
            earned += reward[j, m, at, s]
            levels[k, j] = s
        paid[k] = weight * earned
        totals[k] += paid[k]
