"""Episodes that learners play: draws, SPoCMAR's steps, least squares, counted transitions."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly; its
# decorator has no types, and it infers those of the arguments. Loops over plain indices with
# many branches are what it compiles best.
# ruff: noqa: PLR0912, PLR0917
# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False

from __future__ import annotations

import math

import numba
import numpy as np

from games._stream import stream_below, stream_unit

__all__ = ["counted", "cover_step", "draw", "follow", "least_squares", "rare"]


@numba.njit(cache=True, nogil=True)
def draw(streams, weights, low, high):
    """Return an index in low … high − 1 drawn by `weights`; streams modified in place."""
    left = stream_unit(streams, 0)
    found = low
    for i in range(low, high):
        if weights[i] > 0.0:
            found = i
            left -= weights[i]
            if left < 0.0:
                break
    return found


@numba.njit(cache=True, nogil=True)
def follow(streams, indptr, indices, probability, row):
    """Return the state that follows joint action `row` = s·J + a; streams modified in place."""
    return indices[draw(streams, probability, indptr[row], indptr[row + 1])]


@numba.njit(cache=True, nogil=True)
def _reach(streams, indptr, indices, probability, initial, terminal, policy, h):
    """Play policy (H, S, J) up to step h; return the state there, −1 if the episode ended."""
    joints = policy.shape[2]
    s = draw(streams, initial, 0, len(initial))
    for step in range(h):
        if terminal[s]:
            return -1
        joint = draw(streams, policy[step, s], 0, joints)
        s = follow(streams, indptr, indices, probability, s * joints + joint)
    return -1 if terminal[s] else s


@numba.njit(cache=True, nogil=True)
def cover_step(
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
    low,
    span,
    left,
    cover,
    h,
    count,
    after,
    streams,
    score,
    seen,
    joint,
    gained,
):
    """Play `count` episodes of SPoCMAR at step h; streams and the last four arrays change.

    Of the arguments:
        reward: (n, S, J); low, span: rewards are moved to [0, 1] by (r − low) / span.
        cut: where each seat's actions begin in rows of width D, (n + 1,).
        legal: (S, D).
        left: the most that can be gained from step h on.
        cover: policies, (C, H, S, J).
        after: values at the next step, (n, S).
        score: sums of estimated losses, (S, D); seen: visits, (S,).
        joint: sums of joint play, (S, J); gained: sums of returns, (n, S).
    """
    n, joints = len(counts), reward.shape[2]
    row, drawn, rates = np.zeros(cut[-1]), np.empty(n, np.int64), np.empty(n)
    for _ in range(count):
        which = stream_below(streams, 0, len(cover))
        s = _reach(streams, indptr, indices, probability, initial, terminal, cover[which], h)
        if s < 0:
            continue
        seen[s] += 1
        number = 0
        for i in range(n):
            size, least = 0, np.inf
            for d in range(cut[i], cut[i + 1]):
                if legal[s, d]:
                    size += 1
                    least = min(least, score[s, d])
            rates[i] = math.sqrt(math.log(max(size, 2)) / (size * seen[s]))
            total = 0.0
            for d in range(cut[i], cut[i + 1]):
                row[d] = 0.0
                if legal[s, d]:
                    row[d] = math.exp(-rates[i] * (score[s, d] - least))
                    total += row[d]
            for d in range(cut[i], cut[i + 1]):
                row[d] /= total
            drawn[i] = draw(streams, row, cut[i], cut[i + 1])
            number += (drawn[i] - cut[i]) * strides[i]
        to = follow(streams, indptr, indices, probability, s * joints + number)
        for a in range(joints):
            both = 1.0
            for i in range(n):
                both *= row[cut[i] + a // strides[i] % counts[i]]
            joint[s, a] += both
        for i in range(n):
            gain = (reward[i, s, number] - low) / span
            if not terminal[to]:
                gain += discount * after[i, to]
            gained[i, s] += gain
            loss = max(0.0, left - gain) / left
            score[s, drawn[i]] += loss / (row[drawn[i]] + 0.5 * rates[i])


@numba.njit(cache=True, nogil=True)
def rare(indptr, indices, probability, initial, terminal, policy, known, count, streams):
    """Return in how many of `count` episodes policy (H, S, J) meets a state not in known (H, S)."""
    joints, hits = policy.shape[2], 0
    for _ in range(count):
        s = draw(streams, initial, 0, len(initial))
        for h in range(len(policy)):
            if terminal[s]:
                break
            if not known[h, s]:
                hits += 1
                break
            joint = draw(streams, policy[h, s], 0, joints)
            s = follow(streams, indptr, indices, probability, s * joints + joint)
    return hits


@numba.njit(cache=True, nogil=True)
def least_squares(
    reward,
    indptr,
    indices,
    probability,
    initial,
    terminal,
    low,
    span,
    policy,
    phi,
    limit,
    count,
    streams,
    gram,
    inverse,
    grown,
    led,
    paid,
):
    """Play policy (H, S, J) until ln det Λ_h has grown by more than `limit` for some h.

    Returns how many episodes were played, at most `count`. Streams and the last five arrays
    change in place.

    Of the arguments:
        phi: features, (S, J, D).
        gram: Λ, (H, D, D); inverse: Λ⁻¹; grown: growth of ln det Λ_h, (H,).
        led: Σ φ by next state, (H, D, S); paid: Σ φ r by seat, (H, D, n).
    """
    n, joints, depth = reward.shape[0], reward.shape[2], phi.shape[2]
    u = np.empty(depth)
    used, moved = np.empty(depth, np.int64), np.empty(depth, np.int64)
    for k in range(count):
        s = draw(streams, initial, 0, len(initial))
        full = False
        for h in range(len(policy)):
            if terminal[s]:
                break
            joint = draw(streams, policy[h, s], 0, joints)
            to = follow(streams, indptr, indices, probability, s * joints + joint)
            some = 0
            for d in range(depth):
                if phi[s, joint, d] != 0.0:
                    used[some] = d
                    some += 1
            # Sherman and Morrison: with u = Λ⁻¹φ, Λ⁻¹ loses u uᵀ / (1 + φᵀu).
            stretch, turned = 1.0, 0
            for d in range(depth):
                u[d] = 0.0
                for e in range(some):
                    u[d] += inverse[h, d, used[e]] * phi[s, joint, used[e]]
                if u[d] != 0.0:
                    moved[turned] = d
                    turned += 1
                stretch += u[d] * phi[s, joint, d]
            for d in range(turned):
                for e in range(turned):
                    inverse[h, moved[d], moved[e]] -= u[moved[d]] * u[moved[e]] / stretch
            for d in range(some):
                value = phi[s, joint, used[d]]
                for e in range(some):
                    gram[h, used[d], used[e]] += value * phi[s, joint, used[e]]
                led[h, used[d], to] += value
                for i in range(n):
                    paid[h, used[d], i] += value * (reward[i, s, joint] - low) / span
            grown[h] += math.log(stretch)
            full = full or grown[h] > limit
            s = to
        if full:
            return k + 1
    return count


@numba.njit(cache=True, nogil=True)
def counted(
    indptr,
    indices,
    probability,
    initial,
    terminal,
    counts,
    cut,
    policy,
    goal,
    count,
    streams,
    tried,
    led,
):
    """Play product policy (H, S, D) until some joint action has been tried `goal` (S, J) times.

    Returns how many episodes were played, at most `count`; streams, tried (S, J) and led
    (S, J, S) change in place.
    """
    joints = tried.shape[1]
    for k in range(count):
        s = draw(streams, initial, 0, len(initial))
        full = False
        for h in range(len(policy)):
            if terminal[s]:
                break
            joint = 0
            for i in range(len(counts)):
                joint = joint * counts[i] + draw(streams, policy[h, s], cut[i], cut[i + 1]) - cut[i]
            to = follow(streams, indptr, indices, probability, s * joints + joint)
            tried[s, joint] += 1.0
            led[s, joint, to] += 1.0
            full = full or tried[s, joint] >= goal[s, joint]
            s = to
        if full:
            return k + 1
    return count
