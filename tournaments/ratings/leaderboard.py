"""The record that every rating method returns, and its export to CSV, JSON and Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import MissingDependencyError, ParameterError
from arena.files import write_atomic

__all__ = ["Leaderboard", "Standing"]


@dataclass(frozen=True)
class Standing:
    """One agent's line.

    Attributes:
        agent: its label.
        rating: on the leaderboard's scale.
        low: lower end of the rating's interval, NaN where the method has none.
        high: upper end.
        rank: shared rank: an agent that cannot be separated from the leader of the
            group above it shares that group's rank (1, 1, 3, …).
        rank_low: best rank that the data allow.
        rank_high: worst rank that the data allow.
        games: seats played in matches (a match against itself counts twice); in games of
            opposed teams the seats that the agent has in one team are one game.
        wins: matches in which its team alone was paid most.
        draws: matches in which its team shared the highest payoff.
        losses: the other matches.
        forfeits: matches that it forfeited.
        mean_payoff: mean payoff a match.
    """

    agent: str
    rating: float
    low: float
    high: float
    rank: int
    rank_low: int
    rank_high: int
    games: int
    wins: int
    draws: int
    losses: int
    forfeits: int
    mean_payoff: float


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """Agents from best to worst.

    Attributes:
        method: name of the method, a key of `tournaments.ratings.METHODS`.
        scale: what a rating means, in words.
        level: level of the intervals (0.95) and of the joint statement on ranks; NaN where
            the method has neither.
        rows: one line an agent, best first.
        warnings: what the data cannot support, in plain words.
        details: further figures by name (fitted seat advantage, share of draws, …).
        superiority: probability that the row agent is truly better than the column
            agent, shape (K, K) in the order of `rows`; 0.5 where the data do not say.
        by_game: one leaderboard a game where several games were played.
    """

    method: str
    scale: str
    level: float
    rows: tuple[Standing, ...]
    warnings: tuple[str, ...] = ()
    details: Mapping[str, float] = field(default_factory=dict)
    superiority: NDArray[np.float64] | None = None
    by_game: Mapping[str, Leaderboard] = field(default_factory=dict)

    def __getitem__(self, agent: str) -> Standing:
        """Return the line of one agent."""
        for row in self.rows:
            if row.agent == agent:
                return row
        raise ParameterError("agent", agent, f"one of {', '.join(self.agents)}")

    @property
    def agents(self) -> list[str]:
        """Agent labels from best to worst."""
        return [row.agent for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values (NaN and infinities as null)."""
        return {
            "format": "arena-leaderboard",
            "version": 1,
            "method": self.method,
            "scale": self.scale,
            "level": _plain(self.level),
            "rows": [{k: _plain(v) for k, v in asdict(row).items()} for row in self.rows],
            "warnings": list(self.warnings),
            "details": {k: _plain(v) for k, v in self.details.items()},
            "superiority": None
            if self.superiority is None
            else [[_plain(v) for v in line] for line in self.superiority.tolist()],
            "by_game": {game: board.to_dict() for game, board in self.by_game.items()},
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    def to_csv(self) -> str:
        """Return the rows as CSV text with a header; missing figures are empty cells."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        names = [f.name for f in fields(Standing)]
        writer.writerow(names)
        for row in self.rows:
            cells = (_plain(getattr(row, name)) for name in names)
            writer.writerow(["" if cell is None else cell for cell in cells])
        return out.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write to `path` in the format of its suffix (.csv, .json or .parquet), atomically.

        Raises:
            ParameterError: another suffix.
            MissingDependencyError: Parquet without pyarrow.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix == ".csv":
            data = self.to_csv().encode()
        elif suffix == ".json":
            data = self.to_json().encode()
        elif suffix == ".parquet":
            data = self._parquet()
        else:
            raise ParameterError("path", str(path), "a name that ends in .csv, .json or .parquet")
        with write_atomic(target) as file:
            file.write(data)
        return target

    def _parquet(self) -> bytes:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise MissingDependencyError(
                "pyarrow", "pip install pyarrow", purpose="Parquet"
            ) from None
        columns = {f.name: [getattr(row, f.name) for row in self.rows] for f in fields(Standing)}
        about = {
            "arena.method": self.method,
            "arena.scale": self.scale,
            "arena.level": str(self.level),
            "arena.warnings": json.dumps(list(self.warnings)),
        }
        sink = io.BytesIO()
        pq.write_table(pa.table(columns).replace_schema_metadata(about), sink)
        return sink.getvalue()


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def order(rating: NDArray[np.float64], agents: Sequence[str]) -> list[int]:
    """Return agent indices from best to worst; equal ratings stand in order of label."""
    return sorted(range(len(agents)), key=lambda k: (-rating[k], agents[k]))
