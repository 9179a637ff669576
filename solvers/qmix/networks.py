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

import torch
from torch.nn import functional

from solvers.qmix.gru import gru_packed, gru_step

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

    def _first(self, obs: Any, last: Any) -> Any:
        x = functional.linear(obs, self.observe, self.bias)
        if self.agent is not None:
            x = x + self.agent
        x = x.reshape(-1, self.hidden)
        if self.last is not None:
            table = torch.cat([self.last, torch.zeros((1, self.hidden))])
            x = x + functional.embedding(last.reshape(-1), table)
        return functional.linear(x.relu_(), self.inner, self.inner_bias)

    def forward(self, obs: Any, last: Any, counts: Sequence[int]) -> Any:
        """Return the values of packed episodes, shape (P, n, A).

        Args:
            obs: shape (P, n, D).
            last: the action before, A at the start, shape (P, n).
            counts: rows of each time.
        """
        x = self._first(obs, last)
        if self.recurrent:
            each = [count * self.agents for count in counts]
            x = gru_packed(x, self.state, self.state_bias, each)
        else:
            x = x.relu_()
        return functional.linear(x, self.head, self.head_bias).view(-1, self.agents, self.actions)

    def act(self, obs: Any, last: Any, memory: Any) -> tuple[Any, Any]:
        """Return the values of one time, shape (M, n, A), and the memory after it.

        Args:
            obs: shape (M, n, D).
            last: shape (M, n).
            memory: shape (M · n, H).
        """
        x = self._first(obs, last)
        if self.recurrent:
            memory = x = gru_step(x, memory, self.state, self.state_bias)
        else:
            x = x.relu_()
        values = functional.linear(x, self.head, self.head_bias)
        return values.view(-1, self.agents, self.actions), memory
