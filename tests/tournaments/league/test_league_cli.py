"""`arena league …`: every command, for people and machines, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def arena_(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return call


@pytest.fixture
def folder(tmp_path: Path, arena_: Run) -> Path:
    """Return a league of two members that has not played."""
    made = tmp_path / "cup"
    code, out, err = arena_(
        *("league", "create", made, "--game", "kuhn_poker", "--game", "leduc_poker"),
        *("--agent", "random=uniform", "--agent", "first=first_legal"),
        *("--seed", 1, "--anchor-rating", 1500),
    )
    assert code == 0 and "2 members" in out, err
    return made


def data(result: tuple[int, str, str]) -> Any:
    """Return what a command printed as JSON."""
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


def test_from_the_first_command_to_the_table(folder: Path, arena_: Run, tmp_path: Path) -> None:
    assert "no match has been played" in arena_("league", "leaderboard", folder)[1]
    code, out, err = arena_("league", "run", folder, "--executor", "in_process")
    assert code == 0, err
    assert "every newcomer is placed" in out and "placed: first, random" in out
    new = data(arena_("league", "join", folder, "deep=rollout", "-p", "simulations=2", "--json"))
    assert (new["member"], new["version"], new["params"]) == ("deep", 1, {"simulations": 2})
    assert data(arena_("league", "status", folder, "--json"))["new"] == ["deep"]
    again = data(arena_("league", "join", folder, "deep=rollout", "-p", "simulations=3", "--json"))
    assert again["member"] == "deep@2"
    played = data(arena_("league", "run", folder, "--matches", 90, "--workers", 2, "--json"))
    assert (played["matches"], played["stopped"]) == (90, "matches")
    table = data(arena_("league", "leaderboard", folder, "--json"))
    rows = {row["member"]: row for row in table["rows"]}
    assert set(rows) == {"random", "first", "deep", "deep@2"}
    assert rows["random"]["rating"] == 1500.0
    assert rows["deep@2"]["version"] == 2
    assert table["matches"] == data(arena_("league", "status", folder, "--json"))["matches"]
    text = arena_("league", "leaderboard", folder)[1]
    assert "deep@2" in text and "Elo, random at 1500" in text
    assert "payoff" in arena_("league", "leaderboard", folder, "--method", "payoff")[1]
    code, out, err = arena_("league", "retire", folder, "deep", "--reason", "old")
    assert code == 0 and "its results stay" in out
    assert data(arena_("league", "status", folder, "--json"))["retired"] == ["deep"]
    who = data(arena_("league", "opponents", folder, "deep@2", "--json"))["opponents"]
    assert {row["member"] for row in who} == {"random", "first", "deep@2"}
    assert sum(row["weight"] for row in who) == pytest.approx(1.0)
    assert "expected score" in arena_("league", "opponents", folder, "deep@2")[1]


def test_results_are_handed_on(folder: Path, arena_: Run, tmp_path: Path) -> None:
    assert arena_("league", "export", folder, tmp_path / "t.csv", "--table")[0] == 2
    arena_("league", "run", folder, "--executor", "in_process", "--matches", 50)
    assert arena_("league", "export", folder, tmp_path / "m.csv")[0] == 0
    assert len((tmp_path / "m.csv").read_text().splitlines()) == 51
    assert arena_("league", "export", folder, tmp_path / "t.csv", "--table")[0] == 0
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 3
    assert arena_("league", "report", folder)[0] == 0
    assert "first" in (folder / "report.html").read_text()
    # The commands of tournaments look at its results, too, but play nothing.
    assert arena_("tournament", "show", folder)[0] == 0
    code, _, err = arena_("tournament", "resume", folder)
    assert code == 2 and "arena league run" in err


def test_every_command_helps_with_examples(arena_: Run) -> None:
    commands = ("create", "join", "retire", "run", "leaderboard", "status", "opponents")
    for command in (*commands, "report", "export"):
        code, out, _ = arena_("league", command, "--help")
        assert code == 0
        assert "Examples" in out and f"arena league {command}" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("join", "{}", "mine"), "name=reference"),
        (("join", "{}", "mine=unifrom"), "uniform"),
        (("join", "{}", "mine=uniform"), "already, as 'random'"),
        (("join", "{}", "mine=rollout", "--isolation", "proces"), "process"),
        (("retire", "{}", "frist"), "first"),
        (("run", "{}/nowhere"), "not a league"),
        (("run", "{}", "--executor", "thread"), "in_process"),
        (("leaderboard", "{}", "--method", "elo3"), "elo"),
        (("opponents", "{}", "--weights", "hard"), "prioritised"),
        (("create", "{}", "--game", "kuhn_poker"), "is a league already"),
        (("create", "{}/new", "--game", "kuhn_pocker"), "kuhn_poker"),
        (("create", "{}/new", "--game", "kuhn_poker", "--agent", "x"), "name=reference"),
        (("create", "{}/new", "--game", "kuhn_poker", "--interval", "0"), "above 0"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    folder: Path, arena_: Run, arguments: tuple[str, ...], message: str
) -> None:
    text = (folder / "league.toml").read_text()
    if "leaderboard" in arguments:
        arena_("league", "run", folder, "--executor", "in_process", "--matches", 4)
    code, _, err = arena_("league", *(a.format(folder) for a in arguments))
    assert code == 2
    assert len(err.strip().splitlines()) == 1 and err.startswith("error:")
    assert message in err
    assert (folder / "league.toml").read_text() == text
    assert not (folder / "new").exists()
