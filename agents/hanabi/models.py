# ruff: noqa: PLR0917 - the arrays of an episode and of hands go by position, as to kernels
"""How everybody plays, as beliefs and play-outs assume: bots in kernels, or a network.

A model has no state of its own between calls; what seats remember of a game is an array
(empty for a network, whose answer depends on the observation alone).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.hanabi import _kernels as bots
from agents.hanabi import _search_kernels as kernels
from agents.hanabi._table_kernels import WORK
from agents.hanabi.table import BOTS
from games.hanabi import Variant
from games.hanabi import layout as at
from games.hanabi.batch import HanabiBatch

__all__ = ["BotModel", "Deal", "Model", "NetworkModel"]

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


class NetworkModel:
    """Everybody is one network: `distribution(tensor, legal, seat=…)`, without memory.

    Args:
        variant: what is played.
        network: see `solvers.training.learner.NetworkPolicy`.
        greedy: whether it plays its most probable action.
    """

    def __init__(self, variant: Variant, network: Any, *, greedy: bool) -> None:
        self._variant, self._network = variant, network
        self.stochastic = not greedy
        self._layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        header = network.header() if hasattr(network, "header") else {}
        if header.get("kind") == "mlp":
            # Single precision is twice as fast, and nothing here needs more.
            arrays = network.arrays()
            count = len(header["sizes"]) - 1
            self._layers = [
                (
                    np.ascontiguousarray(arrays[f"{k}.weight"].T, dtype=np.float32),
                    arrays[f"{k}.bias"].astype(np.float32),
                )
                for k in range(count)
            ]
            self._tanh, self._seats = header["activation"] == "tanh", int(header["seats"])

    def _odds(self, rows: Rows) -> tuple[Reals, NDArray[np.bool_], NDArray[np.int64]]:
        """Return what whoever is to move plays, (K, A), what is legal, (K, A), who it is, (K,)."""
        batch = HanabiBatch(self._variant, np.zeros(len(rows), dtype=np.uint64))
        batch.rows[:] = rows
        seen = batch.observe_mover()
        legal, movers = np.asarray(seen.legal), rows[:, at.TURN].astype(np.int64)
        tensor = np.asarray(seen.tensor)
        if not self._layers:
            odds = np.zeros(legal.shape)
            for seat in np.unique(movers):
                here = movers == seat
                odds[here] = self._network.distribution(
                    tensor[here], legal[here], seat=int(seat), rows=np.flatnonzero(here)
                )
        else:
            x = tensor
            if self._seats:
                x = np.hstack([x, np.eye(self._seats, dtype=np.float32)[movers]])
            for weight, bias in self._layers[:-1]:
                x = x @ weight + bias
                x = np.tanh(x) if self._tanh else np.maximum(x, np.float32(0.0))
            weight, bias = self._layers[-1]
            logits = np.where(legal, x @ weight + bias, -np.inf).astype(np.float64)
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            odds /= odds.sum(axis=1, keepdims=True)
        if not self.stochastic:
            odds = np.eye(legal.shape[1])[odds.argmax(axis=1)]
        return odds, legal, movers

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
        variant = self._variant
        rows = np.repeat(start[None], len(hands), axis=0)
        deck = slice(at.DECK, at.DECK + at.MAX_CARDS)
        rows[:, deck] = seen[deck]
        base = at.HANDS + seat * variant.cards_held
        slots = seen[base : base + hands.shape[1]].astype(np.int64)
        rows[:, at.DECK + slots] = hands
        likely = np.ones(len(hands))
        for turn in range(int(start[at.LENGTH]), int(seen[at.LENGTH])):
            action, note = (int(n) for n in seen[at.LOG + 2 * turn : at.LOG + 2 * turn + 2])
            left = np.flatnonzero(likely)
            if not len(left):
                break
            if rows[left[0], at.TURN] != seat:
                odds, legal, _ = self._odds(rows[left])
                even = legal[:, action] / legal.sum(axis=1)
                likely[left] *= (1.0 - soft) * odds[:, action] + soft * even
            kernels.follow(rows, variant.numbers, action, note, likely)
        return likely, np.zeros((len(hands), variant.players, 0), dtype=np.int64)

    def watch(self, seen: Rows, seat: int) -> None:
        """Nothing is remembered."""

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
        variant, count = self._variant, len(actions)
        rows = np.empty((len(chosen), len(seen)), dtype=np.int16)
        kernels.deal_worlds(
            seen, variant.numbers, seat, deal.hands, chosen, deal.unseen, streams, rows
        )
        rows = np.repeat(rows, count, axis=0)
        world = np.repeat(np.arange(len(chosen)), count)
        luck = np.random.Generator(np.random.PCG64(int(streams[0])))
        out = np.zeros(len(rows))
        moves = np.tile(np.array(actions, dtype=np.int64), len(chosen))
        where = np.arange(len(rows))
        while len(where):
            kernels.make_moves(rows, variant.numbers, moves, out, where)
            left = rows[:, at.LIVE] == 1
            rows, where = rows[left], where[left]
            if len(where):
                odds, _, _ = self._odds(rows)
                # All actions of a world meet the same luck, move by move.
                draws = luck.random(len(chosen))[world[where]]
                moves = np.minimum(
                    (odds.cumsum(axis=1) < draws[:, None] * odds.sum(axis=1)[:, None]).sum(axis=1),
                    odds.shape[1] - 1,
                )
        return out.reshape(len(chosen), count)
