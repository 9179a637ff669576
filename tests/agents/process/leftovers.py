"""Where the misbehaving agents are, and what they have left behind."""

from __future__ import annotations

import os
from collections.abc import Container
from pathlib import Path

import psutil

SINS = Path(__file__).parent.parent / "misbehaving.py"


def descendants() -> dict[int, psutil.Process]:
    """Return the processes that descend from this one, by number."""
    return {process.pid: process for process in psutil.Process().children(recursive=True)}


def left_over(before: Container[int] = ()) -> list[str]:
    """Return new processes that descend from this one, and those that carry its mark."""
    mark = f"ARENA_TEST={os.environ['ARENA_TEST']}"
    found = {pid: process for pid, process in descendants().items() if pid not in before}
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if process.environ().get("ARENA_TEST") == mark.partition("=")[2]:
                found[process.pid] = process
        except (psutil.Error, OSError):
            continue
    names = []
    for process in found.values():
        try:
            names.append(f"{process.pid} {process.status()} {process.cmdline()}")
        except psutil.NoSuchProcess:
            continue
    return names
