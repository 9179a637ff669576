"""The games `starcraft/<map>` and `starcraft/minigame/<name>`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arena.errors import UnknownNameError
from arena.game import Game
from arena.registry import Info
from games.skirmish import form as skirmish
from games.starcraft import install, minigame
from games.starcraft.battle import EngineBattle, names

__all__ = ["FAMILY", "StarCraftFamily"]

VERSION = "1"
_CITATION = (
    "Samvelyan et al. 2019, The StarCraft Multi-Agent Challenge, AAMAS; Ellis et al. 2023,"
    " SMACv2, NeurIPS; Vinyals et al. 2017, StarCraft II: A New Challenge for RL"
)
_PREFIX = "minigame/"


class StarCraftFamily:
    """`starcraft/<map>` and `starcraft/minigame/<name>`, in the real engine."""

    def names(self) -> list[str]:
        """Return the maps and the mini-games."""
        return [*names(), *(_PREFIX + name for name in minigame.MINIGAMES)]

    def info(self, name: str) -> Info:
        """Describe one of them; nothing of StarCraft II is needed for it."""
        absent = install.missing()
        if name.startswith(_PREFIX):
            tags = {"seats": "1", "turns": "sequential"}
            summary = minigame.summary(name.removeprefix(_PREFIX))
        else:
            battle = _battle(name, {})
            summary = f"{skirmish.make(battle).summary} in StarCraft II"
            tags = {
                "seats": str(battle.allies),
                "payoff": "cooperative",
                "turns": "simultaneous",
            }
        return Info(f"starcraft/{name}", summary, tags, "pysc2", absent)

    def make(self, name: str, **params: Any) -> Game:
        """Make one of them; see `EngineBattle` and `Minigame` for the parameters.

        Returns:
            A game with the form `state`. A battle has the forms `skirmish` (the battle's
            description) and `engines` (the `Pool` of running engines) too.

        Raises:
            UnknownNameError: of a map, a parameter or a choice.
            ParameterError: a value out of range.
            MissingDependencyError: pysc2, the engine or the map is not installed.
        """
        if name.startswith(_PREFIX):
            return minigame.make(name.removeprefix(_PREFIX), params)
        return make(_battle(name, params))


def _battle(name: str, params: dict[str, Any]) -> EngineBattle:
    if name not in names() and "_vs_" not in name:
        hint = "`arena list games --grep starcraft/` shows all"
        raise UnknownNameError("map of starcraft", name, FAMILY.names(), hint=hint)
    return EngineBattle.of(name, params)


def make(battle: EngineBattle) -> Game:
    """Return a battle as a game.

    Raises:
        MissingDependencyError: pysc2, the engine or the map is not installed.
    """
    install.check(battle.map_path, where=battle.where)
    pools: list[Any] = []

    def pool() -> Any:
        if not pools:
            from games.starcraft.engine import Pool, Setup
            from games.starcraft.process import interface

            races = battle.races
            pools.append(
                Pool(
                    Setup(
                        map_path=battle.map_path,
                        races=races if battle.both else races[:1],
                        computer=None if battle.both else races[1],
                        difficulty=battle.difficulty,
                        version=battle.game_version,
                        port=battle.port,
                        timeout=battle.timeout,
                        interface=interface(),
                    )
                )
            )
        return pools[0]

    def state(seed: int | None) -> Any:
        from games.starcraft.state import start

        return start(battle, pool(), seed)

    plain = skirmish.make(battle)
    return replace(
        plain,
        forms={"state": state, "skirmish": lambda: battle, "engines": pool},
        version=f"{VERSION}, StarCraft II {battle.game_version or 'as installed'}",
        summary=f"{plain.summary} in StarCraft II",
        citation=_CITATION,
    )


FAMILY = StarCraftFamily()
