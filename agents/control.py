"""Control policies as agents: they answer with vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError, ParameterError
from arena.game import Game, Observation
from arena.rng import stream_states, streams_random
from games.batch import BatchObservation

__all__ = ["ControlAgent", "plays_vectors"]


def plays_vectors(policy: Any) -> bool:
    """Whether something is a `solvers.qarl.policy.ControlPolicy`; told without importing it."""
    return getattr(policy, "kind", None) == "control"


class ControlAgent:
    """Plays a control policy; asked one by one or in batches, it makes the same choices.

    Args:
        policy: a `solvers.qarl.policy.ControlPolicy`.
        name: for messages.
        greedy: whether it plays its mean action instead of drawing one; by default as the
            policy says.
    """

    version = "1"

    def __init__(self, policy: Any, *, name: str = "", greedy: bool | None = None) -> None:
        if greedy is not None and not isinstance(greedy, bool):
            raise ParameterError("greedy", greedy, "true or false")
        self.name = name or type(policy).__name__
        self.stochastic = not (policy.greedy if greedy is None else greedy)
        self._policy = policy
        self._seat = 0
        self._streams = np.zeros(0, dtype=np.uint64)

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new game.

        Raises:
            AgentError: the policy is for another game.
        """
        self.begin_batch(game, seat, np.array([seed], dtype=np.uint64))

    def begin_batch(self, game: Game, seat: int, seeds: NDArray[np.uint64]) -> None:
        """Start N games."""
        if self._policy.game != game.key:
            raise AgentError(f"{self.name} is a policy for {self._policy.game}, not for {game.key}")
        self._seat = seat
        self._streams = stream_states(seeds)

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """Return the mean action, or draw one, shape (K,)."""
        if observation.tensor is None:
            raise AgentError(f"{self.name} was shown an observation without tensor")
        rows = np.zeros(1, dtype=np.int64)
        out: NDArray[np.float32] = self._chosen(np.asarray(observation.tensor)[None], rows)[0]
        return out

    def act_batch(self, observation: BatchObservation) -> NDArray[np.float32]:
        """Return what `act` would, shape (N, K)."""
        if observation.tensor is None:
            raise AgentError(f"{self.name} needs observations with tensors")
        rows = np.flatnonzero(observation.live)
        chosen = self._chosen(observation.tensor[rows], rows)
        out = np.zeros((len(observation.live), chosen.shape[1]), dtype=np.float32)
        out[rows] = chosen
        return out

    def _chosen(self, tensor: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        noise = self._normal(rows, self._policy.sizes[self._seat]) if self.stochastic else None
        try:
            out: NDArray[np.float32] = self._policy.act(tensor, seat=self._seat, noise=noise)
        except ParameterError as error:
            raise AgentError(f"{self.name}: {error}") from error
        return out

    def _normal(self, rows: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Draw normal numbers (Box and Muller 1958) from each episode's own stream."""
        drawn = np.empty((len(rows), 2 * count))
        for k in range(2 * count):
            drawn[:, k] = streams_random(self._streams, rows)
        radius = np.sqrt(-2.0 * np.log1p(-drawn[:, :count]))
        out: NDArray[np.float64] = radius * np.cos(2.0 * np.pi * drawn[:, count:])
        return out

    def close(self) -> None:
        """Nothing to release."""
