"""Kernels of bounds by linear relaxation.

Axes: N actions, T neurons. `fixed` holds −1 (free), 0 or 1 for each action. `weight`, `bias`,
`out` and `starts` are those of an `ActionNet`. Bounds are over all actions that agree with
`fixed` and switch on at least `least` and at most `most` of the free ones.
"""

# Compiled functions take flat arrays by position; numba's decorator has no types.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["bounds_of", "forward", "linear_bound", "output_bound", "value_of"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]
Bits = NDArray[np.int8]


@njit(cache=True)
def linear_bound(
    coefficients: Reals,
    fixed: Bits,
    least: int,
    most: int,
    best: Reals,
) -> float:
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
def _descend(
    starts: Ints,
    weight: Reals,
    bias: Reals,
    lower: Reals,
    upper: Reals,
    above: int,
    coefficients: Reals,
) -> float:
    """Replace neurons below `above` by lines over them, from the last layer to the first.

    Modified in place: `coefficients`, shape (N + T,), those of neurons become zero. The
    result is an upper bound of the linear form. Returns the constant that is to be added.
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
                if c > 0.0:
                    slope = high / (high - low)
                    shift = -slope * low
                elif high < -low:
                    continue
            factor = c * slope
            constant += c * shift + factor * bias[j]
            for k in range(n + first):
                coefficients[k] += factor * weight[j, k]
    return constant


@njit(cache=True)
def bounds_of(
    starts: Ints,
    weight: Reals,
    bias: Reals,
    fixed: Bits,
    least: int,
    most: int,
    lower: Reals,
    upper: Reals,
    coefficients: Reals,
    best: Reals,
) -> bool:
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
                    constant = _descend(starts, weight, bias, lower, upper, layer, coefficients)
                reach = (
                    sign * bias[j] + constant + linear_bound(coefficients, fixed, least, most, best)
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
    starts: Ints,
    weight: Reals,
    bias: Reals,
    out: Reals,
    constant: float,
    fixed: Bits,
    least: int,
    most: int,
    lower: Reals,
    upper: Reals,
    coefficients: Reals,
    best: Reals,
) -> float:
    """Return an upper bound of Q; `coefficients[:N]` becomes the linear form behind it."""
    coefficients[:] = out
    shift = _descend(starts, weight, bias, lower, upper, len(starts) - 1, coefficients)
    reach: float = constant + shift + linear_bound(coefficients, fixed, least, most, best)
    return reach


@njit(cache=True)
def forward(
    starts: Ints,
    weight: Reals,
    out: Reals,
    neurons: Reals,
    total: float,
) -> float:
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
def value_of(
    starts: Ints,
    weight: Reals,
    bias: Reals,
    out: Reals,
    constant: float,
    action: Any,
    neurons: Reals,
) -> float:
    """Return Q of an action; `neurons`, shape (T,), is scratch."""
    n = weight.shape[1] - len(bias)
    for j in range(len(bias)):
        z = bias[j]
        for k in range(n):
            if action[k] == 1:
                z += weight[j, k]
        neurons[j] = z
    total = constant
    for k in range(n):
        if action[k] == 1:
            total += out[k]
    value: float = forward(starts, weight, out, neurons, total)
    return value
