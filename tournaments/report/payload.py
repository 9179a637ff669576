"""What the page's script reads: one JSON record, and the replays as packed lines.

Replays are one JSON line a match, joined, deflated (zlib) and put in base64. Lines are
added until a budget is used up, in the order of `tournaments.report.fair`.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from arena.types import Floats
from tournaments.report.data import Curve, Match, Replay, ReportData, Table
from tournaments.report.fair import by_need
from tournaments.report.text import clean, embed, shorten

__all__ = ["MOST_AGENTS", "facts", "pack_replays"]

MOST_AGENTS = 100
"""Agents of a matrix or a curve at most; the leaderboard always shows all."""


def facts(data: ReportData, *, shown: Sequence[Match], replayed: set[int]) -> str:
    """Return the JSON record: everything but the replays' steps."""
    curve = data.curve
    return embed(
        {
            "name": clean(data.name),
            "agents": [clean(agent) for agent in data.agents],
            "games": [
                {
                    "key": clean(game.key),
                    "label": clean(game.label),
                    "seats": [clean(seat) for seat in game.seat_names],
                    "board": game.board,
                }
                for game in data.games
            ],
            "tables": [_table(table) for table in data.tables],
            "curve": None if curve is None else _curve(curve),
            "matches": [_match(match, replayed) for match in shown],
        }
    )


def _curve(curve: Curve) -> dict[str, Any]:
    """Return the lines of the agents that ended highest."""
    last = np.full(curve.ratings.shape[1], -np.inf)
    for ratings in curve.ratings:
        last = np.where(np.isnan(ratings), last, ratings)
    agents = [k for k in np.argsort(-last, kind="stable").tolist() if np.isfinite(last[k])]
    agents = agents[:MOST_AGENTS]
    lines = _matrix(curve.ratings[:, agents].T, 6)
    return {"x": curve.matches.tolist(), "agents": agents, "y": lines}


def _table(table: Table) -> dict[str, Any]:
    pairs = table.pairs
    order = [row.agent for row in table.standings[:MOST_AGENTS]]
    inner = np.ix_(order, order)
    return {
        "label": clean(table.label),
        "view": table.view,
        "scale": clean(table.scale),
        "order": order,
        "rows": [
            {
                "agent": row.agent,
                "rank": row.rank,
                "rank_low": row.rank_low,
                "rank_high": row.rank_high,
                "rating": _number(row.rating, 8),
                "low": _number(row.low, 8),
                "high": _number(row.high, 8),
                "games": row.games,
                "wins": row.wins,
                "draws": row.draws,
                "losses": row.losses,
                "forfeits": row.forfeits,
                "mean_payoff": _number(row.mean_payoff, 8),
            }
            for row in table.standings
        ],
        "wins": pairs.wins[inner].tolist(),
        "draws": pairs.draws[inner].tolist(),
        "met": pairs.met[inner].tolist(),
        "payoff": _matrix(pairs.payoff[inner], 5),
        "error": _matrix(pairs.payoff_error[inner], 3),
        "superiority": None if table.superiority is None else _matrix(table.superiority[inner], 4),
    }


def _match(match: Match, replayed: set[int]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "n": match.number,
        "id": clean(match.id),
        "g": match.game,
        "s": list(match.seating),
        "p": [_number(x, 6) for x in match.payoffs],
        "r": int(match.number in replayed),
        "seed": str(match.seed),  # a 64-bit integer is more than a JavaScript number holds
    }
    if match.offender >= 0:
        row |= {"o": match.offender, "f": match.fault, "d": shorten(clean(match.detail), 500)}
    if match.truncated:
        row["t"] = 1
    if match.missing:
        row["m"] = clean(match.missing)
    return row


def _number(value: float, digits: int) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def _matrix(values: Floats, digits: int) -> list[list[float | None]]:
    return [[_number(x, digits) for x in row] for row in values.tolist()]


def pack_replays(matches: Sequence[Match], *, budget: int) -> tuple[str, set[int]]:
    """Pack replays until `budget` bytes of the page are used.

    Args:
        matches: candidates; those without a replay are passed over.
        budget: bytes of base64; ten times as much may be unpacked by the page.

    Returns:
        The base64 text and the numbers of the matches in it.
    """
    packer = zlib.compressobj(9)
    lines: list[bytes] = []
    kept: set[int] = set()
    packed = unpacked = 0
    stored = [(match, match.replay) for match in matches if match.replay is not None]
    for place in by_need([match for match, _ in stored]):
        match, replay = stored[place]
        line = _line(match.number, replay)
        # The flush tells how big the stream has grown; the real one is written without.
        packed += len(packer.compress(line) + packer.flush(zlib.Z_SYNC_FLUSH))
        unpacked += len(line)
        if packed * 4 > budget * 3 or unpacked > budget * 10:
            break
        lines.append(line)
        kept.add(match.number)
    return base64.b64encode(zlib.compress(b"".join(lines), 9)).decode("ascii"), kept


def _line(number: int, replay: Replay) -> bytes:
    """Return one match as a JSON line: [number, note, [[text, moves, returns, chance, svg]…]]."""
    steps = [
        [
            clean(step.text),
            [[seat, clean(text)] for seat, text in step.moves],
            [_number(x, 6) for x in step.returns],
            None if step.chance is None else _number(step.chance, 4),
            clean(step.svg),
        ]
        for step in replay.steps
    ]
    text = json.dumps([number, clean(replay.note), steps], separators=(",", ":"))
    return text.encode("ascii") + b"\n"
