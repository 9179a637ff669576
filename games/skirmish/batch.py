"""The form `batch`: N episodes at once; learners take `games.skirmish.rollout` instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError, ParameterError
from arena.rng import stream_states
from arena.types import Floats, Mask
from games.batch import BatchObservation, as_seeds
from games.skirmish import layout as at
from games.skirmish._kernels import (
    hide_all,
    legal_all,
    observe_all,
    start_all,
    step_all,
    unlawful,
)
from games.skirmish._smax_kernels import NO_NOISE
from games.skirmish.battle import Battle
from games.skirmish.state import SkirmishState, refusal
from games.skirmish.threads import Threads
from games.skirmish.world import begin, single, state_vectors

__all__ = ["SkirmishBatch", "SkirmishBatchObservation"]


class SkirmishBatchObservation(BatchObservation):
    """What a seat knows in every episode, computed on first use.

    Attributes:
        battle: what is played.
    """

    def __init__(self, batch: SkirmishBatch, seat: int) -> None:
        object.__setattr__(self, "seat", seat)
        object.__setattr__(self, "battle", batch.battle)
        object.__setattr__(self, "_batch", batch)

    def __getattr__(self, name: str) -> Any:
        """Compute a field that was not asked for yet."""
        batch: SkirmishBatch = self.__dict__["_batch"]
        battle, world, seat = batch.battle, batch.world, self.seat
        count, team = len(world.heads), int(seat >= battle.allies)
        if name in ("live", "legal"):
            live = np.zeros(count, dtype=np.bool_)
            legal = np.zeros((count, 1, battle.actions[team]), dtype=np.bool_)
            legal_all(world, battle.rules, battle.ground, seat, live, legal)
            object.__setattr__(self, "live", live)
            object.__setattr__(self, "legal", legal[:, 0])
        elif name == "world":
            hidden = at.World(*(array.copy() for array in world))
            hide_all(world, battle.rules, battle.ground, seat, hidden)
            object.__setattr__(self, "world", hidden)
        else:
            raise AttributeError(name)
        return self.__dict__[name]

    @property
    def tensor(self) -> NDArray[np.float32]:
        """What the unit observes, shape (N, D)."""
        found: NDArray[np.float32] | None = self.__dict__.get("_tensor")
        if found is None:
            batch: SkirmishBatch = self.__dict__["_batch"]
            battle, team = batch.battle, int(self.seat >= batch.battle.allies)
            count = len(batch.world.heads)
            out = np.zeros((count, 1, battle.obs_sizes[team]), dtype=np.float32)
            mask = np.zeros((count, 1, battle.actions[team]), dtype=np.bool_)
            observe_all(batch.world, battle.rules, battle.ground, self.seat, mask, out)
            found = out[:, 0]
            object.__setattr__(self, "_tensor", found)
        return found

    if TYPE_CHECKING:
        battle: Battle
        world: at.World  # the episodes without the units that the seat does not see


class SkirmishBatch:
    """N episodes; see `games.batch.Batch`.

    Attributes:
        battle: what is played.
        world: the episodes, see `games.skirmish.layout`.
    """

    def __init__(
        self,
        battle: Battle,
        seeds: NDArray[np.integer[Any]] | Sequence[int],
        *,
        threads: int = 1,
    ) -> None:
        self.battle = battle
        self.world = begin(battle, stream_states(as_seeds(seeds)))
        self._threads = Threads(threads, len(self.world.heads))
        self._mask = np.zeros((len(self.world.heads), 1, max(battle.actions)), dtype=np.bool_)

    def actors(self) -> Mask:
        """Return which seats are to move, shape (N, n)."""
        alive = self.world.units[:, at.HEALTH, : self.battle.seats] > 0
        acting: Mask = alive & (self.world.heads[:, at.OVER, None] == 0)
        return acting

    def observe(self, seat: int) -> SkirmishBatchObservation:
        """Return what `seat` knows in every episode."""
        return SkirmishBatchObservation(self, seat)

    def step(self, actions: NDArray[np.integer[Any]]) -> None:
        """Play one decision in every episode that goes on.

        Args:
            actions: shape (N, n).

        Raises:
            IllegalActionError: an action is not available; no episode has changed.
        """
        battle, world = self.battle, self.world
        shape = (len(world.heads), battle.seats)
        if actions.shape != shape or not np.issubdtype(actions.dtype, np.integer):
            raise IllegalActionError(
                f"{battle.where}: actions of shape {actions.shape} and type {actions.dtype},"
                f" where integers of shape {shape} were to come"
            )
        k, seat = unlawful(world, battle.rules, battle.ground, actions, self._mask)
        if k >= 0:
            legal = self.state(k).legal(seat)
            told = refusal(battle, seat, int(actions[k, seat]), legal)
            raise IllegalActionError(f"episode {k}: {told}")
        self._threads.run(step_all, world, battle.rules, battle.ground, actions, NO_NOISE)

    def restart(
        self, episodes: NDArray[np.integer[Any]], seeds: NDArray[np.integer[Any]] | Sequence[int]
    ) -> None:
        """Begin the episodes of these numbers, shape (M,), anew from `seeds`, shape (M,)."""
        own = as_seeds(seeds)
        if episodes.shape != own.shape:
            raise ParameterError("seeds", own.shape, f"one for each of {episodes.shape} episodes")
        start_all(self.world, self.battle.rules, self.battle.ground, episodes, stream_states(own))

    @property
    def truncated(self) -> Mask:
        """Where the limit of decisions ended the episode, shape (N,)."""
        cut: Mask = self.world.heads[:, at.CUT] == 1
        return cut

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (N, n)."""
        return self._paid(at.REWARD_0)

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (N, n)."""
        return self._paid(at.RETURN_0)

    def winners(self) -> NDArray[np.int32]:
        """Return the team that has won each episode, −1 for none, shape (N,)."""
        return self.world.heads[:, at.WINNER].copy()

    def _paid(self, column: int) -> Floats:
        out = np.repeat(self.world.pays[:, column, None], self.battle.seats, axis=1)
        out[:, self.battle.allies :] = self.world.pays[:, column + 1, None]
        return out

    def state_vectors(self) -> NDArray[np.float32]:
        """Return what a central learner may see of each episode, shape (N, S)."""
        return state_vectors(self.battle, self.world)

    def state(self, episode: int) -> SkirmishState:
        """Return one episode as a state of its own (its history is not known)."""
        return SkirmishState(self.battle, single(self.world, episode))
