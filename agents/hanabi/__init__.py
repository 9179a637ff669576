"""Bots for Hanabi: `hanabi/<name>`, the ones that papers compare with."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any

from agents.hanabi.agent import HanabiBot
from agents.hanabi.table import BOTS, LEARNED, Bot
from agents.network import NetworkAgent
from arena.errors import UnknownNameError
from arena.registry import Info
from arena.solver import load_policy

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
        return sorted([*BOTS, *SEARCHES, *LEARNED])

    def info(self, name: str) -> Info:
        """Describe one of them."""
        if name in LEARNED:
            return Info(f"hanabi/{name}", LEARNED[name][1], {"plays": "hanabi"}, "arena")
        if name in SEARCHES:
            tags = {"plays": "hanabi", "citation": "Sokota et al. 2024; Lerer et al. 2020"}
            return Info(f"hanabi/{name}", SEARCHES[name], tags, "arena")
        bot = BOTS[self._known(name)]
        tags = {"plays": "hanabi", "citation": bot.citation}
        return Info(f"hanabi/{name}", bot.summary, tags, "arena")

    def make(self, name: str, **params: Any) -> Any:
        """Make one of them; networks take `greedy`, searches the parameters of `HanabiSearch`.

        Raises:
            UnknownNameError: of a bot or a parameter.
        """
        takes = self._parameters(name)
        for given in params:
            if given not in takes:
                hint = f"it takes {', '.join(takes) or 'none'}"
                raise UnknownNameError(f"parameter of hanabi/{name}", given, takes, hint=hint)
        if name in SEARCHES:
            from agents.hanabi import searching

            return getattr(searching, name)(**params)
        if name in LEARNED:
            policy = load_policy(Path(__file__).parent / "weights" / LEARNED[name][0])
            return NetworkAgent(policy, name=f"hanabi/{name}", **params)
        return HanabiBot(self._known(name))

    def _parameters(self, name: str) -> tuple[str, ...]:
        if name in SEARCHES:
            from agents.hanabi.searching import HanabiSearch

            return tuple(signature(HanabiSearch).parameters)
        return ("greedy",) if name in LEARNED else ()

    def _known(self, name: str) -> str:
        if name not in BOTS:
            raise UnknownNameError("Hanabi bot", name, self.names())
        return name


FAMILY = HanabiFamily()
