"""Update-equivalent search at every infoset of a tree at once, with exact action values.

1. q(I, a) = E[payoff | infoset I, action a, then everybody follows the blueprint], the
   belief over histories being the one that the blueprint of the others implies.
2. The step (1) or (2) of `solvers.search.step` at every infoset. Where the others' blueprint
   never lets the seat come, no belief exists: the blueprint stays, and is counted.

The table of the answers is what an agent plays that searches at each of its decisions with
unlimited play-outs, so its exploitability is the search's.

Source: Sokota et al. 2024, "The update-equivalence framework for decision-time planning",
ICLR, sections 3 to 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from games.tree import Tree

__all__ = ["Searched", "action_values", "search_everywhere"]

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Searched:
    """The policy of a search.

    Attributes:
        behaviour: probabilities by sequence, shape (Q,).
        unreached: infosets that the others' blueprint never reaches.
    """

    behaviour: Reals
    unreached: int


def action_values(tree: Tree, behaviour: Reals) -> tuple[Reals, Reals]:
    """Return q by sequence, shape (Q,), and the others' reach of each infoset, shape (I,).

    Args:
        tree: of any number of seats, with perfect recall.
        behaviour: the blueprint, shape (Q,).
    """
    from solvers.search._kernels import action_values as run

    values, weights = np.zeros(tree.n_sequences), np.zeros(tree.n_infosets)
    for seat in range(tree.seats):
        run(
            seat,
            tree.parent,
            tree.seat,
            tree.infoset,
            tree.first_child,
            tree.chance,
            tree.terminals,
            tree.payoffs,
            tree.info_first,
            behaviour,
            values,
            weights,
        )
    owner = _owners(tree)
    played = tree.sequence_action >= 0
    reach = np.ones(tree.n_sequences)
    reach[played] = np.where(weights[owner] > 0.0, weights[owner], 1.0)
    return values / reach, weights


def search_everywhere(
    tree: Tree,
    behaviour: Reals,
    *,
    step: float,
    temperature: float = 0.0,
    magnet: Reals | None = None,
) -> Searched:
    """Return what search from a blueprint plays, at every infoset of the tree.

    Args:
        tree: with perfect recall.
        behaviour: the blueprint π, shape (Q,).
        step: η, in 1 / payoff units.
        temperature: α; 0 for plain mirror ascent.
        magnet: ρ, shape (Q,); uniform by default.
    """
    values, weights = action_values(tree, behaviour)
    rho = tree.uniform() if magnet is None else magnet
    with np.errstate(divide="ignore"):
        logits = np.log(behaviour) + step * values + temperature * step * np.log(rho)
    logits /= 1.0 + temperature * step
    played = tree.sequence_action >= 0
    owner = _owners(tree)
    starts = np.searchsorted(owner, np.arange(tree.n_infosets))
    own = logits[played]
    own = np.exp(own - np.maximum.reduceat(own, starts)[owner])
    own /= np.add.reduceat(own, starts)[owner]
    out = np.ones(tree.n_sequences)
    out[played] = np.where(weights[owner] > 0.0, own, behaviour[played])
    return Searched(out, int((weights <= 0.0).sum()))


def _owners(tree: Tree) -> NDArray[np.int64]:
    """Return the infoset of every sequence that is not empty, increasing."""
    return np.repeat(np.arange(tree.n_infosets), tree.info_actions)
