"""Adam (Kingma and Ba 2015, algorithm 1) for weights in one array.

torch's own takes longer to begin a step than a small network's step takes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from arena.errors import ParameterError

__all__ = ["Adam"]

_MEAN, _SQUARE, _SMALL = 0.9, 0.999, 1e-8


class Adam:
    """Steps along a gradient, divided by its size of late.

    Args:
        weights: a parameter with a gradient, both of which stay where they are, such as
            `solvers.training.networks.joined_parameters` returns.
        rate: of learning; may be set anew before a step.
    """

    def __init__(self, weights: Any, rate: float) -> None:
        self._weights, self._gradient = weights.detach().numpy(), weights.grad.numpy()
        self._mean, self._square = np.zeros_like(self._weights), np.zeros_like(self._weights)
        self._steps, self.rate = 0, rate

    def step(self) -> None:
        """Change the weights."""
        self._steps += 1
        rate = self.rate / (1.0 - _MEAN**self._steps)
        spread = math.sqrt(1.0 - _SQUARE**self._steps)
        arrays = (self._weights, self._gradient, self._mean, self._square)
        _step(*arrays, np.float32(rate), np.float32(1.0 / spread))

    def arrays(self, prefix: str = "") -> dict[str, NDArray[Any]]:
        """Return copies of moments and counter, named as those of torch's."""
        return {
            f"{prefix}0.step": np.array(self._steps, dtype=np.float32),
            f"{prefix}0.exp_avg": self._mean.copy(),
            f"{prefix}0.exp_avg_sq": self._square.copy(),
        }

    def load(self, arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> None:
        """Put back what `arrays` returned; the rate stays as it is.

        Raises:
            ParameterError: they belong to another number of weights.
        """
        parts = {"exp_avg": self._mean, "exp_avg_sq": self._square}
        for name, own in parts.items():
            given = arrays.get(f"{prefix}0.{name}")
            if given is None or given.shape != own.shape:
                found = "none" if given is None else f"shape {given.shape}"
                wanted = f"shape {own.shape}: all weights' in one array"
                raise ParameterError("moments of Adam", found, wanted)
            own[:] = given
        self._steps = round(float(arrays[f"{prefix}0.step"]))


@njit(cache=True, fastmath=True, error_model="numpy")
def _step(weights, gradient, mean, square, rate, scale):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - compiled: no types, no keywords
    one, small = np.float32(1.0), np.float32(_SMALL)
    keep, keep_square = np.float32(_MEAN), np.float32(_SQUARE)
    for i in range(len(weights)):
        g = gradient[i]
        mean[i] = keep * mean[i] + (one - keep) * g
        square[i] = keep_square * square[i] + (one - keep_square) * g * g
        weights[i] -= rate * mean[i] / (np.sqrt(square[i]) * scale + small)
