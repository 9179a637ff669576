from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from simulated import play, result_set

from arena.errors import ParameterError, UnknownNameError
from tournaments.adaptive import _after, _expected_fisher, _fisher, next_pairs
from tournaments.ratings.davidson import fit
from tournaments.ratings.tally import tally

NAMES = [f"a{k}" for k in range(10)]


def season(goal, *, matches, seed, strength, batch=20, **settings):
    rng = np.random.default_rng(seed)
    pairs, payoffs, data = np.zeros((0, 2), int), np.zeros((0, 2)), None
    while len(pairs) < matches:
        names = next_pairs(data, goal=goal, batch=batch, rng=rng, agents=NAMES, **settings)
        new = np.array([(int(a[1:]), int(b[1:])) for a, b in names])
        pairs = np.concatenate([pairs, new])
        payoffs = np.concatenate([payoffs, play(rng, strength, new)])
        data = tally(result_set(pairs, payoffs, agents=10))
    return pairs, data


def test_the_same_chance_gives_the_same_pairs():
    strength = np.linspace(1, -1, 10)
    first, _ = season("best", matches=100, seed=1, strength=strength)
    second, _ = season("best", matches=100, seed=1, strength=strength)
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("goal", ["best", "rank", "place"])
def test_every_agent_gets_its_minimum_first(goal):
    pairs = next_pairs(
        None, goal=goal, batch=30, rng=np.random.default_rng(0), agents=NAMES, min_games=6
    )
    games = Counter(name for pair in pairs for name in pair)
    assert all(games[name] == 6 for name in NAMES)
    assert all(a != b for a, b in pairs)


def test_the_search_for_the_best_plays_the_best_most_and_finds_it():
    strength = np.linspace(1.2, -1.2, 10)
    found = 0
    for seed in range(10):
        pairs, data = season("best", matches=400, seed=seed, strength=strength)
        seats = np.bincount(pairs.ravel(), minlength=10)
        assert seats[0] + seats[1] > seats[5:].sum() * 2
        assert seats.min() >= 4
        found += int(fit(data).strength.argmax() == 0)
    assert found >= 8


def test_newcomers_are_in_every_pair_and_meet_their_equals():
    rng = np.random.default_rng(0)
    strength = np.linspace(2, -2, 9)
    old = rng.integers(9, size=(3000, 2))
    old = old[old[:, 0] != old[:, 1]]
    data = tally(result_set(old, play(rng, strength, old), agents=NAMES[:9]))
    pairs = next_pairs(
        data, goal="place", batch=8, rng=rng, agents=NAMES, newcomers=["a9"], min_games=0
    )
    assert all("a9" in pair for pair in pairs)
    opponents = {int((set(pair) - {"a9"}).pop()[1:]) for pair in pairs}
    assert opponents <= {2, 3, 4, 5, 6}


def test_a_batch_spreads_out():
    pairs = next_pairs(
        None, goal="rank", batch=9, rng=np.random.default_rng(0), agents=NAMES, min_games=0
    )
    assert len({name for pair in pairs[:5] for name in pair}) == 10


def test_the_update_is_that_of_the_inverse_hessian():
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(5, 5))
    covariance = shape @ shape.T + np.eye(5)
    strength = rng.normal(size=5)
    spread = covariance[1, 1] + covariance[3, 3] - 2 * covariance[1, 3]
    weight = float(_expected_fisher(strength[1] - strength[3], spread, 0.5))
    v = np.zeros(5)
    v[1], v[3] = 1, -1
    slow = np.linalg.inv(np.linalg.inv(covariance) + weight * np.outer(v, v))
    np.testing.assert_allclose(_after(covariance, (1, 3), 0.5, strength), slow)


def test_fisher_information_is_the_variance_of_the_score():
    for gap, nu in ((0.0, 0.0), (1.3, 0.0), (-0.7, 0.8)):
        w = np.array([np.exp(-gap / 2), nu, np.exp(gap / 2)])
        p, s = w / w.sum(), np.array([-0.5, 0.0, 0.5])
        assert float(_fisher(np.array(gap), nu)) == pytest.approx(p @ s**2 - (p @ s) ** 2)


@pytest.mark.parametrize("gap", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("spread", [0.1, 2.0, 8.0])
def test_expected_information_is_the_mean_over_the_gap(gap, spread):
    z = np.random.default_rng(0).normal(gap, np.sqrt(spread), 200_000)
    assert float(_expected_fisher(np.array(gap), np.array(spread), 0.0)) == pytest.approx(
        _fisher(z, 0.0).mean(), rel=0.12
    )


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"goal": "worst"}, ParameterError, "worst"),
        ({"batch": 0}, ParameterError, "batch"),
        ({"min_games": -1}, ParameterError, "min_games"),
        ({"agents": ["a0"]}, ParameterError, "two agents"),
        ({"agents": ["a0", "a0"]}, ParameterError, "different names"),
        ({"newcomers": ["zed"]}, UnknownNameError, "zed"),
    ],
)
def test_bad_arguments_are_refused(change, error, text):
    arguments = {"goal": "best", "batch": 2, "rng": np.random.default_rng(0), "agents": NAMES}
    with pytest.raises(error, match=text):
        next_pairs(None, **{**arguments, **change})
