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

from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.solver import Progress, Solution, TracePoint
from games.tree import DEFAULT_BUDGET, Budget, Tree, obstacle, tree_of
from solvers.certificates import Evaluator, certify
from solvers.loop import check_limits, merge_settings, run_method

__all__ = ["Method", "Traits", "TreeSolver"]

Reals = NDArray[np.float64]

COMMON = ("until", "iterations", "seconds", "resume", "cache", "budget")
"""Settings of every tree solver, besides its own."""


class Method(Protocol):
    """A running algorithm on one tree."""

    iteration: int

    def advance(self, count: int) -> int:
        """Run up to `count` more iterations; return how many, 0 when it has nothing to add."""

    def behaviour(self) -> Reals:
        """Return the policy it would answer with now, shape (Q,)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything needed to go on later, as plain arrays."""

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` returned."""


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
    """

    seats: int | None = None
    constant_sum: bool = False
    perfect_recall: bool = True


@dataclass(frozen=True)
class TreeSolver:
    """A registered solver of compiled trees.

    Attributes:
        name: its registry name.
        start: (tree, seed, iterations planned or None, settings) to a method at iteration 0.
        defaults: its own settings and their default values.
        traits: what it asks of a game.
        iterations: how many it runs when nothing says when to stop; None: until it ends.
        certify: more gaps for the certificate, from (tree, behaviour, settings).
        objective: the gap that `until` and the trace are about, from (tree, settings) to a
            function of the behaviour policy; by default exploitability.
        gap: the name of that gap.
    """

    name: str
    start: Callable[[Tree, int, int | None, Mapping[str, Any]], Method]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    traits: Traits = Traits()
    iterations: int | None = 1000
    certify: Callable[[Tree, Reals, Mapping[str, Any]], Mapping[str, Any]] | None = None
    objective: Callable[[Tree, Mapping[str, Any]], Callable[[Reals], float]] | None = None
    gap: str = "exploitability"

    def obstacle(self, game: Game) -> str | None:
        """Return why this solver cannot handle `game`, or None; the tree is not compiled."""
        traits = self.traits
        if traits.seats is not None and game.seats != traits.seats:
            return f"{game.key} has {game.seats} seats, and {self.name} needs {traits.seats}"
        if traits.constant_sum and game.payoff not in ("zero_sum", "constant_sum"):
            return f"{game.key} is {_words(game.payoff)}, and {self.name} needs zero sum"
        return obstacle(game)

    def check(self, tree: Tree) -> None:
        """Refuse a compiled tree that lacks what the solver needs.

        Raises:
            NotApplicableError: the message names the property and the place.
        """
        if self.traits.perfect_recall and tree.breach is not None:
            one, other = (list(history) for history in tree.breach.histories)
            raise NotApplicableError(
                f"{tree.game} has imperfect recall, and {self.name} needs perfect recall:"
                f" seat {tree.info_seat[tree.breach.infoset]} cannot tell {one} from {other} in"
                f" infoset {tree.keys[tree.breach.infoset]!r} though it saw or did different"
                " things before; mccfr_external and mccfr_outcome run on such games"
            )
        if self.traits.constant_sum and tree.constant_sum is None:
            total = tree.payoffs.sum(axis=0)
            z = int(np.argmax(np.abs(total - total[0]) > 1e-9))
            raise NotApplicableError(
                f"{tree.game} is not zero-sum: payoffs add up to {total[0]:g} after"
                f" {tree.history(int(tree.terminals[0]))} and to {total[z]:g} after"
                f" {tree.history(int(tree.terminals[z]))}; {self.name} needs a constant sum;"
                " cfr, cfr+ and the other regret minimisers do not"
            )

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
        method = self.start(tree, seed, iterations, chosen)
        if iterations is None and until is None and seconds is None:
            iterations = self.iterations
        trace: list[TracePoint] = []
        if isinstance(resume, str | Path):
            resume = Solution.load(resume, game=game)
        if resume is not None:
            _check_resume(resume, game, self.name, chosen, tree)
            method.restore(resume.state)
            trace = list(resume.trace)
        status = run_method(
            _Answering(method),
            self._gap(tree, chosen),
            trace,
            progress=progress,
            until=until,
            iterations=iterations,
            seconds=seconds,
        )
        behaviour = tree.checked(method.behaviour())
        certificate = dict(certify(tree, behaviour))
        if self.certify is not None:
            certificate.update(self.certify(tree, behaviour, chosen))
        limits = {"seed": seed, "until": until, "iterations": iterations, "seconds": seconds}
        return Solution(
            game=game,
            solver=self.name,
            settings={**chosen, **limits},
            policy=tree.to_table(behaviour),
            certificate=certificate,
            trace=trace,
            status=status,
            state=method.arrays(),
        )

    def _gap(self, tree: Tree, settings: Mapping[str, Any]) -> Callable[[Reals], float]:
        if self.objective is not None:
            return self.objective(tree, settings)
        if tree.breach is not None:
            return lambda behaviour: math.nan
        evaluator = Evaluator(tree)
        return lambda behaviour: evaluator.nash_conv(behaviour) / tree.seats


def _words(payoff: str) -> str:
    return payoff.replace("_", "-")


def _check_resume(
    resume: Solution, game: Game, solver: str, settings: Mapping[str, Any], tree: Tree
) -> None:
    if resume.game.key != game.key or resume.solver != solver:
        raise ParameterError(
            "resume", f"{resume.solver} on {resume.game.key}", f"{solver} on {game.key}"
        )
    for name, value in settings.items():
        if resume.settings.get(name) != value:
            raise ParameterError(
                name, value, f"{resume.settings.get(name)!r}, as in the solution to resume"
            )
    if not resume.state:
        raise ParameterError("resume", "a solution without state", "one that `solve` returned")
    for name, array in resume.state.items():
        if array.ndim and array.shape != (tree.n_sequences,):
            raise ParameterError(
                f"state {name!r} to resume", array.shape, f"shape ({tree.n_sequences},)"
            )
