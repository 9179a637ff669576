"""OpenSpiel's bots as agents (`openspiel/mcts`, `openspiel/roshambo/greenberg`, …).

A bot acts on the `pyspiel.State` behind the observation, so these agents play OpenSpiel
games only. What a bot may see of that state is the bot's affair: MCTS reads all of it and
is therefore refused games of imperfect information, IS-MCTS resamples what it cannot see.

Sources: Kocsis and Szepesvári 2006 (UCT); Cowling, Powley and Whitehouse 2012 (IS-MCTS);
Billings 1999 (the RoShamBo programming competition).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from agents.openspiel_bot_kinds import KINDS, Kind, kind_of, with_defaults
from arena.agent import Agent
from arena.errors import AgentError, UnknownNameError
from arena.game import Game, Observation
from arena.registry import Info
from arena.rng import Stream, derive
from arena.types import Action, Floats
from games.adapters.openspiel import OpenSpielObservation, OpenSpielState
from games.adapters.openspiel_load import pyspiel, quiet, version

__all__ = ["FAMILY", "OpenSpielBot", "OpenSpielBots"]


class OpenSpielBot:
    """An OpenSpiel bot in an agent's clothes.

    Attributes:
        name: below `openspiel/`.
        params: all parameters, defaults included.
    """

    def __init__(self, name: str, kind: Kind, params: Mapping[str, Any]) -> None:
        self.name = name
        self.params = dict(params)
        self.version = f"open_spiel {version()}"
        self.stochastic = kind.stochastic
        self._kind = kind
        self._bot: Any = None
        self._asked: OpenSpielObservation | None = None
        self._row: list[tuple[int, float]] = []

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Make the bot for this game.

        Raises:
            AgentError: it is no OpenSpiel game, or none that this bot can play.
        """
        state = game.state(0) if "state" in game.forms else None
        if not isinstance(state, OpenSpielState):
            raise AgentError(
                f"openspiel/{self.name} plays OpenSpiel games only, and {game.key} is none"
            )
        raw = state.kind.raw
        obstacle = self._kind.obstacle(raw)
        if obstacle is not None:
            raise AgentError(f"openspiel/{self.name} cannot play {game.key}: {obstacle}")
        self._seed = seed
        self._stream = Stream(seed)
        self._asked = None
        try:
            with quiet():
                self._bot = self._kind.build(raw, seat, derive(seed) & 0x7FFFFFFF, self.params)
        except (pyspiel.SpielError, RuntimeError, ValueError, LookupError) as error:
            raise AgentError(
                f"openspiel/{self.name} cannot play {game.key}: OpenSpiel says {error}"
            ) from error
        # Only a bot that has a policy gets the method, so that whoever asks can tell.
        if self._bot.provides_policy():
            self.policy = self._policy

    def act(self, observation: Observation) -> Action:
        """Let the bot choose; one with a policy is drawn from by the agent's own stream."""
        looked = self._look(observation)
        if self._bot.provides_policy():
            row = self._think(looked)
            return row[self._stream.index([p for _, p in row])][0]
        if self._kind.c_random:
            _seed_c_library(derive(self._seed, len(looked.raw.history())))
        action: int = self._ask(self._bot.step, looked)
        return action

    def _policy(self, observation: Observation) -> Floats:
        """Return what `act` draws from, shape (A,)."""
        looked = self._look(observation)
        row = np.zeros(len(looked.legal))
        for action, probability in self._think(looked):
            row[action] = probability
        return row

    def _think(self, observation: OpenSpielObservation) -> list[tuple[int, float]]:
        """Return the bot's policy; asked twice about one observation, it thinks once."""
        if self._asked is not observation:
            row = self._ask(self._bot.get_policy, observation)
            total = sum(p for _, p in row)
            # The search lists actions in the order of a hash table, which no seed governs.
            self._row = sorted((a, p / total) for a, p in row)
            self._asked = observation
        return self._row

    def _ask(self, question: Callable[[Any], Any], observation: OpenSpielObservation) -> Any:
        try:
            with quiet():
                return question(observation.raw)
        except (pyspiel.SpielError, RuntimeError) as error:
            raise AgentError(f"openspiel/{self.name} failed: OpenSpiel says {error}") from error

    def _look(self, observation: Observation) -> OpenSpielObservation:
        if self._bot is None:
            raise AgentError(f"openspiel/{self.name} was asked to act before begin")
        if not isinstance(observation, OpenSpielObservation):
            raise AgentError(
                f"openspiel/{self.name} needs the OpenSpiel state behind an observation;"
                f" {type(observation).__name__} has none"
            )
        return observation

    def close(self) -> None:
        """Let go of the bot and its search tree."""
        self._bot = None
        self._asked = None


def _seed_c_library(seed: int) -> None:
    ctypes.CDLL(None).srandom(ctypes.c_uint(seed & 0x7FFFFFFF))


class OpenSpielBots:
    """The bots of OpenSpiel."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        roshambo = (f"roshambo/{name}" for name in pyspiel.roshambo_bot_names())
        return sorted({*KINDS, *pyspiel.registered_bots(), *roshambo})

    def info(self, name: str) -> Info:
        """Describe one of them."""
        kind = self._find(name)
        tags = {
            "games": kind.games,
            "stochastic": str(kind.stochastic).lower(),
            "reproducible": str(kind.reproducible).lower(),
        }
        if kind.defaults:
            tags["parameters"] = ", ".join(f"{k}={v}" for k, v in sorted(kind.defaults.items()))
        return Info(f"openspiel/{name}", kind.summary, tags, "open_spiel")

    def make(self, name: str, **params: Any) -> Agent:
        """Make a bot; the game is looked at when it begins.

        Raises:
            UnknownNameError: no such bot, or it has no such parameter.
            ParameterError: a value of the wrong type or range.
        """
        kind = self._find(name)
        return OpenSpielBot(name, kind, with_defaults(name, kind, params))

    def _find(self, name: str) -> Kind:
        kind = kind_of(name)
        if kind is None:
            raise UnknownNameError("OpenSpiel bot", name, self.names())
        return kind


FAMILY = OpenSpielBots()
