"""The first tournament of 1980 comes out, and its report says what does not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import arena
from agents.scripted import Scripted
from arena.episode import drive
from arena.registry import load_target
from arena.rng import derive, derive_many, seat_seed
from tournaments.reproduce import CLAIMS, Check, Report, Reproduction
from tournaments.reproduce.axelrod import ENTRIES, SEED, native_scores


def test_scores_are_means_over_all_fifteen_opponents() -> None:
    count = len(ENTRIES)
    total, games = np.zeros(count), np.zeros(count)
    game = arena.make("repeated/prisoners_dilemma", rounds=200, payoff="sum")
    pairs = [(i, j) for i in range(count) for j in range(i, count) for _ in range(5)]
    seeds = derive_many(derive(SEED, "native"), np.arange(len(pairs))).tolist()
    for (i, j), seed in zip(pairs, seeds, strict=True):
        agents = [Scripted(ENTRIES[e][1], **ENTRIES[e][2]) for e in (i, j)]
        for seat, agent in enumerate(agents):
            agent.begin(game, seat, seat_seed(seed, seat))
        state = game.state(seed)
        drive(state, [agent.act for agent in agents])
        paid = state.returns()
        weight = 0.5 if i == j else 1.0
        for e, points in ((i, paid[0]), (j, paid[1])):
            total[e] += weight * points
            games[e] += weight
    assert (games == 75).all()
    np.testing.assert_allclose(native_scores(1)[0], total / games)


def test_report_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "axelrod", None)
    claim: Reproduction = load_target(CLAIMS["axelrod-1980"])
    report = claim.run(quick=True, out=tmp_path / "out")
    held = {check.text.split(" (")[0]: check.holds for check in report.checks}
    assert held["the eight nice entries take the first eight places"] is True
    assert held["the order is close to that of 1980"] is True
    assert held["mean scores agree with those of the Axelrod library's strategies"] is None
    assert "pip install" in report.text
    assert [row[0] for row in report.rows] == list(range(1, 16))
    scores = [row[2] for row in report.rows]
    assert scores == sorted(scores, reverse=True)
    saved = json.loads((tmp_path / "out" / "axelrod-1980.json").read_text(encoding="utf-8"))
    assert saved["scores"] == report.figures["scores"]
    assert (tmp_path / "out" / "axelrod-1980.md").read_text(encoding="utf-8") == report.text


def test_a_claim_that_fails_is_said_to_fail() -> None:
    checks = [Check("one", True), Check("two", None), Check("three", False, "0.1")]
    report = Report("title", ("a", "b"), [(1, 2.0), ("x", None)], checks)
    assert not report.reproduced
    assert "- does not hold: three (0.1)" in report.text
    assert "- not checked: two" in report.text
    assert "| x | – |" in report.text


@pytest.mark.slow
def test_scores_agree_with_the_library(tmp_path: Path) -> None:
    pytest.importorskip("axelrod")
    claim: Reproduction = load_target(CLAIMS["axelrod-1980"])
    report = claim.run(quick=True, out=tmp_path)
    agree = [check for check in report.checks if "Axelrod library" in check.text]
    assert agree and all(check.holds for check in agree)
