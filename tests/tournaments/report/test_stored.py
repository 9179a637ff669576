"""A report of a tournament that the runner played and stored."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from arena.errors import ArenaError, StoreError
from tournaments.api import run
from tournaments.report import build
from tournaments.report.stored import report_of, write_report
from tournaments.spec import AgentSpec, ExecutorSpec, GameSpec, ScheduleSpec, Spec
from tournaments.store import Store


class Faulty:
    """Uniform's opposite: plays the last legal action, and in the third move nothing legal."""

    def begin(self, game: object, seat: int, seed: int) -> None:
        self.moves = 0

    def act(self, observation: object) -> int:
        self.moves += 1
        return observation.actions[-1] if self.moves < 3 else 10_000  # type: ignore[attr-defined]

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("stored") / "cup.db"
    spec = Spec(
        name="Small <cup>",
        games=(GameSpec("tic_tac_toe"), GameSpec("openspiel/kuhn_poker"), GameSpec("pig")),
        agents=(
            AgentSpec("uniform", "uniform"),
            AgentSpec("first", "first_legal"),
            AgentSpec("faulty", live=Faulty),
        ),
        seed=9,
        schedule=ScheduleSpec(repetitions=3),
        executor=ExecutorSpec("in_process"),
    )
    run(spec, db=target)
    return target


def test_what_was_stored_is_shown(path: Path) -> None:
    with Store.open(path) as store:
        report = report_of(store)
        results = store.results()
        forfeits = [fault for fault in store.faults() if fault.forfeit]
        episodes = list(store.episodes())
    assert report.name == "Small <cup>" and report.seed == 9 and report.played == 54
    assert [table.label for table in report.tables] == [
        "All games",
        "tic_tac_toe",
        "kuhn_poker",
        "pig",
    ]
    assert report.forfeits == len(forfeits) > 0
    shown = [match for match in report.matches if match.offender >= 0]
    assert len(shown) == len(forfeits)
    for match in shown:
        assert report.agents[match.seating[match.offender]] == "faulty"
        assert match.fault == "illegal" and "10000" in match.detail
    assert len(report.matches) == len(episodes)
    assert [match.number for match in report.matches] == list(range(1, len(episodes) + 1))
    for match, episode in zip(report.matches, episodes, strict=True):
        replay = match.replay
        assert replay is not None, match.missing
        assert match.seating == episode.seating and match.seed == episode.seed
        played = [step for step in replay.steps[1:] if step.moves[0][0] >= 0]
        assert len(played) == len(episode.steps)
        if match.offender < 0:
            assert replay.steps[-1].returns == pytest.approx(match.payoffs)
    total = sum(row.games for row in report.tables[0].standings)
    assert total == 2 * len(results)
    assert report.curve is not None and report.curve.matches[-1] == 54
    assert report.settings["Repetitions"] == "3"
    assert report.settings["Agent uniform"] == "uniform"
    assert "Small &lt;cup&gt;" in build(report)


def test_an_unfinished_tournament_says_so(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    with sqlite3.connect(copy) as db:
        db.execute("UPDATE meta SET value = '100' WHERE key = 'total'")
        db.execute("DELETE FROM episode")
    db.close()
    with Store.open(copy) as store:
        report = report_of(store)
    assert any("54 of 100" in note for note in report.notes)
    assert report.matches and all(match.replay is None for match in report.matches)
    assert all(match.payoffs[match.offender] == min(match.payoffs) for match in report.matches)
    assert "54 of 100" in build(report)


@pytest.mark.parametrize(
    ("change", "why"),
    [("version = '0'", "played with 0"), ("game_id = 'no_such_game'", "cannot be made here")],
)
def test_a_game_that_is_not_here_is_ranked_but_not_replayed(
    path: Path, tmp_path: Path, change: str, why: str
) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    with sqlite3.connect(copy) as db:
        db.execute(f"UPDATE game SET {change} WHERE label LIKE '%kuhn_poker'")
    db.close()
    with Store.open(copy) as store:
        report = report_of(store)
    assert [game.label for game in report.games] == ["tic_tac_toe", "kuhn_poker", "pig"]
    assert report.tables[2].standings
    for match in report.matches:
        if match.game == 1:
            assert match.replay is None and why in match.missing
        else:
            assert match.replay is not None
    assert why in build(report)


def test_the_report_of_a_file_is_one_call(path: Path, tmp_path: Path) -> None:
    target = write_report(path, tmp_path / "out" / "cup.html")
    with Store.open(path) as store:
        assert target.read_text(encoding="utf-8") == build(report_of(store))
    with pytest.raises(StoreError, match="no such file"):
        write_report(tmp_path / "none.db", tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_nothing_played_is_refused(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    with sqlite3.connect(copy) as db:
        for table in ("block", "episode", "fault"):
            db.execute(f"DELETE FROM {table}")
    db.close()
    with pytest.raises(ArenaError):
        write_report(copy, tmp_path / "empty.html")
