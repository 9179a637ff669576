"""Compiled parts of the monotone mixer: what is between and after its matrix products."""

from __future__ import annotations

import numpy as np
from numba import njit

from solvers.qmix._kernels import quick_tanh

__all__ = ["mix", "mix_back", "rectify", "rectify_back"]


@njit(inline="always", fastmath=True, error_model="numpy")
def _elu(x):  # type: ignore[no-untyped-def]  # compiled
    # e^x − 1 = 2t / (1 − t) with t = tanh(x / 2).
    low = quick_tanh(np.float32(0.5) * min(x, np.float32(0.0)))
    return max(x, np.float32(0.0)) + np.float32(2.0) * low / (np.float32(1.0) - low)


# See `_gru_kernels` for why parts of rows are taken as arrays, and loops fill one each.


@njit(cache=True, fastmath=True, error_model="numpy")
def rectify(first, hyper, embed):  # type: ignore[no-untyped-def]  # compiled
    """Set what is negative to zero, in place, but in the bias.

    Args:
        first: the hypernetworks' hidden layers: inner (K), outer (K), bias (E), value (E);
            shape (P, 2K + 2E).
        hyper: K.
        embed: E.
    """
    zero = np.float32(0.0)
    for k in range(first.shape[0]):
        weights, value = first[k, : 2 * hyper], first[k, 2 * hyper + embed :]
        for j in range(len(weights)):
            weights[j] = max(weights[j], zero)
        for j in range(len(value)):
            value[j] = max(value[j], zero)


@njit(cache=True, fastmath=True, error_model="numpy")
def mix(chosen, first, inner, outer, value, shift, hidden, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    """Compute the team's values; the last two are modified in place.

    Args:
        chosen: q, shape (P, n).
        first: rectified, shape (P, 2K + 2E).
        inner: W_1 before |·|, shape (P, n · E).
        outer: w_2 before |·|, shape (P, E).
        value: weights of v, shape (E,).
        shift: its bias.
        hidden: |W_1| q + b_1, shape (P, E).
        out: shape (P,).
    """
    embed = outer.shape[1]
    start = first.shape[1] - 2 * embed
    for k in range(chosen.shape[0]):
        h, w, under = hidden[k], outer[k], first[k, start + embed :]
        h[:] = first[k, start : start + embed]
        for i in range(chosen.shape[1]):
            q, own = chosen[k, i], inner[k, i * embed : (i + 1) * embed]
            for j in range(embed):
                h[j] += q * abs(own[j])
        total = shift
        for j in range(embed):
            total += _elu(h[j]) * abs(w[j]) + under[j] * value[j]
        out[k] = total


@njit(cache=True, fastmath=True, error_model="numpy")
def mix_back(by_out, chosen, inner, outer, value, hidden, by_q, by_inner, by_outer, by_first):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    """Carry a gradient back through `mix`; the last four are modified in place.

    Args:
        by_out: shape (P,).
        chosen: see `mix`, as the next four.
        inner: …
        outer: …
        value: …
        hidden: …
        by_q: shape (P, n).
        by_inner: by W_1 before |·|, shape (P, n · E).
        by_outer: by w_2 before |·|, shape (P, E).
        by_first: the last 2E columns: by b_1, and by the layer under v, shape (P, 2K + 2E).
    """
    embed = outer.shape[1]
    start = by_first.shape[1] - 2 * embed
    zero, one = np.float32(0.0), np.float32(1.0)
    for k in range(len(by_out)):
        g, h, w, by_w = by_out[k], hidden[k], outer[k], by_outer[k]
        by_h, under = by_first[k, start : start + embed], by_first[k, start + embed :]
        for j in range(embed):
            by_w[j] = _elu(h[j])
        for j in range(embed):
            slope = one if h[j] > zero else by_w[j] + one
            by_h[j] = g * abs(w[j]) * slope
        for j in range(embed):
            by_w[j] *= g * np.sign(w[j])
        for j in range(embed):
            under[j] = g * value[j]
        for i in range(chosen.shape[1]):
            own = inner[k, i * embed : (i + 1) * embed]
            by_own = by_inner[k, i * embed : (i + 1) * embed]
            q, total = chosen[k, i], zero
            for j in range(embed):
                total += by_h[j] * abs(own[j])
            for j in range(embed):
                by_own[j] = by_h[j] * q * np.sign(own[j])
            by_q[k, i] = total


@njit(cache=True, fastmath=True, error_model="numpy")
def rectify_back(by_first, first, hyper, embed):  # type: ignore[no-untyped-def]  # compiled
    """Carry a gradient back through `rectify`, in place."""
    zero = np.float32(0.0)
    for k in range(first.shape[0]):
        weights, value = first[k, : 2 * hyper], first[k, 2 * hyper + embed :]
        by_weights, by_value = by_first[k, : 2 * hyper], by_first[k, 2 * hyper + embed :]
        for j in range(len(weights)):
            by_weights[j] = by_weights[j] if weights[j] > zero else zero
        for j in range(len(value)):
            by_value[j] = by_value[j] if value[j] > zero else zero
