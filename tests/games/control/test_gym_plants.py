from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import arena
from arena.errors import ArenaError, MissingDependencyError, NotApplicableError, UnknownNameError
from arena.testing import check_game
from games.adapters.to_pettingzoo import to_pettingzoo
from games.control import mujoco as forces

try:
    import mujoco

    HAVE = True
except ImportError:
    HAVE = False
needs_mujoco = pytest.mark.skipif(not HAVE, reason="mujoco is not installed")


@pytest.mark.parametrize("channel", ["action", "observation"])
def test_any_gymnasium_environment(channel: str) -> None:
    check_game(
        arena.make("adversarial/gym", env="Pendulum-v1", adversary=channel, horizon=15), episodes=1
    )


def test_an_undisturbed_environment_is_gymnasiums_own() -> None:
    import gymnasium

    game = arena.make("adversarial/gym", env="Pendulum-v1", horizon=30)
    own = gymnasium.make("Pendulum-v1")
    batch = game.form("batch", seeds=[7])
    seen, _ = own.reset(seed=7)
    for step in range(30):
        assert np.array_equal(batch.observe(0).tensor[0], seen)
        action = np.array([np.sin(step)])
        batch.step([action[None], np.zeros((1, 1))])
        seen, paid, _, _, _ = own.step((2.0 * action).astype(np.float32))
        assert batch.rewards()[0, 0] == paid
    assert batch.truncated[0]


@needs_mujoco
@pytest.mark.parametrize("name", ["inverted_pendulum", "hopper"])
def test_mujoco_contract(name: str) -> None:
    check_game(arena.make(f"adversarial/{name}", horizon=15, observation_noise=0.01), episodes=1)


@needs_mujoco
def test_forces_masses_and_friction_get_in() -> None:
    game = arena.make("adversarial/hopper", bodies=["torso", "foot"])
    assert game.actions[1].shape == (4,)  # type: ignore[union-attr]
    scales = {"mass": [1.0, 2.0], "friction": [1.0, 0.5], "strength": [3.0, 0.0]}
    batch = game.form("batch", seeds=[0, 0], scales=scales)
    batch.step([np.zeros((2, 3)), np.array([[1.0, 0.5, -1.0, 0.0]] * 2)])
    one, two = batch._plants._envs
    names = [one.model.body(k).name for k in range(one.model.nbody)]
    torso, foot = names.index("torso"), names.index("foot")
    assert one.data.xfrc_applied[torso].tolist() == [3.0, 0.0, 1.5, 0.0, 0.0, 0.0]
    assert one.data.xfrc_applied[foot].tolist() == [-3.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert not two.data.xfrc_applied.any()
    np.testing.assert_allclose(two.model.body_mass, 2.0 * one.model.body_mass)
    np.testing.assert_allclose(two.model.geom_friction[:, 0], 0.5 * one.model.geom_friction[:, 0])
    still = arena.make("adversarial/hopper").form("batch", seeds=[0])
    still.step([np.zeros((1, 3)), np.zeros((1, 2))])
    assert not np.array_equal(still.observe(0).tensor[0], batch.observe(0).tensor[0])


@needs_mujoco
def test_without_an_adversary_the_pendulum_is_gymnasiums_own() -> None:
    import gymnasium

    batch = arena.make("adversarial/inverted_pendulum").form("batch", seeds=[5])
    own = gymnasium.make("InvertedPendulum-v5")
    seen, _ = own.reset(seed=5)
    over = False
    while not over:
        np.testing.assert_array_equal(batch.observe(0).tensor[0], seen.astype(np.float32))
        batch.step([np.full((1, 1), 0.1), np.zeros((1, 1))])
        seen, paid, over, _, _ = own.step(np.full(1, 0.3, dtype=np.float32))
        assert batch.rewards()[0, 0] == paid
    assert not batch.actors().any()
    assert not batch.truncated[0]


@needs_mujoco
def test_a_simulation_that_breaks_down_fails_and_counts() -> None:
    batch = arena.make("adversarial/inverted_pendulum").form("batch", seeds=[0, 1])
    batch._plants._envs[0].data.qvel[:] = 1e12
    for _ in range(3):
        batch.step([np.zeros((2, 1)), np.zeros((2, 1))])
    assert batch.failed.tolist() == [True, False]
    assert np.isfinite(batch.observe(0).tensor).all()


@pytest.mark.parametrize(
    ("name", "params", "error", "said"),
    [
        ("gym", {"env": "CartPole-v1"}, NotApplicableError, "Discrete.*continuous"),
        ("gym", {"env": "Pendulm-v1"}, ArenaError, "Pendulum"),
        ("gym", {"adversary": "force"}, NotApplicableError, "adversary=action"),
        ("hoper", {}, UnknownNameError, "did you mean 'hopper'"),
    ],
)
def test_bad_input(name: str, params: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        arena.make(f"adversarial/{name}", **params)


@needs_mujoco
def test_a_body_that_does_not_exist() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'torso'.*torso, thigh, leg, foot"):
        arena.make("adversarial/hopper", bodies=["torzo"])
    with pytest.raises(UnknownNameError, match="axis"):
        arena.make("adversarial/hopper", axes="xw")


def test_without_mujoco_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(MissingDependencyError, match=r"arena-gametheory\[mujoco\]"):
        arena.make("adversarial/hopper")


@needs_mujoco
def test_versions_that_do_not_work_together_are_both_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import gymnasium

    def broken(env: str) -> Any:
        raise AttributeError("'MjData' object has no attribute 'solver_iter'")

    monkeypatch.setattr(forces, "open_env", broken)
    said = f"mujoco {mujoco.__version__} and gymnasium {gymnasium.__version__} do not work"
    with pytest.raises(ArenaError, match=said):
        arena.make("adversarial/hopper")


@pytest.mark.parametrize("parallel", [True, False])
def test_as_a_pettingzoo_environment(parallel: bool) -> None:
    from pettingzoo.test import api_test, parallel_api_test

    made = to_pettingzoo(arena.make("adversarial/point_mass", horizon=20), parallel=parallel)
    if parallel:
        parallel_api_test(made, num_cycles=60)
    else:
        api_test(made, num_cycles=60)
