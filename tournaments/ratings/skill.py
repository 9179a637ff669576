"""OpenSkill (Weng and Lin 2011) for any number of seats and teams, through `openskill`."""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.errors import MissingDependencyError, NotApplicableError, ParameterError
from tournaments.ratings._summary import board
from tournaments.ratings.leaderboard import Leaderboard
from tournaments.ratings.selection import check_results, select
from tournaments.records import ResultSet

__all__ = ["MODELS", "openskill"]

MODELS = ("BradleyTerryFull", "BradleyTerryPart", "PlackettLuce", "ThurstoneMostellerFull")


def openskill(results: ResultSet, *, model: str = "PlackettLuce") -> Leaderboard:
    """Rate by OpenSkill; intervals are μ ± 1.96 σ.

    Args:
        results: matches, in order if they are ordered; a folded row is repeated.
        model: one of `MODELS`.

    Raises:
        MissingDependencyError: `openskill` is not installed.
        NotApplicableError: no match has two sides.
    """
    if model not in MODELS:
        raise ParameterError("model", model, f"one of {', '.join(MODELS)}")
    try:
        import openskill.models as library
    except ImportError:
        raise MissingDependencyError(
            "openskill", "pip install openskill", purpose="rating by OpenSkill"
        ) from None
    check_results(results)
    rivals = [
        g
        for g, team in enumerate(results.teams)
        if len(set(team)) > 1 and not results.cooperative[g]
    ]
    played = select(results, rivals)
    if len(played.game) == 0:
        raise NotApplicableError("no match has two sides; rank by method 'payoff'")
    engine: Any = getattr(library, model)()
    rating = [engine.rating(name=name) for name in results.agents]
    seats = [
        [[s for s, t in enumerate(team) if t == name] for name in sorted(set(team))]
        for team in results.teams
    ]
    for row in range(len(played.game)):
        sides = seats[int(played.game[row])]
        who = [[int(played.seating[row, s]) for s in side] for side in sides]
        if len({k for side in who for k in side}) < sum(map(len, who)):
            continue  # an agent against (or beside) itself tells nothing about it
        paid = [float(played.payoffs[row, side].mean()) for side in sides]
        for _ in range(int(played.count[row])):
            _match(engine, rating, who, paid)
    mean = np.array([r.mu for r in rating])
    spread = np.array([r.sigma for r in rating])
    warnings = ["OpenSkill depends on the order of the matches"]
    if not results.ordered:
        warnings.append("the results are folded, so their order is arbitrary")
    return board(
        played,
        mean,
        method="openskill",
        scale=f"OpenSkill {model} μ",
        level=0.95,
        half_width=1.959963984540054 * spread,
        warnings=warnings,
    )


def _match(engine: Any, rating: list[Any], who: list[list[int]], paid: list[float]) -> None:
    """Update the ratings (in place) by one match."""
    places = [float(sum(other > p + 1e-9 * max(1.0, abs(p)) for other in paid)) for p in paid]
    after = engine.rate([[rating[k] for k in side] for side in who], ranks=places)
    for side, line in zip(who, after, strict=True):
        for k, r in zip(side, line, strict=True):
            rating[k] = r
