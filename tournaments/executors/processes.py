"""A pool of worker processes of our own.

Workers are fresh interpreters (nothing is forked, the main module is not imported again),
each with a pipe for tasks and results and a few words of shared memory in which it says
which match it plays and until when the seat to move may think. The parent sees a worker
end by its pipe, and ends one whose deadline has passed.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from multiprocessing.connection import Connection, wait
from typing import IO

from arena.errors import ArenaError, FaultKind
from tournaments.executors import Done, Lost, Task
from tournaments.executors.work import quiet_libraries
from tournaments.match import LOG_TAIL, Slot
from tournaments.plan import Plan

__all__ = ["Processes"]

_QUEUED = 2  # tasks of a worker: one that it plays and one for right after
_POLL = 0.05  # seconds between two looks at the deadlines
_GRACE = 0.25  # seconds after which a deadline that has passed is enforced from outside
_GOODBYE = 3.0  # seconds that a worker has to close its agents in the end
_LARGEST_LOG = 1 << 26
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[4]);"
    "from tournaments.executors.worker import main; main()"
)


class Processes:
    """Plays tasks in `workers` processes; starts a new one for each that ends."""

    def __init__(self, plan: Plan, *, workers: int) -> None:
        self._plan = pickle.dumps(plan, pickle.HIGHEST_PROTOCOL)
        self._workers: list[_Worker] = []
        self._early_ends = 0
        try:
            for _ in range(workers):
                self._workers.append(_Worker(self._plan))
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid for worker in self._workers]

    def room(self) -> int:
        """Return how many more tasks it takes now."""
        return sum(_QUEUED - len(worker.tasks) for worker in self._workers)

    def submit(self, task: Task) -> None:
        """Give a task to the worker that has least to do."""
        worker = min(self._workers, key=lambda w: len(w.tasks))
        worker.tasks.append(task)
        # A worker that has ended is found out when its results are waited for.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            worker.pipe.send_bytes(pickle.dumps(task, pickle.HIGHEST_PROTOCOL))

    def collect(self, timeout: float) -> list[Done | Lost]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""
        until = time.monotonic() + timeout
        found: list[Done | Lost] = []
        while not found and any(worker.tasks for worker in self._workers):
            left = until - time.monotonic()
            ready = wait([w.pipe for w in self._workers], min(max(left, 0.0), _POLL))
            for index, worker in enumerate(self._workers):
                if worker.pipe in ready:
                    found += self._read(index)
                elif (late := worker.late()) is not None:
                    found += self._end(index, late)
            if left <= 0:
                break
        return found

    def close(self) -> None:
        """End all workers, and whatever they are doing."""
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers:
            worker.leave()
            worker.free()
        self._workers = []

    def _read(self, index: int) -> list[Done | Lost]:
        worker = self._workers[index]
        found: list[Done | Lost] = []
        try:
            while worker.pipe.poll():
                task_id, blocks, error = pickle.loads(worker.pipe.recv_bytes())
                task = worker.tasks.popleft()
                if task.id != task_id:
                    raise ArenaError(f"a worker answered task {task_id} instead of {task.id}")
                worker.worked = True
                found.append(Done(task, blocks, error))
        except (EOFError, ConnectionResetError):
            found += self._end(index, None)
        return found

    def _end(self, index: int, late: FaultKind | None) -> list[Done | Lost]:
        """Replace a worker that has ended, or that is late and is ended now."""
        worker = self._workers[index]
        status = worker.end()
        detail = (
            "did not answer in time and was stopped"
            if late is not None
            else f"the process ended ({_why(status)})"
        )
        found: list[Done | Lost] = []
        for task in worker.tasks:
            words = worker.words
            current = words[Slot.TASK] == task.id and words[Slot.SEGMENT] >= 0
            found.append(
                Lost(
                    task=task,
                    segment=words[Slot.SEGMENT] if current else -1,
                    repetition=words[Slot.REPETITION],
                    seat=words[Slot.SEAT],
                    hung=late if current else None,
                    detail=detail,
                    log=worker.log() if current else "",
                )
            )
        self._early_ends = 0 if worker.worked else self._early_ends + 1
        if self._early_ends > 2 * len(self._workers) + 2 and not any(
            isinstance(lost, Lost) and lost.segment >= 0 for lost in found
        ):
            raise ArenaError(f"workers end before they play anything:\n{worker.log()}")
        worker.free()
        self._workers[index] = _Worker(self._plan)
        return found


class _Worker:
    """One process with its pipe, its slot and its log."""

    def __init__(self, plan: bytes) -> None:
        self.tasks: deque[Task] = deque()
        self.worked = False
        ours, theirs = _socket_pair()
        life_read, self._life = os.pipe()
        self._log: IO[bytes] = tempfile.TemporaryFile("w+b", 0)  # noqa: SIM115 - closed by `free`
        with tempfile.TemporaryFile() as memory:
            memory.truncate(Slot.SIZE)
            self._memory = mmap.mmap(memory.fileno(), Slot.SIZE)
            self.words = memoryview(self._memory).cast("q")
            self.words[Slot.SEGMENT] = self.words[Slot.SEAT] = -1
            log = os.open(f"/dev/fd/{self._log.fileno()}", os.O_WRONLY | os.O_APPEND)
            inherited = (theirs, memory.fileno(), life_read)
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-c", _BOOT, *map(str, inherited), json.dumps(sys.path)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **quiet_libraries()},
                    pass_fds=inherited,
                    start_new_session=True,  # Ctrl-C is for the parent alone
                )
            finally:
                os.close(log)
                os.close(theirs)
                os.close(life_read)
        self.pipe = ours
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send_bytes(plan)

    def late(self) -> FaultKind | None:
        """Return the clock that has run out, if one has by more than the grace."""
        if not self.tasks:
            return None
        grace = int(_GRACE * 1e9)
        wall, cpu = self.words[Slot.WALL], self.words[Slot.CPU]
        if wall and time.monotonic_ns() > wall + grace:
            return "game time" if self.words[Slot.GAME] else "move time"
        if cpu and _cpu_ns(self.process.pid) > cpu + grace:
            return "cpu time"
        if os.fstat(self._log.fileno()).st_size > _LARGEST_LOG:
            self._log.truncate(0)
        return None

    def end(self) -> int:
        """End the process with all that it has started; return its exit status."""
        if self.process.returncode is not None:
            return self.process.returncode  # waited for: the number may be another's by now
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()

    def dismiss(self) -> None:
        """Let the process close its agents and end, or end it now if it is playing."""
        if self.tasks:
            self.end()
        else:
            self.pipe.close()

    def leave(self) -> None:
        """Wait for a process that was dismissed, for a moment; then end it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_GOODBYE)
        self.end()

    def free(self) -> None:
        """Release what the parent held for the process."""
        self.pipe.close()
        os.close(self._life)
        self._log.close()
        self.words.release()
        self._memory.close()

    def log(self) -> str:
        """Return the end of what the process wrote."""
        size = os.fstat(self._log.fileno()).st_size
        self._log.seek(max(size - LOG_TAIL, 0))
        return self._log.read().decode(errors="replace")


def _socket_pair() -> tuple[Connection, int]:
    import socket

    ours, theirs = socket.socketpair()
    return Connection(ours.detach()), theirs.detach()


def _cpu_ns(pid: int) -> int:
    """Return the CPU time that a process has used, 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    process_clock = (~pid << 3) | 2  # what clock_getcpuclockid(3) computes on Linux
    try:
        return time.clock_gettime_ns(process_clock)
    except OSError:
        return 0


def _why(status: int) -> str:
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"exit code {status}"
