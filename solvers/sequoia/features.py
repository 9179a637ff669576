"""What a Q-network is told about states and actions of a bandit.

Inputs are the arms' states one-hot, the share of the steps done, and the action:

- `plain`: the N actions themselves (as in the paper);
- `gated`: for each arm and each state, how often the arm is acted on if it is in that state,
  else zero. At a decision the states are fixed, so this is linear in the action, and the
  embedding in a program is the same; but a linear layer can then hold a value of acting for
  every state of every arm.

Where arms are influenced by neighbours, whom an arm depends on is known here (with `gated`),
how is not: the count of neighbours in the top state is part of an arm's state, and for each arm
and each state there is the number of such neighbours that are left alone, also linear in the
action. So a ReLU can hold what it is worth that *all* of them are acted on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.bandits.form import RestlessBandit
from games.bandits.influence import InfluencedBandit

__all__ = ["INPUTS", "Features"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

INPUTS = ("gated", "plain")


class Features:
    """Inputs of one bandit's networks. K decisions, J arms, S states, N actions, D inputs.

    Args:
        form: the bandit.
        kind: one of `INPUTS`.
    """

    def __init__(self, form: RestlessBandit, kind: str) -> None:
        if kind not in INPUTS:
            raise ParameterError("inputs", kind, " or ".join(INPUTS))
        self.kind, self._form = kind, form
        self._counts = form if isinstance(form, InfluencedBandit) and kind == "gated" else None
        self._arms, self._states = form.arms, form.states
        if self._counts is not None:
            self._states *= self._counts.counted
        self._first = form.arms * self._states + 1
        self._simple = form.plain
        self._link = form.link.astype(np.float64)
        self.actions = form.feasible.size
        acting = self.actions
        if kind == "gated":
            acting = form.arms * self._states + (0 if self._simple else self.actions)
        self._left = self._first + acting
        if self._counts is not None:
            acting += form.arms * form.states
        self.size = self._first + acting

    def _codes(self, levels: Ints) -> Ints:
        """Return what stands for an arm's state, shape (..., J)."""
        if self._counts is None:
            return levels
        return levels + self._form.states * self._counts.counts(levels)

    def base(self, levels: Ints, steps: Any) -> Reals:
        """Return the inputs without any action, shape (K, D).

        Args:
            levels: states of the arms, shape (K, J).
            steps: steps done, shape (K,), or one number.
        """
        k = len(levels)
        out = np.zeros((k, self.size))
        at = np.arange(self._arms) * self._states + self._codes(levels)
        np.put_along_axis(out, at, 1.0, axis=1)
        out[:, self._first - 1] = np.asarray(steps) / self._form.horizon
        if self._counts is not None:
            near = self._counts.near(levels).sum(axis=2)
            np.put_along_axis(out, self._left_at(levels), near.astype(np.float64), axis=1)
        return out

    def _left_at(self, levels: Ints) -> Ints:
        """Return where the number of neighbours left alone is told, shape (..., J)."""
        at: Ints = self._left + np.arange(self._arms) * self._form.states + levels
        return at

    def effect(self, levels: Ints) -> Any:
        """Return what actions do to the inputs in one state, shape (N,) or (D, N).

        See `ReluNet.fix`.
        """
        if self.kind == "plain":
            return self._first + np.arange(self.actions)
        gate = self._first + np.arange(self._arms) * self._states + self._codes(levels)
        if self._simple and self._counts is None:
            return gate
        out = np.zeros((self.size, self.actions))
        out[gate] = self._link
        if not self._simple:
            out[self._left - self.actions : self._left] = np.eye(self.actions)
        if self._counts is not None:
            out[self._left_at(levels)] = -(self._counts.near(levels) @ self._link)
        return out

    def whole(self, levels: Ints, steps: Any, actions: NDArray[Any]) -> Reals:
        """Return all inputs, shape (K, D), for actions of shape (K, N)."""
        out = self.base(levels, steps)
        if self.kind == "plain":
            out[:, self._first :] = actions
            return out
        gate = self._first + np.arange(self._arms) * self._states + self._codes(levels)
        counts = actions if self._simple else actions @ self._link.T
        np.put_along_axis(out, gate, np.asarray(counts, dtype=np.float64), axis=1)
        if not self._simple:
            out[:, self._left - self.actions : self._left] = actions
        if self._counts is not None:
            acted = self._counts.near(levels) * counts[:, None, :]
            at = self._left_at(levels)
            left = np.take_along_axis(out, at, axis=1) - acted.sum(axis=2)
            np.put_along_axis(out, at, left, axis=1)
        return out
