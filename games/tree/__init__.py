"""The form `tree`: a game's whole extensive form in flat arrays.

`tree_of(game)` compiles any enumerable game once, keeps the result on disk, and hands the
same arrays to every solver and certificate.
"""

from __future__ import annotations

from games.tree.compile import DEFAULT_BUDGET, Budget, compile_state
from games.tree.data import TERMINAL, RecallBreach, SequenceForm, Tree
from games.tree.estimate import estimate_nodes
from games.tree.export import to_efg
from games.tree.load import obstacle, tree_at_hand, tree_of

__all__ = [
    "DEFAULT_BUDGET",
    "TERMINAL",
    "Budget",
    "RecallBreach",
    "SequenceForm",
    "Tree",
    "compile_state",
    "estimate_nodes",
    "obstacle",
    "to_efg",
    "tree_at_hand",
    "tree_of",
]
