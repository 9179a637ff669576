"""What QARL learned, in numpy: vectors from tensors, for both seats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError

__all__ = ["ControlPolicy"]

Layer = tuple[NDArray[Any], NDArray[Any]]

_LOG_STD = (-5.0, 2.0)


class ControlPolicy:
    """A squashed Gaussian for each seat: a = tanh(mean + spread · noise).

    The arithmetic is in double precision and the answer is rounded to single, so that it does
    not depend on how many observations are asked about at once.

    Args:
        game: the key of the game it is for.
        seats: for each seat the layers, (inputs, outputs) and (outputs,), or None for a seat
            that does nothing.
        sizes: numbers in an action of each seat.
        temperatures: for each seat what is added to the observation, or None for nothing.
        greedy: whether it plays the mean unless told otherwise.
    """

    kind = "control"

    def __init__(
        self,
        game: str,
        seats: Sequence[Sequence[Layer] | None],
        *,
        sizes: Sequence[int],
        temperatures: Sequence[float | None],
        greedy: bool = True,
    ) -> None:
        self.game, self.greedy = game, greedy
        self.sizes, self.temperatures = tuple(sizes), tuple(temperatures)
        self._stored = [None if layers is None else list(layers) for layers in seats]
        self._layers = [
            None
            if layers is None
            else [(w.astype(np.float64), b.astype(np.float64)) for w, b in layers]
            for layers in self._stored
        ]

    @staticmethod
    def make(
        game: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> ControlPolicy:
        """Make it from `header()` and `arrays()`.

        Raises:
            ParameterError: a layer is missing, or not of the shape that the header tells.
        """
        seats: list[list[Layer] | None] = []
        for seat, widths in enumerate(header["networks"]):
            if widths is None:
                seats.append(None)
                continue
            layers: list[Layer] = []
            for k, shape in enumerate(pairwise(widths)):
                pair = []
                for name, wanted in (("weight", shape), ("bias", shape[1:])):
                    found = arrays.get(f"{seat}.{k}.{name}")
                    if found is None or found.shape != tuple(wanted):
                        raise ParameterError(
                            f"{name} {k} of seat {seat} of a policy for {game}",
                            "nothing" if found is None else f"shape {found.shape}",
                            f"shape {tuple(wanted)}",
                        )
                    pair.append(found)
                layers.append((pair[0], pair[1]))
            seats.append(layers)
        return ControlPolicy(
            game,
            seats,
            sizes=header["sizes"],
            temperatures=header["temperatures"],
            greedy=header["greedy"],
        )

    def header(self) -> dict[str, Any]:
        """Return the architecture."""
        return {
            "kind": self.kind,
            "networks": [
                None if layers is None else [layers[0][0].shape[0], *(len(b) for _, b in layers)]
                for layers in self._stored
            ],
            "sizes": list(self.sizes),
            "temperatures": list(self.temperatures),
            "greedy": self.greedy,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights."""
        out: dict[str, NDArray[Any]] = {}
        for seat, layers in enumerate(self._stored):
            for k, (weight, bias) in enumerate(layers or ()):
                out |= {f"{seat}.{k}.weight": weight, f"{seat}.{k}.bias": bias}
        return out

    def layers(self, seat: int) -> list[Layer] | None:
        """Return a seat's weights (inputs, outputs) and biases (outputs,), layer by layer."""
        return self._stored[seat]

    def act(
        self, tensor: NDArray[Any], *, seat: int, noise: NDArray[Any] | None = None
    ) -> NDArray[np.float32]:
        """Return actions for M observations of a seat, shape (M, K).

        Args:
            tensor: shape (M, D).
            seat: whose they are.
            noise: standard normal numbers, shape (M, K), or None for the mean action.

        Raises:
            ParameterError: tensors of another size than the network's.
        """
        layers, size = self._layers[seat], self.sizes[seat]
        if layers is None:
            return np.zeros((len(tensor), size), dtype=np.float32)
        x = np.asarray(tensor, dtype=np.float64)
        if (warmth := self.temperatures[seat]) is not None:
            x = np.hstack([x, np.full((len(x), 1), warmth)])
        if x.shape[1] != layers[0][0].shape[0]:
            raise ParameterError(
                f"observation for the network of {self.game}",
                f"{x.shape[1]} numbers",
                f"{layers[0][0].shape[0]} numbers",
            )
        for weight, bias in layers[:-1]:
            x = np.maximum(x @ weight + bias, 0.0)
        weight, bias = layers[-1]
        x = x @ weight + bias
        mean = x[:, :size]
        if noise is not None:
            mean = mean + np.exp(np.clip(x[:, size:], *_LOG_STD)) * noise
        out: NDArray[np.float32] = np.tanh(mean).astype(np.float32)
        return out
