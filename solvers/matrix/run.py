"""What all solvers of normal forms share: the `Solver` around a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.policy import TabularPolicy
from arena.solver import Gap, Progress, Solution, TracePoint
from games.normal_form import NormalForm
from solvers.loop import Method, check_limits, check_resume, merge_settings, run_method
from solvers.matrix.certificates import certify_joint, certify_profile
from solvers.matrix.form import (
    JointPolicy,
    constant_sum_of,
    first_keys,
    normal_form_of,
    policy_of,
)

__all__ = ["MatrixSolver", "Once", "Traits"]

COMMON = ("until", "iterations", "seconds", "resume")
"""Settings of every solver of normal forms, besides its own."""

_ANY_SEATS = ("logit_qre", "gambit_nash", "cce", "ce")
"""Solvers that take any number of seats."""

Gaps = Callable[[NormalForm, Any, Mapping[str, Any]], Mapping[str, Gap]]


@dataclass(frozen=True)
class Traits:
    """What a solver asks of a game.

    Attributes:
        seats: the only number of seats it takes, or None for any.
        constant_sum: whether payoffs must add up to a constant.
        limit: the most actions a seat may have, or None.
        limit_joint: the most joint actions, or None.
        any_sum: solvers that would do where payoffs do not add up to a constant.
        smaller: solvers that would do where the game is too large.
    """

    seats: int | None = None
    constant_sum: bool = False
    limit: int | None = None
    limit_joint: int | None = None
    any_sum: tuple[str, ...] = ()
    smaller: tuple[str, ...] = ()


class Once:
    """A method that is done after one iteration: a function from nothing to an answer.

    Args:
        work: returns the answer and further arrays for `Solution.state`.
        start: the answer before the work is done.
    """

    def __init__(self, work: Callable[[], tuple[Any, dict[str, NDArray[Any]]]], start: Any) -> None:
        self._work = work
        self._answer = start
        self._extra: dict[str, NDArray[Any]] = {}
        self.iteration = 0

    def advance(self, count: int) -> int:
        """Do the work, once."""
        if self.iteration:
            return 0
        self._answer, self._extra = self._work()
        self.iteration = 1
        return 1

    def answer(self) -> Any:
        """Return what was found."""
        return self._answer

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was found besides the answer."""
        return {"iteration": np.array(self.iteration), **self._extra}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Start over: the work is done in one go."""


@dataclass(frozen=True)
class MatrixSolver:
    """A registered solver of normal forms.

    Attributes:
        name: its registry name.
        start: (form, seed, iterations planned or None, settings) to a method at iteration 0.
        defaults: its own settings and their default values.
        traits: what it asks of a game.
        iterations: how many it runs when nothing says when to stop; None: until it ends.
        answers: whether methods answer with a `profile` or a `joint` distribution.
        certify: more gaps, from (form, answer, settings).
        gap: the certified gap that `until` and the trace are about.
    """

    name: str
    start: Callable[[NormalForm, int, int | None, Mapping[str, Any]], Method]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    traits: Traits = Traits()
    iterations: int | None = 1000
    answers: Literal["profile", "joint"] = "profile"
    certify: Gaps | None = None
    gap: str = "exploitability"

    def obstacle(self, game: Game) -> str | None:
        """Return why this solver cannot handle `game`, or None."""
        if "normal_form" not in game.forms:
            return f"{game.key} has no form 'normal_form', and {self.name} needs it"
        traits = self.traits
        if traits.seats is not None and game.seats != traits.seats:
            return self._but(f"{game.key} has {game.seats} seats", f"{traits.seats}", _ANY_SEATS)
        form = normal_form_of(game)
        if traits.constant_sum and constant_sum_of(form) is None:
            fact = f"{game.key} is not zero-sum: it is {game.payoff.replace('_', '-')}"
            return self._but(fact, "zero sum", traits.any_sum)
        if traits.limit is not None and max(form.actions) > traits.limit:
            most = max(form.actions)
            fact = f"{game.key} is too large: {most} actions"
            return self._but(fact, f"at most {traits.limit} a seat", traits.smaller)
        joint = int(np.prod(form.actions))
        if traits.limit_joint is not None and joint > traits.limit_joint:
            fact = f"{game.key} is too large: {joint} joint actions"
            return self._but(fact, f"at most {traits.limit_joint}", traits.smaller)
        return None

    def _but(self, fact: str, need: str, instead: Sequence[str]) -> str:
        would = f"; {', '.join(instead)} would do" if instead else ""
        return f"{fact}, and {self.name} needs {need}{would}"

    def solve(
        self,
        game: Game,
        *,
        seed: int = 0,
        progress: Progress | None = None,
        until: float | None = None,
        iterations: int | None = None,
        seconds: float | None = None,
        resume: Solution | str | Path | None = None,
        **settings: Any,
    ) -> Solution:
        """Solve `game`.

        Args:
            game: see `obstacle`.
            seed: of solvers that sample.
            progress: called after each block of iterations with the point reached.
            until: stop when the gap (`self.gap`) is at most this, in payoff units.
            iterations: stop after so many in all, those of `resume` included.
            seconds: stop after so many seconds of wall time in this call.
            resume: a solution of the same game by the same solver, or its file, to go on from.
            settings: the solver's own, see `defaults`.

        Raises:
            NotApplicableError: the game lacks what the solver needs; the message names it.
            ParameterError: a setting is out of range.
            UnknownNameError: there is no such setting.
        """
        chosen = merge_settings(self.name, self.defaults, settings, COMMON)
        check_limits(until, iterations, seconds)
        if reason := self.obstacle(game):
            raise NotApplicableError(reason)
        form = normal_form_of(game)
        limits = {"seed": seed, "until": until, "iterations": iterations, "seconds": seconds}
        method = self.start(form, seed, iterations, chosen)
        if iterations is None and until is None and seconds is None:
            iterations = self.iterations
        trace: list[TracePoint] = []
        if resume is not None:
            resume = check_resume(resume, game, self.name, chosen)
            _restore(method, resume)
            trace = list(resume.trace)

        def solution(status: str = "unfinished") -> Solution:
            answer = method.answer()
            return Solution(
                game=game,
                solver=self.name,
                settings={**chosen, **limits},
                policy=self._policy(game, form, answer),
                certificate=self.gaps(form, answer, chosen),
                trace=list(trace),
                status=status,
                state=method.arrays(),
            )

        status = run_method(
            method,
            lambda answer: self.gaps(form, answer, chosen)[self.gap].value,
            trace,
            progress=progress,
            until=until,
            iterations=iterations,
            seconds=seconds,
            snapshot=solution,
        )
        return solution(status)

    def _policy(self, game: Game, form: NormalForm, answer: Any) -> TabularPolicy | JointPolicy:
        if self.answers == "profile":
            return policy_of(game, form, answer)
        return JointPolicy(game.key, answer, first_keys(game, form))

    def gaps(self, form: NormalForm, answer: Any, settings: Mapping[str, Any]) -> dict[str, Gap]:
        """Return the certificate of an answer."""
        certify = certify_profile if self.answers == "profile" else certify_joint
        found = certify(form, answer)
        if self.certify is not None:
            found.update(self.certify(form, answer, settings))
        return found


def _restore(method: Method, resume: Solution) -> None:
    """Go on from where a solution was.

    Raises:
        ParameterError: its state is not one of this solver.
    """
    try:
        method.restore(resume.state)
    except (KeyError, ValueError, IndexError) as error:
        raise ParameterError(
            "resume", f"a state without {error}", f"one that {resume.solver} left"
        ) from error
