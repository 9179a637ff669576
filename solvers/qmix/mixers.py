"""How the values of agents make that of the team.

- `Alone`: not at all; each agent learns by itself (IQL; Tan 1993).
- `Sum`: their sum (VDN; Sunehag et al. 2018).
- `Monotone`: a network that grows with each of them and whose weights come from the state by
  hypernetworks (QMIX; Rashid et al. 2018, section 4).
- `Duplex`: Σ V_i + Σ λ_i(s, u) A_i with λ_i > 0, which spans all that the agents' greedy
  actions allow (QPLEX; Wang et al. 2021, eq. 9 to 12).

In all of them the agents' greedy actions are together the team's (IGM): where each agent
plays its best, no other joint action has a greater value.

This module imports torch; `solvers.training.networks.require_torch` comes before it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from solvers.qmix.networks import uniform

__all__ = ["Alone", "Duplex", "Monotone", "Sum", "make_mixer"]


class Alone(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The values as they are."""

    def forward(self, chosen: Any, best: Any, actions: Any, state: Any) -> Any:
        """Return the values to learn, shape (P, K): K is n here, 1 in the others.

        Args:
            chosen: values of the actions done, shape (P, n).
            best: of the greatest available ones, shape (P, n).
            actions: what was done, shape (P, n).
            state: shape (P, S).
        """
        return chosen


class Sum(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The sum."""

    def forward(self, chosen: Any, best: Any, actions: Any, state: Any) -> Any:
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

    def forward(self, chosen: Any, best: Any, actions: Any, state: Any) -> Any:
        """See `Alone.forward`."""
        sizes = [self.hyper, self.hyper, self.embed, self.embed]
        inner, outer, bias, value = self.first(state).split(sizes, dim=1)
        w_1 = self.inner(inner.relu()).abs().view(-1, self.agents, self.embed)
        mixed = torch.baddbmm(bias[:, None], chosen[:, None], w_1)[:, 0]
        w_2 = self.outer(outer.relu()).abs()
        return (functional.elu(mixed) * w_2).sum(dim=1, keepdim=True) + self.value(value.relu())


class Duplex(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Σ V_i + Σ λ_i(s, u) A_i, of values and advantages scaled by w_i(s) > 0.

    Args:
        agents: n.
        actions: A.
        state: S.
        embed: width of the hidden layers.
        heads: summands of λ.
        generator: what the weights follow from.
    """

    def __init__(
        self, agents: int, actions: int, state: int, *, embed: int, heads: int, generator: Any
    ) -> None:
        super().__init__()
        self.agents, self.actions, self.heads = agents, actions, heads
        self.scale_in = _Linear(state, 2 * embed, generator)
        self.scale = _Linear(embed, agents, generator)
        self.shift = _Linear(embed, agents, generator)
        self.key_in = _Linear(state, 2 * embed, generator)
        self.key = _Linear(embed, heads, generator)
        self.whom = _Linear(embed, heads * agents, generator)
        self.what_in = _Linear(state + agents * actions, embed, generator)
        self.what = _Linear(embed, heads * agents, generator)

    def forward(self, chosen: Any, best: Any, actions: Any, state: Any) -> Any:
        """See `Alone.forward`."""
        a, b = self.scale_in(state).relu().chunk(2, dim=1)
        w = self.scale(a).abs() + _LEAST
        shift = self.shift(b)
        value = w * chosen + shift
        # Gradients reach the agents through the sum alone; with them λ could hide an error.
        advantage = (w * (chosen - best)).detach()
        lost = (self._weights(actions, state) - 1.0) * advantage
        return (value + lost).sum(dim=1, keepdim=True)

    def _weights(self, actions: Any, state: Any) -> Any:
        """Return λ, shape (P, n)."""
        done = functional.one_hot(actions, self.actions).flatten(1).to(state.dtype)
        a, b = self.key_in(state).relu().chunk(2, dim=1)
        key = self.key(a).abs() + _LEAST
        whom = self.whom(b).sigmoid().view(-1, self.heads, self.agents)
        what = self.what(self.what_in(torch.cat([state, done], dim=1)).relu()).sigmoid()
        return (key[:, :, None] * whom * what.view(-1, self.heads, self.agents)).sum(dim=1)


_LEAST = 1e-6


def make_mixer(
    name: str, *, agents: int, actions: int, state: int, embed: int, hyper: int, generator: Any
) -> Any:
    """Return the mixer of a learner: `iql`, `vdn`, `qmix` or `qplex`."""
    if name == "qmix":
        return Monotone(agents, state, embed=embed, hyper=hyper, generator=generator)
    if name == "qplex":
        return Duplex(agents, actions, state, embed=hyper, heads=4, generator=generator)
    return {"iql": Alone, "vdn": Sum}[name]()
