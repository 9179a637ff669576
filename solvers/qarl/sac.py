"""Soft actor-critic, with an automatic or a given temperature.

Haarnoja et al. 2018, "Soft actor-critic algorithms and applications" (arXiv 1812.05905):

1. y = r + γ (1 − done) (min_k Q̄_k(s′, a′) − α log π(a′ | s′)),  a′ ~ π(s′)     (equations 2, 6)
2. critics: Σ_k (Q_k(s, a) − y)² falls                                            (equation 5)
3. actor: α log π(a | s) − min_k Q_k(s, a) falls, a ~ π(s) reparameterised        (equation 9)
4. automatic temperature: log α moves so that the entropy becomes −|A|            (equation 18)
5. target critics follow: Q̄ ← Q̄ + ρ (Q − Q̄)

With `conditioned=True` there is no step 4: α is the last number of the state times `unit`,
drawn for each episode (Reddi et al. 2024, §4.2), so that one policy is learned for all degrees
of rationality.

The gradients of steps 2 and 3 are written out. With u = mean + σ ε, a = tanh u and
log π = Σ (−ε²/2 − log σ − log √2π − log (1 − a²)):

    ∂ log π / ∂u = 2a,    ∂a / ∂u = 1 − a²,    ∂u / ∂ log σ = σ ε
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.qarl.networks import FlatNet
from solvers.training.networks import require_torch

__all__ = ["LOG_STD", "Sac"]

LOG_STD = (-5.0, 2.0)
"""Where the logarithms of standard deviations are kept."""


@dataclass(frozen=True, eq=False)
class _Sampled:
    """Actions drawn for M states, and what their gradients need.

    Attributes:
        kept: see `FlatNet.trace`, of the actor.
        spread: log σ as the network has it, shape (M, A).
        log_std: the same within `LOG_STD`.
        noise: ε.
        moved: σ ε.
        raw: u.
        action: a.
    """

    kept: list[Any]
    spread: Any
    log_std: Any
    noise: Any
    moved: Any
    raw: Any
    action: Any

    @property
    def density(self) -> Any:
        """The logarithm of π(a | s), shape (M, 1)."""
        # log(1 − tanh²u) = 2 (log 2 − u − softplus(−2u)), which does not cancel.
        softplus = require_torch("soft actor-critic").nn.functional.softplus
        squash = 2.0 * (math.log(2.0) - self.raw - softplus(-2.0 * self.raw))
        each = -0.5 * self.noise.square() - self.log_std - squash
        return each.sum(dim=1, keepdim=True) - 0.5 * math.log(2.0 * math.pi) * each.shape[1]


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
        unit: see above.
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
        unit: float = 1.0,
    ) -> None:
        self._torch = require_torch("soft actor-critic")
        from solvers.training.adam import Adam

        self.conditioned, self._actions = conditioned, actions
        self._discount, self._tau, self._unit = discount, tau, unit
        self.actor = FlatNet([inputs, *hidden, 2 * actions], generator=generator)
        widths = [inputs + actions, *hidden, 1]
        self.critics = FlatNet(widths, copies=2, generator=generator)
        self.targets = FlatNet(widths, copies=2, generator=generator)
        self.targets.flat.copy_(self.critics.flat)
        self.log_alpha, self._critic_rate = math.log(temperature), critic_rate
        self._alpha_moments = (0.0, 0.0, 0.0)
        self._optimizers = {
            "actor": Adam(self.actor.flat, actor_rate),
            "critics": Adam(self.critics.flat, critic_rate),
        }

    # -- acting ------------------------------------------------------------------

    def act(self, state: NDArray[np.float32], generator: Any) -> NDArray[np.float32]:
        """Draw actions for M states, shape (M, actions)."""
        torch = self._torch
        with torch.inference_mode():
            drawn = self._sample(torch.from_numpy(state), generator=generator).action
        out: NDArray[np.float32] = drawn.numpy()
        return out

    def _sample(self, state: Any, *, noise: Any = None, generator: Any = None) -> _Sampled:
        torch = self._torch
        kept = self.actor.trace(state)
        mean, spread = kept[-1][0].split(self._actions, dim=1)
        log_std = spread.clamp(*LOG_STD)
        if noise is None:
            noise = torch.randn(mean.shape, generator=generator)
        moved = log_std.exp() * noise
        raw = mean + moved
        return _Sampled(kept, spread, log_std, noise, moved, raw, raw.tanh())

    def myopic(self, state: Any, action: Any, budget: float) -> Any:
        """Return the step of length `budget` that lowers the value of an action most, (M, A).

        Lee et al. 2020, "Spatiotemporally constrained action space attacks" (MAS).
        """
        with self._torch.inference_mode():
            slope = self._valued(state, action)[1]
            return -budget * slope / slope.norm(dim=1, keepdim=True).clamp(min=1e-12)

    def _valued(self, state: Any, action: Any) -> tuple[Any, Any]:
        """Return min_k Q_k of actions, (M, 1), and its slope by them, (M, A)."""
        torch = self._torch
        kept = self.critics.trace(torch.cat([state, action], dim=1))
        first, second = kept[-1]
        least = first <= second
        pick = torch.stack([least, ~least]).to(first.dtype)
        slope = self.critics.backward(kept, pick, weights=False, inputs=True)
        return torch.minimum(first, second), slope.sum(dim=0)[:, -self._actions :]

    # -- learning ----------------------------------------------------------------

    def update(
        self, state: Any, action: Any, reward: Any, done: Any, after: Any, *, noise: Any
    ) -> tuple[Any, Any, Any]:
        """Make one update on B transitions.

        Args:
            state: shape (B, inputs).
            action: shape (B, actions).
            reward: shape (B, 1).
            done: 1 where the episode ended by its rules, shape (B, 1).
            after: the next state, shape (B, inputs).
            noise: normal numbers for the actions after and now, shape (2, B, actions).

        Returns:
            The critics' loss, the mean entropy estimate and the mean value, as tensors.
        """
        torch, share = self._torch, 1.0 / len(state)
        with torch.no_grad():
            alpha = self._unit * state[:, -1:] if self.conditioned else math.exp(self.log_alpha)
            later = self._sample(after, noise=noise[0])
            value = self.targets(torch.cat([after, later.action], dim=1)).amin(dim=0)
            value -= alpha * later.density
            wanted = torch.addcmul(reward, 1.0 - done, value, value=self._discount)
            kept = self.critics.trace(torch.cat([state, action], dim=1))
            wrong = kept[-1] - wanted
            self.critics.backward(kept, wrong * (2.0 * share), weights=True, inputs=False)
            self._optimizers["critics"].step()
            now = self._sample(state, noise=noise[1])
            value, slope = self._valued(state, now.action)
            squashed = 1.0 - now.action.square()
            by_mean = share * (2.0 * alpha * now.action - slope * squashed)
            inside = now.spread == now.log_std
            by_spread = (by_mean * now.moved - share * alpha) * inside
            both = torch.cat([by_mean, by_spread], dim=1)[None]
            self.actor.backward(now.kept, both, weights=True, inputs=False)
            self._optimizers["actor"].step()
            entropy = -now.density.mean()
            if not self.conditioned:
                self._warm(float(entropy))
            self.targets.flat.lerp_(self.critics.flat, self._tau)
            return wrong.square().sum() * share, entropy, value.mean()

    def _warm(self, entropy: float) -> None:
        """Move log α by Adam; its loss is log α (entropy − wanted entropy), the latter −A."""
        slope = entropy + self._actions
        count, mean, square = self._alpha_moments
        count, mean = count + 1.0, 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope * slope
        self._alpha_moments = (count, mean, square)
        root = math.sqrt(square / (1.0 - 0.999**count)) + 1e-8
        self.log_alpha -= self._critic_rate * mean / (1.0 - 0.9**count) / root

    # -- keeping -----------------------------------------------------------------

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return weights, moments and temperature."""
        out: dict[str, NDArray[Any]] = {
            f"{prefix}actor": self.actor.array(),
            f"{prefix}critics": self.critics.array(),
            f"{prefix}targets": self.targets.array(),
            f"{prefix}alpha": np.array([self.log_alpha, *self._alpha_moments]),
        }
        for name, optimizer in self._optimizers.items():
            out |= optimizer.arrays(f"{prefix}adam.{name}.")
        return out

    def load(self, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
        """Put back what `arrays` returned.

        Raises:
            ParameterError: of another architecture.
        """
        for name in ("actor", "critics", "targets"):
            getattr(self, name).load(arrays, prefix + name)
        self.log_alpha, *moments = arrays[f"{prefix}alpha"].tolist()
        self._alpha_moments = tuple(moments)
        for name, optimizer in self._optimizers.items():
            optimizer.load(arrays, f"{prefix}adam.{name}.")
