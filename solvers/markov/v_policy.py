"""The certified output of V-learning: a policy made of everything that was played.

1. Draw an episode k uniformly.
2. At step h in state s, with t visits of (h, s) before k: draw the i-th of them with
   probability α_t^i = α_i ∏_{j > i} (1 − α_j), α_t = (H + 1)/(H + t); let k be the episode
   of that visit, and play what every seat played then. Without visits, play uniformly.

All seats must draw alike: they use the public signals of the episode.

Its CCE gap is bounded by a pass through the episodes in order. At a visit of (h, s):

    G(a) ← (1 − α) G(a) + α E_{π_−i}[r_i + γ P max G'],   W ← (1 − α) W + α E_π[r_i + γ P W']

and the mean over episodes of max_a G − W at the first step bounds the gap from above: a
deviating seat does not know k, and G lets it.

Source: Jin, Liu, Wang and Yu 2021, "V-learning", algorithm 3 and its analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.game import Observation
from arena.solver import Gap
from arena.types import Floats
from games.markov.form import MarkovGame
from solvers.markov.learners import flat
from solvers.markov.policy import uniform
from solvers.markov.values import backup

__all__ = ["VPolicy", "certify_v", "visit_weights"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


def visit_weights(t: int, horizon: int) -> Reals:
    """Return α_t^i for i = 1, …, t, shape (t,), summing to one."""
    i = np.arange(1, t + 1)
    alpha = (horizon + 1.0) / (horizon + i)
    after = np.cumprod((1.0 - alpha)[::-1])[::-1]  # ∏_{j ≥ i} (1 − α_j)
    weights: Reals = alpha * np.append(after[1:], 1.0)
    return weights


@dataclass(frozen=True, eq=False)
class VPolicy:
    """What V-learning outputs (see the module).

    Attributes:
        game: the key of the game it is for.
        actions: (A_1, …, A_n).
        states: visited states, shape (K, H), −1 after an early end.
        played: all seats' policies at those visits, shape (K, H, D), D = ΣA.
        start: what is played where nothing was visited, shape (S, D).
    """

    game: str
    actions: tuple[int, ...]
    states: Ints
    played: Reals
    start: Reals
    _visits: dict[tuple[int, int], Ints] = field(default_factory=dict, repr=False)

    kind = "v_learning"

    def visits(self, step: int, state: int) -> Ints:
        """Return the episodes that visited a state at a step, in order."""
        found = self._visits.get((step, state))
        if found is None:
            found = np.flatnonzero(self.states[:, step] == state)
            self._visits[step, state] = found
        return found

    def probabilities(self, observation: Observation) -> Floats:
        """Return the seat's policy in the episode that the public signals lead to, shape (A,).

        Beyond the horizon that was learnt for, uniform play.

        Raises:
            ParameterError: there is no public signal.
        """
        look: Any = observation
        chosen = getattr(look, "episode_signal", None)
        if chosen is None:
            raise ParameterError("episode_signal", None, "a Markov game's own episodes")
        episodes, horizon = self.states.shape
        k = min(int(chosen * episodes), episodes - 1)
        row = self.start[look.state]
        behind = [*look.past[::2], look.state]
        for step, state in enumerate(behind if len(behind) <= horizon else []):
            seen = self.visits(step, state)
            t = int(np.searchsorted(seen, k))
            if t == 0:
                # Uniform from here on: no later step may learn from episodes before the first.
                k, row = 0, self.start[look.state]
                continue
            steps = np.cumsum(visit_weights(t, horizon))
            i = min(int(np.searchsorted(steps, look.signal_at(step) * steps[-1], "right")), t - 1)
            k = int(seen[i])
            row = self.played[k, step]
        first = sum(self.actions[: look.seat])
        own: Reals = row[first : first + self.actions[look.seat]]
        return own.copy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything."""
        return {
            "actions": np.array(self.actions),
            "states": self.states,
            "played": self.played,
            "start": self.start,
        }

    @staticmethod
    def from_arrays(game: str, arrays: Mapping[str, NDArray[Any]]) -> VPolicy:
        """Make it again."""
        actions = tuple(int(a) for a in arrays["actions"])
        return VPolicy(game, actions, arrays["states"], arrays["played"], arrays["start"])


def certify_v(form: MarkovGame, policy: VPolicy) -> dict[str, Gap]:
    """Return an upper bound on the CCE gap, and the exact values on policy.

    Raises:
        NotApplicableError: the horizon is not the one that was learnt for.
        ParameterError: the policy is for another game.
    """
    from solvers.markov import _learning_kernels as kernels

    horizon = policy.states.shape[1]
    if form.horizon != horizon:
        raise NotApplicableError(
            f"this policy was learnt for horizon {horizon}, not for {form.horizon}"
        )
    arrays = flat(form)
    if policy.actions != form.actions or policy.start.shape != arrays.legal.shape:
        raise ParameterError("policy", policy.start.shape, f"one of {arrays.legal.shape}")
    n, s, widest = form.seats, form.states, max(form.actions)
    best, worth = np.zeros((n, horizon + 1, s, widest)), np.zeros((n, horizon + 1, s))
    sigma = uniform(form, policy.game).correlated().joint[0]
    top = np.zeros((n, s))
    for h in reversed(range(horizon)):
        worth[:, h] = np.einsum("sj,isj->is", sigma, backup(form, worth[:, h + 1]))
        worth[:, h, form.terminal] = 0.0
        q = backup(form, top)
        for i in range(n):
            shaped = np.moveaxis(q[i].reshape(s, *form.actions), 1 + i, 1)
            weight = np.moveaxis(sigma.reshape(s, *form.actions), 1 + i, 1).sum(axis=1)
            axes = tuple(range(2, 2 + n - 1))
            best[i, h, :, : form.actions[i]] = (shaped * weight[:, None]).sum(axis=axes)
            barred = np.where(form.legal[i], best[i, h, :, : form.actions[i]], -np.inf)
            top[i] = np.where(form.terminal, 0.0, barred.max(axis=1))
    out = np.zeros((2, n))
    kernels.certify_v(
        form.reward,
        form.indptr,
        form.indices,
        form.probability,
        form.initial,
        form.terminal,
        form.discount,
        arrays.counts,
        arrays.cut,
        arrays.strides,
        arrays.legal,
        horizon,
        policy.states,
        policy.played,
        best,
        worth,
        out,
    )
    gains = np.maximum(0.0, out[0] - out[1])
    found = {"cce_gap": Gap(float(gains.sum()), "upper")}
    for seat in range(n):
        found[f"value_{seat}"] = Gap(float(out[1, seat]))
        found[f"cce_regret_{seat}"] = Gap(float(gains[seat]), "upper")
    return found
