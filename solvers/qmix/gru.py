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

from collections.abc import Sequence
from typing import Any

import torch

from solvers.qmix._kernels import gru_gates, gru_gates_back
from solvers.training.networks import small_products

__all__ = ["gru_packed", "gru_step"]


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


def gru_packed(inputs: Any, weight: Any, bias: Any, counts: Sequence[int]) -> Any:
    """Return the state after every row, from states of zero at the start, shape (R, H).

    Args:
        inputs: the inputs' share of the arguments, packed, shape (R, 3H).
        weight: W_h, shape (3H, H).
        bias: b_h, shape (3H,).
        counts: rows of each time, never increasing, Σ ≤ R; the state of rows beyond is zero.
    """
    return _Packed.apply(inputs, weight, bias, list(counts))


class _Packed(torch.autograd.Function):  # type: ignore[misc]  # torch is untyped here
    @staticmethod
    def forward(ctx: Any, inputs: Any, weight: Any, bias: Any, counts: list[int]) -> Any:
        rows, size = inputs.shape[0], weight.shape[1]
        out, before = torch.empty((rows, size)), torch.empty((rows, size))
        kept = any(ctx.needs_input_grad)
        gates = torch.empty((rows if kept else counts[0], 4 * size))
        recurrent = torch.empty((counts[0], 3 * size))
        arrays = [t.numpy() for t in (inputs.detach(), recurrent, before, gates, out)]
        turned = weight.t()
        before[: counts[0]] = 0.0
        at = 0
        with small_products():
            for count, after in zip(counts, [*counts[1:], 0], strict=True):
                torch.addmm(bias, before[at : at + count], turned, out=recurrent[:count])
                gru_gates(*arrays, at, count, after, kept)
                at += count
        for rest in (out, before):
            rest[at:] = 0.0
        ctx.save_for_backward(weight, before, gates)
        ctx.counts = counts
        return out

    @staticmethod
    def backward(ctx: Any, by_out: Any) -> tuple[Any, ...]:
        weight, before, gates = ctx.saved_tensors
        counts, (rows, size) = ctx.counts, before.shape
        by_h = by_out.clone(memory_format=torch.contiguous_format)
        by_in, by_rec = torch.empty((rows, 3 * size)), torch.empty((rows, 3 * size))
        arrays = [t.numpy() for t in (by_h, gates, before, by_in, by_rec)]
        at = sum(counts)
        for rest in (by_in, by_rec):
            rest[at:] = 0.0
        with small_products():
            for count, previous in zip(counts[::-1], [*counts[-2::-1], 0], strict=True):
                at -= count
                gru_gates_back(*arrays, at, count, previous)
                if previous:
                    first = at - previous
                    by_h[first : first + count].addmm_(by_rec[at : at + count], weight)
        return by_in, by_rec.t() @ before, by_rec.sum(dim=0), None
