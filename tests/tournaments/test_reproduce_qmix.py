"""The reproduction of value factorisation: tables, checks, charts; runs are kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import arena
from arena.rng import derive, derive_many, seat_seed
from tournaments.reproduce import _qmix_games, qmix

pytest.importorskip("torch")


@pytest.fixture
def small(monkeypatch):
    setup = qmix.Setup(
        rounds=75,
        small_seeds=1,
        maps={"3m": 200, "2s3z": 300},
        seeds=1,
        points=1,
        episodes=4,
        last=6,
    )
    monkeypatch.setattr(qmix, "_QUICK", setup)
    easy, hard = ("matrix/nonmonotonic", {"best": 12.0, "miss": -0.1}), ("matrix/nonmonotonic", {})
    monkeypatch.setattr(_qmix_games, "MATRICES", (easy, hard))
    monkeypatch.setattr(qmix, "_MAPPO", {**qmix._MAPPO, "episodes": 8})


def test_it_writes_what_it_found_and_goes_on_where_it_stopped(small, tmp_path, monkeypatch):
    report = qmix.run(quick=True, out=tmp_path)
    found = report.figures
    assert set(found["two_step"]) == {"iql", "vdn", "qmix", "wqmix"}
    assert found["two_step"]["qmix"]["returns"] == [8.0]
    assert found["two_step"]["vdn"]["returns"] == [7.0]
    easy, hard = found["matrices"].values()
    assert easy["qmix"] == [12.0] and hard["qmix"] == [0.0] and hard["wqmix"] == [8.0]
    assert report.reproduced
    assert [check.holds for check in report.checks].count(None) == 1  # battles take longer
    for path in report.files:
        assert path.exists() and path.stat().st_size
    assert json.loads((tmp_path / "qmix.json").read_text())["battles"]["3m"]["qmix"]
    assert (tmp_path / "2s3z.svg").read_text().startswith("<svg")
    assert found["scripted"]["2s3z"].keys() == {"focus_fire", "closest"}
    cells = sorted((tmp_path / "cells").iterdir())
    assert len(cells) == 2 * 4
    assert arena.agent(str(tmp_path / "policies" / "3m-vdn-1-200.safetensors"))
    runs = [json.loads(cell.read_text()) for cell in cells]
    assert all(run["curve"][-1][0] >= run["asked"]["steps"] for run in runs)

    def never(*_args):
        raise AssertionError("a run that is kept was played again")

    kept = qmix._battles(qmix._QUICK, tmp_path / "cells")
    monkeypatch.setattr(qmix, "learner_solver", _only_settings(never))
    again = qmix._battles(qmix._QUICK, tmp_path / "cells")
    assert again == kept == found["battles"]
    cells[0].unlink()
    with pytest.raises(AssertionError, match="played again"):
        qmix._battles(qmix._QUICK, tmp_path / "cells")


def _only_settings(never):
    real = qmix.learner_solver

    class Kept:
        def __init__(self, name):
            self.settings, self.learner = real(name).settings, never

    return Kept


def test_scripted_players_win_the_battles_that_they_win_one_by_one():
    game = arena.make("skirmish/2s3z")
    seeds = derive_many(derive(1, "reproduce", "qmix"), np.arange(12))
    wins = 0
    for seed in seeds.tolist():
        state, players = game.state(seed), [arena.agent("skirmish/closest") for _ in range(5)]
        for seat, player in enumerate(players):
            player.begin(game, seat, seat_seed(seed, seat))
        while state.actors():
            state.step({seat: players[seat].act(state.observe(seat)) for seat in state.actors()})
        wins += state.winner == 0
    assert 0 < wins < 12
    assert qmix._scripted("2s3z", "closest", 12) == wins / 12


def test_intervals_are_of_the_mean_over_seeds():
    mean, low, high = qmix._interval(np.array([0.9, 1.0, 0.8]))
    assert mean == pytest.approx(0.9) and 0.8 <= low < mean < high <= 1.0
    assert qmix._interval(np.array([0.5, 0.5])) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("map_name", ["3m", "2s3z"])
def test_the_example_names_the_policies_that_are_left(map_name):
    examples = Path(__file__).parents[2] / "examples"
    text = (examples / f"learned_{map_name}.toml").read_text()
    refs = [line.split('"')[1] for line in text.splitlines() if ".safetensors" in line]
    steps = qmix._FULL.maps[map_name]
    left = Path("runs", "reproduce", "qmix", "policies")  # from where the tournament is run
    expected = [left / f"{map_name}-{name}-1-{steps}.safetensors" for name in qmix._LEARNERS]
    assert [(examples / ref).resolve() for ref in refs] == [
        examples.parent.resolve() / path for path in expected
    ]


def test_the_claim_is_listed():
    from tournaments.reproduce import CLAIMS

    assert CLAIMS["qmix"] == "tournaments.reproduce.qmix:CLAIM"
