"""Strategies for repeated matrix games: `scripted/<name>`.

`agents.scripted.table` lists those for 2×2 games, `agents.scripted.learner` the learning
rules for any matrix game.
"""

from __future__ import annotations

from typing import Any

from agents.scripted.agent import Scripted
from agents.scripted.learner import LEARNERS, Learner
from agents.scripted.table import STRATEGIES
from arena.errors import UnknownNameError
from arena.registry import Info

__all__ = ["FAMILY", "Learner", "Scripted", "ScriptedFamily"]


class ScriptedFamily:
    """`scripted/<name>`: strategies for 2×2 games and learning rules for any matrix game."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return sorted([*STRATEGIES, *LEARNERS])

    def info(self, name: str) -> Info:
        """Describe one of them."""
        entry = STRATEGIES.get(name) or LEARNERS.get(name)
        if entry is None:
            raise self._unknown(name)
        plays = "2×2 games" if name in STRATEGIES else "matrix games"
        summary = entry.summary
        return Info(
            f"scripted/{name}",
            summary,
            {"plays": plays, "citation": entry.citation},
            "arena",
        )

    def make(self, name: str, **params: Any) -> Scripted | Learner:
        """Make one of them.

        Raises:
            UnknownNameError: of a strategy or parameter, with the nearest names.
            ParameterError: a value of the wrong type or range.
        """
        if name in STRATEGIES:
            return Scripted(name, **params)
        if name in LEARNERS:
            return Learner(name, **params)
        raise self._unknown(name)

    def _unknown(self, name: str) -> UnknownNameError:
        return UnknownNameError("strategy", name, self.names())


FAMILY = ScriptedFamily()
