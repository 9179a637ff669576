"""Where the misbehaving agents are, and what they have left behind."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

SINS = Path(__file__).parent.parent / "misbehaving.py"


def left_over() -> list[str]:
    """Return the processes that descend from this one, and those that carry its mark."""
    mark = f"ARENA_TEST={os.environ['ARENA_TEST']}"
    found = {process.pid: process for process in psutil.Process().children(recursive=True)}
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
            command = " ".join(process.cmdline())
            names.append(f"{process.pid} {process.status()} {command}")
        except psutil.NoSuchProcess:
            continue
    # Python starts one of its own where a test has used multiprocessing, and keeps it.
    return [name for name in names if "multiprocessing.resource_tracker" not in name]
