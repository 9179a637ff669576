"""From results to ratings: one method a module, all fed by `tournaments.records.ResultSet`.

`leaderboard(results)` picks what fits the results; `rate(results, method=…)` takes a
name from `METHODS`. Every method returns a `Leaderboard`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from arena.errors import ParameterError, UnknownNameError
from tournaments.ratings.leaderboard import Leaderboard, Standing
from tournaments.ratings.selection import played_games
from tournaments.records import ResultSet

__all__ = ["METHODS", "Leaderboard", "Standing", "leaderboard", "rate"]

METHODS: dict[str, str] = {
    "alpharank": "tournaments.ratings.alpharank:alpharank",
    "cross_play": "tournaments.ratings.cross_play:cross_play",
    "davidson": "tournaments.ratings.davidson:davidson",
    "elo": "tournaments.ratings.elo:elo",
    "glicko2": "tournaments.ratings.glicko:glicko2",
    "nash_averaging": "tournaments.ratings.nash_averaging:nash_averaging",
    "openskill": "tournaments.ratings.skill:openskill",
    "payoff": "tournaments.ratings.payoff:payoff",
}
"""Rating methods by name, as lazy `module:function`."""


def rate(results: ResultSet, method: str = "davidson", **settings: Any) -> Leaderboard:
    """Rate the agents of `results`.

    Args:
        results: what was played.
        method: a key of `METHODS`.
        settings: keyword arguments of that method's function.

    Raises:
        UnknownNameError: no such method.
        ParameterError: a setting that the method does not have, or a value out of range.
        NotApplicableError: results that the method cannot rate, with the reason.
    """
    if method not in METHODS:
        raise UnknownNameError("rating method", method, METHODS, hint=f"known: {_known()}")
    module, name = METHODS[method].split(":")
    function: Callable[..., Leaderboard] = getattr(import_module(module), name)
    allowed = function.__kwdefaults__ or {}
    for key, value in settings.items():
        if key not in allowed:
            raise ParameterError(
                key, value, f"one of the settings {', '.join(sorted(allowed))}", where=method
            )
    return function(results, **settings)


def leaderboard(results: ResultSet, **settings: Any) -> Leaderboard:
    """Rate by the default: Davidson's model, or mean payoff where no game has two sides."""
    played = played_games(results)
    rivals = any(not results.cooperative[g] and len(set(results.teams[g])) > 1 for g in played)
    # No matches at all: let the default say so.
    return rate(results, "davidson" if rivals or not played else "payoff", **settings)


def _known() -> str:
    return ", ".join(sorted(METHODS))
