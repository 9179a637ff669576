from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from solvers.qarl.learner import DEFAULTS, Qarl
from solvers.qarl.methods import METHODS
from solvers.qarl.policy import ControlPolicy
from solvers.training.checkpoint import read_checkpoint
from solvers.training.runs import begin_run, resume_run

GAME = "adversarial/point_mass(horizon=20)"
SMALL: dict[str, Any] = {
    "hidden": [16],
    "batch": 16,
    "warm_up": 100,
    "lesson": 10,
    "plan": 800,
    "replay": 500,
    "update_every": 4,
}


def learner(method: str, seed: int = 0, **settings: Any) -> Qarl:
    given = {**DEFAULTS, **SMALL, "method": method, **settings}
    target = None
    if method == "attack":
        target = learner("sac").policy()
    return Qarl(arena.make(GAME), seed, given, target=target)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_and_goes_on_exactly(method: str) -> None:
    special = {"normalise": method == "mas", "informed": method == "qarl"}
    one, other = (learner(method, seed=3, **special) for _ in range(2))
    for _ in range(5):
        one.step()
    kept = one.state()
    other.load(kept)
    for _ in range(3):
        assert one.step() == other.step()
    left, right = one.state(), other.state()
    assert left.values == right.values
    assert left.arrays.keys() == right.arrays.keys()
    for name, array in left.arrays.items():
        assert np.array_equal(array, right.arrays[name]), name
    assert one.steps == 800
    assert one.evaluate(3, 1) == other.evaluate(3, 1)


def test_who_learns_when() -> None:
    made = learner("qarl")
    for phase in range(4):
        before = {seat: agent.actor.array() for seat, agent in made.agents.items()}
        made.step()
        moved = {
            seat
            for seat, agent in made.agents.items()
            if not np.array_equal(before[seat], agent.actor.array())
        }
        # The first phase is uniform play; then adversary and controller take turns.
        assert moved == (set() if phase == 0 else {1 - phase % 2})


def test_the_curriculum_makes_the_adversary_rational() -> None:
    made = learner("qarl", curriculum="linear")
    warm = [made.step()["temperature"] for _ in range(10)]
    assert warm[0] == pytest.approx(0.05)
    assert warm[-1] == pytest.approx(0.001)
    assert warm == sorted(warm, reverse=True)
    policy = made.policy()
    assert policy.temperatures == (None, pytest.approx(0.02))  # of the first


def test_an_informed_controller_is_told_the_temperature(tmp_path: Path) -> None:
    made = learner("qarl", informed=True)
    for _ in range(3):
        made.step()
    policy = made.policy()
    now = made._lesson.mean(made._now) / made._unit
    assert policy.temperatures == (now, now)
    assert policy.header()["networks"][0][0] == 4 + 1
    solution = arena.solve(GAME, "qarl", steps=200, eval_episodes=2, informed=True, **SMALL)
    solution.save(tmp_path / "s.npz")
    again = arena.Solution.load(tmp_path / "s.npz").policy
    seen = np.random.default_rng(0).normal(size=(3, 4))
    assert np.array_equal(again.act(seen, seat=0), solution.policy.act(seen, seat=0))
    # Nobody's temperature is the curriculum's here, so there is nothing to tell.
    assert learner("rarl", informed=True).policy().temperatures == (None, None)


def test_force_and_domain_randomisation_change_episodes() -> None:
    rng = np.random.default_rng(0)
    scales = learner("domain_randomisation", spread=3.0)._scales(np.zeros(200), rng)
    assert set(scales) == {"mass", "friction"}
    for values in scales.values():
        assert values.min() >= 1 / 3
        assert values.max() <= 3.0
        assert values.std() > 0.3
    made = learner("force")
    assert made._scales(np.array([0.001, 0.05, 0.06]), rng)["strength"] == pytest.approx(
        [0.8, 0.8 / 50, 0.0]
    )
    weaker = learner("force", strength=0.4)._scales(np.array([0.001, 0.05]), rng)
    assert weaker["strength"] == pytest.approx([0.4, 0.4 / 50])
    for _ in range(30):
        made.step()
    assert made._now < 20.0  # without a level, every lesson goes as far as it may
    assert made.policy().temperatures == (None, None)


def test_an_adversary_may_be_weaker_than_the_game_says() -> None:
    rng = np.random.default_rng(0)
    assert learner("rarl")._scales(np.zeros(2), rng)["strength"] == pytest.approx([0.8, 0.8])
    weaker = learner("qarl", strength=0.1)._scales(np.zeros(2), rng)
    assert weaker["strength"] == pytest.approx([0.1, 0.1])
    assert learner("sac", strength=0.3)._scales(np.zeros(2), rng) == {}


def test_it_learns_to_reach_the_goal() -> None:
    """A short room: from the gap's upper side to the goal, in a few thousand steps."""
    game = arena.make("adversarial/point_mass", horizon=40)
    settings = {**DEFAULTS, "method": "sac", "hidden": [32, 32], "batch": 64, "warm_up": 400}
    settings |= {"actor_rate": 2e-3, "critic_rate": 2e-3, "tau": 0.02, "discount": 0.95}
    made = Qarl(game, 1, settings)
    before = made.evaluate(10, 0).mean
    while made.steps < 3000:
        made.step()
    assert made.evaluate(10, 0).mean > before + 2.0


def test_runs_in_folders_resume_bit_for_bit(tmp_path: Path) -> None:
    game = arena.make(GAME)
    limits = {"eval_every": 400, "eval_episodes": 3}
    begin_run(
        tmp_path / "whole", game, "qarl", seed=5, settings=SMALL, limits=limits | {"steps": 800}
    )
    begin_run(
        tmp_path / "cut", game, "qarl", seed=5, settings=SMALL, limits=limits | {"steps": 300}
    )
    resume_run(tmp_path / "cut", limits={"steps": 800})
    whole, cut = (
        read_checkpoint(tmp_path / name / "checkpoints" / "step-800.safetensors")
        for name in ("whole", "cut")
    )
    assert whole.header["state"] == cut.header["state"]
    assert all(np.array_equal(array, cut.state[name]) for name, array in whole.state.items())
    agents = [
        arena.agent(str(tmp_path / "whole" / "checkpoints" / "best.safetensors")) for _ in range(2)
    ]
    match = arena.play(game, agents, seed=1)
    assert sum(match.payoffs) == 0.0
    assert list(tmp_path.glob("whole/events.out.tfevents*"))


def test_an_attack_on_a_checkpoint(tmp_path: Path) -> None:
    game = arena.make(GAME)
    begin_run(tmp_path / "sac", game, "qarl", settings={**SMALL, "method": "sac"},
              limits={"steps": 200, "eval_every": 0, "eval_episodes": 2})  # fmt: skip
    path = str(tmp_path / "sac" / "checkpoints" / "best.safetensors")
    settings = {**SMALL, "method": "attack", "target": path}
    solution = arena.solve(game, "qarl", steps=200, eval_every=0, eval_episodes=2, **settings)
    assert solution.certificate["return"].value > 0.0  # what the adversary gains
    solution.save(tmp_path / "attack.npz")
    agent = arena.agent(str(tmp_path / "attack.npz"))
    assert arena.play(game, [agent, arena.agent(path)], seed=1).payoffs[0] < 0.0
    with pytest.raises(ParameterError, match="target"):
        arena.solve(game, "qarl", steps=100, method="attack")


def test_solutions_save_and_play(tmp_path: Path) -> None:
    solution = arena.solve(GAME, "qarl", steps=200, eval_episodes=2, **SMALL)
    solution.save(tmp_path / "s.npz")
    again = arena.Solution.load(tmp_path / "s.npz")
    tensor = np.random.default_rng(0).normal(size=(3, 4))
    for seat in (0, 1):
        noise = np.ones((3, 2))
        one = solution.policy.act(tensor, seat=seat, noise=noise)
        assert np.array_equal(one, again.policy.act(tensor, seat=seat, noise=noise))


def test_policies_say_what_does_not_fit() -> None:
    policy = learner("rarl").policy()
    header, arrays = policy.header(), policy.arrays()
    same = ControlPolicy.make(policy.game, header, arrays)
    assert same.header() == header
    with pytest.raises(ParameterError, match="4 numbers"):
        policy.act(np.zeros((2, 7)), seat=0)
    with pytest.raises(ParameterError, match="seat 1"):
        ControlPolicy.make(policy.game, header, {n: a for n, a in arrays.items() if n[0] == "0"})


@pytest.mark.parametrize(("normalise", "informed"), [(False, False), (True, False), (True, True)])
def test_numpy_and_torch_agree(normalise: bool, informed: bool) -> None:
    import torch

    made = learner("qarl", normalise=normalise, informed=informed)
    for _ in range(2):
        made.step()
    seen = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)
    rows = made.replay.filled("seen")[:105]  # up to the first update
    middle, spread = rows.mean(axis=0), rows.std(axis=0)
    shown = (seen - middle) / spread if normalise else seen
    for seat, agent in made.agents.items():
        warm = np.full((6, 1), made.policy().temperatures[1], dtype=np.float32)
        state = np.hstack([shown, warm]) if seat == 1 or informed else shown
        with torch.no_grad():
            mean = agent.actor(torch.from_numpy(state))[0][:, :2].tanh().numpy()
        np.testing.assert_allclose(made.policy().act(seen, seat=seat), mean, atol=2e-6)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"method": "qrl"}, ParameterError, "qarl, rarl"),
        ({"curriculum": "steep"}, ParameterError, "self_paced"),
        ({"hidden": []}, ParameterError, "widths"),
        ({"level": "high"}, ParameterError, "level"),
        ({"normalise": 1}, ParameterError, "true or false"),
        ({"informed": "yes"}, ParameterError, "true or false"),
        ({"strength": -1.0}, ParameterError, "strength"),
        ({"settle": 0}, ParameterError, "true or false"),
        ({"spread": 0.5}, ParameterError, "1 or more"),
        ({"end": 99.0}, ParameterError, "up to start"),
        ({"mehtod": "sac"}, UnknownNameError, "did you mean 'method'"),
    ],
)
def test_bad_settings(settings: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        arena.solve(GAME, "qarl", steps=10, **settings)


def test_other_games_are_refused() -> None:
    with pytest.raises(NotApplicableError, match="adversarial/"):
        arena.solve("kuhn_poker", "qarl", steps=10)
    with pytest.raises(NotApplicableError, match="cannot be varied"):
        arena.solve("adversarial/gym", "qarl", steps=10, method="domain_randomisation")
