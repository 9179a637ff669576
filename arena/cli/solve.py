"""`arena solve`: an equilibrium, its certificate, and a file that plays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from arena.checkpoint import Checkpoints
from arena.cli.output import examples, parse_params, print_json
from arena.cli.solving import (
    certificate_json,
    check_npz,
    compiled,
    run_folder,
    settings_without,
    show_certificate,
    trace_json,
    watching,
)
from arena.errors import ArenaError
from arena.registry import load_target
from arena.solver import Progress, Solution

__all__ = ["EXAMPLES", "solve"]

EXAMPLES = examples(
    "arena solve kuhn_poker",
    "arena solve leduc_poker --solver pcfr+ --until 1e-4 --save nash.npz",
    "arena solve leduc_poker --resume nash.npz --until 1e-5 --save nash.npz",
    "arena solve kuhn_poker --solver mmd --set temperature=0.2 --json",
    "arena solve markov_soccer --solver cce --horizon 20 --objective welfare",
    "arena list solvers --for leduc_poker",
)

_LIMITS = ("seed", "until", "iterations", "seconds")


def solve(
    game: Annotated[str, typer.Argument(help="A name from `arena list games`, or a file.")],
    solver: Annotated[
        str,
        typer.Option(
            "--solver", help="A name from `arena list solvers`; default auto.", metavar="NAME"
        ),
    ] = "",
    until: Annotated[
        float | None, typer.Option(help="Stop at this gap (in payoff units).", min=0, metavar="GAP")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(help="Stop after so many iterations in all.", min=1, metavar="N")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so many seconds.", metavar="S")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of solvers that sample; default 0.", min=0, metavar="N")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(help="Of Markov games: steps.", min=1, metavar="N")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="Of correlated equilibria: welfare, fair, sparse, …", metavar="NAME"),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the solver.", metavar="KEY=VALUE"),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="A game parameter.", metavar="KEY=VALUE"),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Write the solution here (.npz), while solving too; it plays.", metavar="FILE"
        ),
    ] = None,
    checkpoint_every: Annotated[
        float,
        typer.Option(
            "--checkpoint-every",
            help="With --save: seconds between two writes.",
            min=0.0,
            metavar="S",
        ),
    ] = 30.0,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on from this file, finished or cut off, with its settings.", metavar="FILE"
        ),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard/--no-tensorboard", help="Write the curve under runs/.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Solve a game and certify the answer.

    Ctrl-C stops and keeps what was reached; --save writes it, --resume goes on.

    A run that is killed leaves what it saved last.
    """
    import arena

    check_npz("--save", save)
    made = arena.make(game, **parse_params(param or []))
    settings = parse_params(setting or [], option="--set")
    named = {"horizon": horizon, "objective": objective}
    settings |= {name: value for name, value in named.items() if value is not None}
    limits: dict[str, Any] = {"until": until, "iterations": iterations, "seconds": seconds}
    if resume is not None:
        start = Solution.load(resume, game=made)
        solver = solver or start.solver
        settings = {**settings_without(start.settings, *_LIMITS), **settings, "resume": start}
        seed = start.settings.get("seed", 0) if seed is None else seed
        if all(limit is None for limit in limits.values()):
            limits = {name: start.settings.get(name) for name in limits}
    solver = solver or "auto"
    settings = {**settings, **{name: v for name, v in limits.items() if v is not None}}
    chosen = load_target("solvers.dispatch:resolved")(solver, made)
    compiled(made, solver, seconds=seconds, quiet=json)
    folder = run_folder("solve", made.key, solver) if tensorboard else None
    with watching(
        f"{solver} on {made.name}",
        gap=getattr(chosen, "gap", "gap"),
        until=until,
        iterations=iterations,
        seconds=seconds,
        folder=folder,
        quiet=json,
    ) as progress:
        follow: Progress = progress
        if save is not None:
            follow = Checkpoints(save, every=checkpoint_every, progress=progress)
        solution = arena.solve(made, solver, seed=seed or 0, progress=follow, **settings)
    kept = None if save is None else _keep(solution, save)
    _show(solution, save=save if kept is None else None, folder=folder, json=json)
    if kept is not None:
        raise kept
    if solution.status.startswith("interrupted"):
        if save is None:
            typer.echo("stopped; with --save FILE what was reached is kept", err=True)
        else:
            typer.echo(f"stopped; go on with: arena solve {game} --resume {save}", err=True)
        raise typer.Exit(130)


def _keep(solution: Solution, path: Path) -> ArenaError | None:
    """Write a solution; return why that failed, for what was found is still to be shown."""
    try:
        solution.save(path)
    except ArenaError as error:
        return error
    return None


def _show(solution: Solution, *, save: Path | None, folder: Path | None, json: bool) -> None:
    last = solution.trace[-1] if solution.trace else None
    if json:
        print_json(
            {
                "game": solution.game.key,
                "solver": solution.solver,
                "settings": dict(solution.settings),
                "status": solution.status,
                "iterations": None if last is None else last.iteration,
                "seconds": None if last is None else last.seconds,
                "certificate": certificate_json(solution.certificate),
                "trace": trace_json(solution.trace),
                "file": save,
            }
        )
        return
    show_certificate(solution.certificate, title=f"{solution.game.key} by {solution.solver}")
    if last is not None:
        typer.echo(f"{solution.status} after {last.iteration:,} iterations, {last.seconds:.3f} s")
    if folder is not None:
        typer.echo(f"curve in {folder}")
    if save is not None:
        typer.echo(f"solution in {save}; play it with: arena play {solution.game.key} {save} …")
