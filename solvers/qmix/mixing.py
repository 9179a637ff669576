"""The monotone mixer as one function with its gradient by hand.

Written with torch's own operations it is twenty small steps over arrays that do not fit into
the caches; here everything between the matrix products is one pass (`_mixing_kernels`).

This module imports torch; `solvers.training.networks.require_torch` comes before it.
"""

from __future__ import annotations

from typing import Any

import torch

from solvers.qmix._mixing_kernels import mix, mix_back, rectify, rectify_back

__all__ = ["monotone"]


def monotone(chosen: Any, state: Any, *layers: Any) -> Any:
    """Return |w_2(s)|ᵀ elu(|W_1(s)| q + b_1(s)) + v(s), shape (P, 1); none flows back to s.

    Args:
        chosen: q, shape (P, n).
        state: s, shape (P, S).
        layers: weight and bias of four layers: the hidden ones of all hypernetworks,
            (2K + 2E, S), in the order W_1, w_2, b_1 (which has but this one), v; then what
            makes W_1, (n · E, K), w_2, (E, K), and v, (1, E).
    """
    return _Monotone.apply(chosen, state, *layers)


class _Monotone(torch.autograd.Function):  # type: ignore[misc]  # torch is untyped here
    @staticmethod
    def forward(ctx: Any, chosen: Any, state: Any, *layers: Any) -> Any:
        w_first, b_first, w_inner, b_inner, w_outer, b_outer, w_value, b_value = layers
        embed, hyper = w_outer.shape
        chosen, state = chosen.contiguous(), state.contiguous()
        first = torch.addmm(b_first, state, w_first.t())
        rectify(first.numpy(), hyper, embed)
        inner = torch.addmm(b_inner, first[:, :hyper], w_inner.t())
        outer = torch.addmm(b_outer, first[:, hyper : 2 * hyper], w_outer.t())
        hidden, out = torch.empty_like(outer), torch.empty(len(chosen))
        parts = [t.detach().numpy() for t in (chosen, first, inner, outer, w_value[0])]
        mix(*parts, b_value.detach().numpy()[0], hidden.numpy(), out.numpy())
        ctx.save_for_backward(chosen, state, first, inner, outer, hidden, w_inner, w_outer, w_value)
        return out[:, None]

    @staticmethod
    def backward(ctx: Any, by_out: Any) -> tuple[Any, ...]:
        chosen, state, first, inner, outer, hidden, w_inner, w_outer, w_value = ctx.saved_tensors
        embed, hyper = w_outer.shape
        by_out = by_out.reshape(-1).contiguous()
        by_q, by_first = torch.empty_like(chosen), torch.empty_like(first)
        by_inner, by_outer = torch.empty_like(inner), torch.empty_like(outer)
        given = [t.detach().numpy() for t in (by_out, chosen, inner, outer, w_value[0], hidden)]
        mix_back(*given, *(t.numpy() for t in (by_q, by_inner, by_outer, by_first)))
        by_first[:, :hyper] = by_inner @ w_inner
        by_first[:, hyper : 2 * hyper] = by_outer @ w_outer
        rectify_back(by_first.numpy(), first.numpy(), hyper, embed)
        return (
            by_q,
            None,
            by_first.t() @ state,
            by_first.sum(dim=0),
            by_inner.t() @ first[:, :hyper],
            by_inner.sum(dim=0),
            by_outer.t() @ first[:, hyper : 2 * hyper],
            by_outer.sum(dim=0),
            by_out[None] @ first[:, 2 * hyper + embed :],
            by_out.sum()[None],
        )
