"""`arena populations`: two populations of agents, one for each seat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.output import examples, parse_params, print_json, print_table
from arena.errors import ParameterError
from arena.registry import load_target

__all__ = ["EXAMPLES", "populations"]

EXAMPLES = examples(
    "arena populations kuhn_poker --row uniform --row nash=nash.npz --column first_legal",
    "arena populations adversarial/point_mass --row sac=runs/sac/checkpoints/best.safetensors"
    " --column wind=runs/attack/checkpoints/best.safetensors --column uniform --save table.json",
)


def populations(
    game: Annotated[str, typer.Argument(help="A zero-sum game of two seats.")],
    row: Annotated[
        list[str], typer.Option(help="An agent in seat 0, NAME=REFERENCE or a reference.")
    ],
    column: Annotated[
        list[str], typer.Option(help="An agent in seat 1, NAME=REFERENCE or a reference.")
    ],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="A game parameter, key=value.")
    ] = None,
    episodes: Annotated[int, typer.Option(help="Episodes of each pair.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="All randomness follows from it.", min=0)] = 0,
    save: Annotated[Path | None, typer.Option(help="Write the table as JSON.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Play everyone in seat 0 against everyone in seat 1: payoffs, Nash mixture, ratings.

    A name that is in both populations is told apart by "/0" and "/1".
    """
    import arena

    made = arena.make(game, **parse_params(param or []))
    rows, columns = _named(row, "--row"), _named(column, "--column")
    both = set(rows) & set(columns)
    sides = [
        {name + tail * (name in both): arena.agent(ref) for name, ref in side.items()}
        for side, tail in ((rows, "/0"), (columns, "/1"))
    ]
    table = load_target("tournaments.populations:play_populations")(
        made, *sides, episodes=episodes, seed=seed
    )
    if save is not None:
        table.save(save)
    if json:
        print_json(table.to_dict())
        return
    _show(table)
    if save is not None:
        typer.echo(f"written: {save}")


def _named(given: Sequence[str], option: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for text in given:
        name, equals, ref = text.partition("=")
        # A reference such as `mcts(n=3)` or a path has no bare name before its "=".
        if not equals or not name.replace("-", "_").replace(".", "_").isidentifier():
            name, ref = text, text
        if name in out:
            raise ParameterError(option, text, f"another name than {name!r}, which is there")
        out[name] = ref
    return out


def _show(table: Any) -> None:
    ratings = table.ratings
    cells = [
        [name, *(f"{x:.4g} ± {e:.2g}" for x, e in zip(pay, err, strict=True))]
        for name, pay, err in zip(table.rows, table.payoff, table.error, strict=True)
    ]
    print_table(["paid to seat 0", *table.columns], cells)
    typer.echo("")
    lines = [
        [seat, name, *(f"{ratings[name][key]:.4g}" for key in ("nash", "effect", "share"))]
        for seat, names in ((0, table.rows), (1, table.columns))
        for name in names
    ]
    print_table(["seat", "agent", "against Nash", "effect", "share"], lines)
    typer.echo(f"value of the game between the two: {table.value:.4g}")
