"""The Ray executor plays the same tournament, and survives what the process pool survives."""

from __future__ import annotations

import pytest

from arena.agent import Limits
from arena.errors import MissingDependencyError
from tournaments.api import run, status
from tournaments.executors import make_executor
from tournaments.plan import make_plan
from tournaments.spec import AgentSpec, ExecutorSpec


def test_without_ray_the_error_says_how_to_get_it(cup, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    spec = cup(executor=ExecutorSpec("ray", 1))
    with pytest.raises(MissingDependencyError, match=r"arena-gametheory\[ray\]"):
        make_executor(spec.executor, make_plan(spec, seed=1))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_same_table_with_kills_and_faults(tmp_path, cup, bot, table) -> None:
    ray = pytest.importorskip("ray")
    import psutil

    agents = (
        AgentSpec("u", "uniform"),
        bot("Plain"),
        bot("Ending"),
        bot("Hanging", limits=Limits(move=0.3)),
    )
    spec = cup(*agents, repetitions=1, games=("tic_tac_toe",))
    ours, theirs = tmp_path / "processes.db", tmp_path / "ray.db"
    run(spec, db=ours, executor=ExecutorSpec("processes", 2))
    killed = []

    def kill_one(progress) -> None:
        del progress
        if not killed:
            keepers = [
                p
                for p in psutil.Process().children(recursive=True)
                if "_Keeper" in " ".join(p.cmdline())
            ]
            for keeper in keepers[:1]:
                keeper.kill()
                killed.append(keeper.pid)

    assert run(spec, db=theirs, executor=ExecutorSpec("ray", 2), progress=kill_one).complete
    assert killed
    assert not ray.is_initialized()
    assert table(ours) == table(theirs)
    assert status(ours).faults == status(theirs).faults
