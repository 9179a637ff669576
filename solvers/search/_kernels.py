"""Action values on a compiled tree. Axis letters as in `games.tree.data`."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly, and
# numba's decorator has no types.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["action_values"]


@njit(cache=True)
def action_values(
    p: Any,
    parent: Any,
    seat: Any,
    infoset: Any,
    first_child: Any,
    chance: Any,
    terminals: Any,
    payoffs: Any,
    info_first: Any,
    behaviour: Any,
    values: Any,
    weights: Any,
) -> None:
    """Add up what each action of seat `p` is worth, (Q,), and how likely others allow it, (I,).

    `values` and `weights` are zero on entry where the seat moves, and modified in place.
    """
    n_nodes = len(parent)
    reach = np.ones(n_nodes)  # chance and the other seats only
    worth = np.zeros(n_nodes)
    share = np.ones(n_nodes)  # probability of getting here from the parent
    for v in range(1, n_nodes):
        u = parent[v]
        mover = seat[u]
        share[v] = chance[v]
        if mover >= 0:
            share[v] = behaviour[info_first[infoset[u]] + v - first_child[u]]
        reach[v] = reach[u] * (1.0 if mover == p else share[v])
    for z in range(len(terminals)):
        worth[terminals[z]] = payoffs[p, z]
    for v in range(n_nodes - 1, 0, -1):
        u = parent[v]
        worth[u] += share[v] * worth[v]
        if seat[u] == p:
            values[info_first[infoset[u]] + v - first_child[u]] += reach[u] * worth[v]
    for v in range(n_nodes):
        if seat[v] == p:
            weights[infoset[v]] += reach[v]
