"""What all tree solvers share: the loop around a method, and the `Solver` around the loop.

A `Method` holds plain arrays and advances by iterations. The loop lets it run in blocks
that grow with the iteration number, certifies its policy after each, and stops at the
wanted exploitability, at a number of iterations, or when the time is up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, NotApplicableError, ParameterError
from arena.game import Game
from arena.solver import Gap, Progress, Solution, TracePoint
from games.tree import DEFAULT_BUDGET, Budget, Tree, obstacle, tree_of
from solvers.certificates import Evaluator, certify
from solvers.loop import check_limits, check_resume, merge_settings, run_method

__all__ = ["BEHAVIOUR", "Answers", "Method", "Traits", "TreeSolver"]

Reals = NDArray[np.float64]

COMMON = ("until", "iterations", "seconds", "resume", "cache", "budget")
"""Settings of every tree solver, besides its own."""


class Method(Protocol):
    """A running algorithm on one tree.

    Optional members, looked for with `getattr`:
        adopt(policy): called before `restore` with the policy of the solution to go on from,
            for methods whose state it is a part of.
        note() -> str: what humans should know about the way there, for the status.
    """

    @property
    def iteration(self) -> int:
        """How many iterations are done."""

    def advance(self, count: int) -> int:
        """Run up to `count` more iterations; return how many, 0 when it has nothing to add."""

    def behaviour(self) -> Any:
        """Return the policy it would answer with now, shape (Q,), or another answer."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything needed to go on later, as plain arrays."""

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` returned."""


@dataclass(frozen=True)
class Answers:
    """What a solver answers with, if not with a behaviour policy.

    Attributes:
        certify: the certificate, from (tree, answer).
        policy: what is playable, from (tree, answer).
    """

    certify: Callable[[Tree, Any], dict[str, Gap]]
    policy: Callable[[Tree, Any], Any]


BEHAVIOUR = Answers(certify, lambda tree, answer: tree.to_table(answer))


class _Answering:
    """A method of trees as one that `solvers.loop` runs: its answer is its behaviour."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self.advance, self.answer = method.advance, method.behaviour
        self.arrays, self.restore = method.arrays, method.restore

    @property
    def iteration(self) -> int:
        return self._method.iteration


@dataclass(frozen=True)
class Traits:
    """What a solver asks of a game.

    Attributes:
        seats: the only number of seats it takes, or None for any.
        constant_sum: whether payoffs must add up to a constant.
        perfect_recall: whether seats must remember what they saw and did.
        fits: what else a compiled tree must be: why it is not, in words, or None.
    """

    seats: int | None = None
    constant_sum: bool = False
    perfect_recall: bool = True
    fits: Callable[[Tree], str | None] | None = None


@dataclass(frozen=True)
class TreeSolver:
    """A registered solver of compiled trees.

    Attributes:
        name: its registry name.
        start: (tree, seed, iterations planned or None, settings) to a method at iteration 0;
            the settings are its own, and `until` and `seconds`.
        defaults: its own settings and their default values.
        traits: what it asks of a game.
        iterations: how many it runs when nothing says when to stop; None: until it ends.
        certify: more gaps for the certificate, from (tree, behaviour, settings).
        objective: the gap that `until` and the trace are about, from (tree, settings) to a
            function of the answer; by default exploitability.
        gap: the name of that gap.
        answers: what it answers with; by default a behaviour policy.
        most: how many iterations it can run at most on a tree, or None for any number.
        growth: see `run_method`.
    """

    name: str
    start: Callable[[Tree, int, int | None, Mapping[str, Any]], Method]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    traits: Traits = Traits()
    iterations: int | None = 1000
    certify: Callable[[Tree, Reals, Mapping[str, Any]], Mapping[str, Any]] | None = None
    objective: Callable[[Tree, Mapping[str, Any]], Callable[[Any], float]] | None = None
    gap: str = "exploitability"
    answers: Answers = BEHAVIOUR
    most: Callable[[Tree], int] | None = None
    growth: float = 0.1

    def obstacle(self, game: Game) -> str | None:
        """Return why this solver cannot handle `game`, or None; the tree is not compiled."""
        traits = self.traits
        if traits.seats is not None and game.seats != traits.seats:
            return f"{game.key} has {game.seats} seats, and {self.name} needs {traits.seats}"
        if traits.constant_sum and game.payoff not in ("zero_sum", "constant_sum"):
            return f"{game.key} is {_words(game.payoff)}, and {self.name} needs zero sum"
        return obstacle(game)

    @property
    def looks(self) -> bool:
        """Whether it depends on the compiled tree that the solver applies."""
        traits = self.traits
        return traits.perfect_recall or traits.constant_sum or traits.fits is not None

    def misfit(self, tree: Tree) -> str | None:
        """Return why this solver cannot handle a compiled tree, or None.

        The words name the property that fails and the place.
        """
        if self.traits.perfect_recall and tree.breach is not None:
            one, other = (list(history) for history in tree.breach.histories)
            return (
                f"{tree.game} has imperfect recall, and {self.name} needs perfect recall:"
                f" seat {tree.info_seat[tree.breach.infoset]} cannot tell {one} from {other} in"
                f" infoset {tree.keys[tree.breach.infoset]!r} though it saw or did different"
                " things before"
            )
        if self.traits.constant_sum and tree.constant_sum is None:
            total = tree.payoffs.sum(axis=0)
            z = int(np.argmax(np.abs(total - total[0]) > 1e-9))
            return (
                f"{tree.game} is not zero-sum: payoffs add up to {total[0]:g} after"
                f" {tree.history(int(tree.terminals[0]))} and to {total[z]:g} after"
                f" {tree.history(int(tree.terminals[z]))}; {self.name} needs a constant sum"
            )
        return None if self.traits.fits is None else self.traits.fits(tree)

    def check(self, tree: Tree) -> None:
        """Refuse a compiled tree that lacks what the solver needs.

        Raises:
            NotApplicableError: see `misfit`.
        """
        if reason := self.misfit(tree):
            raise NotApplicableError(reason)

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
        cache: bool = True,
        budget: Budget = DEFAULT_BUDGET,
        **settings: Any,
    ) -> Solution:
        """Solve `game`.

        Args:
            game: see `obstacle`.
            seed: of solvers that sample.
            progress: called after each block with the point reached.
            until: stop when the gap (`self.gap`) is at most this, in payoff units.
            iterations: stop after so many in all, those of `resume` included.
            seconds: stop after so many seconds of wall time in this call.
            resume: a solution of the same game by the same solver, or its file, to go on from.
            cache: whether compiled trees may be read from and written to the disk.
            budget: how large a tree may get.
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
        tree = tree_of(game, budget=budget, cache=cache)
        self.check(tree)
        if until is not None and tree.breach is not None:
            raise ParameterError(
                "until", until, f"None: {game.key} has imperfect recall, so gaps are not known"
            )
        limits = {"until": until, "iterations": iterations, "seconds": seconds}
        method = self.start(tree, seed, iterations, {**chosen, **limits})
        run = _Run(self, game, tree, method, chosen, {"seed": seed, **limits})
        if resume is not None:
            run.restore(check_resume(resume, game, self.name, chosen))
        status = run_method(
            _Answering(method),
            self._gap(tree, chosen),
            run.trace,
            progress=progress,
            until=until,
            iterations=self._planned(tree, until, iterations, seconds),
            seconds=seconds,
            snapshot=run.solution,
            growth=self.growth,
        )
        return run.solution(status)

    def _planned(
        self, tree: Tree, until: float | None, iterations: int | None, seconds: float | None
    ) -> int | None:
        """Return after how many iterations to stop, or None."""
        if iterations is None and until is None and seconds is None:
            iterations = self.iterations
        if self.most is None:
            return iterations
        most = self.most(tree)
        if iterations is not None and iterations > most:
            raise ParameterError("iterations", iterations, f"at most {most:,} on {tree.game}")
        return iterations or most

    def _gap(self, tree: Tree, settings: Mapping[str, Any]) -> Callable[[Any], float]:
        if self.objective is not None:
            return self.objective(tree, settings)
        if tree.breach is not None:
            return lambda behaviour: math.nan
        evaluator = Evaluator(tree)
        return lambda behaviour: evaluator.nash_conv(behaviour) / tree.seats


@dataclass
class _Run:
    """One call of `TreeSolver.solve`: what becomes a solution, now or at the end."""

    solver: TreeSolver
    game: Game
    tree: Tree
    method: Method
    settings: Mapping[str, Any]
    limits: Mapping[str, Any]
    trace: list[TracePoint] = field(default_factory=list)

    def solution(self, status: str = "unfinished") -> Solution:
        """Return what there is, certified."""
        solver, tree = self.solver, self.tree
        answer = self.method.behaviour()
        certificate = dict(solver.answers.certify(tree, answer))
        if solver.certify is not None:
            certificate.update(solver.certify(tree, answer, self.settings))
        note = getattr(self.method, "note", str)()
        return Solution(
            game=self.game,
            solver=solver.name,
            settings={**self.settings, **self.limits},
            policy=solver.answers.policy(tree, answer),
            certificate=certificate,
            trace=list(self.trace),
            status=f"{status}: {note}" if note else status,
            state=self.method.arrays(),
        )

    def restore(self, resume: Solution) -> None:
        """Go on from where a solution was.

        Raises:
            ParameterError: its state is not one of this solver on this tree.
        """
        tree, name = self.tree, self.solver.name
        for key, array in self.method.arrays().items():
            given = resume.state.get(key)
            fixed = array.ndim and not key.startswith("stage.")
            if fixed and given is not None and given.shape != array.shape:
                raise ParameterError(f"state {key!r} to resume", given.shape, f"{array.shape}")
        adopt = getattr(self.method, "adopt", None)
        try:
            if adopt is not None:
                adopt(resume.policy)
            self.method.restore(resume.state)
        except (KeyError, ValueError, IndexError) as error:
            if isinstance(error, ArenaError):
                raise
            raise ParameterError(
                "resume", f"a state without {error}", f"one that {name} left on {tree.game}"
            ) from error
        self.trace += resume.trace


def _words(payoff: str) -> str:
    return payoff.replace("_", "-")
