"""The loop around a method that advances by iterations, and checks of common settings.

A `Method` holds plain arrays. The loop lets it run in blocks that grow with the iteration
number, measures the gap after each, and stops at the wanted gap, at a number of
iterations, when the time is up, or when the method has nothing to add.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError, UnknownNameError
from arena.game import Game
from arena.interrupts import deferred_interrupts
from arena.solver import Progress, Solution, TracePoint

__all__ = [
    "Method",
    "check_limits",
    "check_resume",
    "choice",
    "flag",
    "merge_settings",
    "non_negative",
    "positive",
    "run_method",
    "whole",
]


_PIECE_SECONDS = 0.05
"""A piece of work that took less than this is followed by one of twice the size."""


class Method(Protocol):
    """A running algorithm."""

    @property
    def iteration(self) -> int:
        """How many iterations are done."""

    def advance(self, count: int) -> int:
        """Run up to `count` more iterations; return how many, 0 when it has nothing to add."""

    def answer(self) -> Any:
        """Return what it would answer with now."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything needed to go on later, as plain arrays."""

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` returned."""


def run_method(
    method: Method,
    gap_of: Callable[[Any], float],
    trace: list[TracePoint],
    *,
    progress: Progress | None = None,
    until: float | None = None,
    iterations: int | None = None,
    seconds: float | None = None,
    snapshot: Callable[[], Solution] | None = None,
    growth: float = 0.1,
) -> str:
    """Run the method in growing blocks; append to `trace` in place; return the status.

    Args:
        method: what advances.
        gap_of: from the method's answer to the gap that `until` is about.
        trace: points of an earlier run, or empty.
        progress: called after each block.
        until: stop at this gap.
        iterations: stop after so many in all.
        seconds: stop after so many seconds of wall time in this call.
        snapshot: the solution as of now, for `progress` to keep (see `Progress`).
        growth: a block is this share of the iterations before it, 1 at least.
    """
    keep = getattr(progress, "checkpoint", None) if snapshot is not None else None
    between = partial(keep, snapshot) if keep is not None else _nothing
    before = trace[-1].seconds if trace else 0.0
    start = time.perf_counter()
    pace, piece = 0.0, 1
    try:
        with deferred_interrupts() as interrupted:
            while True:
                count = max(1, int(method.iteration * growth))
                if iterations is not None:
                    count = min(count, iterations - method.iteration)
                if seconds is not None and pace > 0.0:
                    left = seconds - (time.perf_counter() - start)
                    count = min(count, max(1, int(left / pace)))
                began = time.perf_counter()
                done, piece = _advance(method, count, piece, interrupted, between)
                now = time.perf_counter()
                if done:
                    pace = (now - began) / done
                if done or not trace:
                    gap = gap_of(method.answer())
                    trace.append(TracePoint(method.iteration, before + now - start, gap))
                    if progress is not None:
                        progress(trace[-1])
                if until is not None and trace[-1].gap <= until:
                    return "converged"
                if iterations is not None and method.iteration >= iterations:
                    return "iteration limit"
                if interrupted():
                    return "interrupted"
                if not done:
                    return "converged" if until is None else "stalled above the wanted gap"
                if seconds is not None and now - start >= seconds:
                    return "time limit"
    except KeyboardInterrupt:
        return "interrupted"


def _nothing() -> None:
    """Keep nothing."""


def _advance(
    method: Method,
    count: int,
    piece: int,
    interrupted: Callable[[], bool],
    between: Callable[[], None],
) -> tuple[int, int]:
    """Run `count` iterations in pieces of about 0.1 s, so that Ctrl-C is seen between them.

    `between` is called after each.

    Returns:
        How many were run, and the size of the next piece.
    """
    done = 0
    while done < count and not interrupted():
        began = time.perf_counter()
        step = method.advance(min(piece, count - done))
        if not step:
            break
        done += step
        if step == piece and time.perf_counter() - began < _PIECE_SECONDS:
            piece *= 2
        between()
    return done, piece


def check_limits(until: Any, iterations: Any, seconds: Any) -> None:
    """Refuse limits that are no limits.

    Raises:
        ParameterError: one of them is out of range.
    """
    if until is not None:
        non_negative("until", until)
    if seconds is not None:
        positive("seconds", seconds)
    if iterations is not None:
        whole("iterations", iterations, least=1)


def check_resume(
    resume: Solution | str | Path, game: Game, solver: str, settings: Mapping[str, Any]
) -> Solution:
    """Return a solution (or the one in a file) that a solver can go on from.

    Raises:
        ParameterError: it is of another game or solver, has other settings, or no state.
    """
    if isinstance(resume, str | Path):
        resume = Solution.load(resume, game=game)
    if resume.game.key != game.key or resume.solver != solver:
        given = f"{resume.solver} on {resume.game.key}"
        raise ParameterError("resume", given, f"{solver} on {game.key}")
    for name, value in settings.items():
        before = resume.settings.get(name)
        if before != value:
            raise ParameterError(name, value, f"{before!r}, as in the solution to resume")
    if not resume.state:
        raise ParameterError("resume", "a solution without state", "one that `solve` returned")
    return resume


def merge_settings(
    solver: str, defaults: Mapping[str, Any], given: Mapping[str, Any], common: Sequence[str]
) -> dict[str, Any]:
    """Return the defaults with what was given put over them.

    Raises:
        UnknownNameError: there is no such setting.
    """
    known = [*defaults, *common]
    for name in given:
        if name not in defaults:
            hint = f"it has {', '.join(known)}"
            raise UnknownNameError(f"setting of {solver}", name, known, hint=hint)
    return {**defaults, **given}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def positive(name: str, value: Any) -> float:
    """Return a setting that must be a positive number.

    Raises:
        ParameterError: it is not.
    """
    if _is_number(value) and 0 < value < math.inf:
        return float(value)
    raise ParameterError(name, value, "a positive number")


def non_negative(name: str, value: Any) -> float:
    """Return a setting that must be zero or a positive number.

    Raises:
        ParameterError: it is not.
    """
    if _is_number(value) and 0 <= value < math.inf:
        return float(value)
    raise ParameterError(name, value, "zero or a positive number")


def whole(name: str, value: Any, *, least: int = 0, most: int | None = None) -> int:
    """Return a setting that must be a whole number of a range.

    Raises:
        ParameterError: it is not.
    """
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if integer and value >= least and (most is None or value <= most):
        return int(value)
    span = f"{least} or more" if most is None else f"{least} to {most}"
    raise ParameterError(name, value, f"a whole number, {span}")


def choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return a setting that must be one of some words.

    Raises:
        ParameterError: it is not.
    """
    if isinstance(value, str) and value in allowed:
        return value
    raise ParameterError(name, value, f"one of {', '.join(allowed)}")


def flag(name: str, value: Any) -> bool:
    """Return a setting that must be True or False.

    Raises:
        ParameterError: it is not.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ParameterError(name, value, "True or False")
