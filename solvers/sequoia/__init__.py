"""SEQUOIA: deep Q-learning whose greedy action is found by a mixed-integer program.

1. `encode` reads a ReLU network; with the state fixed it is a piecewise linear function of
   the binary actions alone.
2. `Maximiser` finds the feasible action of the greatest value, with a certified gap.
3. `sequoia` is the learner that uses it to act and in its targets.
"""

from __future__ import annotations

from solvers.sequoia.encode import ActionNet, ReluNet, encode, from_layers, residual
from solvers.sequoia.solve import Decision, Maximiser

__all__ = [
    "ActionNet",
    "Decision",
    "Maximiser",
    "ReluNet",
    "encode",
    "from_layers",
    "residual",
]
