"""Which step and temperature magnetic mirror descent search is given: chosen on other games.

Of all pairs of a grid the one whose worst case is best: for each small game and blueprint,
exploitability with search over that without is computed exactly, and the largest of these
ratios is to be least. None of the games is one of those reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import arena
from games.tree import Tree, tree_of
from solvers.certificates import certify
from solvers.search.on_tree import search_everywhere

__all__ = ["GAMES", "Choice", "blueprints", "choose", "exploitability"]

GAMES: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("kuhn_poker", {}),
    ("liars_dice", {"dice_sides": 2}),
    ("liars_dice", {"dice_sides": 3}),
    ("dark_hex", {"board_size": 2, "gameversion": "adh"}),
    ("goofspiel", {"num_cards": 4, "imp_info": True, "points_order": "descending"}),
)
"""The games that the choice is made on."""

STEPS = (1.25, 2.5, 5.0, 10.0, 20.0)
TEMPERATURES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Choice:
    """A pair, in units of a game's range of payoffs, and its largest ratio.

    Attributes:
        step: η times the range.
        temperature: α over the range.
        worst: the largest ratio of exploitability with search to that without.
    """

    step: float
    temperature: float
    worst: float


def blueprints(game: Any, tree: Tree) -> dict[str, Any]:
    """Return what is searched from, by name: behaviours, shape (Q,)."""
    solved = arena.solve(game, "cfr", iterations=10).policy
    return {"uniform": tree.uniform(), "cfr, 10 iterations": tree.from_table(solved)}


def exploitability(tree: Tree, behaviour: Any) -> float:
    """Return the exact exploitability of a behaviour, shape (Q,)."""
    return float(certify(tree, behaviour)["exploitability"].value)


def choose(games: Sequence[tuple[str, Mapping[str, Any]]] = GAMES) -> list[Choice]:
    """Return all pairs of the grid, the best first."""
    cases = []
    for name, params in games:
        game = arena.make(name, **params)
        tree = tree_of(game)
        low, high = game.payoff_bounds
        for behaviour in blueprints(game, tree).values():
            cases.append((tree, high - low, behaviour, exploitability(tree, behaviour)))
    out = []
    for step in STEPS:
        for temperature in TEMPERATURES:
            worst = 0.0
            for tree, scale, behaviour, before in cases:
                found = search_everywhere(
                    tree, behaviour, step=step / scale, temperature=temperature * scale
                )
                worst = max(worst, exploitability(tree, found.behaviour) / before)
            out.append(Choice(step, temperature, worst))
    return sorted(out, key=lambda choice: choice.worst)
