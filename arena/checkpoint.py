"""Keeping what a long run has reached, while it runs."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path

from arena.errors import ArenaError, ParameterError
from arena.files import check_writable
from arena.solver import Progress, Solution, TracePoint

__all__ = ["Checkpoints"]

_SHARE = 10.0
"""A run spends at most one part in so many on writing."""


class Checkpoints:
    """A `Progress` that also writes the solution so far to a file, now and then.

    A file is replaced as a whole or not at all, so a run that is killed leaves the last one,
    and `resume=` goes on from there to where it would have got.

    Args:
        path: the file, as of `Solution.save`.
        every: seconds between two writes; longer where writing takes over a tenth of that.
        progress: is called with every point, too.

    Raises:
        ParameterError: a time that is none, or a file that cannot be written.
    """

    def __init__(
        self, path: str | Path, *, every: float = 30.0, progress: Progress | None = None
    ) -> None:
        if not (isinstance(every, int | float) and not isinstance(every, bool) and every >= 0):
            raise ParameterError("checkpoint_every", every, "seconds, zero or more")
        self._path, self._every, self._progress = Path(path), float(every), progress
        check_writable(self._path)
        self._last = time.perf_counter()
        self._cost = 0.0
        self.written = 0
        """How often the file was written."""

    def __call__(self, point: TracePoint) -> None:
        """Pass a point on."""
        if self._progress is not None:
            self._progress(point)

    def checkpoint(self, snapshot: Callable[[], Solution]) -> None:
        """Write the solution if it is time; solvers call this between pieces of work."""
        began = time.perf_counter()
        if began - self._last < max(self._every, _SHARE * self._cost):
            return
        try:
            snapshot().save(self._path)
        except ArenaError as error:
            # Hours of work are not thrown away for a full disk: the last write will tell.
            warnings.warn(f"no checkpoint: {error}", stacklevel=2)
        self._last = time.perf_counter()
        self._cost = self._last - began
        self.written += 1
