"""The ranked table, as the commands of tournaments and leagues show it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import typer

from arena.cli.output import print_json, print_table
from arena.errors import UnknownNameError
from arena.registry import load_target

__all__ = ["only_game", "rated", "show_board", "show_leaderboard"]

_CURVED = ("elo", "glicko2", "openskill")  # methods that need matches in order


def rated(db: Path, *, method: str, game: str) -> Any:
    """Return the leaderboard of a result file."""
    load = load_target("tournaments.api:load_results")
    results = load(db, ordered=method in _CURVED)
    if game:
        results = only_game(results, game)
    if method == "auto":
        return load_target("tournaments.ratings:leaderboard")(results)
    return load_target("tournaments.ratings:rate")(results, method)


def only_game(results: Any, game: str) -> Any:
    """Return the rows of one game, named by key, label or last part of its id.

    Raises:
        UnknownNameError: no game, or several, of that name.
    """
    names = list(results.games)
    hits = [i for i, name in enumerate(names) if name == game]
    hits = hits or [i for i, name in enumerate(names) if name.split("(")[0].split("/")[-1] == game]
    if len(hits) != 1:
        raise UnknownNameError("game of this tournament", game, names, hint="see `status`")
    return load_target("tournaments.ratings.selection:select")(results, hits)


def show_leaderboard(db: Path, *, method: str, game: str, json: bool) -> None:
    """Print the ranked table of a result file."""
    show_board(rated(db, method=method, game=game), json=json)


def show_board(board: Any, *, json: bool) -> None:
    """Print a leaderboard."""
    if json:
        print_json(board.to_dict())
        return
    intervals = any(not math.isnan(row.low) for row in board.rows)
    header = ["rank", "agent", "rating", *(["95% interval"] if intervals else [])]
    header += ["games", "won", "drawn", "lost", "mean payoff"]
    forfeits = any(row.forfeits for row in board.rows)
    header += ["forfeits"] if forfeits else []
    digits = 0 if max((abs(row.rating) for row in board.rows), default=0.0) >= 100 else 3
    rows = []
    for row in board.rows:
        span = f"{row.rank_low}–{row.rank_high}" if row.rank_low != row.rank_high else ""
        cells: list[object] = [f"{row.rank} ({span})" if span else row.rank, row.agent]
        cells.append(f"{row.rating:.{digits}f}")
        if intervals:
            cells.append(f"{row.low:.{digits}f} … {row.high:.{digits}f}")
        cells += [row.games, row.wins, row.draws, row.losses, f"{row.mean_payoff:+.3f}"]
        cells += [row.forfeits] if forfeits else []
        rows.append(cells)
    numbers = [name for name in header if name != "agent"]
    print_table(header, rows, right=numbers)
    typer.echo(f"{board.method}: {board.scale}")
    for warning in board.warnings:
        typer.echo(f"note: {warning}")
