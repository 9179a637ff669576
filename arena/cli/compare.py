"""`arena compare`: several solvers on one game, as a table and a chart."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.chart import Curve, gap_chart
from arena.cli.output import examples, parse_params, print_json, print_table
from arena.cli.solving import compiled, figure, run_folder, trace_json, watching
from arena.errors import ArenaError, NotApplicableError
from arena.files import write_atomic
from arena.game import Game
from arena.registry import SOLVERS, load_target
from arena.solver import Solution

__all__ = ["EXAMPLES", "compare"]

EXAMPLES = examples(
    "arena compare kuhn_poker cfr+ pcfr+ pdcfr+ --until 1e-8",
    "arena compare leduc_poker cfr dcfr 'pcfr+(alternating=false)' --iterations 2000",
    "arena compare goofspiel cfr+ mmd_nash -p num_cards=4 --seconds 5 --out runs/goof --json",
)


def compare(
    game: Annotated[str, typer.Argument(help="A name from `arena list games`, or a file.")],
    solvers: Annotated[
        list[str],
        typer.Argument(help="Names from `arena list solvers`, settings in brackets."),
    ],
    until: Annotated[
        float | None,
        typer.Option(help="Stop each at this gap (in payoff units).", min=0, metavar="GAP"),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(help="Stop each after so many iterations.", min=1, metavar="N")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Stop each after so many seconds.", metavar="S")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of solvers that sample.", min=0, metavar="N")] = 0,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="A game parameter.", metavar="KEY=VALUE"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for chart and traces.", metavar="FOLDER"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Run several solvers on one game: gap against iterations and seconds.

    The tree is compiled and the kernels are warmed before the clock starts.

    Ctrl-C ends the solver at work and those after it; the chart shows what there is.
    """
    import arena

    made = arena.make(game, **parse_params(param or []))
    named = {name: _parsed(name) for name in solvers}
    if len(named) < len(solvers):
        twice = next(name for name in solvers if solvers.count(name) > 1)
        raise ArenaError(f"solver {twice} is named twice")
    gap = _common_gap(made, named)
    limits = {"until": until, "iterations": iterations, "seconds": seconds}
    given: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
    # A long run of one solver must not hide behind an early limit that it can never meet.
    if "until" in given and len(given) == 1:
        given["seconds"] = 60.0
    folder = out or run_folder("compare", made.key)
    done: dict[str, Solution] = {}
    for name, (solver, settings) in named.items():
        compiled(made, solver, seconds=seconds, quiet=json)
        arena.solve(made, solver, seed=seed, **settings, iterations=1)
        with watching(
            name,
            gap=gap,
            until=until,
            iterations=iterations,
            seconds=given.get("seconds"),
            folder=folder / name,
            quiet=json,
        ) as progress:
            done[name] = arena.solve(
                made, solver, seed=seed, progress=progress, **settings, **given
            )
        if done[name].status.startswith("interrupted"):
            break
    chart = _write(made, done, folder, gap=gap, until=until)
    rows = {name: _row(solution) for name, solution in done.items()}
    if json:
        print_json(
            {"game": made.key, "gap": gap, "solvers": rows, "chart": chart, "folder": folder}
        )
    else:
        print_table(
            ["solver", gap.replace("_", " "), "iterations", "seconds", "μs/iteration", "status"],
            [
                [
                    name,
                    figure(row["gap"]),
                    f"{row['iterations']:,}",
                    f"{row['seconds']:.3f}",
                    f"{row['seconds'] / row['iterations'] * 1e6:,.1f}",
                    row["status"],
                ]
                for name, row in rows.items()
            ],
            title=made.key,
            right=[gap.replace("_", " "), "iterations", "seconds", "μs/iteration"],
        )
        typer.echo(f"chart in {chart}")
    if any(solution.status.startswith("interrupted") for solution in done.values()):
        typer.echo("stopped before the end", err=True)
        raise typer.Exit(130)


def _parsed(name: str) -> tuple[str, dict[str, Any]]:
    """Take `pcfr+(alternating=false)` apart."""
    from arena.keys import split_key

    solver, settings = split_key(name)
    SOLVERS.info(solver)
    return solver, settings


def _common_gap(game: Game, named: dict[str, tuple[str, dict[str, Any]]]) -> str:
    """Return the gap that all of the solvers reduce, before any work is done.

    Raises:
        NotApplicableError: one of them does not apply.
        ArenaError: they reduce different gaps, which no chart can compare.
    """
    gaps = {}
    for name, (solver, _) in named.items():
        chosen = load_target("solvers.dispatch:resolved")(solver, game)
        reason = chosen.obstacle(game)
        if reason is not None:
            raise NotApplicableError(f"{name}: {reason}; see `arena list solvers --for {game.key}`")
        gaps[name] = str(getattr(chosen, "gap", "gap"))
    if len(set(gaps.values())) > 1:
        told = ", ".join(f"{name}: {gap}" for name, gap in gaps.items())
        raise ArenaError(f"these solvers reduce different gaps and cannot be compared: {told}")
    return next(iter(gaps.values()))


def _row(solution: Solution) -> dict[str, Any]:
    last = solution.trace[-1]
    return {
        "gap": last.gap,
        "iterations": last.iteration,
        "seconds": last.seconds,
        "status": solution.status,
    }


def _write(
    game: Game, done: dict[str, Solution], folder: Path, *, gap: str, until: float | None
) -> Path:
    """Write the traces and the chart; return the chart's path."""
    traces = {name: trace_json(solution.trace) for name, solution in done.items()}
    panels: dict[str, dict[str, Curve]] = {
        "iterations": {n: [(float(p.iteration), p.gap) for p in s.trace] for n, s in done.items()},
        "seconds": {n: [(p.seconds, p.gap) for p in s.trace] for n, s in done.items()},
    }
    body = {"game": game.key, "gap": gap, "traces": traces}
    with write_atomic(folder / "traces.json") as file:
        file.write(json_module.dumps(body, indent=1).encode())
    chart = folder / "gap.svg"
    with write_atomic(chart) as file:
        text = gap_chart(
            f"{game.key}: {gap.replace('_', ' ')}", panels, gap=gap.replace("_", " "), until=until
        )
        file.write(text.encode())
    return chart
