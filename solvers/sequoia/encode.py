"""ReLU networks as arrays: any chain of linear layers, ReLUs and residual blocks.

With h_0 = x the input and h_l = ReLU(z_l) the neurons of layer l, every such network is

1. z_l = Σ_{k<l} W[l, k] h_k + b_l,
2. Q = Σ_k c_k h_k + c,

where W[l, k] with k < l − 1 comes from residual connections. `encode` reads a torch module
into this form. Where x = base + effect · a depends on binary actions a only (the state is
fixed at a decision), `ReluNet.fix` gives the same with h_0 = a: an `ActionNet`, which is what
bounds, searches and programs work on. All arithmetic is in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from solvers.training.networks import require_torch

__all__ = ["ActionNet", "ReluNet", "encode", "from_layers", "residual"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

SUPPORTED = "Linear, ReLU, Sequential, Identity, Flatten, Dropout in eval mode and residual blocks"


@dataclass(frozen=True, eq=False)
class ReluNet:
    """A network with one output; T neurons in all, D inputs.

    Attributes:
        starts: where each layer's neurons begin, and T at the end, shape (L + 1,).
        weight: z = weight · (x, h) + bias; block lower triangular, shape (T, D + T).
        bias: shape (T,).
        out: c, shape (D + T,).
        constant: the output's own bias.
    """

    starts: Ints
    weight: Reals
    bias: Reals
    out: Reals
    constant: float

    @property
    def inputs(self) -> int:
        """Number of inputs D."""
        return int(self.weight.shape[1]) - len(self.bias)

    def values(self, x: Any) -> Reals:
        """Return the outputs for inputs of shape (K, D), shape (K,)."""
        given = np.asarray(x, dtype=np.float64)
        d = self.inputs
        whole = np.empty((len(given), d + len(self.bias)))
        whole[:, :d] = given
        for first, last in zip(self.starts[:-1], self.starts[1:], strict=True):
            z = whole[:, : d + first] @ self.weight[first:last, : d + first].T
            np.maximum(z + self.bias[first:last], 0.0, out=whole[:, d + first : d + last])
        found: Reals = whole @ self.out + self.constant
        return found

    def fix(self, base: Any, effect: Any) -> ActionNet:
        """Return the network as a function of N actions, x = base + effect · a.

        Args:
            base: shape (D,).
            effect: shape (D, N), or the number of each action's input, shape (N,).

        Raises:
            ParameterError: shapes that do not fit, or numbers that are not finite.
        """
        start, d = np.asarray(base, dtype=np.float64), self.inputs
        if start.shape != (d,) or not np.isfinite(start).all():
            raise ParameterError("base", f"shape {start.shape}", f"{d} finite numbers")
        by = np.asarray(effect)
        columns = by.ndim == 1 and by.dtype.kind in "iu"
        if columns and ((by < 0) | (by >= d)).any():
            raise ParameterError("effect", by.tolist(), f"inputs from 0 to {d - 1}")
        if not columns and (by.ndim != 2 or by.shape[0] != d or not np.isfinite(by).all()):
            raise ParameterError("effect", f"shape {by.shape}", f"({d}, N), finite")
        used = np.flatnonzero(start)  # few: states come one-hot
        weight, out = self.weight[:, :d], self.out[:d]
        n = by.shape[-1]
        acting = np.empty((len(self.bias), n + len(self.bias)))
        acting[:, :n] = weight[:, by] if columns else weight @ by
        acting[:, n:] = self.weight[:, d:]
        return ActionNet(
            self.starts,
            acting,
            self.bias + weight[:, used] @ start[used],
            np.concatenate([out[by] if columns else out @ by, self.out[d:]]),
            self.constant + float(out[used] @ start[used]),
        )


class ActionNet(ReluNet):
    """A `ReluNet` whose inputs are the N binary actions."""


@dataclass
class _Affine:
    """Numbers that are linear in input and neurons: matrix · (x, h) + offset, shape (n, D + T)."""

    matrix: Reals
    offset: Reals

    def widened(self, columns: int) -> Reals:
        more = columns - self.matrix.shape[1]
        return np.pad(self.matrix, ((0, 0), (0, more))) if more else self.matrix


class _Builder:
    """Neurons so far, layer by layer."""

    def __init__(self, inputs: int) -> None:
        self.inputs, self.count = inputs, 0
        self.starts = [0]
        self.layers: list[_Affine] = []

    def linear(self, of: _Affine, weight: Reals, bias: Reals | None, where: str) -> _Affine:
        if weight.shape[1] != len(of.offset):
            raise ParameterError(
                f"layer {where}", f"{weight.shape[1]} inputs", f"{len(of.offset)}, what comes to it"
            )
        offset = weight @ of.offset
        return _Affine(weight @ of.matrix, offset if bias is None else offset + bias)

    def relu(self, of: _Affine) -> _Affine:
        self.layers.append(of)
        n = len(of.offset)
        out = np.zeros((n, self.inputs + self.count + n))
        out[:, self.inputs + self.count :] = np.eye(n)
        self.count += n
        self.starts.append(self.count)
        return _Affine(out, np.zeros(n))

    def sum(self, one: _Affine, other: _Affine, where: str) -> _Affine:
        if len(one.offset) != len(other.offset):
            raise ParameterError(
                f"residual block {where}",
                f"{len(one.offset)} and {len(other.offset)} outputs",
                "the same number from both branches",
            )
        columns = max(one.matrix.shape[1], other.matrix.shape[1])
        return _Affine(one.widened(columns) + other.widened(columns), one.offset + other.offset)

    def build(self, last: _Affine) -> ReluNet:
        if len(last.offset) != 1:
            raise ParameterError("outputs of the network", len(last.offset), "1, the value")
        columns = self.inputs + self.count
        weight = np.zeros((self.count, columns))
        for start, layer in zip(self.starts, self.layers, strict=False):
            weight[start : start + len(layer.offset), : layer.matrix.shape[1]] = layer.matrix
        bias = np.concatenate([np.zeros(0), *(layer.offset for layer in self.layers)])
        made = ReluNet(
            np.array(self.starts, dtype=np.int64),
            weight,
            bias,
            last.widened(columns)[0],
            float(last.offset[0]),
        )
        for name, array in (("weight", weight), ("bias", bias), ("out", made.out)):
            if not np.isfinite(array).all():
                raise ParameterError(f"{name} of the network", "nan or inf", "finite numbers")
        return made


def encode(module: Any, inputs: int) -> ReluNet:
    """Read a torch module with `inputs` inputs and one output.

    Args:
        module: made of the layers in `SUPPORTED`; linear layers may lack biases.
        inputs: D.

    Raises:
        ParameterError: an unsupported layer, named, or sizes that do not fit together.
        MissingDependencyError: torch is not installed.
    """
    require_torch("reading a network")
    builder = _Builder(inputs)
    first = _Affine(np.eye(inputs), np.zeros(inputs))
    return builder.build(_read(builder, module, first, "network"))


def _read(builder: _Builder, module: Any, x: _Affine, where: str) -> _Affine:
    torch = require_torch("reading a network")
    nn = torch.nn
    if isinstance(module, nn.Sequential):
        for name, child in module.named_children():
            x = _read(builder, child, x, f"{where}.{name}")
        return x
    if isinstance(module, nn.Linear):
        weight = module.weight.detach().cpu().double().numpy()
        bias = None if module.bias is None else module.bias.detach().cpu().double().numpy()
        return builder.linear(x, weight, bias, where)
    if isinstance(module, nn.ReLU):
        return builder.relu(x)
    flat = isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1)
    idle = isinstance(module, nn.Dropout) and not module.training
    if isinstance(module, nn.Identity) or flat or idle:
        return x
    if isinstance(module, _residual_class()):
        body = _read(builder, module.body, x, f"{where}.body")
        skip = x if module.skip is None else _read(builder, module.skip, x, f"{where}.skip")
        return builder.sum(body, skip, where)
    raise ParameterError(f"layer {where}", type(module).__name__, SUPPORTED)


def from_layers(weights: Sequence[Any], biases: Sequence[Any] | None = None) -> ReluNet:
    """Return the perceptron with ReLUs between its layers, without torch.

    Args:
        weights: of each layer, shape (outputs, inputs); the last has one output.
        biases: of each layer, shape (outputs,); None: none.

    Raises:
        ParameterError: no layers, or shapes that do not fit together.
    """
    if not len(weights):
        raise ParameterError("weights", "no layers", "at least one")
    given = biases if biases is not None else [None] * len(weights)
    if len(given) != len(weights):
        raise ParameterError("biases", f"{len(given)} of them", f"{len(weights)}, one a layer")
    arrays = [np.asarray(w, dtype=np.float64) for w in weights]
    for k, array in enumerate(arrays):
        if array.ndim != 2:
            raise ParameterError(f"weights of layer {k}", f"shape {array.shape}", "two axes")
    inputs = arrays[0].shape[1]
    builder = _Builder(inputs)
    x = _Affine(np.eye(inputs), np.zeros(inputs))
    for k, (weight, bias) in enumerate(zip(arrays, given, strict=True)):
        x = builder.relu(x) if k else x
        x = builder.linear(
            x, weight, None if bias is None else np.asarray(bias, np.float64), str(k)
        )
    return builder.build(x)


@lru_cache(maxsize=1)
def _residual_class() -> Any:
    torch = require_torch("a residual block")

    class Residual(torch.nn.Module):  # type: ignore[misc,name-defined] # torch comes lazily
        def __init__(self, body: Any, skip: Any = None) -> None:
            super().__init__()
            self.body, self.skip = body, skip

        def forward(self, x: Any) -> Any:
            return self.body(x) + (x if self.skip is None else self.skip(x))

    return Residual


def residual(body: Any, skip: Any = None) -> Any:
    """Return the torch module x ↦ body(x) + skip(x); without `skip`, body(x) + x."""
    return _residual_class()(body, skip)
