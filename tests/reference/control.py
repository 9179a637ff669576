"""Naive twins: the point mass in plain Python, and soft actor-critic in plain modules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch


def push_mass(
    body: Sequence[float],
    control: Sequence[float],
    wind: Sequence[float],
    *,
    mass: float,
    friction: float,
    gap: float,
    sticky: bool = False,
) -> tuple[list[float], float, bool]:
    """One step of 0.1 seconds in five parts; the wind blows in −1 ≤ y ≤ 0."""
    x, vx, y, vy = body
    h = 0.1 / 5
    for _ in range(5):
        if sticky and y == 0.0 and abs(x) > gap / 2.0:
            break
        windy = -1.0 <= y <= 0.0
        force_x = control[0] + (wind[0] if windy else 0.0)
        force_y = control[1] + (wind[1] if windy else 0.0)
        vx = vx + h * (force_x - friction * vx) / mass
        vy = vy + h * (force_y - friction * vy) / mass
        new_x, new_y = x + h * vx, y + h * vy
        crosses = (y < 0.0) != (new_y < 0.0)
        if crosses:
            at = x + (new_x - x) * (y / (y - new_y))
            if abs(at) > gap / 2.0:
                if sticky:
                    new_x, vx, new_y = at, 0.0, 0.0
                else:
                    new_y = y
                vy = 0.0
        if abs(new_x) > 2.0:
            new_x, vx = math.copysign(2.0, new_x), 0.0
        if abs(new_y) > 2.0:
            new_y, vy = math.copysign(2.0, new_y), 0.0
        x, y = new_x, new_y
    distance = math.sqrt(x * x + (y - 1.5) * (y - 1.5))
    arrived = distance <= 0.2
    return [x, vx, y, vy], 0.0 if arrived else math.exp(-distance) - 1.0, arrived


class PlainSac:
    """Soft actor-critic as in the textbook: a module a network, an optimiser a module."""

    def __init__(self, agent: Any, *, actor_rate: float, critic_rate: float) -> None:
        """Take over the weights of a `solvers.qarl.sac.Sac`."""
        self.actor = _module(agent.actor.layers())
        self.critics = [_module(agent.critics.layers(k)) for k in (0, 1)]
        self.targets = [_module(agent.targets.layers(k)) for k in (0, 1)]
        self.log_alpha = torch.tensor([agent.log_alpha], requires_grad=True)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=actor_rate)
        weights = [p for critic in self.critics for p in critic.parameters()]
        self.critic_optimizer = torch.optim.Adam(weights, lr=critic_rate)
        self.alpha_optimizer = torch.optim.Adam([self.log_alpha], lr=critic_rate)

    def sample(self, state: Any, noise: Any) -> tuple[Any, Any]:
        mean, log_std = self.actor(state).chunk(2, dim=1)
        log_std = log_std.clamp(-5.0, 2.0)
        raw = mean + log_std.exp() * noise
        action = torch.tanh(raw)
        normal = torch.distributions.Normal(mean, log_std.exp())
        jacobian = torch.log(1.0 - action.double() ** 2).float()
        return action, (normal.log_prob(raw) - jacobian).sum(dim=1, keepdim=True)

    def update(
        self,
        rows: Sequence[Any],
        *,
        conditioned: bool,
        discount: float,
        tau: float,
        noise: Any,
    ) -> None:
        state, action, reward, done, after = rows
        alpha = state[:, -1:] if conditioned else self.log_alpha.exp().detach()
        with torch.no_grad():
            chosen, density = self.sample(after, noise[0])
            joint = torch.cat([after, chosen], dim=1)
            value = torch.minimum(*(target(joint) for target in self.targets))
            wanted = reward + discount * (1.0 - done) * (value - alpha * density)
        given = torch.cat([state, action], dim=1)
        loss = sum(((critic(given) - wanted) ** 2).mean() for critic in self.critics)
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()
        chosen, density = self.sample(state, noise[1])
        joint = torch.cat([state, chosen], dim=1)
        value = torch.minimum(*(critic(joint) for critic in self.critics))
        self.actor_optimizer.zero_grad()
        (alpha * density - value).mean().backward()
        self.actor_optimizer.step()
        if not conditioned:
            self.alpha_optimizer.zero_grad()
            (-self.log_alpha * (density.detach().mean() - action.shape[1])).sum().backward()
            self.alpha_optimizer.step()
        for target, critic in zip(self.targets, self.critics, strict=True):
            for old, new in zip(target.parameters(), critic.parameters(), strict=True):
                old.data = (1.0 - tau) * old.data + tau * new.data


def _module(layers: Sequence[tuple[Any, Any]]) -> Any:
    parts: list[Any] = []
    for weight, bias in layers:
        linear = torch.nn.Linear(*weight.shape)
        linear.weight.data = torch.from_numpy(np.ascontiguousarray(weight.T))
        linear.bias.data = torch.from_numpy(bias)
        parts += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1])
