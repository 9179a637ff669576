"""Simulated tournaments whose truth is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tournaments.records import ResultSet


def result_set(
    seating: NDArray[np.int64],
    payoffs: NDArray[np.float64],
    *,
    agents: int | list[str],
    count: NDArray[np.int64] | None = None,
    game: NDArray[np.int64] | None = None,
    games: list[str] | None = None,
    teams: list[tuple[int, ...]] | None = None,
    cooperative: list[bool] | None = None,
    block: NDArray[np.int64] | None = None,
    offender: NDArray[np.int64] | None = None,
    ordered: bool = False,
) -> ResultSet:
    rows, seats = np.shape(seating)
    games = games or ["g"]
    return ResultSet(
        agents=[f"a{k}" for k in range(agents)] if isinstance(agents, int) else agents,
        games=games,
        game=np.zeros(rows, np.int32) if game is None else np.asarray(game, np.int32),
        seating=np.asarray(seating, np.int32),
        payoffs=np.asarray(payoffs, np.float64),
        offender=np.full(rows, -1, np.int8) if offender is None else np.asarray(offender, np.int8),
        count=np.ones(rows, np.int64) if count is None else np.asarray(count, np.int64),
        ordered=ordered,
        teams=teams or [tuple(range(seats)) for _ in games],
        cooperative=cooperative or [False for _ in games],
        block=block,
    )


def play(
    rng: np.random.Generator,
    strength: NDArray[np.float64],
    pairs: NDArray[np.int64],
    *,
    advantage: float = 0.0,
    draw: float = 0.0,
) -> NDArray[np.float64]:
    """Return payoffs (M, 2) drawn from Davidson's model; `draw` is ν."""
    gap = strength[pairs[:, 0]] - strength[pairs[:, 1]] + advantage
    win, lose = np.exp(gap / 2), np.exp(-gap / 2)
    u = rng.random(len(pairs)) * (win + lose + draw)
    first = np.where(u < win, 1.0, np.where(u < win + draw, 0.0, -1.0))
    return np.stack([first, -first], axis=1)


def tournament(
    seed: int,
    *,
    agents: int = 20,
    matches: int = 2000,
    advantage: float = 0.0,
    draw: float = 0.0,
    spread: float = 1.0,
) -> tuple[NDArray[np.float64], ResultSet]:
    """Return true strengths (log odds, mean 0) and results of random pairs."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0.0, spread, agents)
    strength -= strength.mean()
    first = rng.integers(agents, size=matches)
    second = (first + rng.integers(1, agents, size=matches)) % agents
    pairs = np.stack([first, second], axis=1)
    payoffs = play(rng, strength, pairs, advantage=advantage, draw=draw)
    return strength, result_set(pairs, payoffs, agents=agents)
