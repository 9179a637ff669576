"""The form `batch`: N episodes of one game stepping at once in arrays.

A `Batch` follows the same rules as the game's `State` and shows the same observations:
episode k of `game.form("batch", seeds=seeds)` and `game.state(seeds[k])` are equal, bit
for bit, as long as the same actions are played. Learners, search rollouts and fast
tournaments step it; `play_batch` plays whole episodes of one seating.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from arena.agent import Agent
from arena.errors import AgentFaultError, IllegalActionError, ParameterError
from arena.game import Game
from arena.rng import seat_seeds
from arena.types import Box, Discrete, Floats, Mask

__all__ = ["Batch", "BatchObservation", "as_seeds", "play_batch"]


@dataclass(frozen=True, eq=False)
class BatchObservation:
    """What one seat knows in each of N episodes; the batch of `arena.game.Observation`.

    Valid until the batch steps on; whoever wants to remember it copies the arrays.

    Attributes:
        seat: the seat that looks.
        live: where it is to move, shape (N,). Elsewhere the other fields are padding.
        legal: legal actions, shape (N, A).
        tensor: float32, shape (N, D), row by row the `tensor` of the single observation,
            or None where the game has none.
    """

    seat: int
    live: Mask
    legal: Mask
    tensor: Floats | None = None


@runtime_checkable
class Batch(Protocol):
    """N running episodes. Episodes that are over stay as they are and ignore actions.

    Where all seats' actions are a `Box`, `step` takes a sequence of n float arrays, for each
    seat one of shape (N, *shape), and `legal` in observations has no columns, shape (N, 0).

    Optional members, looked for with `getattr`:
        truncated: where the episode was cut off by a time limit, shape (N,).
        winners() -> integers, shape (N,): the team that has won each episode, −1 for none.
    """

    def actors(self) -> Mask:
        """Return which seats are to move, shape (N, n); a row without any is over."""

    def observe(self, seat: int) -> BatchObservation:
        """Return what `seat` knows in every episode."""

    def step(self, actions: NDArray[np.integer[Any]]) -> None:
        """Apply actions, shape (N, n); entries of seats that are not to move are ignored.

        Raises:
            IllegalActionError: an action is not legal; no episode has changed.
        """

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (N, n); zero where it is over."""

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (N, n)."""


def as_seeds(seeds: NDArray[np.integer[Any]] | Sequence[int]) -> NDArray[np.uint64]:
    """Return seeds as uint64, reduced modulo 2^64, shape (N,).

    Raises:
        ParameterError: they are not a row of integers.
    """
    if isinstance(seeds, np.ndarray):
        array = seeds
    else:
        array = np.array([int(seed) & (1 << 64) - 1 for seed in seeds], dtype=np.uint64)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ParameterError("seeds", seeds, "a row of integers, one an episode")
    return array.astype(np.uint64)


def play_batch(
    game: Game, agents: Sequence[Agent], seeds: NDArray[np.integer[Any]] | Sequence[int]
) -> NDArray[np.float64] | None:
    """Play M episodes of one seating without Python in every turn, where that is possible.

    The payoffs are bit-equal to playing the episodes one by one: match k has
    `game.state(seeds[k])` and the agent in seat i begins with
    `arena.rng.seat_seed(seeds[k], i)`. Two ways are tried:

    1. An agent with a method `play_batch(game, agents, seeds)` is asked to play them all
       (native strategies share a kernel this way); it answers None if it cannot.
    2. A game with the form `batch`, where every agent has `begin_batch(game, seat, seeds)`
       and `act_batch(observation: BatchObservation) -> actions, shape (N,)`.

    `end` is not called. Agents that keep something from game to game must have neither.

    Args:
        game: any game.
        agents: one a seat; several may be the same kind, none the same object.
        seeds: the seed of each match, shape (M,).

    Returns:
        Payoffs, shape (M, n), or None when this game and these agents have no such way.

    Raises:
        AgentError: an agent refuses the game, as its `begin` would.
        AgentFaultError: an agent answered with an illegal action.
    """
    if len(agents) != game.seats:
        raise ParameterError("agents", len(agents), f"{game.seats}, one a seat of {game.key}")
    rows = as_seeds(seeds)
    for agent in agents:
        hook: Callable[..., NDArray[np.float64] | None] | None = getattr(agent, "play_batch", None)
        if hook is not None:
            played = hook(game, agents, rows)
            if played is not None:
                return played
    if "batch" not in game.forms or len({id(agent) for agent in agents}) < len(agents):
        return None
    if not all(hasattr(a, "begin_batch") and hasattr(a, "act_batch") for a in agents):
        return None
    vectors = all(isinstance(space, Box) for space in game.actions)
    if not vectors and not all(isinstance(space, Discrete) for space in game.actions):
        return None  # vectors of numbers are played one episode at a time
    own = seat_seeds(rows, game.seats)
    players: Sequence[Any] = agents
    for seat, player in enumerate(players):
        player.begin_batch(game, seat, own[:, seat])
    return _step_through(game.form("batch", seeds=rows), players, vectors=vectors)


def _step_through(batch: Batch, players: Sequence[Any], *, vectors: bool) -> NDArray[np.float64]:
    while (acting := batch.actors()).any():
        actions: Any = np.zeros(acting.shape, dtype=np.int64)
        if vectors:
            actions = [player.act_batch(batch.observe(s)) for s, player in enumerate(players)]
        else:
            for seat, player in enumerate(players):
                if acting[:, seat].any():
                    actions[:, seat] = player.act_batch(batch.observe(seat))
        try:
            batch.step(actions)
        except IllegalActionError as error:
            raise AgentFaultError("illegal", str(error)) from error
    return np.asarray(batch.returns(), dtype=np.float64)
