"""Random matrix games that follow from a seed."""

from __future__ import annotations

import numpy as np

from arena.errors import ParameterError
from arena.rng import generator
from games.normal_form import NormalForm
from games.textbook.check import at_least

__all__ = ["random_cooperative", "random_general", "random_symmetric", "random_zero_sum"]


def _shape(seats: int, actions: int) -> tuple[int, ...]:
    at_least("seats", seats, 2, 12)
    at_least("actions", actions, 1, 2000)
    size = seats * actions**seats
    if size > 5_000_000:
        raise ParameterError("actions", actions, f"fewer: {seats} seats have {size} payoffs")
    return (actions,) * seats


def random_general(*, seats: int = 2, actions: int = 3, seed: int = 0) -> NormalForm:
    """Independent payoffs, uniform in [−1, 1]."""
    shape = _shape(seats, actions)
    payoffs = generator(seed, "random_general").uniform(-1.0, 1.0, (seats, *shape))
    return NormalForm(payoffs, title="random game")


def random_zero_sum(*, actions: int = 3, seed: int = 0) -> NormalForm:
    """Two seats; seat 0's payoffs uniform in [−1, 1]."""
    shape = _shape(2, actions)
    row = generator(seed, "random_zero_sum").uniform(-1.0, 1.0, shape)
    return NormalForm(np.stack([row, -row]), title="random zero-sum game")


def random_cooperative(*, seats: int = 2, actions: int = 3, seed: int = 0) -> NormalForm:
    """One payoff for all, uniform in [−1, 1]."""
    shape = _shape(seats, actions)
    paid = generator(seed, "random_cooperative").uniform(-1.0, 1.0, shape)
    return NormalForm(np.stack([paid] * seats), title="random cooperative game")


def random_symmetric(*, seats: int = 2, actions: int = 3, seed: int = 0) -> NormalForm:
    """A seat's payoff depends on its own action and on how many others play what."""
    shape = _shape(seats, actions)
    rng = generator(seed, "random_symmetric")
    known: dict[tuple[int, ...], float] = {}
    payoffs = np.empty((seats, *shape))
    for joint in np.ndindex(*shape):
        for seat in range(seats):
            others = sorted(joint[:seat] + joint[seat + 1 :])
            seen = (joint[seat], *others)
            if seen not in known:
                known[seen] = float(rng.uniform(-1.0, 1.0))
            payoffs[(seat, *joint)] = known[seen]
    return NormalForm(payoffs, title="random symmetric game")
