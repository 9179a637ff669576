"""Reading a result file: everything that can be asked of one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import StoreError
from arena.rng import derive_many
from tournaments.match import Outcome
from tournaments.readout import read_out
from tournaments.records import ResultSet
from tournaments.store.opening import translated

__all__ = ["Reader", "StoredEpisode", "StoredFault"]


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


class Reader:
    """The questions that a connection to a result file answers."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self._outcomes: dict[Outcome, int] = {
            outcome: number for number, outcome in self._outcome_rows().items()
        }

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
        with translated(self.path):
            cursor = self._db.execute(f"SELECT * FROM {table} ORDER BY id")
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def _query(self, text: str) -> list[Any]:
        with translated(self.path):
            return self._db.execute(text).fetchall()
