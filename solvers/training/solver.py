"""A learner as a registered solver: for `arena.solve`, and for runs in folders."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.solver import Gap, Progress, Solution, TracePoint
from solvers.loop import merge_settings, non_negative, positive, whole
from solvers.training.learner import Learner, LearnerState, Report
from solvers.training.loop import Course, Schedule, train
from solvers.training.networks import torch_threads

__all__ = ["COMMON", "LearnerSolver", "same_settings"]

COMMON = (
    "seed",
    "resume",
    "steps",
    "seconds",
    "eval_every",
    "eval_episodes",
    "threads",
)
"""Settings that every learner shares."""


@dataclass(frozen=True)
class LearnerSolver:
    """A registered learner.

    Attributes:
        name: its registry name.
        start: (game, seed, settings) to a fresh learner.
        defaults: its own settings and their default values (JSON values).
        unfit: why it cannot learn a game, or None if it can.
        steps: environment steps when nothing says when to stop.
        schedule: its usual evaluations.
        torch: whether it computes in torch (`threads` then says with how many threads).
    """

    name: str
    start: Callable[[Game, int, Mapping[str, Any]], Learner]
    defaults: Mapping[str, Any]
    unfit: Callable[[Game], str | None]
    steps: int = 1_000_000
    schedule: Schedule = field(default_factory=Schedule)
    torch: bool = True

    gap = "return"
    """What the points of a trace are about."""

    def obstacle(self, game: Game) -> str | None:
        """Return why this learner cannot handle `game`, or None if it can."""
        return self.unfit(game)

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return its own settings, defaults included.

        Raises:
            UnknownNameError: there is no such setting.
        """
        return merge_settings(self.name, self.defaults, given, COMMON)

    def learner(self, game: Game, seed: int, settings: Mapping[str, Any]) -> Learner:
        """Return a fresh learner.

        Raises:
            NotApplicableError: `obstacle` names the reason.
            ParameterError: a setting is out of range.
        """
        if reason := self.obstacle(game):
            raise NotApplicableError(reason)
        return self.start(game, seed, settings)

    def threads(self, count: int) -> AbstractContextManager[None]:
        """Return a context in which the learner may compute."""
        return torch_threads(count) if self.torch else nullcontext()

    def schedule_of(self, **given: Any) -> Schedule:
        """Return the usual schedule with what is given (and not None) put over it.

        Raises:
            ParameterError: out of range.
        """
        chosen = {**asdict(self.schedule), **{k: v for k, v in given.items() if v is not None}}
        for name in ("steps", "eval_episodes"):
            if chosen[name] is not None:
                whole(name, chosen[name], least=1)
        whole("eval_every", chosen["eval_every"])
        non_negative("save_seconds", chosen["save_seconds"])
        if chosen["seconds"] is not None:
            positive("seconds", chosen["seconds"])
        if chosen["steps"] is None and chosen["seconds"] is None:
            chosen["steps"] = self.steps
        return Schedule(**chosen)

    def solve(
        self,
        game: Game,
        *,
        seed: int = 0,
        progress: Progress | None = None,
        steps: int | None = None,
        seconds: float | None = None,
        eval_every: int | None = None,
        eval_episodes: int | None = None,
        threads: int = 1,
        resume: Solution | str | Path | None = None,
        **settings: Any,
    ) -> Solution:
        """Learn to play `game`, with nothing on disk (`arena train` keeps a run folder).

        Args:
            game: see `obstacle`.
            seed: everything random follows from it.
            progress: called after each evaluation; the point's `gap` is the mean return.
            steps: stop after so many environment steps in all.
            seconds: stop after so many seconds of wall time in this call.
            eval_every: environment steps between evaluations.
            eval_episodes: episodes of an evaluation.
            threads: of torch.
            resume: a solution of the same game by the same learner to go on from, exactly.
            settings: the learner's own, see `defaults`.

        Returns:
            A solution whose certificate has `return`: what the policy earns, with its 95%
            interval; a lower bound of what could be earned.

        Raises:
            NotApplicableError: `obstacle` names the reason.
            ParameterError: a setting is out of range, or `resume` is of something else.
            UnknownNameError: there is no such setting.
        """
        chosen = self.settings(settings)
        schedule = self.schedule_of(
            steps=steps, seconds=seconds, eval_every=eval_every, eval_episodes=eval_episodes
        )
        if isinstance(resume, str | Path):
            resume = Solution.load(resume, game=game)
        trace = [] if resume is None else list(resume.trace)
        keep = getattr(progress, "checkpoint", None)

        def follow(report: Report) -> None:
            seen = report.evaluation
            if seen is not None and (not trace or trace[-1].iteration < report.steps):
                trace.append(TracePoint(report.steps, report.seconds, seen.mean))
                if progress is not None:
                    progress(trace[-1])
            if keep is not None:
                keep(lambda: snapshot("unfinished"))

        def snapshot(status: str) -> Solution:
            state, seen = learner.state(), course.evaluation
            values = {"values": state.values, "course": course.to_dict()}
            return Solution(
                game=game,
                solver=self.name,
                settings={**chosen, "seed": seed, "steps": steps, "seconds": seconds},
                policy=learner.policy(),
                certificate={}
                if seen is None
                else {"return": Gap(seen.mean, "lower", seen.interval)},
                trace=list(trace),
                status=status,
                state={**state.arrays, "": np.array(json.dumps(values))},
            )

        with self.threads(threads):
            learner = self.learner(game, seed, chosen)
            course = Course()
            if resume is not None:
                course = _go_on(learner, resume, game, self.name, {**chosen, "seed": seed})
            status, _ = train(learner, schedule=schedule, course=course, seed=seed, progress=follow)
            return snapshot(status)


def _go_on(
    learner: Learner, resume: Solution, game: Game, solver: str, settings: Mapping[str, Any]
) -> Course:
    if resume.game.key != game.key or resume.solver != solver:
        raise ParameterError(
            "resume", f"{resume.solver} on {resume.game.key}", f"{solver} on {game.key}"
        )
    same_settings(resume.settings, settings, "the solution to resume")
    if "" not in resume.state:
        raise ParameterError("resume", "a solution without state", "one that `solve` returned")
    values = json.loads(str(resume.state[""]))
    arrays = {name: array for name, array in resume.state.items() if name}
    learner.load(LearnerState(arrays, values["values"]))
    return Course.of(values["course"])


def same_settings(before: Mapping[str, Any], settings: Mapping[str, Any], where: str) -> None:
    """Refuse settings that differ from those of what is to be resumed.

    Raises:
        ParameterError: the first that differs, with both values.
    """
    for name, value in settings.items():
        if before.get(name) != value:
            raise ParameterError(name, value, f"{before.get(name)!r}, as in {where}")
