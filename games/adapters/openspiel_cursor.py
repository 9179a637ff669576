"""A `Cursor` over raw `pyspiel` states, for compiling trees (see `games.tree.walk`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyspiel

from arena.errors import NotApplicableError
from arena.types import CHANCE
from games.tree.walk import SIMULTANEOUS, TERMINAL, Cursor

__all__ = ["raw_cursor"]

_CHANCE_PLAYER = int(pyspiel.PlayerId.CHANCE)
_SIMULTANEOUS_PLAYER = int(pyspiel.PlayerId.SIMULTANEOUS)
_TERMINAL_PLAYER = int(pyspiel.PlayerId.TERMINAL)


def raw_cursor(root: Any) -> Cursor:
    """Return a cursor whose positions are `pyspiel` states; infoset keys as in observations.

    Raises:
        NotApplicableError: the game draws chance inside, or is a mean-field game; later, from
            `look`, that it has no information-state strings.
    """
    game = root.get_game()
    facts = game.get_type()
    name, seats = str(game), range(game.num_players())
    if facts.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        raise NotApplicableError(f"{name} draws chance inside OpenSpiel, so it has no tree")
    if facts.dynamics == pyspiel.GameType.Dynamics.MEAN_FIELD:
        raise NotApplicableError(f"{name} is a mean-field game, so it has no tree")
    strings = bool(facts.provides_information_state_string)
    perfect = facts.information == pyspiel.GameType.Information.PERFECT_INFORMATION
    # Unbound methods of the engine's class spare a look-up at every node.
    kind = type(root)
    current, legal, string = kind.current_player, kind.legal_actions, kind.information_state_string

    def key(raw: Any, seat: int) -> str:
        if strings:
            found: str = string(raw, seat)
            return found
        if perfect:
            return " ".join(map(str, raw.history()))
        raise NotApplicableError(
            f"{name} has no infoset keys (information-state strings), so it has no tree"
        )

    def look(raw: Any) -> tuple[int, Sequence[Any], Any]:
        player = current(raw)
        if player >= 0:
            return player, legal(raw), key(raw, player)
        if player == _TERMINAL_PLAYER:
            return TERMINAL, (), raw.returns()
        if player == _CHANCE_PLAYER:
            outcomes = raw.chance_outcomes()
            # Games written in Python list what they like, such as members of an enumeration.
            return CHANCE, [int(o) for o, _ in outcomes], [p for _, p in outcomes]
        if player != _SIMULTANEOUS_PLAYER:
            raise NotApplicableError(f"{name} has a player {player}, so it has no tree")
        movers = [(seat, raw.legal_actions(seat)) for seat in seats]
        return SIMULTANEOUS, [(s, acts, key(raw, s)) for s, acts in movers if acts], None

    def joint(raw: Any, actions: dict[int, int]) -> Any:
        after = raw.clone()
        after.apply_actions([actions.get(seat, 0) for seat in seats])
        return after

    return Cursor(root, look, kind.child, joint)
