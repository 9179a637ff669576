from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import arena
from arena.errors import ParameterError
from solvers.qarl.learner import DEFAULTS, Qarl
from solvers.qarl.play import idle, play
from solvers.qarl.robustness import Figure, attack, grid, interquartile_mean, summary


def steer(tensor: Any) -> Any:
    """A controller by hand: to the gap, then to the goal."""
    x, vx, y, vy = tensor.T
    aim = np.where(y < 0.1, 0.3, 1.5)
    push = np.stack([-3 * x - 2 * vx, 2 * (aim - y) - vy + 0.8 * (y < 0.1)], axis=1)
    return np.clip(push, -1.0, 1.0)


def test_grids_are_the_episodes_played_one_by_one() -> None:
    game = arena.make("adversarial/point_mass")
    axes = {"mass": [0.5, 2.0], "friction": [0.5, 1.0, 2.0]}
    table = grid(game, steer, axes, episodes=2, seed=4)
    assert table.shape == (2, 3)
    for i, mass in enumerate(axes["mass"]):
        for j, friction in enumerate(axes["friction"]):
            own = arena.make("adversarial/point_mass", mass=mass, friction=friction)
            played = play(own, steer, idle(own, 1), episodes=2, seed=4)
            assert table[i, j] == played.returns.mean()
    row = grid(game, steer, {"friction": axes["friction"]}, episodes=2, seed=4)
    assert row.shape == (3,)
    cube = grid(game, steer, {**axes, "gusts": [0.0, 1.0]}, episodes=2, seed=4)
    assert np.array_equal(cube[..., 0], table)
    assert (cube[..., 1] != table).all()
    noisy = grid(game, steer, {"observation_noise": [0.0, 2.0]}, episodes=5, seed=4)
    assert noisy[1] < noisy[0] == pytest.approx(-30, abs=15)
    for bad in ({}, {"mass": []}):
        with pytest.raises(ParameterError, match="properties"):
            grid(game, steer, bad)


def test_a_strong_wind_is_found_by_an_attack() -> None:
    """A wind as strong as the mass: a trained adversary does at least as much harm as chance."""
    game = arena.make("adversarial/point_mass", horizon=60, strength=1.5)
    settings = {**DEFAULTS, "method": "sac", "hidden": [16], "batch": 16, "warm_up": 100}
    policy = Qarl(game, 0, settings).policy()
    small = {"hidden": [16], "batch": 16, "warm_up": 100}
    left, found = attack(game, policy, steps=600, episodes=4, seed=1, settings=small)
    again, _ = attack(game, policy, steps=600, episodes=4, seed=1, settings=small)
    assert left == again
    tensor = np.random.default_rng(0).normal(size=(5, 4))
    assert np.array_equal(found.act(tensor, seat=0), policy.act(tensor, seat=0))
    assert found.act(tensor, seat=1).any()
    quiet = play(game, lambda t: policy.act(t, seat=0), idle(game, 1), episodes=4, seed=9)
    assert left <= quiet.returns.mean() + 5.0


def test_the_interquartile_mean_is_the_trimmed_one() -> None:
    rng = np.random.default_rng(0)
    for size in (4, 40, 64):
        values = rng.normal(size=size)
        assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25))


def test_summaries_and_their_intervals() -> None:
    rng = np.random.default_rng(1)
    centre = rng.normal(size=5)
    values = centre[:, None] + 0.0 * rng.normal(size=(5, 20))
    found = summary(values)
    assert found.mean.value == pytest.approx(centre.mean())
    spread = centre.std() / np.sqrt(5)
    assert found.mean.low == pytest.approx(centre.mean() - 1.96 * spread, abs=0.3 * spread + 0.05)
    assert found.mean.low < found.iqm.value < found.mean.high
    table = np.arange(40.0).reshape(2, 20)
    assert summary(table).worst.value == pytest.approx((0.5 + 20.5) / 2)
    assert summary(values) == summary(values)
    assert Figure(2.0, 1.5, 2.5).above(Figure(1.0, 0.5, 1.4))
    assert not Figure(2.0, 1.3, 2.5).above(Figure(1.0, 0.5, 1.4))
    with pytest.raises(ParameterError):
        summary(np.zeros((0, 3)))
