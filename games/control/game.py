"""The `Game` around a control setup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import FormError
from arena.game import Game
from arena.types import Box
from games.control.setup import Setup

__all__ = ["as_game"]

VERSION = "1"


def as_game(setup: Setup) -> Game:
    """Return a two-seat, zero-sum, simultaneous game with the forms `state` and `batch`."""

    def batch(
        seeds: NDArray[np.integer[Any]] | Sequence[int], scales: Mapping[str, Any] | None = None
    ) -> Any:
        from games.control.batch import ControlBatch

        return ControlBatch(setup, seeds, scales=scales)

    def state(seed: int | None) -> Any:
        from games.control.state import ControlState

        if seed is None:
            raise FormError(setup.id, "root", ["state", "batch"], reason="has vectors as actions")
        return ControlState(batch([seed]))

    low, high = setup.bounds
    return Game(
        id=setup.id,
        seats=2,
        actions=tuple(
            Box(np.full(k, -1.0, dtype=np.float32), np.full(k, 1.0, dtype=np.float32), (k,))
            for k in setup.sizes
        ),
        payoff="zero_sum",
        turns="simultaneous",
        forms={"state": state, "batch": batch, "control": lambda: setup},
        params=setup.params,
        chance=True,
        payoff_bounds=(min(low, -high), max(high, -low)),
        max_length=2 * setup.horizon,
        seat_names=setup.seat_names,
        version=VERSION,
        **setup.facts,
    )
