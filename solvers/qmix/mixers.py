"""How the values of agents make that of the team.

- `Alone`: not at all; each agent learns by itself (IQL; Tan 1993).
- `Sum`: their sum (VDN; Sunehag et al. 2018).
- `Monotone`: a network that grows with each of them and whose weights come from the state by
  hypernetworks (QMIX; Rashid et al. 2018, section 4).
- `Free`: a network of values and state with no bounds, which weighted QMIX learns beside the
  monotone one (Q̂* of Rashid et al. 2020, "Weighted QMIX", section 4).

In all of them but the last the agents' greedy actions are together the team's (IGM): where
each agent plays its best, no other joint action has a greater value.

This module imports torch; `solvers.training.networks.require_torch` comes before it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from solvers.qmix.mixing import monotone
from solvers.qmix.networks import uniform

__all__ = ["Alone", "Free", "Monotone", "Sum", "make_mixer"]


class Alone(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The values as they are."""

    def forward(self, chosen: Any, state: Any) -> Any:
        """Return the values to learn, shape (P, K): K is n here, 1 in the others.

        Args:
            chosen: values of the actions done, shape (P, n).
            state: shape (P, S).
        """
        return chosen


class Sum(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The sum."""

    def forward(self, chosen: Any, state: Any) -> Any:
        """See `Alone.forward`."""
        return chosen.sum(dim=1, keepdim=True)


class _Linear(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A linear layer whose weights follow from a generator."""

    def __init__(self, inputs: int, outputs: int, generator: Any) -> None:
        super().__init__()
        self.weight = uniform((outputs, inputs), inputs, generator)
        self.bias = uniform((outputs,), inputs, generator)

    def forward(self, x: Any) -> Any:
        return functional.linear(x, self.weight, self.bias)


class Monotone(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Q_tot = |w_2(s)|ᵀ elu(|W_1(s)| q + b_1(s)) + v(s).

    Args:
        agents: n.
        state: S.
        embed: width of the mixing layer.
        hyper: width of the hypernetworks' hidden layer.
        generator: what the weights follow from.
    """

    def __init__(self, agents: int, state: int, *, embed: int, hyper: int, generator: Any) -> None:
        super().__init__()
        self.agents, self.embed, self.hyper = agents, embed, hyper
        # The first layers of the four hypernetworks are one product.
        self.first = _Linear(state, 2 * hyper + 2 * embed, generator)
        self.inner = _Linear(hyper, agents * embed, generator)
        self.outer = _Linear(hyper, embed, generator)
        self.value = _Linear(embed, 1, generator)

    def forward(self, chosen: Any, state: Any) -> Any:
        """See `Alone.forward`."""
        layers = (self.first, self.inner, self.outer, self.value)
        parts = [part for layer in layers for part in (layer.weight, layer.bias)]
        return monotone(chosen, state, *parts)


class Free(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A perceptron of two hidden layers.

    Args:
        agents: n.
        state: S.
        width: of its layers.
        generator: what the weights follow from.
    """

    def __init__(self, agents: int, state: int, *, width: int, generator: Any) -> None:
        super().__init__()
        self.first = _Linear(agents + state, width, generator)
        self.second = _Linear(width, width, generator)
        self.value = _Linear(width, 1, generator)

    def forward(self, chosen: Any, state: Any) -> Any:
        """See `Alone.forward`."""
        x = self.first(torch.cat([chosen, state], dim=1)).relu()
        return self.value(self.second(x).relu())


def make_mixer(
    name: str, *, agents: int, state: int, embed: int, hyper: int, generator: Any
) -> Any:
    """Return the mixer of a learner: `iql`, `vdn`, `qmix` or `wqmix`."""
    if name in ("qmix", "wqmix"):
        return Monotone(agents, state, embed=embed, hyper=hyper, generator=generator)
    return {"iql": Alone, "vdn": Sum}[name]()
