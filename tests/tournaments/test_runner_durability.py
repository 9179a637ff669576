"""Nothing lost, nothing doubled: real kills at random moments, and the same table after."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from arena.errors import StoreError
from tournaments.api import load_results, resume, run, status
from tournaments.spec import AgentSpec, ExecutorSpec
from tournaments.store import Store

ROOT = Path(__file__).resolve().parents[2]

# Every figure that the child prints has been acknowledged: it must survive what comes.
RUNNER = """
import sys
sys.path[:] = {path!r}
from tournaments.api import run
def tell(progress):
    print(progress.done, flush=True)
outcome = run({spec!r}, db={db!r}, resume=True, progress=tell)
print("complete", flush=True)
"""

SPEC = """
[tournament]
name = "durable"
seed = 11
repetitions = {repetitions}
[[games]]
id = "connect_four"
[[games]]
id = "leduc_poker"
[[agents]]
name = "uniform"
ref = "uniform"
[[agents]]
name = "first"
ref = "first_legal"
[[agents]]
name = "plain"
ref = {plain!r}
isolation = "none"
[executor]
workers = {workers}
"""


def start(spec: Path, db: Path) -> subprocess.Popen[str]:
    code = RUNNER.format(path=[str(ROOT), *sys.path], spec=str(spec), db=str(db))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def workers_of(runner: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return psutil.Process(runner.pid).children()
    except psutil.NoSuchProcess:
        return []


def kill_until_complete(spec: Path, db: Path, rng: random.Random, *, kills: int) -> int:
    """Run and kill (the runner or a worker) `kills` times, then let it finish."""
    acknowledged = done = runners_killed = 0
    while True:
        runner = start(spec, db)
        assert runner.stdout is not None
        orphans: list[psutil.Process] = []
        while done < kills:
            time.sleep(rng.uniform(0.0, 0.3) if db.exists() else rng.uniform(0.3, 1.2))
            if runner.poll() is not None:
                break
            done += 1
            workers = workers_of(runner)
            if workers and rng.random() < 0.5:
                rng.choice(workers).kill()
                continue
            orphans = workers
            runner.kill()
            runners_killed += 1
            break
        said = runner.stdout.read().split()  # up to its end
        code = runner.wait()
        runner.stdout.close()
        figures = [int(word) for word in said if word.isdigit()]
        assert figures == sorted(figures)
        acknowledged = max([acknowledged, *figures])
        if db.exists():
            assert status(db).done >= acknowledged
        _, alive = psutil.wait_procs(orphans, timeout=10)
        assert not alive  # workers do not outlive their runner
        if "complete" in said:
            # A kill may come between its last word and its end.
            assert code in (0, -signal.SIGKILL)
            return done
        assert code == -signal.SIGKILL


def check_kills(tmp_path: Path, table, *, workers: int, kills: int, repetitions: int) -> int:
    rng = random.Random(workers * 1000 + kills)
    plain = f"{Path(__file__).with_name('bots.py')}:Plain"
    spec = tmp_path / "cup.toml"
    spec.write_text(SPEC.format(repetitions=repetitions, workers=workers, plain=plain))
    calm = tmp_path / "calm.db"
    run(spec, db=calm, executor=ExecutorSpec("in_process"))
    db = tmp_path / "killed.db"
    done = kill_until_complete(spec, db, rng, kills=kills)
    matches = 2 * 3 * 2 * repetitions
    text = table(db)
    keys = [line.split(",", 1)[0] for line in text.splitlines()[1:]]
    assert len(keys) == len(set(keys)) == matches == status(db).done
    assert text == table(calm)
    return done


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_kills_change_nothing(tmp_path, table, workers) -> None:
    check_kills(tmp_path, table, workers=workers, kills=2, repetitions=2000)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_many_kills_change_nothing(tmp_path, table, workers) -> None:
    done = 0
    for attempt in range(4):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        done += check_kills(folder, table, workers=workers, kills=10 + attempt, repetitions=20_000)
    assert done >= 20


def test_the_table_is_the_same_wherever_it_is_played(tmp_path, cup, bot, table) -> None:
    agents = (AgentSpec("u", "uniform"), AgentSpec("f", "first_legal"), bot("Plain"))
    games = ("tic_tac_toe", "kuhn_poker", "openspiel/matrix_pd")
    tables = set()
    for number, executor in enumerate(
        (ExecutorSpec("in_process"), ExecutorSpec("processes", 1), ExecutorSpec("processes", 3))
    ):
        db = tmp_path / f"{number}.db"
        run(cup(*agents, games=games, repetitions=300, executor=executor), db=db)
        tables.add(table(db))
    assert len(tables) == 1


def test_the_table_does_not_depend_on_what_is_recorded(tmp_path, cup, bot, table) -> None:
    tables = set()
    for record in ("all", "sample", "none"):
        db = tmp_path / f"{record}.db"
        spec = cup(
            AgentSpec("u", "uniform"),
            bot("Raising"),
            games=("tic_tac_toe", "kuhn_poker"),
            repetitions=30,
            record=record,
        )
        run(spec, db=db)
        tables.add(table(db))
        with Store.open(db) as store:
            kept = len(list(store.episodes()))
        forfeits = sum(status(db).faults.values())
        assert forfeits > 0
        assert kept == {"all": 120, "none": 0}.get(record, kept)
        assert record != "sample" or forfeits <= kept <= forfeits + 4
    assert len(tables) == 1


def test_kept_moves_replay_to_the_stored_result(tmp_path, cup) -> None:
    import arena

    db = tmp_path / "cup.db"
    run(cup(games=("leduc_poker", "goofspiel"), record="all", repetitions=10), db=db)
    with Store.open(db) as store:
        episodes = list(store.episodes())
        games = [arena.make(row["game_id"]) for row in store.games()]
    assert len(episodes) == 40
    for episode in episodes:
        state = games[episode.game].state(episode.seed)
        for step in episode.steps:
            state.step(step)
        assert state.actors() == ()
        assert tuple(state.returns()) == episode.outcome.payoffs


def test_resume_extends_and_repeats_nothing(tmp_path, cup, table) -> None:
    db, whole = tmp_path / "cup.db", tmp_path / "whole.db"
    assert run(cup(repetitions=5), db=db).played == 10
    assert resume(db).played == 0
    assert run(cup(repetitions=8), db=db, resume=True).played == 6
    run(cup(repetitions=8), db=whole)
    assert table(db) == table(whole)
    third = AgentSpec("c", "uniform")
    more = cup(*cup().agents, third, repetitions=8)
    assert run(more, db=db, resume=True).played == 32
    assert load_results(db).agents == ["a", "b", "c"]


def test_ctrl_c_keeps_what_is_played(tmp_path, table) -> None:
    spec, db = tmp_path / "cup.toml", tmp_path / "cup.db"
    plain = f"{Path(__file__).with_name('bots.py')}:Plain"
    spec.write_text(SPEC.format(repetitions=200_000, workers=2, plain=plain))
    runner = start(spec, db)
    assert runner.stdout is not None
    figure = 0
    while figure == 0:
        figure = int(runner.stdout.readline())
    children = workers_of(runner)
    os.kill(runner.pid, signal.SIGINT)
    said = runner.stdout.read().split()
    assert runner.wait(timeout=20) == 0
    runner.stdout.close()
    figures = [int(word) for word in said if word.isdigit()]
    assert status(db).done == figures[-1] >= figure
    assert status(db).done < status(db).total
    assert not psutil.wait_procs(children, timeout=10)[1]


def test_a_second_runner_is_refused_and_readers_are_not(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    run(cup(), db=db)
    with Store.open(db, write=True):
        with pytest.raises(StoreError, match="another runner"):
            resume(db)
        assert status(db).done == 2
    assert resume(db).played == 0
