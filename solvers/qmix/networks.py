"""The agents' network: one for all, told which agent it is and what it did last.

    x = relu(W_o o + W_a[last action] + W_i[agent] + b)
    h = GRU(x)  or  relu(W x + b)
    Q = W_q h + b_q

A table's row for the last action and one for the agent stand for one-hot inputs (Rashid et al.
2018, appendix; Hu et al. 2021, "Rethinking the implementation tricks and monotonicity
constraint in cooperative multi-agent reinforcement learning").

This module imports torch; `solvers.training.networks.require_torch` comes before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from solvers.qmix._kernels import enter, enter_back
from solvers.qmix.gru import gru_packed, gru_packed_back, gru_step

__all__ = ["AgentNet", "uniform"]


def uniform(shape: tuple[int, ...], inputs: int, generator: Any) -> Any:
    """Return a parameter drawn from ±1/√inputs, as torch's linear layers are."""
    bound = inputs**-0.5
    drawn = torch.rand(shape, generator=generator)
    return torch.nn.Parameter((2.0 * drawn - 1.0) * bound)


class AgentNet(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Action values from observations.

    Args:
        inputs: D, numbers in an observation.
        actions: A.
        agents: n.
        hidden: H.
        recurrent: whether the middle layer is a GRU.
        last_action: whether it is told the last action.
        agent_id: whether it is told which agent it is.
        generator: what the weights follow from.
    """

    def __init__(
        self,
        inputs: int,
        actions: int,
        *,
        agents: int,
        hidden: int,
        recurrent: bool,
        last_action: bool,
        agent_id: bool,
        generator: Any,
    ) -> None:
        super().__init__()
        self.recurrent, self.agents, self.actions = recurrent, agents, actions
        fan = inputs + actions * last_action + agents * agent_id
        wide = 3 * hidden if recurrent else hidden
        self.observe = uniform((hidden, inputs), fan, generator)
        self.bias = uniform((hidden,), fan, generator)
        # One row for each action and one, of zeros, for the start of an episode.
        self.last = uniform((actions, hidden), fan, generator) if last_action else None
        self.agent = uniform((agents, hidden), fan, generator) if agent_id else None
        self.inner = uniform((wide, hidden), hidden, generator)
        self.inner_bias = uniform((wide,), hidden, generator)
        if recurrent:
            self.state = uniform((wide, hidden), hidden, generator)
            self.state_bias = uniform((wide,), hidden, generator)
        self.head = uniform((actions, hidden), hidden, generator)
        self.head_bias = uniform((actions,), hidden, generator)

    @property
    def hidden(self) -> int:
        """H."""
        width: int = self.observe.shape[0]
        return width

    def _shown(self, last: Any) -> tuple[Any, Any]:
        """Return what is added to W_o o, one row for each case, and which case each row is."""
        wide = 1 if self.last is None else self.actions + 1
        table = self.bias
        if self.last is not None:
            table = torch.cat([self.last, torch.zeros((1, self.hidden))]) + table
        if self.agent is not None:
            table = self.agent[:, None] + table
        index = torch.zeros_like(last) if self.last is None else last
        if self.agent is not None:
            index = index + wide * torch.arange(self.agents, dtype=index.dtype)
        return table.reshape(-1, self.hidden), index.reshape(-1)

    def forward(self, obs: Any, last: Any, counts: Sequence[int]) -> Any:
        """Return the values of packed episodes, shape (P, n, A).

        Args:
            obs: shape (P, n, D).
            last: the action before, A at the start, shape (P, n).
            counts: rows of each time, shape (T,).
        """
        table, index = self._shown(last)
        layers = [table, self.observe, self.inner, self.inner_bias, self.head, self.head_bias]
        if self.recurrent:
            layers += [self.state, self.state_bias]
        each = self.agents * np.asarray(counts, dtype=np.int64)
        rows = obs.reshape(-1, obs.shape[2])
        values = _Values.apply(rows, index.numpy(), each, *layers)
        return values.view(-1, self.agents, self.actions)

    def act(self, obs: Any, last: Any, memory: Any) -> tuple[Any, Any]:
        """Return the values of one time, shape (M, n, A), and the memory after it.

        Args:
            obs: shape (M, n, D).
            last: shape (M, n).
            memory: shape (M · n, H).
        """
        table, index = self._shown(last)
        x = _first(obs.reshape(-1, obs.shape[2]), self.observe, table, index.numpy())
        x = functional.linear(x, self.inner, self.inner_bias)
        if self.recurrent:
            memory = x = gru_step(x, memory, self.state, self.state_bias)
        else:
            x = x.relu_()
        values = functional.linear(x, self.head, self.head_bias)
        return values.view(-1, self.agents, self.actions), memory


def _first(obs: Any, observe: Any, table: Any, index: Any) -> Any:
    """Return the first layer, shape (R, H), without its gradient; see `AgentNet._shown`."""
    out = obs @ observe.detach().t()
    enter(out.numpy(), table.detach().numpy(), index)
    return out


class _Values(torch.autograd.Function):  # type: ignore[misc]  # torch is untyped here
    """The whole network with its gradient by hand: half of torch's own time went between layers."""

    @staticmethod
    def forward(ctx: Any, obs: Any, index: Any, counts: Any, *layers: Any) -> Any:
        table, observe, inner, inner_bias, head, head_bias, *cell = layers
        first = _first(obs, observe, table, index)
        out = torch.addmm(inner_bias, first, inner.t())
        kept: list[Any] = []
        if cell:
            wanted = any(ctx.needs_input_grad)
            out, *kept = gru_packed(out, cell[0], cell[1], counts, kept=wanted)
        else:
            out.relu_()
        ctx.save_for_backward(obs, first, out, *layers)
        ctx.index, ctx.counts, ctx.kept = index, counts, kept
        return torch.addmm(head_bias, out, head.t())

    @staticmethod
    def backward(ctx: Any, by_values: Any) -> tuple[Any, ...]:
        obs, first, out, table, _, inner, _, head, _, *cell = ctx.saved_tensors
        by_out = by_values @ head
        by_cell: list[Any] = []
        if cell:
            by_in, *by_cell = gru_packed_back(by_out, cell[0], ctx.counts, *ctx.kept)
        else:
            by_in = by_out
            by_in.masked_fill_(out == 0.0, 0.0)
        by_first, by_table = by_in @ inner, torch.zeros_like(table)
        enter_back(by_first.numpy(), first.numpy(), ctx.index, by_table.numpy())
        own = (by_table, by_first.t() @ obs, by_in.t() @ first, by_in.sum(dim=0))
        return None, None, None, *own, by_values.t() @ out, by_values.sum(dim=0), *by_cell
