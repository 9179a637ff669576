"""Best responses over the arrays of a `Tree`; shares nothing with the solvers' kernels.

Axis letters as in `games.tree.data`: I infosets, Q sequences, Z terminals, n seats.
"""

# Compiled functions take flat arrays by position, because numba passes keywords slowly, and
# numba's decorator has no types.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_U = np.uint64  # unsigned indices spare the test for negative ones

__all__ = ["action_worth", "best_many", "best_two", "expected", "soft_two"]


@njit(cache=True)
def _realize(info_first: Any, info_actions: Any, info_parent: Any, policy: Any, plan: Any) -> None:
    """Fill the realization plan of every sequence, (Q,), in place (1 at empty ones is kept)."""
    for i in range(_U(len(info_first))):
        reach = plan[_U(info_parent[i])]
        for s in range(_U(info_first[i]), _U(info_first[i] + info_actions[i])):
            plan[s] = reach * policy[s]


@njit(cache=True)
def _climb(
    low: int,
    high: int,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    policy: Any,
    worth: Any,
    best: Any,
    choice: Any,
) -> None:
    """Carry values up one seat's infosets: `worth` under `policy`, `best` under the maximum."""
    for down in range(1, high - low + 1):
        i = _U(high - down)
        first: Any = _U(info_first[i])
        top, arg, mean = best[first], first, 0.0
        for s in range(first, _U(info_first[i] + info_actions[i])):
            mean += policy[s] * worth[s]
            if best[s] > top:
                top, arg = best[s], s
        choice[i] = arg
        worth[_U(info_parent[i])] += mean
        best[_U(info_parent[i])] += top


@njit(cache=True)
def best_two(
    ptr: Any,
    col: Any,
    val: Any,
    seat_infoset: Any,
    seat_sequence: Any,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    policy: Any,
    plan: Any,
    worth: Any,
    best: Any,
    choice: Any,
    out: Any,
) -> None:
    """Two players, zero-sum: fill out[p] = (value of `policy`, value of best response) in place."""
    plan[seat_sequence[0]] = 1.0
    plan[seat_sequence[1]] = 1.0
    _realize(info_first, info_actions, info_parent, policy, plan)
    k = _U(0)
    for r in range(_U(len(ptr) - 1)):
        total = 0.0
        end = _U(ptr[r + _U(1)])
        while k < end:
            total += val[k] * plan[col[k]]
            k += _U(1)
        worth[r] = total
        best[r] = total
    for p in range(2):
        _climb(
            seat_infoset[p],
            seat_infoset[p + 1],
            info_first,
            info_actions,
            info_parent,
            policy,
            worth,
            best,
            choice,
        )
        out[p, 0] = worth[seat_sequence[p]]
        out[p, 1] = best[seat_sequence[p]]


@njit(cache=True)
def _products(width: int, low: int, high: int, tuples: Any, plan: Any, product: Any) -> None:
    """Fill the product of the plans of each tuple low … high - 1 in place."""
    if width == 1:
        for k in range(_U(low), _U(high)):
            product[k] = plan[tuples[0, k]]
        return
    for k in range(_U(low), _U(high)):
        reach = 1.0
        for p in range(_U(width)):
            reach *= plan[tuples[p, k]]
        product[k] = reach


@njit(cache=True)
def _group(
    width: int,
    low: int,
    high: int,
    tuples: Any,
    ptr: Any,
    col: Any,
    val: Any,
    plan: Any,
    product: Any,
    worth: Any,
) -> None:
    """Add what the tuples low … high - 1 are worth to the sequences in them, in place."""
    e = _U(ptr[low])
    for k in range(_U(low), _U(high)):
        end = _U(ptr[k + _U(1)])
        if width == 1:
            total = 0.0
            while e < end:
                total += val[0, e] * product[col[e]]
                e += _U(1)
            worth[tuples[0, k]] += total
        elif width == 2:
            one, two = 0.0, 0.0
            while e < end:
                reach = product[col[e]]
                one += val[0, e] * reach
                two += val[1, e] * reach
                e += _U(1)
            s, t = tuples[0, k], tuples[1, k]
            worth[s] += one * plan[t]
            worth[t] += two * plan[s]
        else:
            start = e
            for p in range(_U(width)):
                total = 0.0
                e = start
                while e < end:
                    total += val[p, e] * product[col[e]]
                    e += _U(1)
                for q in range(_U(width)):
                    if q != p:
                        total *= plan[tuples[q, k]]
                worth[tuples[p, k]] += total


@njit(cache=True)
def best_many(
    half: int,
    split: int,
    tuples: Any,
    ptr: Any,
    col: Any,
    val: Any,
    seats: Any,
    infosets: Any,
    policy: Any,
    product: Any,
    work: Any,
    choice: Any,
    out: Any,
) -> None:
    """Any number of players and any payoffs: as `best_two`, from a `GroupForm`.

    The first `split` tuples are those of the first `half` seats. `seats` holds the first
    infoset and sequence of each seat, (2, n + 1); `infosets` first sequence, number of
    actions and parent, (3, I); `product`, (K,), and `work`, (3, Q), are modified in place.
    """
    n = seats.shape[1] - 1
    plan, worth, best = work[0], work[1], work[2]
    for p in range(n):
        plan[seats[1, p]] = 1.0
    _realize(infosets[0], infosets[1], infosets[2], policy, plan)
    worth[:] = 0.0
    _products(half, 0, split, tuples, plan, product)
    _products(n - half, split, len(product), tuples, plan, product)
    _group(half, 0, split, tuples, ptr, col, val, plan, product, worth)
    _group(n - half, split, len(product), tuples, ptr, col, val, plan, product, worth)
    best[:] = worth
    for p in range(n):
        _climb(
            seats[0, p],
            seats[0, p + 1],
            infosets[0],
            infosets[1],
            infosets[2],
            policy,
            worth,
            best,
            choice,
        )
        out[p, 0] = worth[seats[1, p]]
        out[p, 1] = best[seats[1, p]]


@njit(cache=True)
def expected(
    parent: Any,
    seat: Any,
    infoset: Any,
    first_child: Any,
    chance: Any,
    info_first: Any,
    payoffs: Any,
    policy: Any,
    out: Any,
) -> None:
    """Fill the expected payoffs, (n,), in place, node by node (imperfect recall allowed)."""
    reach = np.empty(len(parent))
    reach[0] = 1.0
    z = 0
    out[:] = 0.0
    for v in range(len(parent)):
        if v > 0:
            u = parent[v]
            step = chance[v]
            if seat[u] >= 0:
                step = policy[info_first[infoset[u]] + v - first_child[u]]
            reach[v] = reach[u] * step
        if seat[v] == -2:
            for p in range(len(out)):
                out[p] += reach[v] * payoffs[p, z]
            z += 1


@njit(cache=True)
def action_worth(
    parent: Any,
    seat: Any,
    infoset: Any,
    first_child: Any,
    chance: Any,
    info_first: Any,
    payoffs: Any,
    policy: Any,
    out: Any,
    mass: Any,
) -> None:
    """Fill counterfactual payoffs of actions, (Q,), and reach of infosets, (I,), in place.

    Node by node: `out` sums what each child is worth to the mover, times the probability
    with which chance and the other seats lead to it, and `mass` sums the latter.
    """
    n, n_nodes = len(payoffs), len(parent)
    others = np.ones((n_nodes, n))
    for v in range(1, n_nodes):
        u = parent[v]
        for p in range(n):
            others[v, p] = others[u, p]
            if seat[u] == -1:
                others[v, p] *= chance[v]
            elif seat[u] != p:
                others[v, p] *= policy[info_first[infoset[u]] + v - first_child[u]]
    value = np.zeros((n_nodes, n))
    out[:] = 0.0
    mass[:] = 0.0
    z = payoffs.shape[1]
    for v in range(n_nodes - 1, -1, -1):
        if seat[v] == -2:
            z -= 1
            value[v] = payoffs[:, z]
        if seat[v] >= 0:
            mass[infoset[v]] += others[v, seat[v]]
        if v > 0:
            u = parent[v]
            step = chance[v]
            if seat[u] >= 0:
                s = info_first[infoset[u]] + v - first_child[u]
                step = policy[s]
                out[s] += others[v, seat[u]] * value[v, seat[u]]
            value[u] += step * value[v]


@njit(cache=True)
def soft_two(
    ptr: Any,
    col: Any,
    val: Any,
    seat_infoset: Any,
    seat_sequence: Any,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    policy: Any,
    log_magnet: Any,
    temperature: float,
    out: Any,
) -> None:
    """Fill out[p] = (regularised value of `policy`, of the best soft response) in place.

    The regulariser at each infoset is temperature · Σ b (log b − log magnet), weighted with
    the seat's own reach (dilated entropy).
    """
    plan = np.empty(len(policy))
    plan[seat_sequence[0]] = 1.0
    plan[seat_sequence[1]] = 1.0
    _realize(info_first, info_actions, info_parent, policy, plan)
    worth = np.empty(len(policy))
    for r in range(len(ptr) - 1):
        total = 0.0
        for k in range(ptr[r], ptr[r + 1]):
            total += val[k] * plan[col[k]]
        worth[r] = total
    best = worth.copy()
    for p in range(2):
        for i in range(seat_infoset[p + 1] - 1, seat_infoset[p] - 1, -1):
            first, after = info_first[i], info_first[i] + info_actions[i]
            top = -np.inf
            for s in range(first, after):
                top = max(top, best[s] / temperature + log_magnet[s])
            total, mean = 0.0, 0.0
            for s in range(first, after):
                total += np.exp(best[s] / temperature + log_magnet[s] - top)
                if policy[s] > 0.0:
                    cost = temperature * (np.log(policy[s]) - log_magnet[s])
                    mean += policy[s] * (worth[s] - cost)
            best[info_parent[i]] += temperature * (top + np.log(total))
            worth[info_parent[i]] += mean
        out[p, 0] = worth[seat_sequence[p]]
        out[p, 1] = best[seat_sequence[p]]
