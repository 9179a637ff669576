"""`arena.rng.Stream` for numba kernels: the same numbers from a uint64 that the caller keeps.

A kernel holds one state a stream in an array and passes the array and an index.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["open_streams", "stream_below", "stream_unit"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_A = np.uint64(6364136223846793005)
_C = np.uint64(1442695040888963407)
_11 = np.uint64(11)
_32 = np.uint64(32)


def open_streams(seeds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the first state of `Stream(seed)` for every seed, same shape."""
    with np.errstate(over="ignore"):
        z = np.asarray(seeds, dtype=np.uint64) + _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        return z ^ (z >> np.uint64(27))


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
