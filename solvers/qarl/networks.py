"""Perceptrons whose weights lie in one flat row, so that optimisers and averages are one call.

`copies` networks of the same shape are computed at once (twin critics). Weights are leaves
of autograd that look into the row; so are their gradients.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from solvers.training.networks import require_torch

__all__ = ["FlatNet"]


class FlatNet:
    """Linear layers with ReLU between them.

    Args:
        sizes: inputs, hidden layers, outputs.
        copies: how many networks.
        generator: a `torch.Generator` that the weights follow from: uniform, as in He et al.
            2015 for leaky units (torch's default for linear layers).

    Attributes:
        flat: all weights, shape (P,).
        grad: their gradients, shape (P,); filled by `backward`, cleared by `clear`.
    """

    def __init__(self, sizes: Sequence[int], *, copies: int = 1, generator: Any) -> None:
        torch = self._torch = require_torch("a network")
        self.sizes, self.copies = list(sizes), copies
        shapes = [
            shape
            for inputs, outputs in pairwise(sizes)
            for shape in ((copies, inputs, outputs), (copies, 1, outputs))
        ]
        total = sum(math.prod(shape) for shape in shapes)
        self.flat, self.grad = torch.zeros(total), torch.zeros(total)
        self.flat.grad = self.grad
        self._leaves: list[Any] = []
        self._fixed: list[Any] = []
        at = 0
        for number, shape in enumerate(shapes):
            size = math.prod(shape)
            part = self.flat[at : at + size].view(shape)
            bound = 1.0 / math.sqrt(sizes[number // 2])
            part.uniform_(-bound, bound, generator=generator)
            leaf = part.detach().requires_grad_()
            leaf.grad = self.grad[at : at + size].view(shape)
            self._leaves.append(leaf)
            self._fixed.append(part)
            at += size

    def __call__(self, inputs: Any, *, learn: bool = True) -> Any:
        """Return outputs, shape (copies, M, outputs).

        Args:
            inputs: shape (M, inputs), the same for all copies.
            learn: whether gradients flow to the weights (they always do to the inputs).
        """
        torch, weights = self._torch, self._leaves if learn else self._fixed
        out = inputs.expand(self.copies, -1, -1)
        last = len(weights) - 2
        for k in range(0, len(weights), 2):
            out = torch.baddbmm(weights[k + 1], out, weights[k])
            if k < last:
                out = torch.relu(out)
        return out

    def clear(self) -> None:
        """Set the gradients to zero."""
        self.grad.zero_()

    def layers(self, copy: int = 0) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Return copies of one network's weights (inputs, outputs) and biases (outputs,)."""
        arrays = [part[copy].detach().numpy().copy() for part in self._fixed]
        return [(arrays[k], arrays[k + 1][0]) for k in range(0, len(arrays), 2)]

    def array(self) -> NDArray[np.float32]:
        """Return a copy of all weights, shape (P,)."""
        out: NDArray[np.float32] = self.flat.numpy().copy()
        return out

    def load(self, arrays: Mapping[str, NDArray[Any]], name: str) -> None:
        """Put back what `array` returned.

        Raises:
            ParameterError: nothing of that name, or of another size.
        """
        found = arrays.get(name)
        if found is None or found.shape != tuple(self.flat.shape):
            shape = "nothing" if found is None else f"shape {found.shape}"
            raise ParameterError(f"weights {name!r}", shape, f"shape {tuple(self.flat.shape)}")
        self.flat.copy_(self._torch.from_numpy(np.array(found, dtype=np.float32)))
