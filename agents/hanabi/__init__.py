"""Bots for Hanabi: `hanabi/<name>`, the ones that papers compare with."""

from __future__ import annotations

from inspect import signature
from typing import Any

from agents.hanabi.agent import HanabiBot
from agents.hanabi.table import BOTS, Bot
from arena.errors import UnknownNameError
from arena.registry import Info

__all__ = ["BOTS", "FAMILY", "SEARCHES", "Bot", "HanabiBot", "HanabiFamily"]


SEARCHES: dict[str, str] = {
    "mds": "mirror descent search from a blueprint (blueprint=smart, rollouts=1000)",
    "sparta": "single-agent search with exact beliefs from a blueprint (blueprint=smart)",
}
"""Searching agents and what they are."""


class HanabiFamily:
    """`hanabi/<name>`."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return sorted([*BOTS, *SEARCHES])

    def info(self, name: str) -> Info:
        """Describe one of them."""
        if name in SEARCHES:
            tags = {"plays": "hanabi", "citation": "Sokota et al. 2024; Lerer et al. 2020"}
            return Info(f"hanabi/{name}", SEARCHES[name], tags, "arena")
        if name not in BOTS:
            raise UnknownNameError("Hanabi bot", name, self.names())
        bot = BOTS[name]
        tags = {"plays": "hanabi", "citation": bot.citation}
        return Info(f"hanabi/{name}", bot.summary, tags, "arena")

    def make(self, name: str, **params: Any) -> Any:
        """Make one of them; bots take no parameters, searches those of `HanabiSearch`.

        Raises:
            UnknownNameError: of a bot or a parameter.
        """
        if name in SEARCHES:
            from agents.hanabi import searching

            try:
                return getattr(searching, name)(**params)
            except TypeError as error:
                known = signature(searching.HanabiSearch).parameters
                for given in params:
                    if given not in known:
                        raise UnknownNameError(
                            f"parameter of hanabi/{name}", given, known
                        ) from error
                raise
        for given in params:
            raise UnknownNameError(f"parameter of hanabi/{name}", given, (), hint="it takes none")
        return HanabiBot(name)


FAMILY = HanabiFamily()
