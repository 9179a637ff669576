"""Evaluation of a network policy in self-play, on the form `batch`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.game import Game
from arena.rng import derive, derive_many, generator
from solvers.training.learner import Evaluation

__all__ = ["evaluate_policy", "sample_rows"]


def evaluate_policy(
    game: Game, policy: Any, *, episodes: int, seed: int, greedy: bool | None = None
) -> Evaluation:
    """Play episodes with `policy` in every seat.

    Args:
        game: with the form `batch`.
        policy: a `NetworkPolicy`.
        episodes: how many.
        seed: the episodes' seeds follow from it, apart from those of training.
        greedy: whether the most probable action is played; by default as the policy says.

    Returns:
        The mean return over episodes, of all seats where they are paid the same, else of
        seat 0; in games of different payoffs `extra` has the others as `return_1`, …; where
        a batch knows winners it has `win_rate`, that of team 0.
    """
    seeds = derive_many(derive(seed, "evaluation"), np.arange(episodes))
    batch = game.form("batch", seeds=seeds)
    rng = generator(seed, "evaluation", "actions")
    pick = policy.greedy if greedy is None else greedy
    memories = [policy.memory(episodes) for _ in range(game.seats)]
    while (acting := batch.actors()).any():
        actions = np.zeros(acting.shape, dtype=np.int64)
        for seat in range(game.seats):
            rows = np.flatnonzero(acting[:, seat])
            if len(rows):
                seen = batch.observe(seat)
                chances = policy.distribution(
                    seen.tensor[rows],
                    seen.legal[rows],
                    seat=seat,
                    memory=memories[seat],
                    rows=rows,
                )
                actions[rows, seat] = (
                    chances.argmax(axis=1) if pick else sample_rows(chances, rng.random(len(rows)))
                )
        batch.step(actions)
    returns = np.asarray(batch.returns(), dtype=np.float64)
    extra = {}
    winners = getattr(batch, "winners", None)
    if winners is not None:
        extra["win_rate"] = float((winners() == 0).mean())
    if game.payoff != "cooperative":
        extra |= {f"return_{i}": float(returns[:, i].mean()) for i in range(1, game.seats)}
    spread = float(returns[:, 0].std(ddof=1)) if episodes > 1 else float("nan")
    return Evaluation(float(returns[:, 0].mean()), spread / episodes**0.5, episodes, extra)


def sample_rows(chances: NDArray[np.floating[Any]], draws: NDArray[Any]) -> NDArray[np.int64]:
    """Return an index for each row, drawn with its probabilities; never one of probability 0.

    Args:
        chances: shape (M, A), rows sum to one.
        draws: uniform in [0, 1), shape (M,).
    """
    below = np.cumsum(chances, axis=1)
    # Scaled by the row's own sum and kept below it, so that rounding leaves no draw above all.
    total = below[:, -1]
    point = np.minimum(draws * total, np.nextafter(total, 0.0))
    found: NDArray[np.int64] = (below <= point[:, None]).sum(axis=1)
    return found
