"""Progress as TensorBoard scalars: one folder a tournament under `runs/`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from arena.files import folder_name
from tournaments.runner import Progress

__all__ = ["Scalars"]


class Scalars:
    """A progress callback that writes `matches/…` and `faults/…` about once a second.

    Args:
        name: of the tournament; the folder is `root/name`.
        root: where runs are kept.
        every: seconds between two points.
    """

    def __init__(self, name: str, *, root: str | Path = "runs", every: float = 1.0) -> None:
        from tensorboardX import SummaryWriter

        self.folder = Path(root) / folder_name(name)
        self._writer = SummaryWriter(str(self.folder))
        self._every = every
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        """Write a point, unless the last one is fresh."""
        now = time.monotonic()
        if progress.done < progress.total and now - self._last < self._every:
            return
        self._last = now
        add, step = self._writer.add_scalar, progress.done
        add("matches/done", progress.done, step)
        add("matches/total", progress.total, step)
        add("matches/per_second", progress.rate, step)
        add("matches/stage", progress.stage, step)
        for agent, count in progress.faults.items():
            add(f"faults/{agent}", count, step)

    def ratings(self, ratings: Mapping[str, float], step: int) -> None:
        """Write the rating of each agent after `step` matches."""
        for agent, rating in ratings.items():
            self._writer.add_scalar(f"rating/{agent}", rating, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()

    def __enter__(self) -> Scalars:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
