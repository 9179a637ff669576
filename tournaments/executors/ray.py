"""Workers on a Ray cluster, or on this machine if there is none.

Every Ray actor looks after one worker process of `tournaments.executors.processes`, so
hanging and dying agents are dealt with where they are; Ray carries the tasks, and a task
whose actor or machine is lost is handed out again.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections import deque
from typing import Any

from arena.errors import ArenaError, MissingDependencyError
from tournaments.executors import Done, Lost, Task
from tournaments.executors.processes import Processes
from tournaments.executors.work import quiet_libraries
from tournaments.plan import Plan

__all__ = ["RayWorkers"]

_QUEUED = 2  # tasks of an actor: one that it plays and one for right after
_MOST_LOSSES = 5  # actors lost one after the other, with nothing played in between


class _Keeper:
    """The actor: a pool of one worker."""

    def __init__(self, plan: bytes) -> None:
        self._pool = Processes(pickle.loads(plan), workers=1)

    def play(self, task: Task) -> Done | Lost:
        self._pool.submit(task)
        while True:
            found = self._pool.collect(1.0)
            if found:
                return found[0]

    def close(self) -> None:
        self._pool.close()


class RayWorkers:
    """Plays tasks in `workers` Ray actors.

    Connects to the cluster of `RAY_ADDRESS`, or starts Ray on this machine for as long as
    the executor lives. The packages must be installed on every machine of a cluster.
    """

    def __init__(self, plan: Plan, *, workers: int) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingDependencyError(
                "ray", "pip install 'arena-gametheory[ray]'", purpose="the executor 'ray'"
            ) from error
        self._ray: Any = ray
        self._own = not ray.is_initialized()
        if self._own:
            local = not os.environ.get("RAY_ADDRESS")
            ray.init(
                num_cpus=workers if local else None,
                include_dashboard=False if local else None,
                log_to_driver=False,
                logging_level="ERROR",
            )
        environment = {**quiet_libraries(), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self._actor = ray.remote(_Keeper).options(num_cpus=1, runtime_env={"env_vars": environment})
        self._plan = pickle.dumps(plan, pickle.HIGHEST_PROTOCOL)
        self._actors = [self._actor.remote(self._plan) for _ in range(workers)]
        self._tasks: list[deque[tuple[Any, Task]]] = [deque() for _ in range(workers)]
        self._losses = 0

    def room(self) -> int:
        """Return how many more tasks it takes now."""
        return sum(_QUEUED - len(tasks) for tasks in self._tasks)

    def submit(self, task: Task) -> None:
        """Give a task to the actor that has least to do."""
        index = min(range(len(self._tasks)), key=lambda i: len(self._tasks[i]))
        self._tasks[index].append((self._actors[index].play.remote(task), task))

    def collect(self, timeout: float) -> list[Done | Lost]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""
        first = {tasks[0][0]: index for index, tasks in enumerate(self._tasks) if tasks}
        if not first:
            return []
        ready, _ = self._ray.wait(list(first), num_returns=1, timeout=timeout)
        found: list[Done | Lost] = []
        for reference in ready:
            index = first[reference]
            try:
                found.append(self._ray.get(reference))
                self._tasks[index].popleft()
                self._losses = 0
            except self._ray.exceptions.RayActorError as error:
                found += self._replace(index, error)
            except self._ray.exceptions.RayTaskError as error:
                raise ArenaError(f"a Ray actor failed: {error}") from error
        return found

    def close(self) -> None:
        """End all actors, and Ray if it was started here."""
        for actor in self._actors:
            self._ray.kill(actor)
        self._actors = []
        if self._own:
            self._ray.shutdown()

    def _replace(self, index: int, error: Exception) -> list[Done | Lost]:
        """Start an actor in place of one that is gone; its tasks are lost."""
        self._losses += 1
        if self._losses > _MOST_LOSSES:
            raise ArenaError(f"Ray actors end before they play anything: {error}") from error
        lost: list[Done | Lost] = [
            Lost(task, segment=-1, repetition=0, seat=-1, hung=None, detail=str(error), log="")
            for _, task in self._tasks[index]
        ]
        self._tasks[index].clear()
        self._actors[index] = self._actor.remote(self._plan)
        return lost
