"""A league's table, members and status, as its commands show them."""

from __future__ import annotations

from typing import Any

import typer

from arena.cli.output import print_table

__all__ = ["member_facts", "show_table", "status_facts"]


def show_table(table: Any) -> None:
    """Print the ranked table."""
    finite = [row.standing for row in table.rows if row.standing is not None]
    digits = 0 if max((abs(s.rating) for s in finite), default=0.0) >= 100 else 3
    rows = []
    for row in table.rows:
        joined = row.member.joined.replace("T", " ").removesuffix("+00:00")
        s = row.standing
        if s is None:
            rows.append(["", row.member.label, "", "", "", row.status, 0, "", "", "", joined])
            continue
        span = f" ({s.rank_low}–{s.rank_high})" if s.rank_low != s.rank_high else ""
        interval = f"{s.low:.{digits}f} … {s.high:.{digits}f}" if s.low == s.low else ""
        margin = f"±{row.margin:.{digits}f}" if row.margin < float("inf") else ""
        rows.append(
            [
                *(f"{s.rank}{span}", row.member.label, f"{s.rating:.{digits}f}", interval, margin),
                *(row.status, s.games, s.wins, s.draws, s.losses, joined),
            ]
        )
    header = ["rank", "member", "rating", "95% interval", "margin", "status"]
    header += ["games", "won", "drawn", "lost", "joined (UTC)"]
    right = [name for name in header if name not in ("member", "status", "joined (UTC)")]
    print_table(header, rows, right=right)
    if table.board is None:
        typer.echo("no match has been played yet")
        return
    typer.echo(f"{table.board.method}: {table.board.scale}; {table.matches} matches")
    for warning in table.board.warnings:
        typer.echo(f"note: {warning}")


def member_facts(member: Any) -> dict[str, Any]:
    """Return a member as JSON values."""
    return {
        "member": member.label,
        "name": member.name,
        "version": member.version,
        "ref": member.spec.ref or None,
        "params": dict(member.spec.params),
        "fingerprint": member.fingerprint,
        "joined": member.joined,
        "retired": member.retired or None,
        "reason": member.reason or None,
    }


def status_facts(found: Any) -> dict[str, Any]:
    """Return a `LeagueStatus` as JSON values."""
    faults = [{"member": a, "kind": kind, "count": n} for (a, kind), n in found.faults.items()]
    return {**vars(found), "faults": faults}
