"""`arena tournament`: play a cup, go on with it, look at it, hand it on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.output import examples, print_json, print_table
from arena.cli.running import chosen_executor, following, write_curve
from arena.cli.standings import show_leaderboard
from arena.cli.teamwork import show_teamwork
from arena.errors import ArenaError, StoreError
from arena.files import folder_name, write_atomic
from arena.registry import load_target

__all__ = ["app", "results_path"]

app = typer.Typer(
    no_args_is_help=True,
    help="Run tournaments, resume them, and look at what came out.",
    epilog=examples(
        "arena tournament new cup.toml",
        "arena tournament run cup.toml --report",
        "arena tournament show runs/cup",
    ),
)

Where = Annotated[
    Path, typer.Argument(help="The tournament's folder, its results.db, or its TOML file.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Method = Annotated[
    str, typer.Option(help="How to rate: davidson, payoff, elo, glicko2, openskill, alpharank, …")
]
Workers = Annotated[int | None, typer.Option(help="Worker processes.", min=1)]
ExecutorName = Annotated[
    str | None, typer.Option("--executor", help="in_process, processes or ray.")
]
Durable = Annotated[
    bool, typer.Option("--durable", help="Survive power failures too: every commit hits the disk.")
]
Report = Annotated[bool, typer.Option("--report", help="Write report.html when it is over.")]
Board = Annotated[bool, typer.Option("--tensorboard/--no-tensorboard", help="Write scalars.")]


def _folder(spec_file: Path) -> Path:
    spec = load_target("tournaments.spec:read_spec")(spec_file)
    return Path("runs") / folder_name(spec.name)


def results_path(where: Path) -> Path:
    """Return the result file that `where` means.

    Raises:
        StoreError: there is none.
    """
    path = _folder(where) if where.suffix == ".toml" else where
    if path.is_dir() or where.suffix == ".toml":
        path = path / "results.db"
    if not path.is_file():
        raise StoreError(f"{path}: no results there; `arena tournament run` makes them")
    return path


@app.command("run", epilog=examples("arena tournament run cup.toml --workers 4 --report"))
def run(
    spec: Annotated[Path, typer.Argument(help="The tournament file (TOML).")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for results; default runs/<name>.")
    ] = None,
    resume_: Annotated[
        bool, typer.Option("--resume", help="Go on where existing results end.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; older results are kept beside it.")
    ] = False,
    executor: ExecutorName = None,
    workers: Workers = None,
    durable: Durable = False,
    report: Report = False,
    tensorboard: Board = True,
    allow_changed: Annotated[
        bool,
        typer.Option(
            "--allow-changed", help="With --resume: let changed agents go on as new versions."
        ),
    ] = False,
    method: Method = "auto",
    json: Json = False,
) -> None:
    """Play a tournament and rank its agents.

    Ctrl-C stops cleanly; `arena tournament resume` plays what is missing.
    """
    folder = out or _folder(spec)
    target = folder / "results.db"
    chosen = chosen_executor(executor, workers)
    load_target("tournaments.api:check")(spec)
    if target.exists() and fresh:
        _set_aside(target)
    elif target.exists() and not resume_:
        raise StoreError(
            f"{target} exists already: --resume plays what is missing, --fresh starts over,"
            " --out takes another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    start = load_target("tournaments.api:run")
    _play(
        lambda progress: start(
            spec,
            db=target,
            resume=resume_,
            allow_changed=allow_changed,
            durable=durable,
            executor=chosen,
            progress=progress,
        ),
        target,
        tensorboard=tensorboard,
        report=report,
        method=method,
        json=json,
    )


@app.command("resume", epilog=examples("arena tournament resume runs/cup"))
def resume(
    where: Where,
    executor: ExecutorName = None,
    workers: Workers = None,
    durable: Durable = False,
    report: Report = False,
    tensorboard: Board = True,
    allow_changed: Annotated[
        bool, typer.Option("--allow-changed", help="Let changed agents go on as new versions.")
    ] = False,
    method: Method = "auto",
    json: Json = False,
) -> None:
    """Play exactly the matches that are missing."""
    target = results_path(where)
    chosen = chosen_executor(executor, workers)
    start = load_target("tournaments.api:resume")
    _play(
        lambda progress: start(
            target,
            spec=where if where.suffix == ".toml" else None,
            allow_changed=allow_changed,
            durable=durable,
            executor=chosen,
            progress=progress,
        ),
        target,
        tensorboard=tensorboard,
        report=report,
        method=method,
        json=json,
    )


def _play(
    start: Callable[[Callable[[Any], None]], Any],
    target: Path,
    *,
    tensorboard: bool,
    report: bool,
    method: str,
    json: bool,
) -> None:
    """Call `start` with a function to report progress to, and show what came out."""
    with following(target.parent if tensorboard else None, quiet=json) as progress:
        outcome = start(progress)
    if tensorboard and outcome.played:
        write_curve(target.parent, target, len(outcome.results))
    _conclude(outcome, target, report=report, method=method, json=json)


def _conclude(outcome: Any, target: Path, *, report: bool, method: str, json: bool) -> None:
    """Show the table so far, write the report, and say how to go on."""
    if len(outcome.results):
        show_leaderboard(target, method=method, game="", json=json)
    page = _write_report(target, target.parent / "report.html") if report else None
    if not json:
        rate = outcome.played / outcome.seconds if outcome.seconds > 0 else 0.0
        typer.echo(
            f"{outcome.played} of {outcome.total} matches played in {outcome.seconds:.1f} s"
            f" ({rate:,.0f} a second); results in {target}"
        )
        if page is not None:
            typer.echo(f"report in {page}")
    if outcome.interrupted:
        typer.echo(f"stopped; go on with: arena tournament resume {target.parent}", err=True)
        raise typer.Exit(130)


def _set_aside(target: Path) -> None:
    """Rename older results (and SQLite's companions) to the first free number."""
    number = 1
    while target.with_name(f"results-{number}.db").exists():
        number += 1
    # Taking the lock first makes sure that nobody is writing to it.
    load_target("tournaments.store:Store").open(target, write=True).close()
    for suffix in ("", "-wal", "-shm"):
        companion = target.with_name(target.name + suffix)
        if companion.exists():
            companion.rename(target.with_name(f"results-{number}.db{suffix}"))


@app.command("status", epilog=examples("arena tournament status runs/cup --json"))
def status(where: Where, json: Json = False) -> None:
    """Say how far a tournament is, also while it runs."""
    found = load_target("tournaments.api:status")(results_path(where))
    faults = [
        {"agent": agent, "kind": kind, "count": count}
        for (agent, kind), count in sorted(found.faults.items())
    ]
    if json:
        print_json({**vars(found), "faults": faults})
        return
    left = found.total - found.done
    print_table(
        ["tournament", found.name],
        [
            ["created", found.created],
            ["games", ", ".join(found.games)],
            ["agents", ", ".join(found.agents)],
            ["matches", f"{found.done} of {found.total}"],
            ["state", "complete" if left <= 0 else f"{left} to play"],
            *[["forfeits", f"{f['agent']}: {f['count']} × {f['kind']}"] for f in faults],
        ],
    )


@app.command(
    "show",
    epilog=examples(
        "arena tournament show runs/cup",
        "arena tournament show runs/cup --game leduc_poker --method payoff",
        "arena tournament show runs/cup --json",
    ),
)
def show(
    where: Where,
    method: Method = "auto",
    game: Annotated[str, typer.Option(help="Only this game.")] = "",
    json: Json = False,
) -> None:
    """Show the ranked table with its intervals."""
    show_leaderboard(results_path(where), method=method, game=game, json=json)


@app.command(
    "teamwork",
    epilog=examples(
        "arena tournament teamwork runs/cup",
        "arena tournament teamwork runs/cup --game hanabi --json",
    ),
)
def teamwork(
    where: Where,
    game: Annotated[str, typer.Option(help="Which game; not needed if there is one.")] = "",
    json: Json = False,
) -> None:
    """Show how agents of a cooperative game do with themselves, with kin and with strangers.

    Kin share a `group` in the spec; everybody else is a stranger.
    """
    show_teamwork(results_path(where), game=game, json=json)


@app.command(
    "export",
    epilog=examples(
        "arena tournament export runs/cup matches.parquet",
        "arena tournament export runs/cup table.csv --table",
    ),
)
def export(
    where: Where,
    file: Annotated[Path, typer.Argument(help="Ends in .csv, .json, .jsonl or .parquet.")],
    table: Annotated[
        bool, typer.Option("--table", help="The ranked table rather than the matches.")
    ] = False,
    method: Method = "auto",
) -> None:
    """Write the matches, or the ranked table, as CSV, JSON or Parquet."""
    target = results_path(where)
    if table:
        from arena.cli.standings import rated

        board = rated(target, method=method, game="")
        board.save(file)
        typer.echo(f"{len(board.rows)} agents written to {file}")
    else:
        count = load_target("tournaments.export:export")(target, file)
        typer.echo(f"{count} matches written to {file}")


@app.command("report", epilog=examples("arena tournament report runs/cup --out cup.html"))
def report(
    where: Where,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The page; default beside the results.")
    ] = None,
) -> None:
    """Write one HTML page: table, heatmaps, curves, forfeits and replays."""
    target = results_path(where)
    page = _write_report(target, out or target.parent / "report.html")
    typer.echo(f"report in {page}")


def _write_report(target: Path, page: Path) -> Path:
    load_target("tournaments.report.stored:write_report")(target, page)
    return page


TEMPLATE = """\
# A tournament. Check and play it with:  arena tournament run {name}

[tournament]
name = "{stem}"
seed = 1                       # leave it out for a fresh one
schedule = "round_robin"       # gauntlet, swiss, cross_play
repetitions = 50               # chance seeds of each pairing; every seat order plays each

[[games]]
id = "kuhn_poker"              # `arena list games`

[[games]]
id = "leduc_poker"

[[agents]]
name = "random"
ref = "uniform"                # `arena list agents`

[[agents]]
name = "searcher"
ref = "rollout"
params = {{ simulations = 64 }}

# An agent of your own: a file, an importable module, or any program.
# [[agents]]
# name = "mine"
# ref = "bot.py:make"          # or "cmd:./bot --flag"

# Seconds; whoever goes beyond forfeits the match.
# [clock]
# move = 1.0
# game = 60.0

[executor]
kind = "processes"             # in_process, ray
"""


@app.command("new", epilog=examples("arena tournament new cup.toml"))
def new(
    file: Annotated[Path, typer.Argument(help="The tournament file to write.")],
) -> None:
    """Write a commented tournament file to start from."""
    if file.suffix != ".toml":
        raise ArenaError(f"{file}: a tournament file ends in .toml")
    if file.exists():
        raise ArenaError(f"{file} exists already; choose another name")
    with write_atomic(file) as handle:
        handle.write(TEMPLATE.format(name=file, stem=file.stem).encode())
    typer.echo(f"{file} written; play it with: arena tournament run {file}")
