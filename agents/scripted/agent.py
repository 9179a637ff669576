"""The agent around a strategy for repeated 2×2 games."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.scripted.match import Match, Rule
from agents.scripted.table import STRATEGIES
from arena.agent import Agent
from arena.errors import AgentError, UnknownNameError
from arena.game import Game, Observation
from arena.types import Action
from games.repeated.form import last_joint

__all__ = ["Scripted"]


class Scripted:
    """Plays one of `agents.scripted.table.STRATEGIES`.

    Action 0 is cooperation and action 1 defection, whatever the game calls them.

    Args:
        name: the strategy.
        params: its parameters, by name.

    Raises:
        UnknownNameError: there is no such strategy or parameter.
        ParameterError: a value of the wrong type or range.
    """

    version = "1"

    def __init__(self, name: str, **params: Any) -> None:
        if name not in STRATEGIES:
            raise UnknownNameError("strategy", name, STRATEGIES)
        self.name = name
        self.strategy = STRATEGIES[name]
        self.params = self.strategy.checked(f"scripted/{name}", params)
        self.stochastic = self.strategy.stochastic
        self._rule: Rule | None = None

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start the strategy anew.

        Raises:
            AgentError: not a matrix game of two seats with two actions each, repeated or
                not, or its payoffs leave the strategy undefined.
        """
        match = Match(f"scripted/{self.name}", game, seat, seed)
        self._rule = self.strategy.rule(match, *self.strategy.numbers(match, self.params))

    def act(self, observation: Observation) -> Action:
        """Return the next action; to be asked in every round, from the first on."""
        rule = self._rule
        if rule is None:
            raise AgentError(f"scripted/{self.name} was asked to act before it began")
        try:
            last = last_joint(observation)
            return rule.send(last)  # type: ignore[arg-type]  # None starts a generator
        except TypeError as error:
            raise AgentError(
                f"scripted/{self.name} was not asked from the first round on"
            ) from error

    def play_batch(
        self, game: Game, agents: Sequence[Agent], seeds: NDArray[np.uint64]
    ) -> NDArray[np.float64] | None:
        """Play whole matches in a kernel if all agents are of this kind; see `games.batch`."""
        from agents.scripted.fast import play_pairs

        seating = np.tile(np.arange(len(agents)), (len(seeds), 1))
        return play_pairs(game, agents, seating, seeds)

    def close(self) -> None:
        """Nothing to release."""
