"""Local search over feasible actions: greedy additions, then single changes and swaps.

All neighbours of an action are valued in one pass through the network; the best that is
feasible is taken, until none is better. It is usually at an optimum and proves nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.types import Mask
from games.bandits.constraints import FeasibleSet
from solvers.sequoia.encode import ActionNet

__all__ = ["climb", "dense_rows", "feasible_rows"]

Reals = NDArray[np.float64]

_TOLERANCE = 1e-7


def dense_rows(chosen: FeasibleSet) -> tuple[Reals, Reals, Reals]:
    """Return the rows that are about actions alone: coefficients (m, N) and bounds (m,), (m,)."""
    others = np.ones(chosen.matrix.shape[1], dtype=np.bool_)
    others[chosen.actions] = False
    matrix = chosen.matrix.tocsr()
    own = np.asarray(abs(matrix[:, np.flatnonzero(others)]).sum(axis=1)).ravel() == 0
    rows = np.ascontiguousarray(matrix[np.flatnonzero(own)][:, chosen.actions].toarray())
    return rows, chosen.lo[own].copy(), chosen.hi[own].copy()


def feasible_rows(
    actions: NDArray[np.integer], rows: tuple[Reals, Reals, Reals], chosen: FeasibleSet
) -> Mask:
    """Return which actions, shape (K, N), keep the rows about actions alone and their bounds."""
    coefficients, low, high = rows
    sums = actions @ coefficients.T
    own = chosen.actions
    within = (sums >= low - _TOLERANCE) & (sums <= high + _TOLERANCE)
    allowed = (actions >= chosen.lower[own]) & (actions <= chosen.upper[own])
    fits: Mask = np.logical_and(within.all(axis=1), allowed.all(axis=1))
    return fits


def climb(
    net: ActionNet,
    chosen: FeasibleSet,
    start: NDArray[np.integer],
    *,
    rows: tuple[Reals, Reals, Reals],
    rounds: int = 200,
) -> tuple[NDArray[np.int64], float]:
    """Improve a feasible action by adding, removing or swapping single ones.

    Args:
        net: the values.
        chosen: the feasible set.
        start: a feasible action, shape (N,).
        rows: from `dense_rows`.
        rounds: the most improvements.

    Returns:
        The action and its value.
    """
    action = np.asarray(start, dtype=np.int64).copy()
    value = float(net.values(action[None])[0])
    for _ in range(rounds):
        on, off = np.flatnonzero(action == 1), np.flatnonzero(action == 0)
        better, gain = _best(net, chosen, _neighbours(action, off, on[:0]), rows, value)
        if better is None:
            better, gain = _best(net, chosen, _neighbours(action, off, on), rows, value)
        if better is None:
            break
        action, value = better, gain
    return action, value


def _neighbours(
    action: NDArray[np.int64], off: NDArray[np.intp], on: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Return the action with each of `off` added, or with `on` removed and swapped for `off`."""
    if not len(on):
        out = np.repeat(action[None], len(off), axis=0)
        out[np.arange(len(off)), off] = 1
        return out
    removed = np.repeat(action[None], len(on), axis=0)
    removed[np.arange(len(on)), on] = 0
    swapped = np.repeat(removed, len(off), axis=0)
    swapped[np.arange(len(swapped)), np.tile(off, len(on))] = 1
    return np.concatenate([removed, swapped])


def _best(
    net: ActionNet,
    chosen: FeasibleSet,
    candidates: NDArray[np.int64],
    rows: tuple[Reals, Reals, Reals],
    value: float,
) -> tuple[NDArray[np.int64] | None, float]:
    candidates = candidates[feasible_rows(candidates, rows, chosen)]
    if not len(candidates):
        return None, value
    values = net.values(candidates)
    better = np.flatnonzero(values > value + 1e-9)
    for k in better[np.argsort(-values[better], kind="stable")]:
        if chosen.plain or chosen.allows(candidates[k]):
            return candidates[k], float(values[k])
    return None, value
