"""Results as a table for other tools: CSV, JSON lines or Parquet, a row a match.

Columns: match (64-bit key), stage, repetition, game, then for each seat `agent_i` and
`payoff_i` (empty beyond a game's own seats), offender (a seat, −1 for none), fault,
truncated. Rows are in schedule order, whatever the order in which they were played.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from arena.errors import ParameterError
from arena.files import write_atomic
from tournaments.store import Store

__all__ = ["export"]


def export(db: str | Path, path: str | Path) -> int:
    """Write all matches of a result file to `path` and return their number.

    Args:
        db: the result file.
        path: ends in `.csv`, `.jsonl` (or `.json`) or `.parquet`.

    Raises:
        ParameterError: another ending.
        StoreError: the result file cannot be read.
    """
    target = Path(path)
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        raise ParameterError("path", str(target), f"a file name ending in {', '.join(_WRITERS)}")
    with Store.open(db) as store:
        columns = store.columns()
    with write_atomic(target) as file:
        write(columns, file)
    return len(columns["match"])


def _csv(columns: dict[str, list[Any]], file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    text.flush()
    text.detach()


def _json_lines(columns: dict[str, list[Any]], file: IO[bytes]) -> None:
    for row in zip(*columns.values(), strict=True):
        file.write(json.dumps(dict(zip(columns, row, strict=True))).encode() + b"\n")


def _json(columns: dict[str, list[Any]], file: IO[bytes]) -> None:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    file.write(json.dumps(rows, indent=0).encode() + b"\n")


def _parquet(columns: dict[str, list[Any]], file: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        name: pa.array(values, type=pa.uint64() if name == "match" else None)
        for name, values in columns.items()
    }
    pq.write_table(pa.table(arrays), file, compression="zstd")


_WRITERS: dict[str, Callable[[dict[str, list[Any]], IO[bytes]], None]] = {
    ".csv": _csv,
    ".json": _json,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
