"""The bandits as games: contract, batch, exact MDP, gymnasium, bad input."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

import arena
from arena.errors import (
    FormatError,
    FormError,
    IllegalActionError,
    ParameterError,
    UnknownNameError,
)
from arena.testing import check_game
from games.bandits.catalog import CATALOG
from games.bandits.constraints import budget_set, linear_set
from games.bandits.families import ARMS
from games.bandits.form import RestlessBandit
from games.bandits.game import as_game
from games.bandits.recovering import from_recovery
from tests.reference.bandits import PlainBandit

GAMES = [
    "bandits/budget(arms=5,budget=2,horizon=4)",
    "bandits/herd(arms=5,budget=2,horizon=5)",
    "bandits/interventions(horizon=3)",
    "bandits/capacity(arms=6,budget=2,horizon=4)",
    "bandits/schedule(arms=6,budget=3,horizon=4)",
    "bandits/path(budget=2,horizon=4)",
    "bandits/recovering(arms=4,budget=1,horizon=6,memory=4)",
    "bandits/recovering(arms=4,budget=1,horizon=6,memory=4,payment=bernoulli)",
    "bandits/restless(arms=4,budget=2,horizon=5,discount=0.9,exposure=vector)",
    *(f"bandits/restless(family={name},arms=3,budget=1,horizon=6)" for name in ARMS),
]


@pytest.mark.parametrize("key", GAMES)
def test_contract(key: str) -> None:
    check_game(arena.make(key), episodes=2, close_ups=3)


@pytest.mark.parametrize("key", [*GAMES, "bandits/capacity", "bandits/schedule(arms=40,budget=10)"])
def test_state_batch_and_reference_agree_bit_for_bit(key: str) -> None:
    game = arena.make(key)
    form = game.form("bandit")
    seeds = np.arange(5) * 77
    batch = game.form("batch", seeds=seeds)
    states = [game.state(int(s)) for s in seeds]
    plain = [PlainBandit(form, int(s)) for s in seeds]
    rng = np.random.default_rng(0)
    while batch.actors().any():
        actions = np.array([form.feasible.sample(rng) for _ in seeds])
        seen = batch.observe(0)
        for k, state in enumerate(states):
            assert np.array_equal(seen.tensor[k], state.observe(0).tensor)
        batch.step_arms(actions)
        for k, (state, twin) in enumerate(zip(states, plain, strict=True)):
            state.step_arms(actions[k])
            assert state.rewards()[0] == batch.rewards()[k, 0] == twin.step(actions[k])
            assert state.levels == batch.levels[k].tolist() == twin.levels
    for k, state in enumerate(states):
        assert not state.actors()
        assert state.returns()[0] == batch.returns()[k, 0] == plain[k].total


def test_luck_is_the_same_whatever_is_done() -> None:
    """A passive arm moves alike under two policies of one seed."""
    game = arena.make("bandits/budget(arms=6,budget=1)")
    one, other = game.state(5), game.state(5)
    for _ in range(20):
        one.step_arms([1, 0, 0, 0, 0, 0])
        other.step_arms([0, 1, 0, 0, 0, 0])
        assert one.levels[2:] == other.levels[2:]


@pytest.mark.parametrize("name", ["budget", "capacity", "schedule", "path", "interventions"])
def test_instances_are_as_specified(name: str) -> None:
    form = arena.make(f"bandits/{name}(instance=3)").form("bandit")
    up = form.transition[:, :, 1, 2]
    if name == "interventions":
        assert form.modes == 4 and ((form.link.sum(axis=0)) == 3).all()
        assert np.allclose(up[:, 0], 0.01, atol=1e-12)
    else:
        assert ((up[:, 0] >= 0) & (up[:, 0] <= 0.2)).all()
        assert ((up[:, 1] >= 0.7) & (up[:, 1] <= 0.9)).all()
    top = form.reward[:, 0, 3, 3]
    assert set(top[:5]) <= {4, 5, 6} and set(top[5:]) <= {1, 2, 3}
    assert np.allclose(form.reward[:5, 0, 0, :3], [0.2, 0.15, 0.1])
    assert np.allclose(form.transition.sum(axis=3), 1)
    again = arena.make(f"bandits/{name}(instance=3)").form("bandit")
    assert np.array_equal(form.transition, again.transition)
    other = arena.make(f"bandits/{name}(instance=4)").form("bandit")
    assert not np.array_equal(form.reward, other.reward) or not np.array_equal(
        form.transition, other.transition
    )


def test_sigmoids_follow_the_formula() -> None:
    form = arena.make("bandits/interventions(instance=1)").form("bandit")
    up = form.transition[:, :, 0, 1]
    first = int(np.ceil(20 * 5 / 12))
    assert (up[first:, 3] > 0.4).all()  # three at once work on good arms …
    assert (up[first:, 1] < 0.05).all()  # … and one hardly does
    assert (up[:first, 1] > 0.1).all()
    assert (np.diff(up, axis=1) >= 0).all() and (up < 1).all()


def test_the_public_code_s_variants() -> None:
    compat = arena.make("bandits/path(reference_compat=true)").form("bandit").feasible
    assert compat.allows(np.arange(20) >= 15) and not arena.make("bandits/path").form(
        "bandit"
    ).feasible.allows(np.arange(20) >= 15)
    exact = arena.make("bandits/interventions(actions=10,reference_compat=true)").form("bandit")
    listed = exact.feasible.listed()
    assert listed is not None and len(listed) == 252 and (listed.sum(axis=1) == 5).all()


def test_the_exact_mdp_has_the_bandit_s_dynamics() -> None:
    game = arena.make("bandits/restless(arms=3,states=3,budget=1,horizon=4)")
    form, mdp = game.form("bandit"), game.form("markov")
    listed = form.feasible.listed()
    assert listed is not None and mdp.states == 27 and mdp.actions == (4,)
    dense = mdp.dense()
    states = list(product(range(3), repeat=3))
    for (s, at), (k, action), (t, to) in product(
        enumerate(states), enumerate(listed), enumerate(states)
    ):
        chance = np.prod([form.transition[j, int(action[j]), at[j], to[j]] for j in range(3)])
        assert dense[s, k, t] == pytest.approx(chance, abs=1e-12)
    with pytest.raises(FormError, match="no form 'markov'"):
        arena.make("bandits/path").form("markov")


def test_gymnasium() -> None:
    from gymnasium.utils.env_checker import check_env

    from games.bandits.gym import BanditEnv

    # Every vector is feasible here, so that the checker's random actions are.
    game = arena.make("bandits/restless(arms=3,budget=3,horizon=5)")
    check_env(BanditEnv(game, seed=1), skip_render_check=True)
    env = BanditEnv(arena.make("bandits/capacity"), seed=3)
    rng = np.random.default_rng(0)
    first, _ = env.reset()
    total, over = 0.0, False
    while not over:
        levels, reward, over, _, info = env.step(env.sample(rng))
        total += reward
        assert info["paid"].sum() == pytest.approx(reward)
    assert levels.shape == first.shape == (20,) and total > 0
    with pytest.raises(IllegalActionError):
        env.step(env.sample(rng))


CSV = """arm,mode,state,next,probability,reward
0,0,0,0,1,0.5
0,1,0,0,1,0.25
1,0,0,0,0.5,0
1,0,0,1,0.5,1
1,0,1,1,1,1
1,1,0,1,1,0
1,1,1,0,1,2
"""


def test_own_arms(tmp_path: Path) -> None:
    file = tmp_path / "arms.csv"
    file.write_text(CSV)
    game = arena.make("bandits/own", file=str(file), rows=[[1, 1]], hi=[1.0], horizon=5)
    check_game(game, episodes=2, close_ups=3)
    form = game.form("bandit")
    assert form.sizes.tolist() == [1, 2] and form.expected[1, 0, 0] == 0.5
    file.write_text(CSV + "1,1,1,0,oops,2\n")
    with pytest.raises(FormatError, match="line 9: probability is 'oops'"):
        arena.make("bandits/own", file=str(file))
    file.write_text(CSV.replace("0.5,1\n", "0.25,1\n"))
    with pytest.raises(ParameterError, match=r"arm 1, mode 0, state 0 = 0.75"):
        arena.make("bandits/own", file=str(file))
    with pytest.raises(ParameterError, match="that is there"):
        arena.make("bandits/own", file="nowhere.csv")


def test_own_arrays() -> None:
    stay = np.tile(np.eye(2), (3, 2, 1, 1))
    form = RestlessBandit(stay, np.zeros((3, 2, 2)), linear_set([[1, 1, 0], [0, 1, 1]], hi=1.0))
    listed = form.feasible.listed()
    assert listed is not None and len(listed) == 5
    check_game(as_game(form), episodes=1, close_ups=2)


def test_several_modes() -> None:
    """Two actions on one arm, one at a time, are modes 1 and 2 of it."""
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(2), (2, 3, 2))
    link = np.array([[1, 2, 0, 0], [0, 0, 1, 2]])
    one_each = linear_set([[1, 1, 0, 0], [0, 0, 1, 1]], hi=1.0)
    form = RestlessBandit(chances, rng.random((2, 3, 2)), one_each, link=link)
    assert form.modes_of([0, 1, 1, 0]).tolist() == [2, 1]
    check_game(as_game(form), episodes=1, close_ups=2)
    with pytest.raises(ParameterError, match="modes of arm 0 = 3 is not allowed; expected 4"):
        RestlessBandit(chances, rng.random((2, 3, 2)), budget_set(4, 2), link=link)


def test_bad_input() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'capacity'"):
        arena.make("bandits/capacty")
    with pytest.raises(UnknownNameError, match="budget"):
        arena.make("bandits/capacity(budgets=3)")
    with pytest.raises(ParameterError, match="budget = 9 is not allowed; expected 0 to 4"):
        arena.make("bandits/restless(arms=4,budget=9)")
    with pytest.raises(ParameterError, match="budget = 30"):
        arena.make("bandits/capacity(budget=30)")
    with pytest.raises(ParameterError, match="horizon"):
        arena.make("bandits/budget(horizon=0)")
    with pytest.raises(UnknownNameError, match="health_visit"):
        arena.make("bandits/restless(family=health_visits)")
    with pytest.raises(ParameterError, match="recovery of arm 0 at 2 rounds"):
        from_recovery(np.array([[0.5, 0.4]]), 1)
    game = arena.make("bandits/path")
    with pytest.raises(IllegalActionError, match="length of the walk"):
        game.state(0).step_arms(np.arange(20) >= 15)
    batch = game.form("batch", seeds=[1, 2])
    with pytest.raises(IllegalActionError, match="episode 1 played 9999"):
        batch.step(np.array([[0], [9999]]))
    assert set(CATALOG) == {
        "budget", "capacity", "herd", "interventions", "own", "path", "recovering", "restless",
        "schedule",
    }  # fmt: skip


def test_vectors_of_actions_are_called_by_the_arms_that_are_on() -> None:
    game = arena.make("bandits/schedule")
    chosen = np.zeros(20, dtype=np.int64)
    assert game.describe_action(0, chosen) == "nothing"
    chosen[3] = 1
    assert game.describe_action(0, chosen) == "arm 3"
