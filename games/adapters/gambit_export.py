"""Any game with an enumerable tree as an extensive form, to be saved as `.efg`.

1. Walk the tree from `Game.root()`, depth first.
2. Where seats move at once, let them move in turn; the later ones do not know.
3. Number infosets by the keys of observations; pay at the leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from arena.errors import FormError, ParameterError
from arena.game import Game, State
from arena.types import CHANCE, Discrete
from games.adapters.gambit_forms import Efg, EfgNode, Infoset, Outcome

__all__ = ["to_efg"]


def to_efg(game: Game, *, max_nodes: int = 1_000_000) -> Efg:
    """Return the extensive form of a game.

    Args:
        game: its actions are discrete and its chance can be enumerated.
        max_nodes: a larger tree is refused.

    Raises:
        FormError: the game's chance cannot be enumerated, its actions are not discrete, or
            its observations have no keys.
        ParameterError: the tree has more nodes.
    """
    if not all(isinstance(space, Discrete) for space in game.actions):
        raise FormError(game.key, "efg", sorted(game.forms))
    return _Walk(game, max_nodes).efg


class _Walk:
    def __init__(self, game: Game, max_nodes: int) -> None:
        self.game = game
        self.max_nodes = max_nodes
        self.efg = Efg(game.summary or game.key, game.seat_names, game.key)
        self._numbers: dict[tuple[int, Any], int] = {}
        self._outcomes: dict[tuple[float, ...], int] = {}
        # (state, seats of a joint move still to choose, what the others chose, parent)
        stack: list[tuple[State, tuple[int, ...], dict[int, int], int | None]] = []
        root = game.root()
        stack.append((root, root.actors(), {}, None))
        while stack:
            state, waiting, chosen, parent = stack.pop()
            position = self._add(state, waiting, parent)
            branches: Sequence[int] = ()
            if waiting == (CHANCE,):
                branches = [o for o, p in state.chance_outcomes() if p > 0]  # type: ignore[attr-defined]
            elif waiting:
                branches = state.legal(waiting[0]) or ()
            # Pushed in reverse, so that children come off in order and nodes in prefix order.
            for action in reversed(branches):
                joint = {**chosen, waiting[0]: action}
                if len(waiting) > 1:
                    stack.append((state, waiting[1:], joint, position))
                else:
                    after = state.clone()
                    after.step(joint)
                    stack.append((after, after.actors(), {}, position))

    def _add(self, state: State, waiting: tuple[int, ...], parent: int | None) -> int:
        position = len(self.efg.nodes)
        if position >= self.max_nodes:
            raise ParameterError("max_nodes", self.max_nodes, f"more: {self.game.key} is larger")
        node = EfgNode()
        if not waiting:
            node.outcome = self._outcome(state)
        else:
            node.seat = waiting[0]
            node.infoset = self._infoset(state, waiting[0])
        self.efg.nodes.append(node)
        if parent is not None:
            self.efg.nodes[parent].children.append(position)
        return position

    def _infoset(self, state: State, seat: int) -> int:
        chances: tuple[Fraction, ...] = ()
        if seat == CHANCE:
            pairs = [(o, p) for o, p in state.chance_outcomes() if p > 0]  # type: ignore[attr-defined]
            weights = [Fraction(p).limit_denominator(10**9) for _, p in pairs]
            chances = tuple(w / sum(weights) for w in weights)
            names = tuple(str(o) for o, _ in pairs)
            key: Any = (names, chances)
            label = ""
        else:
            seen = state.observe(seat)
            if seen.key is None:
                raise FormError(self.game.key, "efg", sorted(self.game.forms))
            key = label = seen.key
            names = tuple(_label(self.game.describe_action(seat, a)) for a in seen.actions or ())
        known = self._numbers.get((seat, key))
        if known is None:
            known = 1 + sum(owner == seat for owner, _ in self._numbers)
            self._numbers[seat, key] = known
            if len(set(names)) < len(names):
                names = tuple(f"{i} {name}" for i, name in enumerate(names))
            # Gambit wants labels of single-spaced text that differ within a seat.
            label = _label(label) if seat != CHANCE else f"chance {known}"
            if any(s == seat and i.name == label for (s, _), i in self.efg.infosets.items()):
                label += f" ({known})"
            self.efg.infosets[seat, known] = Infoset(label, names, chances)
        return known

    def _outcome(self, state: State) -> int:
        payoffs = tuple(float(v) for v in state.returns())
        number = self._outcomes.setdefault(payoffs, len(self._outcomes) + 1)
        self.efg.outcomes[number] = Outcome("", tuple(Fraction(str(v)) for v in payoffs))
        return number


def _label(text: str) -> str:
    return " ".join(text.split())
