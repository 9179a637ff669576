"""Condensed tableaux: the pivots behind the zero-sum program, Lemke–Howson and vertices.

A tableau T of shape (r + 1 or r, c + 1) holds the rows of basic variables over the
columns of nonbasic ones; its last column is the right-hand side. Labels name variables.
"""

# Compiled functions take flat arrays by position, because numba passes keywords slowly; its
# decorator has no types, and it infers those of the arguments. Loops over plain indices with
# many branches are what it compiles best.
# ruff: noqa: PLR0912, PLR0917
# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False

from __future__ import annotations

import numba
import numpy as np

__all__ = [
    "bits_of",
    "complementary",
    "exchange",
    "lemke_howson",
    "lexicographic_row",
    "pivot",
    "solve_game",
    "vertices",
    "zero_sum",
]

_PIVOT = 1e-10
_TIE = 1e-11
_DRIFT, _AGE = 1e-4, 30
"""A tableau is made anew instead of a pivot smaller than this, or after so many pivots."""


@numba.njit(cache=True)
def pivot(t, rows, r, s, head):
    """Exchange the basic variable of row r with the nonbasic one of column s, in place.

    `head` is room for a row: kept apart from `t`, it lets the compiler write vector loops.
    """
    width = t.shape[1]
    inverse = 1.0 / t[r, s]
    for j in range(width):
        head[j] = t[r, j] * inverse
    head[s] = inverse
    for i in range(rows):
        factor = t[i, s]
        if i != r and factor != 0.0:
            t[i, s] = 0.0
            for j in range(width):
                t[i, j] -= factor * head[j]
    for j in range(width):
        t[r, j] = head[j]


@numba.njit(cache=True)
def lexicographic_row(t, rows, s, place, first_slack):
    """Return the row that leaves when column s enters, ties broken lexicographically.

    `place[label]` is a variable's column if it is nonbasic, or −1 − row if it is basic;
    slacks have the labels first_slack, …, first_slack + rows − 1.
    """
    last = t.shape[1] - 1
    best = -1
    least = np.inf
    ties = 0
    for i in range(rows):
        if t[i, s] > _PIVOT:
            ratio = t[i, last] / t[i, s]
            if ratio < least - _TIE:
                least = ratio
                best = i
                ties = 1
            elif ratio <= least + _TIE:
                ties += 1
                least = min(least, ratio)
    if ties <= 1:
        return best
    best = -1
    for i in range(rows):
        if t[i, s] > _PIVOT and t[i, last] / t[i, s] <= least + _TIE:
            if best < 0:
                best = i
                continue
            for k in range(rows):
                where = place[first_slack + k]
                if where >= 0:
                    mine, other = t[i, where] / t[i, s], t[best, where] / t[best, s]
                else:
                    mine = 1.0 / t[i, s] if -1 - where == i else 0.0
                    other = 1.0 / t[best, s] if -1 - where == best else 0.0
                if mine < other - _TIE:
                    best = i
                    break
                if mine > other + _TIE:
                    break
    return best


@numba.njit(cache=True)
def exchange(t, rows, r, s, row_label, col_label, place, head):
    """Pivot on (r, s) and keep labels and places, in place."""
    pivot(t, rows, r, s, head)
    entering, leaving = col_label[s], row_label[r]
    row_label[r], col_label[s] = entering, leaving
    place[entering], place[leaving] = -1 - r, s


@numba.njit(cache=True)
def zero_sum(a, x, y):
    """Fill optimal strategies x (m,) and y (n,) of the game that pays `a` (m, n), in place.

    Returns the duality gap in units of the payoffs' range, or −1 if the simplex stopped.
    """
    m, n = a.shape
    low, high = a[0, 0], a[0, 0]
    for i in range(m):
        for j in range(n):
            low = min(low, a[i, j])
            high = max(high, a[i, j])
    scale = 1.0 / (high - low) if high > low else 1.0
    t = np.empty((m + 1, n + 1))
    row_label, col_label = np.empty(m, np.int64), np.empty(n, np.int64)
    for i in range(m):
        row_label[i] = n + i
        for j in range(n):
            t[i, j] = (a[i, j] - low) * scale + 1.0
        t[i, n] = 1.0
    for j in range(n):
        col_label[j] = j
        t[m, j] = -1.0
    t[m, n] = 0.0
    if solve_game(t, row_label, col_label, 50 * (m + n) + 1000) < 0:
        return -1.0
    x[:] = 0.0
    y[:] = 0.0
    for i in range(m):
        if row_label[i] < n:
            y[row_label[i]] = max(0.0, t[i, n])
    for j in range(n):
        if col_label[j] >= n:
            x[col_label[j] - n] = max(0.0, t[m, j])
    x /= x.sum()
    y /= y.sum()
    most, least = -np.inf, np.inf
    for i in range(m):
        worth = 0.0
        for j in range(n):
            worth += a[i, j] * y[j]
        most = max(most, worth)
    paid = np.zeros(n)
    for i in range(m):
        for j in range(n):
            paid[j] += x[i] * a[i, j]
    for j in range(n):
        least = min(least, paid[j])
    return max(0.0, most - least) * scale


@numba.njit(cache=True)
def solve_game(t, row_label, col_label, limit):
    """Maximise Σ y, B y ≤ 1, y ≥ 0 on t = [B 1; −1 0], shape (m + 1, n + 1), in place.

    Returns the number of pivots, or −1 after `limit` of them.
    """
    m, n = t.shape[0] - 1, t.shape[1] - 1
    head = np.empty(n + 1)
    still = 0
    for count in range(limit):
        s, lowest = -1, -_PIVOT
        for j in range(n):
            if t[m, j] < lowest:
                s = j
                # Bland's rule once the objective has not moved for long.
                if still > 2 * (m + n):
                    if lowest == -_PIVOT or col_label[j] < col_label[s]:
                        s = j
                    break
                lowest = t[m, j]
        if s < 0:
            return count
        r, least = -1, np.inf
        for i in range(m):
            if t[i, s] > _PIVOT:
                ratio = t[i, n] / t[i, s]
                if ratio < least - _TIE or (
                    ratio <= least + _TIE and (r < 0 or row_label[i] < row_label[r])
                ):
                    least = min(ratio, least)
                    r = i
        if r < 0:
            return -1
        still = still + 1 if least <= _TIE else 0
        pivot(t, m + 1, r, s, head)
        row_label[r], col_label[s] = col_label[s], row_label[r]
    return -1


@numba.njit(cache=True)
def lemke_howson(a, b, start, limit, x, y):
    """Follow the path that drops label `start`; fill x (m,) and y (n,) in place.

    `a` and `b` are the seats' payoffs, shape (m, n). Labels 0 … m − 1 are the rows,
    m … m + n − 1 the columns. Returns the number of pivots, or −1 after `limit`.
    """
    m, n = a.shape
    a_low, a_high, b_low, b_high = a[0, 0], a[0, 0], b[0, 0], b[0, 0]
    for i in range(m):
        for j in range(n):
            a_low, a_high = min(a_low, a[i, j]), max(a_high, a[i, j])
            b_low, b_high = min(b_low, b[i, j]), max(b_high, b[i, j])
    # Payoffs moved and scaled to [1, 2]: the equilibria stay the same.
    a_scale = 1.0 / (a_high - a_low) if a_high > a_low else 1.0
    b_scale = 1.0 / (b_high - b_low) if b_high > b_low else 1.0
    # Tableau 0: Bᵀ x ≤ 1 (rows: slacks of columns). Tableau 1: A y ≤ 1.
    p = np.empty((n, m + 1))
    q = np.empty((m, n + 1))
    p_head, q_head = np.empty(m + 1), np.empty(n + 1)
    for i in range(m):
        q[i, n] = 1.0
        for j in range(n):
            q[i, j] = (a[i, j] - a_low) * a_scale + 1.0
            p[j, i] = (b[i, j] - b_low) * b_scale + 1.0
    p_row, p_col, p_place = np.empty(n, np.int64), np.empty(m, np.int64), np.empty(m + n, np.int64)
    q_row, q_col, q_place = np.empty(m, np.int64), np.empty(n, np.int64), np.empty(m + n, np.int64)
    for i in range(m):
        p_col[i], p_place[i] = i, i
        q_row[i], q_place[i] = i, -1 - i
    for j in range(n):
        p[j, m] = 1.0
        p_row[j], p_place[m + j] = m + j, -1 - j
        q_col[j], q_place[m + j] = m + j, j
    label, in_p = start, start < m
    count = 0
    while count < limit:
        count += 1
        if in_p:
            s = p_place[label]
            r = lexicographic_row(p, n, s, p_place, m)
            if r < 0:
                return -1
            label = p_row[r]
            exchange(p, n, r, s, p_row, p_col, p_place, p_head)
        else:
            s = q_place[label]
            r = lexicographic_row(q, m, s, q_place, 0)
            if r < 0:
                return -1
            label = q_row[r]
            exchange(q, m, r, s, q_row, q_col, q_place, q_head)
        if label == start:
            x[:] = 0.0
            y[:] = 0.0
            for j in range(n):
                if p_row[j] < m:
                    x[p_row[j]] = max(0.0, p[j, m])
            for i in range(m):
                if q_row[i] >= m:
                    y[q_row[i] - m] = max(0.0, q[i, n])
            x /= x.sum()
            y /= y.sum()
            return count
        in_p = not in_p
    return -1


@numba.njit(cache=True)
def _slack_tableau(body, t, row_label, col_label, place):
    """Fill the tableau of the slack basis, in place.

    Labels 0 … c − 1 are the columns of `body` (r, c), c … c + r − 1 the slacks.
    """
    r, c = body.shape
    for i in range(r):
        for j in range(c):
            t[i, j] = body[i, j]
        t[i, c] = 1.0
        row_label[i], place[c + i] = c + i, -1 - i
    for j in range(c):
        col_label[j], place[j] = j, j


@numba.njit(cache=True)
def _move_to(mask, least, t, row_label, col_label, place, head):
    """Pivot to the basis whose nonbasic labels are the bits of `mask`, in place.

    Returns the number of pivots, or −1 if one would have to be as small as `least`.
    """
    r, c = t.shape[0], t.shape[1] - 1
    count = 0
    for s in range(c):
        if (mask >> col_label[s]) & 1:
            continue
        # What is nonbasic here must become basic in a row whose variable must leave.
        best, size = -1, least
        for i in range(r):
            if (mask >> row_label[i]) & 1 and abs(t[i, s]) > size:
                best, size = i, abs(t[i, s])
        if best < 0:
            return -1
        exchange(t, r, best, s, row_label, col_label, place, head)
        count += 1
    return count


@numba.njit(cache=True)
def vertices(body, table, stack, binding, points):
    """List the vertices of {z ≥ 0, body z ≤ 1} by walking along its (perturbed) edges.

    Args:
        body: positive, shape (r, c), r + c ≤ 62.
        table: zeros, a power of two long: the hash set of bases seen, filled in place.
        stack: room for bases.
        binding: room for their bits of tight constraints.
        points: room for the vertices, shape (len(stack), c).

    Returns:
        How many bases with a vertex there are, or −1 if there is no room for them.
    """
    r, c = body.shape
    room = len(stack)
    slots = len(table) - 1
    t = np.empty((r, c + 1))
    head = np.empty(c + 1)
    row_label, col_label = np.empty(r, np.int64), np.empty(c, np.int64)
    place = np.empty(r + c, np.int64)
    one = np.int64(1)
    first = (one << c) - one
    count, at = 1, 0
    table[(first * 0x9E3779B97F4A7C1) & slots] = first
    _slack_tableau(body, t, row_label, col_label, place)
    age, waiting = 0, 1
    stack[0] = first
    while waiting > 0:
        waiting -= 1
        mask = stack[waiting]
        # The last basis found is near the one at hand: few pivots lead there.
        moved = -1
        if age < _AGE:
            moved = _move_to(mask, _DRIFT, t, row_label, col_label, place, head)
        age += moved
        if moved < 0:
            _slack_tableau(body, t, row_label, col_label, place)
            age = 0
            if _move_to(mask, _PIVOT, t, row_label, col_label, place, head) < 0:
                continue
        tight = mask
        for j in range(c):
            points[at, j] = 0.0
        for i in range(r):
            value = t[i, c]
            if row_label[i] < c:
                points[at, row_label[i]] = max(0.0, value)
            if value <= 1e-10:
                tight |= one << row_label[i]
        binding[at] = tight
        at += 1
        for s in range(c):
            leaves = lexicographic_row(t, r, s, place, c)
            if leaves < 0:
                continue
            other = (mask & ~(one << col_label[s])) | (one << row_label[leaves])
            slot = (other * 0x9E3779B97F4A7C1) & slots
            while table[slot] != 0 and table[slot] != other:
                slot = (slot + 1) & slots
            if table[slot] == 0:
                if count == room:
                    return -1
                table[slot] = other
                stack[waiting] = other
                waiting += 1
                count += 1
    return at


@numba.njit(cache=True)
def bits_of(values):
    """Return how many bits are set in each."""
    out = np.zeros(len(values), np.int64)
    for k in range(len(values)):
        left = values[k]
        while left:
            left &= left - 1
            out[k] += 1
    return out


@numba.njit(cache=True)
def complementary(p, q, everything, out):
    """Fill `out` (K, 2) in place with the pairs whose bits cover `everything`; return how many."""
    count = 0
    for i in range(len(p)):
        for j in range(len(q)):
            if p[i] | q[j] == everything:
                if count < len(out):
                    out[count, 0] = i
                    out[count, 1] = j
                count += 1
    return count
