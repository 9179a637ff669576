"""Slow, obvious twins of the pivoting and enumerating kernels: exact fractions, all subsets."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np


def exchange(table, r, s):
    """Solve row r for the variable of column s and insert it into the other rows."""
    t = [[Fraction(float(v)) for v in row] for row in table]
    out = [row[:] for row in t]
    for i, row in enumerate(t):
        for j in range(len(row)):
            if i == r:
                out[i][j] = row[j] / t[r][s] if j != s else 1 / t[r][s]
            elif j == s:
                out[i][j] = -row[s] / t[r][s]
            else:
                out[i][j] = row[j] - row[s] * t[r][j] / t[r][s]
    return np.array([[float(v) for v in row] for row in out])


def lemke_howson(a, b, start):
    """Follow the path on two whole tableaus, ties broken by their slack columns."""
    m, n = a.shape
    # Tableau 0 holds Bᵀx + s = 1, tableau 1 holds Ay + r = 1; a column for every label.
    tables, bases = [], []
    for pay, own, slack in ((b.T, range(m), range(m, m + n)), (a, range(m, m + n), range(m))):
        low, span = Fraction(float(pay.min())), Fraction(float(np.ptp(pay)))
        rows = []
        for i, label in enumerate(slack):
            row = [Fraction(0)] * (m + n + 1)
            for j, other in enumerate(own):
                row[other] = (Fraction(float(pay[i, j])) - low) / (span or 1) + 1
            row[label] = row[-1] = Fraction(1)
            rows.append(row)
        tables.append(rows)
        bases.append(list(slack))
    slacks = (range(m, m + n), range(m))
    label, side = start, 0 if start < m else 1
    while True:
        t, basis = tables[side], bases[side]
        rows = [i for i in range(len(t)) if t[i][label] > 0]
        r = min(rows, key=lambda i: [t[i][k] / t[i][label] for k in (-1, *slacks[side])])
        t[r] = [v / t[r][label] for v in t[r]]
        for i in range(len(t)):
            if i != r:
                factor = t[i][label]
                t[i] = [v - factor * w for v, w in zip(t[i], t[r], strict=True)]
        label, basis[r] = basis[r], label
        if label == start:
            break
        side = 1 - side
    out = [np.zeros(m), np.zeros(n)]
    for side in (0, 1):
        for row, label in zip(tables[side], bases[side], strict=True):
            if side == 0 and label < m:
                out[0][label] = float(row[-1])
            if side == 1 and label >= m:
                out[1][label - m] = float(row[-1])
    return [z / z.sum() for z in out]


def equal_supports(a, b):
    """Solve for indifference on every pair of supports of one size; keep best responses."""
    m, n = a.shape
    found = []
    for size in range(1, min(m, n) + 1):
        for rows in combinations(range(m), size):
            for cols in combinations(range(n), size):
                y = _indifferent(a[np.ix_(rows, cols)])
                x = _indifferent(b[np.ix_(rows, cols)].T)
                if x is None or y is None:
                    continue
                full_x, full_y = np.zeros(m), np.zeros(n)
                full_x[list(rows)], full_y[list(cols)] = x, y
                pay_a, pay_b = a @ full_y, full_x @ b
                if (pay_a <= pay_a[rows[0]] + 1e-9).all() and (
                    pay_b <= pay_b[cols[0]] + 1e-9
                ).all():
                    found.append((full_x, full_y))
    return found


def _indifferent(pay):
    """Return the positive weights that make all rows pay the same, or None."""
    size = len(pay)
    system = np.block([[pay, -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
    if abs(np.linalg.det(system)) < 1e-12:
        return None
    weight = np.linalg.solve(system, np.append(np.zeros(size), 1.0))[:size]
    return weight if (weight > 1e-12).all() else None


def dominated(pay, subset):
    """Rows that another row weakly beats on these columns, one of them strictly."""
    return {
        i
        for i in range(len(pay))
        for k in range(len(pay))
        if all(pay[k, j] >= pay[i, j] for j in subset)
        and any(pay[k, j] > pay[i, j] for j in subset)
    }


def vertices(body):
    """Tight constraints of every vertex of {z ≥ 0, body z ≤ 1}: all choices of equations."""
    r, c = body.shape
    left = np.vstack([np.eye(c), body])
    right = np.append(np.zeros(c), np.ones(r))
    found = {}
    for chosen in combinations(range(r + c), c):
        system = left[list(chosen)]
        if abs(np.linalg.det(system)) < 1e-12:
            continue
        z = np.linalg.solve(system, right[list(chosen)])
        if (z >= -1e-10).all() and (body @ z <= 1 + 1e-10).all():
            tight = frozenset(np.flatnonzero(np.abs(left @ z - right) <= 1e-9).tolist())
            found[tight] = z
    return found
