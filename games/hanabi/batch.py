"""The form `batch`: N episodes in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError, ParameterError
from arena.rng import stream_states
from arena.types import Floats, Mask
from games.batch import BatchObservation, as_seeds
from games.hanabi import layout as at
from games.hanabi._kernels import (
    deal_all,
    deal_where,
    legal_all,
    refusal,
    returns_all,
    step_all,
)
from games.hanabi._observe_kernels import encode_all, hide_all
from games.hanabi.state import HanabiState, explain
from games.hanabi.variant import Variant

__all__ = ["HanabiBatch", "HanabiBatchObservation"]


class HanabiBatchObservation(BatchObservation):
    """What a seat knows in every episode; tensor and rows are computed on first use.

    Attributes:
        variant: the variant that is played.
    """

    def __init__(self, batch: HanabiBatch, seat: int) -> None:
        rows, variant = batch.rows, batch.variant
        live = np.empty(len(rows), dtype=np.bool_)
        legal = np.empty((len(rows), variant.actions), dtype=np.bool_)
        legal_all(rows, variant.numbers, seat, live, legal)
        for name, value in (("seat", seat), ("live", live), ("legal", legal)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_all", rows)
        object.__setattr__(self, "variant", variant)

    @property
    def tensor(self) -> NDArray[np.float32]:
        """Canonical encodings, zeros where the seat is not to move, shape (N, D)."""
        out: NDArray[np.float32] | None = self.__dict__.get("_tensor")
        if out is None:
            rows = self.__dict__["_all"]
            out = np.empty((len(rows), self.variant.tensor_size), dtype=np.float32)
            encode_all(rows, self.variant.numbers, self.seat, out)
            object.__setattr__(self, "_tensor", out)
        return out

    @property
    def rows(self) -> NDArray[np.int16]:
        """The episodes without what is hidden from the seat (or the mover), shape (N, W)."""
        rows: NDArray[np.int16] = self.__dict__["_all"]
        out = np.empty_like(rows)
        hide_all(rows, self.variant.numbers, self.seat, out)
        return out

    variant: Variant


class HanabiBatch:
    """N episodes; see `games.batch.Batch`.

    Attributes:
        variant: the variant that is played.
        rows: the episodes, int16, shape (N, W); see `games.hanabi.layout`.
    """

    def __init__(self, variant: Variant, seeds: NDArray[np.integer[Any]] | Sequence[int]) -> None:
        self.variant = variant
        streams = stream_states(as_seeds(seeds))
        self.rows = np.empty((len(streams), variant.width), dtype=np.int16)
        deal_all(self.rows, variant.numbers, streams)
        self._before = np.zeros(len(streams))

    def actors(self) -> Mask:
        """Return which seat is to move, shape (N, n)."""
        turn = self.rows[:, at.TURN, None] == np.arange(self.variant.players)
        acting: Mask = turn & (self.rows[:, at.LIVE, None] == 1)
        return acting

    def observe(self, seat: int) -> HanabiBatchObservation:
        """Return what `seat` knows in every episode."""
        return HanabiBatchObservation(self, seat)

    def observe_mover(self) -> HanabiBatchObservation:
        """Return what the seat to move knows in every episode, whichever seat that is.

        For self-play: one pass, and `step` takes the answers as a column, shape (N, 1). The
        observation's `seat` is −1.
        """
        return HanabiBatchObservation(self, -1)

    def restart(self, chosen: Mask, seeds: NDArray[np.integer[Any]] | Sequence[int]) -> None:
        """Begin new episodes where `chosen`, shape (N,), from their entries of `seeds`, (N,)."""
        rows = as_seeds(seeds)
        if chosen.shape != (len(self.rows),) or rows.shape != chosen.shape:
            raise ParameterError(
                "chosen, seeds", (chosen.shape, rows.shape), f"two of shape {(len(self.rows),)}"
            )
        deal_where(self.rows, self.variant.numbers, chosen, stream_states(rows))
        self._before[chosen] = 0.0

    def step(self, actions: NDArray[np.integer[Any]]) -> None:
        """Make a move in every episode that goes on.

        Args:
            actions: shape (N, n), or (N, 1): those of whoever is to move.

        Raises:
            IllegalActionError: an action is not legal; no episode has changed.
        """
        shape = (len(self.rows), self.variant.players)
        fits = actions.shape in (shape, (shape[0], 1))
        if not fits or not np.issubdtype(actions.dtype, np.integer):
            raise IllegalActionError(
                f"hanabi: actions of shape {actions.shape} and type {actions.dtype}, where"
                f" integers of shape {shape} were to come"
            )
        bad = step_all(self.rows, self.variant.numbers, actions, self._before)
        if bad >= 0:
            row = self.rows[bad]
            action = int(actions[bad, row[at.TURN] if actions.shape[1] > 1 else 0])
            code = refusal(row, self.variant.numbers, action)
            raise IllegalActionError(
                f"hanabi: episode {bad}: {explain(self.variant, row, action, code)}"
            )

    def rewards(self) -> Floats:
        """Return by how much the last step changed the scores, shape (N, n)."""
        return self.returns() - self._before[:, None]

    def returns(self) -> Floats:
        """Return the scores so far, shape (N, n)."""
        out = np.empty(len(self.rows))
        returns_all(self.rows, self.variant.numbers, out)
        return np.repeat(out[:, None], self.variant.players, axis=1)

    def state(self, episode: int) -> HanabiState:
        """Return one episode as a state of its own."""
        paid = int(self.rewards()[episode, 0])
        return HanabiState(self.variant, self.rows[episode].copy(), paid=paid)
