"""Networks as agents: the policies of checkpoints and of learners' solutions."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.control import ControlAgent, plays_vectors
from agents.references import Reference
from agents.source import source_file
from arena.agent import Agent
from arena.errors import AgentError, ParameterError
from arena.game import Game, Observation
from arena.rng import Stream, stream_states, streams_random
from arena.solver import load_policy
from arena.types import Floats
from games.batch import BatchObservation
from solvers.training.learner import NetworkPolicy

__all__ = ["NetworkAgent", "from_file"]


class NetworkAgent:
    """Plays a network policy; asked one by one or in batches, it makes the same choices.

    Args:
        policy: what it plays.
        name: for messages.
        greedy: whether it plays the most probable action instead of drawing one; by default
            as the policy says.
    """

    version = "1"

    def __init__(
        self, policy: NetworkPolicy, *, name: str = "", greedy: bool | None = None
    ) -> None:
        if greedy is not None and not isinstance(greedy, bool):
            raise ParameterError("greedy", greedy, "true or false")
        self.name = name or type(policy).__name__
        self.stochastic = not (policy.greedy if greedy is None else greedy)
        self._policy = policy
        self._seat = 0
        self._memory: Any = None
        self._streams = np.zeros(0, dtype=np.uint64)
        self._stream = Stream(0)

    @property
    def network(self) -> NetworkPolicy:
        """What it plays, for searches that ask it about many positions at once."""
        return self._policy

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new game.

        Raises:
            AgentError: the policy is for another game.
        """
        self._start(game, seat, 1)
        self._stream = Stream(seed)

    def begin_batch(self, game: Game, seat: int, seeds: NDArray[np.uint64]) -> None:
        """Start N games."""
        self._start(game, seat, len(seeds))
        self._streams = stream_states(seeds)

    def _start(self, game: Game, seat: int, episodes: int) -> None:
        plays = getattr(self._policy, "plays", None)
        if not (plays(game, seat) if plays is not None else self._policy.game == game.key):
            raise AgentError(f"{self.name} is a policy for {self._policy.game}, not for {game.key}")
        self._seat = seat
        self._memory = self._policy.memory(episodes)

    def act(self, observation: Observation) -> int:
        """Return the most probable action, or draw one."""
        chances = self._chances(observation, self._memory)
        if self.stochastic:
            return self._stream.index(chances.tolist())
        return int(chances.argmax())

    def act_batch(self, observation: BatchObservation) -> NDArray[np.int64]:
        """Return what `act` would, shape (N,)."""
        if observation.tensor is None:
            raise AgentError(f"{self.name} needs observations with tensors")
        rows = np.flatnonzero(observation.live)
        chances = self._policy.distribution(
            observation.tensor[rows],
            observation.legal[rows],
            seat=self._seat,
            memory=self._memory,
            rows=rows,
        )
        out = np.zeros(len(observation.live), dtype=np.int64)
        if self.stochastic:
            out[rows] = self._draw(rows, chances)
        else:
            out[rows] = chances.argmax(axis=1)
        return out

    def _draw(self, rows: NDArray[np.int64], chances: NDArray[np.float64]) -> NDArray[np.int64]:
        """Draw from each row as `Stream.index` does, with the episode's own stream."""
        left = streams_random(self._streams, rows)
        last = np.zeros(len(rows), dtype=np.int64)
        done = np.zeros(len(rows), dtype=np.bool_)
        for action in range(chances.shape[1]):
            likely = (chances[:, action] > 0.0) & ~done
            left = np.where(likely, left - chances[:, action], left)
            last = np.where(likely, action, last)
            done |= likely & (left < 0.0)
        return last

    def policy(self, observation: Observation) -> Floats:
        """Return the policy's probabilities, shape (A,).

        Raises:
            AgentError: the observation has no tensor or no mask, or is of another size.
        """
        return self._chances(observation, deepcopy(self._memory))

    def _chances(self, observation: Observation, memory: Any) -> Floats:
        tensor, legal = observation.tensor, observation.legal
        if tensor is None or legal is None:
            lacks = "tensor" if tensor is None else "discrete actions"
            raise AgentError(f"{self.name} was shown an observation without {lacks}")
        try:
            found = self._policy.distribution(
                np.asarray(tensor, dtype=np.float32)[None],
                legal[None],
                seat=self._seat,
                memory=memory,
                rows=np.zeros(1, dtype=np.int64),
            )
        except ParameterError as error:
            raise AgentError(f"{self.name}: {error}") from error
        chances: Floats = found[0]
        return chances

    def close(self) -> None:
        """Nothing to release."""


def from_file(path: str, *, greedy: bool | None = None) -> Agent:
    """Load the policy of a checkpoint; one that is an agent already stays as it is.

    Args:
        path: a `.safetensors` file that a training run wrote.
        greedy: see `NetworkAgent`.

    Raises:
        AgentError: there is no such file.
        ParameterError: it holds something else.
    """
    if not Path(path).is_file():
        source_file(Reference("policy", str(Path(path).absolute())))
    policy = load_policy(path)
    if isinstance(policy, Agent):
        if greedy is not None:
            raise ParameterError("greedy", greedy, "nothing: this policy has no probabilities")
        return policy
    made: Agent = (ControlAgent if plays_vectors(policy) else NetworkAgent)(
        policy, name=Path(path).name, greedy=greedy
    )
    return made
