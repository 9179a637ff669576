"""Conditional payoffs of actions, for real and for complex policies alike.

Letters in shapes as in `solvers.tree._kernels`.
"""

# Compiled functions take flat arrays by position, because numba passes keywords slowly, and
# numba's decorator has no types.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_U = np.uint64

__all__ = ["conditional_worth"]


@njit(cache=True)
def conditional_worth(
    last: Any,
    reach: Any,
    weighted: Any,
    seat_infoset: Any,
    seat_sequence: Any,
    info_first: Any,
    info_actions: Any,
    info_parent: Any,
    policy: Any,
    plan: Any,
    mass: Any,
    worth: Any,
) -> None:
    """Fill the payoff of each action given that its infoset is reached, (Q,), in place.

    Both the payoffs below a sequence and the probability with which chance and the others
    let it happen are summed over the terminals, then carried up the seat's own infosets;
    `worth` is their ratio, 0 where chance lets nothing happen. `plan`, `mass` and `worth`,
    (Q,), are modified in place and have the type of `policy`. `weighted` is payoffs times
    chance `reach`, shape (n, Z).
    """
    n = len(last)
    for p in range(n):
        plan[seat_sequence[p]] = 1.0
    for i in range(_U(len(info_first))):
        above = plan[_U(info_parent[i])]
        for s in range(_U(info_first[i]), _U(info_first[i] + info_actions[i])):
            plan[s] = above * policy[s]
    mass[:] = 0.0
    worth[:] = 0.0
    for z in range(_U(len(reach))):
        for p in range(_U(n)):
            others = plan[0] / plan[0]
            for q in range(_U(n)):
                if q != p:
                    others *= plan[_U(last[q, z])]
            mass[_U(last[p, z])] += others * reach[z]
            worth[_U(last[p, z])] += others * weighted[p, z]
    for down in range(1, len(info_first) + 1):
        j: Any = _U(len(info_first) - down)
        for s in range(_U(info_first[j]), _U(info_first[j] + info_actions[j])):
            worth[_U(info_parent[j])] += policy[s] * worth[s]
            mass[_U(info_parent[j])] += policy[s] * mass[s]
    for s in range(len(worth)):
        worth[s] = worth[s] / mass[s] if mass[s] != 0.0 else 0.0 * mass[s]
