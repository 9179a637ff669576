"""An open result file: opening, closing and writing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.errors import StoreError
from arena.lock import Lock
from tournaments.match import Block, Outcome
from tournaments.plan import Line
from tournaments.store.opening import connect, make_file, translated
from tournaments.store.reader import Reader

__all__ = ["Store"]


class Store(Reader):
    """An open result file; see the package's text for what is in it.

    Use `Store.create` and `Store.open`.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: Lock | None) -> None:
        super().__init__(path, connection)
        self._lock = lock

    # -- opening and closing -----------------------------------------------------

    @staticmethod
    def create(path: str | Path, meta: Mapping[str, str], *, durable: bool = False) -> Store:
        """Make a new file, whole or not at all, and open it for writing.

        Raises:
            StoreError: there is a file of that name, or none can be made.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = Lock(target)
        try:
            make_file(target, meta)
            return Store._connect(target, lock, durable)
        except BaseException:
            lock.release()
            raise

    @staticmethod
    def open(path: str | Path, *, write: bool = False, durable: bool = False) -> Store:
        """Open a file that is there.

        Raises:
            StoreError: it is missing, not a database of arena, damaged, or being written.
        """
        target = Path(path)
        if not target.is_file():
            raise StoreError(f"{target}: there is no such file")
        if not write:
            return Store._connect(target, None, durable)
        lock = Lock(target)
        try:
            return Store._connect(target, lock, durable)
        except BaseException:
            lock.release()
            raise

    @staticmethod
    def _connect(path: Path, lock: Lock | None, durable: bool) -> Store:
        db = connect(path, write=lock is not None, durable=durable)
        try:
            with translated(path):
                return Store(path, db, lock)
        except BaseException:
            db.close()
            raise

    def close(self) -> None:
        """Commit and close."""
        if self._lock is not None and self._db.in_transaction:
            self.commit()
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing -----------------------------------------------------------------

    def begin(self) -> None:
        """Open a transaction, unless one is open."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make everything added so far permanent."""
        with translated(self.path):
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def set_meta(self, key: str, value: str) -> None:
        """Set one entry of `meta`."""
        self.begin()
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def add_game(self, row: Mapping[str, Any]) -> int:
        """Add a game and return its id."""
        return self._insert("game", row)

    def add_agent(self, row: Mapping[str, Any]) -> int:
        """Add an agent and return its id."""
        return self._insert("agent", row)

    def _insert(self, table: str, row: Mapping[str, Any]) -> int:
        self.begin()
        columns = ", ".join(row)
        marks = ", ".join("?" * len(row))
        cursor = self._db.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values())
        )
        return int(cursor.lastrowid or 0)

    def add_lines(self, lines: Sequence[Line], games: Sequence[int], agents: Sequence[int]) -> None:
        """Add lines; those that are there stay as they are.

        Args:
            lines: what is going to be played, in the schedule's order.
            games: database id of every board of the plan.
            agents: database id of every entry of the plan.
        """
        self.begin()
        (position,) = self._db.execute("SELECT COALESCE(MAX(position) + 1, 0) FROM line").fetchone()
        self._db.executemany(
            "INSERT OR IGNORE INTO line VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    line.key,
                    games[line.game],
                    json.dumps([agents[a] for a in line.seating]),
                    line.seed,
                    line.stage,
                    position + index,
                )
                for index, line in enumerate(lines)
            ],
        )

    def add(self, blocks: Sequence[Block]) -> None:
        """Add results; matches that are there already are ignored."""
        with translated(self.path):
            self.begin()
            rows = []
            for block in blocks:
                ids = [self._outcome_id(outcome) for outcome in block.outcomes]
                codes = block.codes
                if ids != list(range(len(ids))):
                    codes = [ids[code] for code in codes]
                clocks = json.dumps([round(c, 6) for c in block.clocks]) if block.clocks else None
                text = str(codes).replace(" ", "")
                rows.append((block.key, block.first, len(codes), text, block.seconds, clocks))
            self._db.executemany("INSERT OR IGNORE INTO block VALUES (?, ?, ?, ?, ?, ?)", rows)
            for block in blocks:
                if block.faults:
                    self._add_faults(block)
                if block.episodes:
                    self._add_episodes(block)

    def _add_faults(self, block: Block) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO fault VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (block.key, f.repetition, f.seat, f.kind, f.detail, f.log, int(f.forfeit))
                for f in block.faults
            ],
        )

    def _add_episodes(self, block: Block) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO episode VALUES (?, ?, ?)",
            [
                (block.key, e.repetition, json.dumps([dict(step) for step in e.steps]))
                for e in block.episodes
            ],
        )

    def _outcome_id(self, outcome: Outcome) -> int:
        number = self._outcomes.get(outcome)
        if number is None:
            number = self._outcomes[outcome] = len(self._outcomes)
            self._db.execute(
                "INSERT INTO outcome VALUES (?, ?, ?, ?, ?)",
                (
                    number,
                    json.dumps(list(outcome.payoffs)),
                    outcome.offender,
                    outcome.fault,
                    int(outcome.truncated),
                ),
            )
        return number
