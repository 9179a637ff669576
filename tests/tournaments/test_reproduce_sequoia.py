"""The reproduction of SEQUOIA: its table, checks, pictures, and going on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arena.registry import load_target
from tournaments.reproduce import CLAIMS, Reproduction, sequoia
from tournaments.reproduce import _sequoia_units as units

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
    monkeypatch.setattr(units, "QUICK", TINY)
    for learners in (units.PAPERS, units.LONG):
        for own in learners.values():
            monkeypatch.setitem(own, "rounds", 8)
            monkeypatch.setitem(own, "working", 60)
    interventions = units.Problem("interventions", "bandits/interventions(horizon=3)", 0.0, 0.93)
    epidemic = units.Problem("epidemic", "bandits/epidemic(arms=8,horizon=3)", rounds=4)
    monkeypatch.setattr(sequoia, "FOUR", (interventions,))
    monkeypatch.setattr(sequoia, "EPIDEMIC", epidemic)
    monkeypatch.setattr(sequoia, "LARGE", ())
    works = [(units.measure, 2), (units.measure_papers, 1), (units.measure_long, 1)]
    works.append((units.measure_dqn, 1))
    todo = [(work, interventions, k) for work, count in works for k in range(count)]
    todo += [(units.measure, p, k) for p in (epidemic, sequoia.SMALL[0]) for k in range(2)]
    monkeypatch.setattr(sequoia, "_todo", lambda *, quick: todo)


@pytest.mark.usefixtures("tiny")
def test_writes_everything_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim: Reproduction = load_target(CLAIMS["sequoia"])
    report = claim.run(quick=True, out=tmp_path)
    assert {path.name for path in report.files} == {
        "sequoia.json", "sequoia.md", "scores.png", "returns.png",
    }  # fmt: skip
    assert all(path.stat().st_size > 500 for path in report.files)
    figures = json.loads((tmp_path / "sequoia.json").read_text())
    assert [len(found) for found in figures["units"].values()] == [2, 2, 2]
    unit = figures["units"]["interventions"][0]
    assert unit["means"]["none"] <= unit["means"]["Lagrangian"] <= 1.2 * unit["bound"]
    assert {*units.DQN, *units.LONG, *units.PAPERS} <= set(unit["means"])
    epidemic = figures["units"]["epidemic"][0]
    assert epidemic["bound"] is None
    assert {*units.NETWORKED, "mean field", "Lagrangian"} <= set(epidemic["means"])
    assert figures["units"]["budget, J = 4"][0]["exact"] > 0
    assert all(check.holds is None for check in report.checks)
    table = {row[0]: row[1:] for row in report.rows}
    assert table["iterative DQN"][0].endswith("(1)")
    assert table["mean field"][0] == "–"

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("measured again")

    monkeypatch.setattr(units, "learned", never)
    again = claim.run(quick=True, out=tmp_path)
    assert again.rows == report.rows


def test_what_a_full_run_measures() -> None:
    todo = sequoia._todo(quick=False)
    assert len({(work, problem.name, k) for work, problem, k in todo}) == len(todo)
    for problem in (*sequoia.FOUR, sequoia.EPIDEMIC):
        assert sum(p is problem for work, p, _ in todo if work is units.measure) >= 10
    assert {p.name for _, p, _ in sequoia._todo(quick=True)} < {p.name for _, p, _ in todo}


def test_intervals_and_gains() -> None:
    mean, half = sequoia.interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert half == pytest.approx(4.303 * 1.0 / 3**0.5, rel=1e-3)
    means = [{"SEQUOIA": 3.0, "myopic": 2.0, "none": 1.0}, {"SEQUOIA": 1.0}]
    found = [{"means": own} for own in means]
    assert sequoia.gains(found, ("myopic", "none")) == [0.5]
