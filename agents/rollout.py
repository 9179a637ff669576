"""Flat Monte Carlo search: try each action, play on at random, keep the best.

1. Draw a state from those that the acting seat cannot tell apart (`observation.resample`).
2. Play each candidate action in it and finish the episode uniformly at random; all
   candidates meet the same states and the same luck (common random numbers).
3. After each round drop the worse half of the candidates (sequential halving), so the
   budget goes to the actions that matter.

It works on any game whose observations can be resampled and needs no evaluation function.

Source: Karnin, Koren and Somekh 2013, "Almost Optimal Exploration in Multi-Armed Bandits",
section 3 (sequential halving).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from arena.episode import drive
from arena.errors import AgentError, FormError, ParameterError
from arena.game import Game, Observation, State
from arena.rng import Stream
from arena.types import Action

__all__ = ["Rollout"]


class Rollout:
    """Chooses by random playouts.

    Args:
        simulations: playouts for one decision, shared by the candidate actions.
    """

    version = "1"

    def __init__(self, *, simulations: int = 64) -> None:
        if isinstance(simulations, bool) or not isinstance(simulations, int) or simulations < 1:
            raise ParameterError("simulations", simulations, "an integer ≥ 1", where="rollout")
        self.simulations = simulations
        self._game: Game | None = None

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new stream.

        Raises:
            AgentError: the game's actions are not discrete, or it cannot resample what is
                hidden from a seat.
        """
        if game is not self._game:
            _check(game)
            self._game = game
        self._seats = game.seats
        self._stream = Stream(seed)

    def act(self, observation: Observation) -> Action:
        """Return the action with the best mean return over the playouts."""
        actions = list(observation.actions or ())
        if len(actions) == 1:
            return actions[0]
        resample: Callable[[int], State] = observation.resample  # type: ignore[attr-defined] # checked in begin
        seat, stream = observation.seat, self._stream
        chooser = [_uniform(stream)] * self._seats
        totals = dict.fromkeys(actions, 0.0)
        rounds = max(1, math.ceil(math.log2(len(actions))))
        while len(actions) > 1:
            worlds = max(1, self.simulations // (rounds * len(actions)))
            for _ in range(worlds):
                world = resample(stream.below(1 << 30))
                for action in actions:
                    totals[action] += self._playout(world.clone(), seat, action, chooser)
            # Every survivor has met the same worlds, so totals compare like means.
            actions.sort(key=lambda a: -totals[a])
            del actions[(len(actions) + 1) // 2 :]
        return actions[0]

    def _playout(
        self, state: State, seat: int, action: int, chooser: Sequence[Callable[[Any], Any]]
    ) -> float:
        actors = state.actors()
        joint = {s: action if s == seat else chooser[s](state.observe(s)) for s in actors}
        state.step(joint)
        drive(state, chooser)
        return float(state.returns()[seat])

    def close(self) -> None:
        """Nothing to release."""


def _check(game: Game) -> None:
    if not game.discrete:
        raise AgentError(f"rollout needs discrete actions; {game.key} has {game.actions}")
    state = game.state(0)
    seat = state.actors()[0]
    resample = getattr(state.observe(seat), "resample", None)
    try:
        if resample is not None:
            resample(0)
            return
    except FormError as error:
        raise AgentError(f"rollout cannot play {game.key}: {error}") from error
    raise AgentError(f"rollout cannot play {game.key}: its hidden information cannot be resampled")


def _uniform(stream: Stream) -> Callable[[Observation], int]:
    choice = stream.choice

    def choose(observation: Observation) -> int:
        return choice(observation.actions)  # type: ignore[arg-type] # discrete: never None

    return choose
