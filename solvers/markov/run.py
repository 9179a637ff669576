"""What all solvers of Markov games share: the `Solver` around a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.solver import Gap, Progress, Solution, TracePoint
from games.markov.explore import explorable, form_of
from games.markov.form import MarkovGame
from games.markov.views import Views
from solvers.loop import Method, check_limits, check_resume, choice, merge_settings, run_method
from solvers.markov.certificates import DEVIATIONS, certify
from solvers.markov.observed import ObservedPolicy, observed

__all__ = ["MarkovSolver", "Problem", "Traits"]

COMMON = ("horizon", "discount", "deviations", "until", "iterations", "seconds", "resume")
"""Settings of every solver of Markov games, besides its own."""

_OTHERS = "cce and ce take any number of seats and any payoffs"


@dataclass(frozen=True)
class Problem:
    """What a method gets.

    Attributes:
        form: the game, with the horizon or discount that was asked for.
        key: the key of the game.
        seed: of methods that sample.
        planned: iterations planned, or None.
        settings: the solver's own, with defaults.
    """

    form: MarkovGame
    key: str
    seed: int
    planned: int | None
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Traits:
    """What a solver asks of a game.

    Attributes:
        zero_sum: two seats that are paid opposite amounts.
        finite: a horizon.
        discounted: a discount below 1 and no horizon.
    """

    zero_sum: bool = False
    finite: bool = False
    discounted: bool = False


@dataclass(frozen=True)
class MarkovSolver:
    """A registered solver of Markov games.

    Attributes:
        name: its registry name.
        start: from the problem to a method at iteration 0.
        defaults: its own settings and their default values.
        traits: what it asks of a game.
        iterations: how many it runs when nothing says when to stop; None: until it ends.
        gap: the certified gap that `until` and the trace are about.
        more: further gaps for the certificate, from the method and the problem.
        quick_gap: a cheaper gap for the trace, from (method, problem), where certifying
            after every block would cost more than solving.
    """

    name: str
    start: Callable[[Problem], Method]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    traits: Traits = Traits()
    iterations: int | None = None
    gap: str = "cce_gap"
    more: Callable[[Any, Problem], Mapping[str, Gap]] | None = None
    quick_gap: Callable[[Any, Problem], float] | None = None

    def obstacle(self, game: Game) -> str | None:
        """Return why this solver cannot handle `game`, or None.

        What `horizon` and `discount` can mend is not an obstacle.
        """
        if "markov" not in game.forms:
            reason = explorable(game)
            if reason is not None:
                return (
                    f"{game.key} has no form 'markov', and {self.name} needs it: {reason};"
                    f" markov/of(game={game.key}) makes one of a small enough game"
                )
        if self.traits.zero_sum and (game.seats != 2 or game.payoff != "zero_sum"):
            kind = game.payoff.replace("_", "-")
            return (
                f"{game.key} has {game.seats} seats and is {kind}, and {self.name} needs two"
                f" seats and zero sum; {_OTHERS}"
            )
        return None

    def solve(
        self,
        game: Game,
        *,
        seed: int = 0,
        progress: Progress | None = None,
        horizon: int | None = None,
        discount: float | None = None,
        deviations: str = "history",
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
            horizon: steps, instead of the game's own end.
            discount: instead of the game's own.
            deviations: what the certificate is about: `markov` or `history`.
            until: stop when the gap (`self.gap`) is at most this, in payoff units.
            iterations: stop after so many in all, those of `resume` included.
            seconds: stop after so many seconds of wall time in this call.
            resume: a solution of the same game by the same solver, or its file, to go on
                from, as if it had never stopped. What follows from the number of iterations
                that was planned, such as a learning rate, stays.
            settings: the solver's own, see `defaults`.

        Raises:
            NotApplicableError: the game lacks what the solver needs; the message names it.
            ParameterError: a setting is out of range.
            UnknownNameError: there is no such setting.
        """
        chosen = merge_settings(self.name, self.defaults, settings, COMMON)
        check_limits(until, iterations, seconds)
        choice("deviations", deviations, DEVIATIONS)
        if reason := self.obstacle(game):
            raise NotApplicableError(reason)
        form, views = form_of(game, horizon=horizon, discount=discount)
        self._check_end(game, form)
        if iterations is None and until is None and seconds is None:
            iterations = self.iterations
        problem = Problem(form, game.key, seed, iterations, chosen)
        common = {"horizon": form.horizon, "discount": form.discount, "deviations": deviations}
        limits = {"seed": seed, "until": until, "iterations": iterations, "seconds": seconds}
        run = _Run(self, game, problem, self.start(problem), views, {**chosen, **common, **limits})
        if resume is not None:
            run.go_on(resume, {**chosen, **common, "seed": seed})
        status = run_method(
            run.method,
            run.gap,
            run.trace,
            progress=progress,
            until=until,
            iterations=iterations,
            seconds=seconds,
            snapshot=run.solution,
        )
        return run.solution(status)

    def _check_end(self, game: Game, form: MarkovGame) -> None:
        traits = self.traits
        if traits.finite and form.horizon is None:
            raise NotApplicableError(
                f"{game.key} has no horizon, and {self.name} needs one: horizon=20"
            )
        if traits.discounted and (form.horizon is not None or form.discount >= 1.0):
            raise NotApplicableError(
                f"{game.key} is not discounted, and {self.name} needs it: discount=0.9"
            )
        if form.horizon is None and form.discount >= 1.0:
            raise NotApplicableError(
                f"{game.key} ends by itself only; {self.name} needs a horizon or a discount below 1"
            )


@dataclass(frozen=True)
class _Run:
    """One call of `solve`.

    Attributes:
        solver: who solves.
        game: what.
        problem: what the method got.
        method: what runs.
        views: of a form that was explored, or None.
        settings: for the solution.
        trace: points so far.
    """

    solver: MarkovSolver
    game: Game
    problem: Problem
    method: Method
    views: Views | None
    settings: Mapping[str, Any]
    trace: list[TracePoint] = field(default_factory=list)

    def go_on(self, resume: Solution | str | Path, settings: Mapping[str, Any]) -> None:
        """Put the method where a solution left off, and its trace before ours.

        Raises:
            ParameterError: the solution is of something else, or of other settings.
        """
        solver = self.solver.name
        found = check_resume(resume, self.game, solver, settings)
        inner = found.policy.inner if isinstance(found.policy, ObservedPolicy) else found.policy
        policy = {f"policy.{name}": array for name, array in inner.arrays().items()}
        try:
            self.method.restore({**found.state, **policy})
        except (KeyError, ValueError, IndexError) as error:
            words = f"{type(error).__name__}: {error}"
            raise ParameterError("resume", words, f"the state of {solver}") from error
        self.trace.extend(found.trace)

    def _certify(self, policy: Any) -> dict[str, Gap]:
        deviations: Any = self.settings["deviations"]
        return certify(self.problem.form, policy, deviations=deviations)

    def gap(self, answer: Any) -> float:
        """Return the gap that the trace is about."""
        if self.solver.quick_gap is not None:
            return self.solver.quick_gap(self.method, self.problem)
        return self._certify(answer)[self.solver.gap].value

    def solution(self, status: str = "unfinished") -> Solution:
        """Return what there is now."""
        policy = self.method.answer()
        certificate = self._certify(policy)
        if self.solver.more is not None:
            certificate.update(self.solver.more(self.method, self.problem))
        if self.views is not None:
            policy = observed(policy, self.views, self.problem.form)
        return Solution(
            game=self.game,
            solver=self.solver.name,
            settings=dict(self.settings),
            policy=policy,
            certificate=certificate,
            trace=list(self.trace),
            status=status,
            state=self.method.arrays(),
        )
