# ruff: noqa: PLR0917 - the arrays of an episode and of hands go by position, as to kernels
"""How everybody plays, as beliefs and play-outs assume: bots in kernels.

A network is a model too, see `agents.hanabi.network_model`.

A model has no state of its own between calls; what seats remember of a game is an array
(empty for a network, whose answer depends on the observation alone).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agents.hanabi import _kernels as bots
from agents.hanabi import _search_kernels as kernels
from agents.hanabi._table_kernels import WORK
from agents.hanabi.table import BOTS
from games.hanabi import Variant
from games.hanabi import layout as at

__all__ = ["BotModel", "Deal", "Model"]

Rows = NDArray[np.int16]
Streams = NDArray[np.uint64]
Reals = NDArray[np.float64]


class Deal(Protocol):
    """The hands that a seat may hold."""

    hands: NDArray[np.int16]
    memories: NDArray[np.int64]
    unseen: NDArray[np.int64]


class Model(Protocol):
    """How everybody plays."""

    stochastic: bool

    def replay(
        self,
        start: Rows,
        seen: Rows,
        seat: int,
        hands: NDArray[np.int16],
        parents: NDArray[np.int64],
        before: NDArray[np.int64],
        soft: float,
    ) -> tuple[Reals, NDArray[np.int64]]:
        """Go through the moves from `start` to `seen` with each hand of `seat`, (K, H).

        Args:
            start: an earlier position of the episode `seen`, shape (W,).
            seen: the episode without what is hidden from the seat, shape (W,).
            seat: whose hand it is.
            hands: shape (K, H).
            parents: what of `before` each hand goes on from, −1: nothing yet, shape (K,).
            before: what seats remembered at `start`, shape (M, n, 50).
            soft: probability with which a partner plays any legal move instead.

        Returns:
            How likely the partners' moves were, (K,); what seats remember then, (K, n, 50).
        """

    def watch(self, seen: Rows, seat: int) -> None:
        """Let the seat itself remember the episode up to now; asked at each of its decisions."""

    def playouts(
        self,
        seen: Rows,
        seat: int,
        deal: Deal,
        chosen: NDArray[np.int64],
        actions: Sequence[int],
        streams: Streams,
    ) -> Reals:
        """Return the score of each action in each world, shape (M, A).

        Args:
            seen: the episode without what is hidden from the seat, shape (W,).
            seat: whose turn it is.
            deal: its possible hands.
            chosen: which of them each world has, shape (M,).
            actions: shape (A,).
            streams: one, modified in place.
        """


class BotModel:
    """Everybody is one of the bots of `agents.hanabi.table.BOTS`."""

    def __init__(self, variant: Variant, name: str) -> None:
        self._variant = variant
        self._bot = BOTS[name].number
        self._bots = np.full(variant.players, self._bot, dtype=np.int64)
        self.stochastic = BOTS[name].stochastic
        self._work = np.zeros(WORK, dtype=np.int64)
        self._row = np.zeros(variant.width, dtype=np.int16)
        self._own_row = np.zeros(variant.width, dtype=np.int16)
        self._own_row[at.LENGTH] = -1
        self._own = np.zeros(at.MAX_CARDS, dtype=np.int64)

    def replay(
        self,
        start: Rows,
        seen: Rows,
        seat: int,
        hands: NDArray[np.int16],
        parents: NDArray[np.int64],
        before: NDArray[np.int64],
        soft: float,
    ) -> tuple[Reals, NDArray[np.int64]]:
        """See `Model.replay`."""
        likely = np.zeros(len(hands))
        memories = np.empty((len(hands), self._variant.players, at.MAX_CARDS), dtype=np.int64)
        kernels.replay(
            self._bots,
            start,
            seen,
            self._variant.numbers,
            seat,
            hands,
            parents,
            before,
            soft,
            self._row,
            self._work,
            likely,
            memories,
        )
        return likely, memories

    def watch(self, seen: Rows, seat: int) -> None:
        """See `Model.watch`."""
        numbers = self._variant.numbers
        bots.catch_up(self._bot, seen, self._own_row, numbers, self._own, seat, self._work)

    def playouts(
        self,
        seen: Rows,
        seat: int,
        deal: Deal,
        chosen: NDArray[np.int64],
        actions: Sequence[int],
        streams: Streams,
    ) -> Reals:
        """See `Model.playouts`."""
        out = np.empty((len(chosen), len(actions)))
        kernels.playouts(
            self._bots,
            seen,
            self._variant.numbers,
            seat,
            self._own,
            deal.hands,
            deal.memories,
            chosen,
            np.array(actions, dtype=np.int64),
            streams,
            deal.unseen,
            self._work,
            out,
        )
        return out
