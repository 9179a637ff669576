"""Three ways to learn a best response to fixed policies, by infoset key, from episodes.

With the others fixed, a seat faces a Markov decision process over its own infosets. Each
learner plays episodes from the start, so that hidden cards and the others' actions come
with the right probabilities, and ends with an action for the infosets it knows well:

- `QLearning`: tabular Q-learning, ε-greedy, each episode's targets passed backwards
  (Watkins 1989);
- `Search`: upper confidence trees over infosets; one infoset is added an episode, and
  beyond the tree the seat's own policy plays out (information-set Monte Carlo tree search,
  as used for approximate best responses by Timbers et al. 2022);
- `Local`: one deviation an episode, then the seat's own policy again: each action's worth
  under the policy, and the action of most worth (local best response, Lisý and Bowling
  2017, with play-outs in place of check/call).

Where a learner has no answer the seat's own policy goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from arena.errors import NotApplicableError
from arena.game import Observation
from arena.rng import Stream
from arena.types import Action
from solvers.approximate.players import key_of

__all__ = ["Learner", "Local", "QLearning", "Search"]

_ENOUGH = 8
"""Visits of an infoset below which a learner has no answer there."""

Act = Callable[[Observation], Action]


class Learner(Protocol):
    """Learns from one episode after the other."""

    def begin(self, share: float, stream: Stream, own: Act) -> None:
        """Start an episode: share of the episodes behind, randomness, the seat's own policy."""

    def act(self, observation: Observation) -> Action:
        """Choose an action, exploring."""

    def end(self, payoff: float) -> None:
        """Learn from the episode's payoff to the seat."""

    def answer(self) -> Mapping[str, int]:
        """Return the response learned: infoset key to action."""


@dataclass(slots=True)
class _Node:
    """What is known of an infoset: for each legal action its visits and its mean worth."""

    actions: list[int]
    visits: list[int] = field(default_factory=list)
    worth: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.visits = [0] * len(self.actions)
        self.worth = [0.0] * len(self.actions)

    def best(self) -> int:
        """Return the index of the best action tried."""
        found, most = 0, -math.inf
        for i, worth in enumerate(self.worth):
            if self.visits[i] and worth > most:
                found, most = i, worth
        return found

    def untried(self) -> int:
        """Return the index of the first action not tried, or -1."""
        return self.visits.index(0) if 0 in self.visits else -1


def _actions(observation: Observation) -> list[int]:
    actions = observation.actions
    if actions is None:
        raise NotApplicableError(f"actions of seat {observation.seat} are not discrete")
    return [int(action) for action in actions]


class _Learner:
    """The nodes, the path through them in this episode, and the answer."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}
        self._path: list[tuple[_Node, int]] = []
        self._stream = Stream(0)
        self._share = 0.0
        self._own: Act

    def begin(self, share: float, stream: Stream, own: Act) -> None:
        """Start an episode."""
        self._share, self._stream, self._own = share, stream, own
        self._path.clear()

    def answer(self) -> dict[str, int]:
        """Return the best action of every infoset that was visited often enough."""
        return {
            key: node.actions[node.best()]
            for key, node in self._nodes.items()
            if sum(node.visits) >= _ENOUGH and node.untried() < 0
        }

    def _take(self, node: _Node, index: int) -> int:
        self._path.append((node, index))
        return node.actions[index]


class QLearning(_Learner):
    """Tabular Q-learning with steps visits^-0.7 and ε falling from 1 to 0.1."""

    def act(self, observation: Observation) -> Action:
        """Explore with probability ε, else take the best action so far."""
        key = key_of(observation)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = _Node(_actions(observation))
        epsilon = max(0.1, 1.0 - 1.5 * self._share)
        index = node.untried()
        if index < 0:
            explore = self._stream.random() < epsilon
            index = self._stream.below(len(node.actions)) if explore else node.best()
        return self._take(node, index)

    def end(self, payoff: float) -> None:
        """Move each action's worth to what its successor promises, the last one first."""
        target = payoff
        for node, index in reversed(self._path):
            node.visits[index] += 1
            step = node.visits[index] ** -0.7
            node.worth[index] += step * (target - node.worth[index])
            target = node.worth[node.best()]


class Search(_Learner):
    """Upper confidence trees; the bonus is scaled by the range of payoffs met so far."""

    def __init__(self) -> None:
        super().__init__()
        self._low, self._high = math.inf, -math.inf
        self._grown = False

    def begin(self, share: float, stream: Stream, own: Act) -> None:
        """Start an episode at the root."""
        super().begin(share, stream, own)
        self._grown = False

    def act(self, observation: Observation) -> Action:
        """Descend by UCB1, add one infoset, then play the seat's own policy."""
        if self._grown:
            return self._own(observation)
        key = key_of(observation)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = _Node(_actions(observation))
            self._grown = True
            return self._take(node, self._stream.below(len(node.actions)))
        index = node.untried()
        return self._take(node, self._upper(node) if index < 0 else index)

    def _upper(self, node: _Node) -> int:
        scale = 0.5 * max(self._high - self._low, 1e-12)
        total = math.log(sum(node.visits))
        bounds = [
            worth + scale * math.sqrt(total / visits)
            for worth, visits in zip(node.worth, node.visits, strict=True)
        ]
        return int(np.argmax(bounds))

    def end(self, payoff: float) -> None:
        """Average the payoff into every action on the path."""
        self._low, self._high = min(self._low, payoff), max(self._high, payoff)
        for node, index in self._path:
            node.visits[index] += 1
            node.worth[index] += (payoff - node.worth[index]) / node.visits[index]


class Local(_Learner):
    """One uniformly random deviation an episode, at a uniformly random decision."""

    def __init__(self) -> None:
        super().__init__()
        self._longest = 1
        self._count = 0
        self._at = 0

    def begin(self, share: float, stream: Stream, own: Act) -> None:
        """Start an episode and choose where to deviate."""
        super().begin(share, stream, own)
        self._count, self._at = 0, stream.below(self._longest)

    def act(self, observation: Observation) -> Action:
        """Play the seat's own policy, but for one decision."""
        now, self._count = self._count, self._count + 1
        self._longest = max(self._longest, self._count)
        if now != self._at:
            return self._own(observation)
        key = key_of(observation)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = _Node(_actions(observation))
        index = node.untried()
        return self._take(node, self._stream.below(len(node.actions)) if index < 0 else index)

    def end(self, payoff: float) -> None:
        """Average the payoff into the action tried."""
        for node, index in self._path:
            node.visits[index] += 1
            node.worth[index] += (payoff - node.worth[index]) / node.visits[index]
