"""The games `starcraft/minigame/<name>`: SC2LE's mini-games with feature layers.

Source: Vinyals et al. 2017, "StarCraft II: A New Challenge for Reinforcement Learning",
arXiv:1708.04782, section 4 and table 1; the maps are pysc2's.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from arena.errors import ParameterError, UnknownNameError
from arena.game import Game
from arena.types import MultiDiscrete
from games.starcraft import install

__all__ = ["MINIGAMES", "Minigame", "make", "summary"]

VERSION = "1"
_CITATION = "Vinyals et al. 2017, StarCraft II: A New Challenge for RL, arXiv:1708.04782"

MINIGAMES: dict[str, tuple[str, int]] = {
    "BuildMarines": ("train marines, as many as possible", 0),
    "CollectMineralShards": ("two marines collect mineral shards", 0),
    "CollectMineralsAndGas": ("mine minerals and gas", 0),
    "DefeatRoaches": ("nine marines against four roaches", -9),
    "DefeatZerglingsAndBanelings": ("nine marines against zerglings and banelings", -9),
    "FindAndDefeatZerglings": ("three marines look for zerglings in the fog", -3),
    "MoveToBeacon": ("a marine walks to a beacon, again and again", 0),
}
"""Name to what it is about and the least score: where enemies fight back a lost marine costs 1."""

_RACE = "terran"


@dataclass(frozen=True)
class Minigame:
    """A mini-game and how it is shown.

    Attributes:
        name: of the map.
        screen: width and height of the screen's feature layers, in pixels.
        minimap: of the minimap's.
        step_mul: game loops of one decision.
        limit: decisions after which the episode is cut off; by default the map ends it.
        timeout: seconds to wait for an answer of the engine before it is taken for dead.
        game_version: of the engine; by default the newest installed.
        port: that the engine listens on; by default any free one.
        replays: folder that takes the engine's replay of every episode that ends.
    """

    name: str
    screen: int = 64
    minimap: int = 64
    step_mul: int = 8
    limit: int | None = None
    timeout: int = 120
    game_version: str | None = None
    port: int | None = None
    replays: str | None = None

    def __post_init__(self) -> None:
        install.check_replays(self.replays, where=self.where)
        for name, least, most in (
            ("screen", 1, 256),
            ("minimap", 1, 256),
            ("step_mul", 1, 1000),
            ("limit", 1, 1 << 30),
            ("timeout", 1, 1 << 30),
            ("port", 1, 65535),
        ):
            value = getattr(self, name)
            if value is None and name in ("limit", "port"):
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ParameterError(
                    name, value, f"an integer from {least} to {most}", where=self.where
                )

    @property
    def where(self) -> str:
        """The id of the game."""
        return f"starcraft/minigame/{self.name}"

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that are not the default ones."""
        values = {f.name: (getattr(self, f.name), f.default) for f in fields(self)[1:]}
        return {name: value for name, (value, default) in values.items() if value != default}


def summary(name: str) -> str:
    """Return what a mini-game is about.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in MINIGAMES:
        raise UnknownNameError("mini-game", name, MINIGAMES)
    return f"{MINIGAMES[name][0]} (SC2LE, feature layers)"


def make(name: str, params: dict[str, Any]) -> Game:
    """Return a mini-game.

    An action is (function, arguments…): pysc2's function and the entries of all of its
    argument types, of which those that the function does not take are not looked at.

    Raises:
        UnknownNameError: of a mini-game or a parameter.
        ParameterError: a value out of range.
        MissingDependencyError: pysc2, the engine or the map is not installed.
    """
    text = summary(name)
    known = [f.name for f in fields(Minigame) if f.name != "name"]
    for given in params:
        if given not in known:
            raise UnknownNameError(f"parameter of starcraft/minigame/{name}", given, known)
    played = Minigame(name, **params)
    map_path = f"mini_games/{name}.SC2Map"
    install.check(map_path, where=played.where)

    from games.starcraft.layers import Layers

    layers = Layers(played)
    pools: list[Any] = []

    def pool() -> Any:
        if not pools:
            from games.starcraft.engine import Pool, Setup

            pools.append(
                Pool(
                    Setup(
                        map_path=map_path,
                        races=(_RACE,),
                        computer=None,
                        version=played.game_version,
                        port=played.port,
                        timeout=played.timeout,
                        interface=layers.interface,
                    )
                )
            )
        return pools[0]

    def state(seed: int | None) -> Any:
        from games.starcraft.minigame_state import start

        return start(layers, pool(), seed)

    return Game(
        id=played.where,
        seats=1,
        actions=(MultiDiscrete(layers.sizes),),
        payoff="general_sum",
        turns="sequential",
        forms={"state": state, "engines": pool},
        params=played.params,
        chance=True,
        payoff_bounds=(float(MINIGAMES[name][1]), float("inf")),
        max_length=played.limit,
        seat_names=("player",),
        version=f"{VERSION}, StarCraft II {played.game_version or 'as installed'}",
        summary=text,
        action_name=lambda _, action: layers.describe(action),
        citation=_CITATION,
    )
