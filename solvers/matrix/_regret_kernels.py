"""Loops of the no-regret solvers. All seats' actions lie side by side in arrays (D,).

`pay` is (n, J), joint actions in C order; `cut` (n + 1,) holds where each seat begins.
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
    "add_joint",
    "coarse_play",
    "fictitious",
    "match_regrets",
    "project_simplex",
    "replicate",
    "swap_play",
    "worths",
]

RM, RM_PLUS, PREDICTIVE, EXTRA, SMOOTH = 0, 1, 2, 3, 4


@numba.njit(cache=True)
def worths(pay, cut, policy, only, out):
    """Fill out (D,) in place with each action's payoff against the others; `only` −1: all seats."""
    n = len(cut) - 1
    if n == 2:
        m, k = cut[1], cut[2] - cut[1]
        if only != 1:
            block = pay[0].reshape((m, k))
            for i in range(m):
                total = 0.0
                for j in range(k):
                    total += block[i, j] * policy[m + j]
                out[i] = total
        if only != 0:
            block = pay[1].reshape((m, k))
            for j in range(k):
                out[m + j] = 0.0
            for i in range(m):
                weight = policy[i]
                if weight != 0.0:
                    for j in range(k):
                        out[m + j] += block[i, j] * weight
        return
    for d in range(len(out)):
        if only < 0 or cut[only] <= d < cut[only + 1]:
            out[d] = 0.0
    at = np.zeros(n, np.int64)
    for j in range(pay.shape[1]):
        for p in range(n):
            if only >= 0 and p != only:
                continue
            weight = 1.0
            for q in range(n):
                if q != p:
                    weight *= policy[cut[q] + at[q]]
            out[cut[p] + at[p]] += pay[p, j] * weight
        p = n - 1
        while p >= 0:
            at[p] += 1
            if at[p] < cut[p + 1] - cut[p]:
                break
            at[p] = 0
            p -= 1


@numba.njit(cache=True)
def _regrets(worth, policy, low, high, out):
    mean = 0.0
    for d in range(low, high):
        mean += policy[d] * worth[d]
    for d in range(low, high):
        out[d] = worth[d] - mean


@numba.njit(cache=True)
def _play(score, low, high, policy):
    """Play in proportion to the positive part of the score, uniformly if there is none."""
    total = 0.0
    for d in range(low, high):
        total += max(score[d], 0.0)
    for d in range(low, high):
        policy[d] = max(score[d], 0.0) / total if total > 0.0 else 1.0 / (high - low)


@numba.njit(cache=True)
def project_simplex(v, low, high, floor):
    """Move v[low:high] to the nearest point with Σ = 1 and entries ≥ floor, in place."""
    size = high - low
    room = 1.0 - floor * size
    order = np.sort(v[low:high] - floor)
    total, cutoff = 0.0, 0.0
    for k in range(1, size + 1):
        total += order[size - k]
        shift = (total - room) / k
        if order[size - k] - shift > 0.0:
            cutoff = shift
    for d in range(low, high):
        v[d] = max(v[d] - floor - cutoff, 0.0) + floor


@numba.njit(cache=True)
def _project_chopped(v, low, high):
    """Move v[low:high] to the nearest point with entries ≥ 0 and Σ ≥ 1, in place."""
    total = 0.0
    for d in range(low, high):
        total += max(v[d], 0.0)
    if total >= 1.0:
        for d in range(low, high):
            v[d] = max(v[d], 0.0)
    else:
        project_simplex(v, low, high, 0.0)


@numba.njit(cache=True)
def match_regrets(
    pay, cut, kind, alternating, power, eta, first, count, regret, ahead, policy, total
):
    """Run `count` iterations of regret matching; modifies the last four arrays in place.

    Args:
        pay: payoffs, (n, J).
        cut: where each seat begins, and the end.
        alternating: seats move in turn, each seeing what those before it did.
        eta: the step of EXTRA and SMOOTH.
        count: iterations to do.
        kind: RM, RM_PLUS, PREDICTIVE; EXTRA and SMOOTH step by `eta` and stay where the
            regrets add up to one or more.
        power: iteration t weighs t^power in the average.
        first: iterations done before.
        regret: cumulative regrets, (D,).
        ahead: the prediction: the last instantaneous regrets, (D,).
        policy: what is played, (D,).
        total: weighted sum of policies, (D,).
    """
    n = len(cut) - 1
    size = len(regret)
    worth, now, half, middle = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for t in range(first + 1, first + count + 1):
        for turn in range(n if alternating else 1):
            low_seat, high_seat = (turn, turn + 1) if alternating else (0, n)
            only = turn if alternating else -1
            low, high = cut[low_seat], cut[high_seat]
            # 1. What to play: for all that move now.
            for p in range(low_seat, high_seat):
                a, b = cut[p], cut[p + 1]
                if kind in (RM, RM_PLUS):
                    _play(regret, a, b, policy)
                elif kind == PREDICTIVE:
                    for d in range(a, b):
                        half[d] = regret[d] + ahead[d]
                    _play(half, a, b, policy)
                elif kind == SMOOTH:
                    for d in range(a, b):
                        half[d] = regret[d] + eta * ahead[d]
                    _project_chopped(half, a, b)
                    _play(half, a, b, policy)
                else:
                    _play(regret, a, b, policy)
            if kind == EXTRA:
                # Half a step with the regrets here; the step itself uses those found there.
                worths(pay, cut, policy, only, worth)
                for d in range(size):
                    middle[d] = policy[d]
                for p in range(low_seat, high_seat):
                    a, b = cut[p], cut[p + 1]
                    _regrets(worth, policy, a, b, now)
                    for d in range(a, b):
                        half[d] = regret[d] + eta * now[d]
                    _project_chopped(half, a, b)
                    _play(half, a, b, middle)
                for d in range(low, high):
                    policy[d] = middle[d]
            # 2. What was regretted, and the new sum.
            worths(pay, cut, policy, only, worth)
            for p in range(low_seat, high_seat):
                a, b = cut[p], cut[p + 1]
                _regrets(worth, policy, a, b, now)
                for d in range(a, b):
                    if kind >= EXTRA:
                        regret[d] += eta * now[d]
                    else:
                        regret[d] += now[d]
                        if kind != RM:
                            regret[d] = max(regret[d], 0.0)
                    ahead[d] = now[d]
                if kind >= EXTRA:
                    _project_chopped(regret, a, b)
        weight = float(t) ** power
        for d in range(size):
            total[d] += weight * policy[d]


@numba.njit(cache=True)
def replicate(pay, cut, step, floor, count, policy, total):
    """Run `count` steps of projected replicator dynamics; `policy`, `total` in place."""
    n = len(cut) - 1
    worth, now = np.empty(len(policy)), np.empty(len(policy))
    for _ in range(count):
        worths(pay, cut, policy, -1, worth)
        for p in range(n):
            a, b = cut[p], cut[p + 1]
            _regrets(worth, policy, a, b, now)
            for d in range(a, b):
                policy[d] += step * policy[d] * now[d]
            project_simplex(policy, a, b, floor)
        for d in range(len(policy)):
            total[d] += policy[d]


@numba.njit(cache=True)
def fictitious(pay, cut, alternating, count, policy, total):
    """Run `count` rounds of fictitious play; `policy` (mean play) and `total` in place."""
    n = len(cut) - 1
    worth = np.empty(len(policy))
    best = np.empty(n, np.int64)
    for _ in range(count):
        if not alternating:
            worths(pay, cut, policy, -1, worth)
        for p in range(n):
            a, b = cut[p], cut[p + 1]
            if alternating:
                worths(pay, cut, policy, p, worth)
            best[p] = a + np.argmax(worth[a:b])
            if alternating:
                total[best[p]] += 1.0
                played = total[a:b].sum()
                for d in range(a, b):
                    policy[d] = total[d] / played
        if not alternating:
            for p in range(n):
                a, b = cut[p], cut[p + 1]
                total[best[p]] += 1.0
                played = total[a:b].sum()
                for d in range(a, b):
                    policy[d] = total[d] / played


@numba.njit(cache=True)
def add_joint(cut, policy, weight, joint):
    """Add weight × the product of the seats' strategies to joint (J,), in place."""
    n = len(cut) - 1
    at = np.zeros(n, np.int64)
    for j in range(len(joint)):
        product = weight
        for p in range(n):
            product *= policy[cut[p] + at[p]]
        joint[j] += product
        p = n - 1
        while p >= 0:
            at[p] += 1
            if at[p] < cut[p + 1] - cut[p]:
                break
            at[p] = 0
            p -= 1


@numba.njit(cache=True)
def coarse_play(pay, cut, first, count, regret, ahead, policy, joint):
    """Predictive regret matching+ by all seats at once, the joint play averaged, in place.

    Iteration t weighs t. `regret`, `ahead` and `policy` are (D,), `joint` (J,).
    """
    n = len(cut) - 1
    size = len(policy)
    worth, now, half = np.empty(size), np.empty(size), np.empty(size)
    for t in range(first + 1, first + count + 1):
        for p in range(n):
            a, b = cut[p], cut[p + 1]
            for d in range(a, b):
                half[d] = regret[d] + ahead[d]
            _play(half, a, b, policy)
        worths(pay, cut, policy, -1, worth)
        for p in range(n):
            _regrets(worth, policy, cut[p], cut[p + 1], now)
        for d in range(size):
            regret[d] = max(regret[d] + now[d], 0.0)
            ahead[d] = now[d]
        add_joint(cut, policy, float(t), joint)


@numba.njit(cache=True)
def _stationary(matrix, size, out):
    """Fill out[:size] with the stationary distribution of rows matrix[:size, :size], in place.

    By elimination without subtraction (Grassmann, Taksar and Heyman 1985).
    """
    for k in range(size - 1, 0, -1):
        leave = 0.0
        for j in range(k):
            leave += matrix[k, j]
        for i in range(k):
            if leave > 0.0:
                matrix[i, k] /= leave
            for j in range(k):
                matrix[i, j] += matrix[i, k] * matrix[k, j]
    out[0] = 1.0
    total = 1.0
    for k in range(1, size):
        out[k] = 0.0
        for i in range(k):
            out[k] += out[i] * matrix[i, k]
        total += out[k]
    for k in range(size):
        out[k] /= total


@numba.njit(cache=True)
def swap_play(pay, cut, first, count, regret, ahead, policy, joint):
    """Blum and Mansour's reduction over predictive regret matching+, joint play averaged.

    `regret` and `ahead` are (Σ A²,): for each seat and recommended action a learner over
    what to play instead; `policy` is (D,), `joint` (J,). All modified in place.
    """
    n = len(cut) - 1
    size = len(policy)
    worth = np.empty(size)
    most = 0
    for p in range(n):
        most = max(most, cut[p + 1] - cut[p])
    matrix, row = np.empty((most, most)), np.empty(most)
    rows = np.empty((n, most, most))
    for t in range(first + 1, first + count + 1):
        base = 0
        for p in range(n):
            width = cut[p + 1] - cut[p]
            for a in range(width):
                total = 0.0
                for b in range(width):
                    k = base + a * width + b
                    row[b] = max(regret[k] + ahead[k], 0.0)
                    total += row[b]
                for b in range(width):
                    rows[p, a, b] = row[b] / total if total > 0.0 else 1.0 / width
                    # A little of everything keeps the chain in one piece.
                    matrix[a, b] = rows[p, a, b] * (1.0 - 1e-12) + 1e-12 / width
            _stationary(matrix, width, policy[cut[p] : cut[p + 1]])
            base += width * width
        worths(pay, cut, policy, -1, worth)
        base = 0
        for p in range(n):
            width = cut[p + 1] - cut[p]
            for a in range(width):
                weight = policy[cut[p] + a]
                mean = 0.0
                for b in range(width):
                    mean += rows[p, a, b] * worth[cut[p] + b]
                for b in range(width):
                    k = base + a * width + b
                    ahead[k] = weight * (worth[cut[p] + b] - mean)
                    regret[k] = max(regret[k] + ahead[k], 0.0)
            base += width * width
        add_joint(cut, policy, float(t), joint)
