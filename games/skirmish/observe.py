"""What a seat knows: its observation, its available actions, and a line for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from arena.game import Clock
from games.skirmish import layout as at
from games.skirmish._kernels import hide_all, legal_all, observe_all
from games.skirmish.battle import Battle

if TYPE_CHECKING:
    from games.skirmish.state import SkirmishState

__all__ = ["SkirmishObservation"]


class SkirmishObservation:
    """See `arena.game.Observation`; fields are computed on first use.

    Attributes:
        battle: what is played.
        seat: the unit that looks.
    """

    __slots__ = ("_legal", "_state", "_tensor", "battle", "seat")

    clock: Clock | None = None
    key: str | None = None  # what was seen cannot be told from one moment

    def __init__(self, state: SkirmishState, seat: int) -> None:
        self.battle: Battle = state.battle
        self.seat = seat
        self._state = state
        self._legal: NDArray[np.bool_] | None = None
        self._tensor: NDArray[np.float32] | None = None

    @property
    def legal(self) -> NDArray[np.bool_]:
        """Available actions, none for the dead, shape (A,)."""
        if self._legal is None:
            live = np.zeros(1, dtype=np.bool_)
            legal = np.zeros((1, 1, self._actions), dtype=np.bool_)
            legal_all(
                self._state.world, self.battle.rules, self.battle.ground, self.seat, live, legal
            )
            self._legal = legal[0, 0]
        return self._legal

    @property
    def actions(self) -> list[int]:
        """Available actions in increasing order."""
        found: list[int] = np.flatnonzero(self.legal).tolist()
        return found

    @property
    def tensor(self) -> NDArray[np.float32]:
        """What the unit observes, shape (D,)."""
        if self._tensor is None:
            size = self.battle.obs_sizes[int(self.seat >= self.battle.allies)]
            out = np.zeros((1, 1, size), dtype=np.float32)
            mask = np.zeros((1, 1, self._actions), dtype=np.bool_)
            observe_all(
                self._state.world, self.battle.rules, self.battle.ground, self.seat, mask, out
            )
            self._tensor = out[0, 0]
        return self._tensor

    @property
    def world(self) -> at.World:
        """The episode without the units that the seat does not see (their health is 0)."""
        hidden = at.World(*(array.copy() for array in self._state.world))
        hide_all(self._state.world, self.battle.rules, self.battle.ground, self.seat, hidden)
        return hidden

    @property
    def view(self) -> str:
        """What the unit sees, in words."""
        from games.skirmish.render import unit_view

        return unit_view(self.battle, self.world, self.seat)

    @property
    def _actions(self) -> int:
        return self.battle.actions[int(self.seat >= self.battle.allies)]
