"""Which seats of a battle a policy takes, and how it sees the field there."""

from __future__ import annotations

from typing import Any

from arena.game import Game
from arena.registry import GAMES

__all__ = ["Sides"]

_ASIDE = (
    "side",
    "opponent",
    "reward",
    "reward_only_positive",
    "reward_death_value",
    "reward_win",
    "reward_defeat",
    "reward_negative_scale",
    "reward_scale",
    "reward_scale_rate",
    "state_last_action",
    "state_timestep_number",
    "obs_instead_of_state",
    "collision",
    "limit",
)
"""Parameters of battles that do not change what a unit sees and can do."""


class Sides:
    """The rule for policies of all learners.

    In a skirmish a policy of one team plays either team of the same battle with `side="both"`:
    seats of team 1 see the field turned (`games.skirmish.turn`). Elsewhere it plays its own
    game and sees it as it is.

    Args:
        game: the key of the game that the policy is for.
        inputs: numbers that it observes.
        actions: how many it has.
        turned: whether it has learned team 1 turned, too, where its own game has both.
    """

    def __init__(self, game: str, inputs: int, actions: int, *, turned: bool) -> None:
        self._game, self._sizes, self._turned = game, (inputs, actions), turned
        self._view: tuple[int, Any] | None = None

    def plays(self, game: Game, seat: int) -> bool:
        """Whether the policy can take this seat of a game.

        It can in its own, and in the same battle with another opponent, reward, limit or side,
        where units see and do the same.
        """
        if game.key == self._game:
            return True
        if "skirmish" not in game.forms or not self._game.startswith("skirmish/"):
            return False
        own: Game = GAMES.factory(self._game)()
        if own.id != game.id:
            return False
        mine, other = ({k: v for k, v in g.params.items() if k not in _ASIDE} for g in (own, game))
        battle = game.form("skirmish")
        team = int(seat >= battle.allies)
        return mine == other and self._sizes == (battle.obs_sizes[team], battle.actions[team])

    def view(self, seat: int) -> tuple[int, Any]:
        """Return which agent a seat is, and how it sees the field if that is turned."""
        if not self._game.startswith("skirmish/"):
            return seat, None
        if self._view is None:
            from games.skirmish.battle import Battle
            from games.skirmish.turn import half_turn

            battle: Battle = GAMES.factory(self._game)().form("skirmish")
            turns = self._turned or not battle.both
            self._view = (battle.allies, half_turn(battle)) if turns else (battle.seats, None)
        allies, turn = self._view
        return (seat - allies, turn) if seat >= allies else (seat, None)
