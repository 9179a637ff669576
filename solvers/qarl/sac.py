"""Soft actor-critic, with an automatic or a given temperature.

Haarnoja et al. 2018, "Soft actor-critic algorithms and applications" (arXiv 1812.05905):

1. y = r + γ (1 − done) (min_k Q̄_k(s′, a′) − α log π(a′ | s′)),  a′ ~ π(s′)     (equations 2, 6)
2. critics: Σ_k (Q_k(s, a) − y)² falls                                            (equation 5)
3. actor: α log π(a | s) − min_k Q_k(s, a) falls, a ~ π(s) reparameterised        (equation 9)
4. automatic temperature: log α moves so that the entropy becomes −|A|            (equation 18)
5. target critics follow: Q̄ ← Q̄ + ρ (Q − Q̄)

With `conditioned=True` there is no step 4: α is the last number of the state, drawn for each
episode (Reddi et al. 2024, §4.2), so that one policy is learned for all degrees of
rationality.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.qarl.networks import FlatNet
from solvers.training.networks import load_optimizer, optimizer_arrays, require_torch

__all__ = ["LOG_STD", "Sac"]

LOG_STD = (-5.0, 2.0)
"""Where the logarithms of standard deviations are kept."""


class Sac:
    """One seat's learner.

    Args:
        inputs: numbers in a state (with the temperature, if conditioned).
        actions: numbers in an action.
        hidden: widths of the layers.
        conditioned: see above.
        generator: a `torch.Generator` that the first weights follow from.
        discount: γ.
        tau: ρ.
        actor_rate: learning rate of the actor.
        critic_rate: of critics and temperature.
        temperature: the first α, if automatic.
    """

    def __init__(
        self,
        inputs: int,
        actions: int,
        *,
        hidden: Sequence[int],
        conditioned: bool,
        generator: Any,
        discount: float = 0.99,
        tau: float = 0.005,
        actor_rate: float = 1e-4,
        critic_rate: float = 3e-4,
        temperature: float = 0.1,
    ) -> None:
        torch = self._torch = require_torch("soft actor-critic")
        self.conditioned, self._actions = conditioned, actions
        self._discount, self._tau = discount, tau
        self.actor = FlatNet([inputs, *hidden, 2 * actions], generator=generator)
        widths = [inputs + actions, *hidden, 1]
        self.critics = FlatNet(widths, copies=2, generator=generator)
        self.targets = FlatNet(widths, copies=2, generator=generator)
        self.targets.flat.copy_(self.critics.flat)
        self.log_alpha = torch.full((1,), math.log(temperature))
        self.log_alpha.grad = torch.zeros(1)
        adam = torch.optim.Adam
        self._optimizers = {
            "actor": adam([self.actor.flat], lr=actor_rate, fused=True),
            "critics": adam([self.critics.flat], lr=critic_rate, fused=True),
            "alpha": adam([self.log_alpha], lr=critic_rate, fused=True),
        }

    # -- acting ------------------------------------------------------------------

    def act(self, state: NDArray[np.float32], generator: Any) -> NDArray[np.float32]:
        """Draw actions for M states, shape (M, actions)."""
        torch = self._torch
        with torch.inference_mode():
            drawn, _ = self._sample(torch.from_numpy(state), generator, learn=False)
        out: NDArray[np.float32] = drawn.numpy()
        return out

    def _sample(self, state: Any, generator: Any, *, learn: bool) -> tuple[Any, Any]:
        """Return actions (M, A) and their log densities (M, 1)."""
        torch = self._torch
        mean, spread = self.actor(state, learn=learn)[0].split(self._actions, dim=1)
        log_std = spread.clamp(*LOG_STD)
        noise = torch.randn(mean.shape, generator=generator)
        raw = mean + log_std.exp() * noise
        # log(1 − tanh²u) = 2 (log 2 − u − softplus(−2u)), which does not cancel.
        squash = 2.0 * (math.log(2.0) - raw - torch.nn.functional.softplus(-2.0 * raw))
        density = -0.5 * noise.square() - log_std - 0.5 * math.log(2.0 * math.pi) - squash
        return raw.tanh(), density.sum(dim=1, keepdim=True)

    def myopic(self, state: Any, action: Any, budget: float) -> Any:
        """Return the step of length `budget` that lowers the value of an action most, (M, A).

        Lee et al. 2020, "Spatiotemporally constrained action space attacks" (MAS).
        """
        torch = self._torch
        moved = action.clone().requires_grad_()
        value = self.critics(torch.cat([state, moved], dim=1), learn=False).amin(dim=0).sum()
        (slope,) = torch.autograd.grad(value, moved)
        return -budget * slope / slope.norm(dim=1, keepdim=True).clamp(min=1e-12)

    # -- learning ----------------------------------------------------------------

    def update(
        self, state: Any, action: Any, reward: Any, done: Any, after: Any, *, generator: Any
    ) -> tuple[Any, Any, Any]:
        """Make one update on B transitions.

        Args:
            state: shape (B, inputs).
            action: shape (B, actions).
            reward: shape (B, 1).
            done: 1 where the episode ended by its rules, shape (B, 1).
            after: the next state, shape (B, inputs).
            generator: of the noise.

        Returns:
            The critics' loss, the mean entropy estimate and the mean value, as tensors.
        """
        torch = self._torch
        alpha = state[:, -1:] if self.conditioned else self.log_alpha.exp()
        with torch.no_grad():
            chosen, log_after = self._sample(after, generator, learn=False)
            value = self.targets(torch.cat([after, chosen], dim=1), learn=False).amin(dim=0)
            target = reward + self._discount * (1.0 - done) * (value - alpha * log_after)
        self.critics.clear()
        found = self.critics(torch.cat([state, action], dim=1))
        loss = (found - target).square().mean(dim=1).sum()
        loss.backward()
        self._optimizers["critics"].step()
        self.actor.clear()
        chosen, log_now = self._sample(state, generator, learn=True)
        value = self.critics(torch.cat([state, chosen], dim=1), learn=False).amin(dim=0)
        (alpha * log_now - value).mean().backward()
        self._optimizers["actor"].step()
        entropy = -log_now.detach().mean()
        if not self.conditioned:
            # The gradient of log α (entropy − wanted entropy), the wanted one being −A.
            self.log_alpha.grad[0] = entropy + self._actions
            self._optimizers["alpha"].step()
        self.targets.flat.lerp_(self.critics.flat, self._tau)
        return loss.detach(), entropy, value.detach().mean()

    # -- keeping -----------------------------------------------------------------

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return weights, moments and temperature."""
        out: dict[str, NDArray[Any]] = {
            f"{prefix}actor": self.actor.array(),
            f"{prefix}critics": self.critics.array(),
            f"{prefix}targets": self.targets.array(),
            f"{prefix}log_alpha": self.log_alpha.numpy().copy(),
        }
        for name, optimizer in self._optimizers.items():
            out |= optimizer_arrays(optimizer, f"{prefix}adam.{name}.")
        return out

    def load(self, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
        """Put back what `arrays` returned.

        Raises:
            ParameterError: of another architecture.
        """
        for name in ("actor", "critics", "targets"):
            getattr(self, name).load(arrays, prefix + name)
        self.log_alpha.copy_(self._torch.from_numpy(np.array(arrays[f"{prefix}log_alpha"])))
        for name, optimizer in self._optimizers.items():
            load_optimizer(optimizer, arrays, f"{prefix}adam.{name}.")
