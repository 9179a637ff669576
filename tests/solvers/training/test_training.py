"""What all learners share: checkpoints, folders, the loop, and going on exactly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import arena
from arena.errors import (
    AgentError,
    NotApplicableError,
    ParameterError,
    StoreError,
    UnknownNameError,
)
from arena.registry import SOLVERS
from solvers.training import RunFolder, Schedule, read_checkpoint, train, write_checkpoint
from solvers.training.evaluate import sample_rows
from solvers.training.runs import begin_run, resume_run
from tests.solvers.training.toy import Toy, toy

TINY = {"colors": 1, "ranks": 2, "hand_size": 1, "max_life_tokens": 1}


@pytest.fixture(autouse=True)
def _registered():
    SOLVERS.register("toy", toy, summary="for tests", tags={"kind": "learner"})
    yield
    SOLVERS.unregister("toy")


@pytest.fixture
def game():
    return arena.make("hanabi", **TINY)


def last(folder: Path):
    files = (folder / "checkpoints").glob("step-*.safetensors")
    return read_checkpoint(max(files, key=lambda file: int(file.stem[5:])))


def same(one, other) -> bool:
    return (
        one.header["state"] == other.header["state"]
        and one.header["steps"] == other.header["steps"]
        and one.state.keys() == other.state.keys()
        and all(np.array_equal(one.state[k], other.state[k]) for k in one.state)
        and all(np.array_equal(one.policy[k], other.policy[k]) for k in one.policy)
    )


def test_a_resumed_run_is_bit_equal(game, tmp_path):
    whole = begin_run(tmp_path / "whole", game, "toy", seed=3, limits={"steps": 1500})
    begin_run(tmp_path / "parts", game, "toy", seed=3, limits={"steps": 400})
    resume_run(tmp_path / "parts", limits={"steps": 900})
    parts = resume_run(tmp_path / "parts", limits={"steps": 1500})
    assert whole.status == parts.status == "step limit"
    assert whole.steps == parts.steps >= 1500
    assert same(last(tmp_path / "whole"), last(tmp_path / "parts"))
    assert whole.course.evaluation == parts.course.evaluation


def test_another_seed_is_another_run(game, tmp_path):
    for seed in (3, 4):
        begin_run(tmp_path / str(seed), game, "toy", seed=seed, limits={"steps": 300})
    assert not same(last(tmp_path / "3"), last(tmp_path / "4"))


def test_evaluations_leave_training_as_it_is(game, tmp_path):
    for name, every in (("often", 100), ("never", 0)):
        limits = {"steps": 600, "eval_every": every, "eval_episodes": 20}
        begin_run(tmp_path / name, game, "toy", limits=limits)
    often, never = last(tmp_path / "often"), last(tmp_path / "never")
    assert np.array_equal(often.state["weight"], never.state["weight"])
    assert often.header["state"] == never.header["state"]


def test_solve_goes_on_as_a_run_does(game, tmp_path):
    outcome = begin_run(tmp_path / "run", game, "toy", seed=5, limits={"steps": 900})
    half = arena.solve(game, "toy", seed=5, steps=450)
    half.save(tmp_path / "half.npz")
    whole = arena.solve(game, "toy", seed=5, steps=900, resume=tmp_path / "half.npz")
    assert np.array_equal(whole.state["weight"], last(tmp_path / "run").state["weight"])
    gap = whole.certificate["return"]
    assert gap.value == outcome.course.evaluation.mean
    assert gap.interval == outcome.course.evaluation.interval
    assert [p.iteration for p in whole.trace] == sorted({p.iteration for p in whole.trace})


def test_solve_is_kept_while_it_runs(game, tmp_path):
    from arena.checkpoint import Checkpoints

    def stop(point):
        if point.iteration:
            raise KeyboardInterrupt

    keep = Checkpoints(tmp_path / "kept.npz", every=0, progress=stop)
    stopped = arena.solve(game, "toy", seed=5, steps=2000, progress=keep)
    assert stopped.status == "interrupted" and keep.written
    again = arena.solve(game, "toy", seed=5, steps=900, resume=tmp_path / "kept.npz")
    whole = arena.solve(game, "toy", seed=5, steps=900)
    assert np.array_equal(again.state["weight"], whole.state["weight"])


def test_it_learns_and_the_best_is_kept(game, tmp_path):
    outcome = begin_run(tmp_path / "run", game, "toy", limits={"steps": 6000})
    with RunFolder.open(tmp_path / "run") as folder:
        rows = [row for row in folder.rows() if "eval/return" in row]
        kept = folder.checkpoints()
    assert rows[0]["steps"] == 0 and rows[-1]["steps"] == outcome.steps
    assert max(row["eval/return"] for row in rows) == outcome.course.best > rows[0]["eval/return"]
    assert 1 <= len(kept) <= 3
    best = read_checkpoint(tmp_path / "run/checkpoints/best.safetensors")
    assert best.header["course"]["best"] == outcome.course.best and not best.state
    twin = json.loads((tmp_path / "run/checkpoints/best.json").read_text())
    assert twin["game"] == {"id": "hanabi", "params": TINY, "version": game.version}


def test_metrics_beyond_the_checkpoint_are_made_again(game, tmp_path):
    run = tmp_path / "run"
    begin_run(run, game, "toy", limits={"steps": 700})
    done = last(run).header["steps"]
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"steps": done + 50, "seconds": 9.0}) + '\n{"steps": 99')
    outcome = resume_run(run, limits={"steps": 1000})
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [row["steps"] for row in rows]
    assert steps == sorted(steps) and done + 50 not in steps and steps[-1] == outcome.steps


def test_old_checkpoints_go(game, tmp_path):
    learner = Toy(game, 0, {"rate": 0.1})
    with RunFolder.create(tmp_path / "run", {}, keep=2) as folder:
        schedule = Schedule(steps=600, eval_every=0, eval_episodes=5, save_seconds=0.0)
        train(learner, schedule=schedule, folder=folder, header={})
        kept = list(folder.checkpoints())
    assert len(kept) == 2 and kept[-1] == learner.steps
    assert sorted(p.suffix for p in (tmp_path / "run/checkpoints").glob("step-*")) == [
        ".json",
        ".json",
        ".safetensors",
        ".safetensors",
    ]


def test_a_progress_function_may_stop_it(game, tmp_path):
    def stop(report):
        raise KeyboardInterrupt

    outcome = begin_run(tmp_path / "run", game, "toy", progress=stop)
    assert outcome.status == "interrupted"
    resumed = resume_run(tmp_path / "run")
    whole = begin_run(tmp_path / "whole", game, "toy")
    assert resumed.status == "step limit"
    assert same(last(tmp_path / "run"), last(tmp_path / "whole"))
    assert whole.steps == resumed.steps


_CHILD = """
import sys
from arena.registry import SOLVERS
from tests.solvers.training.toy import toy
SOLVERS.register("toy", toy, summary="for tests", tags={"kind": "learner"})
from arena.cli import main
main(sys.argv[1:])
"""


def _child(*words: str, cwd: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _begun(folder: Path, child: subprocess.Popen[str]) -> None:
    """Wait until the run has its first checkpoint."""
    while not list(folder.glob("checkpoints/step-*.json")):
        assert child.poll() is None, child.stderr.read()
        time.sleep(0.02)


_GAME = ["hanabi", "-p", "colors=1", "-p", "ranks=2", "-p", "hand_size=1"]
_GAME += ["-p", "max_life_tokens=1", "--solver", "toy", "--save-seconds", "0.05"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_from_outside_it_goes_on_exactly(game, tmp_path, number):
    child = _child("train", *_GAME, "--out", "run", "--steps", "1000000000", cwd=tmp_path)
    _begun(tmp_path / "run", child)
    child.send_signal(number)
    out, error = child.communicate()
    if number == signal.SIGINT:
        assert child.returncode == 130
        assert "stopped; go on with: arena train --resume run" in error
        assert "play it with" in out
    else:
        assert child.returncode == -signal.SIGKILL
    steps = last(tmp_path / "run").header["steps"] + 100
    outcome = resume_run(tmp_path / "run", limits={"steps": steps})
    begin_run(tmp_path / "whole", game, "toy", limits={"steps": steps})
    assert outcome.steps == last(tmp_path / "whole").header["steps"]
    assert same(last(tmp_path / "run"), last(tmp_path / "whole"))


def test_json_and_playing_the_checkpoint(tmp_path):
    child = _child("train", *_GAME, "--out", "run", "--steps", "300", "--json", cwd=tmp_path)
    out, error = child.communicate()
    assert child.returncode == 0 and error == ""
    facts = json.loads(out)
    assert facts["status"] == "step limit" and facts["steps"] >= 300
    best = str(tmp_path / facts["checkpoint"])
    match = arena.play("hanabi", [best, best], params=TINY, seed=1)
    assert match.fault is None
    outcome = arena.tournament(
        games=[arena.make("hanabi", **TINY)], agents={"net": best, "uniform": "uniform"}, seed=1
    )
    assert set(outcome.results.agents) == {"net", "uniform"}


def test_one_by_one_and_in_batches_alike(game, tmp_path):
    begin_run(tmp_path / "run", game, "toy", limits={"steps": 600})
    from arena.rng import derive_many, seat_seeds
    from games.batch import play_batch

    best = str(tmp_path / "run/checkpoints/best.safetensors")
    seeds = derive_many(1, np.arange(60))
    own = seat_seeds(seeds, 2)
    for greedy in (True, False):
        agents = [arena.agent(best, greedy=greedy) for _ in range(2)]
        together = play_batch(game, agents, seeds)
        alone = []
        for k, seed in enumerate(seeds.tolist()):
            state = game.state(seed)
            for seat, agent in enumerate(agents):
                agent.begin(game, seat, int(own[k, seat]))
            while actors := state.actors():
                state.step({s: agents[s].act(state.observe(s)) for s in actors})
            alone.append(state.returns())
        assert np.array_equal(together, alone)


def test_the_command_says_what_is_missing(tmp_path):
    for words, said in (
        ((), "GAME = None"),
        (("hanabi",), "--solver = None"),
        (("hanabi", "--solver", "cfr"), "cfr is no learner"),
        (("hanabi", "--solver", "toi"), "did you mean 'toy'"),
        (("--resume", "nothing"), "run.json"),
        (("--resume", "run", "-p", "colors=2"), "--param"),
        (("--resume", "run", "--out", "other"), "--out"),
    ):
        child = _child("train", *words, cwd=tmp_path)
        _, error = child.communicate()
        assert child.returncode == 2 and said in error and error.count("\n") == 1


# -- bad input --------------------------------------------------------------------------------


def test_another_game_is_refused(game, tmp_path):
    begin_run(tmp_path / "run", game, "toy", limits={"steps": 100})
    best = str(tmp_path / "run/checkpoints/best.safetensors")
    with pytest.raises(AgentError, match=r"policy for hanabi\(colors=1.*not for hanabi$"):
        arena.agent(best).begin(arena.make("hanabi"), 0, 1)
    with pytest.raises(ParameterError, match=r"game = 'hanabi'.*expected hanabi"):
        resume_run(tmp_path / "run", game=arena.make("hanabi"))


def test_another_architecture_is_refused(game, tmp_path):
    begin_run(tmp_path / "run", game, "toy", limits={"steps": 100})
    file = tmp_path / "run/checkpoints/best.safetensors"
    found = read_checkpoint(file)
    bad = {**found.header, "policy": {**found.header["policy"], "sizes": [3, 4, 5]}}
    write_checkpoint(tmp_path / "bad.safetensors", bad, found.policy)
    with pytest.raises(ParameterError, match=r"sizes \[3, 4, 5\]"):
        arena.agent(str(tmp_path / "bad.safetensors"))


def test_settings_cannot_change_half_way(game, tmp_path):
    begin_run(tmp_path / "run", game, "toy", limits={"steps": 100})
    with pytest.raises(ParameterError, match=r"rate = 0.5 is not allowed; expected 0.05"):
        resume_run(tmp_path / "run", settings={"rate": 0.5})
    with pytest.raises(UnknownNameError, match="did you mean 'rate'"):
        resume_run(tmp_path / "run", settings={"rat": 0.5})
    with pytest.raises(ParameterError, match="seed = 9"):
        resume_run(tmp_path / "run", given={"seed": 9})


def test_a_run_is_not_overwritten_nor_shared(game, tmp_path):
    begin_run(tmp_path / "run", game, "toy", limits={"steps": 100})
    with pytest.raises(StoreError, match="--resume"):
        begin_run(tmp_path / "run", game, "toy", limits={"steps": 100})
    with RunFolder.open(tmp_path / "run"), pytest.raises(StoreError, match="another runner"):
        resume_run(tmp_path / "run")


def test_what_is_no_run_no_checkpoint_no_learner(game, tmp_path):
    with pytest.raises(ParameterError, match=r"run\.json"):
        resume_run(tmp_path / "nothing")
    (tmp_path / "x.safetensors").write_bytes(b"no")
    with pytest.raises(ParameterError, match="arena/checkpoint/1"):
        arena.agent(str(tmp_path / "x.safetensors"))
    with pytest.raises(AgentError, match="there is no file"):
        arena.agent(str(tmp_path / "y.safetensors"))
    with pytest.raises(NotApplicableError, match="nash_lp is no learner"):
        begin_run(tmp_path / "run", game, "nash_lp")
    with pytest.raises(ParameterError, match="steps = 0"):
        begin_run(tmp_path / "run", game, "toy", limits={"steps": 0})


def test_draws_avoid_what_has_no_probability():
    chances = np.array([[0.0, 0.5, 0.0, 0.5, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]])
    for draw in (0.0, 0.25, 0.5, 1.0 - 2.0**-53):
        found = sample_rows(chances, np.full(2, draw))
        assert (chances[[0, 1], found] > 0).all()
    many = sample_rows(np.tile(chances[:1], (4000, 1)), np.random.default_rng(0).random(4000))
    assert abs((many == 1).mean() - 0.5) < 0.03
