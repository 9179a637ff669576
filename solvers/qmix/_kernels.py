"""Compiled parts: packing episodes, TD(λ) targets, and both passes through a GRU's gates."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["gru_gates", "gru_gates_back", "pack", "quick_tanh", "td_lambda"]

# A rational function of odd over even powers is tanh to 2e-7 on |x| ≤ 7.90531, beyond which it
# is 1 in float32; the coefficients are those of the library Eigen (`ptanh_float`). Unlike a call
# of tanh it is computed for sixteen numbers at once.
_TOP, _HALF = np.float32(7.90531), np.float32(0.5)
_A13, _A11 = np.float32(-2.76076847742355e-16), np.float32(2.00018790482477e-13)
_A9, _A7 = np.float32(-8.60467152213735e-11), np.float32(5.12229709037114e-08)
_A5, _A3 = np.float32(1.48572235717979e-05), np.float32(6.37261928875436e-04)
_A1 = np.float32(4.89352455891786e-03)
_B6, _B4 = np.float32(1.19825839466702e-06), np.float32(1.18534705686654e-04)
_B2, _B0 = np.float32(2.26843463243900e-03), np.float32(4.89352518554385e-03)


@njit(cache=True)
def pack(first, lengths, follow, out, counts):  # type: ignore[no-untyped-def]  # compiled
    """Put the rows of B episodes into the order of time; `out` and `counts` modified in place.

    Args:
        first: the row of each episode's start, shape (B,), longest episode first.
        lengths: rows of each, decreasing, shape (B,).
        follow: the row that comes after a row, shape (R,).
        out: rows: those of time 0, then those of time 1, …, shape (Σ lengths,).
        counts: rows of each time, shape (lengths[0],).
    """
    now = first.copy()
    at = 0
    alive = len(first)
    for time in range(lengths[0]):
        while lengths[alive - 1] <= time:
            alive -= 1
        counts[time] = alive
        for k in range(alive):
            out[at + k] = now[k]
            now[k] = follow[now[k]]
        at += alive


@njit(cache=True)
def td_lambda(reward, ahead, ended, counts, discount, trace, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    """Compute TD(λ) targets backwards in time; `out` is modified in place.

    G_t = r_t + γ (1 − end_t) [(1 − λ) Q_{t+1} + λ G_{t+1}], where at the last decision of an
    episode G_{t+1} is Q_{t+1} (Sutton and Barto 2018, eq. 12.18).

    Args:
        reward: of each decision, packed in the order of time, shape (P,).
        ahead: Q of the next situation by the target network, shape (P, K).
        ended: the game was over after it (a time limit does not count), shape (P,).
        counts: rows of each time, the last ones (without decisions) included, shape (T + 1,).
        discount: γ.
        trace: λ.
        out: shape (P, K).
    """
    last = len(counts) - 2
    at = len(reward)
    for time in range(last, -1, -1):
        size = counts[time + 1]
        after = counts[time + 2] if time < last else 0
        at -= size
        for k in range(size):
            i = at + k
            left = 0.0 if ended[i] else discount
            for c in range(out.shape[1]):
                value = ahead[i, c]
                if k < after:
                    value += trace * (out[i + size, c] - value)
                out[i, c] = reward[i] + left * value


@njit(inline="always", fastmath=True, error_model="numpy")
def quick_tanh(x):  # type: ignore[no-untyped-def]  # compiled
    x = min(max(x, -_TOP), _TOP)
    q = x * x
    a = ((((((_A13 * q + _A11) * q + _A9) * q + _A7) * q + _A5) * q + _A3) * q + _A1) * x
    return a / (((_B6 * q + _B4) * q + _B2) * q + _B0)


# Division as numpy's, which raises nothing: a loop that may stop is not computed in vectors.
@njit(cache=True, fastmath=True, error_model="numpy")
def gru_gates(x, recurrent, before, gates, out, at, count, after, kept):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    """Carry states through one time of a GRU; the last three arrays are modified in place.

    Args:
        x: the inputs' share of the arguments of r, z and n, shape (R, 3H).
        recurrent: W_h h + b_h of this time, shape (K, 3H).
        before: h; that of the next time is put in its place, shape (R, H).
        gates: for r, z, n, and W_hn h + b_hn, the part of n's argument that r multiplies,
            shape (R, 4H), or those of a time, (K, 4H).
        out: h' = n + z (h − n), shape (R, H).
        at: where the rows of this time begin.
        count: how many there are.
        after: how many of them, the first ones, go on.
        kept: whether `gates` has the rows of all times.
    """
    size = out.shape[1]
    for k in range(count):
        i = at + k
        y, w, g, h, new = x[i], recurrent[k], gates[i if kept else k], before[i], out[i]
        for j in range(2 * size):
            g[j] = _HALF + _HALF * quick_tanh(_HALF * (y[j] + w[j]))
        for j in range(2 * size, 3 * size):
            g[size + j] = w[j]
        for j in range(size):
            g[2 * size + j] = quick_tanh(y[2 * size + j] + g[j] * w[2 * size + j])
        for j in range(size):
            new[j] = g[2 * size + j] + g[size + j] * (h[j] - g[2 * size + j])
    for k in range(after):
        before[at + count + k] = out[at + k]


@njit(cache=True, fastmath=True, error_model="numpy")
def gru_gates_back(by_h, gates, before, by_in, by_rec, at, count, previous):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    """Carry a gradient back through one time of a GRU.

    Args:
        by_h: gradient by h', complete for this time; that by h, as far as it does not go
            through the arguments, is added to the rows of the time before, shape (R, H).
        gates: see `gru_gates`.
        before: h, shape (R, H).
        by_in: gradient by the inputs' share of the arguments, modified in place, (R, 3H).
        by_rec: gradient by the state's share of them, modified in place, shape (R, 3H).
        at: where the rows of this time begin.
        count: how many there are.
        previous: rows of the time before; 0 at the start.
    """
    size = by_h.shape[1]
    one = np.float32(1.0)
    for k in range(count):
        i = at + k
        d, g, h, a, b = by_h[i], gates[i], before[i], by_in[i], by_rec[i]
        for j in range(size):
            z, n = g[size + j], g[2 * size + j]
            a[size + j] = d[j] * (h[j] - n) * z * (one - z)
            a[2 * size + j] = d[j] * (one - z) * (one - n * n)
        for j in range(size):
            a[j] = a[2 * size + j] * g[3 * size + j] * g[j] * (one - g[j])
            b[2 * size + j] = a[2 * size + j] * g[j]
        for j in range(2 * size):
            b[j] = a[j]
        if previous:
            to = by_h[i - previous]
            for j in range(size):
                to[j] += d[j] * g[size + j]
