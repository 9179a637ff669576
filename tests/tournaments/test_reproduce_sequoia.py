"""The reproduction of SEQUOIA: its table, checks, pictures, and going on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arena.registry import load_target
from tournaments.reproduce import CLAIMS, Reproduction, sequoia

TINY = {
    "warm": 150,
    "pretrain": 1,
    "working": 60,
    "hidden": [4],
    "episodes": 1,
    "select_every": 1,
    "select_episodes": 2,
}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learn next to nothing, on small bandits."""
    monkeypatch.setattr(sequoia, "QUICK", TINY)
    monkeypatch.setattr(sequoia, "QUICK_ROUNDS", 2)
    small = sequoia.Problem("interventions", "bandits/interventions(horizon=3)", 0.0, 0.93)
    herd = sequoia.Problem("herd", "bandits/herd(arms=6,budget=2,horizon=3)", 0.0, None)
    monkeypatch.setattr(sequoia, "FOUR", (*sequoia.FOUR[:3], small))
    monkeypatch.setattr(sequoia, "HERD", herd)


@pytest.mark.usefixtures("tiny")
def test_writes_everything_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim: Reproduction = load_target(CLAIMS["sequoia"])
    report = claim.run(quick=True, out=tmp_path)
    assert {path.name for path in report.files} == {
        "sequoia.json", "sequoia.md", "scores.png", "returns.png",
    }  # fmt: skip
    assert all(path.stat().st_size > 500 for path in report.files)
    figures = json.loads((tmp_path / "sequoia.json").read_text())
    assert [len(units) for units in figures["units"].values()] == [2, 2, 2]
    unit = figures["units"]["interventions"][0]
    assert unit["means"]["none"] <= unit["means"]["Lagrangian"] <= 1.2 * unit["bound"]
    assert set(sequoia.DQN) <= set(unit["means"])
    assert figures["units"]["herd"][0]["bound"] is None
    assert figures["units"]["budget, J = 4"][0]["exact"] > 0
    assert all(check.holds is None for check in report.checks)

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("measured again")

    monkeypatch.setattr(sequoia, "measure", never)
    monkeypatch.setattr(sequoia, "measure_rivals", lambda *_, **__: never())
    again = claim.run(quick=True, out=tmp_path)
    assert again.rows == report.rows


def test_intervals_and_gains() -> None:
    mean, half = sequoia.interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert half == pytest.approx(4.303 * 1.0 / 3**0.5, rel=1e-3)
    units = [{"means": {"SEQUOIA": 3.0, "myopic": 2.0, "none": 1.0}}, {"means": {"SEQUOIA": 1.0}}]
    assert sequoia.gains(units, ("myopic", "none")) == [0.5]
