"""Small networks in torch: multi-layer perceptrons, and optimisers as plain arrays."""

from __future__ import annotations

import ctypes
import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import MissingDependencyError, ParameterError

__all__ = [
    "joined_parameters",
    "load_module",
    "load_optimizer",
    "mlp",
    "module_arrays",
    "optimizer_arrays",
    "quick_products",
    "require_torch",
    "torch_threads",
]


def require_torch(purpose: str) -> Any:
    """Return the module torch.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            "torch", "pip install 'arena-gametheory[torch]'", purpose=purpose
        ) from error
    return torch


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use so many threads inside the block.

    Sums are split among threads, so a run is repeatable with the same number only.
    """
    torch = require_torch("training")
    _keep_memory()
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def _keep_memory() -> None:
    """Let glibc keep up to 256 MB that were freed, for as long as the process lives.

    Updates take and free the same megabytes again and again. If they go back to the system
    each time, a third of an update of a small network is spent on page faults.
    """
    if platform.libc_ver()[0] == "glibc":
        trim_threshold, mmap_threshold = -1, -3  # malloc.h
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_threshold, 32 << 20)
        libc.mallopt(trim_threshold, 256 << 20)


@contextmanager
def quick_products() -> Iterator[None]:
    """Let large products inside the block be made by oneDNN where it keeps float32.

    It uses AVX-512 on processors where torch's other library does not, and is then twice as
    fast, once it has seen a size. torch takes it at the precision "medium", which allows less
    than float32 and on processors without matrix units (AMX) does not use that.
    """
    torch = require_torch("training")
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium" if _medium_is_exact() else before)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@cache
def _medium_is_exact() -> bool:
    """Return whether products at the precision "medium" are as good as float32 can be."""
    torch = require_torch("training")
    start = torch.Generator().manual_seed(0)
    a, b = torch.rand((2, 256, 256), generator=start)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    error = (a @ b).double() - a.double() @ b.double()
    torch.set_float32_matmul_precision(before)
    return bool(error.abs().max() < 1e-3)  # of about 64; bfloat16 errs by 0.1


def mlp(
    sizes: Sequence[int],
    *,
    generator: Any,
    activation: str = "relu",
    last_gain: float = 1.0,
    gain: float = math.sqrt(2.0),
) -> Any:
    """Return a perceptron as a `torch.nn.Sequential`: linear layers, activations between.

    Weights are orthogonal (Saxe et al. 2014), biases zero.

    Args:
        sizes: inputs, hidden layers, outputs.
        generator: a `torch.Generator`, which the weights follow from.
        activation: `relu` or `tanh`.
        last_gain: of the last layer's weights; small in policies, so that they start uniform.
        gain: of the other layers' weights.
    """
    torch = require_torch("a network")
    kinds = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}
    if activation not in kinds:
        raise ParameterError("activation", activation, " or ".join(kinds))
    layers: list[Any] = []
    for k, (inputs, outputs) in enumerate(pairwise(sizes)):
        # Made without torch's own initialisation, which would use the global generator.
        layer = torch.nn.utils.skip_init(torch.nn.Linear, inputs, outputs)
        last = k == len(sizes) - 2
        torch.nn.init.orthogonal_(layer.weight, last_gain if last else gain, generator=generator)
        torch.nn.init.zeros_(layer.bias)
        layers += [layer] if last else [layer, kinds[activation]()]
    return torch.nn.Sequential(*layers)


def joined_parameters(module: Any) -> Any:
    """Move a module's parameters into one array and return that as a parameter.

    Its `grad` is theirs in one array, zero at first. Optimisers and norms then take one step
    over it instead of one for each of the module's. `load_state_dict` leaves it in place.
    """
    torch = require_torch("a network")
    parts = list(module.parameters())
    # Each begins at a multiple of 64 bytes.
    starts = np.cumsum([0, *(-(-part.numel() // 16) * 16 for part in parts)]).tolist()
    joined = torch.nn.Parameter(torch.zeros(starts[-1]))
    joined.grad = torch.zeros(starts[-1])
    for part, at in zip(parts, starts, strict=False):
        own = slice(at, at + part.numel())
        joined.data[own] = part.detach().reshape(-1)
        part.data, part.grad = (x[own].view(part.shape) for x in (joined.data, joined.grad))
    return joined


def module_arrays(module: Any, prefix: str = "") -> dict[str, NDArray[Any]]:
    """Return copies of a module's weights and buffers by name."""
    return {prefix + name: t.detach().numpy().copy() for name, t in module.state_dict().items()}


def load_module(module: Any, arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> None:
    """Put weights that `module_arrays` returned into a module of the same architecture.

    Raises:
        ParameterError: a weight is missing or of another shape; the message names both.
    """
    torch = require_torch("a network")
    _same_shapes(module_arrays(module, prefix), arrays, "the network")
    module.load_state_dict(
        {name: torch.from_numpy(np.array(arrays[prefix + name])) for name in module.state_dict()}
    )


def optimizer_arrays(optimizer: Any, prefix: str = "") -> dict[str, NDArray[Any]]:
    """Return copies of a torch optimiser's moments and counters by name."""
    return {
        f"{prefix}{index}.{name}": value.detach().numpy().copy()
        for index, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def load_optimizer(optimizer: Any, arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> None:
    """Put back what `optimizer_arrays` returned; learning rates stay as they are."""
    torch = require_torch("an optimiser")
    state: dict[int, dict[str, Any]] = {}
    for name, array in arrays.items():
        if name.startswith(prefix):
            index, _, field = name.removeprefix(prefix).partition(".")
            state.setdefault(int(index), {})[field] = torch.from_numpy(np.array(array))
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _same_shapes(
    wanted: Mapping[str, NDArray[Any]], given: Mapping[str, NDArray[Any]], what: str
) -> None:
    for name, array in wanted.items():
        found = given.get(name)
        if found is None or found.shape != array.shape:
            shape = "nothing" if found is None else f"shape {found.shape}"
            raise ParameterError(f"weights {name!r}", shape, f"shape {array.shape} of {what}")
