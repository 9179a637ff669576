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
        row = first[k]
        for j in range(2 * hyper):
            row[j] = max(row[j], zero)
        for j in range(2 * hyper + embed, 2 * hyper + 2 * embed):
            row[j] = max(row[j], zero)


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
        h, w, row = hidden[k], inner[k], first[k]
        for j in range(embed):
            h[j] = row[start + j]
        for i in range(chosen.shape[1]):
            q = chosen[k, i]
            for j in range(embed):
                h[j] += q * abs(w[i * embed + j])
        total = shift
        for j in range(embed):
            total += _elu(h[j]) * abs(outer[k, j]) + row[start + embed + j] * value[j]
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
        g, h, w, to = by_out[k], hidden[k], inner[k], by_first[k]
        for j in range(embed):
            raised = _elu(h[j])
            slope = one if h[j] > zero else raised + one
            by_outer[k, j] = g * raised * np.sign(outer[k, j])
            to[start + j] = g * abs(outer[k, j]) * slope
            to[start + embed + j] = g * value[j]
        for i in range(chosen.shape[1]):
            q, total = chosen[k, i], zero
            for j in range(embed):
                weight = w[i * embed + j]
                total += to[start + j] * abs(weight)
                by_inner[k, i * embed + j] = to[start + j] * q * np.sign(weight)
            by_q[k, i] = total


@njit(cache=True, fastmath=True, error_model="numpy")
def rectify_back(by_first, first, hyper, embed):  # type: ignore[no-untyped-def]  # compiled
    """Carry a gradient back through `rectify`, in place."""
    zero = np.float32(0.0)
    for k in range(first.shape[0]):
        row, to = first[k], by_first[k]
        for j in range(2 * hyper):
            to[j] = to[j] if row[j] > zero else zero
        for j in range(2 * hyper + embed, 2 * hyper + 2 * embed):
            to[j] = to[j] if row[j] > zero else zero
