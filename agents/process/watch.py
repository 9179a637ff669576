"""What an agent's processes use: how many there are, their memory, their CPU time."""

from __future__ import annotations

import sys
import time
from math import ceil

from agents.process import supervise
from arena.agent import Limits
from arena.errors import FaultKind

__all__ = ["Watch"]

_LINUX = sys.platform.startswith("linux")
Excess = tuple[FaultKind, str]


class Watch:
    """Watches everything below a supervisor.

    `look` reads the system's table of processes, which takes milliseconds; in between, the CPU
    time of the processes found is read at a microsecond each.

    Args:
        root: the supervisor's process number.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._known: list[int] = []
        self._cpu_of_dead = 0.0
        self._cpu_at_start = 0.0

    def look(self, limits: Limits) -> Excess | None:
        """Find all processes; return the limit that they are above, if any, and in words why."""
        table = supervise.processes()
        found = supervise.below(self._root, table)
        self._known = [process.pid for process in found]
        if _LINUX:
            self._cpu_of_dead = sum(process.dead_cpu for process in found)
            if self._root in table:
                self._cpu_of_dead += table[self._root].dead_cpu  # orphans
        else:
            self._cpu_of_dead = sum(process.cpu for process in found)
        if len(found) > limits.processes:
            return "processes", f"had {len(found)} processes, allowed are {limits.processes}"
        largest = max((process.memory for process in found), default=0)
        if limits.memory is not None and largest > limits.memory:
            return "memory", f"used {largest} bytes of memory, allowed are {limits.memory}"
        return None

    def start_cpu(self, limits: Limits) -> None:
        """Count CPU time from here on; call `look` before."""
        self._cpu_at_start = self._cpu()
        self._limit_cpu(limits)

    def check_cpu(self, limits: Limits) -> Excess | None:
        """Return by how much the CPU time since `start_cpu` is above its limit, if it is."""
        used = self._cpu() - self._cpu_at_start
        if used > limits.cpu:
            return "cpu time", f"used {used:.3g} s of CPU, allowed are {limits.cpu:g}"
        return None

    def _cpu(self) -> float:
        """Return the CPU seconds of all processes of the agent, past ones too."""
        total = self._cpu_of_dead
        if _LINUX:
            for pid in self._known:
                try:
                    # The CPU clock of another process, as clock_getcpuclockid(3) makes it.
                    total += time.clock_gettime((~pid << 3) | 2)
                except OSError:
                    continue  # it has ended; the next look finds its time with its parent
        return total

    def _limit_cpu(self, limits: Limits) -> None:
        """Set the system's own CPU limit a little above, should arena be held up itself."""
        if not _LINUX:
            return
        import resource

        for pid in self._known:
            try:
                used = time.clock_gettime((~pid << 3) | 2)
                _, hard = resource.prlimit(pid, resource.RLIMIT_CPU)
                soft = ceil(used + limits.cpu + 1.0)
                resource.prlimit(pid, resource.RLIMIT_CPU, (soft, hard))
            except (OSError, ValueError):
                continue  # it has ended, or has a lower hard limit anyway
