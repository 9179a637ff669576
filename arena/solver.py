"""Solvers turn a form of a game into a policy, and certify it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from numpy.typing import NDArray

from arena.game import Game
from arena.types import Params

__all__ = ["Certificate", "Gap", "Progress", "Solution", "Solver", "TracePoint"]


@dataclass(frozen=True)
class Gap:
    """One certified quantity, such as NashConv or a CCE gap.

    Attributes:
        value: in payoff units.
        kind: `exact` up to rounding, or an `upper`/`lower` bound.
        interval: a confidence interval where the value is estimated, else None.
    """

    value: float
    kind: Literal["exact", "upper", "lower"] = "exact"
    interval: tuple[float, float] | None = None


Certificate = Mapping[str, Gap]
"""Gap name to gap, computed by code that the solver does not share."""


@dataclass(frozen=True)
class TracePoint:
    """Where a solver stood after some iterations: seconds of work and the gap then."""

    iteration: int
    seconds: float
    gap: float


Progress = Callable[[TracePoint], None]
"""Called by a solver now and then; may raise KeyboardInterrupt to stop it early."""


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver found.

    Attributes:
        game: the game that was solved.
        solver: the solver's registry name.
        settings: all its settings, defaults included.
        policy: playable; its type depends on the form that was solved.
        certificate: named gaps.
        trace: the way there.
        status: `converged`, `iteration limit`, `time limit` or `interrupted`, for humans.
        state: what the solver needs to go on from here (`resume=`), as plain arrays.
    """

    game: Game
    solver: str
    settings: Params
    policy: Any
    certificate: Certificate = field(default_factory=dict)
    trace: Sequence[TracePoint] = ()
    status: str = "converged"
    state: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@runtime_checkable
class Solver(Protocol):
    """A registered solver: says what it can solve, and solves it."""

    def obstacle(self, game: Game) -> str | None:
        """Return why this solver cannot handle `game`, in words, or None if it can."""

    def solve(
        self, game: Game, *, seed: int = 0, progress: Progress | None = None, **settings: Any
    ) -> Solution:
        """Solve `game`.

        Raises:
            NotApplicableError: `obstacle` names the reason.
            ParameterError: a setting of the wrong name, type or range.
        """
