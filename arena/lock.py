"""One writer at a time."""

from __future__ import annotations

import os
from pathlib import Path

from arena.errors import StoreError

__all__ = ["Lock"]


class Lock:
    """Held by the one runner that writes a file; the system drops it when the runner dies."""

    def __init__(self, target: Path) -> None:
        import fcntl

        self._path = target.with_name(target.name + ".lock")
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be made: {error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(self._file, 32).decode(errors="replace").strip()
            os.close(self._file)
            raise StoreError(
                f"{target} is being written by another runner (process {owner or 'unknown'})"
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others write."""
        os.close(self._file)
