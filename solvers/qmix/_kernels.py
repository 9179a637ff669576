"""Compiled parts: packing episodes, what agents are told, TD(λ) targets, and tanh."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["enter", "enter_back", "pack", "quick_tanh", "td_lambda"]

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


@njit(cache=True, fastmath=True, error_model="numpy")
def enter(x, table, index):  # type: ignore[no-untyped-def]  # compiled
    """Add to each row of `x` its row of a table, and set what is negative to zero, in place."""
    zero = np.float32(0.0)
    for i in range(len(x)):
        to, more = x[i], table[index[i]]
        for j in range(len(to)):
            to[j] = max(to[j] + more[j], zero)


@njit(cache=True, fastmath=True, error_model="numpy")
def enter_back(by_x, x, index, by_table):  # type: ignore[no-untyped-def]  # compiled
    """Carry a gradient back through `enter`; the first and the last array are modified.

    Args:
        by_x: gradient by the new rows, which becomes that by the old ones, shape (R, H).
        x: the new rows, shape (R, H).
        index: shape (R,).
        by_table: gradient by the table, zero at first.
    """
    zero = np.float32(0.0)
    for i in range(len(x)):
        g, new, to = by_x[i], x[i], by_table[index[i]]
        for j in range(len(g)):
            g[j] = g[j] if new[j] > zero else zero
        for j in range(len(g)):
            to[j] += g[j]


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
