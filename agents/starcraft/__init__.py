"""Scripted players of StarCraft II's mini-games: `starcraft/<name>`."""

from __future__ import annotations

from typing import Any

from agents.starcraft.agent import SCRIPTS, MinigameScript
from arena.errors import UnknownNameError
from arena.registry import Info

__all__ = ["FAMILY", "SCRIPTS", "MinigameScript", "StarCraftAgents"]


class StarCraftAgents:
    """`starcraft/<name>`."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return sorted(SCRIPTS)

    def info(self, name: str) -> Info:
        """Describe one of them."""
        if name not in SCRIPTS:
            raise UnknownNameError("player of mini-games", name, SCRIPTS)
        told = (SCRIPTS[name].__doc__ or "").partition("\n")[0].rstrip(".")
        return Info(f"starcraft/{name}", told, {"plays": "starcraft/minigame"}, "arena")

    def make(self, name: str, **params: Any) -> MinigameScript:
        """Make one of them; they take no parameters.

        Raises:
            UnknownNameError: of a player or a parameter.
        """
        for given in params:
            raise UnknownNameError(
                f"parameter of starcraft/{name}", given, (), hint="it takes none"
            )
        return MinigameScript(name)


FAMILY = StarCraftAgents()
