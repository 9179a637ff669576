"""The sweeps that all tree solvers share, over the arrays of a `Tree`.

Everything is indexed by sequence (Q,), through all seats: behaviour policies, realization
plans, gradients, regrets. One iteration of any regret minimiser is, for each seat:

(1) gradient: the worth of each of its sequences against the others' plans and chance;
(2) up: counterfactual values from its last infosets to its first, regrets on the way;
(3) down: its new policy's realization plan.

Indices are cast to unsigned integers, which spares the test for negative ones and makes
these loops two to three times as fast.

Letters in shapes: I infosets, Q sequences, Z terminals, n seats, T iterations of a block.
"""

# Compiled functions take flat arrays by position, because numba passes keywords slowly, and
# numba's decorator has no types.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_U = np.uint64

__all__ = [
    "average_policy",
    "cfr_many",
    "cfr_two",
    "fictitious_many",
    "mmd_two",
    "realize",
]


@njit(cache=True)
def realize(
    low: int,
    high: int,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    policy: Any,
    plan: Any,
) -> None:
    """Step (3): fill the plan of the infosets low … high - 1 in place."""
    for i in range(_U(low), _U(high)):
        reach = plan[_U(info_parent[i])]
        for s in range(_U(info_first[i]), _U(info_first[i] + info_actions[i])):
            plan[s] = reach * policy[s]


@njit(cache=True)
def average_policy(info_first: Any, info_actions: Any, total: Any, out: Any) -> None:
    """Fill the average policy, (Q,), in place; where nothing was reached, it is uniform."""
    out[:] = 1.0
    for i in range(len(info_first)):
        mass = 0.0
        for s in range(info_first[i], info_first[i] + info_actions[i]):
            mass += total[s]
        for s in range(info_first[i], info_first[i] + info_actions[i]):
            out[s] = total[s] / mass if mass > 0.0 else 1.0 / info_actions[i]


@njit(cache=True)
def _gradient_two(low: int, high: int, ptr: Any, col: Any, val: Any, plan: Any, grad: Any) -> None:
    """Step (1) for two players: rows low … high - 1 of the sequence form times the plan."""
    k = _U(ptr[low])
    for r in range(_U(low), _U(high)):
        total = 0.0
        end = _U(ptr[r + _U(1)])
        while k < end:
            total += val[k] * plan[col[k]]
            k += _U(1)
        grad[r] = total


@njit(cache=True)
def _gradient_many(
    p: int, low: int, high: int, last: Any, weighted: Any, plan: Any, grad: Any
) -> None:
    """Step (1) for n players: each terminal pays into seat p's sequence that ends there."""
    grad[low:high] = 0.0
    own = _U(p)
    for z in range(_U(last.shape[1])):
        worth = weighted[own, z]
        for q in range(_U(len(last))):
            if q != own:
                worth *= plan[_U(last[q, z])]
        grad[_U(last[own, z])] += worth


@njit(cache=True)
def _regrets(
    low: int,
    high: int,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    grad: Any,
    regret: Any,
    policy: Any,
    positive: float,
    negative: float,
    ahead: float,
    floor: bool,
    predictive: bool,
) -> None:
    """Step (2): update regrets and the policy of the infosets low … high - 1 in place.

    R ← d(R) + r, with d the discount of positive and negative parts, then [·]⁺ if `floor`;
    the policy is proportional to [R]⁺, or to [ahead · R + r]⁺ if `predictive`.
    """
    for down in range(1, high - low + 1):
        i = _U(high - down)
        first = _U(info_first[i])
        after = _U(info_first[i] + info_actions[i])
        value = 0.0
        for s in range(first, after):
            value += policy[s] * grad[s]
        grad[_U(info_parent[i])] += value
        mass = 0.0
        for s in range(first, after):
            gain = grad[s] - value
            old = regret[s]
            new = old * (positive if old > 0.0 else negative) + gain
            if floor and new < 0.0:
                new = 0.0
            regret[s] = new
            if predictive:
                new = ahead * new + gain
            new = max(new, 0.0)
            policy[s] = new
            mass += new
        if mass > 0.0:
            scale = 1.0 / mass
            for s in range(first, after):
                policy[s] *= scale
        else:
            for s in range(first, after):
                policy[s] = 1.0 / info_actions[i]


@njit(cache=True)
def _accumulate(low: int, high: int, plan: Any, total: Any, keep: float, add: float) -> None:
    for s in range(_U(low), _U(high)):
        total[s] = keep * total[s] + add * plan[s]


@njit(cache=True)
def cfr_two(
    ptr: Any,
    col: Any,
    val: Any,
    seat_infoset: Any,
    seat_sequence: Any,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    rates: Any,
    floor: bool,
    predictive: bool,
    alternating: bool,
    grad: Any,
    regret: Any,
    policy: Any,
    plan: Any,
    total: Any,
) -> None:
    """Run len(rates) iterations for two players; grad … total, (Q,), modified in place.

    `rates` holds per iteration (positive, negative, ahead, keep, add), shape (T, 5):
    discounts of the regrets before an update, of the prediction, and the averaging
    total ← keep · total + add · plan.
    """
    for t in range(len(rates)):
        if not alternating:
            _gradient_two(0, len(grad), ptr, col, val, plan, grad)
        for p in range(2):
            a, b = seat_sequence[p], seat_sequence[p + 1]
            low, high = seat_infoset[p], seat_infoset[p + 1]
            if alternating:
                _gradient_two(a, b, ptr, col, val, plan, grad)
            _accumulate(a, b, plan, total, rates[t, 3], rates[t, 4])
            _regrets(
                low,
                high,
                info_first,
                info_actions,
                info_parent,
                grad,
                regret,
                policy,
                rates[t, 0],
                rates[t, 1],
                rates[t, 2],
                floor,
                predictive,
            )
            realize(low, high, info_first, info_actions, info_parent, policy, plan)


@njit(cache=True)
def cfr_many(
    last: Any,
    weighted: Any,
    seat_infoset: Any,
    seat_sequence: Any,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    rates: Any,
    floor: bool,
    predictive: bool,
    alternating: bool,
    grad: Any,
    regret: Any,
    policy: Any,
    plan: Any,
    total: Any,
) -> None:
    """Run len(rates) iterations for n players; as `cfr_two`, from the terminals.

    `last` is the last sequence of each seat at each terminal, and `weighted` the payoffs
    times chance reach, both of shape (n, Z).
    """
    n = len(last)
    for t in range(len(rates)):
        if not alternating:
            for p in range(n):
                _gradient_many(
                    p, seat_sequence[p], seat_sequence[p + 1], last, weighted, plan, grad
                )
        for p in range(n):
            a, b = seat_sequence[p], seat_sequence[p + 1]
            low, high = seat_infoset[p], seat_infoset[p + 1]
            if alternating:
                _gradient_many(p, a, b, last, weighted, plan, grad)
            _accumulate(a, b, plan, total, rates[t, 3], rates[t, 4])
            _regrets(
                low,
                high,
                info_first,
                info_actions,
                info_parent,
                grad,
                regret,
                policy,
                rates[t, 0],
                rates[t, 1],
                rates[t, 2],
                floor,
                predictive,
            )
            realize(low, high, info_first, info_actions, info_parent, policy, plan)


@njit(cache=True)
def mmd_two(
    ptr: Any,
    col: Any,
    val: Any,
    seat_infoset: Any,
    seat_sequence: Any,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    iterations: int,
    eta: float,
    alpha: float,
    alternating: bool,
    log_magnet: Any,
    log_policy: Any,
    policy: Any,
    plan: Any,
    total: Any,
    grad: Any,
    carry: Any,
) -> None:
    """Run magnetic mirror descent; log_policy … carry, (Q,), modified in place.

    h = (η·grad + log b + ηα·log magnet)/(1 + ηα) + Σ over child infosets of log Σ exp h,
    and the new b is softmax(h) at each infoset.
    """
    shrink = 1.0 / (1.0 + eta * alpha)
    for _ in range(iterations):
        if not alternating:
            _gradient_two(0, len(grad), ptr, col, val, plan, grad)
        for p in range(2):
            a, b = seat_sequence[p], seat_sequence[p + 1]
            if alternating:
                _gradient_two(a, b, ptr, col, val, plan, grad)
            for s in range(_U(a), _U(b)):
                carry[s] = (eta * grad[s] + log_policy[s] + eta * alpha * log_magnet[s]) * shrink
            for down in range(1, seat_infoset[p + 1] - seat_infoset[p] + 1):
                i = _U(seat_infoset[p + 1] - down)
                first = _U(info_first[i])
                after = _U(info_first[i] + info_actions[i])
                top = carry[first]
                for s in range(first, after):
                    top = max(top, carry[s])
                mass = 0.0
                for s in range(first, after):
                    policy[s] = np.exp(carry[s] - top)
                    mass += policy[s]
                level = top + np.log(mass)
                for s in range(first, after):
                    policy[s] /= mass
                    log_policy[s] = carry[s] - level
                carry[_U(info_parent[i])] += level
            realize(
                seat_infoset[p],
                seat_infoset[p + 1],
                info_first,
                info_actions,
                info_parent,
                policy,
                plan,
            )
            _accumulate(a, b, plan, total, 1.0, 1.0)


@njit(cache=True)
def fictitious_many(
    last: Any,
    weighted: Any,
    seat_infoset: Any,
    seat_sequence: Any,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    start: int,
    iterations: int,
    grad: Any,
    plan: Any,
    response: Any,
    choice: Any,
) -> None:
    """Run fictitious play on realization plans; grad, plan, response, choice in place.

    Each seat's plan moves to its best response by 1/(t + 1), all seats at once.
    """
    n = len(last)
    for t in range(start, start + iterations):
        for p in range(n):
            _gradient_many(p, seat_sequence[p], seat_sequence[p + 1], last, weighted, plan, grad)
        response[:] = 0.0
        for p in range(n):
            low, high = seat_infoset[p], seat_infoset[p + 1]
            for i in range(high - 1, low - 1, -1):
                best = info_first[i]
                for s in range(best + 1, info_first[i] + info_actions[i]):
                    if grad[s] > grad[best]:
                        best = s
                choice[i] = best
                grad[info_parent[i]] += grad[best]
            response[seat_sequence[p]] = 1.0
            for i in range(low, high):
                response[choice[i]] = response[info_parent[i]]
        step = 1.0 / (t + 1)
        for s in range(len(plan)):
            plan[s] += step * (response[s] - plan[s])
