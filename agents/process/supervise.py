"""The small process between arena and an external agent, which sees that nothing survives it.

Run as a script (`python -I -S supervise.py CONTROL LIMITS WORD…`) with the agent's pipes as
its standard streams, it

1. becomes the reaper of all orphans below it (Linux), so that no descendant escapes;
2. starts the agent in a session of its own, under the resource limits;
3. waits until the agent ends, or the control socket reports that arena has closed it or died;
4. kills and reaps everything below it, and only then ends itself.

On the control socket it writes one line when the agent ends by itself: `exit 3`, `signal 9`,
or `start …` with the reason why it could not be started. The agent's pipes lead straight
to arena: this process costs nothing per message.

It imports nothing but the standard library, and as little of that as it can, because it
is started for each agent. `processes` and `below` are used by arena's side too.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False  # typing itself takes longer to import than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Process", "below", "processes"]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Process:
    """One row of the system's table of processes.

    Attributes:
        pid: its number.
        parent: its parent's number.
        session: its session (the process group where the system has no /proc).
        threads: number of threads.
        dead_cpu: CPU seconds of children that it has waited for.
        cpu: CPU seconds of its own.
        memory: resident bytes.
        zombie: it has ended and waits to be reaped.
    """

    __slots__ = ("cpu", "dead_cpu", "memory", "parent", "pid", "session", "threads", "zombie")

    def __init__(
        self,
        *,
        pid: int,
        parent: int,
        session: int,
        threads: int,
        cpu: float,
        dead_cpu: float,
        memory: int,
        zombie: bool,
    ) -> None:
        self.pid = pid
        self.parent = parent
        self.session = session
        self.threads = threads
        self.cpu = cpu
        self.dead_cpu = dead_cpu
        self.memory = memory
        self.zombie = zombie


def processes() -> dict[int, Process]:
    """Return every process of the system by number."""
    if not os.path.exists("/proc/self/stat"):
        return _from_ps()
    tick = 1.0 / os.sysconf("SC_CLK_TCK")
    page = os.sysconf("SC_PAGE_SIZE")
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            handle = os.open(f"/proc/{name}/stat", os.O_RDONLY)
            try:
                text = os.read(handle, 4096)
            finally:
                os.close(handle)
        except OSError:
            continue
        # The command's name stands in parentheses and may hold anything, parentheses too.
        field = text[text.rfind(b")") + 2 :].split()
        if len(field) < 22:
            continue
        pid = int(name)
        found[pid] = Process(
            pid=pid,
            parent=int(field[1]),
            session=int(field[3]),
            threads=int(field[17]),
            cpu=(int(field[11]) + int(field[12])) * tick,
            dead_cpu=(int(field[13]) + int(field[14])) * tick,
            memory=int(field[21]) * page,
            zombie=field[0] in b"ZX",
        )
    return found


def _from_ps() -> dict[int, Process]:
    """Do the same through `ps`, where there is no /proc (macOS)."""
    import subprocess

    table = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,pgid=,rss=,stat=,time="],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    ).stdout.decode("ascii", "replace")
    found = {}
    for line in table.splitlines():
        field = line.split()
        if len(field) < 6:
            continue
        pid, parent, group, kilobytes = map(int, field[:4])
        seconds = 0.0
        for part in field[5].replace("-", ":").split(":"):
            seconds = seconds * 60.0 + float(part)
        found[pid] = Process(
            pid=pid,
            parent=parent,
            session=group,
            threads=1,
            cpu=seconds,
            dead_cpu=0.0,
            memory=kilobytes * 1024,
            zombie=field[4][0] == "Z",
        )
    return found


def below(root: int, table: dict[int, Process]) -> list[Process]:
    """Return the descendants of `root` that have not ended, parents before children."""
    children: dict[int, list[Process]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    todo = [root]
    while todo:
        for process in children.get(todo.pop(), ()):
            todo.append(process.pid)
            if not process.zombie:
                found.append(process)
    return found


def _prctl(option: int, value: int) -> None:
    """Call prctl(2) where there is one."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _limit(limits: str) -> None:
    """Apply `DATA=1000,CORE=0` to this process: hard and soft limits alike."""
    import resource

    for item in filter(None, limits.split(",")):
        name, _, text = item.partition("=")
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue  # this system has no such limit
        _, hard = resource.getrlimit(kind)
        value = int(text)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):
            if name != "DATA":  # arena's side watches memory in any case
                raise


def _start(words: list[str], limits: str, control: int, parent: int) -> None:
    """Become the agent; never returns."""
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.set_inheritable(control, False)
        _limit(limits)
        os.execvp(words[0], words)
    except OSError as error:
        _report(control, f"start {error.strerror}: {words[0]}")
    finally:
        os._exit(127)


def _kill(send: Callable[[int, int], None], target: int) -> None:
    try:
        send(target, signal.SIGKILL)
    except OSError:
        return  # it was faster


def _report(control: int, text: str) -> None:
    try:
        os.write(control, text.encode() + b"\n")
    except OSError:
        return  # nobody listens any more


def _destroy(agent: int) -> None:
    """Kill and reap everything below this process."""
    give_up = time.monotonic() + 10.0
    pause = 0.0005
    while time.monotonic() < give_up:
        # One signal to the whole group first: no fork can slip between two of its members.
        _kill(os.killpg, agent)
        for process in below(os.getpid(), processes()):
            _kill(os.kill, process.pid)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(pause)
        pause = min(pause * 2, 0.02)


def main(argv: list[str]) -> None:
    """Supervise one agent."""
    import select

    control, limits, words = int(argv[0]), argv[1], argv[2:]
    above = os.getppid()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    me = os.getpid()
    agent = os.fork()
    if agent == 0:
        _start(words, limits, control, me)
    # Only the agent holds its pipes, so that arena sees them close when it ends.
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    status = None
    while status is None and os.getppid() == above:
        ready = dict(poll.poll())
        if wake_read in ready:
            os.read(wake_read, 512)
        try:
            while True:
                pid, code = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == agent:
                    status = code
        except ChildProcessError:
            pass  # all are reaped
        if control in ready and status is None:
            break
    if status is not None:
        ended = os.WIFEXITED(status)
        number = os.WEXITSTATUS(status) if ended else os.WTERMSIG(status)
        _report(control, f"{'exit' if ended else 'signal'} {number}")
    _destroy(agent)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # skips the interpreter's tidying up: this must be quick
