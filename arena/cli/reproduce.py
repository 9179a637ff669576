"""`arena reproduce`: the scientific claims that the project reproduces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.output import examples, print_json, print_table
from arena.errors import UnknownNameError
from arena.registry import load_target

__all__ = ["EXAMPLES", "claims", "reproduce"]

EXAMPLES = examples("arena reproduce", "arena reproduce axelrod-1980 --quick")

_CLAIMS = "tournaments.reproduce:CLAIMS"


def claims() -> dict[str, Any]:
    """Return every `Reproduction` by its name."""
    return {name: load_target(target) for name, target in load_target(_CLAIMS).items()}


def reproduce(
    name: Annotated[str | None, typer.Argument(help="The claim to reproduce.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Minutes, not hours.")] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for tables and figures.")] = Path(
        "runs/reproduce"
    ),
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the scientific claims that arena reproduces, or reproduce one."""
    known = claims()
    if name is None:
        if json:
            print_json({claim: known[claim].title for claim in known})
        else:
            print_table(["claim", "what is reproduced"], [[c, known[c].title] for c in known])
            typer.echo("reproduce one with `arena reproduce NAME`")
        return
    if name not in known:
        raise UnknownNameError("claim", name, known, hint="`arena reproduce` lists them")
    report = known[name].run(quick=quick, out=out / name)
    if json:
        print_json({**report.figures, "reproduced": report.reproduced})
    else:
        typer.echo(f"{report.title}\n")
        print_table(report.header, [[_shown(cell) for cell in row] for row in report.rows])
        typer.echo("")
        for check in report.checks:
            verdict = {True: "holds", False: "does not hold", None: "not checked"}[check.holds]
            typer.echo(f"{verdict}: {check.text}" + f" ({check.detail})" * bool(check.detail))
        for path in report.files:
            typer.echo(f"written: {path}")


def _shown(cell: object) -> str:
    if cell is None:
        return "–"
    return f"{cell:.1f}" if isinstance(cell, float) else str(cell)
