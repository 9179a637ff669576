"""A plug-in distribution is installed for real, found by name, and its things work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent.parent / "examples" / "plugin"
ROOT = PLUGIN.parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation"]
    subprocess.run([*command, "--no-deps", "--target", str(target), str(PLUGIN)], check=True)
    path = os.pathsep.join([str(target), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path}


def run(code: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "name"), [("games", "race"), ("agents", "race_optimal"), ("solvers", "race_by_hand")]
)
def test_the_lists_show_what_a_plugin_brings(
    installed: dict[str, str], kind: str, name: str
) -> None:
    command = [sys.executable, "-m", "arena", "list", kind, "--source", "race-to-n", "--json"]
    out = subprocess.run(command, env=installed, capture_output=True, text=True, check=True).stdout
    assert [row["id"] for row in json.loads(out)] == [name]


def test_the_plugins_game_agent_and_solver_work(installed: dict[str, str]) -> None:
    out = run(
        """
import arena
from arena.episode import drive
from arena.registry import SOLVERS
from arena.testing import check_game

game = arena.make("race", target=10, step=2)
check_game(game, episodes=5, seed=0)
wins = 0
for seed in range(20):
    players = [arena.agent("race_optimal"), arena.agent("uniform")]
    for seat, player in enumerate(players):
        player.begin(game, seat, seed)
    state = game.state(seed)
    drive(state, [player.act for player in players])
    wins += state.returns()[0] > 0
solution = SOLVERS.factory("race_by_hand")().solve(game)
print(wins, solution.certificate["one_step_gap"].value)
""",
        installed,
    )
    # 10 is no multiple of 3, so the first player wins against anyone.
    assert out.split() == ["20", "0.0"]


def test_bad_plugin_parameters_name_the_value(installed: dict[str, str]) -> None:
    out = run(
        """
import arena
try:
    arena.make("race", step=0)
except arena.errors.ParameterError as error:
    print(error)
""",
        installed,
    )
    assert "step = 0" in out
