"""The report on teams, as `arena tournament teamwork` shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from arena.cli.output import print_json, print_table
from arena.cli.standings import only_game
from arena.registry import load_target

__all__ = ["show_teamwork"]

_WIDE = 12


def show_teamwork(db: Path, *, game: str, json: bool) -> None:
    """Print self-play, cross-play within groups and with strangers of a result file."""
    with load_target("tournaments.store:Store").open(db) as store:
        results = store.results()
        groups = load_target("tournaments.teamwork:stored_groups")(store.meta(), store.agents())
    if game:
        results = only_game(results, game)
    known = {agent: group for agent, group in groups.items() if agent in results.agents}
    found = load_target("tournaments.teamwork:teamwork")(results, known)
    if json:
        matrix = load_target("tournaments.crossplay:payoff_matrix")(results)
        print_json({**found.to_dict(), "matrix": matrix.to_dict()})
        return
    grouped = len(found.groups) < len(found.rows)
    header = ["agent", *(["group"] if grouped else []), "with itself"]
    header += [*(["with its group"] if grouped else []), "with strangers", "lost"]
    rows = []
    for row in found.rows:
        own = [row.group] if grouped else []
        kin = [_mean(row.kin)] if grouped else []
        lost = "–" if math.isnan(row.loss) else f"{row.loss:.2f}"
        rows.append([row.agent, *own, _mean(row.alone), *kin, _mean(row.strangers), lost])
    title = f"{found.game}: mean payoff, {100 * found.level:g}% intervals"
    print_table(header, rows, title=title, right=header[1 + grouped :])
    _show_matrix(results, [row.agent for row in found.rows])
    if grouped and len(found.groups) > 1:
        typer.echo()
        lines = [
            [group, *(_mean(mean) for mean in line)]
            for group, line in zip(found.groups, found.between, strict=True)
        ]
        title = "group with group: mean over pairs of different agents"
        print_table(["", *found.groups], lines, title=title, right=found.groups)


def _show_matrix(results: Any, order: Sequence[str]) -> None:
    """Print the payoff matrix, self-play on the diagonal, if it is not too wide."""
    if len(order) > _WIDE:
        typer.echo(f"\n(the matrix of {len(order)} agents is in --json and in the report)")
        return
    matrix = load_target("tournaments.crossplay:payoff_matrix")(results)
    at = [matrix.agents.index(agent) for agent in order]
    lines = [
        [agent, *(_cell(matrix.mean[i, j], matrix.error[i, j]) for j in at)]
        for agent, i in zip(order, at, strict=True)
    ]
    typer.echo()
    title = "agent with agent, self-play on the diagonal, ± half of the interval"
    print_table(["", *order], lines, title=title, right=order)


def _cell(mean: float, error: float) -> str:
    if math.isnan(mean):
        return "–"
    return f"{mean:.2f}" if math.isnan(error) else f"{mean:.2f} ±{1.96 * error:.2f}"


def _mean(mean: Any) -> str:
    if math.isnan(mean.value):
        return "–"
    if math.isnan(mean.low):
        return f"{mean.value:.2f}"
    return f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]"
