"""What is played, as plain data: boards, entries, lines and segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

from arena.agent import Limits
from arena.rng import derive
from tournaments.spec import AgentSpec, GameSpec, Record

__all__ = ["Board", "Entry", "Line", "Plan", "Segment", "line_key", "pairing_seed"]


@dataclass(frozen=True)
class Board:
    """A game of the tournament.

    Attributes:
        label: what tables call it.
        digest: changes whenever results may differ: game, version, parameters, forfeits.
        forfeits: payoffs of all seats by the seat that forfeits, n rows of n.
        max_steps: an episode is cut off after so many steps, or None.
    """

    spec: GameSpec
    label: str
    key: str
    version: str
    seats: int
    teams: tuple[int, ...]
    payoff: str
    forfeits: tuple[tuple[float, ...], ...]
    max_steps: int | None
    digest: str

    def describe(self) -> dict[str, Any]:
        """Return what `digest` was made from, as JSON values."""
        return {
            "game": self.key,
            "version": self.version,
            "forfeits": [list(row) for row in self.forfeits],
            "max_steps": self.max_steps,
        }


@dataclass(frozen=True)
class Entry:
    """An agent of the tournament.

    Attributes:
        tier: where it really runs: `none` (in the worker), `rlimits` or `bubblewrap`.
        inside: whether it plays inside the worker, not in a process of its own.
        fingerprint: a digest of its code and parameters.
        digest: the same with its limits: changes whenever its results may differ.
    """

    spec: AgentSpec
    limits: Limits | None
    tier: str
    inside: bool
    fingerprint: str
    digest: str

    def describe(self) -> dict[str, Any]:
        """Return what `digest` was made from, as JSON values."""
        return {
            "ref": self.spec.ref,
            "params": dict(self.spec.params),
            "code": self.fingerprint,
            "limits": None if self.limits is None else _finite(asdict(self.limits)),
        }


@dataclass(frozen=True)
class Plan:
    """All that a worker needs to play any match of the tournament."""

    seed: int
    boards: tuple[Board, ...]
    entries: tuple[Entry, ...]
    record: Record = "sample"


@dataclass(frozen=True)
class Line:
    """Matches of one seating: what a schedule consists of.

    Attributes:
        key: 63-bit hash of seed, stage, game and agents in seat order with their digests;
            with the repetition it identifies a match.
        game: index of the board.
        seating: index of the entry in each seat.
        seed: match r of the line is played on chance seed `derive_many(seed, [r])`; all
            seat orders of the same agents share it.
        first: first repetition.
        count: number of repetitions.
        stage: round of the tournament, 0 where there is one only.
    """

    key: int
    game: int
    seating: tuple[int, ...]
    seed: int
    first: int
    count: int
    stage: int = 0


@dataclass(frozen=True)
class Segment:
    """A run of repetitions of one line, to be played by one worker.

    Attributes:
        careful: publish the seat to move at every decision, because an earlier try
            ended the worker.
    """

    key: int
    game: int
    seating: tuple[int, ...]
    seed: int
    first: int
    count: int
    careful: bool = False

    def part(self, first: int, count: int, *, careful: bool = False) -> Segment:
        """Return a run of `count` repetitions within this one."""
        return replace(self, first=first, count=count, careful=careful)


def line_key(plan: Plan, game: int, seating: Sequence[int], *, stage: int = 0) -> int:
    """Return the key of a line, a function of what is played alone."""
    agents = [f"{plan.entries[a].spec.name}:{plan.entries[a].digest}" for a in seating]
    return derive(plan.seed, "line", stage, plan.boards[game].digest, *agents) >> 1


def pairing_seed(plan: Plan, game: int, seating: Sequence[int]) -> int:
    """Return the chance seed that all seat orders of the same agents share, 63 bits."""
    names = sorted(plan.entries[a].spec.name for a in seating)
    return derive(plan.seed, "chance", plan.boards[game].key, *names) >> 1


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is infinite, which JSON cannot say."""
    return {k: v for k, v in values.items() if not isinstance(v, float) or isfinite(v)}
