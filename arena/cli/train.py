"""`arena train`: a learner in a run folder, with checkpoints to go on from and to play."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.output import examples, parse_params, print_json, print_table
from arena.cli.solving import figure, run_folder
from arena.errors import ParameterError
from arena.registry import load_target

__all__ = ["EXAMPLES", "train"]

EXAMPLES = examples(
    "arena train hanabi -p colors=2 --solver ppo --seconds 300 --out runs/small",
    "arena train hanabi --solver ppo -s hidden=[512,512] -s other_play=true --steps 20000000",
    "arena train skirmish/3m --solver qmix --steps 300000 -s anneal=300000 --out runs/3m",
    "arena train --resume runs/small --seconds 300",
    "arena play 'hanabi(colors=2)' runs/small/checkpoints/best.safetensors"
    " runs/small/checkpoints/best.safetensors",
    "tensorboard --logdir runs",
)


def train(
    game: Annotated[
        str | None, typer.Argument(help="A name from `arena list games`; not with --resume.")
    ] = None,
    solver: Annotated[
        str | None, typer.Option("--solver", help="A learner; `arena list solvers` names them.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="A setting of the learner, key=value."),
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="A game parameter, key=value.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="All randomness follows from it; default 0.", min=0)
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Stop after so many environment steps in all.", min=1)
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so many seconds from now.", min=0)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; default runs/train-GAME-SOLVER-SEED.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder, exactly.")
    ] = None,
    eval_every: Annotated[
        int | None, typer.Option(help="Environment steps between evaluations.", min=0)
    ] = None,
    eval_episodes: Annotated[
        int | None, typer.Option(help="Episodes of an evaluation.", min=1)
    ] = None,
    save_seconds: Annotated[
        float | None, typer.Option(help="Seconds between checkpoints.", min=0)
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of torch; default 1.", min=1)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Draw no progress.")] = False,
) -> None:
    """Train a learner and keep checkpoints that play.

    Ctrl-C saves and stops; --resume goes on as if nothing had happened.

    A run that is killed loses what it did since its latest checkpoint, no more.
    """
    import arena

    if resume is None and (game is None or solver is None):
        lacks = "GAME" if game is None else "--solver"
        raise ParameterError(lacks, None, "a game and a learner, or --resume with a run's folder")
    if resume is not None and out is not None:
        raise ParameterError("--out", str(out), "nothing: --resume says which folder it is")
    made = None if game is None else arena.make(game, **parse_params(param or []))
    if made is None and param:
        raise ParameterError("--param", param[0], "none, as the game is that of the run")
    settings = parse_params(setting or [], option="--set")
    limits = {
        "steps": steps,
        "seconds": seconds,
        "eval_every": eval_every,
        "eval_episodes": eval_episodes,
        "save_seconds": save_seconds,
    }
    if resume is None:
        key = "" if made is None else made.key
        folder = out or run_folder("train", key, str(solver), str(seed or 0))
    else:
        folder = resume
    with _watching(str(folder), quiet=quiet or json) as progress:
        if resume is None:
            outcome = load_target("solvers.training.runs:begin_run")(
                folder,
                made,
                solver,
                seed=seed or 0,
                settings=settings,
                limits=limits,
                threads=threads or 1,
                progress=progress,
            )
        else:
            outcome = load_target("solvers.training.runs:resume_run")(
                folder,
                game=made,
                given={"solver": solver, "seed": seed, "threads": threads},
                settings=settings,
                limits=limits,
                progress=progress,
            )
    _show(outcome, json=json)
    if outcome.status == "interrupted":
        typer.echo(f"stopped; go on with: arena train --resume {outcome.folder}", err=True)
        raise typer.Exit(130)


@contextmanager
def _watching(name: str, *, quiet: bool) -> Iterator[Callable[[Any], None]]:
    """Give a function to call with every `solvers.training.Report`."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[steps]:,} steps  {task.fields[rate]:,.0f}/s"),
        TextColumn("{task.fields[figures]}"),
        TextColumn("[dim]{task.fields[left]}[/dim]"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,  # a pipe would keep every redraw
    )
    with bar:
        task = bar.add_task(name, total=None, steps=0, rate=0.0, figures="", left="")

        def follow(report: Any) -> None:
            shown = []
            if "return" in report.metrics:
                shown.append(f"return [bold]{figure(report.metrics['return'])}[/bold]")
            if report.evaluation is not None:
                shown.append(f"evaluated [bold]{figure(report.evaluation.mean)}[/bold]")
                shown.append(f"best {figure(report.best)}")
            bar.update(
                task,
                total=None if report.share is None else 1.0,
                completed=report.share or 0.0,
                steps=report.steps,
                rate=report.rate,
                left="" if report.left is None else f"{_time(report.left)} left",
                figures="  ".join(shown),
            )

        yield follow


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _show(outcome: Any, *, json: bool) -> None:
    course, seen = outcome.course, outcome.course.evaluation
    best = outcome.folder / "checkpoints" / "best.safetensors"
    if json:
        facts: Mapping[str, Any] = {
            "game": outcome.game,
            "solver": outcome.solver,
            "status": outcome.status,
            "steps": outcome.steps,
            "seconds": course.seconds,
            "return": None if seen is None else seen.mean,
            "interval": None if seen is None else seen.interval,
            "episodes": None if seen is None else seen.episodes,
            "extra": None if seen is None else dict(seen.extra),
            "best": course.best,
            "folder": outcome.folder,
            "checkpoint": best if best.exists() else None,
        }
        print_json(facts)
        return
    typer.secho(f"{outcome.game} by {outcome.solver}", bold=True)
    if seen is not None:
        low, high = seen.interval
        row = [figure(seen.mean), f"{low:.4g} … {high:.4g}", seen.episodes, figure(course.best)]
        row += [figure(value) for value in seen.extra.values()]
        extra = [name.replace("_", " ") for name in seen.extra]
        print_table(["return", "95% interval", "episodes", "best", *extra], [row])
    typer.echo(
        f"{outcome.status} after {outcome.steps:,} steps, {_time(course.seconds)};"
        f" run in {outcome.folder}"
    )
    if best.exists():
        typer.echo(f"play it with: arena play '{outcome.game}' {best} …")
