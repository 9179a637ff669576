"""Schedules of temperatures: how regularisation is let go as learning proceeds.

A schedule maps the temperature now and what was seen at it to the next one. It is used
wherever a player's rationality grows: by `solvers.markov.soft`, and by deep learners.

    fixed        τ stays
    geometric    τ ← max(end, factor · τ)
    adaptive     as geometric, but only once the residual is at most `tolerance · τ`
    self_paced   as geometric, but only once the learner performs at least at `level`

Source: McKelvey and Palfrey 1995 (quantal response); Reddi, Tosatto and others 2024,
"Robust adversarial reinforcement learning via bounded rationality curricula" (self-paced);
Klink et al. 2020 (self-paced curricula).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from arena.errors import ParameterError, UnknownNameError

__all__ = [
    "SCHEDULES",
    "Adaptive",
    "Feedback",
    "Fixed",
    "Geometric",
    "Schedule",
    "SelfPaced",
    "schedule",
]


@dataclass(frozen=True)
class Feedback:
    """What was seen at a temperature.

    Attributes:
        residual: how far from equilibrium at this temperature, in payoff units.
        performance: what the learner earns, in payoff units.
    """

    residual: float = math.inf
    performance: float = -math.inf


class Schedule(Protocol):
    """Temperatures from the first to the last."""

    @property
    def start(self) -> float:
        """The first temperature."""

    @property
    def end(self) -> float:
        """The last one."""

    def next(self, temperature: float, seen: Feedback) -> float:
        """Return the temperature to go on with; the same one to stay."""


def _positive(name: str, value: Any) -> None:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    if not real or not 0 < value < math.inf:
        raise ParameterError(name, value, "a positive number")


@dataclass(frozen=True)
class Fixed:
    """One temperature."""

    start: float

    def __post_init__(self) -> None:
        _positive("start", self.start)

    @property
    def end(self) -> float:
        """The same."""
        return self.start

    def next(self, temperature: float, seen: Feedback) -> float:
        """Stay."""
        return temperature


@dataclass(frozen=True)
class Geometric:
    """Falling by a factor, whatever is seen."""

    start: float
    end: float
    factor: float = 0.5

    def __post_init__(self) -> None:
        _positive("start", self.start)
        _positive("end", self.end)
        if self.end > self.start:
            raise ParameterError("end", self.end, f"at most the start, {self.start:g}")
        if not 0 < self.factor < 1:
            raise ParameterError("factor", self.factor, "between 0 and 1")

    def next(self, temperature: float, seen: Feedback) -> float:
        """Fall, down to the end."""
        return max(self.end, temperature * self.factor)


@dataclass(frozen=True)
class Adaptive(Geometric):
    """Falling when the equilibrium of the present temperature is nearly reached."""

    tolerance: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        _positive("tolerance", self.tolerance)

    def next(self, temperature: float, seen: Feedback) -> float:
        """Fall if the residual is small."""
        settled = seen.residual <= self.tolerance * temperature
        return super().next(temperature, seen) if settled else temperature


@dataclass(frozen=True)
class SelfPaced(Geometric):
    """Falling when the learner does well enough to be challenged further."""

    level: float = 0.0

    def next(self, temperature: float, seen: Feedback) -> float:
        """Fall if the performance is at the level."""
        return super().next(temperature, seen) if seen.performance >= self.level else temperature


SCHEDULES: dict[str, type[Any]] = {
    "adaptive": Adaptive,
    "fixed": Fixed,
    "geometric": Geometric,
    "self_paced": SelfPaced,
}
"""Name to class."""


def schedule(name: str, *, start: float, end: float, options: Mapping[str, Any] = {}) -> Schedule:
    """Return the schedule of a name; `fixed` stays at `end`.

    Raises:
        UnknownNameError: there is none of that name.
        ParameterError: a value out of range.
    """
    if name not in SCHEDULES:
        raise UnknownNameError(
            "schedule", name, SCHEDULES, hint=f"there are {', '.join(sorted(SCHEDULES))}"
        )
    if name == "fixed":
        return Fixed(end)
    known = {"adaptive": ("factor", "tolerance"), "self_paced": ("factor", "level")}
    own = {key: options[key] for key in known.get(name, ("factor",)) if key in options}
    made: Schedule = SCHEDULES[name](start, end, **own)
    return made
