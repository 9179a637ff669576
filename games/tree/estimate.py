"""Knuth's estimate of the size of a game tree, and a test of a limit on it.

A random descent that multiplies the branching factors it meets gives an unbiased estimate
of the number of nodes: 1 + b₁ + b₁b₂ + … Simultaneous moves count as one layer a seat.

Against the hypothesis that the tree has at most B nodes, descents X₁, X₂, … are bet on:
with a share λ at stake each time the capital is ∏ (1 − λ + λ Xₜ/B), which is expected not to
grow where the hypothesis holds, so it ever exceeds c with a probability of at most 1/c.

Sources: Knuth 1975, "Estimating the efficiency of backtrack programs"; Ville's inequality,
as in Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by
betting", section 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf

from arena.rng import Stream
from games.tree.walk import SIMULTANEOUS, TERMINAL, Cursor

__all__ = ["estimate_nodes", "size_beyond"]

_STAKES = (0.05, 0.2, 0.5)


def estimate_nodes(cursor: Cursor, *, probes: int = 32, seed: int = 0) -> float:
    """Return an unbiased estimate of the number of nodes (it may be infinite in floats).

    Args:
        cursor: see `games.tree.walk`.
        probes: number of random descents.
        seed: of the descents.
    """
    found = _descents(cursor, seed)
    return sum(next(found) for _ in range(probes)) / probes


def size_beyond(
    cursor: Cursor, limit: float, *, probes: int = 64, seed: int = 0, odds: float = 1000.0
) -> float | None:
    """Return about how many nodes there are if they are more than `limit`, else None.

    A tree within the limit is called larger with a probability of at most 1/odds.

    Args:
        cursor: see `games.tree.walk`.
        limit: B.
        probes: the most random descents; fewer where they leave no doubt.
        seed: of the descents.
        odds: c.
    """
    capital = [1.0] * len(_STAKES)
    total = 0.0
    for count, nodes in zip(range(1, probes + 1), _descents(cursor, seed), strict=False):
        total += nodes
        capital = [
            c * (1.0 - stake + stake * nodes / limit)
            for c, stake in zip(capital, _STAKES, strict=True)
        ]
        worth = sum(capital) / len(capital)
        if worth >= odds or isinf(worth):
            return max(total / count, limit)
    return None


def _descents(cursor: Cursor, seed: int) -> Iterator[float]:
    """Yield one unbiased estimate after the other."""
    stream = Stream(seed)
    while True:
        position, width, nodes = cursor.root, 1.0, 1.0
        while True:
            seat, actions, _ = cursor.look(position)
            if seat == TERMINAL:
                break
            if seat == SIMULTANEOUS:
                joint = {}
                for mover, options, _ in actions:
                    width *= len(options)
                    nodes += width
                    joint[mover] = stream.choice(options)
                position = cursor.joint(position, joint)
            else:
                width *= len(actions)
                nodes += width
                position = cursor.child(position, stream.choice(actions))
        yield nodes
