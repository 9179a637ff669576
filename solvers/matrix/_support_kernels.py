"""All pairs of equal-sized supports of a two-seat game."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly; its
# decorator has no types, and it infers those of the arguments. Loops over plain indices with
# many branches are what it compiles best.
# ruff: noqa: PLR0912, PLR0917
# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False

from __future__ import annotations

import numba
import numpy as np

__all__ = ["dominated", "equal_supports"]


@numba.njit(cache=True)
def dominated(pay, subsets, out):
    """Fill out[k] with the bits of the rows that are never played if `subsets[k]` is.

    A row that another one matches on all columns of a subset, and beats on one, is no best
    response to a strategy that plays exactly those columns. `pay` is (m, n).
    """
    m, n = pay.shape
    at_least = np.zeros((m, m), np.int64)
    above = np.zeros((m, m), np.int64)
    one = np.int64(1)
    for i in range(m):
        for k in range(m):
            for j in range(n):
                if pay[k, j] >= pay[i, j]:
                    at_least[i, k] |= one << j
                if pay[k, j] > pay[i, j]:
                    above[i, k] |= one << j
    for t in range(len(subsets)):
        chosen = subsets[t]
        bits = np.int64(0)
        for i in range(m):
            for k in range(m):
                if chosen & ~at_least[i, k] == 0 and chosen & above[i, k] != 0:
                    bits |= one << i
                    break
        out[t] = bits


@numba.njit(cache=True)
def _members(bits, out):
    count = 0
    k = 0
    while bits:
        if bits & 1:
            out[count] = k
            count += 1
        bits >>= 1
        k += 1
    return count


@numba.njit(cache=True)
def _indifferent(pay, rows, cols, k, system, weight):
    """Fill `weight` (k,) with the mix of cols that makes all rows pay the same.

    Returns 1 if all weights are positive, 0 if not, −1 if the system is singular.
    """
    # Unknowns: weights w and the value v; Σ w = 1 and pay w − v = 0.
    size = k + 1
    for i in range(k):
        for j in range(k):
            system[i, j] = pay[rows[i], cols[j]]
        system[i, k] = -1.0
        system[i, size] = 0.0
    for j in range(k):
        system[k, j] = 1.0
    system[k, k] = 0.0
    system[k, size] = 1.0
    for s in range(size):
        best = s
        for i in range(s + 1, size):
            if abs(system[i, s]) > abs(system[best, s]):
                best = i
        if abs(system[best, s]) < 1e-12:
            return -1
        if best != s:
            for j in range(s, size + 1):
                system[s, j], system[best, j] = system[best, j], system[s, j]
        for i in range(s + 1, size):
            factor = system[i, s] / system[s, s]
            if factor != 0.0:
                for j in range(s + 1, size + 1):
                    system[i, j] -= factor * system[s, j]
    for s in range(size - 1, -1, -1):
        value = system[s, size]
        for j in range(s + 1, size):
            value -= system[s, j] * system[j, size]
        value /= system[s, s]
        system[s, size] = value
        if s < k:
            if value <= 1e-12:
                return 0
            weight[s] = value
    return 1


@numba.njit(cache=True)
def _is_best(pay, weight, cols, k, value, tolerance):
    """Return −1 if some row pays more than `value`, else how many rows pay as much."""
    ties = 0
    for i in range(pay.shape[0]):
        worth = 0.0
        for j in range(k):
            worth += weight[j] * pay[i, cols[j]]
        if worth > value + tolerance:
            return -1
        if worth >= value - tolerance:
            ties += 1
    return ties


@numba.njit(cache=True)
def equal_supports(a, bt, row_sets, col_sets, dead_rows, dead_cols, tolerance, xs, ys, facts):
    """Fill xs (K, m), ys (K, n) with the equilibria on the given supports, in place.

    Args:
        a: the row seat's payoffs, shape (m, n).
        bt: the column seat's, own action first, shape (n, m).
        row_sets: bits of the row seat's supports, all of one size.
        col_sets: the column seat's, of the same size.
        dead_rows: for each of col_sets, bits of the rows that are no best response to it.
        dead_cols: for each of row_sets, bits of the columns.
        tolerance: in payoff units.
        xs: room for equilibria, zeros.
        ys: the same.
        facts: facts[0] counts the equilibria found before (added to), facts[1] is set to 1
            where a support is singular or an equilibrium has further best responses.
    """
    m, n = a.shape
    rows, cols = np.empty(m, np.int64), np.empty(n, np.int64)
    size = min(m, n) + 2
    system = np.empty((size, size))
    x, y = np.empty(m), np.empty(n)
    for r in range(len(row_sets)):
        k = _members(row_sets[r], rows)
        for c in range(len(col_sets)):
            if row_sets[r] & dead_rows[c] or col_sets[c] & dead_cols[r]:
                continue
            _members(col_sets[c], cols)
            found = _indifferent(a, rows, cols, k, system, y)
            if found < 0:
                facts[1] = 1
            if found <= 0:
                continue
            ties = _is_best(a, y, cols, k, system[k, k + 1], tolerance)
            if ties < 0:
                continue
            found = _indifferent(bt, cols, rows, k, system, x)
            if found < 0:
                facts[1] = 1
            if found <= 0:
                continue
            others = _is_best(bt, x, rows, k, system[k, k + 1], tolerance)
            if others < 0:
                continue
            if ties > k or others > k:
                facts[1] = 1
            at = facts[0]
            if at < len(xs):
                for i in range(k):
                    xs[at, rows[i]] = x[i]
                    ys[at, cols[i]] = y[i]
            facts[0] += 1
