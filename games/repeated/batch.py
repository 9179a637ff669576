"""The form `batch` of matrix games, repeated or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError
from arena.rng import stream_states
from arena.types import Floats, Mask
from games.batch import BatchObservation, as_seeds
from games.normal_form import NormalForm
from games.repeated.form import RepeatedForm

__all__ = ["OneShotBatch", "RepeatedBatch"]


class RepeatedBatch:
    """N matches of a repeated matrix game; see `games.batch.Batch`.

    Attributes:
        played: rounds so far, shape (N,).
        window: the latest executed joint actions, the latest first, −1 before the first
            round, shape (N, memory, n).
    """

    def __init__(self, form: RepeatedForm, seeds: NDArray[np.integer[Any]] | Sequence[int]) -> None:
        # numba is heavy: whoever never asks for a batch never loads it.
        from games.repeated._kernels import play_round

        rows, stage = as_seeds(seeds), form.stage
        self._form = form
        self._play = play_round
        self._streams = stream_states(rows)
        self._counts = np.array(stage.actions, dtype=np.int64)
        self._strides = np.array(
            [np.prod(stage.actions[i + 1 :], dtype=np.int64) for i in range(stage.seats)],
            dtype=np.int64,
        )
        self._pay = np.ascontiguousarray(stage.payoffs.reshape(stage.seats, -1).T)
        self._live = np.ones(len(rows), dtype=np.bool_)
        self._totals = np.zeros((len(rows), stage.seats))
        self.played = np.zeros(len(rows), dtype=np.int64)
        self.window = np.full((len(rows), form.memory, stage.seats), -1, dtype=np.int64)
        self._before = self.returns()

    def actors(self) -> Mask:
        """Return all seats of the matches that go on, shape (N, n)."""
        return np.repeat(self._live[:, None], len(self._counts), axis=1)

    def observe(self, seat: int) -> BatchObservation:
        """Return what `seat` knows; the tensor is that of `RepeatedObservation`."""
        form, counts = self._form, self._counts
        n, rows = len(counts), len(self._live)
        tensor = np.zeros((rows, form.memory * int(counts.sum()) + 1), dtype=np.float32)
        at, row = 0, np.arange(rows)
        for m in range(form.memory):
            for other in (*range(seat, n), *range(seat)):
                seen = self.window[:, m, other] >= 0
                tensor[row[seen], at + self.window[seen, m, other]] = 1.0
                at += int(counts[other])
        horizon = form.horizon
        tensor[:, -1] = self.played / horizon if horizon else 1.0 / (1.0 + self.played)
        legal = np.repeat(self._live[:, None], int(counts[seat]), axis=1)
        return BatchObservation(seat, self._live.copy(), legal, tensor)

    def step(self, actions: NDArray[np.integer[Any]]) -> None:
        """Play one round of every match that goes on."""
        joint = _checked(actions, self._live, self._counts)
        self._before = self.returns()
        form = self._form
        self._play(
            joint,
            self._live,
            self._streams,
            -1 if form.rounds is None else form.rounds,
            -1.0 if form.continuation is None else float(form.continuation),
            float(form.noise),
            self._counts,
            self._strides,
            self._pay,
            self.played,
            self._totals,
            self.window,
        )

    def rewards(self) -> Floats:
        """Return what the last round added to `returns`, shape (N, n)."""
        return self.returns() - self._before

    def returns(self) -> Floats:
        """Return the payoffs so far, as `RepeatedState.returns` does, shape (N, n)."""
        if self._form.payoff == "sum":
            return self._totals.copy()
        horizon = self._form.horizon
        divisor = np.float64(horizon) if horizon else np.maximum(self.played, 1)[:, None]
        mean: Floats = self._totals / divisor
        return mean


class OneShotBatch:
    """N plays of a normal form; see `games.batch.Batch`."""

    def __init__(self, form: NormalForm, seeds: NDArray[np.integer[Any]] | Sequence[int]) -> None:
        self._payoffs = form.payoffs
        self._counts = np.array(form.actions, dtype=np.int64)
        self._live = np.ones(len(as_seeds(seeds)), dtype=np.bool_)
        self._returns = np.zeros((len(self._live), form.seats))

    def actors(self) -> Mask:
        """Return all seats, then none, shape (N, n)."""
        return np.repeat(self._live[:, None], len(self._counts), axis=1)

    def observe(self, seat: int) -> BatchObservation:
        """Return that there is nothing to see yet."""
        rows = len(self._live)
        legal = np.repeat(self._live[:, None], int(self._counts[seat]), axis=1)
        return BatchObservation(seat, self._live.copy(), legal, np.ones((rows, 1), np.float32))

    def step(self, actions: NDArray[np.integer[Any]]) -> None:
        """Play the joint actions."""
        joint = _checked(actions, self._live, self._counts)
        if self._live.any():
            self._returns = np.ascontiguousarray(self._payoffs[(slice(None), *joint.T)].T)
        self._live = np.zeros_like(self._live)

    def rewards(self) -> Floats:
        """Return what the play paid, shape (N, n)."""
        return self.returns()

    def returns(self) -> Floats:
        """Return the payoffs, zero before the play, shape (N, n)."""
        return self._returns.copy()


def _checked(
    actions: NDArray[np.integer[Any]], live: Mask, counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the actions as int64, shape (N, n), with zeros where it is over.

    Raises:
        IllegalActionError: a wrong shape or type, or an action out of range.
    """
    if actions.shape != (len(live), len(counts)) or not np.issubdtype(actions.dtype, np.integer):
        raise IllegalActionError(
            f"actions of shape {actions.shape} and type {actions.dtype}, where integers of shape"
            f" {(len(live), len(counts))} were to come"
        )
    joint = np.where(live[:, None], actions, 0).astype(np.int64)
    bad = (joint < 0) | (joint >= counts)
    if bad.any():
        episode, seat = (int(i) for i in np.argwhere(bad)[0])
        raise IllegalActionError(
            f"episode {episode}, seat {seat} played {int(joint[episode, seat])};"
            f" legal are 0 to {int(counts[seat]) - 1}"
        )
    return joint
