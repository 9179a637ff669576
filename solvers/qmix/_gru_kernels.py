"""Compiled parts: both passes of a GRU over packed episodes, each as one loop over all times.

A product at a time is too small to be worth a call into a library, and there are two for each
time of an episode.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solvers.qmix._kernels import quick_tanh

__all__ = ["unroll", "unroll_back"]

_HALF = np.float32(0.5)


# Division as numpy's, which raises nothing: a loop that may stop is not computed in vectors.
@njit(cache=True, fastmath=True, error_model="numpy")
def unroll(x, weight, bias, counts, kept, before, recurrent, gates, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    """Carry states through all times, from zero; the last four arrays are modified in place.

    Args:
        x: the inputs' share of the arguments of r, z and n, shape (R, 3H).
        weight: W_h, shape (3H, H).
        bias: b_h, shape (3H,).
        counts: rows of each time, never increasing, shape (T,).
        kept: whether `gates` has the rows of all times.
        before: h, shape (R, H).
        recurrent: W_h h + b_h of the time under way, shape (K, 3H) with K rows at time 0.
        gates: for r, z, n, and W_hn h + b_hn, the part of n's argument that r multiplies,
            shape (R, 4H), or those of a time, (K, 4H).
        out: h' = n + z (h − n), shape (R, H).
    """
    before[: counts[0]] = 0.0
    recurrent[:] = bias
    at = 0
    for time in range(len(counts)):
        count = counts[time]
        after = counts[time + 1] if time + 1 < len(counts) else 0
        if time:
            _products(before[at : at + count], weight, bias, recurrent)
        for k in range(count):
            i = at + k
            _gates(x[i], recurrent[k], before[i], gates[i if kept else k], out[i])
        for k in range(after):
            before[at + count + k] = out[at + k]
        at += count


@njit(cache=True, fastmath=True, error_model="numpy")
def unroll_back(by_h, gates, before, turned, nothing, counts, passed, by_in, by_rec):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    """Carry a gradient back through all times; the first and the last three are modified.

    Args:
        by_h: gradient by h' from outside; what comes from later times is added, shape (R, H).
        gates: see `unroll`, shape (R, 4H).
        before: h, shape (R, H).
        turned: W_hᵀ, shape (H, 3H).
        nothing: zeros, shape (H,).
        counts: rows of each time, shape (T,).
        passed: what goes through the arguments of the time under way, shape (K, H).
        by_in: gradient by the inputs' share of the arguments, shape (R, 3H).
        by_rec: gradient by the state's share of them, shape (R, 3H).
    """
    size = by_h.shape[1]
    at = counts.sum()
    for time in range(len(counts) - 1, -1, -1):
        count = counts[time]
        at -= count
        for k in range(at, at + count):
            _gates_back(by_h[k], gates[k], before[k], by_in[k], by_rec[k])
        if time:
            _products(by_rec[at : at + count], turned, nothing, passed)
            first = at - counts[time - 1]
            for k in range(count):
                to, d, z, more = (
                    by_h[first + k],
                    by_h[at + k],
                    gates[at + k, size : 2 * size],
                    passed[k],
                )
                for j in range(len(to)):
                    to[j] += d[j] * z[j] + more[j]


@njit(cache=True, fastmath=True, error_model="numpy")
def _products(a, b, shift, out):  # type: ignore[no-untyped-def]  # compiled
    """Put a bᵀ + shift, shape (M, W), into the first rows of `out`.

    Sixteen sums at once, of four rows with four, keep the processor's vectors busy; where rows
    are left over, the last one is taken more than once.
    """
    most, wide = len(a) - 1, len(b) - 1
    for i in range(0, most + 1, 4):
        i1, i2, i3 = min(i + 1, most), min(i + 2, most), min(i + 3, most)
        a0, a1, a2, a3 = a[i], a[i1], a[i2], a[i3]
        for j in range(0, wide + 1, 4):
            j1, j2, j3 = min(j + 1, wide), min(j + 2, wide), min(j + 3, wide)
            b0, b1, b2, b3 = b[j], b[j1], b[j2], b[j3]
            s00 = s10 = s20 = s30 = shift[j]
            s01 = s11 = s21 = s31 = shift[j1]
            s02 = s12 = s22 = s32 = shift[j2]
            s03 = s13 = s23 = s33 = shift[j3]
            for m in range(len(a0)):
                x0, x1, x2, x3 = a0[m], a1[m], a2[m], a3[m]
                y0, y1, y2, y3 = b0[m], b1[m], b2[m], b3[m]
                s00 += x0 * y0
                s01 += x0 * y1
                s02 += x0 * y2
                s03 += x0 * y3
                s10 += x1 * y0
                s11 += x1 * y1
                s12 += x1 * y2
                s13 += x1 * y3
                s20 += x2 * y0
                s21 += x2 * y1
                s22 += x2 * y2
                s23 += x2 * y3
                s30 += x3 * y0
                s31 += x3 * y1
                s32 += x3 * y2
                s33 += x3 * y3
            out[i, j], out[i, j1], out[i, j2], out[i, j3] = s00, s01, s02, s03
            out[i1, j], out[i1, j1], out[i1, j2], out[i1, j3] = s10, s11, s12, s13
            out[i2, j], out[i2, j1], out[i2, j2], out[i2, j3] = s20, s21, s22, s23
            out[i3, j], out[i3, j1], out[i3, j2], out[i3, j3] = s30, s31, s32, s33


# A loop is computed in vectors if the compiler sees that no index is negative, so that parts of
# rows are taken as arrays, and has few arrays to tell apart, so that a loop fills one.


@njit(inline="always", fastmath=True, error_model="numpy")
def _gates(x, w, h, gates, new):  # type: ignore[no-untyped-def]  # compiled
    size = len(h)
    both, z, n, part = gates[: 2 * size], gates[size : 2 * size], gates[2 * size :], w[2 * size :]
    for j in range(len(both)):
        both[j] = _HALF + _HALF * quick_tanh(_HALF * (x[j] + w[j]))
    x_n = x[2 * size :]
    for j in range(size):
        n[j] = quick_tanh(x_n[j] + both[j] * part[j])
    for j in range(size):
        new[j] = n[j] + z[j] * (h[j] - n[j])
    n[size : 2 * size] = part


@njit(inline="always", fastmath=True, error_model="numpy")
def _gates_back(d, gates, h, by_in, by_rec):  # type: ignore[no-untyped-def]  # compiled
    one, size = np.float32(1.0), len(d)
    z, n, part = gates[size : 2 * size], gates[2 * size : 3 * size], gates[3 * size :]
    by_z, by_n, by_part = by_in[size : 2 * size], by_in[2 * size :], by_rec[2 * size :]
    for j in range(size):
        by_n[j] = d[j] * (one - z[j]) * (one - n[j] * n[j])
    for j in range(size):
        by_z[j] = d[j] * (h[j] - n[j]) * z[j] * (one - z[j])
    for j in range(size):
        by_in[j] = by_n[j] * part[j] * gates[j] * (one - gates[j])
    for j in range(size):
        by_part[j] = by_n[j] * gates[j]
    by_rec[: 2 * size] = by_in[: 2 * size]
