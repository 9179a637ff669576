"""Bots for Hanabi: `hanabi/<name>`, the ones that papers compare with."""

from __future__ import annotations

from typing import Any

from agents.hanabi.agent import HanabiBot
from agents.hanabi.table import BOTS, Bot
from arena.errors import UnknownNameError
from arena.registry import Info

__all__ = ["BOTS", "FAMILY", "Bot", "HanabiBot", "HanabiFamily"]


class HanabiFamily:
    """`hanabi/<name>`."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return sorted(BOTS)

    def info(self, name: str) -> Info:
        """Describe one of them."""
        if name not in BOTS:
            raise UnknownNameError("Hanabi bot", name, BOTS)
        bot = BOTS[name]
        tags = {"plays": "hanabi", "citation": bot.citation}
        return Info(f"hanabi/{name}", bot.summary, tags, "arena")

    def make(self, name: str, **params: Any) -> HanabiBot:
        """Make one of them; they take no parameters.

        Raises:
            UnknownNameError: of a bot or a parameter.
        """
        for given in params:
            raise UnknownNameError(f"parameter of hanabi/{name}", given, (), hint="it takes none")
        return HanabiBot(name)


FAMILY = HanabiFamily()
