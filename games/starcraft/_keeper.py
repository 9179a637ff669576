"""Runs a program and ends it when whoever started this ends, however that happens.

`python _keeper.py PROGRAM ARGUMENT…` with a pipe as standard input, whose other end the
starter holds: when that closes (also because the starter was killed) the program is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

__all__ = ["main"]


def main(command: list[str]) -> int:
    """Run `command` to its end and return its exit status."""
    child: subprocess.Popen[bytes] | None = None

    def end(number: int, frame: FrameType | None) -> None:
        if child is not None:
            child.kill()
        os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def watch() -> None:
        while os.read(0, 1024):
            pass
        child.kill()

    threading.Thread(target=watch, daemon=True).start()
    status = child.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
