"""The learner: what it learns, exact resumption, policies as files and agents, bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from agents.load import load
from arena.errors import AgentError, NotApplicableError, ParameterError, UnknownNameError
from arena.registry import SOLVERS
from arena.testing import check_solver
from solvers.bandits.episodes import play
from solvers.bandits.exact import exact_table
from solvers.sequoia.baselines import BASELINES, Baseline
from solvers.sequoia.choose import RULES, Chooser
from solvers.sequoia.encode import encode
from solvers.sequoia.features import INPUTS, Features
from solvers.sequoia.learner import DEFAULTS, Sequoia
from solvers.sequoia.replay import Replay
from solvers.training import RunFolder
from solvers.training.runs import begin_run, resume_run

SMALL: dict[str, Any] = {
    "warm": 600,
    "capacity": 1000,
    "pretrain": 2,
    "working": 100,
    "hidden": [6],
    "episodes": 2,
    "select_every": 2,
    "select_episodes": 4,
}
KEY = "bandits/budget(arms=4,budget=1,horizon=6)"


def learner(key: str = KEY, seed: int = 0, **own: Any) -> Sequoia:
    return Sequoia(arena.make(key), seed, {**DEFAULTS, **SMALL, **own})


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize(
    "key",
    ["bandits/schedule(arms=6,budget=2)", "bandits/interventions", "bandits/epidemic(arms=8)"],
)
def test_features_of_a_state_are_linear_in_the_action(kind: str, key: str) -> None:
    form = arena.make(key).form("bandit")
    features, rng = Features(form, kind), np.random.default_rng(0)
    levels = rng.integers(form.states, size=(5, form.arms))
    actions = np.array([form.feasible.sample(rng) for _ in levels]).astype(np.int64)
    whole = features.whole(levels, 3, actions)
    base = features.base(levels, 3)
    for k, row in enumerate(levels):
        effect = features.effect(row)
        expected = base[k].copy()
        if effect.ndim == 1:
            np.add.at(expected, effect, actions[k])
        else:
            expected += effect @ actions[k]
        assert whole[k].tolist() == expected.tolist()


@pytest.mark.parametrize(
    "key",
    [
        "bandits/path(budget=2)",
        "bandits/epidemic(arms=8,budget=2,horizon=12)",
        "bandits/capacity(arms=9,budget=2)",
    ],
)
def test_choices_are_feasible_and_exact_ones_are_best(key: str) -> None:
    made = learner(key)
    made.step()
    form, net = made.form, encode(made.net, made.features.size)
    levels = np.random.default_rng(1).integers(form.states, size=(6, form.arms))
    listed = form.feasible.listed()
    assert listed is not None
    values = {}
    for rule in RULES:
        chooser = Chooser(form, made.features, rule=rule)
        chosen = chooser.choose(net, levels, 0, np.random.default_rng(2))
        assert all(form.feasible.allows(action) for action in chosen)
        values[rule] = net.values(made.features.whole(levels, 0, chosen))
    for k, row in enumerate(levels):
        every = np.repeat(row[None], len(listed), axis=0)
        best = net.values(made.features.whole(every, 0, listed)).max()
        assert values["exact"][k] == pytest.approx(best, abs=1e-3)
        assert values["iterative"][k] <= best + 1e-9
        assert values["sampled"][k] <= best + 1e-9


def test_answers_are_remembered_until_the_network_changes() -> None:
    made = learner()
    chooser = Chooser(made.form, made.features)
    net = encode(made.net, made.features.size)
    levels = np.array([[0, 1, 2, 3], [0, 1, 2, 3], [1, 1, 1, 1]])
    chooser.choose(net, levels, 0)
    assert (chooser.solved, chooser.remembered) == (2, 1)
    chooser.choose(net, levels, 1)
    assert chooser.solved == 4
    chooser.forget()
    chooser.choose(net, levels, 1)
    assert chooser.solved == 6


def test_learns_to_be_nearly_optimal() -> None:
    """On a small bandit, against backward induction over all joint states."""
    game = arena.make("bandits/budget(arms=4,budget=1,horizon=10,instance=3)")
    made = Sequoia(
        game, 1, {**DEFAULTS, "warm": 2000, "pretrain": 6, "working": 400, "hidden": [8]}
    )
    for _ in range(8):
        made.step()
    policy, value = exact_table(game.form("bandit"), game)
    seeds = np.arange(300, dtype=np.uint64)
    mean = play(game, made.policy(), seeds).mean()
    myopic = play(game, Baseline("myopic", game.form("bandit")), seeds).mean()
    assert play(game, policy, seeds).mean() == pytest.approx(value, rel=0.05)
    assert mean >= 0.9 * value
    assert mean > myopic


def test_resumes_exactly(tmp_path: Path) -> None:
    whole, first, second = learner(), learner(), learner()
    for made in (whole, first):
        for _ in range(3):
            made.step()
    second.load(first.state())
    for made in (whole, second):
        made.step()
    one, other = whole.state(), second.state()
    assert dict(one.values) == dict(other.values)
    for name, array in one.arrays.items():
        assert np.array_equal(array, other.arrays[name]), name

    game = arena.make(KEY)
    limits = {"eval_every": 700, "eval_episodes": 5}
    for folder, steps in (("whole", 720), ("parts", 640)):
        begin_run(
            tmp_path / folder, game, "sequoia", settings=SMALL, limits={**limits, "steps": steps}
        )
    resume_run(tmp_path / "parts", limits={"steps": 720})
    ends = [RunFolder.open(tmp_path / name).latest() for name in ("whole", "parts")]
    for name, array in ends[0].policy.items():  # type: ignore[union-attr] # there is one
        assert np.array_equal(array, ends[1].policy[name])  # type: ignore[union-attr]
    with pytest.raises(ParameterError, match="weights"):
        learner(hidden=[7]).load(first.state())


def test_policy_as_file_and_agent(tmp_path: Path) -> None:
    game = arena.make(KEY)
    solution = arena.solve(game, "sequoia", steps=620, eval_every=0, eval_episodes=10, **SMALL)
    assert solution.certificate["return"].kind == "lower"
    solution.save(tmp_path / "found.npz")
    again = arena.Solution.load(tmp_path / "found.npz")
    begin_run(tmp_path / "run", game, "sequoia", settings=SMALL, limits={"steps": 620})
    best = str(tmp_path / "run" / "checkpoints" / "best.safetensors")
    moves = []
    for agent in (solution.agent(), again.agent(), load(str(tmp_path / "found.npz")), load(best)):
        state = game.state(5)
        agent.begin(game, 0, 5)
        while state.actors():
            state.step({0: agent.act(state.observe(0))})
        moves.append(state.history())
    assert moves[0] == moves[1] == moves[2] == moves[3]
    with pytest.raises(AgentError, match="is for"):
        load(best).begin(arena.make("bandits/budget(arms=5,budget=1)"), 0, 0)
    with pytest.raises(ParameterError, match="greedy"):
        load(best, greedy=True)


def test_refuses_as_solvers_do() -> None:
    check_solver(SOLVERS.factory("sequoia")(), arena.make("kuhn_poker"))


def test_bad_input() -> None:
    game = arena.make(KEY)
    solver = SOLVERS.factory("sequoia")()
    with pytest.raises(NotApplicableError, match="bandit"):
        solver.solve(arena.make("kuhn_poker"))
    with pytest.raises(UnknownNameError, match="hidden"):
        solver.solve(game, hiden=[3])
    for name, value in (
        ("choose", "best"),
        ("inputs", "pixels"),
        ("hidden", []),
        ("hidden", [0]),
        ("discount", 1.5),
        ("working", 0),
        ("learning_rate", 0.0),
        ("capacity", 10),
        ("skip", 1),
    ):
        with pytest.raises(ParameterError, match=name):
            solver.solve(game, **{name: value})
    with pytest.raises(NotApplicableError, match="influence each other"):
        arena.solve("bandits/epidemic", "lagrangian")
    with pytest.raises(ParameterError, match="baseline"):
        Baseline("clever", game.form("bandit"))


@pytest.mark.parametrize("key", ["bandits/epidemic(arms=8,budget=2)", "bandits/interventions"])
def test_baselines(key: str) -> None:
    form = arena.make(key).form("bandit")
    levels = np.random.default_rng(0).integers(form.states, size=(7, form.arms))
    arms, worth = np.arange(form.arms), {}
    for name in BASELINES:
        chosen = Baseline(name, form).choose(form, levels, 0)
        assert all(form.feasible.allows(action) for action in chosen)
        modes = form.modes_at(levels, chosen)
        worth[name] = form.expected[arms, modes, levels].sum(axis=1)
    listed = form.feasible.listed()
    assert listed is not None
    for k, row in enumerate(levels):
        best = form.expected[arms, form.modes_at(row, listed), row].sum(axis=1).max()
        assert worth["myopic"][k] == pytest.approx(best)
    for name in BASELINES:
        assert (worth[name] <= worth["myopic"] + 1e-9).all()


def test_replay_keeps_the_latest_and_draws_by_priority() -> None:
    replay, rng = Replay(4, 2, 3), np.random.default_rng(0)
    for k in range(3):
        rows = np.full((2, 2), k)
        replay.add(rows, k, np.zeros((2, 3), np.int64), np.full(2, float(k)), rows)
    assert replay.size == 4
    assert sorted(replay.rewards.tolist()) == [1.0, 1.0, 2.0, 2.0]
    replay.priority[:] = [0.0, 0.0, 3.0, 1.0]
    at, weight = replay.draw(4000, rng, power=1.0, correction=1.0)
    share = np.bincount(at, minlength=4) / 4000
    assert share == pytest.approx([0.0, 0.0, 0.75, 0.25], abs=0.03)
    assert weight[at == 2].max() == pytest.approx(weight[at == 3].max() / 3, rel=1e-3)
    twin = Replay(4, 2, 3)
    twin.load(replay.arrays(), replay.next)
    drawn = [r.draw(9, np.random.default_rng(1), power=1.0, correction=0.0) for r in (twin, replay)]
    assert np.array_equal(drawn[0][0], drawn[1][0])
