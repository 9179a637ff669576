"""Generalised advantage estimation over whole episodes."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["advantages"]


@njit(cache=True)
def advantages(gain, value, chain, beyond, discount, trace):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    """Return the advantage of each decision, float64, shape (M,) (Schulman et al. 2016, eq. 16).

    Decisions are in the order of time; those of one chain follow one another.

    Args:
        gain: what was paid from a decision until the next one of its chain, shape (M,).
        value: what the critic foretold, shape (M,).
        chain: the chain of each decision, shape (M,).
        beyond: what comes after the last decision of each chain, shape (chains,): 0 where the
            episode has ended, what the critic foretells where a time limit cut it off.
        discount: γ for each decision.
        trace: λ.
    """
    out = np.empty(len(gain), np.float64)
    next_value = beyond.copy()
    next_out = np.zeros(len(beyond), np.float64)
    for i in range(len(gain) - 1, -1, -1):
        c = chain[i]
        error = gain[i] + discount * next_value[c] - value[i]
        out[i] = error + discount * trace * next_out[c]
        next_value[c] = value[i]
        next_out[c] = out[i]
    return out
