"""Episodes shared among threads: kernels let go of Python's lock, so plain threads do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

__all__ = ["Threads"]


class Threads:
    """Runs a kernel over `count` episodes, on this thread and `threads` − 1 others.

    Every episode is one thread's own, so results do not depend on their number.
    """

    def __init__(self, threads: int, count: int) -> None:
        workers = max(1, min(threads, count))
        self._bounds = [count * part // workers for part in range(workers + 1)]
        self._pool = ThreadPoolExecutor(workers - 1) if workers > 1 else None

    def run(self, kernel: Callable[..., Any], *rest: Any) -> None:
        """Call `kernel(*rest, first, last)` for each thread's episodes."""
        bounds = self._bounds
        if self._pool is None:
            kernel(*rest, 0, bounds[-1])
            return
        others = [
            self._pool.submit(kernel, *rest, first, last) for first, last in pairwise(bounds[1:])
        ]
        kernel(*rest, bounds[0], bounds[1])
        for other in others:
            other.result()
