"""Plays lines until they are all in the store: tasks out, blocks in, nothing lost.

1. What is missing of each line is cut into segments, and segments into tasks that take a
   worker about a tenth of a second. Lines take turns, so the table so far is a fair one.
2. Blocks that come back are written at once and committed every 200 ms; only what is
   committed counts as played.
3. When a worker hangs, the match it is at is forfeited by the seat to move. When it ends,
   that match is tried once more, alone and with every decision published; if the worker
   ends again, the seat to move forfeits. Everything else that it held is played again.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from types import FrameType

from arena.errors import ArenaError
from tournaments.executors import Done, Executor, Lost, Task
from tournaments.match import Block, Fault, forfeit_block
from tournaments.plan import Line, Plan, Segment
from tournaments.spec import Spec
from tournaments.store import Store

__all__ = ["Progress", "Runner", "missing"]

_TASK_SECONDS = 0.1
_COMMIT_SECONDS = 0.2
_PROGRESS_SECONDS = 0.1
_FIRST_GUESS = 1e-3  # seconds a match, until a game has been timed
_MOST_SEGMENTS = 500  # of one task


@dataclass(frozen=True)
class Progress:
    """How far a tournament is.

    Attributes:
        done: matches that are stored for good: what the death of this process cannot undo.
        total: matches that are planned, as far as is known now.
        stage: round of the tournament.
        rate: matches a second since the start of this run.
        faults: forfeits in this run, by agent.
        seconds: wall time since the start of this run.
    """

    done: int
    total: int
    stage: int
    rate: float
    faults: Mapping[str, int]
    seconds: float


class Runner:
    """Plays lines into a store.

    Args:
        spec: the tournament.
        plan: the same, made.
        store: where results go, open for writing.
        executor: who plays.
        games: database id of every board of the plan.
        agents: database id of every entry of the plan.
        progress: called about ten times a second.
        total: matches planned in all, where that is known before all lines are.

    Attributes:
        played: matches that this runner has played.
        interrupted: whether it was told to stop (Ctrl-C).
    """

    def __init__(
        self,
        spec: Spec,
        plan: Plan,
        store: Store,
        executor: Executor,
        *,
        games: Sequence[int],
        agents: Sequence[int],
        progress: Callable[[Progress], None] | None = None,
        total: int = 0,
    ) -> None:
        self.spec = spec
        self.plan = plan
        self.store = store
        self.interrupted = False
        self._executor = executor
        self._ids = (list(games), list(agents))
        self._progress = progress
        self.total = total
        self._planned = 0
        self._before = 0  # matches of the planned lines that were there
        self.played = 0
        self._safe = 0
        self._stage = 0
        self._seating: dict[int, tuple[int, ...]] = {}
        self._faults: dict[str, int] = {}
        self._deaths: dict[tuple[int, int], int] = {}
        self._speed: dict[int, float] = {}
        self._tasks = count(1)
        self._start = time.perf_counter()
        self._last_commit = self._last_progress = self._start

    def play(self, lines: Sequence[Line]) -> bool:
        """Play what is missing of `lines`; return False if it was interrupted.

        Raises:
            ArenaError: a game failed through nobody's fault; everything else is stored.
        """
        self.store.add_lines(lines, *self._ids)
        queue = deque(missing(lines, self.store.done([line.key for line in lines])))
        self._seating.update((line.key, line.seating) for line in lines)
        planned = sum(line.count for line in lines)
        self._planned += planned
        self._before += planned - sum(segment.count for segment in queue)
        self._safe = self._before + self.played
        self._stage = max((line.stage for line in lines), default=0)
        out = 0
        try:
            with self._interruptible():
                while (queue or out) and not self.interrupted:
                    while queue and self._executor.room() > 0:
                        self._executor.submit(self._task(queue))
                        out += 1
                    for ended in self._executor.collect(_COMMIT_SECONDS):
                        out -= 1
                        self._take(ended, queue)
                    self._pulse()
        finally:
            self._commit()
        self._pulse(last=True)
        return not self.interrupted

    def _task(self, queue: deque[Segment]) -> Task:
        segments: list[Segment] = []
        left = _TASK_SECONDS
        while queue and left > 0 and len(segments) < _MOST_SEGMENTS:
            segment = queue.popleft()
            if segment.careful and segments:
                queue.appendleft(segment)
                break
            each = self._speed.get(segment.game, _FIRST_GUESS)
            room = max(int(left / each), 1)
            if segment.count > room:
                queue.append(segment.part(segment.first + room, segment.count - room))
                segment = segment.part(segment.first, room, careful=segment.careful)
            segments.append(segment)
            left -= each * segment.count
            if segment.careful:
                break
        return Task(next(self._tasks), tuple(segments), 1.5 * _TASK_SECONDS)

    def _take(self, ended: Done | Lost, queue: deque[Segment]) -> None:
        if isinstance(ended, Lost):
            self._recover(ended, queue)
            return
        self._add(ended.blocks)
        for segment, block in zip(ended.task.segments, ended.blocks, strict=False):
            played = len(block.codes)
            each = block.seconds / played
            self._speed[segment.game] = 0.7 * self._speed.get(segment.game, each) + 0.3 * each
            if played < segment.count:
                queue.append(segment.part(segment.first + played, segment.count - played))
        if ended.error:
            raise ArenaError(ended.error)
        queue.extend(ended.task.segments[len(ended.blocks) :])

    def _recover(self, lost: Lost, queue: deque[Segment]) -> None:
        """Put the matches of a lost task back, all but one that is forfeited or suspect."""
        segments = list(lost.task.segments)
        if lost.segment >= 0:
            segment = segments.pop(lost.segment)
            match = lost.repetition
            before = match - segment.first
            after = segment.count - before - 1
            if before > 0:
                segments.append(segment.part(segment.first, before))
            if after > 0:
                segments.append(segment.part(match + 1, after))
            died = self._deaths[segment.key, match] = self._deaths.get((segment.key, match), 0) + 1
            if lost.hung is not None or died >= 2:
                self._forfeit(lost, segment)
            else:
                segments.append(segment.part(match, 1, careful=True))
        queue.extendleft(reversed(segments))

    def _forfeit(self, lost: Lost, segment: Segment) -> None:
        board = self.plan.boards[segment.game]
        if lost.seat < 0:
            raise ArenaError(
                f"playing {board.key} ends the worker ({lost.detail}) in repetition "
                f"{lost.repetition} of seating {segment.seating}, and no agent is to move"
                + (f":\n{lost.log}" if lost.log else "")
            )
        fault = Fault(lost.repetition, lost.seat, lost.hung or "exit", lost.detail, lost.log)
        block = forfeit_block(segment, board, fault)
        self._add([block])

    def _add(self, blocks: Sequence[Block]) -> None:
        self.store.add(blocks)
        for block in blocks:
            self.played += len(block.codes)
            for fault in block.faults:
                agent = self._seating[block.key][fault.seat]
                name = self.plan.entries[agent].spec.name
                self._faults[name] = self._faults.get(name, 0) + fault.forfeit

    def _pulse(self, *, last: bool = False) -> None:
        now = time.perf_counter()
        if now - self._last_commit >= _COMMIT_SECONDS:
            self._commit()
        if self._progress is not None and (last or now - self._last_progress > _PROGRESS_SECONDS):
            self._last_progress = now
            self._progress(self.state())

    def _commit(self) -> None:
        self.store.commit()
        self._safe = self._before + self.played
        self._last_commit = time.perf_counter()

    def state(self) -> Progress:
        """Return how far it is."""
        seconds = time.perf_counter() - self._start
        return Progress(
            done=self._safe,
            total=max(self.total, self._planned),
            stage=self._stage,
            rate=self.played / seconds if seconds > 0 else 0.0,
            faults=dict(self._faults),
            seconds=seconds,
        )

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Let the first Ctrl-C end the run in order; a second one raises as usual."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: FrameType | None) -> None:
            del number, frame
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def missing(lines: Sequence[Line], done: Mapping[int, Sequence[tuple[int, int]]]) -> list[Segment]:
    """Return what is missing of some lines.

    Args:
        lines: what is planned.
        done: runs `(first, count)` of each line that are there, increasing.
    """
    segments = []
    for line in lines:
        place, end = line.first, line.first + line.count
        runs = [*done.get(line.key, ()), (end, 0)]
        for first, size in runs:
            if place < min(first, end):
                segments.append(
                    Segment(
                        line.key, line.game, line.seating, line.seed, place, min(first, end) - place
                    )
                )
            place = max(place, first + size)
    return segments
