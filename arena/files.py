"""Files that are either the old version or the new one, never half of each."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

from arena.errors import ArenaError, ParameterError

__all__ = ["cache_dir", "check_writable", "folder_name", "header_of", "open_npz", "write_atomic"]


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


@contextmanager
def open_npz(path: str | Path, what: str, expected: str) -> Iterator[Any]:
    """Open an `.npz` file of plain arrays, and refuse one that cannot be understood.

    Args:
        path: the file.
        what: what it is, for the message.
        expected: what it should be, for the message.

    Yields:
        numpy's `NpzFile`, in whose block a missing array or wrong value is refused too.

    Raises:
        ParameterError: the file is not there, or something else.
    """
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as data:
            yield data
    except ArenaError:
        raise
    except FileNotFoundError as error:
        raise ParameterError(what, str(path), "a file that is there") from error
    except (KeyError, ValueError, EOFError, OSError, AttributeError, BadZipFile) as error:
        raise ParameterError(what, str(path), expected) from error


def header_of(data: Any, *formats: str) -> dict[str, Any]:
    """Return the JSON header in the array `header` of a file opened by `open_npz`.

    Raises:
        KeyError: there is none, or its `format` is none of `formats`.
    """
    header = json.loads(str(data["header"]))
    if not isinstance(header, dict) or header.get("format") not in formats:
        raise KeyError("format")
    return header


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
