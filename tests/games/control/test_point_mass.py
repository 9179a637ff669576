from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import (
    ArenaError,
    IllegalActionError,
    NotApplicableError,
    ParameterError,
    UnknownNameError,
)
from arena.testing import check_game
from tests.reference.control import push_mass

NUMBERS = st.floats(-1.0, 1.0)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    mass=st.floats(0.2, 5.0),
    friction=st.floats(0.0, 3.0),
    gap=st.floats(0.1, 2.0),
    strength=st.floats(0.0, 4.0),
    sticky=st.booleans(),
)
def test_masses_move_as_the_plain_loop_moves_them(
    seed: int, mass: float, friction: float, gap: float, strength: float, sticky: bool
) -> None:
    params = {"mass": mass, "friction": friction, "gap": gap, "strength": strength}
    params["sticky"] = sticky
    game = arena.make("adversarial/point_mass", **params, horizon=60)
    batch = game.form("batch", seeds=[seed])
    rng = np.random.default_rng(seed)
    body = batch._plants.body[0].tolist()
    pull = rng.uniform(-1.0, 1.0, 2)  # mostly one way, so that walls and the gap are met
    for _ in range(60):
        control = np.clip(pull + 0.3 * rng.normal(size=2), -1, 1)
        push = rng.uniform(-1.0, 1.0, 2)
        batch.step([control[None], push[None]])
        body, reward, arrived = push_mass(
            body, control, strength * push, mass=mass, friction=friction, gap=gap, sticky=sticky
        )
        np.testing.assert_allclose(batch._plants.body[0], body, rtol=1e-12, atol=1e-12)
        assert batch.rewards()[0, 0] == pytest.approx(reward, abs=1e-12)
        assert arrived == (not batch.actors()[0, 0] and not batch.truncated[0])
        if arrived or batch.truncated[0]:
            break


def test_the_wall_stops_and_the_gap_lets_through() -> None:
    game = arena.make("adversarial/point_mass", horizon=100)
    batch = game.form("batch", seeds=[0, 1])
    batch._plants.body[:] = [[0.0, 0.0, -0.2, 0.0], [1.5, 0.0, -0.2, 0.0]]
    up = np.array([[0.0, 1.0], [0.0, 1.0]])
    for _ in range(30):
        batch.step([up, np.zeros((2, 2))])
    assert batch._plants.body[0, 2] > 0.5
    assert -0.2 <= batch._plants.body[1, 2] < 0.0


@pytest.mark.parametrize(
    "params",
    [
        {"horizon": 30},
        {"horizon": 20, "adversary": "action", "action_noise": 0.3, "gusts": 0.5},
        {"horizon": 20, "adversary": "observation", "observation_noise": 0.1, "strength": 0.2},
    ],
    ids=["force", "action", "observation"],
)
def test_contract(params: dict[str, object]) -> None:
    check_game(arena.make("adversarial/point_mass", **params), episodes=2)


def test_a_batch_is_its_states() -> None:
    game = arena.make("adversarial/point_mass", horizon=25, action_noise=0.2, observation_noise=0.1)
    batch = game.form("batch", seeds=[3, 4, 5])
    states = [game.state(seed) for seed in (3, 4, 5)]
    rng = np.random.default_rng(0)
    while batch.actors().any():
        joint = [rng.uniform(-1, 1, (3, 2)), rng.uniform(-1, 1, (3, 2))]
        for seat in (0, 1):
            seen = batch.observe(seat).tensor
            for k, state in enumerate(states):
                assert np.array_equal(seen[k], state.observe(seat).tensor)
        batch.step(joint)
        for k, state in enumerate(states):
            if state.actors():
                state.step({0: joint[0][k], 1: joint[1][k]})
            assert np.array_equal(state.returns(), batch.returns()[k])


def test_channels_reach_what_they_should() -> None:
    quiet = {"horizon": 5, "strength": 0.5}
    ones, none = np.ones((1, 2)), np.zeros((1, 2))
    moved = {}
    for channel in ("force", "action"):
        batch = arena.make("adversarial/point_mass", adversary=channel, **quiet).form(
            "batch", seeds=[0]
        )
        batch.step([none, ones])
        moved[channel] = batch._plants.body[0, 1]
    assert moved["force"] == 0.0  # the wind does not reach the start
    assert moved["action"] > 0.0
    game = arena.make("adversarial/point_mass", adversary="observation", **quiet)
    batch = game.form("batch", seeds=[0])
    batch.step([none, np.full((1, 4), 0.4)])
    gap = batch.observe(0).tensor - batch.observe(1).tensor
    np.testing.assert_allclose(gap, 0.2, atol=1e-6)


def test_episodes_may_differ_in_mass_friction_strength_and_noise() -> None:
    game = arena.make("adversarial/point_mass")
    scales = {"mass": [0.5, 2.0], "strength": [0.0, 1.0], "action_noise": [0.0, 0.0]}
    batch = game.form("batch", seeds=[1, 1], scales=scales)
    batch.step([np.ones((2, 2)), np.zeros((2, 2))])
    assert batch._plants.body[0, 1] == pytest.approx(4 * batch._plants.body[1, 1], rel=0.1)
    with pytest.raises(UnknownNameError, match="did you mean 'mass'"):
        game.form("batch", seeds=[1], scales={"mas": [1.0]})
    with pytest.raises(ParameterError, match="2 positive numbers"):
        game.form("batch", seeds=[1, 2], scales={"mass": [1.0, 0.0]})


def test_gusts_push_along_every_axis_and_turn_now_and_then() -> None:
    game = arena.make("adversarial/point_mass", horizon=400, gusts=0.5, mass=1e9)
    batch = game.form("batch", seeds=np.arange(40))
    batch._plants.body[:, 2] = -0.5  # where the wind blows
    still = np.zeros((40, 2))
    before, pushes = batch._plants.body.copy(), []
    for _ in range(200):
        batch.step([still, still])
        pushes.append((batch._plants.body - before)[:, [1, 3]] * 1e9 / 0.1)
        before = batch._plants.body.copy()
    found = np.array(pushes)
    np.testing.assert_allclose(np.abs(found), 0.5, rtol=1e-3)
    turned = (np.sign(found[1:]) != np.sign(found[:-1])).mean()
    assert turned == pytest.approx(0.05, abs=0.01)  # half of the draws repeat the sign
    own = game.form("batch", seeds=[7])
    own._plants.body[:, 2] = -0.5
    for push in found:
        old = own._plants.body.copy()
        own.step([still[:1], still[:1]])
        np.testing.assert_allclose((own._plants.body - old)[0, [1, 3]] * 1e10, push[7], rtol=1e-3)
    with pytest.raises(NotApplicableError, match="gusts"):
        arena.make("adversarial/gym").form("batch", seeds=[0], scales={"gusts": [1.0]})


def test_numbers_that_are_none_end_an_episode_and_count() -> None:
    game = arena.make("adversarial/point_mass")
    batch = game.form("batch", seeds=[0, 1])
    batch.step([np.ones((2, 2)), np.zeros((2, 2))])
    batch._plants.body[0, 1] = np.nan
    for _ in range(3):
        batch.step([np.ones((2, 2)), np.zeros((2, 2))])
    assert batch.failed.tolist() == [True, False]
    assert batch.actors()[:, 0].tolist() == [False, True]
    assert not batch.truncated.any()
    assert np.isfinite(batch.observe(0).tensor).all()
    assert np.isfinite(batch.returns()).all()


@pytest.mark.parametrize("wrong", [[2.0, 0.0], [np.nan, 0.0], [0.0], "left", None])
def test_other_actions_are_refused_and_change_nothing(wrong: object) -> None:
    state = arena.make("adversarial/point_mass").state(0)
    before = state.render()
    with pytest.raises(IllegalActionError):
        state.step({0: wrong, 1: np.zeros(2)})  # type: ignore[dict-item]
    assert state.render() == before


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"adversary": "forse"}, "did you mean 'force'"),
        ({"mass": 0}, "mass = 0 is not allowed; expected a positive number"),
        ({"horizon": 0}, "horizon = 0"),
        ({"gap": 9.0}, "gap = 9.0"),
        ({"frction": 1.0}, "did you mean 'friction'"),
    ],
)
def test_bad_parameters(params: dict[str, object], said: str) -> None:
    with pytest.raises(ArenaError, match=said):
        arena.make("adversarial/point_mass", **params)
