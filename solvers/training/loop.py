"""The loop around a learner: reports, evaluations, checkpoints, and when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from arena.interrupts import deferred_interrupts
from arena.rng import derive
from solvers.training.folder import RunFolder
from solvers.training.learner import Evaluation, Learner, Report

__all__ = ["Course", "Schedule", "train"]

_REPORT_SECONDS = 1.0


@dataclass(frozen=True)
class Schedule:
    """When a run stops, evaluates and saves.

    Attributes:
        steps: stop after so many environment steps in all (at the end of the update).
        seconds: stop after so many seconds of wall time in this call.
        eval_every: environment steps between evaluations; 0 for none but the last.
        eval_episodes: episodes of an evaluation; the same seeds each time.
        save_seconds: seconds between checkpoints: what a killed run can lose.
    """

    steps: int | None = None
    seconds: float | None = None
    eval_every: int = 1_000_000
    eval_episodes: int = 1000
    save_seconds: float = 60.0


@dataclass
class Course:
    """How a run has gone so far; goes into checkpoints, so that a resumed run goes on alike.

    Attributes:
        seconds: of work.
        best: the greatest mean of an evaluation.
        evaluated: steps at the latest evaluation, −1 before the first.
        evaluation: the latest one.
    """

    seconds: float = 0.0
    best: float | None = None
    evaluated: int = -1
    evaluation: Evaluation | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @staticmethod
    def of(values: Mapping[str, Any]) -> Course:
        """Return what `to_dict` described."""
        seen = values["evaluation"]
        return Course(
            values["seconds"],
            values["best"],
            values["evaluated"],
            None if seen is None else Evaluation(**seen),
        )


@dataclass
class _Figures:
    """Means of what updates said since the last report."""

    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            if np.isfinite(value):
                self.sums[name] = self.sums.get(name, 0.0) + float(value)
                self.counts[name] = self.counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        means = {name: total / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means


class _Run:
    """A learner under way: the parts that `train` calls."""

    def __init__(
        self,
        learner: Learner,
        schedule: Schedule,
        *,
        course: Course,
        folder: RunFolder | None,
        header: Mapping[str, Any],
        seed: int,
        progress: Callable[[Report], None] | None,
    ) -> None:
        self.learner, self.schedule, self.course = learner, schedule, course
        self.folder, self.header, self.progress = folder, header, progress
        self.seed = derive(seed, "evaluations")
        self.start = self.saved = self.told = time.perf_counter()
        self.before = course.seconds
        self.first = self.steps_told = learner.steps
        self.figures = _Figures()
        self.last_saved = -1
        self.stop = False
        self.rate = 0.0

    def clock(self) -> float:
        now = time.perf_counter()
        self.course.seconds = self.before + now - self.start
        return now

    def evaluate(self) -> None:
        course, learner = self.course, self.learner
        seen = learner.evaluate(self.schedule.eval_episodes, self.seed)
        course.evaluated, course.evaluation = learner.steps, seen
        self.clock()
        if course.best is None or seen.mean > course.best:
            course.best = seen.mean
            if self.folder is not None:
                policy = learner.policy()
                self.folder.save_best(self._header(policy), policy.arrays())
        self.report(evaluated=True)

    def _header(self, policy: Any) -> dict[str, Any]:
        return {
            **self.header,
            "steps": self.learner.steps,
            "course": self.course.to_dict(),
            "policy": policy.header(),
        }

    def save(self) -> None:
        """Write a checkpoint, unless the latest one is of this very moment."""
        self.clock()
        if self.folder is not None and self.learner.steps != self.last_saved:
            policy, state = self.learner.policy(), self.learner.state()
            header = {**self._header(policy), "state": state.values}
            self.folder.save(self.learner.steps, header, policy.arrays(), state.arrays)
            self.last_saved = self.learner.steps
        self.saved = time.perf_counter()

    def report(self, *, evaluated: bool = False) -> None:
        now = self.clock()
        steps, course, schedule = self.learner.steps, self.course, self.schedule
        if steps > self.steps_told:
            self.rate = (steps - self.steps_told) / max(now - self.told, 1e-9)
        rate = self.rate
        means = self.figures.take()
        if self.folder is not None and (means or evaluated):
            row = {"steps": steps, "seconds": round(course.seconds, 3), **means}
            if means:
                row["steps_per_second"] = round(rate, 1)
            if evaluated and course.evaluation is not None:
                seen = course.evaluation
                row |= {"eval/return": seen.mean, "eval/error": seen.error}
                row |= {f"eval/{name}": value for name, value in seen.extra.items()}
            self.folder.log({k: v for k, v in row.items() if np.isfinite(v)})
        self.told, self.steps_told = now, steps
        if self.progress is None:
            return
        share, left = None, None
        shares = []
        if schedule.steps:
            shares.append((steps / schedule.steps, (steps - self.first) / schedule.steps))
        if schedule.seconds:
            gone = (now - self.start) / schedule.seconds
            shares.append((gone, gone))
        if shares:
            share, here = max(shares)
            left = (1.0 - share) * (now - self.start) / here if here > 0 else None
            share = min(1.0, share)
        report = Report(
            steps, course.seconds, rate, means, course.evaluation, course.best, share, left
        )
        try:
            self.progress(report)
        except KeyboardInterrupt:
            self.stop = True


def train(
    learner: Learner,
    *,
    schedule: Schedule,
    course: Course | None = None,
    folder: RunFolder | None = None,
    header: Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: Callable[[Report], None] | None = None,
) -> tuple[str, Course]:
    """Run a learner until it is to stop.

    Ctrl-C is held back until the update under way is done; then everything is saved. A
    second Ctrl-C stops at once, and the latest checkpoint stays what is kept.

    Args:
        learner: fresh, or with a loaded state.
        schedule: when to stop, evaluate and save.
        course: how it went before, for a learner that goes on.
        folder: where checkpoints and figures go, or None to keep nothing on disk.
        header: what checkpoints are to say about the run (game, solver, settings, seed).
        seed: seeds of evaluations follow from it, apart from those of training.
        progress: called about once a second and after evaluations; a KeyboardInterrupt
            that it raises stops the run.

    Returns:
        The status (`step limit`, `time limit`, `interrupted`) and the course.
    """
    run = _Run(
        learner,
        schedule,
        course=course or Course(),
        folder=folder,
        header=header or {},
        seed=seed,
        progress=progress,
    )
    every = schedule.eval_every
    with deferred_interrupts() as interrupted:
        if run.course.evaluated < 0 and every:
            run.evaluate()
        while True:
            if schedule.steps is not None and learner.steps >= schedule.steps:
                status = "step limit"
                break
            if schedule.seconds is not None and run.clock() - run.start >= schedule.seconds:
                status = "time limit"
                break
            if interrupted() or run.stop:
                status = "interrupted"
                break
            run.figures.add(learner.step())
            if every and learner.steps // every > run.course.evaluated // every:
                run.evaluate()
            now = run.clock()
            if now - run.told >= _REPORT_SECONDS:
                run.report()
            if now - run.saved >= schedule.save_seconds:
                run.save()
        if status != "interrupted" and run.course.evaluated != learner.steps:
            run.evaluate()
        run.report()
        run.save()
    return status, run.course
