"""Policies on many episodes of a bandit at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.game import Game

__all__ = ["play", "steps"]


def steps(game: Game, policy: Any, seeds: NDArray[np.uint64]) -> Iterator[Any]:
    """Play a policy; yield the batch of episodes at the start and after each step.

    Args:
        game: a bandit.
        policy: `choose(form, levels, step)` returns vectors of actions, shape (K, N).
        seeds: of the episodes, shape (K,).
    """
    form = game.form("bandit")
    batch: Any = game.form("batch", seeds=seeds)
    yield batch
    while batch.actors().any():
        batch.step_arms(policy.choose(form, batch.levels, batch.step_number), check=False)
        yield batch


def play(game: Game, policy: Any, seeds: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the returns of episodes, shape (K,)."""
    *_, batch = steps(game, policy, seeds)
    found: NDArray[np.float64] = batch.returns()[:, 0]
    return found
