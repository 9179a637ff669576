"""Cooperative value learning: independent, summed and monotone values, plain and weighted."""

from __future__ import annotations

from functools import partial

from solvers.qmix.field import unfit
from solvers.qmix.learner import DEFAULTS, WEIGHTED, ValueLearner
from solvers.training import LearnerSolver, Schedule

__all__ = ["ValueLearner", "iql", "qmix", "vdn", "wqmix"]


def _learner(mixer: str) -> LearnerSolver:
    return LearnerSolver(
        name=mixer,
        start=partial(ValueLearner, mixer=mixer),
        defaults=WEIGHTED if mixer == "wqmix" else DEFAULTS,
        unfit=unfit,
        steps=500_000,
        schedule=Schedule(eval_every=50_000, eval_episodes=200),
    )


def iql() -> LearnerSolver:
    """Return the solver `iql`: every agent learns by itself."""
    return _learner("iql")


def vdn() -> LearnerSolver:
    """Return the solver `vdn`: the team's value is the sum of the agents'."""
    return _learner("vdn")


def qmix() -> LearnerSolver:
    """Return the solver `qmix`: the team's value grows with each of the agents'."""
    return _learner("qmix")


def wqmix() -> LearnerSolver:
    """Return the solver `wqmix`: QMIX that looks for the best more than for the truth."""
    return _learner("wqmix")
