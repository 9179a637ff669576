"""QARL: robust control by curricula of bounded rationality, and what it is compared with.

1. `sac` learns one seat; `learner` lets the seats learn in turn, on the form `batch` of an
   adversarial control game.
2. `curricula` says how rational or how strong the adversary is.
3. `methods` names the combinations: QARL, SAC alone, RARL, ….
4. `robustness` measures what a frozen controller withstands.

Reddi, Tölle, Peters, Chalvatzaki and D'Eramo 2024, "Robust adversarial reinforcement
learning via bounded rationality curricula" (ICLR; arXiv 2311.01642).
"""

from __future__ import annotations

from typing import Any

__all__ = ["qarl"]


def qarl() -> Any:
    """Return the solver `qarl`."""
    from solvers.qarl.learner import solver

    return solver()
