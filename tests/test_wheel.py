"""The built wheel works away from the sources."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it, as an installer would."""
    built = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    target = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(target)
    return target


def run(site: Path, cwd: Path, *arguments: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_is_what_is_imported(site: Path, tmp_path: Path) -> None:
    code = "import arena, games, agents, solvers, tournaments; print(arena.__file__)"
    assert str(site) in run(site, tmp_path, "-c", code)


def test_the_wheel_holds_every_data_file(site: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "arena", "games", "agents", "solvers", "tournaments"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\n")
    missing = [name for name in tracked if name and not (site / name).exists()]
    assert not missing


def test_commands_run_from_the_wheel(site: Path, tmp_path: Path) -> None:
    assert "leduc_poker" in run(site, tmp_path, "-m", "arena", "list", "games", "--grep", "leduc")
    assert "runner_vs_bare_loop" in run(site, tmp_path, "-m", "arena", "bench")
    played = run(site, tmp_path, "-m", "arena", "play", "kuhn_poker", "uniform", "first_legal")
    assert "first_legal" in played


def test_a_tournament_and_its_report_run_from_the_wheel(site: Path, tmp_path: Path) -> None:
    spec = tmp_path / "cup.toml"
    spec.write_text(
        """
[tournament]
name = "wheel cup"
seed = 1
repetitions = 3

[[games]]
id = "kuhn_poker"

[[agents]]
name = "random"
ref = "uniform"

[[agents]]
name = "first"
ref = "first_legal"
""",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    command = ["-m", "arena", "tournament", "run", str(spec), "--out", str(out), "--report"]
    assert "random" in run(site, tmp_path, *command)
    assert (out / "report.html").stat().st_size > 10_000
