"""The form `batch`: N episodes in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError, ParameterError
from arena.rng import stream_states
from arena.types import Floats, Mask
from games.batch import BatchObservation, as_seeds
from games.hanabi import layout as at
from games.hanabi._batch_kernels import (
    actors_all,
    deal_all,
    deal_over,
    deal_where,
    legal_all,
    random_all,
    returns_all,
    step_all,
)
from games.hanabi._kernels import refusal
from games.hanabi._observe_kernels import encode_all, encode_seats, hide_all
from games.hanabi.state import HanabiState, explain, opening
from games.hanabi.variant import Variant

__all__ = ["HanabiBatch", "HanabiBatchObservation"]


class HanabiBatchObservation(BatchObservation):
    """What a seat (−1: whoever is to move) knows in every episode, computed on first use.

    The arrays are the batch's own and are overwritten by its next observation of that seat.

    Attributes:
        variant: the variant that is played.
    """

    def __init__(self, batch: HanabiBatch, seat: int) -> None:
        object.__setattr__(self, "seat", seat)
        object.__setattr__(self, "variant", batch.variant)
        object.__setattr__(self, "_batch", batch)

    @property
    def tensor(self) -> NDArray[np.float32]:
        """Canonical encodings, zeros where the seat is not to move, shape (N, D)."""
        found: NDArray[np.float32] | None = self.__dict__.get("_tensor")
        if found is None:
            batch: HanabiBatch = self.__dict__["_batch"]
            shape = (len(batch.rows), batch.variant.tensor_size)
            found = batch.scratch("tensor", self.seat, shape, np.float32)
            variant = batch.variant
            encode_all(batch.rows, variant.numbers, self.seat, variant.words(), found)
            object.__setattr__(self, "_tensor", found)
        return found

    def __getattr__(self, name: str) -> Any:
        """Compute a field that was not asked for yet."""
        batch: HanabiBatch = self.__dict__["_batch"]
        numbers, seat, rows = batch.variant.numbers, self.seat, batch.rows
        if name in ("live", "legal"):
            live = batch.scratch("live", seat, (len(rows),), np.bool_)
            legal = batch.scratch("legal", seat, (len(rows), batch.variant.actions), np.bool_)
            legal_all(rows, numbers, seat, live, legal)
            object.__setattr__(self, "live", live)
            object.__setattr__(self, "legal", legal)
        elif name == "rows":
            hidden = batch.scratch("rows", seat, rows.shape, np.int16)
            hide_all(rows, numbers, seat, hidden)
            object.__setattr__(self, "rows", hidden)
        else:
            raise AttributeError(name)
        return self.__dict__[name]

    if TYPE_CHECKING:
        variant: Variant
        rows: NDArray[np.int16]  # the episodes without what is hidden from the seat, (N, W)


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
        deal_all(self.rows, variant.numbers, opening(variant), streams)
        self._before = np.zeros(len(streams))
        self._streams = streams  # scratch from here on
        self._scratch: dict[tuple[str, int], NDArray[Any]] = {}

    def scratch(
        self, name: str, seat: int, shape: tuple[int, ...], dtype: type[np.generic]
    ) -> NDArray[Any]:
        """Return the array that holds a field of the observations of `seat`."""
        found = self._scratch.get((name, seat))
        if found is None:
            found = self._scratch[name, seat] = np.empty(shape, dtype=dtype)
        return found

    def actors(self) -> Mask:
        """Return which seat is to move, shape (N, n)."""
        acting: Mask = np.empty((len(self.rows), self.variant.players), dtype=np.bool_)
        actors_all(self.rows, acting)
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

    def tensors(self) -> NDArray[np.float32]:
        """Return the canonical encodings of every seat, whoever is to move, shape (N, n, D).

        What a critic that sees all of them takes. The array is overwritten by the next call.
        """
        variant = self.variant
        shape = (len(self.rows), variant.players, variant.tensor_size)
        out = self.scratch("tensors", -1, shape, np.float32)
        encode_seats(self.rows, variant.numbers, variant.words(), out)
        return out

    def restart(
        self, episodes: NDArray[np.integer[Any]], seeds: NDArray[np.integer[Any]] | Sequence[int]
    ) -> None:
        """Begin the episodes of these numbers, shape (M,), anew from `seeds`, shape (M,)."""
        own = as_seeds(seeds)
        if episodes.shape != own.shape:
            raise ParameterError("seeds", own.shape, f"one for each of {episodes.shape} episodes")
        variant = self.variant
        deal_where(self.rows, variant.numbers, opening(variant), episodes, stream_states(own))
        self._before[episodes] = 0.0

    def renew(self, seed: int) -> Mask:
        """Begin every episode that is over anew, number k from `derive_many(seed, [k])`.

        Returns:
            Which were begun anew, shape (N,).
        """
        over: Mask = np.empty(len(self.rows), dtype=np.bool_)
        deal_over(
            self.rows,
            self.variant.numbers,
            opening(self.variant),
            np.uint64(seed & (1 << 64) - 1),
            self._streams,
            self._before,
            over,
        )
        return over

    def sample(self, streams: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Draw a legal action of whoever is to move, each equally likely.

        Args:
            streams: one an episode (`arena.rng.stream_states`), (N,), modified in place.

        Returns:
            Shape (N, 1), as `step` takes it; 0 where the episode is over.
        """
        out = np.empty((len(self.rows), 1), dtype=np.int64)
        random_all(self.rows, self.variant.numbers, streams, out[:, 0])
        return out

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
        return self._paid(self._before)

    def returns(self) -> Floats:
        """Return the scores so far, shape (N, n)."""
        return self._paid(self._before[:0])

    def _paid(self, before: NDArray[np.float64]) -> Floats:
        out = np.empty((len(self.rows), self.variant.players))
        returns_all(self.rows, self.variant.numbers, before, out)
        return out

    def state(self, episode: int) -> HanabiState:
        """Return one episode as a state of its own."""
        paid = int(self.rewards()[episode, 0])
        return HanabiState(self.variant, self.rows[episode].copy(), paid=paid)
