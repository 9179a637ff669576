"""The pivoting and enumerating kernels against exact or exhaustive twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from solvers.matrix import _pivot_kernels, _support_kernels, two_seats
from tests.reference import pivots as naive

SEEDS = st.integers(0, 10**6)


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(1, 6), st.integers(1, 6))
def test_pivots_exchange_two_variables(seed: int, rows: int, cols: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(-5, 6, (rows, cols + 1)) * 1.0
    r, s = int(rng.integers(rows)), int(rng.integers(cols))
    assume(table[r, s] != 0)
    expected = naive.exchange(table, r, s)
    found = table.copy()
    _pivot_kernels.pivot(found, rows, r, s, np.empty(cols + 1))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    _pivot_kernels.pivot(found, rows, r, s, np.empty(cols + 1))
    np.testing.assert_allclose(found, table, atol=1e-11)  # and back


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(1, 5), st.integers(1, 5), st.booleans())
def test_lemke_howson_paths_end_where_exact_ones_do(seed, m, n, whole) -> None:
    rng = np.random.default_rng(seed)
    # Small integers are degenerate: the same path needs the same lexicographic rule.
    a, b = rng.integers(0, 3, (2, m, n)) * 1.0 if whole else rng.normal(size=(2, m, n))
    for label in range(m + n):
        found = two_seats.lemke_howson(a, b, label=label)
        expected = naive.lemke_howson(a, b, label)
        np.testing.assert_allclose(found[0], expected[0], atol=1e-9)
        np.testing.assert_allclose(found[1], expected[1], atol=1e-9)


def _rounded(pairs):
    return sorted(tuple(np.round(np.concatenate(pair), 7) + 0.0) for pair in pairs)


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.integers(1, 4), st.integers(1, 4))
def test_support_enumeration_misses_no_pair_of_supports(seed, m, n) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, m, n))
    assert _rounded(two_seats.support_enumeration(a, b)[0]) == _rounded(naive.equal_supports(a, b))


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 5), st.integers(1, 5))
def test_dominated_rows_are_those_of_the_definition(seed, m, n) -> None:
    pay = np.random.default_rng(seed).integers(0, 3, (m, n)) * 1.0
    subsets = np.arange(1, 1 << n)
    out = np.empty_like(subsets)
    _support_kernels.dominated(pay, subsets, out)
    for bits, found in zip(subsets.tolist(), out.tolist(), strict=True):
        chosen = [j for j in range(n) if bits >> j & 1]
        assert {i for i in range(m) if found >> i & 1} == naive.dominated(pay, chosen)


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(1, 5), st.integers(1, 4), st.booleans())
def test_no_vertex_of_a_polytope_is_missed(seed, r, c, whole) -> None:
    rng = np.random.default_rng(seed)
    body = 1.0 + (rng.integers(0, 3, (r, c)) / 2 if whole else rng.random((r, c)))
    bits, points = two_seats._vertices(body)
    expected = {t: z for t, z in naive.vertices(body).items() if z.sum() > 1e-12}
    found = [frozenset(k for k in range(r + c) if b >> k & 1) for b in bits.tolist()]
    assert set(found) == set(expected)
    for tight, point in zip(found, points, strict=True):
        np.testing.assert_allclose(point, expected[tight], atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 63), max_size=12), st.lists(st.integers(1, 63), max_size=12))
def test_pairs_that_share_no_label_are_all_there(p, q) -> None:
    # Bits with fewer labels than dimensions do not occur in polytopes.
    p = sorted({b for b in p if bin(b).count("1") >= 3})
    q = sorted({b for b in q if bin(b).count("1") >= 3})
    expected = [[i, j] for i, a in enumerate(p) for j, b in enumerate(q) if a | b == 63]
    arrays = np.array(p, dtype=np.int64), np.array(q, dtype=np.int64)
    assert two_seats._complementary(*arrays, np.int64(63), 3, 3) == expected


@pytest.mark.parametrize("size", [8, 10])
def test_large_polytopes_are_walked_without_drift(size: int) -> None:
    quantecon = pytest.importorskip("quantecon.game_theory")
    a, b = np.random.default_rng(size).random((2, size, size))
    game = quantecon.NormalFormGame(
        (quantecon.Player(a), quantecon.Player(np.ascontiguousarray(b.T)))
    )
    assert _rounded(two_seats.vertex_enumeration(a, b)) == _rounded(
        quantecon.vertex_enumeration(game)
    )
