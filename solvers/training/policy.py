"""Policies computed by networks, in numpy: they play without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.game import Game, Observation
from arena.registry import GAMES, load_target
from arena.types import Floats
from solvers.training.learner import NetworkPolicy
from solvers.training.sides import Sides

__all__ = ["KINDS", "MlpPolicy", "first_move", "from_header", "masked_softmax"]

KINDS: dict[str, str] = {
    "control": "solvers.qarl.policy:ControlPolicy.make",
    "mlp": "solvers.training.policy:MlpPolicy.make",
    "sequoia": "solvers.sequoia.policy:QPolicy.make",
    "value": "solvers.qmix.policy:ValuePolicy.make",
}
"""Kinds of network policies and what makes them: f(game, header, arrays)."""


def from_header(game: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Make the policy that `header()` and `arrays()` describe.

    Raises:
        ParameterError: no such kind, or weights that do not fit the architecture.
    """
    kind = header.get("kind")
    if kind not in KINDS:
        raise ParameterError("kind of network policy", kind, ", ".join(KINDS))
    return load_target(KINDS[kind])(game, header, arrays)


def masked_softmax(logits: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return probabilities, exactly zero where illegal, shape (M, A)."""
    most = np.where(legal, logits, -np.inf).max(axis=1, keepdims=True)
    weight = np.where(legal, np.exp(np.where(legal, logits - most, 0.0)), 0.0)
    out: NDArray[np.float64] = weight / weight.sum(axis=1, keepdims=True)
    return out


def first_move(policy: NetworkPolicy, observation: Observation) -> Floats:
    """Return what a policy that remembers nothing yet plays at an observation, shape (A,).

    Raises:
        ParameterError: an observation without tensor or mask.
    """
    tensor, legal = observation.tensor, observation.legal
    if tensor is None or legal is None:
        raise ParameterError("observation", "one without tensor or mask", "both")
    given = np.asarray(tensor, dtype=np.float32)[None]
    out: Floats = policy.distribution(given, legal[None], seat=observation.seat)[0]
    return out


class MlpPolicy:
    """A perceptron from the observation's tensor to logits of actions.

    The arithmetic is in double precision: the order of sums differs between one observation
    and a batch of them, and so the choices of an agent do not depend on how it is asked.

    In a skirmish, one that has learned a team plays both teams of the battle, see `Sides`.

    Args:
        game: the key of the game it is for.
        weights: of each layer, shape (outputs, inputs).
        biases: of each layer, shape (outputs,).
        activation: between the layers, `relu` or `tanh`.
        greedy: see `NetworkPolicy`.
        seats: if given, the seat's number, one-hot of this length, is added to the tensor.
        features: whether what the game's form `features` derives is added before it.
    """

    kind = "mlp"

    def __init__(
        self,
        game: str,
        weights: Sequence[NDArray[Any]],
        biases: Sequence[NDArray[Any]],
        *,
        activation: str = "relu",
        greedy: bool = False,
        seats: int = 0,
        features: bool = False,
    ) -> None:
        self.game, self.greedy = game, greedy
        self.activation, self.seats = activation, seats
        self._features: Any = None
        if features:
            self._features = GAMES.factory(game)().form("features")
        self._stored = [
            (np.asarray(w), np.asarray(b)) for w, b in zip(weights, biases, strict=True)
        ]
        self._layers = [
            (np.ascontiguousarray(w.T, dtype=np.float64), b.astype(np.float64))
            for w, b in self._stored
        ]
        sizes = self.sizes
        self._sides = Sides(game, sizes[0] - seats, sizes[-1], turned=False)

    @staticmethod
    def make(game: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> MlpPolicy:
        """Make it from `header()` and `arrays()`.

        Raises:
            ParameterError: a layer is missing, or not of the shape that the header tells.
        """
        sizes = header["sizes"]
        for k, shape in enumerate(zip(sizes[1:], sizes[:-1], strict=True)):
            for name, wanted in ((f"{k}.weight", shape), (f"{k}.bias", shape[:1])):
                found = arrays[name].shape if name in arrays else None
                if found != wanted:
                    raise ParameterError(
                        f"weights {name!r} of a policy for {game}",
                        "nothing" if found is None else f"shape {found}",
                        f"shape {wanted} of a perceptron of sizes {sizes}",
                    )
        layers = range(len(sizes) - 1)
        return MlpPolicy(
            game,
            [arrays[f"{k}.weight"] for k in layers],
            [arrays[f"{k}.bias"] for k in layers],
            activation=header["activation"],
            greedy=header["greedy"],
            seats=header["seats"],
            features=header.get("features", False),
        )

    @property
    def sizes(self) -> list[int]:
        """Inputs, hidden layers, outputs."""
        return [self._stored[0][0].shape[1], *(len(b) for _, b in self._stored)]

    def header(self) -> dict[str, Any]:
        """Return the architecture."""
        return {
            "kind": self.kind,
            "sizes": self.sizes,
            "activation": self.activation,
            "greedy": self.greedy,
            "seats": self.seats,
            "features": self._features is not None,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights."""
        out: dict[str, NDArray[Any]] = {}
        for k, (weight, bias) in enumerate(self._stored):
            out |= {f"{k}.weight": weight, f"{k}.bias": bias}
        return out

    def plays(self, game: Game, seat: int) -> bool:
        """Whether it can take this seat of a game, see `Sides`."""
        return self._sides.plays(game, seat)

    def memory(self, episodes: int) -> None:
        """Keep nothing from move to move."""

    def distribution(
        self,
        tensor: NDArray[np.float32],
        legal: NDArray[np.bool_],
        *,
        seat: int,
        memory: Any = None,
        rows: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Return probabilities, shape (M, A); see `NetworkPolicy`.

        Raises:
            ParameterError: tensors or masks of another size than the network's.
        """
        agent, turn = self._sides.view(seat)
        if turn is not None:
            tensor, legal = turn.look(np.asarray(tensor)), turn.mask(legal)
        x = np.asarray(tensor, dtype=np.float64)
        if self._features is not None:
            x = np.hstack([x, self._features(np.asarray(tensor, dtype=np.float32))])
        if self.seats:
            x = np.hstack([x, np.tile(np.eye(self.seats)[agent], (len(x), 1))])
        sizes = self.sizes
        if (x.shape[1], legal.shape[1]) != (sizes[0], sizes[-1]):
            raise ParameterError(
                f"observation for the network of {self.game}",
                f"{x.shape[1]} numbers, {legal.shape[1]} actions",
                f"{sizes[0]} numbers, {sizes[-1]} actions",
            )
        for weight, bias in self._layers[:-1]:
            x = x @ weight + bias
            x = np.tanh(x) if self.activation == "tanh" else np.maximum(x, 0.0, out=x)
        weight, bias = self._layers[-1]
        chances = masked_softmax(x @ weight + bias, legal)
        if turn is None:
            return chances
        out = np.empty_like(chances)
        out[:, turn.action] = chances
        return out

    def probabilities(self, observation: Observation) -> Floats:
        """Return the distribution over actions, shape (A,)."""
        return first_move(self, observation)
