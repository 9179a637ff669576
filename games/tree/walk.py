"""Walking a game's histories, through its `State` or, where it offers one, a faster `Cursor`.

A `Cursor` is an optional hook: a state with a method `cursor()` returns one, and the
compiler then walks the engine's own objects without a `State` around each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from arena.errors import NotApplicableError
from arena.game import State
from arena.types import CHANCE

__all__ = ["SIMULTANEOUS", "TERMINAL", "Cursor", "Look", "cursor_of"]

TERMINAL = -2
SIMULTANEOUS = -3


class Look(NamedTuple):
    """What a history is.

    Attributes:
        seat: who moves: a seat, `CHANCE`, `TERMINAL` or `SIMULTANEOUS`.
        actions: legal actions, or chance outcomes; at a simultaneous move a tuple
            `(seat, actions, key)` for each seat that moves; empty at the end.
        more: the infoset key of a seat, the probabilities of chance, the returns at the end.
    """

    seat: int
    actions: Sequence[Any]
    more: Any


@dataclass(frozen=True)
class Cursor:
    """Functions over opaque positions, none of which is ever modified.

    Attributes:
        root: the initial position.
        look: position to `Look` (or an equal tuple).
        child: (position, action or chance outcome) to position.
        joint: (position, {seat: action}) to position, after a simultaneous move.
    """

    root: Any
    look: Callable[[Any], tuple[int, Sequence[Any], Any]]
    child: Callable[[Any, int], Any]
    joint: Callable[[Any, dict[int, int]], Any]


def cursor_of(root: State, game: str) -> Cursor:
    """Return the state's own cursor, or one over the `State` protocol.

    Args:
        root: a state whose chance nodes are exposed.
        game: named in errors.

    Raises:
        NotApplicableError: later, from `look`, when a seat has no infoset key or its actions
            are not discrete.
    """
    own = getattr(root, "cursor", None)
    if own is not None:
        made: Cursor = own()
        return made

    def decision(state: State, seat: int) -> tuple[int, Sequence[int], str]:
        actions = state.legal(seat)
        key = state.observe(seat).key
        if actions is None or key is None:
            lacks = "discrete actions" if actions is None else "infoset keys (observation.key)"
            raise NotApplicableError(f"{game} has no {lacks} for seat {seat}, so it has no tree")
        return seat, [int(a) for a in actions], key

    def look(state: State) -> tuple[int, Sequence[Any], Any]:
        actors = state.actors()
        if not actors:
            return TERMINAL, (), state.returns()
        if actors == (CHANCE,):
            outcomes = state.chance_outcomes()  # type: ignore[attr-defined] # a root() offers it
            return CHANCE, [int(o) for o, _ in outcomes], [p for _, p in outcomes]
        if len(actors) == 1:
            return decision(state, actors[0])
        return SIMULTANEOUS, [decision(state, seat) for seat in actors], None

    def child(state: State, action: int) -> State:
        twin = state.clone()
        twin.step({twin.actors()[0]: action})
        return twin

    def joint(state: State, actions: dict[int, int]) -> State:
        twin = state.clone()
        twin.step(dict(actions))
        return twin

    return Cursor(root, look, child, joint)
