"""The form `batch`: N episodes of a restless bandit at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError
from arena.rng import stream_states
from arena.types import Floats, Mask
from games.bandits.shared import Shared
from games.batch import BatchObservation, as_seeds

__all__ = ["BanditBatch", "BanditBatchObservation"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BanditBatchObservation(BatchObservation):
    """What the seat knows in every episode.

    Attributes:
        levels: the arms' states, shape (N, J).
        step: steps done, the same in all episodes.
        shared: the bandit's tables.
    """

    levels: Ints = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    step: int = 0
    shared: Shared | None = None


class BanditBatch:
    """N episodes; see `games.batch.Batch`.

    Attributes:
        levels: the arms' states, shape (N, J).
        step_number: steps done; all episodes have the same length.
    """

    def __init__(self, shared: Shared, seeds: NDArray[np.integer[Any]] | Sequence[int]) -> None:
        from games.bandits import _kernels

        rows = as_seeds(seeds)
        self._shared, self._move = shared, _kernels.move_arms
        self._streams = stream_states(rows)
        self.levels: Ints = np.zeros((len(rows), shared.form.arms), dtype=np.int64)
        self._paid, self._totals = np.zeros(len(rows)), np.zeros(len(rows))
        self._live = np.ones(len(rows), dtype=np.bool_)
        self.step_number = 0
        _kernels.draw_levels(self._streams, shared.initial, self.levels)

    def actors(self) -> Mask:
        """Return where the seat is to move, shape (N, 1): everywhere until the horizon."""
        return self._live[:, None].copy()

    def observe(self, seat: int) -> BanditBatchObservation:
        """Return what the seat knows; the tensor is that of `BanditObservation`."""
        form, listed = self._shared.form, self._shared.listed
        n = len(self.levels)
        one_hot = self.levels[:, :, None] == np.arange(form.states)
        tensor = np.empty((n, form.arms * form.states + 1), dtype=np.float32)
        tensor[:, :-1] = one_hot.reshape(n, -1)
        tensor[:, -1] = self.step_number / form.horizon
        legal = np.broadcast_to(self._live[:, None], (n, 0 if listed is None else len(listed)))
        return BanditBatchObservation(
            seat, self._live.copy(), legal, tensor, self.levels.copy(), self.step_number,
            self._shared,
        )  # fmt: skip

    def step(self, actions: NDArray[np.integer[Any]]) -> None:
        """Act in every episode: numbers of shape (N, 1), or vectors of shape (N, 1, K)."""
        n, listed = len(self.levels), self._shared.listed
        wanted = (n, 1) if listed is not None else (n, 1, self._shared.form.feasible.size)
        if actions.shape != wanted or not np.issubdtype(actions.dtype, np.integer):
            raise IllegalActionError(
                f"actions of shape {actions.shape} and type {actions.dtype}, where integers of"
                f" shape {wanted} were to come"
            )
        self._go(self._shared.vectors(actions[:, 0]) if self._live.any() else None)

    def step_arms(self, actions: NDArray[Any], *, check: bool = True) -> None:
        """Act by vectors of zeros and ones, shape (N, K), however the game shows its actions.

        Args:
            actions: one row an episode.
            check: False: the caller has made sure that they are feasible.

        Raises:
            IllegalActionError: a row is not feasible; no episode has changed.
        """
        wanted = (len(self.levels), self._shared.form.feasible.size)
        if actions.shape != wanted:
            raise IllegalActionError(
                f"actions of shape {actions.shape}, where {wanted} was to come"
            )
        if check and self._shared.listed is not None:
            for action in np.unique(actions, axis=0):
                self._shared.number(action)
        elif check:
            self._shared.vectors(actions)
        self._go(actions)

    def _go(self, chosen: NDArray[Any] | None) -> None:
        if chosen is None or not self._live.any():
            self._paid[:] = 0.0
            return
        shared = self._shared
        form = shared.form
        modes = form.modes_at(self.levels, chosen) if not form.plain or form.influenced else chosen
        self._move(
            np.ascontiguousarray(modes, dtype=np.int64),
            float(shared.weights[self.step_number]),
            self._live,
            self._streams,
            shared.cumulative,
            form.reward,
            self.levels,
            self._paid,
            self._totals,
        )
        self.step_number += 1
        self._live[:] = self.step_number < form.horizon

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (N, 1)."""
        return self._paid[:, None].copy()

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (N, 1)."""
        return self._totals[:, None].copy()
