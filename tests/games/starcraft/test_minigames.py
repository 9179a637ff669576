"""A mini-game in the (stand-in) engine, through feature layers and function calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import arena
from arena.errors import ArenaError, IllegalActionError, MissingDependencyError
from tests.fake_sc2.installed import FakeEngine

NAME = "starcraft/minigame/MoveToBeacon"
NO_OP, SELECT_ARMY, MOVE_SCREEN = 0, 7, 331
OWN, BEACON = 1, 3


def action(game: Any, function: int, **slots: int) -> np.ndarray:
    vector = np.zeros(len(game.actions[0].sizes), dtype=np.int64)
    vector[0] = function
    for index, value in slots.items():
        vector[int(index[1:])] = value
    return vector


def walk(game: Any, state: Any) -> np.ndarray:
    """The scripted player of the paper: select the marine, then go where the beacon is."""
    shown = state.observe(0).layers
    if MOVE_SCREEN not in shown["available_actions"]:
        return action(game, SELECT_ARMY)
    rows, columns = np.nonzero(np.asarray(shown["feature_screen"].player_relative) == BEACON)
    if not len(rows):
        return action(game, NO_OP)
    return action(game, MOVE_SCREEN, _1=int(columns[0]), _2=int(rows[0]))


def play(game: Any, state: Any) -> list[float]:
    paid = []
    while state.actors():
        state.step({0: walk(game, state)})
        paid.append(float(state.rewards()[0]))
    return paid


def test_a_scripted_player_reaches_beacons(fake: FakeEngine) -> None:
    game = arena.make(NAME, screen=32, minimap=16, timeout=60)
    assert game.actions[0].sizes[:5] == (573, 32, 32, 16, 16)
    state = game.state(3)
    assert state.observe(0).tensor.shape == (27 * 32 * 32 + 11 * 16 * 16 + 11 + 573,)
    assert "select_army" in state.render()
    paid = play(game, state)
    assert len(paid) == 240 and not state.truncated
    assert state.returns()[0] == sum(paid) > 10
    game.form("engines").close()


def test_limits_copies_and_lost_engines(fake: FakeEngine) -> None:
    game = arena.make(NAME, screen=16, minimap=16, limit=30, timeout=60)
    state = game.state(4)
    for _ in range(9):
        state.step({0: walk(game, state)})
    copy = state.clone()
    assert np.array_equal(copy.observe(0).tensor, state.observe(0).tensor)
    paid = play(game, state)
    assert state.truncated and len(paid) == 21
    assert play(game, copy) == paid
    game.form("engines").close()
    fake.faults([{"exit_at": 12}])
    again = game.state(4)
    assert play(game, again)[9:] == paid
    assert again.restarts == game.form("engines").restarts == 1
    game.form("engines").close()


def test_bad_actions_are_named(fake: FakeEngine) -> None:
    game = arena.make(NAME, screen=16, minimap=16, timeout=60)
    state = game.state(1)
    with pytest.raises(IllegalActionError, match=r"331 \(Move_screen\) is not available"):
        state.step({0: action(game, MOVE_SCREEN)})
    state.step({0: action(game, SELECT_ARMY)})
    with pytest.raises(IllegalActionError, match=r"screen = \[99, 0\] of Move_screen"):
        state.step({0: action(game, MOVE_SCREEN, _1=99)})
    with pytest.raises(IllegalActionError, match="no vector"):
        state.step({0: 3})
    with pytest.raises(ArenaError, match=r"unknown mini-game 'MoveToBecon'.*'MoveToBeacon'"):
        arena.make("starcraft/minigame/MoveToBecon")
    with pytest.raises(ArenaError, match="screen = 0 is not allowed"):
        arena.make(NAME, screen=0)
    with pytest.raises(MissingDependencyError, match=r"mini_games\.zip"):
        arena.make("starcraft/minigame/BuildMarines")
    game.form("engines").close()
