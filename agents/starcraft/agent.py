"""Players of mini-games that look at the feature layers and click, with no learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError, UnknownNameError
from arena.game import Game, Observation

__all__ = ["SCRIPTS", "MinigameScript"]

_OWN, _NEUTRAL, _ENEMY = 1, 3, 4  # values of the layer `player_relative`
_UNSEEN = 0  # value of the layer `visibility_map`


def beacon(seen: Any) -> NDArray[np.int64]:
    """Walks to the middle of what is neutral: MoveToBeacon."""
    goals = _pixels(seen, _NEUTRAL)
    if "Move_screen" not in seen.available or not len(goals):
        return _army(seen)
    # The middle of two things may be neither: the pixel nearest to it is one.
    return _click(seen, "Move_screen", _nearest(goals, goals.mean(axis=0)))


def shards(seen: Any) -> NDArray[np.int64]:
    """Walks to the nearest of what is neutral: CollectMineralShards."""
    goals, own = _pixels(seen, _NEUTRAL), _pixels(seen, _OWN)
    if "Move_screen" not in seen.available or not (len(goals) and len(own)):
        return _army(seen)
    return _click(seen, "Move_screen", _nearest(goals, own.mean(axis=0)))


def fight(seen: Any) -> NDArray[np.int64]:
    """Attacks the nearest enemy, and looks for one where nobody has been: the Defeat games."""
    if "Attack_screen" not in seen.available:
        return _army(seen)
    foes, own = _pixels(seen, _ENEMY), _pixels(seen, _OWN)
    if len(foes) and len(own):
        return _click(seen, "Attack_screen", _nearest(foes, own.mean(axis=0)))
    minimap = seen.layers["feature_minimap"]
    marines = _where(np.asarray(minimap.player_relative) == _OWN)
    unseen = _where(np.asarray(minimap.visibility_map) == _UNSEEN)
    if not len(marines):
        return _call(seen, "no_op")
    here = marines.mean(axis=0)
    x, y = here.astype(int).tolist()
    if not np.asarray(minimap.camera)[y, x]:
        return _call(seen, "move_camera", minimap=(x, y))
    foes = _where(np.asarray(minimap.player_relative) == _ENEMY)
    goals = foes if len(foes) else unseen
    if not len(goals):
        return _call(seen, "no_op")
    return _call(seen, "Attack_minimap", minimap=_nearest(goals, here))


SCRIPTS: dict[str, Callable[[Any], NDArray[np.int64]]] = {
    "beacon": beacon,
    "fight": fight,
    "shards": shards,
}
"""Name to what it does."""


class MinigameScript:
    """Plays a mini-game by a script.

    Args:
        name: one of `SCRIPTS`.

    Raises:
        UnknownNameError: there is no such player.
    """

    version = "1"
    stochastic = False

    def __init__(self, name: str) -> None:
        if name not in SCRIPTS:
            raise UnknownNameError("player of mini-games", name, SCRIPTS)
        self.name = name

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new episode.

        Raises:
            AgentError: the game is no mini-game of StarCraft II.
        """
        if not game.id.startswith("starcraft/minigame/"):
            raise AgentError(f"starcraft/{self.name} plays starcraft/minigame/…, not {game.key}")

    def act(self, observation: Observation) -> NDArray[np.int64]:
        """Return the action."""
        return SCRIPTS[self.name](observation)

    def close(self) -> None:
        """Nothing to release."""


def _call(seen: Any, function: str, **arguments: Any) -> NDArray[np.int64]:
    vector: NDArray[np.int64] = seen.action(function, **arguments)
    return vector


def _click(seen: Any, function: str, pixel: tuple[int, int]) -> NDArray[np.int64]:
    return _call(seen, function, screen=pixel)


def _army(seen: Any) -> NDArray[np.int64]:
    return _call(seen, "select_army" if "select_army" in seen.available else "no_op")


def _pixels(seen: Any, kind: int) -> NDArray[np.int64]:
    return _where(np.asarray(seen.layers["feature_screen"].player_relative) == kind)


def _where(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the pixels of a mask, shape (n, 2): x, y."""
    return np.argwhere(mask)[:, ::-1]


def _nearest(pixels: NDArray[np.int64], to: NDArray[np.floating[Any]]) -> tuple[int, int]:
    x, y = pixels[np.square(pixels - to).sum(axis=1).argmin()].tolist()
    return x, y
