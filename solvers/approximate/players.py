"""What plays the policy under test, seat by seat, episode by episode."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from arena.agent import Agent
from arena.errors import AgentError, NotApplicableError, ParameterError
from arena.game import Game, Observation
from arena.policy import Mediator, Policy, TabularPolicy
from arena.registry import load_target
from arena.rng import Stream
from arena.types import Action

__all__ = ["AgentPlayer", "Player", "PolicyPlayer", "key_of", "players"]


class Player(Protocol):
    """One seat of the policy under test."""

    def begin(self, seed: int) -> None:
        """Start an episode."""

    def act(self, observation: Observation) -> Action:
        """Choose an action."""

    def follow(self, observation: Observation, action: Action) -> None:
        """Be told what the seat did at a decision."""


def key_of(observation: Observation) -> str:
    """Return the infoset key.

    Raises:
        NotApplicableError: the game has none, so that responses cannot be learned.
    """
    if observation.key is None:
        raise NotApplicableError(
            f"observations of seat {observation.seat} have no infoset key, by which best"
            " responses are learned"
        )
    return observation.key


class PolicyPlayer:
    """Plays a policy whose answer depends on the observation alone; answers are kept."""

    def __init__(self, policy: Policy, width: int) -> None:
        self._policy, self._width = policy, width
        self._known: dict[str, list[float]] = {}
        self._stream = Stream(0)

    def begin(self, seed: int) -> None:
        """Open a new stream of random numbers."""
        self._stream = Stream(seed)

    def act(self, observation: Observation) -> Action:
        """Draw from the policy.

        Raises:
            ParameterError: it has no distribution over the legal actions here.
        """
        key = key_of(observation)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._ask(observation)
        return self._stream.index(known)

    def follow(self, observation: Observation, action: Action) -> None:
        """Nothing is remembered."""

    def _ask(self, observation: Observation) -> list[float]:
        given = np.asarray(self._policy.probabilities(observation), dtype=np.float64)
        legal = observation.legal
        good = given.shape == (self._width,) and legal is not None
        if not good or (given < 0).any() or not abs(given[legal].sum() - 1.0) < 1e-6:
            raise ParameterError(
                f"policy at infoset {observation.key!r} of seat {observation.seat}",
                given.tolist(),
                "probabilities of the legal actions that sum to one",
            )
        found: list[float] = (given / given.sum()).tolist()
        return found


class AgentPlayer:
    """Plays an agent, begun anew for each episode."""

    def __init__(self, agent: Agent, game: Game, seat: int) -> None:
        self._agent, self._game, self._seat = agent, game, seat
        self._follow = getattr(agent, "follow", None)

    def begin(self, seed: int) -> None:
        """Begin the episode."""
        self._agent.begin(self._game, self._seat, seed)

    def act(self, observation: Observation) -> Action:
        """Ask the agent."""
        return self._agent.act(observation)

    def follow(self, observation: Observation, action: Action) -> None:
        """Tell the agent, if it wants to know."""
        if self._follow is not None:
            self._follow(observation, action)


def players(game: Game, policies: Sequence[Any]) -> list[Player]:
    """Return a player for each seat.

    Args:
        game: whose actions must be discrete.
        policies: one a seat, as `solvers.evaluate.opened_all` returns them.

    Raises:
        NotApplicableError: actions are not discrete.
        ParameterError: a table for another game.
        AgentError: one live agent for several seats that cannot be copied.
    """
    if not game.discrete:
        raise NotApplicableError(
            f"{game.key} has actions that are not discrete, and learned best responses need"
            " discrete ones"
        )
    out: list[Player] = []
    taken: set[int] = set()
    for seat, policy in enumerate(policies):
        if isinstance(policy, TabularPolicy) and policy.game != game.key:
            raise ParameterError("policy", f"one for {policy.game}", f"one for {game.key}")
        if isinstance(policy, Policy):
            out.append(PolicyPlayer(policy, int(game.actions[seat].n)))  # type: ignore[union-attr] # discrete, as checked above
            continue
        if isinstance(policy, Mediator) or callable(getattr(policy, "signal", None)):
            raise NotApplicableError(
                "a correlated answer is no policy of each seat on its own, and learned best"
                " responses are to such; without approximate=True it is certified exactly"
            )
        agent = load_target("agents.load:as_agent")(policy)
        # One object plays one seat at a time.
        out.append(AgentPlayer(_copied(agent) if id(agent) in taken else agent, game, seat))
        taken.add(id(agent))
    return out


def _copied(agent: Any) -> Any:
    try:
        return copy.deepcopy(agent)
    except Exception as error:
        raise AgentError(
            f"{type(agent).__name__} cannot be copied to play several seats at once; give one"
            " for each seat"
        ) from error
