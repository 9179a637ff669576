"""Scientific claims from the literature, reproduced: one module a claim.

A claim module has `CLAIM`, a `Reproduction`; `CLAIMS` lists where they are. `run` plays
the experiment, writes its figures under `out`, and returns a `Report`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

__all__ = ["CLAIMS", "Check", "Report", "Reproduction", "Runner"]


@dataclass(frozen=True)
class Check:
    """One statement of the source, and whether it holds here.

    Attributes:
        text: the statement.
        holds: None if it could not be checked.
        detail: the figures behind it, or why it was not checked.
    """

    text: str
    holds: bool | None
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """What a reproduction found.

    Attributes:
        title: what was reproduced.
        header: names of the columns.
        rows: the table, numbers as numbers.
        checks: the statements.
        figures: everything, as JSON values.
        files: what was written.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    checks: Sequence[Check]
    figures: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[Path] = ()

    @property
    def reproduced(self) -> bool:
        """Whether every statement that could be checked holds."""
        return all(check.holds is not False for check in self.checks)

    @property
    def text(self) -> str:
        """Title, table and statements as Markdown."""
        lines = [f"# {self.title}", "", _row(self.header), _row(["---"] * len(self.header))]
        lines += [_row(row) for row in self.rows]
        lines.append("")
        for check in self.checks:
            verdict = {True: "holds", False: "does not hold", None: "not checked"}[check.holds]
            lines.append(f"- {verdict}: {check.text}" + f" ({check.detail})" * bool(check.detail))
        return "\n".join(lines) + "\n"


def _row(cells: Sequence[Any]) -> str:
    shown = [
        "–" if cell is None else f"{cell:.1f}" if isinstance(cell, float) else str(cell)
        for cell in cells
    ]
    return f"| {' | '.join(shown)} |"


class Runner(Protocol):
    """Plays a reproduction."""

    def __call__(self, *, quick: bool, out: Path) -> Report:
        """Play it; `quick` takes seconds, figures are written under `out`."""


@dataclass(frozen=True)
class Reproduction:
    """A claim: its name on the command line, one line about it, and how to run it."""

    name: str
    title: str
    run: Runner


CLAIMS: dict[str, str] = {
    "axelrod-1980": "tournaments.reproduce.axelrod:CLAIM",
    "hardness-of-independent-learning": "tournaments.reproduce.markov:HARDNESS",
    "mex-lock": "tournaments.reproduce.markov:LOCK",
    "qmix": "tournaments.reproduce.qmix:CLAIM",
    "sequoia": "tournaments.reproduce.sequoia:CLAIM",
    "update-equivalence": "tournaments.reproduce.update_equivalence:CLAIM",
    "qarl": "tournaments.reproduce.qarl:CLAIM",
    "qre-curriculum": "tournaments.reproduce.markov:QRE",
}
"""Name to the target of a `Reproduction`."""
