"""`arena.rng.Stream` for numba kernels: the same numbers from a uint64 that the caller keeps.

A kernel holds the states (`arena.rng.stream_states`) in an array and passes an index.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["stream_below", "stream_unit"]

_A = np.uint64(6364136223846793005)
_C = np.uint64(1442695040888963407)
_11 = np.uint64(11)
_32 = np.uint64(32)


@njit(cache=True, inline="always")
def stream_unit(streams, i):  # type: ignore[no-untyped-def]  # compiled by numba
    """`Stream.random`: a float in [0, 1); `streams` (uint64 row) modified in place."""
    state = streams[i] * _A + _C
    streams[i] = state
    return np.float64(state >> _11) * 1.1102230246251565e-16


@njit(cache=True, inline="always")
def stream_below(streams, i, n):  # type: ignore[no-untyped-def]  # compiled by numba
    """`Stream.below`: an integer in [0, n); `streams` (uint64 row) modified in place."""
    state = streams[i] * _A + _C
    streams[i] = state
    return np.int64(((state >> _32) * np.uint64(n)) >> _32)
