"""Files that are either the old version or the new one, never half of each."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from arena.errors import ParameterError

__all__ = ["cache_dir", "check_writable", "folder_name", "write_atomic"]


@contextmanager
def write_atomic(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a binary file that replaces `path` on success (write, fsync, rename)."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def check_writable(path: str | Path) -> None:
    """Refuse a file that `write_atomic` could not write, before there is work to lose.

    Raises:
        ParameterError: it is a folder, or its folder cannot be made or written to.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError("file", str(path), f"one in a folder ({error.strerror})") from error
    if target.is_dir() or not os.access(target.parent, os.W_OK):
        raise ParameterError("file", str(path), "a file that can be written")


def folder_name(name: str) -> str:
    """Return a name without what some file systems refuse: letters, digits, `.`, `_`, `-`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "tournament"


def cache_dir(*parts: str) -> Path:
    """Return (and make) a folder for data that can be computed again.

    `ARENA_CACHE` overrides the default, `$XDG_CACHE_HOME/arena` or `~/.cache/arena`.
    """
    base = os.environ.get("ARENA_CACHE")
    root = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "arena"
    folder = root.expanduser().joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
