"""The agent around a bot's kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.hanabi.table import BOTS
from arena.agent import Agent
from arena.errors import AgentError, UnknownNameError
from arena.game import Game, Observation
from arena.rng import seat_seeds, stream_states
from arena.types import Floats
from games.batch import BatchObservation
from games.hanabi import Variant
from games.hanabi import layout as at

__all__ = ["HanabiBot"]


class HanabiBot:
    """Plays one of `agents.hanabi.table.BOTS`.

    It goes through the moves that its observation shows, so it can be asked at any point
    of a game, and knows no more than the observation does.

    Args:
        name: the bot.

    Raises:
        UnknownNameError: there is no such bot.
    """

    version = "1"

    def __init__(self, name: str) -> None:
        if name not in BOTS:
            raise UnknownNameError("Hanabi bot", name, BOTS)
        # numba is heavy: whoever only lists or describes agents never loads it.
        from agents.hanabi import _kernels
        from agents.hanabi._table_kernels import WORK

        self.name = name
        self.bot = BOTS[name]
        self.stochastic = self.bot.stochastic
        self._kernels: Any = _kernels
        self._work = np.zeros(WORK, dtype=np.int64)

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new game.

        Raises:
            AgentError: the game is not arena's Hanabi.
        """
        self._start(game, seat, stream_states(np.array([seed & (1 << 64) - 1], dtype=np.uint64)))

    def begin_batch(self, game: Game, seat: int, seeds: NDArray[np.uint64]) -> None:
        """Start N games."""
        self._start(game, seat, stream_states(seeds))

    def _start(self, game: Game, seat: int, streams: NDArray[np.uint64]) -> None:
        variant = _variant(self.name, game)
        self._numbers = variant.numbers
        self._actions = variant.actions
        self._seat = seat
        self._streams = streams
        self._rows = np.zeros((len(streams), variant.width), dtype=np.int16)
        self._rows[:, at.LENGTH] = -1
        self._memories = np.zeros((len(streams), at.MAX_CARDS), dtype=np.int64)

    def act(self, observation: Observation) -> int:
        """Return the move."""
        out = np.zeros(1, dtype=np.int64)
        self._act_all(_row(self.name, observation)[None], out)
        return int(out[0])

    def act_batch(self, observation: BatchObservation) -> NDArray[np.int64]:
        """Return the moves that `act` would make, shape (N,)."""
        out = np.zeros(len(self._rows), dtype=np.int64)
        self._act_all(observation.rows, out)  # type: ignore[attr-defined] # of Hanabi's batches
        return out

    def _act_all(self, seen: NDArray[np.int16], out: NDArray[np.int64]) -> None:
        self._kernels.act_all(
            self.bot.number,
            seen,
            self._rows,
            self._numbers,
            self._memories,
            self._seat,
            self._streams,
            out,
            self._work,
        )

    def policy(self, observation: Observation) -> Floats:
        """Return the distribution that `act` draws from, shape (A,)."""
        row, memory = self._rows[0].copy(), self._memories[0].copy()
        seen, kernels = _row(self.name, observation), self._kernels
        number, numbers = self.bot.number, self._numbers
        kernels.catch_up(number, seen, row, numbers, memory, self._seat, self._work)
        bits = int(kernels.options(number, row, numbers, memory, self._seat, self._work))
        out = np.array([float(bits >> action & 1) for action in range(self._actions)])
        probabilities: Floats = out / out.sum()
        return probabilities

    def play_batch(
        self, game: Game, agents: Sequence[Agent], seeds: NDArray[np.uint64]
    ) -> NDArray[np.float64] | None:
        """Play whole games in a kernel if all agents are of this kind; see `games.batch`."""
        if not all(isinstance(agent, HanabiBot) for agent in agents):
            return None
        variant = _variant(self.name, game)
        batch = game.form("batch", seeds=seeds)
        self._kernels.play_games(
            np.array([agent.bot.number for agent in agents if isinstance(agent, HanabiBot)]),
            batch.rows,
            variant.numbers,
            np.zeros((variant.players, at.MAX_CARDS), dtype=np.int64),
            stream_states(seat_seeds(seeds, variant.players)),
            self._work,
        )
        returns: NDArray[np.float64] = batch.returns()
        return returns

    def close(self) -> None:
        """Nothing to release."""


def _variant(name: str, game: Game) -> Variant:
    if "hanabi" not in game.forms:
        raise AgentError(f"hanabi/{name} plays the game hanabi, not {game.key}")
    variant: Variant = game.form("hanabi")
    return variant


def _row(name: str, observation: Observation) -> NDArray[np.int16]:
    row: NDArray[np.int16] | None = getattr(observation, "row", None)
    if row is None:
        raise AgentError(f"hanabi/{name} was shown an observation that is not of the game hanabi")
    return row
