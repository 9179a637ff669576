"""Solutions are kept while solving, and a run that is cut off goes on as if it had not been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from arena.checkpoint import Checkpoints
from arena.errors import ArenaError, ParameterError
from arena.registry import SOLVERS
from arena.solver import Solution, TracePoint

ROOT = Path(__file__).parent.parent.parent


def iterative() -> list[tuple[str, str, dict[str, Any]]]:
    """Every solver of trees and matrices that goes on for as long as it is told."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for name in SOLVERS.names():
        tags = SOLVERS.info(name).tags or {}
        solver = SOLVERS.factory(name)()
        if tags.get("form") == "markov" or name in ("auto", "cce", "ce"):
            continue
        if tags.get("form") == "normal_form":
            game = "matrix/random_zero_sum(actions=4)"
        else:
            game = "kuhn_poker"
        if getattr(solver, "iterations", None) is not None:
            found.append((name, game, {}))
    return found


CASES = [
    *iterative(),
    ("logit_qre", "matrix/battle_of_the_sexes", {}),
    ("v_learning", "markov/inspection", {"horizon": 4}),
    ("shapley", "markov/soccer", {}),
    ("auto", "kuhn_poker(players=3)", {}),
    ("auto", "goofspiel(num_cards=3,returns_type=total_points)", {}),
]


def same(one: Any, other: Any) -> None:
    """Two policies or states are equal to the last bit."""
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize(("solver", "game", "settings"), CASES)
def test_a_run_from_a_checkpoint_is_the_run(
    solver: str, game: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    """Cut after a quarter of the iterations: equal to the last bit, whatever the blocks."""
    made = arena.make(game)
    total = {"logit_qre": 10, "shapley": 20, "auto": 700}.get(solver, 150)
    part = total // 4
    whole = arena.solve(made, solver, iterations=total, seed=3, **settings)
    path = tmp_path / "part.npz"
    copies: list[Solution] = []

    class Copying:
        """Takes one snapshot once `part` iterations are done."""

        def __call__(self, point: TracePoint) -> None: ...

        def checkpoint(self, snapshot: Any) -> None:
            if not copies:
                found = snapshot()
                iteration = found.state.get("iteration", found.state.get("rounds"))
                if int(iteration) >= part:
                    copies.append(found)
                    found.save(path)

    again = arena.solve(made, solver, iterations=total, seed=3, progress=Copying(), **settings)
    assert len(copies) == 1
    assert copies[0].status.startswith("unfinished")
    parts = arena.solve(
        made, solver, iterations=total, seed=3, resume=Solution.load(path), **settings
    )
    for other in (again, parts):
        if hasattr(whole.policy, "table"):
            np.testing.assert_array_equal(whole.policy.table, other.policy.table)
        else:
            same(whole.policy.arrays(), other.policy.arrays())
        if solver == "logit_qre":  # a branch is kept in payoff units: rounded once more
            continue
        same(whole.state, other.state)
        assert whole.certificate == other.certificate


def test_checkpoints_are_written_when_it_is_time(tmp_path: Path) -> None:
    points: list[TracePoint] = []
    keeper = Checkpoints(tmp_path / "a.npz", every=0.0, progress=points.append)
    solution = arena.solve("kuhn_poker", "cfr", iterations=20, progress=keeper)
    assert points == list(solution.trace)
    assert keeper.written >= 1
    kept = Solution.load(tmp_path / "a.npz")
    assert kept.status == "unfinished"
    assert kept.game.key == solution.game.key and kept.solver == "cfr"
    never = Checkpoints(tmp_path / "b.npz", every=1e9)
    arena.solve("kuhn_poker", "cfr", iterations=20, progress=never)
    assert never.written == 0 and not (tmp_path / "b.npz").exists()
    arena.solve("kuhn_poker", "cfr", iterations=20, save=tmp_path / "b.npz")
    assert Solution.load(tmp_path / "b.npz").status == "iteration limit"
    with pytest.raises(ParameterError, match="checkpoint_every"):
        arena.solve("kuhn_poker", "cfr", save=tmp_path / "c.npz", checkpoint_every=-1)


def test_a_state_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    arena.solve("kuhn_poker", "cfr", iterations=5, save=path)
    for words, call in (
        ("cfr on", {"solver": "cfr+", "resume": path}),
        ("alternating", {"solver": "cfr", "resume": path, "alternating": False}),
        ("file that is there", {"solver": "cfr", "resume": tmp_path / "no.npz"}),
    ):
        with pytest.raises(ParameterError, match=words):
            arena.solve("kuhn_poker", **call)
    with pytest.raises(ParameterError, match="leduc"):
        arena.solve("leduc_poker", "cfr", resume=path)
    good = Solution.load(path)
    for state in ({"iteration": np.array(5)}, {**good.state, "regret": np.zeros(3)}):
        bad = Solution(good.game, "cfr", good.settings, good.policy, state=state)
        with pytest.raises(ParameterError, match="resume"):
            arena.solve(good.game, "cfr", resume=bad)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ArenaError, match="solution file"):
        arena.solve("kuhn_poker", "cfr", resume=path)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize(
    ("game", "solver", "total"),
    [
        ("leduc_poker", "pcfr+", 12_000),
        ("kuhn_poker", "mccfr_external", 1_000_000),
        ("matrix/random_zero_sum(actions=60)", "matrix_nash_mp", 60_000),
        ("kuhn_poker", "joint_efce", 1200),
    ],
)
def test_kill_minus_nine_costs_what_came_after_the_last_checkpoint(
    game: str, solver: str, total: int, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ARENA_CACHE": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    head = [sys.executable, "-m", "arena", "solve", game]
    tail = ["--save", "kept.npz", "--checkpoint-every", "0.05", "--no-tensorboard", "--json"]
    process = subprocess.Popen(
        [*head, "--solver", solver, "--seed", "5", "--iterations", str(total), *tail],
        cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    kept = tmp_path / "kept.npz"
    deadline = time.monotonic() + 120
    while not kept.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    cut = Solution.load(kept)  # whole, whatever the kill hit
    done = int(cut.state.get("iteration", cut.state.get("rounds")))
    if process.returncode == -signal.SIGKILL:
        assert 0 < done < total and cut.status == "unfinished"
    subprocess.run(
        [*head, "--resume", "kept.npz", *tail],
        cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    resumed = Solution.load(kept)
    whole = arena.solve(game, solver, seed=5, iterations=total)
    assert resumed.status == "iteration limit"
    same(whole.state, resumed.state)
    assert resumed.certificate == whole.certificate
