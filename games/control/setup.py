"""What a control game is: its plant, the adversary's channel, noise and horizon."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError, UnknownNameError
from arena.types import Params
from games.control.plants import Plants

__all__ = ["CHANNELS", "Setup", "check_numbers"]

CHANNELS = ("force", "action", "observation")

Rows = NDArray[np.float64]
MakePlants = Callable[[NDArray[np.uint64], Callable[[int], Rows], Rows, Rows], Plants]
"""From seeds (N,), a source of uniform draws, masses and frictions (N,) to N plants."""


@dataclass(frozen=True, eq=False)
class Setup:
    """A control game.

    Attributes:
        id: the registry name.
        params: what it was made with.
        plants: makes N plants.
        controls: numbers in a controller's action K.
        forces: numbers that push the plant; 0 if nothing can.
        observed: numbers in an observation D.
        channel: one of `CHANNELS`.
        strength: of the adversary.
        horizon: steps.
        mass: of the plant (the point mass) or a factor on its own.
        friction: likewise.
        gusts: force of random pushes along each axis; see `games.control.batch`.
        action_noise: standard deviation, in units of the action's range from −1 to 1.
        observation_noise: standard deviation, in units of the observation.
        bounds: least and greatest return of the controller.
        varies: what of the plant `scales` may change: `mass`, `friction`.
        facts: further fields of `Game`.
    """

    id: str
    params: Params
    plants: MakePlants
    controls: int
    forces: int
    observed: int
    channel: str
    strength: float
    horizon: int
    mass: float = 1.0
    friction: float = 1.0
    gusts: float = 0.0
    action_noise: float = 0.0
    observation_noise: float = 0.0
    bounds: tuple[float, float] = (-math.inf, math.inf)
    varies: tuple[str, ...] = ("mass", "friction")
    facts: Params = field(default_factory=dict)

    seat_names = ("controller", "adversary")

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers in an action of each seat."""
        return self.controls, {
            "force": self.forces,
            "action": self.controls,
            "observation": self.observed,
        }[self.channel]


def check_numbers(where: str, given: Params) -> None:
    """Check the parameters that all control games share, those that are there.

    Raises:
        ParameterError: of the wrong type or out of range.
        UnknownNameError: no such channel.
    """
    for name in ("mass", "friction", "strength", "gusts", "action_noise", "observation_noise"):
        value: Any = given.get(name, 1.0)
        real = isinstance(value, int | float) and not isinstance(value, bool)
        least = 0.0 if name != "mass" else math.ulp(0.0)
        if not real or not least <= value < math.inf:
            kind = "a positive number" if name == "mass" else "zero or a positive number"
            raise ParameterError(name, value, kind, where=where)
    horizon = given.get("horizon", 1)
    if not isinstance(horizon, int) or isinstance(horizon, bool) or horizon < 1:
        raise ParameterError("horizon", horizon, "a whole number, 1 or more", where=where)
    channel = given.get("adversary", CHANNELS[0])
    if channel not in CHANNELS:
        hint = f"there are {', '.join(CHANNELS)}"
        raise UnknownNameError("adversary's channel", str(channel), CHANNELS, hint=hint)
