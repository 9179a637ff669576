"""`arena league`: a population that grows, and a table that stays comparable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.league_tables import member_facts, show_table, status_facts
from arena.cli.output import examples, parse_params, print_json, print_table
from arena.cli.running import chosen_executor, following
from arena.errors import ParameterError, UnknownNameError
from arena.registry import load_target

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Keep a population that grows: newcomers are placed, versions kept apart.",
    epilog=examples(
        "arena league create runs/cup --game kuhn_poker --agent random=uniform",
        "arena league join runs/cup mine=bot.py:make",
        "arena league run runs/cup",
        "arena league leaderboard runs/cup",
    ),
)

Folder = Annotated[Path, typer.Argument(help="The league's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Newcomer = Annotated[str, typer.Argument(help="name=reference, such as mine=bot.py:make.")]


def _open(folder: Path) -> Any:
    return load_target("tournaments.league:League")(folder)


def _pair(text: str, option: str) -> tuple[str, str]:
    """Split `name=reference`."""
    name, equals, ref = text.partition("=")
    if not equals or not name.strip() or not ref.strip():
        raise ParameterError(option, text, "name=reference, such as mine=bot.py:make")
    return name.strip(), ref.strip()


@app.command(
    "create",
    epilog=examples(
        "arena league create runs/poker --game kuhn_poker --game leduc_poker"
        " --agent random=uniform --agent first=first_legal",
        "arena league create runs/go --game 'go(board_size=5)' --anchor-rating 1500 --move 1",
    ),
)
def create(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet, or empty.")],
    game: Annotated[
        list[str], typer.Option("--game", "-g", help="A game, such as 'go(board_size=5)'.")
    ],
    agent: Annotated[
        list[str] | None, typer.Option("--agent", "-a", help="A first member, name=reference.")
    ] = None,
    name: Annotated[str, typer.Option(help="Of the league; by default the folder's.")] = "",
    seed: Annotated[
        int | None, typer.Option(help="Everything random follows from it.", min=0)
    ] = None,
    anchor: Annotated[
        str, typer.Option(help="Member whose rating stands still; by default the first.")
    ] = "",
    anchor_rating: Annotated[float, typer.Option(help="Where the anchor stands.")] = 0.0,
    method: Annotated[
        str, typer.Option(help="davidson (Elo scale), cross_play (mean payoff) or auto.")
    ] = "auto",
    interval: Annotated[
        float, typer.Option(help="A newcomer is placed when its margin is at most this.")
    ] = 60.0,
    min_matches: Annotated[int, typer.Option(help="Matches of a newcomer in any case.")] = 20,
    max_matches: Annotated[int, typer.Option(help="Matches after which it is placed.")] = 4000,
    move: Annotated[
        float | None, typer.Option(help="Seconds for one move; beyond it the seat forfeits.", min=0)
    ] = None,
    json: Json = False,
) -> None:
    """Make a league in a folder of its own."""
    from arena.agent import Limits

    placement = load_target("tournaments.league:Placement")
    members: dict[str, str] = {}
    for text in agent or []:
        label, ref = _pair(text, "--agent")
        if label in members:
            raise ParameterError("--agent", text, "different names")
        members[label] = ref
    made = load_target("tournaments.league:League").create(
        folder,
        games=game,
        agents=members,
        name=name,
        seed=seed,
        anchor=anchor,
        anchor_rating=anchor_rating,
        method=method,
        placement=placement(interval=interval, min_matches=min_matches, max_matches=max_matches),
        limits=None if move is None else Limits(move=move),
    )
    if json:
        print_json(status_facts(made.status()))
        return
    typer.echo(f"league {made.settings.name} in {folder}, {len(members)} members")
    typer.echo(f"go on with: arena league join {folder} NAME=REFERENCE, arena league run {folder}")


@app.command(
    "join",
    epilog=examples(
        "arena league join runs/cup mine=bot.py:make",
        "arena league join runs/cup searcher=rollout -p simulations=64",
        "arena league join runs/cup 'theirs=cmd:./bot --fast' --isolation sandbox --move 1",
        "arena league join runs/cup mine=bot.py:make --retire-old",
    ),
)
def join(
    folder: Folder,
    newcomer: Newcomer,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="An agent's parameter, key=value.")
    ] = None,
    isolation: Annotated[
        str | None, typer.Option(help="none, process or sandbox; by default by what it is.")
    ] = None,
    move: Annotated[float | None, typer.Option(help="Seconds for one of its moves.", min=0)] = None,
    retire_old: Annotated[
        bool, typer.Option("--retire-old", help="Let its other versions leave.")
    ] = False,
    json: Json = False,
) -> None:
    """Let an agent join; another version under a known name becomes name@2."""
    from arena.agent import Limits

    name, ref = _pair(newcomer, "newcomer")
    allowed = ("none", "process", "sandbox")
    if isolation is not None and isolation not in allowed:
        raise UnknownNameError("isolation", isolation, allowed, hint=f"known: {', '.join(allowed)}")
    member = _open(folder).join(
        name,
        ref,
        params=parse_params(param or []),
        isolation=isolation,
        limits=None if move is None else Limits(move=move),
        retire_old=retire_old,
    )
    if json:
        print_json(member_facts(member))
        return
    typer.echo(f"{member.label} joined; place it with: arena league run {folder}")


@app.command(
    "retire",
    epilog=examples("arena league retire runs/cup mine --reason 'replaced by mine@2'"),
)
def retire(
    folder: Folder,
    member: Annotated[str, typer.Argument(help="Its label, such as mine or mine@2.")],
    reason: Annotated[str, typer.Option(help="Why it leaves.")] = "",
    json: Json = False,
) -> None:
    """Let a member leave; its results stay, and so does its place in the table."""
    gone = _open(folder).retire(member, reason=reason)
    if json:
        print_json(member_facts(gone))
        return
    typer.echo(f"{gone.label} has left; its results stay")


app.command("leave", hidden=True)(retire)


@app.command(
    "run",
    epilog=examples(
        "arena league run runs/cup",
        "arena league run runs/cup --matches 10000 --workers 4",
        "arena league run runs/cup --until-interval 25",
        "arena league run runs/cup --seconds 60 --json",
    ),
)
def run(
    folder: Folder,
    matches: Annotated[int | None, typer.Option(help="Stop after so many matches.", min=1)] = None,
    until_interval: Annotated[
        float | None, typer.Option(help="Stop when no member's margin is larger.", min=0)
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so much time.", min=0)] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.", min=1)] = None,
    executor: Annotated[
        str | None, typer.Option("--executor", help="in_process, processes or ray.")
    ] = None,
    allow_changed: Annotated[
        bool, typer.Option("--allow-changed", help="Let what has changed go on as new versions.")
    ] = False,
    durable: Annotated[
        bool, typer.Option("--durable", help="Survive power failures: every commit hits the disk.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard/--no-tensorboard", help="Write scalars.")
    ] = False,
    json: Json = False,
) -> None:
    """Play: newcomers until they are placed, then where the table is least certain.

    Ctrl-C stops cleanly; the next run goes on with the match that was next.
    """
    chosen = chosen_executor(executor or "processes", workers)
    league = _open(folder)
    with following(folder if tensorboard else None, quiet=json) as progress:
        played = league.run(
            matches=matches,
            until_interval=until_interval,
            seconds=seconds,
            executor=chosen,
            allow_changed=allow_changed,
            durable=durable,
            progress=progress,
        )
    table = league.leaderboard()
    if json:
        print_json({**vars(played), "table": table.to_dict()})
    else:
        show_table(table)
        rate = played.matches / played.seconds if played.seconds > 0 else 0.0
        typer.echo(
            f"{played.matches} matches in {played.batches} batches, {played.seconds:.1f} s"
            f" ({rate:,.0f} a second); {_WHY[played.stopped]}"
        )
        if played.placed:
            typer.echo(f"placed: {', '.join(played.placed)}")
        if played.absent:
            typer.echo(f"not here (live objects of another process): {', '.join(played.absent)}")
    if played.stopped == "interrupted":
        typer.echo(f"stopped; go on with: arena league run {folder}", err=True)
        raise typer.Exit(130)


_WHY = {
    "placed": "every newcomer is placed",
    "interval": "every margin is small enough",
    "matches": "as many as asked for",
    "seconds": "time is over",
    "interrupted": "interrupted",
}


@app.command(
    "leaderboard",
    epilog=examples(
        "arena league leaderboard runs/cup",
        "arena league leaderboard runs/cup --method nash_averaging",
        "arena league leaderboard runs/cup --json",
    ),
)
def leaderboard(
    folder: Folder,
    method: Annotated[str, typer.Option(help="Rate by another method than the league's.")] = "",
    json: Json = False,
) -> None:
    """Show the table: ratings that do not drift, intervals, versions, who is placed."""
    table = _open(folder).leaderboard(method=method)
    if json:
        print_json(table.to_dict())
    else:
        show_table(table)


app.command("show", hidden=True)(leaderboard)


@app.command("status", epilog=examples("arena league status runs/cup --json"))
def status(folder: Folder, json: Json = False) -> None:
    """Say where a league stands, also while it is being played."""
    found = _open(folder).status()
    if json:
        print_json(status_facts(found))
        return
    pending = f", {found.pending} of the latest batch to play" if found.pending else ""
    rows = [
        ["created", found.created],
        ["games", ", ".join(found.games)],
        ["matches", f"{found.matches} in {found.batches} batches{pending}"],
        ["new", ", ".join(found.new) or "none"],
        ["placed", ", ".join(found.placed) or "none"],
        ["retired", ", ".join(found.retired) or "none"],
        *[["forfeits", f"{a}: {n} × {kind}"] for (a, kind), n in found.faults.items()],
    ]
    print_table(["league", found.name], rows)


@app.command(
    "opponents",
    epilog=examples("arena league opponents runs/cup mine --weights prioritised --json"),
)
def opponents(
    folder: Folder,
    learner: Annotated[str, typer.Argument(help="Who trains: a member's name or label.")] = "",
    weights: Annotated[str, typer.Option(help="prioritised, even or uniform.")] = "prioritised",
    json: Json = False,
) -> None:
    """List whom a learner should train against, and how often."""
    found = _open(folder).opponents(learner, weights=weights)
    rows = [
        {
            "member": o.label,
            "ref": o.member.spec.ref,
            "params": dict(o.member.spec.params),
            "expected_score": o.score,
            "weight": o.weight,
        }
        for o in found
    ]
    if json:
        print_json({"learner": learner or None, "weights": weights, "opponents": rows})
        return
    print_table(
        ["member", "ref", "expected score", "weight"],
        [[r["member"], r["ref"], f"{r['expected_score']:.3f}", f"{r['weight']:.3f}"] for r in rows],
        right=["expected score", "weight"],
    )


@app.command("report", epilog=examples("arena league report runs/cup --out cup.html"))
def report(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The page; default report.html in it.")
    ] = None,
) -> None:
    """Write one HTML page: table, heatmaps, curves, forfeits and replays."""
    league = _open(folder)
    page = out or folder / "report.html"
    with load_target("tournaments.store:Store").open(league.db) as store:
        data = load_target("tournaments.report.stored:report_of")(store)
    load_target("tournaments.report:write")(data, page)
    typer.echo(f"report in {page}")


@app.command(
    "export",
    epilog=examples(
        "arena league export runs/cup matches.parquet",
        "arena league export runs/cup table.csv --table",
    ),
)
def export(
    folder: Folder,
    file: Annotated[Path, typer.Argument(help="Ends in .csv, .json, .jsonl or .parquet.")],
    table: Annotated[
        bool, typer.Option("--table", help="The ranked table rather than the matches.")
    ] = False,
) -> None:
    """Write the matches, or the ranked table, as CSV, JSON or Parquet."""
    league = _open(folder)
    if table:
        board = league.leaderboard().board
        if board is None:
            raise ParameterError("--table", str(folder), "a league that has played a match")
        board.save(file)
        typer.echo(f"{len(board.rows)} members written to {file}")
    else:
        count = load_target("tournaments.export:export")(league.db, file)
        typer.echo(f"{count} matches written to {file}")
