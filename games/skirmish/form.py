"""The games `skirmish/<map>` and their forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.game import Game
from arena.registry import Info
from arena.types import Discrete, Payoff
from games.skirmish import maps
from games.skirmish.battle import Battle

__all__ = ["FAMILY", "SkirmishFamily"]

VERSION = "1"
_CITATION = (
    "Samvelyan et al. 2019, The StarCraft Multi-Agent Challenge, AAMAS; Ellis et al. 2023,"
    " SMACv2, NeurIPS; Rutherford et al. 2024, JaxMARL (SMAX), NeurIPS"
)


class SkirmishFamily:
    """`skirmish/<map>`."""

    def names(self) -> list[str]:
        """Return the names of the maps."""
        return maps.names()

    def info(self, name: str) -> Info:
        """Describe one of them."""
        battle = Battle(name)
        tags = {
            "seats": str(battle.allies),
            "payoff": "cooperative",
            "turns": "simultaneous",
        }
        return Info(f"skirmish/{name}", _summary(battle), tags, "arena")

    def make(self, name: str, **params: Any) -> Game:
        """Make one of them; see `games.skirmish.battle.Battle` for the parameters.

        Returns:
            A game with the forms `state`, `batch` (options `seeds`, `threads`) and `skirmish`
            (the `Battle`). With `side="allies"` every seat is paid what the team is; with
            `side="both"` the seats of a team are.

        Raises:
            UnknownNameError: of a map, a parameter or a choice.
            ParameterError: a value out of range.
            NotApplicableError: the mode lacks a unit type of the map.
        """
        return make(Battle.of(name, params))


def make(battle: Battle) -> Game:
    """Return a battle as a game."""

    def state(seed: int | None) -> Any:
        # numba is heavy: whoever only lists or describes the game never loads it.
        from games.skirmish.state import start

        return start(battle, seed)

    def batch(seeds: NDArray[np.integer[Any]] | Sequence[int], threads: int = 1) -> Any:
        from games.skirmish.batch import SkirmishBatch

        return SkirmishBatch(battle, seeds, threads=threads)

    allies, enemies = battle.allies, battle.enemies if battle.both else 0
    return Game(
        id=battle.where,
        seats=battle.seats,
        actions=(Discrete(battle.actions[0]),) * allies + (Discrete(battle.actions[1]),) * enemies,
        payoff=_payoff(battle),
        turns="simultaneous",
        forms={"state": state, "batch": batch, "skirmish": lambda: battle},
        params=battle.params,
        chance=True,
        payoff_bounds=_bounds(battle),
        max_length=battle.decisions * battle.seats,
        teams=(0,) * allies + (1,) * enemies,
        seat_names=tuple(battle.unit_name(unit) for unit in range(battle.seats)),
        version=VERSION,
        summary=_summary(battle),
        citation=_CITATION,
        action_name=battle.action_name,
    )


def _payoff(battle: Battle) -> Payoff:
    if not battle.both:
        return "cooperative"
    # Every seat of a team is paid, so the sum is zero between teams of one size only.
    return "zero_sum" if not battle.shaped and battle.allies == battle.enemies else "general_sum"


def _bounds(battle: Battle) -> tuple[float, float]:
    if not battle.shaped:
        return -1.0, 1.0
    # In SMAC's reward damage to shields and health that have grown back counts again.
    if not battle.reward_only_positive or battle.reward_defeat < 0:
        return -float("inf"), float("inf")
    return 0.0, 2.0 if battle.smax else float("inf")


def _summary(battle: Battle) -> str:
    if battle.layout.weights:
        kinds = ", ".join(battle.layout.kinds)
        return f"{battle.allies} against {battle.enemies} units drawn from {kinds}"
    armies = [
        ", ".join(_counted(kind, count) for kind, count in army)
        for army in (battle.layout.allies, battle.layout.enemies)
    ]
    return f"{armies[0]} against {armies[1]}"


def _counted(kind: str, count: int) -> str:
    return f"{count} {kind.replace('_', ' ')}{'s' if count > 1 else ''}"


FAMILY = SkirmishFamily()
