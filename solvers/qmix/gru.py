"""A gated recurrent unit over packed episodes, with its gradient by hand.

The equations are those of `torch.nn.GRU` (Cho et al. 2014):

    r = σ(x_r + W_hr h + b_hr),  z = σ(x_z + W_hz h + b_hz),
    n = tanh(x_n + r (W_hn h + b_hn)),  h' = n + z (h − n),

where x = W_i x_in + b_i is made for all times at once before. Rows are packed: those of time
0, then those of time 1, …, each time's rows a prefix of the ones before, so that nothing is
spent on episodes that have ended. The gradient by W_h is one product over all times.

This module imports torch; `solvers.training.networks.require_torch` comes before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from solvers.qmix._gru_kernels import unroll, unroll_back

__all__ = ["gru_packed", "gru_packed_back", "gru_step"]


def gru_step(inputs: Any, hidden: Any, weight: Any, bias: Any) -> Any:
    """Return the next state, shape (M, H).

    Args:
        inputs: the inputs' share of the arguments, shape (M, 3H).
        hidden: h, shape (M, H).
        weight: W_h, shape (3H, H).
        bias: b_h, shape (3H,).
    """
    size = hidden.shape[1]
    recurrent = torch.addmm(bias, hidden, weight.t())
    gates = (inputs[:, : 2 * size] + recurrent[:, : 2 * size]).sigmoid_()
    fresh = torch.addcmul(inputs[:, 2 * size :], gates[:, :size], recurrent[:, 2 * size :]).tanh_()
    return torch.lerp(fresh, hidden, gates[:, size:])


def gru_packed(
    inputs: Any, weight: Any, bias: Any, counts: NDArray[np.int64], *, kept: bool
) -> tuple[Any, Any, Any]:
    """Return the state after every row, from states of zero at the start, shape (R, H).

    Args:
        inputs: the inputs' share of the arguments, packed, shape (R, 3H).
        weight: W_h, shape (3H, H).
        bias: b_h, shape (3H,).
        counts: rows of each time, never increasing, Σ ≤ R; the state of rows beyond is zero.
        kept: whether what `gru_packed_back` needs is kept.

    Returns:
        It, and for `gru_packed_back` the states before and the gates.
    """
    rows, size = inputs.shape[0], weight.shape[1]
    out, before = torch.empty((rows, size)), torch.empty((rows, size))
    gates = torch.empty((rows if kept else counts[0], 4 * size))
    recurrent = np.empty((counts[0], 3 * size), dtype=np.float32)
    x, w, b = (t.detach().numpy() for t in (inputs, weight, bias))
    unroll(x, w, b, counts, kept, before.numpy(), recurrent, gates.numpy(), out.numpy())
    for rest in (out, before):
        rest[counts.sum() :] = 0.0
    return out, before, gates


def gru_packed_back(
    by_out: Any, weight: Any, counts: NDArray[np.int64], before: Any, gates: Any
) -> tuple[Any, Any, Any]:
    """Return the gradients by `inputs`, `weight` and `bias` of `gru_packed`.

    Args:
        by_out: gradient by the states, modified, shape (R, H).
        weight: see `gru_packed`.
        counts: see `gru_packed`.
        before: what it returned.
        gates: what it returned.
    """
    rows, size = before.shape
    by_in, by_rec = torch.empty((rows, 3 * size)), torch.empty((rows, 3 * size))
    turned = np.ascontiguousarray(weight.detach().numpy().T)
    nothing = np.zeros(size, dtype=np.float32)
    passed = np.empty((counts[0], size), dtype=np.float32)
    given = [t.numpy() for t in (by_out, gates, before)]
    unroll_back(*given, turned, nothing, counts, passed, by_in.numpy(), by_rec.numpy())
    for rest in (by_in, by_rec):
        rest[counts.sum() :] = 0.0
    return by_in, by_rec.t() @ before, by_rec.sum(dim=0)
