"""The example of league play runs, learns, and comes out the same again."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from league_help import table

from tournaments.league import League

EXAMPLE = Path(__file__).parents[3] / "examples" / "league_loop.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """Return the example as a module."""
    spec = importlib.util.spec_from_file_location("league_loop", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_learner_climbs(example: ModuleType, tmp_path: Path) -> None:
    league, learner = example.main(str(tmp_path / "dice"), generations=5, episodes=3000, seed=1)
    found = league.leaderboard()
    rating = {row.member.label: row.standing.rating for row in found.rows}
    versions = ["learner", *(f"learner@{k}" for k in range(2, 6))]
    assert set(rating) == {"random", "cautious", "doubter", *versions}
    assert all(row.status == "placed" for row in found.rows)
    assert rating["random"] == 0.0
    assert min(rating[v] for v in versions) > rating["random"] + 80
    # What it learned from its own earlier versions is more than chance.
    assert rating["learner@5"] - rating["learner"] > found["learner@5"].margin
    assert len(learner.average) > 100
    # Another process has the table, but not the live objects.
    assert set(League(league.folder).run(matches=4).absent) == {"doubter", *versions}


def test_it_is_reproducible(example: ModuleType, tmp_path: Path) -> None:
    made = [
        example.main(str(tmp_path / name), generations=2, episodes=500, seed=3)[0]
        for name in ("a", "b")
    ]
    assert table(made[0]) == table(made[1])
