"""What every benchmark shares: alternate two sides, compare medians, print one last line.

Each script defines one claim: a callable for arena's side, one for the peer's, both doing
the same work. They alternate A B A B … after a warm-up; the figure is the median of the
per-round ratios, with its spread.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Claim", "Measured", "alternate", "machine", "parse", "report"]


@dataclass(frozen=True)
class Measured:
    """Seconds a round of each side, and their ratio peer/ours round by round."""

    ours: Sequence[float]
    peer: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """Peer's time over ours, round by round."""
        return [p / o for o, p in zip(self.ours, self.peer, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of `ratios`."""
        return statistics.median(self.ratios)


@dataclass(frozen=True)
class Claim:
    """One line of the verdict.

    Attributes:
        name: the claim, in kebab-case.
        value: what was measured, or None when it was skipped.
        bar: what it should reach.
        higher_is_better: whether the value must be at least (or at most) the bar.
        note: why it was skipped, or what the figure is.
    """

    name: str
    value: float | None
    bar: float
    higher_is_better: bool = True
    note: str = ""

    @property
    def verdict(self) -> str:
        """`pass`, `short` or `skipped`."""
        if self.value is None:
            return "skipped"
        reached = self.value >= self.bar if self.higher_is_better else self.value <= self.bar
        return "pass" if reached else "short"


def alternate(
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    rounds: int = 5,
    warm_up: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> Measured:
    """Run the two sides in turn and return the seconds of each round (CPU time by default)."""
    for _ in range(warm_up):
        ours()
        peer()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, work in zip(times, (ours, peer), strict=True):
            start = clock()
            work()
            side.append(clock() - start)
    return Measured(*times)


def parse(doc: str | None, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options that all benchmarks share: `--quick` and `--json FILE`."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller work, seconds not minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args(argv)


def machine() -> str:
    """Describe the machine's class in a few words."""
    import os

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.machine()}, {cores} cores, Python {platform.python_version()}"


def report(
    claims: Sequence[Claim],
    *,
    table: Sequence[Sequence[object]] = (),
    header: Sequence[str] = (),
    path: Path | None = None,
) -> None:
    """Print the table and one `RATIO` line a claim (the last line is the last claim's)."""
    print(machine())
    if header:
        rows = [list(map(str, header)), *[[_cell(c) for c in row] for row in table]]
        widths = [max(len(row[k]) for row in rows) for k in range(len(header))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    for claim in claims:
        if claim.note:
            print(f"{claim.name}: {claim.note}")
    for claim in claims:
        value = "-" if claim.value is None else f"{claim.value:.4g}"
        print(f"RATIO {claim.name} {value} bar {claim.bar:g} {claim.verdict}")
    if path is not None:
        figures = [{**asdict(claim), "verdict": claim.verdict} for claim in claims]
        path.write_text(
            json.dumps({"machine": machine(), "claims": figures}, indent=1) + "\n", encoding="utf-8"
        )


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
