"""The records that the runner writes and that ratings and reports read.

A *match* is one episode: a game, an agent in each seat, a chance seed. A `ResultSet`
holds many of them as columns; equal rows may be folded into one with a count, which is
how a million games stay cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError

__all__ = ["ResultSet"]


@dataclass(frozen=True, eq=False)
class ResultSet:
    """Results as columns: M rows, up to n seats, K agents.

    Attributes:
        agents: agent labels, length K; a row refers to them by index.
        games: game keys, the same way.
        game: game index, shape (M,).
        seating: the agent in each seat, shape (M, n), −1 beyond a game's own seats.
        payoffs: what each seat was paid, shape (M, n), NaN beyond a game's own seats.
        offender: the seat that forfeited, or −1, shape (M,). A forfeit's payoffs are
            already those of a forfeit.
        count: how many equal matches the row stands for, shape (M,).
        ordered: whether rows are single matches in schedule order (for curves over
            time), rather than folded ones.
        teams: team of each seat by game, length of `games`.
        cooperative: whether all seats of the game share one payoff, by game.
        block: matches of one number share their luck (one pairing in its seat orders on
            one chance seed), shape (M,); None where matches are independent or folded.
    """

    agents: Sequence[str]
    games: Sequence[str]
    game: NDArray[np.int32]
    seating: NDArray[np.int32]
    payoffs: NDArray[np.float64]
    offender: NDArray[np.int8]
    count: NDArray[np.int64]
    ordered: bool
    teams: Sequence[tuple[int, ...]]
    cooperative: Sequence[bool]
    block: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        rows = len(self.game)
        if self.seating.shape != self.payoffs.shape or self.seating.ndim != 2:
            raise ParameterError("payoffs", self.payoffs.shape, f"shape {self.seating.shape}")
        for name in ("seating", "payoffs", "offender", "count", "block"):
            column = getattr(self, name)
            if column is not None and len(column) != rows:
                raise ParameterError(name, len(column), f"{rows} rows, one a match")

    def __len__(self) -> int:
        return int(self.count.sum())
