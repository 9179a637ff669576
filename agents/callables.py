"""A plain function `f(observation) -> action` as an agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from arena.errors import AgentError
from arena.game import Game, Observation
from arena.types import Action

__all__ = ["CallableAgent"]


class CallableAgent:
    """Asks a function for every move.

    Args:
        choose: from an observation to an action.
        name: for messages.
        version: told apart in results.
    """

    def __init__(
        self, choose: Callable[[Observation], Any], *, name: str = "", version: str = "1"
    ) -> None:
        if not callable(choose):
            raise AgentError(f"{choose!r} is not a function f(observation) -> action")
        self.name = name or getattr(choose, "__name__", type(choose).__name__)
        self.version = version
        self._choose = choose

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Nothing to prepare: the function sees observations only."""

    def act(self, observation: Observation) -> Action:
        """Return the function's answer.

        Raises:
            AgentError: it is no action at all.
        """
        action: Action = self._choose(observation)
        if type(action) is int or isinstance(action, np.integer | np.ndarray):
            return action
        hint = ""
        if hasattr(action, "act") or isinstance(action, type):
            hint = f": {self.name} makes agents, so that its arguments must be given as parameters"
        raise AgentError(
            f"{self.name} answered {_short(action)}, not an action number or array{hint}"
        )

    def close(self) -> None:
        """Nothing to release."""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
