"""`arena.rng.Stream` for numba kernels: the same numbers from a uint64 that the caller keeps.

A kernel holds the states (`arena.rng.stream_states`) in an array and passes an index.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["child_seed", "stream_below", "stream_state", "stream_unit"]

_A = np.uint64(6364136223846793005)
_C = np.uint64(1442695040888963407)
_11 = np.uint64(11)
_32 = np.uint64(32)
_1 = np.uint64(1)
_27 = np.uint64(27)
_30 = np.uint64(30)
_31 = np.uint64(31)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


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


@njit(cache=True, inline="always")
def child_seed(seed, index):  # type: ignore[no-untyped-def]  # compiled by numba
    """`arena.rng.derive_many` for one index; `seed` is uint64."""
    z = seed + (np.uint64(index) + _1) * _GOLDEN
    z = (z ^ (z >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    return z ^ (z >> _31)


@njit(cache=True, inline="always")
def stream_state(seed):  # type: ignore[no-untyped-def]  # compiled by numba
    """`arena.rng.stream_states` for one seed, uint64."""
    z = seed + _GOLDEN
    z = (z ^ (z >> _30)) * _MIX_1
    return z ^ (z >> _27)
