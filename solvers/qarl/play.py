"""Whole episodes of a control game between two functions, many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.game import Game
from arena.rng import derive, derive_many

__all__ = ["Played", "idle", "play", "seat_of"]

Act = Callable[[NDArray[np.float32]], NDArray[Any]]
"""Observations of M episodes, shape (M, D), to actions, shape (M, K)."""


@dataclass(frozen=True, eq=False)
class Played:
    """What N episodes came to.

    Attributes:
        returns: of the controller, shape (N,).
        lengths: decisions, shape (N,).
        failed: where the simulation broke down, shape (N,).
    """

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    failed: NDArray[np.bool_]


def idle(game: Game, seat: int) -> Act:
    """Return who does nothing."""
    size = int(np.prod(game.actions[seat].shape))  # type: ignore[union-attr]  # a Box
    return lambda tensor: np.zeros((len(tensor), size), dtype=np.float32)


def seat_of(policy: Any, seat: int) -> Act:
    """Return a `ControlPolicy` in a seat, playing its mean actions."""
    return lambda tensor: policy.act(tensor, seat=seat)


def play(
    game: Game,
    controller: Act,
    adversary: Act,
    *,
    episodes: int,
    seed: int,
    scales: Mapping[str, Any] | None = None,
) -> Played:
    """Play episodes to their ends.

    Args:
        game: a control game.
        controller: chooses for seat 0.
        adversary: chooses for seat 1.
        episodes: how many; with `scales` for a multiple of it, they are played for each part.
        seed: the episodes' seeds follow from it.
        scales: see `games.control.batch.ControlBatch`.
    """
    seeds = derive_many(derive(seed, "episodes"), np.arange(episodes))
    count = len(next(iter(scales.values()))) if scales else episodes
    batch = game.form("batch", seeds=np.resize(seeds, count), scales=scales)
    lengths = np.zeros(count, dtype=np.int64)
    while (live := batch.actors()[:, 0]).any():
        rows = np.flatnonzero(live)
        joint = []
        for seat, act in enumerate((controller, adversary)):
            seen = batch.observe(seat).tensor[rows]
            chosen = act(seen)
            whole = np.zeros((count, chosen.shape[1]), dtype=np.float32)
            whole[rows] = chosen
            joint.append(whole)
        batch.step(joint)
        lengths[rows] += 1
    return Played(np.asarray(batch.returns()[:, 0]), lengths, batch.failed.copy())
