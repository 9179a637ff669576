"""Compiled parts: packing episodes, TD(λ) targets, and the backward pass of a GRU's gates."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["gru_gates_back", "pack", "td_lambda"]


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


@njit(cache=True, fastmath=True)
def gru_gates_back(by_h, gates, fresh, hidden, before, by_in, by_rec, by_before):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    """Carry a gradient back through one time of a GRU; the last three are modified in place.

    Args:
        by_h: gradient by the new state h' = n + z (h − n), shape (K, H).
        gates: r and z, shape (K, 2H).
        fresh: n, shape (K, H).
        hidden: W_hn h + b_hn, the part of n's argument that r multiplies, shape (K, H).
        before: h, shape (K, H).
        by_in: gradient by the input's share of the three arguments, shape (K, 3H).
        by_rec: gradient by the state's share of them, shape (K, 3H).
        by_before: gradient by h, not through the arguments, shape (K, H).
    """
    size = by_h.shape[1]
    for k in range(by_h.shape[0]):
        for j in range(size):
            g, r, z, n = by_h[k, j], gates[k, j], gates[k, size + j], fresh[k, j]
            one = np.float32(1.0)
            by_n = g * (one - z) * (one - n * n)
            by_z = g * (before[k, j] - n) * z * (one - z)
            by_r = by_n * hidden[k, j] * r * (one - r)
            by_in[k, j] = by_r
            by_in[k, size + j] = by_z
            by_in[k, 2 * size + j] = by_n
            by_rec[k, j] = by_r
            by_rec[k, size + j] = by_z
            by_rec[k, 2 * size + j] = by_n * r
            by_before[k, j] = g * z
