"""Nash equilibria of two-seat games: a program, a path, or all of them.

- `zero_sum`: for payoffs that add up to a constant, one linear program: with B > 0 the
  shifted payoffs, maximise Σ y under B y ≤ 1; its optimum 1/v and the dual solution give
  both strategies (Dantzig 1951). A dense simplex, with HiGHS where that is in doubt.
- `lemke_howson`: complementary pivoting, ties broken lexicographically (Lemke and Howson
  1964; von Stengel 2002, "Computing equilibria for two-person games", section 2).
- `support_enumeration`: all pairs of supports of equal size (Dickhaut and Kaplan 1993),
  pruned by conditional dominance (Porter, Nudelman and Shoham 2008, section 3).
- `vertex_enumeration`: all pairs of vertices of the best-response polytopes that share no
  label (Mangasarian 1964): every extreme equilibrium, in degenerate games too.

Payoffs are a, b of shape (m, n), the row seat's and the column seat's. A tolerance is
relative to the range of a seat's payoffs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, NotApplicableError, ParameterError

__all__ = ["lemke_howson", "support_enumeration", "vertex_enumeration", "zero_sum"]

Reals = NDArray[np.float64]
Bits = NDArray[np.int64]
Pair = tuple[Reals, Reals]

_GAP = 1e-11
"""Duality gap, in units of the payoffs' range, up to which the simplex is trusted."""

_BASES = 1 << 21
"""Bases of a polytope beyond which its vertices are not listed."""


def zero_sum(a: Reals, *, algorithm: str = "auto") -> Pair:
    """Return optimal strategies of the game that pays the row seat `a`.

    Args:
        a: shape (m, n); the column seat is paid −a, or a constant minus a.
        algorithm: `simplex`, `highs`, or `auto`: simplex, checked, and HiGHS if it fails.

    Raises:
        ArenaError: the chosen algorithm gave up.
    """
    from solvers.matrix import _pivot_kernels as kernels

    if algorithm not in ("auto", "simplex", "highs"):
        raise ParameterError("algorithm", algorithm, "auto, simplex or highs")
    if algorithm != "highs":
        x, y = np.empty(a.shape[0]), np.empty(a.shape[1])
        gap = kernels.zero_sum(a, x, y)
        if gap >= 0.0 and (gap <= _GAP or algorithm == "simplex"):
            return x, y
        if algorithm == "simplex":
            raise ArenaError("the simplex method did not finish; algorithm='highs' may")
    return _zero_sum_highs(a)


def _positive(a: Reals) -> Reals:
    """Return payoffs moved and scaled to [1, 2]: the equilibria stay the same."""
    span = float(np.ptp(a))
    return np.ascontiguousarray((a - a.min()) / (span if span > 0 else 1.0) + 1.0)


def _zero_sum_highs(a: Reals) -> Pair:
    """Maximise v under v − xᵀA ≤ 0, Σ x = 1; the multipliers are y."""
    import highspy

    m, n = a.shape
    inf = highspy.kHighsInf
    scaled = _positive(a)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = m + 1, n + 1
    lp.col_cost_ = np.concatenate([np.zeros(m), [-1.0]])
    lp.col_lower_ = np.concatenate([np.zeros(m), [-inf]])
    lp.col_upper_ = np.full(m + 1, inf)
    lp.row_lower_ = np.concatenate([np.full(n, -inf), [1.0]])
    lp.row_upper_ = np.concatenate([np.zeros(n), [1.0]])
    body = np.concatenate([np.vstack([-scaled.T, np.ones(m)]).T.ravel(), np.ones(n)])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    starts = np.concatenate([np.arange(m + 1) * (n + 1), [m * (n + 1) + n]])
    lp.a_matrix_.start_ = starts.astype(np.int32)
    lp.a_matrix_.index_ = np.concatenate([np.tile(np.arange(n + 1), m), np.arange(n)]).astype(
        np.int32
    )
    lp.a_matrix_.value_ = body
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-10)
    solver.setOptionValue("dual_feasibility_tolerance", 1e-10)
    solver.passModel(lp)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        words = solver.modelStatusToString(solver.getModelStatus())
        raise ArenaError(f"HiGHS gave up on a zero-sum game of {m}×{n} actions: {words}")
    found = solver.getSolution()
    x = np.maximum(np.asarray(found.col_value)[:m], 0.0)
    y = np.abs(np.asarray(found.row_dual)[:n])
    return x / x.sum(), y / y.sum()


def lemke_howson(a: Reals, b: Reals, *, label: int = 0, limit: int = 1_000_000) -> Pair:
    """Return the equilibrium at the end of the path that drops `label`.

    Args:
        a: the row seat's payoffs, shape (m, n).
        b: the column seat's.
        label: 0 … m − 1 for a row, m … m + n − 1 for a column.
        limit: the most pivots.

    Raises:
        ParameterError: there is no such label.
        ArenaError: the path is longer than `limit`.
    """
    from solvers.matrix import _pivot_kernels as kernels

    m, n = a.shape
    if not 0 <= label < m + n:
        raise ParameterError("label", label, f"0 to {m + n - 1}")
    x, y = np.empty(m), np.empty(n)
    if kernels.lemke_howson(a, b, label, limit, x, y) < 0:
        raise ArenaError(f"the Lemke–Howson path of label {label} has no end within {limit} pivots")
    return x, y


def support_enumeration(a: Reals, b: Reals, *, tolerance: float = 1e-9) -> tuple[list[Pair], bool]:
    """Return the equilibria whose supports have equal size, and whether there may be more.

    Args:
        a: the row seat's payoffs, shape (m, n).
        b: the column seat's.
        tolerance: how much better another action may seem.

    Returns:
        The equilibria, and True if the game looks degenerate, so that others may exist
        (`vertex_enumeration` finds them).
    """
    from solvers.matrix import _support_kernels as kernels

    m, n = a.shape
    own, other = _positive(a), np.ascontiguousarray(_positive(b).T)
    room = 256
    while True:
        xs, ys = np.zeros((room, m)), np.zeros((room, n))
        facts = np.zeros(2, dtype=np.int64)
        for row_sets, col_sets in _supports(m, n):
            dead_rows, dead_cols = np.empty_like(col_sets), np.empty_like(row_sets)
            kernels.dominated(own, col_sets, dead_rows)
            kernels.dominated(other, row_sets, dead_cols)
            kernels.equal_supports(
                own, other, row_sets, col_sets, dead_rows, dead_cols, tolerance, xs, ys, facts
            )
        count = int(facts[0])
        if count <= room:
            return [(xs[k], ys[k]) for k in range(count)], bool(facts[1])
        room = count


def _supports(m: int, n: int) -> Iterator[tuple[Bits, Bits]]:
    for size in range(1, min(m, n) + 1):
        yield _subsets(m, size), _subsets(n, size)


def _subsets(n: int, size: int) -> Bits:
    bits = [sum(1 << k for k in chosen) for chosen in combinations(range(n), size)]
    return np.array(bits, dtype=np.int64)


def vertex_enumeration(a: Reals, b: Reals) -> list[Pair]:
    """Return every extreme equilibrium.

    All equilibria are convex combinations of these within a component.

    Args:
        a: the row seat's payoffs, shape (m, n), m + n ≤ 62.
        b: the column seat's.

    Raises:
        NotApplicableError: there are too many vertices to list.
    """
    m, n = a.shape
    if m + n > 62:
        raise NotApplicableError(f"too large: {m + n} actions in all, limit 62")
    # The column seat's payoffs bound the row seat's strategies, and the other way round.
    p_bits, xs = _vertices(np.ascontiguousarray(_positive(b).T))
    q_bits, ys = _vertices(_positive(a))
    # Labels of the second polytope: its own columns n, then rows m; bring them into order.
    low = (np.int64(1) << n) - 1
    q_bits = (q_bits >> n) | ((q_bits & low) << m)
    everything = (np.int64(1) << (m + n)) - 1
    pairs = _complementary(p_bits, q_bits, everything, m, n)
    return [(xs[i] / xs[i].sum(), ys[j] / ys[j].sum()) for i, j in pairs]


def _complementary(p: Bits, q: Bits, everything: np.int64, m: int, n: int) -> list[list[int]]:
    """Return the pairs (i, j) whose tight constraints p[i] | q[j] are everything."""
    from solvers.matrix import _pivot_kernels as kernels

    # Where no more constraints are tight than there are dimensions, one fits the other exactly.
    _, i, j = np.intersect1d(everything ^ p, q, assume_unique=True, return_indices=True)
    found = set(zip(i.tolist(), j.tolist(), strict=True))
    crowded_p = np.flatnonzero(kernels.bits_of(p) > m)
    crowded_q = np.flatnonzero(kernels.bits_of(q) > n)
    for some_p, some_q in ((crowded_p, np.arange(len(q))), (np.arange(len(p)), crowded_q)):
        if not len(some_p) or not len(some_q):
            continue
        out = np.empty((1024, 2), dtype=np.int64)
        count = kernels.complementary(p[some_p], q[some_q], everything, out)
        if count > len(out):
            out = np.empty((count, 2), dtype=np.int64)
            kernels.complementary(p[some_p], q[some_q], everything, out)
        found |= {(int(some_p[a]), int(some_q[b])) for a, b in out[:count].tolist()}
    return sorted([a, b] for a, b in found)


def _vertices(body: Reals) -> tuple[Bits, Reals]:
    """Return bits of tight constraints and the vertices but 0 of {z ≥ 0, body z ≤ 1}."""
    from solvers.matrix import _pivot_kernels as kernels

    r, c = body.shape
    room = 1 << 13
    while room <= _BASES:
        stack, binding = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        points = np.empty((room, c))
        table = np.zeros(4 * room, dtype=np.int64)
        count = kernels.vertices(body, table, stack, binding, points)
        if count >= 0:
            bits, first = np.unique(binding[:count], return_index=True)
            kept = points[first]
            inside = (bits != 0) & (kept.sum(axis=1) > 1e-12)
            return bits[inside], kept[inside]
        room *= 4
    raise NotApplicableError(
        f"too large: a best-response polytope of {c} dimensions and {r + c} facets has more"
        f" than {_BASES} bases; lemke_howson finds one equilibrium"
    )
