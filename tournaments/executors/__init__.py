"""Where matches are played: in this process, in processes of our own, or on a Ray cluster.

An executor takes tasks (segments and a time budget) and gives back what became of them:
`Done` with blocks of results, which may cover a part of the task only, or `Lost` when the
worker ended or hung. What to do about that is the runner's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from arena.errors import FaultKind
from arena.registry import load_target
from tournaments.match import Block
from tournaments.plan import Plan, Segment
from tournaments.spec import ExecutorSpec

__all__ = ["Done", "Executor", "Lost", "Task", "make_executor"]


@dataclass(frozen=True)
class Task:
    """Segments for one worker, in order.

    Attributes:
        id: unique within the run.
        budget: seconds after which the worker gives back what it has.
    """

    id: int
    segments: tuple[Segment, ...]
    budget: float


@dataclass(frozen=True)
class Done:
    """A task that came back: one block for each segment that was begun, in order.

    Attributes:
        error: why it stopped early, where a game failed through nobody's fault, or "".
    """

    task: Task
    blocks: list[Block]
    error: str = ""


@dataclass(frozen=True)
class Lost:
    """A task whose worker ended or was ended; nothing of it has come back.

    Attributes:
        segment: index of the segment that was being played, or −1 if none was begun.
        repetition: the match.
        seat: the seat that was to move, −1 if not known.
        hung: the clock that ran out, if the worker was ended for that.
        detail: what is known about the end.
        log: the end of what the worker wrote.
    """

    task: Task
    segment: int
    repetition: int
    seat: int
    hung: FaultKind | None
    detail: str
    log: str


class Executor(Protocol):
    """Plays tasks."""

    def room(self) -> int:
        """Return how many more tasks it takes now."""

    def submit(self, task: Task) -> None:
        """Take a task."""

    def collect(self, timeout: float) -> list[Done | Lost]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""

    def close(self) -> None:
        """End all workers, and whatever they are doing."""


_KINDS = {
    "in_process": "tournaments.executors.inprocess:InProcess",
    "processes": "tournaments.executors.processes:Processes",
    "ray": "tournaments.executors.ray:RayWorkers",
}


def make_executor(spec: ExecutorSpec, plan: Plan) -> Executor:
    """Start the workers that `spec` asks for.

    Raises:
        MissingDependencyError: Ray is asked for and not installed.
    """
    executor: Executor = load_target(_KINDS[spec.kind])(plan, workers=spec.size)
    return executor
