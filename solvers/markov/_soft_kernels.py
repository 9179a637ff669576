"""Quantal response equilibria of the stage games of all states."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly; its
# decorator has no types, and it infers those of the arguments. Loops over plain indices with
# many branches are what it compiles best.
# ruff: noqa: PLR0912, PLR0915, PLR0917
# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False

from __future__ import annotations

import math

import numba
import numpy as np

from solvers._mirror_kernels import EXTRAGRADIENT, IMPLICIT, NONE, mirror

__all__ = ["soft_games"]


@numba.njit(cache=True, nogil=True)
def _soft_value(a, policy, tau, other, out):
    """Return regularised value and gap of (x, y) = policy (m + n,); out (2,) in place."""
    m, n = a.shape
    top = -np.inf
    worth = 0.0
    entropy, against = 0.0, 0.0
    paid = np.zeros(m)
    lost = np.zeros(n)
    for i in range(m):
        for j in range(n):
            paid[i] += a[i, j] * policy[m + j]
            lost[j] -= a[i, j] * policy[i]
        worth += policy[i] * paid[i]
        if policy[i] > 0.0:
            entropy -= policy[i] * math.log(policy[i])
        top = max(top, paid[i])
    total = 0.0
    for i in range(m):
        total += math.exp((paid[i] - top) / tau)
    best = top + tau * math.log(total)
    top = -np.inf
    for j in range(n):
        if policy[m + j] > 0.0:
            against -= policy[m + j] * math.log(policy[m + j])
        top = max(top, lost[j])
    total = 0.0
    for j in range(n):
        total += math.exp((lost[j] - top) / other)
    reply = top + other * math.log(total)
    out[0] = worth + tau * entropy - other * against
    out[1] = max(0.0, best + reply - tau * entropy - other * against)


@numba.njit(cache=True, nogil=True)
def soft_games(
    q,
    rows,
    cols,
    terminal,
    tau,
    other,
    eta,
    decreasing,
    lookahead,
    prox,
    divergence,
    tolerance,
    block,
    limit,
    policy,
    worth,
    gaps,
):
    """Solve the regularised game of every state; return inner iterations and the worst gap.

    Of the arguments:
        q: (S, J); rows (S, A), cols (S, B): masks.
        tau, other: temperatures of the row and the column seat.
        divergence: value KL divergences from uniform play instead of entropies.
        eta: the step, 0 for what the lookahead's guarantee asks for.
        tolerance: the gap to stop at; block: iterations between looks; limit: at most.
        policy: (S, A + B), warm start and result; worth, gaps: (S,). Modified in place.
    """
    a_all, b_all = rows.shape[1], cols.shape[1]
    spent, worst = 0, 0.0
    out = np.zeros(2)
    for s in range(len(q)):
        worth[s] = 0.0
        gaps[s] = 0.0
        if terminal[s]:
            continue
        m, n = 0, 0
        picks, drops = np.empty(a_all, np.int64), np.empty(b_all, np.int64)
        for i in range(a_all):
            if rows[s, i]:
                picks[m] = i
                m += 1
        for j in range(b_all):
            if cols[s, j]:
                drops[n] = j
                n += 1
        a, bt = np.empty((m, n)), np.empty((n, m))
        low, high = np.inf, -np.inf
        for i in range(m):
            for j in range(n):
                a[i, j] = q[s, picks[i] * b_all + drops[j]]
                low, high = min(low, a[i, j]), max(high, a[i, j])
        middle = 0.5 * (low + high)
        # With the column seat's payoffs times τ_μ/τ_ν both seats have temperature τ_μ.
        ratio = tau / other
        centred = a - middle
        for i in range(m):
            for j in range(n):
                bt[j, i] = -ratio * centred[i, j]
        largest = max(0.5 * (high - low) * max(1.0, ratio), 1e-12)
        step = eta
        if step <= 0.0:
            if lookahead == NONE:
                step = tau / largest**2
            elif lookahead == EXTRAGRADIENT:
                step = 1.0 / largest
            else:
                step = 0.5 / largest
            if prox != IMPLICIT:
                step = min(step, 0.5 / tau)
        size = m + n
        current, logs = np.empty(size), np.empty(size)
        for i in range(m):
            current[i] = policy[s, picks[i]]
        for j in range(n):
            current[m + j] = policy[s, a_all + drops[j]]
        for d in range(size):
            logs[d] = math.log(max(current[d], 1e-300))
        magnet, guess, total = np.empty(size), np.zeros(size), np.zeros(size)
        for d in range(size):
            magnet[d] = -math.log(m) if d < m else -math.log(n)
        cut = np.array([0, m, size])
        done = 0
        while True:
            _soft_value(a, current, tau, other, out)
            if out[1] <= tolerance or done >= limit:
                break
            mirror(
                centred,
                bt,
                cut,
                step,
                decreasing,
                tau,
                lookahead,
                prox,
                0,
                done,
                block,
                logs,
                magnet,
                guess,
                current,
                total,
            )
            done += block
        spent += done
        worst = max(worst, out[1])
        worth[s] = out[0]
        if divergence:
            worth[s] += other * math.log(n) - tau * math.log(m)
        gaps[s] = out[1]
        for i in range(m):
            policy[s, picks[i]] = current[i]
        for j in range(n):
            policy[s, a_all + drops[j]] = current[m + j]
    return spent, worst
