"""A relabelled game is the game: same rules, relabelled observations and actions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import arena
from arena.rng import Stream
from arena.types import CHANCE
from games.hanabi import layout as at
from tests.games.hanabi.variants import OWN, SHARED, named


@pytest.mark.parametrize("params", SHARED + OWN, ids=named)
def test_a_deck_of_other_names_is_played_by_other_names(params: dict[str, Any]) -> None:
    game = arena.make("hanabi", **params)
    variant = game.form("hanabi")
    observation, action = game.form("symmetries")
    count = len(action)
    assert observation.shape == (count, variant.tensor_size)
    assert (np.sort(observation, axis=1) == np.arange(variant.tensor_size)).all()
    assert (np.sort(action, axis=1) == np.arange(variant.actions)).all()
    assert (observation[0] == np.arange(variant.tensor_size)).all()
    assert (action[0] == np.arange(variant.actions)).all()
    stream = Stream(len(repr(params)))
    for trial in range(4):
        k = stream.below(count) if trial else count - 1
        _in_step(game, variant, observation[k], action[k], stream)


def _in_step(game: Any, variant: Any, observation: Any, action: Any, stream: Stream) -> None:
    # What a colour is called: read off the first card of the other's hand.
    names = (np.argsort(observation[: variant.max_score])[:: variant.ranks]) // variant.ranks
    one, other = game.root(), game.root()
    while actors := one.actors():
        assert other.actors() == actors
        if actors == (CHANCE,):
            outcomes = [outcome for outcome, _ in one.chance_outcomes()]
            drawn = stream.choice(outcomes)
            dealing = one.row[at.START] >= 0  # not who begins
            color, rank = divmod(drawn, variant.ranks)
            called = int(names[color]) * variant.ranks + rank if dealing else drawn
            one.step({CHANCE: drawn})
            other.step({CHANCE: called})
            continue
        for seat in range(game.seats):
            mine, yours = one.observe(seat), other.observe(seat)
            assert (yours.tensor == mine.tensor[observation]).all()
            assert (yours.legal == mine.legal[action]).all()
        seat = actors[0]
        pick = stream.choice(other.legal(seat))
        other.step({seat: pick})
        one.step({seat: int(action[pick])})
        assert (one.returns() == other.returns()).all()
    assert other.actors() == ()
