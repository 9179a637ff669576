"""Following a run: a progress bar for people, scalars for TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from typing import Any

from arena.errors import UnknownNameError
from arena.registry import load_target

__all__ = ["chosen_executor", "following", "write_curve"]

_RATED_UP_TO = 200_000  # matches; reading more of them in order takes too long for an extra


def chosen_executor(kind: str | None, workers: int | None) -> Any:
    """Return the `ExecutorSpec` that was asked for, or None if nothing was.

    Raises:
        UnknownNameError: no such kind.
    """
    if kind is None and workers is None:
        return None
    allowed = ("in_process", "processes", "ray")
    if kind is not None and kind not in allowed:
        raise UnknownNameError("executor", kind, allowed, hint=f"known: {', '.join(allowed)}")
    return load_target("tournaments.spec:ExecutorSpec")(kind=kind or "processes", workers=workers)


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
    scalars = None
    if folder is not None:
        scalars = load_target("tournaments.scalars:Scalars")(folder.name, root=folder.parent)
    try:
        with bar:
            task = bar.add_task("matches", total=None, rate=0.0, faults="")

            def follow(state: Any) -> None:
                bad = sum(state.faults.values())
                bar.update(
                    task,
                    total=state.total,
                    completed=state.done,
                    rate=state.rate,
                    faults=f"{bad} forfeits" if bad else "",
                )
                if scalars is not None:
                    scalars(state)

            yield follow
    finally:
        if scalars is not None:
            scalars.close()


def write_curve(folder: Path, db: Path, matches: int) -> None:
    """Write the Elo curve of a finished run as scalars, if it is not too long for that."""
    from arena.errors import NotApplicableError

    if matches > _RATED_UP_TO:
        return
    results = load_target("tournaments.api:load_results")(db, ordered=True)
    try:
        curve = load_target("tournaments.ratings.elo:elo_curve")(results)
    except NotApplicableError:
        return  # a cooperative game: nobody beats anybody
    with load_target("tournaments.scalars:Scalars")(folder.name, root=folder.parent) as scalars:
        for match, ratings in zip(curve.match.tolist(), curve.rating, strict=True):
            known = zip(curve.agents, ratings.tolist(), strict=True)
            scalars.ratings({agent: value for agent, value in known if not isnan(value)}, match)
