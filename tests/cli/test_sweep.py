"""No game makes the command line hang or show a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.sweep import Outcome

ROOT = Path(__file__).parent.parent.parent


def swept(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.sweep", *arguments],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_game_of_every_kind_is_answered_for() -> None:
    text = swept(
        *("kuhn_poker", "matrix/chicken", "markov/inspection", "connect_four"),
        *("openspiel/nfg_game", "openspiel/mfg_garnet", "--seconds", "0.2"),
    )
    assert "18 commands, 0 faults" in text
    assert "give filename=PATH" in text
    assert "mean-field game" in text


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_every_game_is_answered_for() -> None:
    assert " 0 faults" in swept("--limit", "90")


@pytest.mark.parametrize(
    ("code", "output", "errors", "fault"),
    [
        (0, "{}", "", None),
        (2, "", "error: no\n", None),
        (2, "", "error: no\nsee `arena solve --help`\n", None),
        (0, "", "", "no answer"),
        (2, "", "", "not one line of error"),
        (2, "", "error: a\nerror: b\n", "not one line of error"),
        (1, "", "Traceback (most recent call last)", "a traceback"),
        (-9, "", "", "no answer in time"),
        (-11, "", "", "exit code -11"),
    ],
)
def test_faults_are_told(code: int, output: str, errors: str, fault: str | None) -> None:
    assert Outcome(("make",), code, 1.0, output, errors).fault == fault
