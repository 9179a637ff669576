"""Following a run: a progress bar for people, scalars for TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["following"]

_SCALARS_EVERY = 1.0  # seconds between two points of a curve


@contextmanager
def following(folder: Path | None, *, quiet: bool) -> Iterator[Callable[[Any], None]]:
    """Give a function to call with every `tournaments.runner.Progress`.

    Args:
        folder: where TensorBoard scalars go, or None for none.
        quiet: draw no bar.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        Remaining(),
        TextColumn("{task.fields[faults]}"),
        console=Console(stderr=True),
        transient=True,
        disable=quiet,
    )
    writer = None
    if folder is not None:
        from tensorboardX import SummaryWriter

        writer = SummaryWriter(str(folder))
    last = -_SCALARS_EVERY
    with bar:
        task = bar.add_task("matches", total=None, rate=0.0, faults="")

        def follow(state: Any) -> None:
            nonlocal last
            bad = sum(state.faults.values())
            bar.update(
                task,
                total=state.total,
                completed=state.done,
                rate=state.rate,
                faults=f"{bad} forfeits" if bad else "",
            )
            if writer is not None and (
                state.seconds - last >= _SCALARS_EVERY or state.done >= state.total
            ):
                last = state.seconds
                writer.add_scalar("tournament/matches", state.done, state.done)
                writer.add_scalar("tournament/matches_per_second", state.rate, state.done)
                writer.add_scalar("tournament/forfeits", bad, state.done)

        try:
            yield follow
        finally:
            if writer is not None:
                writer.close()
