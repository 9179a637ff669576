from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from agents.load import as_agent
from arena.errors import NotApplicableError, ParameterError
from tournaments.populations import play_populations


def fixed(action: int) -> Any:
    return arena.agent("tests.tournaments.test_populations:make", action=action)


def make(action: int) -> Any:
    return lambda observation: action


def test_rock_paper_scissors_between_two_populations(tmp_path: Path) -> None:
    game = arena.make("rock_paper_scissors")
    rows = {name: fixed(k) for k, name in enumerate("RPS")}
    columns = {name.lower(): fixed(k) for k, name in enumerate("RPS")}
    table = play_populations(game, rows, columns, episodes=3, seed=1)
    expected = game.form("normal_form").payoffs[0]
    np.testing.assert_array_equal(table.payoff, expected)
    np.testing.assert_allclose(table.row_mixture, 1 / 3)
    assert table.value == pytest.approx(0.0)
    assert table.ratings["R"]["nash"] == pytest.approx(0.0)
    table.save(tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text())["rows"] == ["R", "P", "S"]


def test_unlike_seats() -> None:
    """Seat 0 has a dominant row; who plays it is worth more, and gets the whole share."""
    game = arena.make("adversarial/point_mass", horizon=12)
    up = {"up": lambda o: np.array([0.0, 1.0]), "down": lambda o: np.array([0.0, -1.0])}
    rows = {name: as_agent(act) for name, act in up.items()}
    table = play_populations(game, rows, {"u": arena.agent("uniform")}, episodes=4)
    ratings = table.ratings
    assert ratings["up"]["share"] == 1.0
    assert ratings["up"]["effect"] > 0 > ratings["down"]["effect"]
    assert ratings["up"]["nash"] == pytest.approx(table.value)
    assert (table.error >= 0).all()


def test_bad_input() -> None:
    game = arena.make("rock_paper_scissors")
    with pytest.raises(NotApplicableError, match="zero-sum"):
        play_populations(arena.make("stag_hunt"), {"a": fixed(0)}, {"b": fixed(0)})
    with pytest.raises(ParameterError, match="both"):
        play_populations(game, {"a": fixed(0)}, {"a": fixed(0)})
    with pytest.raises(ParameterError, match="columns"):
        play_populations(game, {"a": fixed(0)}, {})
    with pytest.raises(ParameterError, match="episodes"):
        play_populations(game, {"a": fixed(0)}, {"b": fixed(0)}, episodes=0)
