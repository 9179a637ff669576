from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import arena
from arena.cli.main import main
from solvers.qarl.examination import examine
from solvers.qarl.learner import DEFAULTS, Qarl
from solvers.qarl.play import idle, play, seat_of
from solvers.training import write_checkpoint
from solvers.training.checkpoint import game_header

GAME = "adversarial/point_mass(horizon=20)"
SMALL = {"hidden": [8], "batch": 16, "warm_up": 50}


def made(folder: Path, seed: int, game: str = GAME) -> str:
    """A checkpoint of an untrained controller."""
    own = arena.make(game)
    policy = Qarl(own, seed, {**DEFAULTS, **SMALL, "method": "sac"}).policy()
    header = {"game": game_header(own), "solver": "qarl", "settings": {}, "seed": seed}
    path = folder / f"{seed}.safetensors"
    write_checkpoint(path, {**header, "steps": 0, "policy": policy.header()}, policy.arrays())
    return str(path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["arena", "robustness", *arguments])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_table_files_and_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    paths = [made(tmp_path, seed) for seed in (0, 1, 2)]
    arguments = [GAME, f"a={paths[0]}", f"a={paths[1]}", f"b={paths[2]}"]
    arguments += ["--grid", "mass=0.5,2", "--grid", "gusts=0:2:3", "--episodes", "2"]
    arguments += ["--attack", "100", "-s", "hidden=[8]", "-s", "batch=16"]
    assert run(monkeypatch, *arguments, "--out", str(tmp_path / "out")) == 0
    shown = capsys.readouterr().out
    assert "interquartile mean" in shown
    assert "mass 0.5" in shown
    assert "gusts 2" in shown
    assert "attacked" in shown
    kept = json.loads((tmp_path / "out" / "robustness.json").read_text())
    assert kept["axes"] == {"mass": [0.5, 2.0], "gusts": [0.0, 1.0, 2.0]}
    assert np.shape(kept["controllers"]["a"]["returns"]) == (2, 2, 3)
    assert np.shape(kept["controllers"]["b"]["attacks"]) == (1,)
    iqm = kept["controllers"]["a"]["iqm"]
    assert iqm["low"] <= iqm["value"] <= iqm["high"]
    ElementTree.parse(tmp_path / "out" / "mass-gusts.svg")
    assert run(monkeypatch, *arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out) == kept


def test_an_examination_is_what_episodes_pay(tmp_path: Path) -> None:
    game = arena.make(GAME)
    policy = arena.solver.load_policy(made(tmp_path, 4))
    found = examine(game, {"one": [policy]}, {"friction": [0.5, 2.0]}, episodes=3, seed=1)
    assert found.attacked == {}
    again = examine(game, {"one": [policy]}, {"friction": [2.0]}, episodes=3, seed=1)
    assert again.returns["one"][0, 0] == found.returns["one"][0, 1]
    best = play(game, seat_of(policy, 0), idle(game, 1), episodes=3, seed=1)
    assert found.returns["one"][0, 0] == pytest.approx(best.returns.mean(), abs=2.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--grid", "mas=1,2"], "did you mean 'mass'"),
        (["--grid", "strength=1,2"], "unknown property"),
        (["--grid", "mass=1,x"], "FIRST:LAST:COUNT"),
        (["--grid", "mass=nan"], "finite"),
        (["--grid", "mass=1:2:0"], "FIRST:LAST:COUNT"),
        (["--grid", "mass=-1"], "positive"),
        (["--grid", "mass=1", "--grid", "mass=2"], "once only"),
    ],
)
def test_bad_grids(
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert run(monkeypatch, GAME, made(tmp_path, 0), *arguments) == 2
    assert said in capsys.readouterr().err


def test_bad_controllers_and_games(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = made(tmp_path, 0)
    grid = ["--grid", "mass=1,2"]
    assert run(monkeypatch, GAME, str(tmp_path / "none.safetensors"), *grid) == 2
    assert "none.safetensors" in capsys.readouterr().err
    assert run(monkeypatch, "kuhn_poker", path, *grid) == 2
    assert "adversarial/" in capsys.readouterr().err
    assert run(monkeypatch, "adversarial/gym", path, *grid) == 2
    assert "cannot be varied" in capsys.readouterr().err
    noise = ["--grid", "action_noise=0,1"]
    assert run(monkeypatch, "adversarial/gym", path, *noise) == 2
    assert "3 observations" in capsys.readouterr().err
    solved = arena.solve("kuhn_poker", "cfr", iterations=5)
    solved.save(tmp_path / "nash.npz")
    assert run(monkeypatch, GAME, str(tmp_path / "nash.npz"), *grid) == 2
    assert "the learner qarl" in capsys.readouterr().err
