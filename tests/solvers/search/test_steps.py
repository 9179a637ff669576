"""The mirror steps maximise what they should; the race gives up the right actions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.search.race import race
from solvers.search.step import magnetic_step, mirror_step, softened


def kl(p: np.ndarray, q: np.ndarray) -> float:
    here = p > 0
    return float((p[here] * np.log(p[here] / q[here])).sum())


@given(st.integers(0, 2**32), st.floats(0.05, 20.0), st.floats(0.0, 2.0))
@settings(max_examples=60, deadline=None)
def test_the_step_beats_every_other_policy(seed: int, step: float, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    policy, magnet, other = (rng.dirichlet(np.ones(n)) for _ in range(3))
    values = rng.normal(size=n)

    def worth(p: np.ndarray) -> float:
        return float(p @ values) - temperature * kl(p, magnet) - kl(p, policy) / step

    found = magnetic_step(policy, values, step, magnet=magnet, temperature=temperature)
    assert found.sum() == pytest.approx(1.0)
    assert worth(found) >= worth(other) - 1e-9
    assert worth(found) >= worth(0.99 * found + 0.01 * other) - 1e-9


def test_limits_of_the_step() -> None:
    policy, values = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.0, 1.0, 0.5, 9.0])
    np.testing.assert_allclose(mirror_step(policy, values, 0.0), policy)
    np.testing.assert_allclose(mirror_step(policy, values, 1e4), [0, 1, 0, 0], atol=1e-12)
    hot = magnetic_step(policy[:3], values[:3], 1e9, magnet=np.ones(3) / 3, temperature=0.5)
    soft = np.exp(values[:3] / 0.5)
    np.testing.assert_allclose(hot, soft / soft.sum(), atol=1e-6)
    mixed = softened(policy, np.array([True, True, True, False]), 0.3)
    np.testing.assert_allclose(mixed, [0.45, 0.31, 0.24, 0.0])


class Worlds:
    """Actions of known worth with noise that is common to all."""

    def __init__(self, means: Sequence[float], noise: float, seed: int) -> None:
        self.means, self.noise = np.array(means), noise
        self.rng = np.random.default_rng(seed)
        self.played = 0

    def __call__(self, actions: Sequence[int], worlds: int) -> np.ndarray:
        self.played += worlds * len(actions)
        own = self.rng.normal(scale=self.noise, size=(worlds, len(actions)))
        return self.means[list(actions)] + own + self.rng.normal(scale=5.0, size=(worlds, 1))


@pytest.mark.parametrize("z", [1.5, np.inf])
def test_a_race_finds_the_best_and_keeps_to_its_budget(z: float) -> None:
    right = 0
    for seed in range(30):
        worlds = Worlds([0.0, 0.6, -1.0, 0.1, -0.5, -2.0], 1.0, seed)
        found = race(range(6), worlds, rollouts=600, z=z)
        assert found.rollouts == worlds.played <= 600
        assert found.alive[0]
        best = int(np.argmax(np.where(found.alive, found.advantages, -np.inf)))
        right += best == 1
        assert found.advantages[0] == found.errors[0] == 0.0
    assert right >= 28


def test_a_race_stops_early_when_nothing_is_better() -> None:
    spent = []
    for seed in range(10):
        worlds = Worlds([0.0, -3.0, -4.0, -2.5], 1.0, seed)
        spent.append(race(range(4), worlds, rollouts=100_000).rollouts)
    assert max(spent) < 5000


def test_advantages_are_estimated_without_bias_and_errors_tell_their_spread() -> None:
    found = [race(range(3), Worlds([0, 0.2, 0.1], 1.0, s), rollouts=300, z=9.0) for s in range(400)]
    means = np.array([f.advantages for f in found])
    np.testing.assert_allclose(means.mean(axis=0), [0.0, 0.2, 0.1], atol=0.03)
    claimed = np.mean([f.errors[1] for f in found])
    assert claimed == pytest.approx(means[:, 1].std(), rel=0.15)


def test_one_world_when_there_is_no_more_budget() -> None:
    worlds = Worlds([0.0, 1.0], 1.0, 0)
    assert race(range(2), worlds, rollouts=1, batch=3).rollouts == 2
