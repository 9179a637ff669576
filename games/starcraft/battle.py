"""What is played in the real engine: a map of SMAC or SMACv2, checked, and its ground."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError, UnknownNameError
from games.skirmish import layout as at
from games.skirmish import maps
from games.skirmish.battle import Battle
from games.skirmish.options import check_names
from games.skirmish.units import AIR, GROUND, UnitType
from games.starcraft import install

__all__ = ["EngineBattle", "Field", "names"]

_FLAT = "32x32_flat"
_NOT_HERE = ("mode", "opponent", "collision", "map")
_DIFFICULTIES = "123456789A"


def names() -> list[str]:
    """Return the maps: SMAC's, and SMACv2's with drawn armies."""
    return [name for name in maps.names() if not name.startswith("smacv2_")]


@dataclass(frozen=True)
class EngineBattle(Battle):
    """A battle in StarCraft II; what it shares with `games.skirmish.battle.Battle` is the same.

    Attributes:
        difficulty: of the built-in opponent, `1` (very easy) to `9`, or `A`; SMAC's is `7`.
        timeout: seconds to wait for an answer of the engine before it is taken for dead.
        game_version: of the engine, such as `4.10`; by default the newest installed.
        port: that the engine listens on; by default any free one.
        reset: `game`: every episode is a new game with its own seed; `units`: as in SMAC, all
            units are removed and the map places new ones, which is faster, but the chance of
            an episode then follows from all that went before in the same process.
        replays: folder that takes the engine's replay of every episode that ends.
    """

    difficulty: str = "7"
    timeout: int = 120
    game_version: str | None = None
    port: int | None = None
    reset: str = "game"
    replays: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        where = self.where
        if self.difficulty not in tuple(_DIFFICULTIES):
            raise ParameterError("difficulty", self.difficulty, "'1' to '9' or 'A'", where=where)
        if self.both and self.difficulty != "7":
            raise ParameterError(
                "difficulty", self.difficulty, "none: with side='both' nobody is built in"
            )
        for name, least in (("timeout", 1), ("port", 1)):
            value = getattr(self, name)
            if value is None and name == "port":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ParameterError(name, value, f"an integer ≥ {least}", where=where)
        if self.port is not None and self.port > 65535:
            raise ParameterError("port", self.port, "a port, 1 to 65535", where=where)
        install.check_replays(self.replays, where=where)
        if self.reset not in ("game", "units"):
            raise ParameterError("reset", self.reset, "'game' or 'units'", where=where)
        if self.reset == "units" and self.layout.weights:
            raise ParameterError(
                "reset", self.reset, "'game': this map places no units itself", where=where
            )

    @staticmethod
    def of(name: str, params: dict[str, Any]) -> EngineBattle:
        """Return the battle of a map with these parameters.

        Raises:
            UnknownNameError: of a map, a parameter or a choice.
            ParameterError: a value out of range, or one that others rule out.
        """
        if name.startswith("smacv2_"):
            raise UnknownNameError("map of starcraft", name, names())
        maps.find(name, "starcraft")
        known = [f.name for f in fields(EngineBattle) if f.name not in _NOT_HERE]
        check_names(f"starcraft/{name}", params, known)
        number = params.get("difficulty")
        if isinstance(number, int) and not isinstance(number, bool):
            params = {**params, "difficulty": str(number)}  # the command line has numbers
        return EngineBattle(name, **params)

    @property
    def where(self) -> str:
        """The id of the game."""
        return f"starcraft/{self.map}"

    @property
    def map_path(self) -> str:
        """The map's file below `$SC2PATH/Maps`."""
        return f"SMAC_Maps/{_FLAT if self.layout.weights else self.map}.SC2Map"

    @property
    def races(self) -> tuple[str, str]:
        """The races of the two sides."""
        kinds = {kind.name: kind.race for kind in self.kinds}
        return kinds[self.layout.allies[0][0]], kinds[self.layout.enemies[0][0]]

    def _row(self, kind: UnitType) -> NDArray[np.float32]:
        """Return the statistics of a type: as in SMAC all may be named as targets."""
        out = super()._row(kind)
        out[at.REACH] = GROUND | AIR
        return out


@dataclass(frozen=True)
class Field:
    """The ground of a running game.

    Attributes:
        battle: the battle with the real ground.
        stretch: what x and y of the state vector are multiplied by: SMAC divides by the
            playable area, skirmish by the map.
    """

    battle: EngineBattle
    stretch: tuple[float, float]

    @staticmethod
    def of(battle: EngineBattle, info: Any) -> Field:
        """Take the ground out of a `ResponseGameInfo`."""
        raw = info.start_raw
        wide, high = raw.map_size.x, raw.map_size.y
        area = raw.playable_area
        placed = replace(battle)
        reals = battle.rules.reals.copy()
        reals[at.WIDTH], reals[at.HEIGHT] = wide, high
        ground = at.Ground(
            walls=_walls(raw.pathing_grid, wide, high),
            routes=np.zeros((0, 0), dtype=np.uint8),
            heights=_heights(raw.terrain_height, wide, high),
        )
        # Read-only as those of skirmish are: kernels are compiled apart for others.
        for array in (reals, *ground):
            array.flags.writeable = False
        # Cached properties: what stands in the instance is what they return from now on.
        placed.__dict__["rules"] = battle.rules._replace(reals=reals)
        placed.__dict__["ground"] = ground
        return Field(placed, (wide / (area.p1.x - area.p0.x), high / (area.p1.y - area.p0.y)))


def _walls(grid: Any, wide: int, high: int) -> NDArray[np.uint8]:
    """Return the squares that cannot be walked on, shape (rows, columns), south first.

    Newer engines send one bit a square, 1 where one can walk, south first; older ones a byte,
    0 where one can, north first.
    """
    data = np.frombuffer(grid.data, dtype=np.uint8)
    if grid.bits_per_pixel == 1:
        bits = np.unpackbits(data)[: wide * high].reshape(high, wide)
        return np.ascontiguousarray(1 - bits)
    return np.ascontiguousarray((data.reshape(high, wide)[::-1] != 0).astype(np.uint8))


def _heights(grid: Any, wide: int, high: int) -> NDArray[np.float32]:
    """Return the height of every square, 0 to 1, shape (rows, columns), north first as in SMAC."""
    data = np.frombuffer(grid.data, dtype=np.uint8).reshape(high, wide)[::-1]
    return np.ascontiguousarray((data / 255).astype(np.float32))
