"""Whole matches between scripted strategies in one kernel call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.scripted.agent import Scripted
from agents.scripted.match import Match, form_of
from arena.agent import Agent
from arena.errors import ParameterError
from arena.game import Game
from arena.rng import seat_seeds, stream_states
from games.batch import as_seeds
from games.repeated.form import RepeatedForm

__all__ = ["play_pairs", "record_pairs"]

_NUMBERS = 5  # the longest vector of numbers that a strategy is given


def play_pairs(
    game: Game,
    agents: Sequence[Agent],
    seatings: NDArray[np.integer[Any]],
    seeds: NDArray[np.integer[Any]] | Sequence[int],
) -> NDArray[np.float64] | None:
    """Play M matches among K scripted agents, bit-equal to playing them one by one.

    Args:
        game: a 2×2 matrix game, repeated or not.
        agents: K agents.
        seatings: the agent in each seat of each match, shape (M, 2).
        seeds: of each match, shape (M,).

    Returns:
        Payoffs, shape (M, 2), or None if the game or an agent is of another kind.

    Raises:
        AgentError: a strategy is undefined for these payoffs.
    """
    played = _play(game, agents, seatings, seeds, turns=0)
    return None if played is None else played[0]


def record_pairs(
    game: Game,
    agents: Sequence[Agent],
    seatings: NDArray[np.integer[Any]],
    seeds: NDArray[np.integer[Any]] | Sequence[int],
    *,
    turns: int,
) -> tuple[NDArray[np.float64], NDArray[np.int8]] | None:
    """Do what `play_pairs` does, and return the first `turns` executed joint actions too.

    Returns:
        Payoffs, shape (M, 2), and 2·a + b for actions a and b of both seats, −1 after the
        end, shape (M, turns); or None as for `play_pairs`.
    """
    return _play(game, agents, seatings, seeds, turns=turns)


def _play(
    game: Game,
    agents: Sequence[Agent],
    seatings: NDArray[np.integer[Any]],
    seeds: NDArray[np.integer[Any]] | Sequence[int],
    *,
    turns: int,
) -> tuple[NDArray[np.float64], NDArray[np.int8]] | None:
    scripted = [agent for agent in agents if type(agent) is Scripted]
    form = _two_by_two(game)
    if form is None or len(scripted) < len(agents):
        return None
    rows, seating = as_seeds(seeds), np.asarray(seatings, dtype=np.int64)
    if seating.shape != (len(rows), 2) or (
        seating.size and not 0 <= seating.min() <= seating.max() < len(agents)
    ):
        raise ParameterError(
            "seatings", seatings, f"numbers of the {len(agents)} agents, shape ({len(rows)}, 2)"
        )
    # numba is heavy: whoever plays no batch never loads it.
    from agents.scripted._kernels import play_matches

    params = np.zeros((len(agents), 2, _NUMBERS))
    for k, agent in enumerate(scripted):
        if agent.strategy.vector is None:
            params[k, :, : len(agent.params)] = list(agent.params.values())
            continue
        # These numbers depend on the payoffs of the seat.
        for seat in range(2):
            if (seating[:, seat] == k).any():
                match = Match(f"scripted/{agent.name}", game, seat, 0)
                numbers = agent.strategy.numbers(match, agent.params)
                params[k, seat, : len(numbers)] = numbers
    payoffs = np.empty((len(rows), 2))
    record = np.full((len(rows), turns), -1, dtype=np.int8)
    play_matches(
        np.array([agent.strategy.code for agent in scripted], dtype=np.int64),
        params,
        seating,
        stream_states(np.column_stack([seat_seeds(rows, 2), rows])),
        np.ascontiguousarray(form.stage.payoffs),
        -1 if form.rounds is None else form.rounds,
        -1.0 if form.continuation is None else float(form.continuation),
        float(form.noise),
        form.payoff == "mean",
        payoffs,
        record,
    )
    return payoffs, record


def _two_by_two(game: Game) -> RepeatedForm | None:
    if "repeated" not in game.forms and "normal_form" not in game.forms:
        return None
    if game.seats != 2 or game.turns != "simultaneous":
        return None
    form = form_of("scripted", game)
    return form if form.stage.actions == (2, 2) else None
