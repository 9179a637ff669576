"""What a scripted strategy knows before the first round, and how it tosses coins."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

import numpy as np

from arena.errors import AgentError
from arena.game import Game
from arena.rng import Stream
from games.normal_form import NormalForm
from games.repeated.form import RepeatedForm

__all__ = ["COOPERATE", "DEFECT", "Match", "Rule", "form_of"]

COOPERATE = 0
"""In every 2×2 game action 0 counts as cooperation."""
DEFECT = 1
"""In every 2×2 game action 1 counts as defection."""

Rule: TypeAlias = "Generator[int, tuple[int, int], None]"
"""A strategy: yields an action, is sent what was executed (mine, theirs), and so on."""


def form_of(name: str, game: Game) -> RepeatedForm:
    """Return the repeated form of a game; one play of a matrix game is one round.

    Raises:
        AgentError: it is not a (repeated) matrix game.
    """
    if "repeated" in game.forms:
        form: RepeatedForm = game.form("repeated")
        return form
    if "normal_form" in game.forms and game.turns == "simultaneous":
        stage: NormalForm = game.form("normal_form")
        return RepeatedForm(stage, rounds=1)
    raise AgentError(
        f"{name} plays matrix games and their repetitions, such as repeated/prisoners_dilemma;"
        f" {game.key} is neither"
    )


class Match:
    """One match of a repeated 2×2 game, seen from one seat.

    Attributes:
        rng: the seat's stream.
        horizon: the number of rounds where it is known beforehand, else None.
        own: what one is paid, `own[mine][theirs]`; R = own[0][0], S = own[0][1],
            T = own[1][0], P = own[1][1] in the prisoner's dilemma.
        other: what the other is paid, `other[mine][theirs]`.
    """

    __slots__ = ("horizon", "other", "own", "rng")

    def __init__(self, name: str, game: Game, seat: int, seed: int) -> None:
        form = form_of(name, game)
        if form.stage.actions != (2, 2):
            raise AgentError(
                f"{name} plays two seats with two actions (0 cooperate, 1 defect);"
                f" {game.key} has {'×'.join(map(str, form.stage.actions))} actions"
            )
        self.rng = Stream(seed)
        self.horizon = form.horizon
        payoffs = form.stage.payoffs
        if seat:
            payoffs = np.stack([payoffs[1].T, payoffs[0].T])
        self.own: list[list[float]] = payoffs[0].tolist()
        self.other: list[list[float]] = payoffs[1].tolist()

    def coin(self, p: float) -> int:
        """Cooperate with probability `p`; what is certain takes no draw."""
        if p <= 0.0:
            return DEFECT
        if p >= 1.0:
            return COOPERATE
        return COOPERATE if self.rng.random() < p else DEFECT

    def last(self, played: int, rounds: int) -> bool:
        """Return whether the round after `played` is among the last `rounds`, as far as known."""
        return self.horizon is not None and self.horizon - played <= rounds
