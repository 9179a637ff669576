"""Curricula: how rational, or how strong, the adversary is, as schedules of one number.

    fixed         a temperature that stays
    linear        the concentration of temperatures falls with the share of training done
    self_paced    the concentration is what a teacher chooses (below)
    point         the same teacher, but every episode has the mean temperature
    force         the same teacher, but what an episode draws says how much of its force the
                  adversary may use, not how rational it is

Temperatures of episodes are drawn from Gamma(k, rate), whose mean is k / rate; a curriculum
lowers the concentration k from `start` to `end`. The teacher (Reddi et al. 2024, §4.2, after
Klink et al. 2020) chooses with p_k = Gamma(k, rate)

    min_k KL(p_k ‖ p_end)  subject to  KL(p_k ‖ p_now) ≤ max_kl  and  mean return ≥ level   (T1)

where the mean return under p_k is estimated from the last episodes by importance weights
p_k(τ) / p_now(τ). While the return at p_now is below the level,

    max_k mean return  subject to  KL(p_k ‖ p_now) ≤ max_kl                                 (T2)

and at last k is `end` itself, once KL(p_k ‖ p_end) is below `near`. There lessons are over,
unless `settle` is false.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma

from arena.errors import ParameterError
from solvers.schedules import Feedback, Fixed, Schedule

__all__ = ["CURRICULA", "Lesson", "Linear", "Seen", "Teacher", "curriculum", "gamma_kl"]

CURRICULA = ("fixed", "force", "linear", "point", "self_paced")


@dataclass(frozen=True)
class Seen(Feedback):
    """What was seen since the last lesson.

    Attributes:
        share: how much of the planned training is done.
        drawn: temperatures of the episodes.
        returns: what they paid the controller.
    """

    share: float = 0.0
    drawn: Sequence[float] = ()
    returns: Sequence[float] = field(default=())


@dataclass(frozen=True)
class Linear:
    """From start to end (either may be the greater) as training proceeds."""

    start: float
    end: float

    def next(self, temperature: float, seen: Feedback) -> float:
        """Return the value at this share of training."""
        share = min(1.0, getattr(seen, "share", 0.0))
        return self.start + share * (self.end - self.start)


def gamma_kl(k: float, other: float) -> float:
    """Return KL(Gamma(k, r) ‖ Gamma(other, r)), the same for every rate r."""
    return float((k - other) * digamma(k) - gammaln(k) + gammaln(other))


@dataclass(frozen=True)
class Teacher:
    """The self-paced choice of concentrations (T1, T2).

    Attributes:
        start: the first concentration.
        end: the last one, at most the first.
        rate: of the distribution.
        level: the mean return that the controller must keep; −inf for none.
        max_kl: how far a lesson goes.
        near: where the end is taken to be reached.
        settle: whether lessons are over there, as in the source; else it goes back where
            returns fall below the level afterwards.
    """

    start: float = 50.0
    end: float = 1.0
    rate: float = 1000.0
    level: float = -math.inf
    max_kl: float = 0.5
    near: float = 0.01
    settle: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.end <= self.start < math.inf:
            raise ParameterError("end", self.end, f"a positive number up to start = {self.start:g}")
        for name in ("rate", "max_kl", "near"):
            if not 0 < getattr(self, name) < math.inf:
                raise ParameterError(name, getattr(self, name), "a positive number")

    def next(self, temperature: float, seen: Feedback) -> float:
        """Return the concentration after one `temperature` (also a concentration).

        With no episodes seen, the return's constraint is not asked.
        """
        now = float(temperature)
        if self.settle and gamma_kl(now, self.end) < self.near:
            return self.end
        drawn = np.asarray(getattr(seen, "drawn", ()), dtype=np.float64)
        returns = np.asarray(getattr(seen, "returns", ()), dtype=np.float64)
        asked = len(drawn) > 0 and self.level > -math.inf
        reward = _Reward(now, self.rate, drawn, returns) if asked else None
        poor = asked and float(returns.mean()) < self.level
        chosen = self._chosen(now, reward, level=self.level if asked and not poor else None)
        return self.end if gamma_kl(chosen, self.end) < self.near and not poor else chosen

    def _chosen(self, now: float, reward: _Reward | None, *, level: float | None) -> float:
        """Solve (T1), or (T2) where there is a reward but no level, by `trust-constr`."""
        from scipy.optimize import Bounds, NonlinearConstraint, minimize

        def kl_now(k: Any) -> float:
            return gamma_kl(float(k[0]), now)

        def kl_now_slope(k: Any) -> NDArray[np.float64]:
            return np.array([[_kl_slope(float(k[0]), now)]])

        limits = [
            NonlinearConstraint(kl_now, -np.inf, self.max_kl, jac=kl_now_slope, keep_feasible=True)
        ]
        if reward is not None and level is not None:
            limits.append(
                NonlinearConstraint(
                    lambda k: reward(float(k[0])),
                    level,
                    np.inf,
                    jac=lambda k: np.array([[reward.slope(float(k[0]))]]),
                    keep_feasible=True,
                )
            )

        def aim(k: Any) -> tuple[float, NDArray[np.float64]]:
            at = float(k[0])
            if reward is not None and level is None:
                return -reward(at) / reward.scale, np.array([-reward.slope(at) / reward.scale])
            return gamma_kl(at, self.end), np.array([_kl_slope(at, self.end)])

        with warnings.catch_warnings():
            # The quasi-Newton part says so where a step changes no gradient; that is no harm.
            warnings.filterwarnings("ignore", message="delta_grad == 0.0")
            found = minimize(
                aim,
                np.array([now]),
                method="trust-constr",
                jac=True,
                bounds=Bounds(0.5 * self.end, 2.0 * max(self.start, now), keep_feasible=True),
                constraints=limits,
                # At looser ones it may end 1% short of how far it may go.
                options={"gtol": 1e-10, "xtol": 1e-12, "barrier_tol": 1e-10, "maxiter": 1000},
            )
        return self._kept(now, float(found.x[0]), reward, level)

    def _kept(self, now: float, found: float, reward: _Reward | None, level: float | None) -> float:
        """Move an answer back toward `now` until it keeps the constraints, by bisection.

        An interior point method may end a hair outside; `now` itself keeps them.
        """

        def keeps(k: float) -> bool:
            far = gamma_kl(k, now) > self.max_kl * (1.0 + 1e-6)
            poor = reward is not None and level is not None and reward(k) < level
            return self.end <= k <= max(self.start, now) and not far and not poor

        if keeps(found):
            return found
        good, bad = now, found
        for _ in range(60):
            middle = 0.5 * (good + bad)
            good, bad = (middle, bad) if keeps(middle) else (good, middle)
        return good


class _Reward:
    """The mean return under another concentration, by importance weights."""

    def __init__(
        self, now: float, rate: float, drawn: NDArray[np.float64], returns: NDArray[np.float64]
    ) -> None:
        self._now, self._returns = now, returns
        self._logs = np.log(np.maximum(rate * drawn, 1e-300))
        self.scale = max(float(np.abs(returns).mean()), 1e-9)

    def _weights(self, k: float) -> NDArray[np.float64]:
        logs = (k - self._now) * self._logs - gammaln(k) + gammaln(self._now)
        return np.asarray(np.exp(np.minimum(logs, 50.0)))

    def __call__(self, k: float) -> float:
        weights = self._weights(k)
        return float((weights * self._returns).sum() / weights.sum())

    def slope(self, k: float) -> float:
        weights = self._weights(k)
        share = weights / weights.sum()
        mean = float((share * self._returns).sum())
        return float((share * self._logs * (self._returns - mean)).sum())


def _kl_slope(k: float, other: float) -> float:
    return float((k - other) * polygamma(1, k))


@dataclass(frozen=True)
class Lesson:
    """A curriculum: its schedule, and what an episode draws from where it stands.

    Attributes:
        name: one of `CURRICULA`.
        schedule: see `solvers.schedules.Schedule`.
        rate: of the temperatures' distribution.
        first: the mean temperature at the start.
        last: the mean temperature at the end.
    """

    name: str
    schedule: Schedule
    rate: float
    first: float
    last: float

    def draw(self, now: float, count: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw the temperatures of `count` episodes, shape (count,)."""
        if self.name in ("self_paced", "linear", "force"):
            # A Gamma with k near 1 gives tiny numbers, which a network cannot tell from 0.
            return np.maximum(rng.gamma(now, 1.0 / self.rate, count), 1e-6)
        return np.full(count, now / self.rate)

    def forces(self, drawn: NDArray[Any]) -> NDArray[Any]:
        """Return which share of its force the adversary may use in these episodes.

        With `force` it falls with what was drawn: 1 at `last`, nearly 0 at `first`.
        """
        if self.name != "force":
            return np.ones_like(drawn)
        return np.clip((self.first + self.last - drawn) / self.first, 0.0, 1.0)

    def mean(self, now: float) -> float:
        """Return the mean temperature of episodes."""
        return now / self.rate


def curriculum(
    name: str,
    *,
    start: float,
    end: float,
    rate: float,
    level: float,
    max_kl: float,
    settle: bool = True,
) -> Lesson:
    """Return the curriculum of a name; `fixed` stays at `end`.

    Args:
        name: one of `CURRICULA`.
        start: the first concentration.
        end: the last one.
        rate: of the temperatures' distribution.
        level: see `Teacher`.
        max_kl: see `Teacher`.
        settle: see `Teacher`.

    Raises:
        ParameterError: no such curriculum, or a number out of range.
    """
    if name not in CURRICULA:
        raise ParameterError("curriculum", name, f"one of {', '.join(CURRICULA)}")
    teacher = Teacher(start, end, rate, level, max_kl, settle=settle)  # checks the numbers, too
    made: dict[str, Schedule] = {
        "fixed": Fixed(end),
        "force": teacher,
        "linear": Linear(start, end),
        "point": teacher,
        "self_paced": teacher,
    }
    return Lesson(name, made[name], rate, start / rate, end / rate)
