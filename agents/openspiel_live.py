"""Live OpenSpiel objects as agents: `pyspiel.Bot`s, their Python kin, and policies.

They act on the `pyspiel.State` behind an observation, so they play OpenSpiel games in this
process only. Bots are told every action of the others, as OpenSpiel's own loop does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.errors import AgentError
from arena.game import Game, Observation
from arena.rng import Stream
from arena.types import Action, Discrete, Floats

__all__ = ["LiveBot", "LivePolicy", "wrap_live"]


def wrap_live(thing: Any) -> LiveBot | LivePolicy:
    """Return an agent for an OpenSpiel bot or policy."""
    if callable(getattr(thing, "action_probabilities", None)):
        return LivePolicy(thing)
    return LiveBot(thing)


class LiveBot:
    """A bot: it keeps what it knows from game to game, and is restarted at each `begin`."""

    def __init__(self, bot: Any) -> None:
        self.name = type(bot).__name__
        self._bot = bot
        self._replay: Any = None
        self._seat = 0
        self._seen = 0

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Restart the bot at the initial state; its own random numbers are its own affair."""
        self._replay = _raw_game(game, self.name).new_initial_state()
        self._seat, self._seen = seat, 0
        own = self._bot.player_id() if callable(getattr(self._bot, "player_id", None)) else seat
        if own != seat:
            raise AgentError(f"{self.name} was made for seat {own} and cannot play seat {seat}")
        self._bot.restart_at(self._replay)

    def act(self, observation: Observation) -> Action:
        """Tell the bot what has happened since, and let it choose."""
        raw = _raw_state(observation, self.name)
        self._inform(raw)
        action: int = self._bot.step(raw)
        return int(action)

    def _inform(self, raw: Any) -> None:
        """Replay the actions since the last move, one decision after the other."""
        history = raw.full_history()
        replay = self._replay
        while self._seen < len(history):
            together = replay.num_players() if replay.is_simultaneous_node() else 1
            taken = history[self._seen : self._seen + together]
            self._seen += together
            for event in taken:
                if event.player >= 0 and event.player != self._seat:
                    self._bot.inform_action(replay, event.player, event.action)
            if together > 1:
                replay.apply_actions([event.action for event in taken])
            else:
                replay.apply_action(taken[0].action)

    def close(self) -> None:
        """Nothing to release."""


class LivePolicy:
    """A policy: `action_probabilities(state, seat)`, as OpenSpiel's Python policies have it."""

    def __init__(self, policy: Any) -> None:
        self.name = type(policy).__name__
        self._policy = policy
        self._stream = Stream(0)
        self._n = 0

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new stream."""
        _raw_game(game, self.name)
        space = game.actions[seat]
        self._n = space.n if isinstance(space, Discrete) else 0
        self._stream = Stream(seed)

    def act(self, observation: Observation) -> Action:
        """Draw an action."""
        return self._stream.index(self.policy(observation).tolist())

    def policy(self, observation: Observation) -> Floats:
        """Return the policy's probabilities, shape (A,)."""
        raw = _raw_state(observation, self.name)
        out = np.zeros(self._n)
        # A pyspiel.Policy (C++) takes the seat too, but by position and under no name.
        given = self._policy.action_probabilities(raw, observation.seat)
        for action, probability in given.items():
            out[action] = probability
        return out

    def close(self) -> None:
        """Nothing to release."""


def _raw_game(game: Game, name: str) -> Any:
    state = game.state(0)
    raw = getattr(state, "raw", None)
    if raw is None or not hasattr(raw, "full_history"):
        raise AgentError(f"{name} plays OpenSpiel games only, and {game.key} is none")
    return raw.get_game()


def _raw_state(observation: Observation, name: str) -> Any:
    raw = getattr(observation, "raw", None)
    if raw is None:
        raise AgentError(
            f"{name} needs the OpenSpiel state behind an observation;"
            f" {type(observation).__name__} has none"
        )
    return raw
