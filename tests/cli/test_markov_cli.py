"""Markov games from the command line: what works, and what is refused with its place."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena.cli.main import main
from games.markov.files import read_form, write_form
from tests.reference.markov import random_form

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["arena", *arguments])
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
                code: Any = 0
            except SystemExit as stop:
                code = stop.code or 0
        return int(code), out.getvalue(), err.getvalue()

    return call


def parts() -> dict[str, Any]:
    """A good game: two states, 2×3 joint actions."""
    return {
        "transition": np.full((2, 2, 3, 2), 0.5),
        "reward": np.random.default_rng(0).random((2, 2, 2, 3)),
        "discount": 0.9,
    }


def walk(pays: float, stops: bool) -> dict[str, Any]:
    """State 0 leads to 1; 1 stays there; 2 is terminal, and reached from 0 if it `stops`."""
    move = np.zeros((3, 1, 3))
    move[0, 0] = [0.0, 0.5, 0.5] if stops else [0.0, 1.0, 0.0]
    move[1, 0, 1] = move[2, 0, 2] = 1.0
    reward = np.zeros((1, 3, 1))
    reward[0, 1, 0] = pays
    return {"transition": move, "reward": reward, "terminal": [2]}


def leaky() -> dict[str, Any]:
    made = parts()
    made["transition"][1, 0, 2, 1] = 0.3
    return made


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("sum", leaky(), "sum of transitions at state 1, joint action (0, 2) = 0.8"),
    ("payoffs", {**parts(), "reward": np.zeros((3, 2, 2, 3))}, "reward.shape = (3, 2, 2, 3)"),
    ("shape", {**parts(), "reward": np.zeros((2, 2, 3, 3))}, "transition.shape = (2, 2, 3, 2)"),
    ("nan", {**parts(), "reward": np.full((2, 2, 2, 3), np.nan)}, "reward of seat 0 at state 0"),
    ("end", {**parts(), "discount": 1.0}, "discount = 1.0 is not allowed"),
    ("discount", {**parts(), "discount": 1.5}, "discount = 1.5"),
    ("unreachable", walk(0.0, stops=False), "that can be reached from the initial ones"),
    ("absorbing", walk(1.0, stops=True), "without them state 1 pays for ever"),
    ("stuck", walk(0.0, stops=True), "without them state 1 leads to no terminal state"),
    ("horizon", {**parts(), "horizon": 0}, "horizon = 0"),
    ("initial", {**parts(), "initial": [0.5, 0.4]}, "initial = 0.9"),
    ("unknown", {**parts(), "gamma": 0.9}, "unknown array"),
    ("lacking", {"reward": np.zeros((2, 2, 2, 3))}, "lacks the array 'transition'"),
]


@pytest.mark.parametrize(("name", "arrays", "words"), BAD, ids=[case[0] for case in BAD])
def test_bad_games_are_refused_with_the_place(
    name: str, arrays: dict[str, Any], words: str, run: Run
) -> None:
    np.savez(f"{name}.markov.npz", **arrays)
    code, out, err = run("solve", f"{name}.markov.npz", "--solver", "cce", "--no-tensorboard")
    assert code == 2 and words in " ".join(err.split()), err
    assert "Traceback" not in err + out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["solve", "markov/garnet(seats=12,actions=9,states=1000)", "--solver", "cce"], "GiB"),
        (["solve", "markov/garnet", "--solver", "shapley"], "needs two seats and zero sum"),
        (["solve", "markov/garnet", "--solver", "v_learning"], "horizon=20"),
        (["solve", "markov_socer", "--solver", "cce"], "markov_soccer"),
        (["solve", "coin_game", "--solver", "cce", "--objective", "wellfare"], "welfare"),
        (["solve", "coin_game", "--solver", "cce", "--set", "lp=cplex"], "simplex, highs"),
        (["solve", "missing.markov.npz", "--solver", "cce"], "No such file"),
        (["evaluate", "coin_game", "missing.npz", "--horizon", "3"], "missing.npz"),
    ],
)
def test_bad_questions(arguments: list[str], words: str, run: Run) -> None:
    code, out, err = run(*arguments)
    assert code == 2 and words in " ".join(err.split()), err
    assert "Traceback" not in err + out


def test_a_file_that_is_none(run: Run) -> None:
    Path("text.markov.npz").write_text("hello")
    code, _, err = run("solve", "text.markov.npz", "--solver", "cce")
    assert code == 2 and "expected an .npz file of arrays" in " ".join(err.split())


def test_files_are_solved_resumed_evaluated_and_played(run: Run) -> None:
    np.savez("mine.markov.npz", **parts())
    ask = ["solve", "mine.markov.npz", "--solver", "cce", "--horizon", "4", "--json"]
    code, out, err = run(*ask, "--no-tensorboard", "--save", "cce.npz")
    assert code == 0, err
    found = json.loads(out)
    assert found["certificate"]["cce_gap"]["value"] < 1e-8
    code, out, err = run(
        "evaluate", "mine.markov.npz", "cce.npz", "--deviations", "history", "--horizon", "4",
        "--json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(out)["certificate"]["cce_gap"]["value"] < 1e-8
    code, _, err = run("play", "mine.markov.npz", "cce.npz", "uniform", "--seed", "1")
    assert code == 0, err
    ask = ["solve", "mine.markov.npz", "--solver", "v_learning", "--horizon", "4"]
    for more in (["--iterations", "50"], ["--iterations", "90", "--resume", "v.npz"]):
        code, _, err = run(*ask, "--no-tensorboard", "--save", "v.npz", *more)
        assert code == 0, err
    with np.load("v.npz") as data:
        assert data["state.iteration"] == 90


def test_files_hold_all_of_a_game(tmp_path: Path) -> None:
    for seed in range(4):
        form = random_form(seed, seats=2 + seed % 2, masks=True, ends=True, horizon=3)
        write_form(form, tmp_path / "x.markov.npz")
        again = read_form(tmp_path / "x.markov.npz")
        for name, value in vars(form).items():
            other = getattr(again, name)
            if isinstance(value, np.ndarray):
                assert np.array_equal(value, other), name
            elif name == "legal":
                assert all(np.array_equal(a, b) for a, b in zip(value, other, strict=True))
            else:
                assert value == other, name
