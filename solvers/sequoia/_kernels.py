"""Kernels of bounds and of branch and bound over actions.

Axes: N actions, T neurons, m rows. `fixed` holds −1 (free), 0 or 1 for each action. `weight`,
`bias`, `out` and `starts` are those of an `ActionNet`. Bounds are over all actions that agree
with `fixed` and switch on at least `least` and at most `most` of the free ones.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["bounds_of", "linear_bound", "output_bound", "propagate", "search", "value_of"]

_TOLERANCE = 1e-7

_MOST_LEAVES = 400
"""Completions up to which a node is enumerated: about as much work as bounding its children."""


@njit(cache=True)
def linear_bound(coefficients, fixed, least, most, best):
    """Return the greatest Σ coefficients · a; `best`, shape (N,), is scratch."""
    total = 0.0
    held = 0
    for k in range(len(fixed)):
        value = coefficients[k]
        if fixed[k] == 1:
            total += value
        elif fixed[k] < 0 and most > 0 and (value > 0.0 or least > 0):
            if held < most:
                place = held
                held += 1
            elif value > best[held - 1]:
                place = held - 1
            else:
                continue
            while place > 0 and best[place - 1] < value:
                best[place] = best[place - 1]
                place -= 1
            best[place] = value
    for k in range(held):
        if k < least or best[k] > 0.0:
            total += best[k]
    return total


@njit(cache=True)
def _descend(starts, weight, bias, lower, upper, above, coefficients, sign):
    """Replace neurons below `above` by lines over them, from the last layer to the first.

    Modified in place: `coefficients`, shape (N + T,), those of neurons become zero. With
    `sign` 1 the result is an upper bound of the linear form, with −1 a lower bound.
    Returns the constant that is to be added.
    """
    n = weight.shape[1] - len(bias)
    constant = 0.0
    for layer in range(above - 1, -1, -1):
        first = starts[layer]
        for j in range(first, starts[layer + 1]):
            c = coefficients[n + j]
            if c == 0.0:
                continue
            coefficients[n + j] = 0.0
            low, high = lower[j], upper[j]
            if high <= 0.0:
                continue
            slope, shift = 1.0, 0.0
            if low < 0.0:
                if c * sign > 0.0:
                    slope = high / (high - low)
                    shift = -slope * low
                elif high < -low:
                    continue
            factor = c * slope
            constant += c * shift + factor * bias[j]
            if layer == 0:
                for k in range(n):
                    coefficients[k] += factor * weight[j, k]
            else:
                for k in range(n + first):
                    coefficients[k] += factor * weight[j, k]
    return constant


@njit(cache=True)
def bounds_of(starts, weight, bias, fixed, least, most, lower, upper, coefficients, best):
    """Tighten bounds of all pre-activations; `lower` and `upper`, shape (T,), are modified.

    First-layer bounds are exact for the number of actions. Neurons that are stable already
    are left alone. Returns False if a bound shows that there is no action.
    """
    n = weight.shape[1] - len(bias)
    for layer in range(len(starts) - 1):
        first = starts[layer]
        for j in range(first, starts[layer + 1]):
            if lower[j] >= 0.0 or upper[j] <= 0.0:
                continue
            for sign in (1.0, -1.0):
                for k in range(n + first):
                    coefficients[k] = sign * weight[j, k]
                constant = 0.0
                if layer > 0:
                    # Negated, so that both bounds are greatest values.
                    constant = _descend(
                        starts, weight, bias, lower, upper, layer, coefficients, 1.0
                    )
                reach = sign * bias[j] + constant + linear_bound(
                    coefficients, fixed, least, most, best
                )
                if sign > 0.0:
                    upper[j] = min(upper[j], reach)
                else:
                    lower[j] = max(lower[j], -reach)
            if lower[j] > upper[j]:
                if lower[j] > upper[j] + 1e-6 * (1.0 + abs(lower[j])):
                    return False
                lower[j] = upper[j] = 0.5 * (lower[j] + upper[j])
    return True


@njit(cache=True)
def output_bound(
    starts, weight, bias, out, constant, fixed, least, most, lower, upper, coefficients, best
):
    """Return an upper bound of Q; `coefficients[:N]` becomes the linear form behind it."""
    coefficients[:] = out
    shift = _descend(
        starts, weight, bias, lower, upper, len(starts) - 1, coefficients, 1.0
    )
    return constant + shift + linear_bound(coefficients, fixed, least, most, best)


@njit(cache=True)
def value_of(starts, weight, bias, out, constant, action, neurons):
    """Return Q of an action; `neurons`, shape (T,), is scratch."""
    n = weight.shape[1] - len(bias)
    for layer in range(len(starts) - 1):
        first = starts[layer]
        for j in range(first, starts[layer + 1]):
            z = bias[j]
            for k in range(n):
                if action[k] == 1:
                    z += weight[j, k]
            for k in range(first):
                z += weight[j, n + k] * neurons[k]
            neurons[j] = max(z, 0.0)
    total = constant
    for k in range(n):
        if action[k] == 1:
            total += out[k]
    for j in range(len(bias)):
        total += out[n + j] * neurons[j]
    return total


@njit(cache=True)
def _forward(starts, weight, out, neurons, total):
    """Return Q from pre-activations by actions alone, which become the neurons' values."""
    n = weight.shape[1] - len(neurons)
    for layer in range(len(starts) - 1):
        first = starts[layer]
        for j in range(first, starts[layer + 1]):
            z = neurons[j]
            for k in range(first):
                z += weight[j, n + k] * neurons[k]
            neurons[j] = z if z > 0.0 else 0.0
            total += out[n + j] * neurons[j]
    return total


@njit(cache=True)
def _holds(rows, low, high, count, action):
    for i in range(count):
        total = 0.0
        for k in range(len(action)):
            if action[k] == 1:
                total += rows[i, k]
        if total > high[i] + _TOLERANCE or total < low[i] - _TOLERANCE:
            return False
    return True


@njit(cache=True)
def _completions(free, most):
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
    net, columns, rows, low, high, count, own, least, most, incumbent, value, action, neurons, sums
):
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
            found = _forward(starts, weight, out, neurons, sums[depth, t])
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
def propagate(rows, low, high, count, fixed):
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
def _completed(rows, low, high, count, fixed, least, most, coefficients, action):
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
                if action[k] < 0:
                    action[k] = 0
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
def _push(heap, size, bounds, node):
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
def _pop(heap, size, bounds):
    top = heap[0]
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
    net, columns, rows, low, high, count, limits, gaps, lazy, tree, marks, incumbent, value, work
):
    """Best-first branch and bound over actions, from where `tree` and `marks` stand.

    Args:
        net: starts, weight, bias, out, constant.
        columns: for each action what it adds to pre-activations and to Q, shape (N, T + 1).
        rows, low, high, count: rows that an action has to satisfy; the first `count` hold.
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
                    if fixed[child, k] < 0:
                        fixed[child, k] = 0
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
