"""The command line as a newcomer and as a script meet it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1"}

CUP = """
[tournament]
name = "test cup"
seed = 3
repetitions = {repetitions}

[[games]]
id = "kuhn_poker"

[[games]]
id = "tic_tac_toe"

[[agents]]
name = "random"
ref = "uniform"

[[agents]]
name = "first"
ref = "first_legal"

[[agents]]
name = "search"
ref = "rollout"
params = {{ simulations = 4 }}
"""


def arena(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "arena", *arguments],
        cwd=cwd,
        env=ENV,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process, which spares the start of another: code, stdout, stderr."""
    from arena.cli.main import main

    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR"):
        monkeypatch.setenv(name, ENV[name])

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([*arguments])
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return run


def ok(*arguments: str, cwd: Path) -> str:
    done = arena(*arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cup(folder: Path, repetitions: int = 3) -> Path:
    path = folder / "cup.toml"
    path.write_text(CUP.format(repetitions=repetitions), encoding="utf-8")
    return path


def commands(prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    import typer

    from arena.cli.main import app

    found: list[tuple[str, ...]] = []

    def walk(command: object, path: tuple[str, ...]) -> None:
        children = getattr(command, "commands", None)
        found.append(path)
        for name, child in (children or {}).items():
            if not child.hidden:  # further names of commands that are shown
                walk(child, (*path, name))

    walk(typer.main.get_command(app), prefix)
    return found


@pytest.mark.parametrize("command", commands(), ids=lambda c: " ".join(c) or "arena")
def test_every_command_shows_examples(command: tuple[str, ...], here) -> None:
    code, text, _ = here(*command, "--help")
    assert code == 0
    assert "Usage: arena" in text
    assert "Examples" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["make", "leduc_pokr"], ["leduc_pokr", "leduc_poker"]),
        (["make", "goofspiel", "-p", "num_card=4"], ["num_card", "num_cards"]),
        (["make", "goofspiel", "-p", "num_cards=four"], ["num_cards", "four", "int"]),
        (["make", "goofspiel", "-p", "num_cards"], ["num_cards", "key=value"]),
        (["play", "kuhn_poker", "uniform"], ["2"]),
        (["play", "kuhn_poker", "uniform", "unifrom"], ["unifrom", "uniform"]),
        (["play", "kuhn_poker", "uniform", "nowhere.py:act"], ["nowhere.py"]),
        (["list", "games", "--payoff", "zerosum"], ["zerosum", "zero_sum"]),
        (["list", "gamez"], ["gamez", "games"]),
        (["bench", "runner_vs_bare_lop"], ["runner_vs_bare_loop"]),
        (["reproduce", "axelrod-1981"], ["axelrod-1980"]),
        (["tournament", "run", "missing.toml"], ["missing.toml"]),
        (["tournament", "show", "missing"], ["missing"]),
        (["tournament", "show", "cup.toml", "--method", "elos"], ["test-cup"]),
        (["tournament", "run", "cup.toml", "--executor", "threads"], ["threads", "processes"]),
        (["tournament", "new", "cup.txt"], [".toml"]),
        (["--no-such-option"], ["--no-such-option"]),
    ],
)
def test_a_mistake_costs_one_line(
    arguments: list[str], words: list[str], tmp_path: Path, here
) -> None:
    cup(tmp_path)
    code, _, err = here(*arguments)
    assert code == 2
    first, *rest = err.strip().splitlines()
    assert first.startswith("error: ")
    assert all(line.startswith("see `arena") for line in rest)
    for word in words:
        assert word in first
    assert "Traceback" not in err
    assert not (tmp_path / "runs").exists()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = arena("make", "leduc_pokr", "--debug", cwd=tmp_path)
    assert "Traceback" in done.stderr
    assert done.returncode != 0


def test_lists_filter_and_speak_json(tmp_path: Path) -> None:
    out = ok("list", "games", "--grep", "kuhn", "--seats", "3", "--json", cwd=tmp_path)
    rows = json.loads(out)
    assert {"kuhn_poker"} <= {row["alias"] for row in rows}
    assert all("kuhn" in f"{row['id']} {row['summary']}".lower() for row in rows)
    assert "uniform" in ok("list", "agents", cwd=tmp_path)
    ok("list", "solvers", cwd=tmp_path)


def test_make_describes_a_game(tmp_path: Path) -> None:
    facts = json.loads(ok("make", "goofspiel", "-p", "num_cards=4", "--json", cwd=tmp_path))
    assert facts["params"] == {"num_cards": 4}
    assert facts["turns"] == "simultaneous"
    assert "zero_sum" in ok("make", "leduc_poker", cwd=tmp_path)


def test_play_follows_its_seed(tmp_path: Path) -> None:
    command = ("play", "connect_four", "uniform", "rollout", "--seed", "4", "--json")
    first, second = (json.loads(ok(*command, cwd=tmp_path)) for _ in range(2))
    assert first == second
    assert sum(first["payoffs"]) == 0
    drawn = ok(*command[:-1], "--show", "--replay", "new/match.html", cwd=tmp_path)
    assert "openspiel/connect_four" in (tmp_path / "new" / "match.html").read_text()
    assert "......." in drawn or "x" in drawn


def test_a_whole_tournament(tmp_path: Path, here) -> None:
    def look(*arguments: str) -> str:
        code, out, err = here("tournament", *arguments)
        assert code == 0, err
        return str(out)

    look("new", "mine.toml")
    assert here("tournament", "new", "mine.toml")[0] == 2
    spec = cup(tmp_path)
    table = ok("tournament", "run", str(spec), "--out", "out", "--report", cwd=tmp_path)
    assert "95% interval" in table
    status = json.loads(look("status", "out", "--json"))
    assert status["done"] == status["total"] == 2 * 3 * 2 * 3
    again = arena("tournament", "run", str(spec), "--out", "out", cwd=tmp_path)
    assert again.returncode == 2
    assert "--resume" in again.stderr
    ok("tournament", "run", str(spec), "--out", "out", "--resume", cwd=tmp_path)
    board = json.loads(look("show", "out", "--json"))
    assert {row["agent"] for row in board["rows"]} == {"random", "first", "search"}
    look("show", "out", "--game", "kuhn_poker", "--method", "elo")
    look("export", "out", "matches.csv")
    with (tmp_path / "matches.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 36
    look("export", "out", "table.json", "--table")
    look("report", "out", "--out", "page.html")
    assert "<html" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert list((tmp_path / "out").glob("events.out.tfevents.*"))
    ok("tournament", "run", str(spec), "--out", "out", "--fresh", cwd=tmp_path)
    assert (tmp_path / "out" / "results-1.db").is_file()


def test_the_seed_decides_the_table_whatever_the_workers(tmp_path: Path) -> None:
    spec = cup(tmp_path)
    tables = []
    for workers in ("1", "2"):
        out = f"out{workers}"
        command = ("tournament", "run", str(spec), "--out", out, "--workers", workers, "--json")
        tables.append(json.loads(ok(*command, cwd=tmp_path)))
    assert tables[0] == tables[1]


def test_ctrl_c_stops_with_the_table_and_resume_completes_it(tmp_path: Path) -> None:
    spec = cup(tmp_path, repetitions=2000)
    whole = json.loads(ok("tournament", "run", str(spec), "--out", "whole", "--json", cwd=tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-m", "arena", "tournament", "run", str(spec), "--out", "cut"],
        cwd=tmp_path,
        env=ENV,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    database = tmp_path / "cut" / "results.db"
    for _ in range(600):
        if database.exists() and played(tmp_path) > 0:
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "resume" in errors
    assert "Traceback" not in errors
    assert 0 < played(tmp_path) < 2 * 3 * 2 * 2000
    resumed = json.loads(ok("tournament", "resume", "cut", "--json", cwd=tmp_path))
    assert resumed == whole


def played(folder: Path) -> int:
    from tournaments.store import Store

    with Store.open(folder / "cut" / "results.db") as store:
        return store.count()


def test_completion_is_offered(tmp_path: Path) -> None:
    env = {**ENV, "SHELL": "/bin/bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "arena", "--show-completion", "bash"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "complete" in done.stdout


def test_the_doctor_is_content_here(tmp_path: Path) -> None:
    report = json.loads(ok("doctor", "--json", cwd=tmp_path))
    assert report["ok"]
    assert {"numpy", "open_spiel", "ray"} <= {finding["what"] for finding in report["findings"]}


def test_bench_lists_its_claims(tmp_path: Path) -> None:
    assert "runner_vs_bare_loop" in json.loads(ok("bench", "--json", cwd=tmp_path))
