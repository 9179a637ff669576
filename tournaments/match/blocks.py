"""What playing comes down to: outcomes, faults and kept moves, in blocks of repetitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.errors import FaultKind
from tournaments.plan import Board, Segment

__all__ = ["Block", "Episode", "Fault", "Outcome", "forfeit_block"]


@dataclass(frozen=True)
class Outcome:
    """How a match ended: what everything but the moves comes down to.

    Attributes:
        payoffs: what each seat was paid.
        offender: the seat that forfeited, or −1.
        fault: what for, or "".
        truncated: whether it was cut off rather than ended by the rules.
    """

    payoffs: tuple[float, ...]
    offender: int = -1
    fault: str = ""
    truncated: bool = False


@dataclass(frozen=True)
class Fault:
    """An agent's fault, with what is known about it.

    Attributes:
        forfeit: False for a failure after the match was over, which changes no result.
    """

    repetition: int
    seat: int
    kind: FaultKind
    detail: str
    log: str
    forfeit: bool = True


@dataclass(frozen=True)
class Episode:
    """The moves of one match.

    Attributes:
        steps: joint actions in order, `{seat: action}`.
    """

    repetition: int
    steps: tuple[Mapping[int, Any], ...]


@dataclass
class Block:
    """Results of consecutive repetitions of one line.

    Attributes:
        outcomes: the different outcomes that occur.
        codes: index into `outcomes` for every match.
        seconds: wall time that playing them took.
        clocks: wall seconds of every match where clocks are on, else empty.
    """

    key: int
    first: int
    outcomes: list[Outcome] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    seconds: float = 0.0
    clocks: list[float] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)

    def code(self, outcome: Outcome) -> int:
        """Return the code of an outcome, adding it if it is new."""
        try:
            return self.outcomes.index(outcome)
        except ValueError:
            self.outcomes.append(outcome)
            return len(self.outcomes) - 1


def forfeit_block(segment: Segment, board: Board, fault: Fault) -> Block:
    """Return the block of one match that was forfeited without being finished."""
    outcome = Outcome(board.forfeits[fault.seat], fault.seat, fault.kind)
    return Block(segment.key, fault.repetition, [outcome], [0], faults=[fault])
