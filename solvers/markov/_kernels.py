"""Stage games of many states at once: matrix games, and linear programs of CCE and CE."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly; its
# decorator has no types, and it infers those of the arguments. Loops over plain indices with
# many branches are what it compiles best.
# ruff: noqa: PLR0912, PLR0915, PLR0917
# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False

from __future__ import annotations

import numba
import numpy as np

from solvers.matrix._pivot_kernels import pivot, zero_sum

_FEASIBLE = 1e-11
_ROUNDING = 1e-9
_PIVOT = 1e-11
_EXCESS = 1e-11
"""How much a deviation may gain, in units of the seat's payoff range, before HiGHS solves again."""


@numba.njit(cache=True, nogil=True)
def backup(reward, indptr, indices, probability, discount, v, low, high, q):
    """Fill q (S, J) in place for states low … high − 1: reward (S, J) + γ P v (S,)."""
    joint = reward.shape[1]
    for s in range(low, high):
        for j in range(joint):
            row = s * joint + j
            total = 0.0
            for e in range(indptr[row], indptr[row + 1]):
                total += probability[e] * v[indices[e]]
            q[s, j] = reward[s, j] + discount * total


@numba.njit(cache=True, nogil=True)
def matrix_games(q, rows, cols, terminal, low, high, worth, x, y, gaps):
    """Solve the matrix game of every state in place: value (S,), x (S, A), y (S, B).

    `gaps` (S,) gets the duality gap in units of the state's payoff range, −1 on failure.
    rows (S, A) and cols (S, B) are masks of legal actions.
    """
    m_all, n_all = rows.shape[1], cols.shape[1]
    picks, drops = np.empty(m_all, np.int64), np.empty(n_all, np.int64)
    for s in range(low, high):
        m, n = 0, 0
        for i in range(m_all):
            x[s, i] = 0.0
            if rows[s, i]:
                picks[m] = i
                m += 1
        for j in range(n_all):
            y[s, j] = 0.0
            if cols[s, j]:
                drops[n] = j
                n += 1
        if terminal[s]:
            x[s, picks[0]] = 1.0
            y[s, drops[0]] = 1.0
            worth[s] = 0.0
            gaps[s] = 0.0
            continue
        a = np.empty((m, n))
        for i in range(m):
            for j in range(n):
                a[i, j] = q[s, picks[i] * n_all + drops[j]]
        own, other = np.empty(m), np.empty(n)
        gaps[s] = zero_sum(a, own, other)
        total = 0.0
        for i in range(m):
            x[s, picks[i]] = own[i]
            for j in range(n):
                total += own[i] * a[i, j] * other[j]
        for j in range(n):
            y[s, drops[j]] = other[j]
        worth[s] = total


@numba.njit(cache=True, nogil=True)
def best_replies(q, rows, cols, policy, maximise, terminal, low, high, worth):
    """Fill worth (S,) in place: the best reply to `policy` in the game of every state.

    Of the arguments:
        maximise: the row seat replies to policy (S, B); else the column seat to (S, A).
    """
    m, n = rows.shape[1], cols.shape[1]
    for s in range(low, high):
        worth[s] = 0.0
        if terminal[s]:
            continue
        best = -np.inf
        if maximise:
            for i in range(m):
                if rows[s, i]:
                    total = 0.0
                    for j in range(n):
                        total += q[s, i * n + j] * policy[s, j]
                    best = max(best, total)
            worth[s] = best
        else:
            for j in range(n):
                if cols[s, j]:
                    total = 0.0
                    for i in range(m):
                        total += q[s, i * n + j] * policy[s, i]
                    best = max(best, -total)
            worth[s] = -best


@numba.njit(cache=True, nogil=True)
def gains(q, s, counts, strides, legal, columns, coarse, grain, g):
    """Fill g (m, K) in place with gains of deviations, by joint action; return m.

    Each seat's are in units of the range of its own payoffs in the state, so that no seat's
    incentives drown in the rounding of another's.

    Of the arguments:
        legal: (n, widest) masks of the state.
        columns: numbers of the legal joint actions (K,).
        grain: the least unit of each seat: differences below it are rounding, (n,).
    """
    m = 0
    for p in range(len(counts)):
        least, most = np.inf, -np.inf
        for k in range(len(columns)):
            least = min(least, q[p, s, columns[k]])
            most = max(most, q[p, s, columns[k]])
        unit = max(most - least, grain[p])
        if unit <= 0.0:
            unit = 1.0
        for told in range(1 if coarse else counts[p]):
            if not coarse and not legal[p, told]:
                continue
            for b in range(counts[p]):
                if not legal[p, b] or (not coarse and b == told):
                    continue
                for k in range(len(columns)):
                    joint = columns[k]
                    own = joint // strides[p] % counts[p]
                    if not coarse and own != told:
                        g[m, k] = 0.0
                    else:
                        other = joint + (b - own) * strides[p]
                        g[m, k] = (q[p, s, other] - q[p, s, joint]) / unit
                m += 1
    return m


@numba.njit(cache=True, nogil=True)
def _dual_simplex(t, m, k, limit, basic, nonbasic):
    """Bring t to optimality by dual simplex pivots in place; return their number or −1.

    t (m + 2, k): rows 0 … m hold basic variables (row m the one of Σσ = 1), row m + 1 the
    objective; the last column is the right-hand side. Labels: joint columns 0 … K − 1,
    slack of row i is K + i.
    """
    rows = m + 2
    head = np.empty(k + 1)
    idle = np.zeros(m + 1, np.bool_)
    for count in range(limit):
        r, lowest = -1, -_FEASIBLE
        for i in range(m + 1):
            if t[i, k] < lowest and not idle[i]:
                lowest = t[i, k]
                r = i
        if r < 0:
            return count
        s, least, size = -1, np.inf, 0.0
        for j in range(k):
            if t[r, j] < -_PIVOT:
                ratio = max(0.0, t[m + 1, j]) / -t[r, j]
                if ratio < least - 1e-13 or (ratio <= least + 1e-13 and -t[r, j] > size):
                    s, least, size = j, min(ratio, least), -t[r, j]
        if s < 0:
            if lowest < -_ROUNDING:
                return -1
            # A row that is short by rounding only, and has nothing but rounding to mend it.
            idle[r] = True
            continue
        pivot(t, rows, r, s, head)
        basic[r], nonbasic[s] = nonbasic[s], basic[r]
        idle[:] = False
    return -1


@numba.njit(cache=True, nogil=True)
def correlated(
    q, price, counts, strides, legal, mask, terminal, coarse, grain, low, high, sigma, status
):
    """Fill sigma (S, J) in place with the (C)CE of greatest price in every state.

    The basis of the dearest joint action alone is dual feasible, so that the dual simplex
    method needs no first phase.

    Of the arguments:
        q: (n, S, J); price: (S, J).
        legal: (S, n, widest); mask: legal joint actions (S, J).
        coarse: CCE, else CE; grain: see `gains`.
        status: (S,), pivots, or −1 where the method gave up or is inaccurate.
    """
    n, joints = len(counts), q.shape[2]
    widest = 0
    for p in range(n):
        widest += counts[p] if coarse else counts[p] * (counts[p] - 1)
    for s in range(low, high):
        columns = np.empty(joints, np.int64)
        size = 0
        for j in range(joints):
            sigma[s, j] = 0.0
            if mask[s, j]:
                columns[size] = j
                size += 1
        status[s] = 0
        if terminal[s]:
            first = 0
            for p in range(n):
                for a in range(counts[p]):
                    if legal[s, p, a]:
                        first += a * strides[p]
                        break
            sigma[s, first] = 1.0
            continue
        columns = columns[:size]
        big, dear, cheap = 0.0, 0, 0
        for k in range(size):
            for p in range(n):
                big = max(big, abs(q[p, s, columns[k]]))
            if price[s, columns[k]] > price[s, columns[dear]]:
                dear = k
            if price[s, columns[k]] < price[s, columns[cheap]]:
                cheap = k
        span = price[s, columns[dear]] - price[s, columns[cheap]]
        # Prices that are rounding errors, as welfare is in zero-sum games, are none.
        weight = 1.0 / span if span > 1e-12 * big else 0.0
        g = np.empty((widest, size))
        m = gains(q, s, counts, strides, legal[s], columns, coarse, grain, g)
        t = np.zeros((m + 2, size))
        basic, nonbasic = np.empty(m + 1, np.int64), np.empty(size, np.int64)
        at = 0
        for k in range(size):
            if k == dear:
                continue
            for i in range(m):
                t[i, at] = g[i, k] - g[i, dear]
            t[m, at] = 1.0
            t[m + 1, at] = weight * (price[s, columns[dear]] - price[s, columns[k]])
            if weight == 0.0:
                # Any equilibrium will do: prices that are all different keep from cycling.
                t[m + 1, at] = 1.0 + (k * 0.6180339887498949) % 1.0
            nonbasic[at] = k
            at += 1
        for i in range(m):
            t[i, size - 1] = -g[i, dear]
            basic[i] = size + i
        t[m, size - 1] = 1.0
        basic[m] = dear
        status[s] = _dual_simplex(t, m, size - 1, 50 * (m + 10), basic, nonbasic)
        if status[s] < 0:
            continue
        total = 0.0
        for i in range(m + 1):
            if basic[i] < size:
                value = max(0.0, t[i, size - 1])
                sigma[s, columns[basic[i]]] = value
                total += value
        if not total > 0.0:
            status[s] = -1
            continue
        for k in range(size):
            sigma[s, columns[k]] /= total
        worst = 0.0
        for i in range(m):
            gain = 0.0
            for k in range(size):
                gain += g[i, k] * sigma[s, columns[k]]
            worst = max(worst, gain)
        for j in range(size - 1):
            if weight > 0.0 and t[m + 1, j] < -1e-9:
                worst = 1.0
        if worst > _EXCESS:
            status[s] = -1
