"""Policies as agents: an action is drawn from the policy's probabilities.

A `MediatedAgent` follows a mediator instead: all seats' parts come from one draw, on the
public signal of the episode.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from agents.control import ControlAgent, plays_vectors
from agents.network import NetworkAgent
from arena.agent import Agent
from arena.errors import AgentError, ParameterError
from arena.game import Game, Observation
from arena.policy import Mediator, Policy, TabularPolicy
from arena.rng import Stream
from arena.solver import load_policy
from arena.types import Action, Discrete, Floats
from solvers.markov.policy import MarkovPolicy
from solvers.training.learner import NetworkPolicy

__all__ = ["MediatedAgent", "PolicyAgent", "from_file", "playing"]


class PolicyAgent:
    """Plays a policy.

    Args:
        policy: gives probabilities for observations.
        name: for messages.
    """

    version = "1"

    def __init__(self, policy: Policy, *, name: str = "") -> None:
        self.name = name or type(policy).__name__
        self._policy = policy
        self._playing: Any = policy
        self._stream = Stream(0)
        self._n = 0

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new stream.

        Raises:
            AgentError: the policy is for another game, or the actions are not discrete.
        """
        space = game.actions[seat]
        if not isinstance(space, Discrete):
            raise AgentError(f"{self.name} needs discrete actions, {game.key} has {space}")
        named = isinstance(self._policy, TabularPolicy | MarkovPolicy)
        made_for = self._policy.game if named else game.key  # type: ignore[attr-defined]  # both
        if made_for != game.key:
            raise AgentError(f"{self.name} is a policy for {made_for}, not for {game.key}")
        # Policies that go by what happened before play one episode at a time.
        episode = getattr(self._policy, "episode", None)
        self._playing = self._policy if episode is None else episode(seat, seed)
        self._n = space.n
        self._stream = Stream(seed)

    def act(self, observation: Observation) -> Action:
        """Draw an action.

        Raises:
            AgentError: the policy has no probabilities here.
        """
        action = self._stream.index(self.policy(observation).tolist())
        if self._playing is not self._policy:
            self._playing.acted(observation)
        return action

    def policy(self, observation: Observation) -> Floats:
        """Return the policy's probabilities, shape (A,).

        Raises:
            AgentError: it has none for this infoset, or what it has is no distribution.
        """
        try:
            found = np.asarray(self._playing.probabilities(observation), dtype=np.float64)
        except (ParameterError, KeyError) as error:
            raise AgentError(
                f"{self.name} has no probabilities at infoset {observation.key!r}"
                f" of seat {observation.seat}: {error}"
            ) from error
        if found.shape != (self._n,) or not abs(found.sum() - 1.0) < 1e-6 or (found < 0).any():
            raise AgentError(
                f"{self.name} gives {found.tolist()!r:.120} at infoset {observation.key!r},"
                f" not probabilities of {self._n} actions"
            )
        return found

    def close(self) -> None:
        """Nothing to release."""


class MediatedAgent:
    """Plays its seat's part of what a mediator draws on the episode's public signal.

    Args:
        mediator: draws what all seats play.
        name: for messages.
    """

    version = "1"

    def __init__(self, mediator: Mediator, *, name: str = "") -> None:
        self.name = name or type(mediator).__name__
        self.mediator = mediator
        self._drawn: int | None = None  # on which signal
        self._signal: int | None = None
        self._part: PolicyAgent | None = None

    def signal(self, seed: int) -> None:
        """Take the signal of the next episode."""
        self._signal = seed

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Draw what to play.

        Raises:
            AgentError: the mediator is for another game.
        """
        if self.mediator.game != game.key:
            raise AgentError(f"{self.name} is for {self.mediator.game}, not for {game.key}")
        if self._signal is None:
            self._part = self._drawn = None
            return
        if self._part is None or self._drawn != self._signal:
            self._part = PolicyAgent(self.mediator.draw(self._signal), name=self.name)
            self._drawn = self._signal
        self._signal = None
        self._part.begin(game, seat, seed)

    def act(self, observation: Observation) -> Action:
        """Play the part.

        Raises:
            AgentError: the episode has no public signal.
        """
        return self._playing().act(observation)

    def policy(self, observation: Observation) -> Floats:
        """Return the probabilities of the part, shape (A,).

        Raises:
            AgentError: the episode has no public signal.
        """
        return self._playing().policy(observation)

    def _playing(self) -> PolicyAgent:
        if self._part is None:
            raise AgentError(
                f"{self.name} is a correlated answer: it plays on the public signal of an"
                " episode (`Agent.signal`), and here is none"
            )
        return self._part

    def close(self) -> None:
        """Nothing to release."""


def from_file(path: str, **unknown: Any) -> Agent:
    """Load a saved policy, or the policy of a saved solution.

    Raises:
        AgentError: there is no such file.
        ParameterError: it holds something else.
    """
    if unknown:
        raise ParameterError(next(iter(unknown)), unknown, "no parameter: a policy file has none")
    if not Path(path).is_file():
        from agents.references import Reference
        from agents.source import source_file

        source_file(Reference("policy", str(Path(path).absolute())))
    return playing(load_policy(path), name=Path(path).name)


def playing(policy: Policy | Mediator | Agent, *, name: str = "") -> Agent:
    """Return the agent that plays a policy or follows a mediator; agents stay as they are."""
    if isinstance(policy, Agent):
        return policy
    if plays_vectors(policy):
        return ControlAgent(policy, name=name)
    if isinstance(policy, NetworkPolicy):
        return NetworkAgent(policy, name=name)
    if isinstance(policy, Mediator):
        return MediatedAgent(policy, name=name)
    return PolicyAgent(policy, name=name)
