"""Result files as connections: made whole or not at all, checked before use."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from arena.errors import StoreError
from tournaments.store.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION

__all__ = ["connect", "make_file", "translated"]


def make_file(target: Path, meta: Mapping[str, str]) -> None:
    """Make a new file, whole or not at all.

    Raises:
        StoreError: there is a file of that name, or none can be made.
    """
    if target.exists():
        raise StoreError(f"{target} exists already; resume it, or choose another name")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    try:
        with translated(target):
            fresh = sqlite3.connect(name, isolation_level=None)
            fresh.execute("PRAGMA journal_mode = DELETE")
            fresh.executescript(
                f"BEGIN; PRAGMA application_id = {APPLICATION_ID};"
                f"PRAGMA user_version = {SCHEMA_VERSION}; {SCHEMA}"
            )
            created = datetime.now(timezone.utc).isoformat(timespec="seconds")
            fresh.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                sorted({"created": created, **meta}.items()),
            )
            fresh.execute("COMMIT")
            fresh.close()
        os.link(name, target)  # unlike a rename, never over another's file
    except FileExistsError:
        raise StoreError(f"{target} exists already") from None
    finally:
        os.unlink(name)


def connect(path: Path, *, write: bool, durable: bool) -> sqlite3.Connection:
    """Open a file that is there.

    Raises:
        StoreError: it is not a database of arena, or damaged.
    """
    with translated(path):
        # Reading needs the file's shared memory too, so not even a reader opens it
        # read-only; `query_only` keeps it from changing anything.
        db = sqlite3.connect(path, isolation_level=None, timeout=10.0)
        try:
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise StoreError(f"{path}: this is not a result file of arena; it is left as it is")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version != SCHEMA_VERSION:
                raise StoreError(
                    f"{path} has format {version}; this arena reads format {SCHEMA_VERSION}"
                )
            if not write:
                db.execute("PRAGMA query_only = ON")
            else:
                found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    raise StoreError(f"{path} is damaged: {found}")
                db.execute("PRAGMA journal_mode = WAL")
                db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            return db
        except BaseException:
            db.close()
            raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into a `StoreError` that names the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        if "not a database" in text:
            text = "this is not a result file of arena; it is left as it is"
        raise StoreError(f"{path}: {text}") from error
