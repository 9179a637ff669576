"""Array forms of seeds and streams are the scalar ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from arena.rng import (
    Stream,
    derive_many,
    seat_seed,
    seat_seeds,
    stream_states,
    streams_below,
)

seeds_of_any_size = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5)


@given(seeds_of_any_size, st.integers(1, 6))
def test_seat_seeds(seeds: list[int], seats: int) -> None:
    many = seat_seeds(np.array(seeds, dtype=np.uint64), seats)
    assert many.tolist() == [[seat_seed(seed, i) for i in range(seats)] for seed in seeds]
    assert not set(many[0].tolist()) & set(derive_many(seeds[0], np.arange(100)).tolist())


@given(seeds_of_any_size, st.integers(1, 9))
def test_streams_in_arrays(seeds: list[int], n: int) -> None:
    states = stream_states(np.array(seeds, dtype=np.uint64))
    singles = [Stream(seed) for seed in seeds]
    live = np.arange(len(seeds)) % 2 == 0
    for mask in (np.ones_like(live), live, np.ones_like(live)):
        drawn = streams_below(states, np.full(len(seeds), n), mask)
        expected = [s.below(n) if on else 0 for s, on in zip(singles, mask, strict=True)]
        assert drawn.tolist() == expected
