"""Matches in this process: the fastest for quick games, and the only way for live objects.

A hanging agent cannot be interrupted here; clocks are checked after each move.
"""

from __future__ import annotations

from collections import deque

from tournaments.executors import Done, Lost, Task
from tournaments.executors.work import work
from tournaments.match import Player
from tournaments.plan import Plan

__all__ = ["InProcess"]


class InProcess:
    """Plays one task at each `collect`."""

    def __init__(self, plan: Plan, *, workers: int = 1) -> None:
        del workers  # one, as the spec was checked to say
        self._player = Player(plan)
        self._waiting: deque[Task] = deque()

    def room(self) -> int:
        """Return how many more tasks it takes now."""
        return 1 - len(self._waiting)

    def submit(self, task: Task) -> None:
        """Take a task."""
        self._waiting.append(task)

    def collect(self, timeout: float) -> list[Done | Lost]:
        """Play what is waiting, however long it takes."""
        del timeout
        if not self._waiting:
            return []
        task = self._waiting.popleft()
        blocks, error = work(self._player, task)
        return [Done(task, blocks, error)]

    def close(self) -> None:
        """Close the agents."""
        self._player.close()
