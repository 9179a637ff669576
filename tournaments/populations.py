"""Two populations, one for each seat: everyone of the first against everyone of the second.

For games whose seats are not alike, such as controllers against adversaries. All pairs meet
on the same chance seeds. From the payoffs of seat 0

1. the payoff matrix, with standard errors over episodes,
2. its Nash mixture: the meta-game of who to send, by linear programming (Lanctot et al. 2017),
3. ratings: `nash`, the payoff against the other population's mixture; and `effect`, least
   squares of payoff = mean + row effect − column effect, in payoff units.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agent import Agent
from arena.episode import drive
from arena.errors import NotApplicableError, ParameterError
from arena.files import write_atomic
from arena.game import Game
from arena.rng import derive, derive_many, seat_seeds
from games.batch import play_batch
from solvers.matrix import two_seats

__all__ = ["PopulationTable", "play_populations"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PopulationTable:
    """What came of it.

    Attributes:
        game: the game's key.
        rows: names of those in seat 0, length R.
        columns: names of those in seat 1, length C.
        payoff: mean payoff of seat 0, shape (R, C).
        error: standard errors, shape (R, C); NaN with one episode.
        episodes: of each pair.
        row_mixture: Nash mixture of the rows, shape (R,).
        column_mixture: of the columns, shape (C,).
        value: what the rows earn when both send their mixtures.
    """

    game: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    payoff: Array
    error: Array
    episodes: int
    row_mixture: Array
    column_mixture: Array
    value: float

    @property
    def ratings(self) -> dict[str, dict[str, float]]:
        """For each name `nash`, `effect` and `share` in the mixture; more is better for both."""
        mean = float(self.payoff.mean())
        out = {}
        for k, name in enumerate(self.rows):
            out[name] = {
                "nash": float(self.payoff[k] @ self.column_mixture),
                "effect": float(self.payoff[k].mean()) - mean,
                "share": float(self.row_mixture[k]),
            }
        for k, name in enumerate(self.columns):
            out[name] = {
                "nash": 0.0 - float(self.row_mixture @ self.payoff[:, k]),
                "effect": mean - float(self.payoff[:, k].mean()),
                "share": float(self.column_mixture[k]),
            }
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values (NaN as null)."""
        error = [[x if np.isfinite(x) else None for x in line] for line in self.error.tolist()]
        return {
            "format": "arena/populations/1",
            "game": self.game,
            "rows": list(self.rows),
            "columns": list(self.columns),
            "payoff": self.payoff.tolist(),
            "error": error,
            "episodes": self.episodes,
            "row_mixture": self.row_mixture.tolist(),
            "column_mixture": self.column_mixture.tolist(),
            "value": self.value,
            "ratings": self.ratings,
        }

    def save(self, path: str | Path) -> None:
        """Write `to_dict` as JSON."""
        with write_atomic(path) as file:
            file.write((json.dumps(self.to_dict(), indent=1) + "\n").encode())


def play_populations(
    game: Game,
    rows: Mapping[str, Agent],
    columns: Mapping[str, Agent],
    *,
    episodes: int = 20,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> PopulationTable:
    """Play everyone in seat 0 against everyone in seat 1.

    Args:
        game: of two seats, zero-sum.
        rows: name to agent in seat 0.
        columns: name to agent in seat 1; no object may be in both.
        episodes: of each pair, the same seeds for all pairs.
        seed: everything random follows from it.
        progress: told pairs done and pairs in all.

    Raises:
        NotApplicableError: another game.
        ParameterError: nobody there, a name in both populations, no episodes.
        AgentError: an agent refuses the game or misbehaves.
    """
    if game.seats != 2 or game.payoff != "zero_sum":
        raise NotApplicableError(
            f"{game.key} has {game.seats} seats and is {game.payoff}; two populations need a"
            " zero-sum game of two seats"
        )
    _check(rows, columns, episodes)
    seeds = derive_many(derive(seed, "populations"), np.arange(episodes))
    payoff = np.empty((len(rows), len(columns)))
    error = np.full_like(payoff, np.nan)
    for i, row in enumerate(rows.values()):
        for j, column in enumerate(columns.values()):
            paid = _paid(game, [row, column], seeds)
            payoff[i, j] = paid.mean()
            if episodes > 1:
                error[i, j] = paid.std(ddof=1) / episodes**0.5
            if progress is not None:
                progress(i * len(columns) + j + 1, payoff.size)
    p, q = two_seats.zero_sum(payoff)
    return PopulationTable(
        game.key, tuple(rows), tuple(columns), payoff, error, episodes, p, q, float(p @ payoff @ q)
    )


def _check(rows: Mapping[str, Agent], columns: Mapping[str, Agent], episodes: int) -> None:
    for name, group in (("rows", rows), ("columns", columns)):
        if not group:
            raise ParameterError(name, dict(group), "at least one agent")
    if both := sorted(set(rows) & set(columns)):
        raise ParameterError("name", both[0], "one population: it is in both")
    if not isinstance(episodes, int) or episodes < 1:
        raise ParameterError("episodes", episodes, "a whole number, 1 or more")


def _paid(game: Game, agents: Sequence[Agent], seeds: NDArray[np.uint64]) -> Array:
    """Return what seat 0 was paid, shape (N,)."""
    played = play_batch(game, agents, seeds)
    if played is not None:
        return played[:, 0]
    own = seat_seeds(seeds, game.seats).tolist()
    paid = np.empty(len(seeds))
    for k, seed in enumerate(seeds.tolist()):
        for seat, agent in enumerate(agents):
            agent.begin(game, seat, own[k][seat])
        state = game.state(seed)
        drive(state, [agent.act for agent in agents])
        paid[k] = float(state.returns()[0])
    return paid
