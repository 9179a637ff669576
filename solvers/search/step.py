"""The steps of update-equivalent search, and of the search they are compared with.

With blueprint π, action values q at an infoset, step η, magnet ρ and temperature α:

    mirror ascent           π'(a) ∝ π(a) exp(η q(a))                                    (1)
    magnetic mirror ascent  π'(a) ∝ [π(a) ρ(a)^(αη) exp(η q(a))]^(1 / (1 + αη))         (2)

(1) maximises ⟨π', q⟩ − KL(π', π)/η, and (2) ⟨π', q⟩ − α KL(π', ρ) − KL(π', π)/η.

Sources: Sokota et al. 2024, "The update-equivalence framework for decision-time planning",
ICLR, sections 4 and 5; Sokota et al. 2023, "A unified approach to reinforcement learning,
quantal response equilibria, and two-player zero-sum games", section 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["magnetic_step", "mirror_step", "softened"]

Reals = NDArray[np.float64]


def mirror_step(policy: Reals, values: Reals, step: float) -> Reals:
    """Return (1), shape (A,).

    Args:
        policy: π, shape (A,); what it never plays stays unplayed.
        values: q, shape (A,).
        step: η.
    """
    return magnetic_step(policy, values, step, magnet=policy, temperature=0.0)


def magnetic_step(
    policy: Reals, values: Reals, step: float, *, magnet: Reals, temperature: float
) -> Reals:
    """Return (2), shape (A,).

    Args:
        policy: π, shape (A,).
        values: q, shape (A,).
        step: η.
        magnet: ρ, shape (A,), positive wherever π is.
        temperature: α.
    """
    with np.errstate(divide="ignore"):
        logits = np.log(policy) + step * values
        if temperature:
            logits = logits + temperature * step * np.log(magnet)
    logits = logits / (1.0 + temperature * step)
    out: Reals = np.exp(logits - logits.max())
    out /= out.sum()
    return out


def softened(policy: Reals, legal: NDArray[np.bool_], epsilon: float) -> Reals:
    """Return (1 − ε) π + ε uniform on the legal actions, shape (A,)."""
    out: Reals = (1.0 - epsilon) * policy + epsilon * legal / legal.sum()
    return out
