"""One child process: start it, ask it, watch it, and leave nothing of it behind.

A question is one line on the child's standard input, the answer one line on its standard
output. While arena waits it empties the child's standard error into a bounded log, so a
full pipe never blocks either side, and watches both clocks, the memory in use and the
number of processes. Whatever goes wrong, the child and all its descendants are killed
and reaped before the error is raised.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import ceil, isfinite

from agents.process import supervise
from agents.process.watch import Watch
from arena.agent import Limits
from arena.errors import AgentError, AgentFaultError, FaultKind

__all__ = ["Child"]

_LOG_KEPT = 64 << 10
_ANSWER_MAX = 4 << 20
_FIRST_LOOK = 0.01
_LAST_LOOK = 0.1
_SIGNALS = {int(number): number.name for number in signal.Signals}
_SIGNS_OF_MEMORY = (
    b"MemoryError",
    b"bad_alloc",
    b"out of memory",
    b"Cannot allocate memory",
    b"OOM",
)


class Child:
    """A running process that answers line by line.

    Attributes:
        moves: wall-clock seconds that the child has taken for answers since `new_game`.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        limits: Limits,
        rlimits: str,
        env: Mapping[str, str],
        cwd: str,
    ) -> None:
        self.limits = limits
        self.moves = 0.0
        self._owner = os.getpid()
        self._tail = bytearray()
        self._written = 0
        self._buffer = b""
        self._unseen = 0.0
        here, there = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", supervise.__file__),
                    *(str(there.fileno()), rlimits, *words),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=[there.fileno()],
                env=dict(env),
                cwd=cwd,
                bufsize=0,
            )
        except OSError as error:
            here.close()
            raise AgentError(f"cannot start {words[0]}: {error}") from error
        finally:
            there.close()
        self._control = here
        self._watch = Watch(self._process.pid)
        process = self._process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AgentError("the child has no pipes")  # cannot happen: PIPE is given above
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        self._err = process.stderr.fileno()
        for stream in (self._in, self._out, self._err):
            os.set_blocking(stream, False)
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._poll.register(self._err, select.POLLIN)
        # The control socket closes when the supervisor ends, also if a stray process still
        # holds the agent's pipes.
        self._poll.register(self._control, select.POLLIN)
        self._signal = here.fileno()
        self._answered = [(self._out, select.POLLIN)]
        self._count_cpu = isfinite(limits.cpu)
        self._end = weakref.finalize(self, _end, process, here, self._owner)

    # -- state -------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether it can be asked: alive, and started by this very process (not before a fork)."""
        return self._end.alive and self._owner == os.getpid() and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The supervisor's process number; the agent is below it."""
        return self._process.pid

    @property
    def log(self) -> str:
        """The end of what the child wrote to standard error since `new_game`."""
        return self._tail.decode("utf-8", "replace")

    def new_game(self) -> None:
        """Start clocks and log afresh."""
        self.moves = 0.0
        self._written = 0
        self._tail.clear()

    def start_clocks(self) -> None:
        """Count CPU time from here on."""
        self._unseen = 0.0
        if self._count_cpu:
            self._look("begin")
            self._watch.start_cpu(self.limits)

    # -- asking --------------------------------------------------------------------

    def ask(self, line: bytes, seconds: float, kind: FaultKind, during: str) -> bytes:
        """Send a request for a move and return the answer, newline included.

        Args:
            line: the request.
            seconds: wall-clock time for the answer.
            kind: what the child is at fault for if it takes longer.
            during: what it was asked, for messages.

        Raises:
            AgentFaultError: it did not answer as it should.
        """
        start = time.perf_counter()
        self.send(line, seconds=seconds, during=during)
        # Nearly every answer is one small line on one pipe: these few lines are all it costs.
        if self._poll.poll(ceil(min(seconds, _FIRST_LOOK) * 1000.0)) == self._answered:
            chunk = os.read(self._out, 65536)
            if chunk.find(b"\n") == len(chunk) - 1 and chunk and not self._count_cpu:
                self.moves += time.perf_counter() - start
                return chunk
            self._take(chunk, during)
        answer = self.receive(seconds, kind, during, start=start)
        taken = time.perf_counter() - start
        self.moves += taken
        if self._count_cpu:
            self._unseen += taken
            if self._unseen > 0.05:
                self._unseen = 0.0
                self._look(during)
            self._check_cpu(during)
        return answer

    def send(self, line: bytes, *, seconds: float, during: str) -> None:
        """Write a line without waiting for an answer.

        Raises:
            AgentFaultError: the child has gone, or does not read.
        """
        if self._buffer:
            raise self.fail("protocol", f"said more than it was asked, before {during}")
        try:
            written = os.write(self._in, line)
        except BlockingIOError:
            written = 0
        except OSError:
            return  # it has gone; what it said before, or that it said nothing, is read next
        if written < len(line):
            self._send_rest(line[written:], seconds, during)

    def _send_rest(self, rest: bytes, seconds: float, during: str) -> None:
        """Write what did not fit into the pipe, emptying the child's pipes meanwhile."""
        self._poll.register(self._in, select.POLLOUT)
        give_up = time.perf_counter() + seconds
        while rest:
            left = give_up - time.perf_counter()
            if left <= 0:
                raise self.fail("move time", f"did not read {during} in {seconds:.3g} s")
            for stream, _ in self._poll.poll(ceil(min(left, 1.0) * 1000)):
                if stream != self._in:
                    self._empty(stream, during)
                    continue
                try:
                    rest = rest[os.write(self._in, rest) :]
                except BlockingIOError:
                    continue
                except OSError:
                    rest = b""
                    break
        self._poll.unregister(self._in)

    def receive(
        self, seconds: float, kind: FaultKind, during: str, *, start: float | None = None
    ) -> bytes:
        """Return the next line of the child, newline included.

        Args:
            seconds: wall-clock time that it may take, from `start`.
            kind: what it is at fault for if it takes longer.
            during: what it was asked, for messages.
            start: since when the clock runs for a move; None if this is no move.

        Raises:
            AgentFaultError: it did not answer as it should.
        """
        now = time.perf_counter()
        end = (now if start is None else start) + seconds
        pause = _FIRST_LOOK
        look_at = now + pause
        while b"\n" not in self._buffer:
            events = self._poll.poll(ceil(max(0.0, min(end, look_at) - now) * 1000.0))
            for stream, _ in sorted(events, key=self._order):
                if b"\n" not in self._buffer or stream == self._err:
                    self._empty(stream, during)
            now = time.perf_counter()
            if b"\n" in self._buffer:
                break
            if now >= end:
                raise self.fail(kind, f"{during} took longer than {seconds:.3g} s")
            if now >= look_at:
                self._look(during)
                if start is not None and self._count_cpu:
                    self._check_cpu(during)
                cost = time.perf_counter() - now
                now += cost
                pause = max(min(pause * 2, _LAST_LOOK), 20 * cost)
                look_at = now + pause
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"

    def _order(self, event: tuple[int, int]) -> int:
        """Put an answer before the news that its author has ended since."""
        return (self._err, self._out).index(event[0]) if event[0] != self._signal else 2

    def _empty(self, stream: int, during: str) -> None:
        """Read what lies in one of the child's pipes."""
        if stream == self._err:
            self._log(during)
            return
        try:
            chunk = os.read(self._out, 65536)
        except BlockingIOError:
            if stream == self._out:
                return
            chunk = b""  # the supervisor has ended, and no last words are in the pipe
        self._take(chunk, during)

    def _take(self, chunk: bytes, during: str) -> None:
        if not chunk:
            raise self._death(during)
        self._buffer += chunk
        if len(self._buffer) > _ANSWER_MAX:
            raise self.fail("output", f"wrote more than {_ANSWER_MAX} bytes as one answer")

    def _log(self, during: str) -> None:
        try:
            chunk = os.read(self._err, 65536)
        except OSError:
            return
        if not chunk:
            self._poll.unregister(self._err)  # it closed its standard error, which is its right
            return
        self._keep(chunk)
        if self._written > self.limits.output:
            raise self.fail(
                "output", f"wrote more than {self.limits.output} bytes of log by {during}"
            )

    def _keep(self, chunk: bytes) -> None:
        self._written += len(chunk)
        self._tail += chunk
        if len(self._tail) > _LOG_KEPT:
            del self._tail[:-_LOG_KEPT]

    # -- watching ------------------------------------------------------------------

    def _look(self, during: str) -> None:
        self._unless(self._watch.look(self.limits), during)

    def _check_cpu(self, during: str) -> None:
        self._unless(self._watch.check_cpu(self.limits), during)

    def _unless(self, excess: tuple[FaultKind, str] | None, during: str) -> None:
        if excess is not None:
            raise self.fail(excess[0], f"{excess[1]}, in {during}")

    # -- ending --------------------------------------------------------------------

    def fail(self, kind: FaultKind, detail: str) -> AgentFaultError:
        """Kill the child and return the fault to raise."""
        self.kill()
        return AgentFaultError(kind, detail, log=self.log)

    def _death(self, during: str) -> AgentError:
        """Return the error for a child that ended (or closed its pipe) by itself."""
        said = self.kill(listen=True)
        log = self.log
        word, _, rest = said.partition(" ")
        if word == "start":
            return AgentError(f"cannot start the agent: {rest}")
        number = int(rest) if word in ("exit", "signal") else 0
        if word == "exit" and number > 128:
            number -= 128  # as shells and bubblewrap pass a signal on
            word = "signal" if number in _SIGNALS else "exit"
        if word == "signal":
            name = _SIGNALS.get(number, f"signal {number}")
            if name == "SIGXCPU":
                return AgentFaultError("cpu time", f"was stopped by {name} in {during}", log=log)
            detail = f"was killed by {name} in {during}"
        elif word == "exit":
            detail = f"exited with status {rest} in {during}"
        else:
            detail = f"closed its output in {during}"
        if self.limits.memory is not None and any(s in self._tail for s in _SIGNS_OF_MEMORY):
            return AgentFaultError("memory", detail, log=log)
        return AgentFaultError("exit", detail, log=log)

    def kill(self, *, listen: bool = False) -> str:
        """Kill and reap everything.

        Args:
            listen: wait a moment for what the supervisor says of an agent that is ending:
                its pipes close a little before it can be waited for.

        Returns:
            What it said, or "".
        """
        if not self._end.alive:
            return ""
        said = ""
        if self._owner == os.getpid():
            if listen:
                self._control.settimeout(0.25)
                with suppress(OSError):  # it lives, and has only closed its output
                    said = self._control.recv(4096).decode("utf-8", "replace").partition("\n")[0]
            self._rest_of_log()
        self._end()
        return said

    def _rest_of_log(self) -> None:
        """Keep the end of the log: at most as much as a pipe holds, and without waiting."""
        for _ in range(32):
            try:
                chunk = os.read(self._err, 65536)
            except OSError:
                return
            if not chunk:
                return
            self._keep(chunk)

    def close(self, goodbye: bytes = b"") -> None:
        """Say goodbye, give the child a moment to end by itself, then end it."""
        if self.usable and goodbye:
            with suppress(OSError):  # it does not end by itself
                os.write(self._in, goodbye)
                self._control.settimeout(0.5)
                self._control.recv(4096)
        if self._end.alive:
            self._end()


def _end(process: subprocess.Popen[bytes], control: socket.socket, owner: int) -> None:
    """Close everything and wait until the supervisor has killed and reaped all below it."""
    control.close()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    if owner != os.getpid():
        process.returncode = 0  # a copy made by fork: the child belongs to the other process
        return
    try:
        process.wait(timeout=15.0)
        return
    except subprocess.TimeoutExpired:
        pass  # the agent has stopped or starved its supervisor: do its work from here
    for _ in range(100):
        family = supervise.below(process.pid, supervise.processes())
        for member in reversed(family):
            try:
                os.kill(member.pid, signal.SIGKILL)
            except OSError:
                continue  # it was faster
        if not family:
            break
    process.kill()
    process.wait()
