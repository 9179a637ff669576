"""The actor and its critic in torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.training.networks import mlp, require_torch
from solvers.training.policy import MlpPolicy

__all__ = ["actor_policy", "build", "masked_log_softmax"]


def build(
    inputs: int,
    actions: int,
    hidden: Sequence[int],
    *,
    joint_inputs: int,
    generator: Any,
    activation: str,
) -> Any:
    """Return the network as a `torch.nn.Module` with parts `trunk`, `actor` and `critic`.

    The actor is a linear head on the trunk. The critic is another one (`joint_inputs` 0), or
    a network of its own on the observations of all seats.
    """
    torch = require_torch("solver ppo")
    trunk = mlp(
        [inputs, *hidden], generator=generator, activation=activation, last_gain=math.sqrt(2.0)
    )
    trunk.append(torch.nn.Tanh() if activation == "tanh" else torch.nn.ReLU())
    actor = mlp([hidden[-1], actions], generator=generator, last_gain=0.01)
    sizes = [joint_inputs, *hidden, 1] if joint_inputs else [hidden[-1], 1]
    critic = mlp(sizes, generator=generator, activation=activation)
    return torch.nn.ModuleDict({"trunk": trunk, "actor": actor, "critic": critic})


def masked_log_softmax(logits: Any, legal: Any) -> Any:
    """Return log-probabilities, −inf where illegal, shape (M, A)."""
    return logits.masked_fill(~legal, -math.inf).log_softmax(dim=-1)


def actor_policy(
    net: Any, game: str, *, activation: str, greedy: bool, seats: int, features: bool
) -> MlpPolicy:
    """Return the actor as a policy in numpy; a copy."""
    layers: list[tuple[NDArray[Any], NDArray[Any]]] = [
        (layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy())
        for part in ("trunk", "actor")
        for layer in net[part]
        if hasattr(layer, "weight")
    ]
    return MlpPolicy(
        game,
        [np.asarray(weight) for weight, _ in layers],
        [np.asarray(bias) for _, bias in layers],
        activation=activation,
        greedy=greedy,
        seats=seats,
        features=features,
    )
