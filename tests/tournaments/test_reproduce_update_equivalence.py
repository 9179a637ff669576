"""The claim about update-equivalent search: pairing, resuming, and what its report says."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from arena.registry import load_target
from tournaments.reproduce import CLAIMS, Reproduction
from tournaments.reproduce import _hanabi_games as games
from tournaments.reproduce import update_equivalence as claim
from tournaments.reproduce._hanabi_games import Setting, play
from tournaments.reproduce._mirror_step import Choice
from tournaments.reproduce._zero_sum import checks as gap_checks

TINY = {"colors": 2, "ranks": 2, "hand_size": 2}


def tiny(label: str, kind: str, seats: int, count: int) -> Setting:
    return Setting(label, TINY, "iggi", kind, seats, count, 5, {"rollouts": 60})


def test_blocks_are_kept_and_do_not_depend_on_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = tiny("one", "mds", 1, 12)
    first = play([setting], tmp_path / "a", workers=1)[0]
    assert len(list((tmp_path / "a").glob("*.json"))) == 2
    second = play([setting], tmp_path / "b", workers=2)[0]
    np.testing.assert_array_equal(first.search, second.search)
    np.testing.assert_array_equal(first.base, second.base)

    def never(*given: object) -> None:
        raise AssertionError("what is there is played again")

    monkeypatch.setattr(games, "_block", never)
    third = play([setting], tmp_path / "a", workers=1)[0]
    np.testing.assert_array_equal(first.search, third.search)
    assert third.means["decisions"] > 12


def test_the_report_says_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [tiny("one", "mds", 1, 10), tiny("all", "mds", 2, 4), tiny("sparta", "sparta", 1, 1)]
    monkeypatch.setattr(claim, "hanabi_settings", lambda *, quick: settings)
    gaps = [
        {
            "game": f"{name}(x=1)",
            "blueprint": "uniform",
            "kind": "exact",
            "base": 0.5,
            "search": after,
            "base_interval": None,
            "search_interval": None,
        }
        for name, after in (("a", 0.3), ("b", 0.4), ("c", 0.2), ("d", 0.6))
    ]
    step = Choice(5.0, 0.02, 0.9)
    monkeypatch.setattr(claim, "exploitabilities", lambda *, quick, folder: (step, gaps))
    found: Reproduction = load_target(CLAIMS["update-equivalence"])
    report = found.run(quick=False, out=tmp_path)
    assert len(report.rows) == 3 + 4
    held = {check.text: check for check in report.checks}
    three = next(c for text, c in held.items() if "three of four" in text)
    assert three.holds
    assert three.detail == "3 of 4"
    saved = json.loads((tmp_path / "update-equivalence.json").read_text(encoding="utf-8"))
    assert len(saved["hanabi"][0]["search"]) == 10
    assert (tmp_path / "update-equivalence.md").read_text(encoding="utf-8") == report.text
    for chart in ("hanabi", "exploitability"):
        ElementTree.parse(tmp_path / f"update-equivalence-{chart}.svg")


def test_intervals_that_overlap_do_not_count() -> None:
    gap = {
        "game": "a", "blueprint": "uniform", "kind": "lower bound", "base": 0.5, "search": 0.45,
        "base_interval": (0.44, 0.56), "search_interval": (0.4, 0.5),
    }  # fmt: skip
    assert gap_checks([gap])[0].detail == "0 of 1"


def test_settings_name_what_is_played() -> None:
    for quick in (True, False):
        settings = claim.hanabi_settings(quick=quick)
        assert {s.label for s in settings} == {"one", "all", "sparta"}
    full = [s for s in claim.hanabi_settings(quick=False) if not s.variant and s.label == "one"]
    assert full[0].games >= 1000


@pytest.mark.slow
def test_the_quick_claim_holds_where_it_is_exact(tmp_path: Path) -> None:
    report = load_target(CLAIMS["update-equivalence"]).run(quick=True, out=tmp_path)
    exact = [row for row in report.rows if "exact" in str(row[2])]
    assert exact
    assert all(float(row[4]) < float(row[3]) for row in exact)
