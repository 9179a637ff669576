"""The two agents that everything else is measured against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError
from arena.game import Game, Observation
from arena.rng import Stream, generator, stream_states, streams_below
from arena.types import Action, Box, Discrete, Floats, MultiDiscrete
from games.batch import BatchObservation

__all__ = ["FirstLegal", "Uniform"]


class Uniform:
    """Picks every legal action with the same probability.

    Continuous actions are drawn uniformly from a bounded box, normally from an unbounded one.
    """

    version = "1"

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new stream."""
        self._stream = Stream(seed)
        self._space = game.actions[seat]
        if not isinstance(self._space, Discrete):
            self._rng = generator(seed)

    def act(self, observation: Observation) -> Action:
        """Draw an action."""
        actions = observation.actions
        if actions is not None:
            return self._stream.choice(actions)
        space = self._space
        if isinstance(space, MultiDiscrete):
            return self._rng.integers(0, np.array(space.sizes))
        if isinstance(space, Box):
            return _in_box(space, self._rng)
        raise AgentError(f"uniform cannot sample from {space}")

    def begin_batch(self, game: Game, seat: int, seeds: NDArray[np.uint64]) -> None:
        """Start a stream for each of N episodes."""
        self._space = space = game.actions[seat]
        if isinstance(space, Box):
            self._rngs = [generator(seed) for seed in seeds.tolist()]
            return
        if not isinstance(space, Discrete):
            raise AgentError(f"uniform plays no batches of {game.key}, whose actions are {space}")
        self._streams = stream_states(seeds)

    def act_batch(self, observation: BatchObservation) -> NDArray[Any]:
        """Draw the actions that `act` would draw, shape (N,) or (N, *shape)."""
        legal, live = observation.legal, observation.live
        if isinstance(self._space, Box):
            out = np.zeros((len(live), *self._space.shape), dtype=self._space.dtype)
            for row in np.flatnonzero(live).tolist():
                out[row] = _in_box(self._space, self._rngs[row])
            return out
        drawn = streams_below(self._streams, legal.sum(axis=1), live)
        return _nth_legal(legal, drawn)

    def policy(self, observation: Observation) -> Floats:
        """Return equal probabilities on the legal actions, shape (A,)."""
        legal = observation.legal
        if legal is None:
            raise AgentError("uniform has no probabilities over actions that are not discrete")
        probabilities: Floats = legal / legal.sum()
        return probabilities

    def close(self) -> None:
        """Nothing to release."""


class FirstLegal:
    """Picks the legal action of least number: the simplest deterministic agent."""

    version = "1"
    stochastic = False

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Check that there is a first action.

        Raises:
            AgentError: the seat's actions are not discrete.
        """
        if not isinstance(game.actions[seat], Discrete):
            raise AgentError(
                f"first_legal needs discrete actions, {game.key} has {game.actions[seat]}"
            )

    def act(self, observation: Observation) -> Action:
        """Return the least legal action."""
        actions = observation.actions
        if actions is None:
            raise AgentError("first_legal needs discrete actions")
        return actions[0]

    def begin_batch(self, game: Game, seat: int, seeds: NDArray[np.uint64]) -> None:
        """Check that there is a first action, as `begin` does."""
        self.begin(game, seat, 0)

    def act_batch(self, observation: BatchObservation) -> NDArray[np.int64]:
        """Return the least legal actions, shape (N,)."""
        return np.asarray(observation.legal.argmax(axis=1), dtype=np.int64)

    def policy(self, observation: Observation) -> Floats:
        """Return probability one on the least legal action, shape (A,)."""
        legal = observation.legal
        if legal is None:
            raise AgentError("first_legal needs discrete actions")
        out = np.zeros(len(legal))
        out[int(np.argmax(legal))] = 1.0
        return out

    def close(self) -> None:
        """Nothing to release."""


def _in_box(space: Box, rng: np.random.Generator) -> NDArray[Any]:
    """Draw uniformly where bounded, normally elsewhere."""
    drawn = rng.uniform(0.0, 1.0, space.shape)
    bounded = np.isfinite(space.low) & np.isfinite(space.high)
    low, high = np.where(bounded, space.low, 0.0), np.where(bounded, space.high, 1.0)
    value = np.where(bounded, low + drawn * (high - low), rng.normal(size=space.shape))
    return np.clip(value, space.low, space.high).astype(space.dtype)


def _nth_legal(legal: NDArray[np.bool_], n: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the action that is number `n` among the legal ones of each row, shape (N,)."""
    reached = legal.cumsum(axis=1) > n[:, None]
    return np.asarray(reached.argmax(axis=1), dtype=np.int64)
