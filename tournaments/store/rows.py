"""How a plan stands in the tables `game` and `agent`."""

from __future__ import annotations

import json
from typing import Any

from tournaments.plan import Plan

__all__ = ["plan_rows"]


def plan_rows(plan: Plan) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of `game` and `agent` that describe a plan."""
    games = [
        {
            "label": board.label,
            "name": board.label,
            "game_id": board.spec.id,
            "params": json.dumps(dict(board.spec.params), sort_keys=True),
            "version": board.version,
            "seats": board.seats,
            "teams": json.dumps(board.teams),
            "payoff": board.payoff,
            "digest": board.digest,
            "facts": json.dumps(board.describe(), sort_keys=True),
        }
        for board in plan.boards
    ]
    agents = [
        {
            "label": entry.spec.name,
            "name": entry.spec.name,
            "digest": entry.digest,
            "facts": json.dumps(entry.describe(), sort_keys=True, default=str),
        }
        for entry in plan.entries
    ]
    return games, agents
