"""The game `hanabi` and its forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.game import Game
from arena.types import Discrete
from games.hanabi.variant import Variant

__all__ = ["make"]

VERSION = "1"


def make(**params: Any) -> Game:
    """Make a variant of Hanabi; see `games.hanabi.variant.Variant` for the parameters.

    Returns:
        A cooperative game with the forms `state`, `batch` (options `seeds`), `hanabi` (the
        `Variant`), `symmetries` and `features` (see the modules of these names). Every seat
        is paid the score.

    Raises:
        UnknownNameError: of a parameter or a choice.
        ParameterError: out of range, or a deck too small for the hands.
    """
    variant = Variant.of(params)

    def state(seed: int | None) -> Any:
        # numba is heavy: whoever only lists or describes the game never loads it.
        from games.hanabi.state import start

        return start(variant, seed)

    def batch(seeds: NDArray[np.integer[Any]] | Sequence[int]) -> Any:
        from games.hanabi.batch import HanabiBatch

        return HanabiBatch(variant, seeds)

    def symmetries() -> Any:
        from games.hanabi.symmetry import symmetries as relabellings

        return relabellings(variant)

    def features() -> Any:
        from games.hanabi.features import features as derived

        return derived(variant)

    seats, colors, ranks = variant.players, variant.colors, variant.ranks
    return Game(
        id="hanabi",
        seats=seats,
        actions=(Discrete(variant.actions),) * seats,
        payoff="cooperative",
        turns="sequential",
        forms={
            "state": state,
            "batch": batch,
            "hanabi": lambda: variant,
            "symmetries": symmetries,
            "features": features,
        },
        params=variant.params,
        chance=True,
        payoff_bounds=(0.0, float(variant.max_score)),
        max_length=variant.max_length,
        version=VERSION,
        summary=f"Hanabi: {seats} players build fireworks of {colors} colors and {ranks} ranks",
        citation=(
            "Bard et al. 2020, The Hanabi Challenge: a new frontier for AI research,"
            " Artificial Intelligence 280"
        ),
        action_name=variant.action_name,
    )
