"""Kernels of branch and bound over actions; m rows, otherwise as in `_bound_kernels`."""

# Compiled functions take flat arrays by position, and are long so that nothing is allocated;
# numba's decorator has no types.
# ruff: noqa: PLR0912, PLR0915, PLR0917
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.sequoia._bound_kernels import bounds_of, forward, output_bound, value_of

__all__ = ["propagate", "search"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]
Bits = NDArray[np.int8]
Net = tuple[Ints, Reals, Reals, Reals, float]

_TOLERANCE = 1e-7

_MOST_LEAVES = 400
"""Completions up to which a node is enumerated: about as much work as bounding its children."""


@njit(cache=True)
def _holds(
    rows: Reals,
    low: Reals,
    high: Reals,
    count: int,
    action: Any,
) -> bool:
    for i in range(count):
        total = 0.0
        for k in range(len(action)):
            if action[k] == 1:
                total += rows[i, k]
        if total > high[i] + _TOLERANCE or total < low[i] - _TOLERANCE:
            return False
    return True


@njit(cache=True)
def _completions(
    free: int,
    most: int,
) -> int:
    """Return how many ways there are to switch on up to `most` of `free` actions; −1: many."""
    if most > 3:
        return -1
    ways = 1 + free
    if most >= 2:
        ways += free * (free - 1) // 2
    if most >= 3:
        ways += free * (free - 1) * (free - 2) // 6
    return ways if ways <= _MOST_LEAVES else -1


@njit(cache=True)
def _leaves(
    net: Net,
    columns: Reals,
    rows: Reals,
    low: Reals,
    high: Reals,
    count: int,
    own: Bits,
    least: int,
    most: int,
    incumbent: Bits,
    value: Reals,
    action: Any,
    neurons: Reals,
    sums: Reals,
) -> None:
    """Value every completion of `own` with up to three free actions; keep the best feasible.

    `sums`, shape (5, T + 1), and `action`, `neurons` are scratch; `incumbent` and `value` are
    modified.
    """
    starts, weight, bias, out, constant = net
    n, t = len(own), len(bias)
    sums[0, :t] = bias
    sums[0, t] = constant
    on = 0
    for k in range(n):
        action[k] = 1 if own[k] == 1 else 0
        if own[k] == 1:
            sums[0] += columns[k]
    picks = np.full(4, -1, dtype=np.int64)
    depth = 0
    while True:
        if on >= least:
            neurons[:] = sums[depth, :t]
            found = forward(starts, weight, out, neurons, sums[depth, t])
            if found > value[0] and _holds(rows, low, high, count, action):
                value[0] = found
                incumbent[:] = action
        # The next combination in lexical order: deeper if there is room, else further.
        after = picks[depth - 1] if depth > 0 else -1
        if depth < most:
            depth += 1
            picks[depth - 1] = after
        moved = False
        while depth > 0 and not moved:
            k = picks[depth - 1]
            if k >= 0 and action[k] == 1 and own[k] < 0 and (depth < 2 or picks[depth - 2] != k):
                action[k] = 0
                on -= 1
            k += 1
            while k < n and own[k] >= 0:
                k += 1
            if k < n:
                picks[depth - 1] = k
                action[k] = 1
                on += 1
                sums[depth] = sums[depth - 1] + columns[k]
                moved = True
            else:
                depth -= 1
        if not moved:
            return


@njit(cache=True)
def propagate(
    rows: Reals,
    low: Reals,
    high: Reals,
    count: int,
    fixed: Bits,
) -> bool:
    """Fix what the first `count` rows force, in place; return False if a row cannot hold."""
    changed = True
    while changed:
        changed = False
        for i in range(count):
            least = most = 0.0
            for k in range(len(fixed)):
                c = rows[i, k]
                if fixed[k] == 1:
                    least += c
                    most += c
                elif fixed[k] < 0:
                    least += min(c, 0.0)
                    most += max(c, 0.0)
            if least > high[i] + _TOLERANCE or most < low[i] - _TOLERANCE:
                return False
            for k in range(len(fixed)):
                c = rows[i, k]
                if fixed[k] >= 0 or c == 0.0:
                    continue
                size = abs(c)
                if least + size > high[i] + _TOLERANCE:
                    fixed[k] = 0 if c > 0.0 else 1
                    changed = True
                elif most - size < low[i] - _TOLERANCE:
                    fixed[k] = 1 if c > 0.0 else 0
                    changed = True
                if fixed[k] >= 0:
                    value = c if fixed[k] == 1 else 0.0
                    least += value - min(c, 0.0)
                    most += value - max(c, 0.0)
    return True


@njit(cache=True)
def _completed(
    rows: Reals,
    low: Reals,
    high: Reals,
    count: int,
    fixed: Bits,
    least: int,
    most: int,
    coefficients: Reals,
    action: Any,
) -> bool:
    """Fill `action` by the linear form, as the rows allow; return whether all rows hold."""
    action[:] = fixed
    left = most
    need = least
    while True:
        pick = -1
        for k in range(len(action)):
            if action[k] < 0 and (pick < 0 or coefficients[k] > coefficients[pick]):
                pick = k
        if pick < 0:
            break
        if left <= 0 or (coefficients[pick] <= 0.0 and need <= 0):
            for k in range(len(action)):
                action[k] = max(action[k], 0)
            break
        action[pick] = 1
        fits = True
        for i in range(count):
            if rows[i, pick] <= 0.0:
                continue
            total = 0.0
            for k in range(len(action)):
                if action[k] == 1 or (action[k] < 0 and rows[i, k] < 0.0):
                    total += rows[i, k]
            if total > high[i] + _TOLERANCE:
                fits = False
                break
        if fits:
            left -= 1
            need -= 1
        else:
            action[pick] = 0
    for i in range(count):
        total = 0.0
        for k in range(len(action)):
            if action[k] == 1:
                total += rows[i, k]
        if total > high[i] + _TOLERANCE or total < low[i] - _TOLERANCE:
            return False
    return need <= 0


@njit(cache=True)
def _push(
    heap: Ints,
    size: int,
    bounds: Reals,
    node: int,
) -> None:
    place = size
    heap[place] = node
    while place > 0:
        parent = (place - 1) // 2
        if bounds[heap[parent]] >= bounds[node]:
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = node


@njit(cache=True)
def _pop(
    heap: Ints,
    size: int,
    bounds: Reals,
) -> int:
    top: int = heap[0]
    node = heap[size - 1]
    size -= 1
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and bounds[heap[child + 1]] > bounds[heap[child]]:
            child += 1
        if bounds[heap[child]] <= bounds[node]:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = node
    return top


@njit(cache=True)
def search(
    net: Net,
    columns: Reals,
    rows: Reals,
    low: Reals,
    high: Reals,
    count: int,
    limits: Ints,
    gaps: Reals,
    lazy: bool,
    tree: Any,
    marks: Ints,
    incumbent: Bits,
    value: Reals,
    work: Any,
) -> int:
    """Best-first branch and bound over actions, from where `tree` and `marks` stand.

    Args:
        net: starts, weight, bias, out, constant.
        columns: for each action what it adds to pre-activations and to Q, shape (N, T + 1).
        rows: coefficients of rows that an action has to satisfy, shape (m, N).
        low: their lower bounds, shape (m,).
        high: their upper bounds, shape (m,).
        count: how many of them count; the others are room for more.
        limits: least and most actions, and nodes.
        gaps: absolute and relative gap at which to stop.
        lazy: return each better action before it is taken for feasible.
        tree: heap, bounds (M,), fixed (M, N), lower (M, T), upper (M, T); modified in place.
        marks: size of the heap, nodes used, nodes bounded; modified in place.
        incumbent: the best action so far, shape (N,); modified in place.
        value: its value, an upper bound of all actions', and the greatest bound that was
            dropped for being within the gap, shape (3,); modified in place.
        work: coefficients (N + T,), best (N,), action (N,), neurons (T,), sums (5, T + 1).

    Returns:
        0 done, 1 out of nodes, 2 `work` holds a better action that is to be checked.
    """
    starts, weight, bias, out, constant = net
    heap, bounds, fixed, lower, upper = tree
    coefficients, best, action, neurons, sums = work
    n = fixed.shape[1]
    while marks[0] > 0:
        node = heap[0]
        value[1] = max(bounds[node], value[0], value[2])
        if bounds[node] <= value[0] + max(gaps[0], gaps[1] * abs(value[0])):
            return 0
        if marks[1] + 2 > len(bounds) or marks[2] >= limits[2]:
            return 1
        own = fixed[node]
        if not propagate(rows, low, high, count, own):
            _pop(heap, marks[0], bounds)
            marks[0] -= 1
            continue
        on = free = 0
        for k in range(n):
            on += own[k] == 1
            free += own[k] < 0
        least, most = max(0, limits[0] - on), min(limits[1] - on, free)
        if most < 0 or least > free:
            _pop(heap, marks[0], bounds)
            marks[0] -= 1
            continue
        if not lazy and _completions(free, most) > 0:
            _leaves(
                net, columns, rows, low, high, count, own, least, most, incumbent, value,
                action, neurons, sums,
            )  # fmt: skip
            _pop(heap, marks[0], bounds)
            marks[0] -= 1
            continue
        bound = output_bound(
            starts, weight, bias, out, constant, own, least, most, lower[node], upper[node],
            coefficients, best,
        )  # fmt: skip
        if _completed(rows, low, high, count, own, least, most, coefficients, action):
            found = value_of(starts, weight, bias, out, constant, action, neurons)
            # Rounding differs between here and the caller, who may value a lazy answer.
            if found > value[0] + 1e-9 * (1.0 + abs(value[0])):
                if lazy:
                    return 2
                value[0] = found
                incumbent[:] = action
        _pop(heap, marks[0], bounds)
        marks[0] -= 1
        if most == 0 or free == 0:
            continue
        pick = -1
        for k in range(n):
            if own[k] < 0 and (pick < 0 or coefficients[k] > coefficients[pick]):
                pick = k
        for choice in (1, 0):
            child = marks[1]
            fixed[child] = own
            fixed[child, pick] = choice
            if not propagate(rows, low, high, count, fixed[child]):
                continue
            on = free = 0
            for k in range(n):
                on += fixed[child, k] == 1
                free += fixed[child, k] < 0
            least, most = max(0, limits[0] - on), min(limits[1] - on, free)
            if most < 0 or least > free:
                continue
            if most == 0:
                for k in range(n):
                    fixed[child, k] = max(fixed[child, k], 0)
            lower[child] = lower[node]
            upper[child] = upper[node]
            marks[2] += 1
            if not bounds_of(
                starts, weight, bias, fixed[child], least, most, lower[child], upper[child],
                coefficients, best,
            ):  # fmt: skip
                continue
            bound = output_bound(
                starts, weight, bias, out, constant, fixed[child], least, most, lower[child],
                upper[child], coefficients, best,
            )  # fmt: skip
            bounds[child] = min(bound, bounds[node])
            if bounds[child] <= value[0] + max(gaps[0], gaps[1] * abs(value[0])):
                value[2] = max(value[2], bounds[child])
                continue
            marks[1] += 1
            _push(heap, marks[0], bounds, child)
            marks[0] += 1
    value[1] = max(value[0], value[2])
    return 0
