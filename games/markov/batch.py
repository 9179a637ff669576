"""The form `batch` of Markov games: N episodes at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError
from arena.rng import stream_states
from arena.types import Floats, Mask
from games.batch import BatchObservation, as_seeds
from games.markov.form import MarkovGame

__all__ = ["MarkovBatch"]


class MarkovBatch:
    """N episodes; see `games.batch.Batch`.

    Attributes:
        at: the state of each, shape (N,).
        steps: steps done, shape (N,).
    """

    def __init__(self, form: MarkovGame, seeds: NDArray[np.integer[Any]] | Sequence[int]) -> None:
        from games.markov import _kernels

        rows = as_seeds(seeds)
        self._form, self._play = form, _kernels.play_step
        longest = form.longest
        self._longest = -1 if longest is None else longest
        self._streams = stream_states(rows)
        self._live = np.ones(len(rows), dtype=np.bool_)
        self.at = np.zeros(len(rows), dtype=np.int64)
        self.steps = np.zeros(len(rows), dtype=np.int64)
        self._paid, self._totals = np.zeros((2, len(rows), form.seats))
        self._strides = np.array(
            [np.prod(form.actions[i + 1 :], dtype=np.int64) for i in range(form.seats)]
        )
        starts = np.flatnonzero(form.initial)
        _kernels.draw_start(self._streams, starts, form.initial[starts], self.at)

    def actors(self) -> Mask:
        """Return all seats of the episodes that go on, shape (N, n)."""
        return np.repeat(self._live[:, None], self._form.seats, axis=1)

    def observe(self, seat: int) -> BatchObservation:
        """Return what `seat` knows; the tensor is that of `MarkovObservation`."""
        form = self._form
        tensor = np.zeros((len(self.at), form.states + 1), dtype=np.float32)
        tensor[np.arange(len(self.at)), self.at] = 1.0
        if form.horizon:
            tensor[:, -1] = self.steps / form.horizon
        legal = form.legal[seat][self.at] & self._live[:, None]
        return BatchObservation(seat, self._live.copy(), legal, tensor)

    def step(self, actions: NDArray[np.integer[Any]]) -> None:
        """Play one step of every episode that goes on."""
        form, live = self._form, self._live
        wanted = (len(live), form.seats)
        if actions.shape != wanted or not np.issubdtype(actions.dtype, np.integer):
            raise IllegalActionError(
                f"actions of shape {actions.shape} and type {actions.dtype}, where integers of"
                f" shape {wanted} were to come"
            )
        for seat, count in enumerate(form.actions):
            given = actions[:, seat]
            inside = (given >= 0) & (given < count)
            good = inside & form.legal[seat][self.at, np.where(inside, given, 0)]
            if (live & ~good).any():
                episode = int(np.argmax(live & ~good))
                legal = np.flatnonzero(form.legal[seat][self.at[episode]]).tolist()
                raise IllegalActionError(
                    f"episode {episode}, seat {seat} played {int(given[episode])};"
                    f" legal are {legal}"
                )
        joint = np.where(live[:, None], actions, 0).astype(np.int64) @ self._strides
        self._play(
            joint,
            live,
            self._streams,
            form.reward,
            form.indptr,
            form.indices,
            form.probability,
            form.terminal,
            self._longest,
            form.discount,
            self.steps,
            self.at,
            self._paid,
            self._totals,
        )

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (N, n)."""
        return self._paid.copy()

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (N, n)."""
        return self._totals.copy()
