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
def best_many(
    last: Any,
    reach: Any,
    payoffs: Any,
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
    """Any number of players and any payoffs: as `best_two`, from the terminals one by one."""
    n = len(last)
    for p in range(n):
        plan[seat_sequence[p]] = 1.0
    _realize(info_first, info_actions, info_parent, policy, plan)
    worth[:] = 0.0
    for z in range(_U(len(reach))):
        for p in range(_U(n)):
            others = reach[z]
            for q in range(_U(n)):
                if q != p:
                    others *= plan[_U(last[q, z])]
            worth[_U(last[p, z])] += others * payoffs[p, z]
    best[:] = worth
    for p in range(n):
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
