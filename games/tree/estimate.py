"""Knuth's estimate of the size of a game tree.

A random descent that multiplies the branching factors it meets gives an unbiased estimate
of the number of nodes: 1 + b₁ + b₁b₂ + … Simultaneous moves count as one layer a seat.

Source: Knuth 1975, "Estimating the efficiency of backtrack programs".
"""

from __future__ import annotations

from arena.rng import Stream
from games.tree.walk import SIMULTANEOUS, TERMINAL, Cursor

__all__ = ["estimate_nodes"]


def estimate_nodes(cursor: Cursor, *, probes: int = 32, seed: int = 0) -> float:
    """Return an unbiased estimate of the number of nodes (it may be infinite in floats).

    Args:
        cursor: see `games.tree.walk`.
        probes: number of random descents.
        seed: of the descents.
    """
    stream = Stream(seed)
    total = 0.0
    for _ in range(probes):
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
        total += nodes
    return total / probes
