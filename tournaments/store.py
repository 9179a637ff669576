"""Results on disk: one SQLite file a tournament, written by one runner, read by anyone.

Tables (version 1; `PRAGMA application_id` is 0x4152454E, `user_version` the version):

    meta(key, value)         name, seed, spec (JSON), created (UTC), arena (version)
    game(id, label, …)       games with their parameters, version and digest
    agent(id, label, …)      agents with reference, parameters, limits and digest; `name` is
                             the spec's, `label` tells versions apart
    line(key, …)             one seating of one game: game, agents by seat (JSON), chance
                             seed, stage and position in the schedule
    outcome(id, …)           payoffs by seat (JSON), offender (−1: none), fault, truncated
    block(line, first, …)    results of `count` consecutive repetitions of a line from
                             `first`: outcome ids (JSON), seconds, seconds a match (JSON)
    fault(line, repetition, seat, …)    kind, detail, the end of the agent's log
    episode(line, repetition, steps)    moves that were kept: [{seat: action}, …] (JSON)
    matches                  a view with a row a match, for other tools

A block is written in one statement, so a match is in the file once or not at all; a
trigger ignores a block that overlaps one that is there. Commits are made by the caller:
what is committed survives the death of the process (WAL, synchronous NORMAL), and with
`durable` a power failure too (FULL).
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import StoreError
from arena.rng import derive_many
from tournaments.match import Block, Outcome
from tournaments.plan import Line, Plan
from tournaments.readout import read_out
from tournaments.records import ResultSet

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "Store", "StoredEpisode", "StoredFault"]

APPLICATION_ID = 0x4152454E
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE game (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    game_id TEXT NOT NULL, params TEXT NOT NULL, version TEXT NOT NULL,
    seats INTEGER NOT NULL, teams TEXT NOT NULL, payoff TEXT NOT NULL,
    digest TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE agent (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    digest TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE line (
    key INTEGER PRIMARY KEY, game INTEGER NOT NULL REFERENCES game(id),
    seating TEXT NOT NULL, seed INTEGER NOT NULL,
    stage INTEGER NOT NULL, position INTEGER NOT NULL);
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY, payoffs TEXT NOT NULL, offender INTEGER NOT NULL,
    fault TEXT NOT NULL, truncated INTEGER NOT NULL);
CREATE TABLE block (
    line INTEGER NOT NULL REFERENCES line(key), first INTEGER NOT NULL,
    count INTEGER NOT NULL, outcomes TEXT NOT NULL, seconds REAL NOT NULL, clocks TEXT,
    PRIMARY KEY (line, first)) WITHOUT ROWID;
CREATE TABLE fault (
    line INTEGER NOT NULL, repetition INTEGER NOT NULL, seat INTEGER NOT NULL,
    kind TEXT NOT NULL, detail TEXT NOT NULL, log TEXT NOT NULL, forfeit INTEGER NOT NULL,
    PRIMARY KEY (line, repetition, seat)) WITHOUT ROWID;
CREATE TABLE episode (
    line INTEGER NOT NULL, repetition INTEGER NOT NULL, steps TEXT NOT NULL,
    PRIMARY KEY (line, repetition)) WITHOUT ROWID;
CREATE TRIGGER block_once BEFORE INSERT ON block WHEN (
    SELECT first + count FROM block
    WHERE line = NEW.line AND first < NEW.first + NEW.count
    ORDER BY first DESC LIMIT 1) > NEW.first
BEGIN SELECT RAISE(IGNORE); END;
CREATE VIEW matches AS
SELECT line.stage, line.position, block.first + entry.key AS repetition, line.key AS line,
       game.label AS game,
       (SELECT json_group_array(agent.label) FROM json_each(line.seating) AS seat
        JOIN agent ON agent.id = seat.value) AS agents,
       outcome.payoffs, outcome.offender, outcome.fault, outcome.truncated
FROM block JOIN line ON line.key = block.line JOIN game ON game.id = line.game,
     json_each(block.outcomes) AS entry JOIN outcome ON outcome.id = entry.value;
"""


@dataclass(frozen=True)
class StoredEpisode:
    """The moves of one match, ready to be replayed.

    Attributes:
        game: index into the `games` of the result set, likewise `seating` into `agents`.
        seed: the chance seed: `game.state(seed)` and `steps` give the episode again.
        steps: joint actions in order, `{seat: action}`; of a forfeit, those before it.
    """

    game: int
    seating: tuple[int, ...]
    stage: int
    repetition: int
    seed: int
    steps: tuple[Mapping[int, Any], ...]
    outcome: Outcome


@dataclass(frozen=True)
class StoredFault:
    """A fault and where it happened."""

    game: int
    seating: tuple[int, ...]
    stage: int
    repetition: int
    seat: int
    kind: str
    detail: str
    log: str
    forfeit: bool


class Store:
    """An open result file; see the module's text for what is in it.

    Use `Store.create` and `Store.open`.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: _Lock | None) -> None:
        self.path = path
        self._db = connection
        self._lock = lock
        self._outcomes: dict[Outcome, int] = {
            outcome: number for number, outcome in self._outcome_rows().items()
        }

    # -- opening -----------------------------------------------------------------

    @staticmethod
    def create(path: str | Path, meta: Mapping[str, str], *, durable: bool = False) -> Store:
        """Make a new file, whole or not at all, and open it for writing.

        Raises:
            StoreError: there is a file of that name, or none can be made.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _Lock(target)
        try:
            if target.exists():
                raise StoreError(f"{target} exists already; resume it, or choose another name")
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            os.close(handle)
            try:
                with _translated(target):
                    fresh = sqlite3.connect(name, isolation_level=None)
                    fresh.execute("PRAGMA journal_mode = DELETE")
                    fresh.executescript(
                        f"BEGIN; PRAGMA application_id = {APPLICATION_ID};"
                        f"PRAGMA user_version = {SCHEMA_VERSION}; {_SCHEMA}"
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
        lock = _Lock(target)
        try:
            return Store._connect(target, lock, durable)
        except BaseException:
            lock.release()
            raise

    @staticmethod
    def _connect(path: Path, lock: _Lock | None, durable: bool) -> Store:
        with _translated(path):
            # Reading needs the file's shared memory too, so not even a reader opens it
            # read-only; `query_only` keeps it from changing anything.
            db = sqlite3.connect(path, isolation_level=None, timeout=10.0)
            try:
                if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                    raise StoreError(
                        f"{path}: this is not a result file of arena; it is left as it is"
                    )
                version = db.execute("PRAGMA user_version").fetchone()[0]
                if version != SCHEMA_VERSION:
                    raise StoreError(
                        f"{path} has format {version}; this arena reads format {SCHEMA_VERSION}"
                    )
                if lock is None:
                    db.execute("PRAGMA query_only = ON")
                else:
                    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
                    if found != "ok":
                        raise StoreError(f"{path} is damaged: {found}")
                    db.execute("PRAGMA journal_mode = WAL")
                    db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
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
        with _translated(self.path):
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
        with _translated(self.path):
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

    # -- reading -----------------------------------------------------------------

    def meta(self) -> dict[str, str]:
        """Return all entries of `meta`."""
        return dict(self._query("SELECT key, value FROM meta"))

    def games(self) -> list[dict[str, Any]]:
        """Return the games, by id."""
        return self._rows("game")

    def agents(self) -> list[dict[str, Any]]:
        """Return the agents, by id."""
        return self._rows("agent")

    def done(self, keys: Sequence[int] | None = None) -> dict[int, list[tuple[int, int]]]:
        """Return what is there of each line: runs `(first, count)` in increasing order."""
        wanted = None if keys is None else set(keys)
        found: dict[int, list[tuple[int, int]]] = {}
        for key, first, count in self._query("SELECT line, first, count FROM block ORDER BY 1, 2"):
            if wanted is None or key in wanted:
                found.setdefault(key, []).append((first, count))
        return found

    def ends(self) -> dict[tuple[int, tuple[int, ...]], int]:
        """Return one more than the last repetition by game and seating (database ids)."""
        rows = self._query(
            "SELECT game, seating, MAX(first + count) FROM block "
            "JOIN line ON line.key = block.line GROUP BY game, seating"
        )
        return {(game, tuple(json.loads(seating))): end for game, seating, end in rows}

    def count(self) -> int:
        """Return the number of stored matches."""
        return int(self._query("SELECT COALESCE(SUM(count), 0) FROM block")[0][0])

    def fault_counts(self) -> dict[tuple[str, str], int]:
        """Return how many forfeits each agent (label) has, by kind of fault."""
        labels = {row["id"]: row["label"] for row in self.agents()}
        found: dict[tuple[str, str], int] = {}
        for seating, seat, kind, count in self._query(
            "SELECT line.seating, seat, kind, COUNT(*) FROM fault "
            "JOIN line ON line.key = fault.line WHERE forfeit GROUP BY 1, 2, 3"
        ):
            key = (labels[json.loads(seating)[seat]], kind)
            found[key] = found.get(key, 0) + count
        return dict(sorted(found.items()))

    def results(self, *, ordered: bool = False) -> ResultSet:
        """Return the results; see `tournaments.readout.read_out`.

        Args:
            ordered: by stage, repetition and position in the schedule, rather than line by
                line.
        """
        blocks = self._query(
            "SELECT line.game, line.seating, line.seed, line.stage, line.position, first, outcomes "
            "FROM block JOIN line ON line.key = block.line ORDER BY stage, position, first"
        )
        return read_out(self.games(), self.agents(), self._outcome_rows(), blocks, ordered=ordered)

    def payoffs(self, key: int, first: int, count: int) -> Any:
        """Return the payoffs of some repetitions of a line that are all there, shape (count, n).

        Raises:
            StoreError: some of them are missing.
        """
        outcomes = {number: outcome.payoffs for outcome, number in self._outcomes.items()}
        found: dict[int, tuple[float, ...]] = {}
        for start, text in self._query(
            f"SELECT first, outcomes FROM block WHERE line = {key:d} "
            f"AND first < {first + count:d} AND first + count > {first:d}"
        ):
            for offset, number in enumerate(json.loads(text)):
                found[start + offset] = outcomes[number]
        if any(r not in found for r in range(first, first + count)):
            raise StoreError(f"{self.path}: results of line {key} are missing")
        return np.array([found[r] for r in range(first, first + count)])

    def columns(self) -> dict[str, list[Any]]:
        """Return all matches as columns in schedule order; see `tournaments.export`."""
        labels = {row["id"]: row["label"] for row in self.agents()}
        games = {row["id"]: row["label"] for row in self.games()}
        outcomes = self._outcome_rows()
        width = max((row["seats"] for row in self.games()), default=0)
        rows = []
        for key, game, seating, stage, position, first, text in self._query(
            "SELECT line.key, game, seating, stage, position, first, outcomes "
            "FROM block JOIN line ON line.key = block.line"
        ):
            numbers = json.loads(text)
            names = [labels[a] for a in json.loads(seating)]
            padding = [None] * (width - len(names))
            repetitions = range(first, first + len(numbers))
            matches = derive_many(key, repetitions).tolist()
            for match, repetition, number in zip(matches, repetitions, numbers, strict=True):
                ended = outcomes[number]
                rows.append(
                    (
                        (stage, repetition, position),
                        *(match, stage, repetition, games[game]),
                        *(*names, *padding),
                        *(*ended.payoffs, *padding),
                        *(ended.offender, ended.fault, ended.truncated),
                    )
                )
        rows.sort(key=lambda row: row[0])
        seats = range(width)
        header = [
            *("match", "stage", "repetition", "game"),
            *(f"agent_{seat}" for seat in seats),
            *(f"payoff_{seat}" for seat in seats),
            *("offender", "fault", "truncated"),
        ]
        cells: list[Any] = list(zip(*rows, strict=True))[1:] if rows else [()] * len(header)
        return {name: list(column) for name, column in zip(header, cells, strict=True)}

    def episodes(self) -> Iterator[StoredEpisode]:
        """Yield the matches whose moves were kept, in schedule order."""
        outcomes = self._outcome_rows()
        game_index = {row["id"]: i for i, row in enumerate(self.games())}
        agent_index = {row["id"]: i for i, row in enumerate(self.agents())}
        for game, seating, seed, stage, repetition, steps, text, first in self._query(
            "SELECT line.game, line.seating, line.seed, line.stage, repetition, steps, "
            "block.outcomes, block.first FROM episode JOIN line ON line.key = episode.line "
            "JOIN block ON block.line = episode.line AND block.first <= repetition "
            "AND repetition < block.first + block.count ORDER BY stage, repetition, position"
        ):
            yield StoredEpisode(
                game=game_index[game],
                seating=tuple(agent_index[a] for a in json.loads(seating)),
                stage=stage,
                repetition=repetition,
                seed=int(derive_many(seed, [repetition])[0]),
                steps=tuple({int(s): a for s, a in step.items()} for step in json.loads(steps)),
                outcome=outcomes[json.loads(text)[repetition - first]],
            )

    def faults(self) -> Iterator[StoredFault]:
        """Yield the faults, in schedule order."""
        game_index = {row["id"]: i for i, row in enumerate(self.games())}
        agent_index = {row["id"]: i for i, row in enumerate(self.agents())}
        for game, seating, stage, repetition, seat, kind, detail, log, forfeit in self._query(
            "SELECT line.game, line.seating, line.stage, repetition, seat, kind, detail, log, "
            "forfeit FROM fault JOIN line ON line.key = fault.line "
            "ORDER BY stage, repetition, position, seat"
        ):
            seats = tuple(agent_index[a] for a in json.loads(seating))
            yield StoredFault(
                game=game_index[game],
                seating=seats,
                stage=stage,
                repetition=repetition,
                seat=seat,
                kind=kind,
                detail=detail,
                log=log,
                forfeit=bool(forfeit),
            )

    def seconds(self) -> float:
        """Return the wall time that the matches took, added up over workers."""
        return float(self._query("SELECT COALESCE(SUM(seconds), 0) FROM block")[0][0])

    def _outcome_rows(self) -> dict[int, Outcome]:
        return {
            number: Outcome(tuple(json.loads(payoffs)), offender, fault, bool(truncated))
            for number, payoffs, offender, fault, truncated in self._query(
                "SELECT id, payoffs, offender, fault, truncated FROM outcome ORDER BY id"
            )
        }

    def _rows(self, table: str) -> list[dict[str, Any]]:
        with _translated(self.path):
            cursor = self._db.execute(f"SELECT * FROM {table} ORDER BY id")
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def _query(self, text: str) -> list[Any]:
        with _translated(self.path):
            return self._db.execute(text).fetchall()


def plan_rows(plan: Plan) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of `game` and `agent` that describe a plan."""
    games = [
        {
            "label": board.label,
            "name": board.label,
            "game_id": board.spec.id,
            "params": json.dumps(dict(board.spec.params), sort_keys=True),
            "version": board.version,
            "seats": board.seats,
            "teams": json.dumps(board.teams),
            "payoff": board.payoff,
            "digest": board.digest,
            "facts": json.dumps(board.describe(), sort_keys=True),
        }
        for board in plan.boards
    ]
    agents = [
        {
            "label": entry.spec.name,
            "name": entry.spec.name,
            "digest": entry.digest,
            "facts": json.dumps(entry.describe(), sort_keys=True, default=str),
        }
        for entry in plan.entries
    ]
    return games, agents


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        if "not a database" in text:
            text = "this is not a result file of arena; it is left as it is"
        raise StoreError(f"{path}: {text}") from error


class _Lock:
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
