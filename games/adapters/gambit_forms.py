"""What Gambit's files hold: extensive and strategic forms with the names of a file.

Numbers stay exact: integers, decimals (`.5`, `1e-3`) and ratios (`1/3`) are fractions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from games.normal_form import NormalForm

__all__ = ["Efg", "EfgNode", "Infoset", "Nfg", "Outcome", "outcome_sums"]


class Outcome(NamedTuple):
    """What the seats are paid where the outcome stands, shape (n,)."""

    name: str
    payoffs: tuple[Fraction, ...]


class Infoset(NamedTuple):
    """The actions of an information set; `chances` holds their probabilities if it is chance's."""

    name: str
    actions: tuple[str, ...]
    chances: tuple[Fraction, ...] = ()


@dataclass
class EfgNode:
    """A node of the tree.

    Attributes:
        name: its label.
        seat: who moves; CHANCE, or None at a terminal node.
        infoset: the number of its information set among those of the seat.
        outcome: number of the outcome that is paid on reaching the node, 0 for none.
        children: positions of the nodes that the actions lead to.
    """

    name: str = ""
    seat: int | None = None
    infoset: int = 0
    outcome: int = 0
    children: list[int] = field(default_factory=list)


@dataclass
class Efg:
    """An extensive form, its nodes in prefix order.

    Attributes:
        title: the title.
        players: the names of the seats, length n.
        comment: free text.
        nodes: the root first.
        infosets: by seat (CHANCE too) and number.
        outcomes: by number.
    """

    title: str
    players: tuple[str, ...]
    comment: str = ""
    nodes: list[EfgNode] = field(default_factory=list)
    infosets: dict[tuple[int, int], Infoset] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)


@dataclass(frozen=True)
class Nfg:
    """A strategic form with the names that a file gives it."""

    form: NormalForm
    players: tuple[str, ...]
    comment: str = ""


def outcome_sums(game: Efg) -> Mapping[int, tuple[Fraction, ...]]:
    """Return, by terminal node, all that was paid on the way to it, shape (n,) each."""
    nothing = (Fraction(0),) * len(game.players)
    ends: dict[int, tuple[Fraction, ...]] = {}
    paid: list[tuple[Fraction, ...]] = [nothing] * len(game.nodes)
    for position, node in enumerate(game.nodes):  # prefix order: parents come first
        if node.outcome:
            here = game.outcomes[node.outcome].payoffs
            paid[position] = tuple(a + b for a, b in zip(paid[position], here, strict=True))
        for child in node.children:
            paid[child] = paid[position]
        if node.seat is None:
            ends[position] = paid[position]
    return ends
