"""Scripted players of battles: `skirmish/<name>`, the built-in opponents as agents."""

from __future__ import annotations

from typing import Any

from agents.skirmish.agent import BOTS, SkirmishBot
from arena.errors import UnknownNameError
from arena.registry import Info

__all__ = ["BOTS", "FAMILY", "SkirmishAgents", "SkirmishBot"]


class SkirmishAgents:
    """`skirmish/<name>`."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return sorted(BOTS)

    def info(self, name: str) -> Info:
        """Describe one of them."""
        if name not in BOTS:
            raise UnknownNameError("skirmish player", name, BOTS)
        return Info(f"skirmish/{name}", BOTS[name], {"plays": "skirmish"}, "arena")

    def make(self, name: str, **params: Any) -> SkirmishBot:
        """Make one of them; they take no parameters.

        Raises:
            UnknownNameError: of a player or a parameter.
        """
        for given in params:
            raise UnknownNameError(f"parameter of skirmish/{name}", given, (), hint="it takes none")
        return SkirmishBot(name)


FAMILY = SkirmishAgents()
