"""Loops over the arrays of a `Tree`. Axis letters as in `games.tree.data`."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly, and
# numba's decorator has no types.
# ruff: noqa: PLR0917
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["compress", "infoset_parents", "link"]


@njit(cache=True)
def link(
    parent: Any,
    seat: Any,
    infoset: Any,
    first_child: Any,
    chance: Any,
    info_first: Any,
    empty: Any,
    out_last: Any,
    out_reach: Any,
) -> None:
    """Fill the last sequence of each seat, (n, Z), and the chance reach, (Z,), in place."""
    n_nodes = len(parent)
    n = len(out_last)
    last = np.empty((n_nodes, n), dtype=np.int32)
    reach = np.empty(n_nodes)
    for p in range(n):
        last[0, p] = empty[p]
    reach[0] = 1.0
    z = 0
    for v in range(n_nodes):
        if v > 0:
            u = parent[v]
            for p in range(n):
                last[v, p] = last[u, p]
            mover = seat[u]
            if mover >= 0:
                last[v, mover] = info_first[infoset[u]] + v - first_child[u]
            reach[v] = reach[u] * chance[v]
        if seat[v] == -2:
            for p in range(n):
                out_last[p, z] = last[v, p]
            out_reach[z] = reach[v]
            z += 1


@njit(cache=True)
def infoset_parents(
    parent: Any,
    seat: Any,
    infoset: Any,
    first_child: Any,
    info_first: Any,
    empty: Any,
    out_parent: Any,
) -> Any:
    """Fill each infoset's parent sequence, (I,), in place; return a breach of recall.

    Perfect recall (Kuhn 1953) holds exactly when all nodes of an infoset have the same last
    sequence of its seat. Returns two nodes where they differ, or (-1, -1).
    """
    n_nodes = len(parent)
    n = len(empty)
    last = np.empty((n_nodes, n), dtype=np.int32)
    witness = np.full(len(out_parent), -1, dtype=np.int64)
    for p in range(n):
        last[0, p] = empty[p]
    for v in range(n_nodes):
        if v > 0:
            u = parent[v]
            for p in range(n):
                last[v, p] = last[u, p]
            mover = seat[u]
            if mover >= 0:
                last[v, mover] = info_first[infoset[u]] + v - first_child[u]
        p = seat[v]
        if p >= 0:
            i = infoset[v]
            if witness[i] < 0:
                witness[i] = v
                out_parent[i] = last[v, p]
            elif out_parent[i] != last[v, p]:
                return witness[i], np.int64(v)
    return np.int64(-1), np.int64(-1)


@njit(cache=True)
def _sorted_rows(rows: Any, cols: Any, vals: Any, n_rows: int) -> Any:
    """Return row starts, columns and values; terms of equal row and column are added up."""
    start = np.zeros(n_rows + 1, dtype=np.int64)
    for k in range(len(rows)):
        start[rows[k] + 1] += 1
    for r in range(n_rows):
        start[r + 1] += start[r]
    at = start[:-1].copy()
    col = np.empty(len(rows), dtype=np.int32)
    val = np.empty(len(rows))
    for k in range(len(rows)):
        col[at[rows[k]]] = cols[k]
        val[at[rows[k]]] = vals[k]
        at[rows[k]] += 1
    ptr = np.zeros(n_rows + 1, dtype=np.int64)
    filled = 0
    for r in range(n_rows):
        a, b = start[r], start[r + 1]
        order = np.argsort(col[a:b], kind="mergesort")
        row_col, row_val = col[a:b][order], val[a:b][order]
        begin = filled
        for k in range(b - a):
            if filled > begin and col[filled - 1] == row_col[k]:
                val[filled - 1] += row_val[k]
            else:
                col[filled] = row_col[k]
                val[filled] = row_val[k]
                filled += 1
        ptr[r + 1] = filled
    return ptr, col[:filled], val[:filled]


@njit(cache=True)
def compress(rows: Any, cols: Any, vals: Any, n_sequences: int) -> Any:
    """Return both players' payoff rows in one CSR (see `SequenceForm`)."""
    ptr_a, col_a, val_a = _sorted_rows(rows, cols, vals, n_sequences)
    ptr_b, col_b, val_b = _sorted_rows(cols, rows, -vals, n_sequences)
    # Sequences are numbered through both seats, so each row is filled in one of the two.
    ptr = np.empty(n_sequences + 1, dtype=np.int64)
    half = len(col_a)
    col = np.empty(2 * half, dtype=np.uint32)
    val = np.empty(2 * half)
    col[:half] = col_a
    val[:half] = val_a
    col[half:] = col_b
    val[half:] = val_b
    for r in range(n_sequences + 1):
        ptr[r] = ptr_a[r] + ptr_b[r]
    return ptr, col, val
