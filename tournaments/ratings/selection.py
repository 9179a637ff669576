"""Check results, pick some of them, and compare payoffs: what every method starts with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from tournaments.records import ResultSet

__all__ = ["check_results", "compare", "only", "played_games", "select"]


def check_results(results: ResultSet) -> None:
    """Refuse results that no method can use.

    Raises:
        ParameterError: no agents, no games, an index out of range or a missing payoff.
    """
    if len(results.agents) == 0:
        raise ParameterError("results", "no agents", "results of at least one agent")
    if len(results) == 0:
        raise ParameterError("results", "0 matches", "at least one finished match")
    if int(results.count.min()) < 0:
        raise ParameterError("count", int(results.count.min()), "0 or more")
    top = int(results.seating.max(initial=-1))
    if top >= len(results.agents):
        raise ParameterError("seating", top, f"an agent index below {len(results.agents)}")
    game = results.game
    if len(game) and (int(game.min()) < 0 or int(game.max()) >= len(results.games)):
        bad = int(game.min()) if int(game.min()) < 0 else int(game.max())
        raise ParameterError("game", bad, f"a game index from 0 to {len(results.games) - 1}")
    if int(results.seating.min(initial=0)) >= 0 and bool(np.isfinite(results.payoffs.sum())):
        return  # every seat is taken and no payoff is missing
    absent = results.seating < 0
    missing = ~np.isfinite(results.payoffs)
    if bool((missing & ~absent).any()):
        row = int(np.flatnonzero((missing & ~absent).any(axis=1))[0])
        raise ParameterError("payoffs", "not a finite number", f"a payoff a seat (row {row})")


def played_games(results: ResultSet) -> list[int]:
    """Return the indices of the games that were played, increasing."""
    if len(results.games) == 1:
        return [0] if len(results) else []
    times = np.bincount(results.game, results.count, len(results.games))
    return [int(g) for g in np.flatnonzero(times)]


def select(results: ResultSet, keep: Sequence[int]) -> ResultSet:
    """Return the matches of the games in `keep` (indices), without rows of count 0.

    Agents and games keep their numbers.
    """
    wanted = np.zeros(len(results.games), dtype=np.bool_)
    wanted[list(keep)] = True
    rows = wanted[results.game] & (results.count > 0)
    if rows.all():
        return results
    return replace(
        results,
        game=results.game[rows],
        seating=results.seating[rows],
        payoffs=results.payoffs[rows],
        offender=results.offender[rows],
        count=results.count[rows],
        block=None if results.block is None else results.block[rows],
    )


def only(results: ResultSet, game: int) -> ResultSet:
    """Return the matches of one game with only the agents and the seats it has."""
    part = select(results, [game])
    seats = len(results.teams[game])
    used = np.unique(part.seating[:, :seats])
    number = np.full(len(results.agents), -1, dtype=np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    return replace(
        part,
        agents=[results.agents[k] for k in used],
        games=[results.games[game]],
        game=np.zeros_like(part.game),
        seating=number[part.seating[:, :seats]],
        payoffs=part.payoffs[:, :seats],
        teams=[results.teams[game]],
        cooperative=[results.cooperative[game]],
    )


def compare(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return +1, 0 or −1 by which payoff is higher; equal up to rounding (1e-9) is a draw."""
    gap = first - second
    sign = np.sign(gap).astype(np.int8)
    size = np.abs(gap)
    largest = max(1.0, float(np.abs(first).max(initial=0)), float(np.abs(second).max(initial=0)))
    if bool(((size <= 1e-9 * largest) & (sign != 0)).any()):
        scale = np.maximum(1.0, np.maximum(np.abs(first), np.abs(second)))
        sign[size <= 1e-9 * scale] = 0
    return sign
