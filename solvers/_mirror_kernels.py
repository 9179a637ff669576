"""The loop of the mirror family, in logarithms. Seats lie side by side in arrays (D,)."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly; its
# decorator has no types, and it infers those of the arguments. Loops over plain indices with
# many branches are what it compiles best.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False

from __future__ import annotations

import math

import numba
import numpy as np

__all__ = ["mirror"]

NONE, EXTRAGRADIENT, OPTIMISTIC, MIXTURE = 0, 1, 2, 3
IMPLICIT, LINEARISED = 0, 1


@numba.njit(cache=True)
def _gradient(a, bt, policy, out):
    """Fill out (D,) in place: a (m, n) @ seat 1, bt (n, m) @ seat 0; one seat if bt is empty."""
    m, n = a.shape
    if bt.shape[0] == 0:
        for i in range(m):
            total = 0.0
            for j in range(n):
                total += a[i, j] * policy[j]
            out[i] = total
        return
    for i in range(m):
        total = 0.0
        for j in range(n):
            total += a[i, j] * policy[m + j]
        out[i] = total
    for j in range(n):
        total = 0.0
        for i in range(m):
            total += bt[j, i] * policy[i]
        out[m + j] = total


@numba.njit(cache=True)
def _prox(logs, magnet, gradient, cut, eta, beta, prox, out, policy):
    """Fill out and policy (D,) in place with the step from `logs` along `gradient`."""
    for p in range(len(cut) - 1):
        low, high = cut[p], cut[p + 1]
        top = -np.inf
        for d in range(low, high):
            if prox == IMPLICIT:
                value = (logs[d] + eta * (beta * magnet[d] + gradient[d])) / (1.0 + eta * beta)
            else:
                value = (1.0 - eta * beta) * logs[d] + eta * (beta * magnet[d] + gradient[d])
            out[d] = value
            top = max(top, value)
        total = 0.0
        for d in range(low, high):
            policy[d] = math.exp(out[d] - top)
            total += policy[d]
        shift = top + math.log(total)
        for d in range(low, high):
            out[d] -= shift
            policy[d] /= total


@numba.njit(cache=True)
def mirror(
    a,
    bt,
    cut,
    eta,
    decreasing,
    beta,
    lookahead,
    prox,
    refresh,
    first,
    count,
    logs,
    magnet,
    guess,
    policy,
    total,
):
    """Run `count` iterations; modifies the last five arrays, (D,) each, in place.

    Args:
        a: payoffs, see `_gradient`.
        bt: the same of seat 1, or empty.
        cut: where each seat begins, and the end.
        eta: the step.
        decreasing: the step is 2/(β(t + 2)) in iteration t = 0, 1, … instead.
        beta: the pull of the magnet.
        lookahead: where gradients are looked up.
        prox: IMPLICIT or LINEARISED.
        refresh: the magnet moves to the policy after every so many iterations; 0: never.
        first: iterations done before.
        count: iterations to do.
        logs: ln π.
        magnet: ln ρ.
        guess: the last gradient that was stepped along, for OPTIMISTIC.
        policy: π.
        total: the sum of all π so far.
    """
    size = len(logs)
    gradient, half, middle = np.empty(size), np.empty(size), np.empty(size)
    zero = np.zeros(size)
    for t in range(first, first + count):
        step = 2.0 / (beta * (t + 2.0)) if decreasing else eta
        if lookahead == NONE:
            _gradient(a, bt, policy, gradient)
        elif lookahead == EXTRAGRADIENT:
            _gradient(a, bt, policy, gradient)
            _prox(logs, magnet, gradient, cut, step, beta, prox, half, middle)
            _gradient(a, bt, middle, gradient)
        elif lookahead == OPTIMISTIC:
            _prox(logs, magnet, guess, cut, step, beta, prox, half, middle)
            _gradient(a, bt, middle, gradient)
            for d in range(size):
                guess[d] = gradient[d]
        else:
            # Nobody answers yet: half a step with the magnet alone.
            _prox(logs, magnet, zero, cut, step, beta, prox, half, middle)
            _gradient(a, bt, middle, gradient)
        for d in range(size):
            half[d] = logs[d]
        _prox(half, magnet, gradient, cut, step, beta, prox, logs, policy)
        for d in range(size):
            total[d] += policy[d]
        if refresh > 0 and (t + 1) % refresh == 0:
            for d in range(size):
                magnet[d] = logs[d]
