"""Learners in Markov games: V-learning and its certificate, independent learners."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly; its
# decorator has no types, and it infers those of the arguments. Loops over plain indices with
# many branches are what it compiles best.
# ruff: noqa: PLR0912, PLR0915, PLR0917
# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False

from __future__ import annotations

import math

import numba
import numpy as np

from solvers.markov._play_kernels import draw, follow

__all__ = ["certify_v", "hedge", "v_learning"]


@numba.njit(cache=True, nogil=True)
def v_learning(
    reward,
    indptr,
    indices,
    probability,
    initial,
    terminal,
    discount,
    counts,
    cut,
    legal,
    low,
    span,
    bonus,
    first,
    count,
    horizon,
    streams,
    value,
    visits,
    score,
    policy,
    states,
    played,
):
    """Play `count` episodes of V-learning; streams and the last six arrays change in place.

    Of the arguments:
        reward: (n, S, J); low, span: rewards are moved to [0, 1] by (r − low) / span.
        cut: where each seat's actions begin in rows of width D, (n + 1,).
        legal: (S, D).
        bonus: c² H³ ι, see the module; the square root of bonus · A / t is added.
        first: episodes done before.
        value: Ṽ, (n, H + 1, S); visits: (H, S); score: Σ w l̂ / w_t, (H, S, D).
        policy: current policies, (H, S, D).
        states: visited states, (K, H), −1 after the end; played: policies then, (K, H, D).
    """
    n, width = len(counts), cut[-1]
    actions = np.empty(n, np.int64)
    chances = np.empty(n)
    left = np.zeros(horizon + 1)
    for h in range(horizon - 1, -1, -1):
        left[h] = 1.0 + discount * left[h + 1]
    # Both rates fall as 1/√t: what else is in them is known beforehand.
    extra, pace = np.empty(n), np.zeros((reward.shape[1], n))
    for i in range(n):
        extra[i] = math.sqrt(bonus * counts[i])
        for s in range(reward.shape[1]):
            size = 0
            for d in range(cut[i], cut[i + 1]):
                if legal[s, d]:
                    size += 1
            pace[s, i] = math.sqrt(horizon * math.log(max(size, 2)) / size)
    for k in range(first, first + count):
        s = draw(streams, initial, 0, len(initial))
        for h in range(horizon):
            states[k, h] = -1
        for h in range(horizon):
            if terminal[s]:
                break
            states[k, h] = s
            own, sums, sees = policy[h, s], score[h, s], legal[s]
            joint = 0
            for d in range(width):
                played[k, h, d] = own[d]
            for i in range(n):
                d = draw(streams, own, cut[i], cut[i + 1])
                actions[i] = d
                chances[i] = own[d]
                joint = joint * counts[i] + d - cut[i]
            row = s * reward.shape[2] + joint
            to = follow(streams, indptr, indices, probability, row)
            visits[h, s] += 1
            t = visits[h, s]
            alpha = (horizon + 1.0) / (horizon + t)
            root = 1.0 / math.sqrt(t)
            # w_{t−1} / w_t, so that sums are kept relative to the last weight.
            fade = 0.0
            if t > 1:
                fade = (horizon + 1.0) / (horizon + t - 1.0) * (1.0 - alpha) / alpha
            goes_on = h + 1 < horizon and not terminal[to]
            for d in range(width):
                sums[d] *= fade
            for i in range(n):
                ahead = 0.0
                if goes_on:
                    ahead = min(discount * value[i, h + 1, to], max(left[h] - 1.0, 0.0))
                gain = (reward[i, s, joint] - low) / span + ahead
                value[i, h, s] += alpha * (gain + extra[i] * root - value[i, h, s])
                rate = pace[s, i] * root
                sums[actions[i]] += (left[h] - gain) / left[h] / (chances[i] + rate)
                least = np.inf
                for d in range(cut[i], cut[i + 1]):
                    if sees[d]:
                        least = min(least, sums[d])
                total = 0.0
                for d in range(cut[i], cut[i + 1]):
                    if sees[d]:
                        own[d] = math.exp(rate * (least - sums[d]))
                        total += own[d]
                total = 1.0 / total
                for d in range(cut[i], cut[i + 1]):
                    own[d] *= total
            s = to


@numba.njit(cache=True, nogil=True)
def certify_v(
    reward,
    indptr,
    indices,
    probability,
    initial,
    terminal,
    discount,
    counts,
    cut,
    strides,
    legal,
    horizon,
    states,
    played,
    best,
    worth,
    out,
):
    """Fill out (2, n): mean over episodes of the best deviation's value bound, and on policy.

    Of the arguments:
        best: G, (n, H + 1, S, widest), at the start the best reply's q to uniform play.
        worth: W, (n, H + 1, S), at the start the value of uniform play.
        Both are modified in place. Other arguments: see `v_learning`.
    """
    n, episodes, size = len(counts), len(states), reward.shape[1]
    visits = np.zeros((horizon, size), np.int64)
    top = np.zeros((n, horizon + 1, size))
    for i in range(n):
        for h in range(horizon):
            for s in range(size):
                top[i, h, s] = -np.inf
                for a in range(counts[i]):
                    if legal[s, cut[i] + a]:
                        top[i, h, s] = max(top[i, h, s], best[i, h, s, a])
                if terminal[s]:
                    top[i, h, s] = 0.0
    widest = best.shape[3]
    gain = np.empty((n, widest))
    for k in range(episodes):
        for s in range(size):
            if initial[s] > 0.0:
                for i in range(n):
                    out[0, i] += initial[s] * top[i, 0, s] / episodes
                    out[1, i] += initial[s] * worth[i, 0, s] / episodes
        for h in range(horizon):
            s = states[k, h]
            if s < 0:
                break
            visits[h, s] += 1
            alpha = (horizon + 1.0) / (horizon + visits[h, s])
            for i in range(n):
                for a in range(counts[i]):
                    gain[i, a] = 0.0
            on = np.zeros(n)
            for joint in range(reward.shape[2]):
                fits = True
                for i in range(n):
                    if not legal[s, cut[i] + joint // strides[i] % counts[i]]:
                        fits = False
                if not fits:
                    continue
                row = s * reward.shape[2] + joint
                for i in range(n):
                    own = joint // strides[i] % counts[i]
                    others = 1.0
                    for p in range(n):
                        if p != i:
                            others *= played[k, h, cut[p] + joint // strides[p] % counts[p]]
                    if others == 0.0:
                        continue
                    ahead, after = 0.0, 0.0
                    for e in range(indptr[row], indptr[row + 1]):
                        ahead += probability[e] * top[i, h + 1, indices[e]]
                        after += probability[e] * worth[i, h + 1, indices[e]]
                    pay = reward[i, s, joint]
                    gain[i, own] += others * (pay + discount * ahead)
                    on[i] += others * played[k, h, cut[i] + own] * (pay + discount * after)
            for i in range(n):
                worth[i, h, s] = (1.0 - alpha) * worth[i, h, s] + alpha * on[i]
                top[i, h, s] = -np.inf
                for a in range(counts[i]):
                    if legal[s, cut[i] + a]:
                        g = (1.0 - alpha) * best[i, h, s, a] + alpha * gain[i, a]
                        best[i, h, s, a] = g
                        top[i, h, s] = max(top[i, h, s], g)


@numba.njit(cache=True, nogil=True)
def hedge(
    reward,
    indptr,
    indices,
    probability,
    terminal,
    discount,
    counts,
    cut,
    strides,
    legal,
    rates,
    first,
    count,
    score,
    played,
):
    """Run independent Hedge with full information; score and played change in place.

    Everyone sees what each of its actions is worth against the others' current play, then
    and ever after. played (T, H, S, D) gets the policies; score (H, S, D) adds up worths.

    Of the arguments:
        rates: the learning rate of each iteration, (T,).
    """
    n, size, joints = len(counts), reward.shape[1], reward.shape[2]
    horizon = score.shape[0]
    value = np.zeros((n, size))
    after = np.zeros((n, size))
    for t in range(first, first + count):
        for h in range(horizon - 1, -1, -1):
            for s in range(size):
                for i in range(n):
                    most = -np.inf
                    for d in range(cut[i], cut[i + 1]):
                        if legal[s, d]:
                            most = max(most, score[h, s, d])
                    total = 0.0
                    for d in range(cut[i], cut[i + 1]):
                        if legal[s, d]:
                            played[t, h, s, d] = math.exp(rates[t] * (score[h, s, d] - most))
                            total += played[t, h, s, d]
                    for d in range(cut[i], cut[i + 1]):
                        played[t, h, s, d] /= total
                    value[i, s] = 0.0
            for s in range(size):
                if terminal[s]:
                    continue
                for joint in range(joints):
                    fits = True
                    for i in range(n):
                        if not legal[s, cut[i] + joint // strides[i] % counts[i]]:
                            fits = False
                    if not fits:
                        continue
                    row = s * joints + joint
                    for i in range(n):
                        own = cut[i] + joint // strides[i] % counts[i]
                        others = 1.0
                        for p in range(n):
                            if p != i:
                                others *= played[t, h, s, cut[p] + joint // strides[p] % counts[p]]
                        q = reward[i, s, joint]
                        if h + 1 < horizon:
                            for e in range(indptr[row], indptr[row + 1]):
                                q += discount * probability[e] * after[i, indices[e]]
                        value[i, s] += others * played[t, h, s, own] * q
                        # What was played in this iteration is stored already: adding to the
                        # score now changes the next one only.
                        score[h, s, own] += others * q
            for i in range(n):
                for s in range(size):
                    after[i, s] = value[i, s]
