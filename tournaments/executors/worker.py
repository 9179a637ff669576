"""The main program of a worker process.

Started by `tournaments.executors.processes` as `python -c … FD SLOT LIFE`: the file
descriptors of the pipe for tasks, of the memory of its slot, and of a pipe that closes
when the parent ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import mmap
import os
import pickle
import signal
import sys
import threading
from multiprocessing.connection import Connection

from arena.errors import ArenaError
from tournaments.executors import Task
from tournaments.executors.work import work
from tournaments.match import Player, Slot

__all__ = ["main"]


def main() -> None:
    """Play tasks until the pipe closes."""
    pipe, slot_file, life = map(int, sys.argv[1:4])
    for inherited in (pipe, slot_file, life):
        os.set_inheritable(inherited, False)  # not for the children of agents
    _end_with_parent(life)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    faulthandler.enable()
    connection: Connection = Connection(pipe)
    slot = Slot(mmap.mmap(slot_file, Slot.SIZE))
    slot.words[Slot.SEGMENT] = slot.words[Slot.SEAT] = -1
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        # Both ends of the pipe are arena's own, so unpickling is safe.
        player = Player(pickle.loads(connection.recv_bytes()), slot)
        try:
            while True:
                task: Task = pickle.loads(connection.recv_bytes())
                try:
                    answer = work(player, task, slot)
                except ArenaError as error:
                    answer = ([], str(error))
                connection.send_bytes(pickle.dumps((task.id, *answer), pickle.HIGHEST_PROTOCOL))
        finally:
            player.close()


def _end_with_parent(life: int) -> None:
    """End this process when its parent does, also while an agent hangs."""
    if sys.platform == "linux":
        import ctypes

        parent_death_signal = 1
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)

    def watch() -> None:
        os.read(life, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
