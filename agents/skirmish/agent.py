"""The agent around a built-in player's kernel; it goes by what its unit sees alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError, UnknownNameError
from arena.game import Game, Observation
from arena.rng import stream_states
from games.batch import BatchObservation
from games.skirmish import OPPONENTS, Battle
from games.skirmish import layout as at

__all__ = ["BOTS", "SkirmishBot"]

BOTS: dict[str, str] = {
    "closest": "SMAX's heuristic: shoots the closest in range, walks to whom it sees",
    "focus_fire": "shoots who is nearest to death, steps back from whom it outranges",
    "idle": "stands still",
    "random": "SMAX's heuristic with random targets",
}
"""Name to what it does; the numbers are those of `games.skirmish.OPPONENTS`."""


class SkirmishBot:
    """Plays one unit as a built-in opponent does.

    Args:
        name: one of `BOTS`.

    Raises:
        UnknownNameError: there is no such player.
    """

    version = "1"

    def __init__(self, name: str) -> None:
        if name not in BOTS:
            raise UnknownNameError("skirmish player", name, BOTS)
        self.name = name
        self.stochastic = name in ("closest", "random")  # where to walk, and whom to shoot

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new battle.

        Raises:
            AgentError: the game is not a skirmish.
        """
        self.begin_batch(game, seat, np.array([seed & (1 << 64) - 1], dtype=np.uint64))

    def begin_batch(self, game: Game, seat: int, seeds: NDArray[np.uint64]) -> None:
        """Start N battles."""
        if "skirmish" not in game.forms:
            raise AgentError(f"skirmish/{self.name} plays battles, not {game.key}")
        self._battle: Battle = game.form("skirmish")
        self._seat = seat
        self._streams = stream_states(seeds)
        self._memory = np.full(len(seeds), -1, dtype=np.int32)

    def act(self, observation: Observation) -> int:
        """Return the action of the unit."""
        return int(self._act(observation, np.ones(1, dtype=np.bool_))[0])

    def act_batch(self, observation: BatchObservation) -> NDArray[np.int64]:
        """Return the actions that `act` would return, shape (N,)."""
        return self._act(observation, observation.live)

    def _act(self, observation: Any, live: NDArray[np.bool_]) -> NDArray[np.int64]:
        # numba is heavy: whoever only lists or describes agents never loads it.
        from games.skirmish._kernels import choose_all

        world: at.World | None = getattr(observation, "world", None)
        if world is None:
            raise AgentError(f"skirmish/{self.name} was shown an observation that is no battle's")
        battle, seat = self._battle, self._seat
        world.marks[:, at.MEMORY, seat] = self._memory
        out = np.zeros(len(live), dtype=np.int64)
        kind, streams = OPPONENTS[self.name], self._streams
        choose_all(kind, world, battle.rules, battle.ground, seat, live, streams, out)
        self._memory = np.where(live, world.marks[:, at.MEMORY, seat], self._memory)
        return out

    def close(self) -> None:
        """Nothing to release."""
