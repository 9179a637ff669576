"""Seeds and streams: one run seed, and everything random follows from it by name.

A seed is a 64-bit integer. `derive` turns a parent seed and a path of names and
indices into a child seed; `derive_many` does so for a run of indices at once; both are
pure functions, so that a result depends on its key alone, never on which worker
computed it or when. `generator` opens a numpy generator on such a seed, and `Stream`
is a small one for hot loops, where opening a numpy generator (10 µs) costs more than
the game that is played.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Stream",
    "derive",
    "derive_many",
    "fresh_seed",
    "generator",
    "match_seed",
    "seat_seed",
    "seat_seeds",
    "signal_seed",
    "stream_states",
    "streams_below",
    "streams_random",
]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_UNMIX_1, _UNMIX_2 = pow(_MIX_1, -1, 1 << 64), pow(_MIX_2, -1, 1 << 64)
_STEP, _SHIFT = np.uint64(6364136223846793005), np.uint64(1442695040888963407)
_SEATS = 0xA24BAED4963EE407  # sets seat seeds apart from `derive_many` of the same seed

Item = TypeVar("Item")


def fresh_seed() -> int:
    """Return a new unpredictable 63-bit seed, for runs that were given none."""
    return secrets.randbits(63)


def derive(seed: int, *path: int | str) -> int:
    """Return the 64-bit child seed of `seed` along `path`.

    Args:
        seed: the parent, any integer (reduced modulo 2^64).
        path: names and indices; `derive(s, "match", 3)` and `derive(s, "match3")` differ.
    """
    text = "\x1f".join(f"{type(part).__name__[0]}{part}" for part in path)
    digest = hashlib.blake2b(
        text.encode(), digest_size=8, key=(seed & _MASK).to_bytes(8, "little")
    ).digest()
    return int.from_bytes(digest, "little")


def derive_many(seed: int, indices: NDArray[np.integer] | Sequence[int]) -> NDArray[np.uint64]:
    """Return the child seeds of `seed` for many indices at once, shape (len(indices),).

    The counter-based mixing function is SplitMix64 (Steele, Lea and Flood 2014).
    """
    z = np.asarray(indices).astype(np.uint64)
    with np.errstate(over="ignore"):
        z = np.uint64(seed & _MASK) + (z + np.uint64(1)) * np.uint64(_GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
        z = z ^ (z >> np.uint64(31))
    return z


def seat_seed(seed: int, seat: int) -> int:
    """Return the seed that the agent in `seat` begins a match of seed `seed` with.

    The match's own chance uses `seed` itself (`game.state(seed)`), so luck stays the same
    when agents change seats.
    """
    z = ((seed ^ _SEATS) + (seat + 1) * _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * _MIX_1) & _MASK
    z = ((z ^ (z >> 27)) * _MIX_2) & _MASK
    return z ^ (z >> 31)


def match_seed(seed: int, seat: int) -> int:
    """Return the match's seed from the one that `seat_seed` made for the agent in `seat`.

    What all seats of a match can know without a word is what correlates their play.
    """
    z = seed & _MASK
    z ^= (z >> 31) ^ (z >> 62)
    z = (z * _UNMIX_2) & _MASK
    z ^= (z >> 27) ^ (z >> 54)
    z = (z * _UNMIX_1) & _MASK
    z ^= (z >> 30) ^ (z >> 60)
    return ((z - (seat + 1) * _GOLDEN) & _MASK) ^ _SEATS


def seat_seeds(seeds: NDArray[np.uint64], seats: int) -> NDArray[np.uint64]:
    """Return `seat_seed` of every match and seat, shape (len(seeds), seats)."""
    z = (np.asarray(seeds, dtype=np.uint64) ^ np.uint64(_SEATS))[:, None]
    with np.errstate(over="ignore"):
        z = z + np.arange(1, seats + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
        z = z ^ (z >> np.uint64(31))
    return z


def signal_seed(seed: int) -> int:
    """Return the public signal of a match of seed `seed`: every seat may know it.

    `seed` cannot be told from it, so it gives no luck away.
    """
    return derive(seed, "signal")


def generator(seed: int, *path: int | str) -> np.random.Generator:
    """Return a numpy generator (PCG64) on the child seed of `seed` along `path`."""
    entropy = derive(seed, *path) if path else seed & _MASK
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


class Stream:
    """A 64-bit linear congruential stream read from its high bits (Knuth's constants).

    Good enough to pick actions and sample chance, 0.15 µs a draw and free to open. The
    constants stand in the methods as literals because that halves the time of a draw.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        # One mixing step, so that neighbouring seeds open unrelated streams.
        z = (seed + _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * _MIX_1) & _MASK
        self._state = z ^ (z >> 27)

    def below(self, n: int) -> int:
        """Return an integer in [0, n)."""
        self._state = state = (
            self._state * 6364136223846793005 + 1442695040888963407
        ) & 0xFFFFFFFFFFFFFFFF
        return (state >> 32) * n >> 32

    def choice(self, options: Sequence[Item]) -> Item:
        """Return one of `options`, each equally likely."""
        self._state = state = (
            self._state * 6364136223846793005 + 1442695040888963407
        ) & 0xFFFFFFFFFFFFFFFF
        return options[(state >> 32) * len(options) >> 32]

    def random(self) -> float:
        """Return a float in [0, 1), 53 bits wide."""
        self._state = state = (
            self._state * 6364136223846793005 + 1442695040888963407
        ) & 0xFFFFFFFFFFFFFFFF
        return (state >> 11) * 1.1102230246251565e-16

    def index(self, probabilities: Sequence[float]) -> int:
        """Return an index drawn with the given probabilities (they sum to one)."""
        left = self.random()
        last = 0
        for i, p in enumerate(probabilities):
            if p > 0.0:
                last = i
                left -= p
                if left < 0.0:
                    return i
        return last

    @property
    def state(self) -> int:
        """What `at` goes on from, a 64-bit integer."""
        return self._state

    @staticmethod
    def at(state: int) -> Stream:
        """Return the stream that was at `state`."""
        twin = Stream.__new__(Stream)
        twin._state = state & _MASK
        return twin

    def copy(self) -> Stream:
        """Return an independent stream that will draw the same numbers."""
        twin = Stream.__new__(Stream)
        twin._state = self._state
        return twin


def stream_states(seeds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the first state of `Stream(seed)` for every seed, same shape, for array code."""
    with np.errstate(over="ignore"):
        z = np.asarray(seeds, dtype=np.uint64) + np.uint64(_GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
        z = z ^ (z >> np.uint64(27))
    return z


def streams_below(
    states: NDArray[np.uint64], n: NDArray[np.integer], live: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Draw `Stream.below(n)` from each of N streams where `live`, zero elsewhere, shape (N,).

    `states` is modified in place.
    """
    with np.errstate(over="ignore"):
        after = states * _STEP + _SHIFT
        states[live] = after[live]
        drawn = ((after >> np.uint64(32)) * n.astype(np.uint64)) >> np.uint64(32)
    return np.where(live, drawn, np.uint64(0)).astype(np.int64)


def streams_random(
    states: NDArray[np.uint64], rows: NDArray[np.int64] | slice = slice(None)
) -> NDArray[np.float64]:
    """Draw `Stream.random` from each of the streams in `rows`, all different, shape (M,).

    `states` is modified in place.
    """
    with np.errstate(over="ignore"):
        after = states[rows] * _STEP + _SHIFT
    states[rows] = after
    drawn: NDArray[np.float64] = (after >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return drawn
