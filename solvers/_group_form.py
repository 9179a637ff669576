"""Payoffs of a tree by pairs of tuples of sequences: the sequence form of n seats in halves.

The seats are split into two groups. The last sequences of a group's seats at a terminal are
a tuple; terminals with the same two tuples are added up. What a seat earns is then, for each
tuple of its group, a sparse sum over the tuples of the other group, times the plans of the
others in its own group: for n seats about 2 products a terminal instead of n (n − 1). For
two seats the tuples are sequences and this is the sequence form of a general-sum game.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from games.tree.data import Tree

__all__ = ["GroupForm", "group_form"]

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupForm:
    """Letters: K tuples of both groups, w seats of the larger group, nnz pairs.

    Attributes:
        half: number of seats in the first group.
        split: number of its tuples.
        tuples: last sequences, shape (w, K): the first group's tuples, then the second's.
        ptr: row starts by tuple, shape (K + 1,); rows hold tuples of the other group.
        col: the other group's tuple, shape (2 nnz,).
        val: payoff × chance to the seats of the row's group, shape (w, 2 nnz).
    """

    half: int
    split: int
    tuples: NDArray[np.uint32]
    ptr: NDArray[np.int64]
    col: NDArray[np.uint32]
    val: Reals


_MADE: WeakKeyDictionary[Tree, GroupForm] = WeakKeyDictionary()


def group_form(tree: Tree) -> GroupForm:
    """Return the form of a tree, made once."""
    if tree not in _MADE:
        _MADE[tree] = _make(tree)
    return _MADE[tree]


def _make(tree: Tree) -> GroupForm:
    live = np.flatnonzero(tree.terminal_chance > 0.0)
    last = tree.terminal_sequences[:, live].astype(np.int64)
    paid = tree.payoffs[:, live] * tree.terminal_chance[live]
    half = max(1, tree.seats // 2)
    first, row = _distinct(last[:half], tree.n_sequences)
    second, col = _distinct(last[half:], tree.n_sequences)
    k_first, k_second = first.shape[1], second.shape[1]
    pair, at = np.unique(row * k_second + col, return_inverse=True)
    payoff = np.array([np.bincount(at, weights=pay, minlength=len(pair)) for pay in paid])
    row, col = pair // k_second, pair % k_second
    back = np.argsort(col, kind="stable")
    width = max(half, tree.seats - half)
    tuples = np.zeros((width, k_first + k_second), dtype=np.uint32)
    tuples[:half, :k_first] = first
    tuples[: tree.seats - half, k_first:] = second
    val = np.zeros((width, 2 * len(pair)))
    val[:half, : len(pair)] = payoff[:half]
    val[: tree.seats - half, len(pair) :] = payoff[half:][:, back]
    counts = np.concatenate(
        [np.bincount(row, minlength=k_first), np.bincount(col, minlength=k_second)]
    )
    return GroupForm(
        half=half,
        split=k_first,
        tuples=tuples,
        ptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        col=np.concatenate([k_first + col, row[back]]).astype(np.uint32),
        val=val,
    )


def _distinct(last: NDArray[np.int64], base: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the distinct columns of `last`, (m, K), and which of them each column is, (Z,)."""
    number = np.zeros(last.shape[1], dtype=np.int64)
    for sequences in last:  # numbers stay below Z · base, however many seats there are
        _, number = np.unique(number * base + sequences, return_inverse=True)
    count = int(number.max(initial=-1)) + 1
    out = np.zeros((len(last), count), dtype=np.int64)
    out[:, number] = last
    return out, number
