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

from solvers.qmix._kernels import gru_gates_back

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
        counts: rows of each time, never increasing, Σ = R.
    """
    return _Packed.apply(inputs, weight, bias, list(counts))


class _Packed(torch.autograd.Function):  # type: ignore[misc]  # torch is untyped here
    @staticmethod
    def forward(ctx: Any, inputs: Any, weight: Any, bias: Any, counts: list[int]) -> Any:
        rows, size = inputs.shape[0], weight.shape[1]
        out = torch.empty((rows, size))
        before = torch.zeros((rows, size))
        gates = torch.empty((rows, 2 * size))
        fresh = torch.empty((rows, size))
        hidden = torch.empty((rows, size))
        turned = weight.t()
        at = 0
        for time, count in enumerate(counts):
            now = slice(at, at + count)
            x, h, rz, n = inputs[now], before[now], gates[now], fresh[now]
            recurrent = torch.addmm(bias, h, turned)
            torch.add(x[:, : 2 * size], recurrent[:, : 2 * size], out=rz).sigmoid_()
            hidden[now] = recurrent[:, 2 * size :]
            torch.addcmul(x[:, 2 * size :], rz[:, :size], hidden[now], out=n).tanh_()
            torch.lerp(n, h, rz[:, size:], out=out[now])
            if time + 1 < len(counts):
                after = counts[time + 1]
                before[at + count : at + count + after] = out[at : at + after]
            at += count
        ctx.save_for_backward(weight, before, gates, fresh, hidden)
        ctx.counts = counts
        return out

    @staticmethod
    def backward(ctx: Any, by_out: Any) -> tuple[Any, ...]:
        weight, before, gates, fresh, hidden = ctx.saved_tensors
        rows, size = fresh.shape
        by_h = by_out.contiguous().clone()
        by_in, by_rec = torch.empty((rows, 3 * size)), torch.empty((rows, 3 * size))
        by_before = torch.empty((max(ctx.counts), size))
        arrays = [t.numpy() for t in (by_h, gates, fresh, hidden, before, by_in, by_rec)]
        below, at = by_before.numpy(), rows
        for time in range(len(ctx.counts) - 1, -1, -1):
            count = ctx.counts[time]
            at -= count
            gru_gates_back(*(array[at : at + count] for array in arrays), below[:count])
            if time:
                first = at - ctx.counts[time - 1]
                to = by_h[first : first + count]
                to += by_before[:count]
                to.addmm_(by_rec[at : at + count], weight)
        return by_in, by_rec.t() @ before, by_rec.sum(dim=0), None
