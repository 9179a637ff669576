"""Joint actions that no correlated equilibrium plays, found without a program.

A row of G σ ≤ 0 without a negative entry on the joint actions that may still be played
forces σ to 0 wherever it is positive; that leaves fewer joint actions to the other rows,
and so on. Every strictly dominated action goes this way, and much of what iterated weak
dominance removes. Only comparisons of payoffs are made, so that nothing is rounded.

Each row watches one of its negative entries, and looks for the next when it is gone: a
row is read once at most.
"""

# Compiled functions take flat arrays by position, because numba passes keywords slowly; its
# decorator has no types, and it infers those of the arguments. Loops over plain indices with
# many branches are what it compiles best.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False

from __future__ import annotations

import numba
import numpy as np

__all__ = ["remove_forced"]


@numba.njit(cache=True)
def _entry(k, told, actions, stride, coarse):
    """Return the k-th joint action of a row, all of them if coarse, else those with `told`."""
    if coarse:
        return k
    return (k // stride) * stride * actions + told * stride + k % stride


@numba.njit(cache=True)
def _place(row, p, actions, first, coarse):
    """Return what is told and what is played instead in a row of seat p."""
    inner = row - first[p]
    if coarse:
        return -1, inner
    return inner // actions[p], inner % actions[p]


@numba.njit(cache=True)
def _watch(pay, row, p, actions, strides, first, coarse, alive, at, head, after):
    """Move a row to its next negative entry; False if it has none."""
    told, instead = _place(row, p, actions, first, coarse)
    stride = strides[p]
    count = pay.shape[1] if coarse else pay.shape[1] // actions[p]
    for k in range(at[row], count):
        j = _entry(k, told, actions[p], stride, coarse)
        if not alive[j]:
            continue
        own = told if not coarse else (j // stride) % actions[p]
        if pay[p, j + (instead - own) * stride] < pay[p, j]:
            at[row] = k
            after[row] = head[j]
            head[j] = row
            return True
    return False


@numba.njit(cache=True)
def remove_forced(pay, actions, strides, first, coarse, alive):
    """Set alive[j] to False for joint actions that no equilibrium plays, in place.

    Args:
        pay: payoffs, shape (n, J), joint actions in C order.
        actions: (n,), how many each seat has.
        strides: (n,), how far apart neighbouring actions of a seat are.
        first: (n + 1,), where the rows of each seat begin: (b) if coarse, else (told, b).
        coarse: rows of coarse correlated equilibria.
        alive: (J,), which joint actions may be played.

    Returns:
        How many were removed.
    """
    n, size = pay.shape
    rows = first[n]
    at = np.zeros(rows, np.int64)
    head = np.full(size, -1, np.int64)
    after = np.full(rows, -1, np.int64)
    queue = np.empty(rows, np.int64)
    dead = np.empty(size, np.int64)
    waiting, removed = 0, 0
    for p in range(n):
        for row in range(first[p], first[p + 1]):
            if not _watch(pay, row, p, actions, strides, first, coarse, alive, at, head, after):
                queue[waiting] = row
                waiting += 1
    done = 0
    while done < waiting:
        row = queue[done]
        done += 1
        p = 0
        while row >= first[p + 1]:
            p += 1
        told, instead = _place(row, p, actions, first, coarse)
        stride = strides[p]
        newly = 0
        for k in range(size if coarse else size // actions[p]):
            j = _entry(k, told, actions[p], stride, coarse)
            own = told if not coarse else (j // stride) % actions[p]
            if alive[j] and pay[p, j + (instead - own) * stride] > pay[p, j]:
                alive[j] = False
                dead[newly] = j
                newly += 1
        removed += newly
        for d in range(newly):
            other = head[dead[d]]
            head[dead[d]] = -1
            while other >= 0:
                following = after[other]
                q = 0
                while other >= first[q + 1]:
                    q += 1
                if not _watch(
                    pay, other, q, actions, strides, first, coarse, alive, at, head, after
                ):
                    queue[waiting] = other
                    waiting += 1
                other = following
    return removed
