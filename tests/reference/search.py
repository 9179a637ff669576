"""What search computes, written out: action values by recursion over states."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from arena.game import Game
from arena.policy import TabularPolicy
from arena.types import CHANCE


def action_values(game: Game, policy: TabularPolicy) -> dict[tuple[int, str], dict[int, float]]:
    """E[payoff of the seat | its infoset, action, then `policy`], for every infoset."""
    total: dict[Any, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    weight: dict[Any, float] = defaultdict(float)

    def worth(state: Any) -> np.ndarray:
        actors = state.actors()
        if not actors:
            return np.asarray(state.returns())
        out = np.zeros(game.seats)
        for action, p in odds(state, actors[0]):
            if p > 0:
                out += p * worth(after(state, actors[0], action))
        return out

    def visit(state: Any, reach: np.ndarray) -> None:
        actors = state.actors()
        if not actors:
            return
        seat = actors[0]
        if seat != CHANCE:
            key = (seat, state.observe(seat).key)
            others = float(np.prod(np.delete(reach, seat)))
            weight[key] += others
            for action, _ in odds(state, seat):
                total[key][action] += others * worth(after(state, seat, action))[seat]
        for action, p in odds(state, seat):
            twin = reach.copy()
            twin[-1 if seat == CHANCE else seat] *= p
            visit(after(state, seat, action), twin)

    def odds(state: Any, seat: int) -> list[tuple[int, float]]:
        if seat == CHANCE:
            return list(state.chance_outcomes())
        row = policy.probabilities(state.observe(seat))
        return [(action, float(row[action])) for action in state.legal(seat)]

    def after(state: Any, seat: int, action: int) -> Any:
        twin = state.clone()
        twin.step({seat: action})
        return twin

    visit(game.root(), np.ones(game.seats + 1))
    return {
        key: {action: value / weight[key] for action, value in row.items()}
        for key, row in total.items()
        if weight[key] > 0
    }
