"""What the commands that solve share: following a solver, and showing what it certified."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from arena.cli.output import print_table
from arena.errors import ArenaError
from arena.game import Game
from arena.registry import load_target
from arena.solver import Certificate, TracePoint

__all__ = [
    "busy",
    "certificate_json",
    "check_npz",
    "compiled",
    "figure",
    "run_folder",
    "settings_without",
    "show_certificate",
    "trace_json",
    "watching",
]


def run_folder(command: str, *words: str) -> Path:
    """Return the folder of a run's scalars, such as `runs/solve-leduc_poker-cfr+`."""
    slug = re.sub(r"[^A-Za-z0-9._+-]+", "-", "-".join((command, *words))).strip("-.")
    return Path("runs") / slug


def figure(value: float) -> str:
    """Return a number with four digits that matter."""
    return f"{value:.4g}"


@contextmanager
def watching(
    name: str,
    *,
    gap: str,
    until: float | None = None,
    iterations: int | None = None,
    seconds: float | None = None,
    folder: Path | None = None,
    quiet: bool = False,
) -> Iterator[Callable[[TracePoint], None]]:
    """Give a function to call with every point that a solver reaches.

    Args:
        name: what is being done, for the bar.
        gap: the name of the gap, for the bar and the curve.
        until: the gap that is wanted.
        iterations: the number that is wanted.
        seconds: the time that is given.
        folder: where TensorBoard scalars go, or None for none.
        quiet: draw no bar.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("iteration {task.fields[iteration]:,}"),
        TextColumn(gap.replace("_", " ") + " [bold]{task.fields[gap]}[/bold]"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    writer = None
    if folder is not None:
        from tensorboardX import SummaryWriter

        writer = SummaryWriter(str(folder))
    first: float | None = None
    began = time.perf_counter()
    try:
        with bar:
            task = bar.add_task(name, total=None, iteration=0, gap="…")

            def follow(point: TracePoint) -> None:
                nonlocal first
                if first is None and point.gap > 0:
                    first = point.gap
                share = _share(point, first, until, iterations)
                if seconds:
                    share = max(share or 0.0, min(1.0, (time.perf_counter() - began) / seconds))
                bar.update(
                    task,
                    total=None if share is None else 1.0,
                    completed=share or 0.0,
                    iteration=point.iteration,
                    gap=figure(point.gap),
                )
                if writer is not None and math.isfinite(point.gap):
                    writer.add_scalar(f"gap/{gap}", point.gap, point.iteration)
                    writer.add_scalar("seconds", point.seconds, point.iteration)

            yield follow
    finally:
        if writer is not None:
            writer.close()


def _share(
    point: TracePoint, first: float | None, until: float | None, iterations: int | None
) -> float | None:
    """Return how much of the way is done, in [0, 1]; gaps shrink by factors, so in logarithms."""
    shares = []
    if iterations:
        shares.append(point.iteration / iterations)
    if until and first is not None and first > until and point.gap > 0:
        shares.append(math.log(first / point.gap) / math.log(first / until))
    return min(1.0, max(0.0, *shares)) if shares else None


def compiled(game: Game, solver: str, *, seconds: float | None = None, quiet: bool) -> None:
    """Compile the tree of a game, with its progress, if the solver is going to need it.

    What is wrong with the game is left to the solver to say. Where solving is given so many
    seconds, compiling is given up after ten times as many, 30 at least.
    """
    chosen = load_target("solvers.dispatch:resolved")(solver, game)
    if not hasattr(chosen, "misfit") or chosen.obstacle(game) is not None:
        return
    with busy(f"compiling {game.key}", quiet=quiet) as say:

        def follow(nodes: int) -> None:
            say(f"compiling {game.key}: {nodes:,} nodes")

        limit = math.inf if seconds is None else max(30.0, 10.0 * seconds)
        budget = load_target("games.tree:Budget")(seconds=limit)
        load_target("games.tree:tree_of")(game, budget=budget, progress=follow)


@contextmanager
def busy(what: str, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is being done; give a function that changes the words."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda text: None
        return
    with console.status(what) as status:
        yield status.update


def certificate_json(certificate: Certificate) -> dict[str, Any]:
    """Return a certificate as JSON values."""
    return {
        name: {"value": gap.value, "kind": gap.kind, "interval": gap.interval}
        for name, gap in certificate.items()
    }


def trace_json(trace: Sequence[TracePoint]) -> list[dict[str, Any]]:
    """Return a trace as JSON values."""
    return [vars(point) for point in trace]


def show_certificate(certificate: Certificate, *, title: str) -> None:
    """Print named gaps, with intervals where there are some."""
    intervals = any(gap.interval is not None for gap in certificate.values())
    rows = []
    for name, gap in certificate.items():
        row = [name.replace("_", " "), _digits(gap.value), gap.kind]
        if intervals:
            row.append(
                "" if gap.interval is None else f"{gap.interval[0]:.4f} … {gap.interval[1]:.4f}"
            )
        rows.append(row)
    header = ["quantity", "value", "kind", *(["95% interval"] if intervals else [])]
    typer.secho(title, bold=True)
    print_table(header, rows, right=["value"])


def _digits(value: float) -> str:
    return f"{value:.3e}" if value and abs(value) < 1e-3 else f"{value:.6f}"


def check_npz(option: str, path: Path | None) -> None:
    """Refuse a file name under which an agent could not be found again.

    Raises:
        ArenaError: it does not end in .npz.
    """
    if path is not None and path.suffix != ".npz":
        raise ArenaError(f"{option} {path}: the name of a solution file ends in .npz")


def settings_without(settings: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return settings less those of the given names."""
    return {name: value for name, value in settings.items() if name not in names}
