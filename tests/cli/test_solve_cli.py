"""Solving, judging and comparing from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import arena
from arena.solver import Solution

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "ARENA_CACHE": str(tmp_path / "cache"),
    }


@pytest.fixture
def call(
    tmp_path: Path, environment: dict[str, str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "arena", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def ok(call: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        done = call(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def figures(ok: Callable[..., str]) -> Callable[..., Any]:
    return lambda *arguments: json.loads(ok(*arguments, "--json"))


def test_a_solution_is_found_kept_judged_and_played(
    ok: Callable[..., str], figures: Callable[..., Any], tmp_path: Path
) -> None:
    found = figures(
        "solve", "kuhn_poker", "--solver", "pcfr+", "--until", "1e-6", "--save", "nash.npz"
    )
    assert found["status"] == "converged"
    assert found["certificate"]["exploitability"]["value"] <= 1e-6
    assert found["certificate"]["value_0"]["value"] == pytest.approx(-1 / 18, abs=1e-5)
    assert found["trace"][-1]["iteration"] == found["iterations"]
    assert list(tmp_path.glob("runs/solve-*/events.out.tfevents.*"))

    judged = figures("evaluate", "kuhn_poker", "nash.npz")["certificate"]
    assert judged["nash_conv"]["value"] == pytest.approx(
        found["certificate"]["nash_conv"]["value"], abs=1e-12
    )
    both = figures("evaluate", "kuhn_poker", "nash.npz", "uniform")["certificate"]
    assert both["nash_conv"]["value"] > 0.1

    match = figures("play", "kuhn_poker", "nash.npz", "uniform", "--seed", "3")
    assert sum(match["payoffs"]) == 0
    assert match["fault"] is None
    (tmp_path / "cup.toml").write_text(
        '[tournament]\nname = "nash"\nseed = 1\nrepetitions = 200\n[[games]]\nid = "kuhn_poker"\n'
        '[[agents]]\nname = "nash"\nref = "nash.npz"\n[[agents]]\nname = "random"\n'
        'ref = "uniform"\n',
        encoding="utf-8",
    )
    board = figures("tournament", "run", "cup.toml", "--out", "cup", "--method", "payoff")
    assert board["rows"][0]["agent"] == "nash"
    assert "nash" in ok("tournament", "show", "cup")


def test_a_solution_is_gone_on_from(figures: Callable[..., Any]) -> None:
    figures("solve", "leduc_poker", "--solver", "cfr+", "--iterations", "40", "--save", "a.npz")
    longer = figures(
        "solve", "leduc_poker", "--resume", "a.npz", "--iterations", "90", "--save", "a.npz"
    )
    assert longer["solver"] == "cfr+"
    assert longer["iterations"] == 90
    at_once = figures("solve", "leduc_poker", "--solver", "cfr+", "--iterations", "90")
    assert longer["certificate"]["nash_conv"]["value"] == pytest.approx(
        at_once["certificate"]["nash_conv"]["value"], rel=1e-9
    )


def test_settings_reach_the_solver(figures: Callable[..., Any]) -> None:
    found = figures(
        "solve", "kuhn_poker", "--solver", "mmd", "--set", "temperature=0.5", "--until", "1e-9"
    )
    assert found["settings"]["temperature"] == 0.5
    assert found["certificate"]["qre_gap"]["value"] <= 1e-9


def test_solving_is_told_to_people(ok: Callable[..., str]) -> None:
    text = ok("solve", "kuhn_poker", "--save", "nash.npz", "--no-tensorboard")
    for words in ("exploitability", "game value lower", "converged", "arena play"):
        assert words in text
    assert "nash conv" in ok("evaluate", "kuhn_poker", "nash.npz")
    told = ok("solve", "goofspiel", "-p", "num_cards=3", "--solver", "efce")
    assert "efce gap" in told


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a process group")
def test_ctrl_c_keeps_what_was_reached(tmp_path: Path, environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "arena", "solve", "leduc_poker", "--solver", "cfr"),
            *("--until", "1e-12", "--save", "cut.npz", "--json"),
        ],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for _ in range(1200):
        if list(tmp_path.glob("runs/solve-*/events.out.tfevents.*")):
            break
        time.sleep(0.05)
    time.sleep(1.0)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "--resume cut.npz" in errors
    told = json.loads(output)
    assert told["status"] == "interrupted"
    kept = Solution.load(tmp_path / "cut.npz")
    assert int(kept.state["iteration"]) == told["iterations"] == kept.trace[-1].iteration > 0
    # What was kept is what a run of so many iterations has.
    same = arena.solve("leduc_poker", "cfr", iterations=told["iterations"], cache=False)
    assert kept.certificate["nash_conv"].value == pytest.approx(
        same.certificate["nash_conv"].value, rel=1e-6
    )


def test_solvers_are_listed_for_a_game(ok: Callable[..., str], figures: Callable[..., Any]) -> None:
    rows = {row["id"]: row for row in figures("list", "solvers", "--for", "kuhn_poker")["solvers"]}
    assert rows["sequence_form_lp"]["applies"]
    three = figures("list", "solvers", "--for", "kuhn_poker", "-p", "players=3")["solvers"]
    reasons = {row["id"]: row["reason"] for row in three}
    assert reasons["cfr"] is None
    assert "3 seats" in reasons["sequence_form_lp"]
    large = ok("list", "solvers", "--for", "connect_four")
    assert "too large" in large


def test_the_tree_tells_which_solvers_apply(
    ok: Callable[..., str], figures: Callable[..., Any]
) -> None:
    def verdicts(game: str) -> dict[str, tuple[bool | None, str | None]]:
        rows = figures("list", "solvers", "--for", game)["solvers"]
        return {row["id"]: (row["applies"], row["reason"]) for row in rows}

    forgetful = verdicts("openspiel/liars_dice_ir(dice_sides=3)")
    assert forgetful["mccfr_external"] == (True, None)
    for solver in ("cfr+", "auto", "mmd", "joint_efce", "efce"):
        applies, reason = forgetful[solver]
        assert applies is False and "imperfect recall" in (reason or "")
    private = verdicts("kuhn_poker")
    assert private["efce"][0] is False and "triangle-free" in (private["efce"][1] or "")
    assert private["joint_efce"] == (True, None)
    large = verdicts("openspiel/nim")
    assert large["cfr"][0] is None
    assert "more than 400,000 nodes" in (large["cfr"][1] or "")
    assert large["mccfr_outcome"] == (True, None)
    assert large["nash_lp"][0] is False and "normal_form" in (large["nash_lp"][1] or "")
    assert " may" in ok("list", "solvers", "--for", "openspiel/nim").splitlines()[-1]


def test_a_correlated_answer_is_saved_resumed_judged_and_played(
    figures: Callable[..., Any], ok: Callable[..., str]
) -> None:
    told = figures(
        *("solve", "kuhn_poker", "--solver", "joint_efce", "--iterations", "30"),
        *("--save", "a.npz", "--no-tensorboard"),
    )
    judged = figures("evaluate", "kuhn_poker", "a.npz")["certificate"]
    assert judged["efce_gap"]["value"] == told["certificate"]["efce_gap"]["value"]
    longer = figures(
        *("solve", "kuhn_poker", "--resume", "a.npz", "--iterations", "60"),
        *("--save", "a.npz", "--no-tensorboard"),
    )
    assert longer["iterations"] == 60
    assert "result" in ok("play", "kuhn_poker", "a.npz", "a.npz", "--seed", "3")
    assert "result" in ok("play", "kuhn_poker", "a.npz", "uniform", "--seed", "3")


def test_auto_says_what_it_left(figures: Callable[..., Any]) -> None:
    found = figures(
        *("solve", "goofspiel(num_cards=3,returns_type=total_points)", "--iterations", "2000"),
        "--no-tensorboard",
    )
    assert "the race of pdcfr+ and dcfr stalled at" in found["status"]
    assert "fictitious play went on" in found["status"]
    markov = figures("solve", "markov/soccer", "--until", "1e-3", "--no-tensorboard")
    assert markov["solver"] == "shapley"


def test_solvers_are_compared(
    ok: Callable[..., str], figures: Callable[..., Any], tmp_path: Path
) -> None:
    solvers = ("cfr+", "pcfr+", "pcfr+(alternating=false)")
    found = figures("compare", "kuhn_poker", *solvers, "--iterations", "100", "--out", "versus")
    assert list(found["solvers"]) == list(solvers)
    assert all(row["iterations"] == 100 for row in found["solvers"].values())
    assert found["solvers"]["pcfr+"]["gap"] < found["solvers"]["cfr+"]["gap"]
    traces = json.loads((tmp_path / "versus" / "traces.json").read_text(encoding="utf-8"))
    assert set(traces["traces"]) == set(solvers)
    svg = (tmp_path / "versus" / "gap.svg").read_text(encoding="utf-8")
    drawing = ElementTree.fromstring(svg)
    lines = [e for e in drawing.iter() if e.tag.endswith("polyline")]
    assert len(lines) == 2 * len(solvers)
    for curve, points in traces["traces"].items():
        drawn = [e for e in lines if e[0].text == curve]
        assert len(drawn) == 2
        assert all(len(e.attrib["points"].split()) == len(points) for e in drawn)
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    text = ok("compare", "kuhn_poker", "cfr", "sequence_form_lp", "--until", "1e-3")
    assert "converged" in text
    assert "gap.svg" in text


def test_large_games_have_lower_bounds(figures: Callable[..., Any]) -> None:
    found = figures(
        *("evaluate", "connect_four", "uniform", "first_legal", "--approximate"),
        *("--episodes", "60", "--test-episodes", "60", "--seed", "4"),
    )["certificate"]
    assert found["regret_0"]["kind"] == "lower"
    low, high = found["nash_conv"]["interval"]
    assert low <= found["nash_conv"]["value"] <= high


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["solve", "leduc_pokr"], ["leduc_pokr", "leduc_poker"]),
        (["solve", "kuhn_poker", "--solver", "pcfr"], ["pcfr", "pcfr+"]),
        (["solve", "kuhn_poker", "--solver", "mmd", "--set", "temp=1"], ["temp", "temperature"]),
        (["solve", "kuhn_poker", "--set", "gamma"], ["--set", "key=value"]),
        (["solve", "kuhn_poker", "--until", "-1"], ["--until", "greater"]),
        (["solve", "kuhn_poker", "--seconds", "0"], ["seconds"]),
        (["solve", "kuhn_poker", "--save", "nash.pkl"], ["nash.pkl", ".npz"]),
        (["solve", "kuhn_poker", "--resume", "no.npz"], ["no.npz"]),
        (["solve", "kuhn_poker", "-p", "players=3", "--solver", "mmd"], ["3 seats", "cfr"]),
        (["solve", "kuhn_poker", "--solver", "efce"], ["triangle-free", "joint_efce"]),
        (["solve", "kuhn_poker", "--until", "nan"], ["--until", "greater"]),
        (["solve", "kuhn_poker", "--seconds", "nan"], ["seconds"]),
        (["solve", "kuhn_poker", "--checkpoint-every", "-1"], ["--checkpoint-every"]),
        (["solve", "kuhn_poker", "--save", "/proc/no/x.npz"], ["/proc/no/x.npz"]),
        (
            ["solve", "openspiel/liars_dice_ir(dice_sides=3)"],
            ["imperfect recall", "mccfr_external"],
        ),
        (["evaluate", "kuhn_poker", "no.npz"], ["no.npz"]),
        (["evaluate", "kuhn_poker", "unifrm"], ["unifrm", "uniform"]),
        (["evaluate", "connect_four", "uniform"], ["too large", "--approximate"]),
        (["evaluate", "kuhn_poker", "uniform", "uniform", "uniform"], ["3 policies", "2"]),
        (["compare", "kuhn_poker", "cfr", "cfr"], ["cfr", "twice"]),
        (["compare", "kuhn_poker", "cfr", "mmd"], ["qre_gap", "exploitability"]),
        (["compare", "kuhn_poker", "cfr", "-p", "players=3", "mmd"], ["3 seats"]),
        (["list", "games", "--for", "kuhn_poker"], ["--for", "solvers"]),
    ],
)
def test_a_mistake_costs_one_line(
    arguments: list[str],
    words: list[str],
    call: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    done = call(*arguments)
    assert done.returncode == 2, done.stdout
    first, *rest = done.stderr.strip().splitlines()
    assert first.startswith("error: ")
    assert all(line.startswith("see `arena") for line in rest)
    for word in words:
        assert word in first
    assert not list(tmp_path.glob("*.npz"))
