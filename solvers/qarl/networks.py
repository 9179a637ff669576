"""Perceptrons whose weights lie in one flat row, so that optimisers and averages are one call.

`copies` networks of the same shape are computed at once (twin critics). Gradients are written
out rather than left to autograd: at the sizes that control needs, recording costs more than
the arithmetic.
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
        grad: their gradients, shape (P,); overwritten by `backward`.
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
        self._mask = torch.ops.aten.threshold_backward.default  # of a rectifier
        self._weights: list[Any] = []
        self._slopes: list[Any] = []
        at = 0
        for number, shape in enumerate(shapes):
            size = math.prod(shape)
            part = self.flat[at : at + size].view(shape)
            bound = 1.0 / math.sqrt(sizes[number // 2])
            part.uniform_(-bound, bound, generator=generator)
            self._weights.append(part)
            self._slopes.append(self.grad[at : at + size].view(shape))
            at += size

    def __call__(self, inputs: Any) -> Any:
        """Return outputs, shape (copies, M, outputs), for inputs (M, inputs) of all copies."""
        return self.trace(inputs)[-1]

    def trace(self, inputs: Any) -> list[Any]:
        """Return what enters each layer and, last, the outputs: each (copies, M, width)."""
        torch, weights = self._torch, self._weights
        kept = [inputs.expand(self.copies, -1, -1)]
        last = len(weights) - 2
        for k in range(0, len(weights), 2):
            out = torch.baddbmm(weights[k + 1], kept[-1], weights[k])
            kept.append(out.relu_() if k < last else out)
        return kept

    def backward(self, kept: Sequence[Any], slope: Any, *, weights: bool, inputs: bool) -> Any:
        """Carry the slope of a loss by the outputs back through the layers.

        Args:
            kept: what `trace` returned.
            slope: shape (copies, M, outputs).
            weights: whether `grad` is to be filled.
            inputs: whether the slope by the inputs is wanted.

        Returns:
            The slope by each copy's inputs, shape (copies, M, inputs), or None.
        """
        torch = self._torch
        for k in range(len(kept) - 2, -1, -1):
            into = kept[k]
            if weights:
                torch.bmm(into.transpose(1, 2), slope, out=self._slopes[2 * k])
                torch.sum(slope, 1, keepdim=True, out=self._slopes[2 * k + 1])
            if k == 0 and not inputs:
                return None
            slope = torch.bmm(slope, self._weights[2 * k].transpose(1, 2))
            if k:
                slope = self._mask(slope, into, 0.0)
        return slope

    def layers(self, copy: int = 0) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Return copies of one network's weights (inputs, outputs) and biases (outputs,)."""
        arrays = [part[copy].detach().numpy().copy() for part in self._weights]
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
