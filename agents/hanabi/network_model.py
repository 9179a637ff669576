# ruff: noqa: PLR0917 - the arrays of an episode and of hands go by position, as to kernels
"""Everybody is one network, as beliefs and play-outs assume: see `agents.hanabi.models`.

Play-outs go on side by side, move by move, so that a network is asked about all of them at
once. Perceptrons are run here in single precision: the first layer in a kernel that adds up
the weights of what is set, the others as products. Other networks are asked as agents are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.hanabi import _network_kernels as inner
from agents.hanabi import _search_kernels as kernels
from agents.hanabi.models import Deal, Reals, Rows, Streams
from arena.errors import AgentError
from games.hanabi import Variant
from games.hanabi import layout as at
from games.hanabi._batch_kernels import legal_all
from games.hanabi._observe_kernels import encode_all

__all__ = ["NetworkModel"]

Singles = NDArray[np.float32]


class NetworkModel:
    """Everybody is one network: `distribution(tensor, legal, seat=…)`, without memory.

    Args:
        variant: what is played.
        network: see `solvers.training.learner.NetworkPolicy`.
        greedy: whether it plays its most probable action.

    Raises:
        AgentError: the network's sizes are those of another variant.
    """

    def __init__(self, variant: Variant, network: Any, *, greedy: bool) -> None:
        self._variant, self._network = variant, network
        self.stochastic = not greedy
        self._perceptron: _Perceptron | None = None
        header: dict[str, Any] = network.header() if hasattr(network, "header") else {}
        if header.get("kind") == "mlp":
            self._perceptron = _Perceptron(variant, header, network.arrays())

    def _odds(self, rows: Rows) -> Reals:
        """Return what whoever is to move plays in each episode that goes on, shape (K, A)."""
        variant = self._variant
        odds = np.empty((len(rows), variant.actions))
        if self._perceptron is not None:
            logits = self._perceptron.logits(rows)
            inner.shares(rows, variant.numbers, logits, not self.stochastic, odds)
            return odds
        tensor = np.empty((len(rows), variant.tensor_size), dtype=np.float32)
        encode_all(rows, variant.numbers, -1, variant.words(), tensor)
        legal, movers = self._legal(rows), rows[:, at.TURN]
        for seat in np.unique(movers):
            here = np.flatnonzero(movers == seat)
            odds[here] = self._network.distribution(
                tensor[here], legal[here], seat=int(seat), rows=here
            )
        return odds if self.stochastic else np.eye(odds.shape[1])[odds.argmax(axis=1)]

    def _legal(self, rows: Rows) -> NDArray[np.bool_]:
        """Return what is legal, shape (K, A)."""
        live = np.empty(len(rows), dtype=np.bool_)
        legal = np.empty((len(rows), self._variant.actions), dtype=np.bool_)
        legal_all(rows, self._variant.numbers, -1, live, legal)
        return legal

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
        likely, alive = np.ones(len(hands)), np.arange(len(hands))
        for turn in range(int(start[at.LENGTH]), int(seen[at.LENGTH])):
            if not len(rows):
                break
            action, note = (int(n) for n in seen[at.LOG + 2 * turn : at.LOG + 2 * turn + 2])
            chance = np.ones(len(rows))
            if rows[0, at.TURN] != seat:
                chance = self._odds(rows)[:, action]
                if soft > 0.0:
                    legal = self._legal(rows)
                    chance = (1.0 - soft) * chance + soft * legal[:, action] / legal.sum(axis=1)
            kernels.follow(rows, variant.numbers, action, note, chance)
            left = chance > 0.0
            likely[alive] *= chance
            rows, alive = rows[left], alive[left]
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
                # All actions of a world meet the same luck, move by move.
                marks = luck.random(len(chosen))[world[where]]
                moves = np.empty(len(where), dtype=np.int64)
                inner.pick(self._odds(rows), marks, moves)
        return out.reshape(len(chosen), count)


class _Perceptron:
    """The layers of `solvers.training.policy.MlpPolicy`, for positions instead of tensors."""

    def __init__(self, variant: Variant, header: dict[str, Any], arrays: dict[str, Any]) -> None:
        from games.hanabi.features import feature_numbers

        self._variant = variant
        self._tanh, self._seats = header["activation"] == "tanh", int(header["seats"])
        derived = 0
        self._copies = self._sizes = np.zeros(7, dtype=np.int64)
        if header["features"]:
            self._copies, self._sizes, derived = feature_numbers(variant)
        sizes = header["sizes"]
        if (sizes[0], sizes[-1]) != (variant.tensor_size + derived + self._seats, variant.actions):
            raise AgentError(
                f"a network of {sizes[0]} inputs and {sizes[-1]} actions does not play this"
                f" variant of Hanabi, of {variant.tensor_size + derived + self._seats} and"
                f" {variant.actions}"
            )
        self._layers: list[tuple[Singles, Singles]] = [
            (
                np.ascontiguousarray(arrays[f"{k}.weight"].T, dtype=np.float32),
                arrays[f"{k}.bias"].astype(np.float32),
            )
            for k in range(len(sizes) - 1)
        ]
        self._words = variant.words()

    def logits(self, rows: Rows) -> Singles:
        """Return what the network says in each episode, shape (N, A)."""
        variant = self._variant
        weight, bias = self._layers[0]
        x = np.empty((len(rows), len(bias)), dtype=np.float32)
        inner.first_layer(
            rows,
            variant.numbers,
            self._copies,
            self._sizes,
            variant.tensor_size,
            self._seats,
            weight,
            bias,
            self._words,
            x,
        )
        for weight, bias in self._layers[1:]:
            x = np.tanh(x, out=x) if self._tanh else np.maximum(x, np.float32(0.0), out=x)
            x = x @ weight
            x += bias
        return x
