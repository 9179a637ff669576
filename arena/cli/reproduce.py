"""`arena reproduce`: the scientific claims that the project reproduces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.output import examples, print_json, print_table
from arena.errors import UnknownNameError
from arena.registry import load_target

__all__ = ["CLAIMS", "EXAMPLES", "reproduce"]

EXAMPLES = examples("arena reproduce", "arena reproduce axelrod-1980 --quick")

CLAIMS: dict[str, tuple[str, str]] = {
    "axelrod-1980": (
        "Axelrod's first tournament of the repeated prisoner's dilemma, with native strategies",
        "tournaments.reproduce.axelrod:run",
    ),
}
"""Claim to (title, target of `run(*, quick, out) -> dict`)."""


def reproduce(
    name: Annotated[str | None, typer.Argument(help="The claim to reproduce.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Minutes, not hours.")] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for tables and figures.")] = Path(
        "runs/reproduce"
    ),
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the scientific claims that arena reproduces, or reproduce one."""
    if name is None:
        if json:
            print_json({claim: title for claim, (title, _) in CLAIMS.items()})
        else:
            print_table(["claim", "what is reproduced"], [[c, t] for c, (t, _) in CLAIMS.items()])
            typer.echo("reproduce one with `arena reproduce NAME`")
        return
    if name not in CLAIMS:
        raise UnknownNameError("claim", name, CLAIMS, hint="`arena reproduce` lists them")
    run = load_target(CLAIMS[name][1])
    result = run(quick=quick, out=out / name)
    if json:
        print_json(result)
