"""The form, its checks, its episodes, and the generators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import arena
from arena.errors import ArenaError, NotApplicableError, ParameterError, UnknownNameError
from arena.testing import check_game
from games.markov import MarkovGame, as_game, markov_of
from games.markov.catalog import CATALOG
from games.markov.explore import explore
from games.markov.generators import low_rank
from games.markov.parts import check_memory
from tests.reference.markov import random_form


@pytest.mark.parametrize("name", [name for name in CATALOG if name != "of"])
def test_every_game_keeps_the_contract(name: str) -> None:
    game = arena.make(f"markov/{name}")
    check_game(game, episodes=3)
    assert arena.make(game.id, **game.params).key == game.key
    assert game.citation and game.summary.endswith((".", ")"))
    assert game.form("markov").payoff == game.payoff


@pytest.mark.parametrize("name", ["garnet", "soccer", "pursuit", "inspection"])
def test_batch_and_state_are_equal_bit_for_bit(name: str) -> None:
    game = arena.make(f"markov/{name}", **({"horizon": 12} if name != "inspection" else {}))
    seeds = np.arange(40)
    batch = game.form("batch", seeds=seeds)
    states = [game.state(int(seed)) for seed in seeds]
    rng = np.random.default_rng(0)
    while batch.actors().any():
        actions = np.zeros((40, game.seats), dtype=np.int64)
        for seat in range(game.seats):
            look = batch.observe(seat)
            for k, state in enumerate(states):
                if state.actors():
                    assert np.array_equal(state.observe(seat).tensor, look.tensor[k])
                    actions[k, seat] = rng.choice(state.legal(seat))
        batch.step(actions)
        for k, state in enumerate(states):
            if state.actors():
                state.step(dict(enumerate(actions[k].tolist())))
                assert np.array_equal(state.rewards(), batch.rewards()[k])
    assert np.array_equal(np.array([state.returns() for state in states]), batch.returns())


def test_sparse_and_dense_are_the_same_game() -> None:
    form = random_form(1, seats=3, horizon=4)
    dense = form.dense()
    other = MarkovGame(
        csr_array(dense.reshape(-1, form.states)),
        form.reward.reshape(3, form.states, *form.actions),
        form.initial,
        horizon=4,
    )
    assert np.array_equal(other.dense(), dense) and other.bounds == form.bounds


def _parts() -> dict[str, Any]:
    return {
        "transition": np.full((2, 2, 3, 2), 0.5),
        "reward": np.zeros((2, 2, 2, 3)),
        "horizon": 2,
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"transition": (1, 0, 2, 1)}, r"state 1, joint action \(0, 2\) = 0\.8"),
        ({"reward": np.zeros((2, 2, 3, 3))}, r"transition.shape"),
        ({"reward": np.zeros((3, 2, 2, 3))}, r"reward.shape"),
        ({"reward": np.full((2, 2, 2, 3), np.nan)}, "reward of seat 0 at state 0, joint action"),
        ({"horizon": None}, "discount = 1.0 is not allowed"),
        ({"horizon": 0}, "horizon = 0"),
        ({"discount": 1.5}, "discount = 1.5"),
        ({"initial": [0.5, 0.4]}, "initial = 0.9"),
        ({"initial": 2}, "initial = 2"),
        ({"legal": [np.zeros((2, 2)), np.ones((2, 3))]}, "nothing in state 0"),
        ({"terminal": [5]}, "terminal = 5"),
        ({"terminal": [0]}, "initial = 'state 0'"),
        ({"state_names": ["a"]}, "2 names"),
    ],
)
def test_bad_input_is_refused_with_the_place(change: dict[str, Any], words: str) -> None:
    parts = _parts()
    if isinstance(change.get("transition"), tuple):
        parts["transition"][change["transition"]] = 0.3
    else:
        parts |= change
    initial = parts.pop("initial", 0)
    with pytest.raises(ParameterError, match=words):
        MarkovGame(parts.pop("transition"), parts.pop("reward"), initial, **parts)


def test_undiscounted_games_must_end() -> None:
    stay = np.zeros((3, 1, 3))
    stay[0, 0, 1] = stay[1, 0, 1] = stay[2, 0, 2] = 1.0
    pay = np.zeros((1, 3, 1))
    with pytest.raises(ParameterError, match="reached from the initial"):
        MarkovGame(stay, pay, 0, terminal=[2])
    stay[0, 0] = [0.0, 0.5, 0.5]
    with pytest.raises(ParameterError, match="state 1 leads to no terminal state"):
        MarkovGame(stay, pay, 0, terminal=[2])
    pay[0, 1, 0] = 1.0
    with pytest.raises(ParameterError, match="state 1 pays for ever"):
        MarkovGame(stay, pay, 0, terminal=[2])
    stay[1, 0] = [0.0, 0.5, 0.5]
    assert MarkovGame(stay, pay, 0, terminal=[2]).horizon is None


def test_memory_is_named() -> None:
    with pytest.raises(NotApplicableError, match="GiB of memory"):
        check_memory(1e15, "this")
    with pytest.raises(NotApplicableError, match="would need"):
        arena.make("markov/garnet", seats=12, actions=9, states=1000)


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="soccer"):
        arena.make("markov/socer")
    with pytest.raises(UnknownNameError, match="states"):
        arena.make("markov/garnet", state=3)
    with pytest.raises(ParameterError, match="int"):
        arena.make("markov/garnet", states="many")


def test_soccer_is_littmans() -> None:
    form = arena.make("markov_soccer").form("markov")
    assert form.states == 760 + 3 and form.actions == (5, 5)
    assert form.payoff == "zero_sum"


def test_families_take_any_number_of_seats() -> None:
    for seats in (2, 3, 5):
        for name in ("congestion", "routing", "garnet"):
            game = arena.make(f"markov/{name}", seats=seats)
            assert game.seats == seats == game.form("markov").seats


def test_low_rank_is_of_low_rank() -> None:
    made = low_rank(states=8, rank=3, horizon=2)
    p = made.form.matrix().toarray()
    assert np.linalg.matrix_rank(p) == 3
    phi = made.features.reshape(-1, 3)
    np.testing.assert_allclose(phi @ made.target, p, atol=1e-12)
    np.testing.assert_allclose((phi @ made.weights.T).T, made.form.reward.reshape(2, -1))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_exploring_a_state_gives_the_form_back(seed: int, masks: bool, ends: bool) -> None:
    form = random_form(seed, states=4, masks=masks, ends=ends, horizon=3)
    game = as_game(form, id="test/random", rebuildable=False)
    found = explore(game, key=lambda state: str(state.at))  # type: ignore[attr-defined]  # ours
    used = [int(name) for name in found.state_names if name != "over"]
    again = form.matrix().toarray().reshape(form.states, form.joint, form.states)
    rows = found.matrix().toarray().reshape(found.states, found.joint, found.states)
    for i, s in enumerate(used):
        np.testing.assert_array_equal(found.legal_joint[i], form.legal_joint[s])
        legal = form.legal_joint[s]
        np.testing.assert_allclose(found.reward[:, i, legal], form.reward[:, s, legal])
        if not ends:
            np.testing.assert_allclose(rows[i][:, : len(used)][legal], again[s][legal][:, used])


def test_a_key_that_hides_something_is_noticed() -> None:
    form = random_form(3, states=4, horizon=3)
    with pytest.raises(ArenaError, match="look like"):
        explore(as_game(form, id="test/random"), key=lambda state: "same")


@pytest.mark.parametrize(
    ("name", "states"), [("openspiel/coop_box_pushing(horizon=3)", 10), ("matrix/shapley", 2)]
)
def test_games_of_the_registry_are_explored(name: str, states: int) -> None:
    game = arena.make(name)
    form = markov_of(game)
    assert form.states >= states and form.seats == game.seats
    check_game(arena.make("markov/of", game=name), episodes=2)


def test_openspiel_soccer_has_the_value_of_ours() -> None:
    """The same board: OpenSpiel draws the ball between the players, ours with one of them."""
    game = arena.make("markov/of", game="openspiel/markov_soccer(horizon=5)")
    found = arena.solve(game, "shapley", horizon=5).certificate
    assert found["nash_gap"].value < 1e-5 and abs(found["value_0"].value) < 1e-5


def test_discounted_episodes_pay_the_discounted_sum() -> None:
    form = random_form(5, states=3, discount=0.8)
    game = as_game(form, id="test/random")
    batch = game.form("batch", seeds=np.arange(20_000))
    while batch.actors().any():
        batch.step(np.zeros((20_000, 2), dtype=np.int64))
    p = form.matrix().toarray().reshape(3, 4, 3)[:, 0]
    exact = np.linalg.solve(np.eye(3) - 0.8 * p, form.reward[:, :, 0].T)[0]
    spread = batch.returns().std(axis=0) / math.sqrt(20_000)
    assert (np.abs(batch.returns().mean(axis=0) - exact) < 5 * spread).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_returns_stay_within_their_bounds(seed: int, masks: bool, ends: bool) -> None:
    form = random_form(seed, states=4, masks=masks, ends=ends, horizon=4)
    game = as_game(form, id="test/random")
    low, high = game.payoff_bounds
    batch, rng = game.form("batch", seeds=np.arange(200)), np.random.default_rng(seed)
    while batch.actors().any():
        batch.step(
            np.array([[rng.choice(np.flatnonzero(m[s])) for m in form.legal] for s in batch.at])
        )
    returns = batch.returns()
    assert (low - 1e-9 <= returns).all() and (returns <= high + 1e-9).all()


def test_a_goal_bounds_soccer() -> None:
    assert arena.make("markov_soccer").payoff_bounds == (-1.0, 1.0)
    # A discounted episode is cut off after 263 steps, which 0.9^263 < 1e-12 of them reach.
    assert arena.make("markov/garnet").payoff_bounds[1] == pytest.approx(263, rel=0.01)
    stay = MarkovGame(np.full((2, 1, 2), 0.5), np.ones((1, 2, 1)), 0, terminal=[1])
    assert as_game(stay, id="test/stay").payoff_bounds == (1.0, math.inf)


def test_discounted_episodes_are_cut_off_where_nobody_gets() -> None:
    form = random_form(5, states=3, discount=0.2)
    assert form.longest == 18 and form.with_end(horizon=4).longest == 4
    game = as_game(form, id="test/random")
    assert game.max_length == 36
    batch = game.form("batch", seeds=np.arange(20_000))
    while batch.actors().any():
        batch.step(np.zeros((20_000, 2), dtype=np.int64))
    assert batch.steps.max() < 18


def test_the_coin_game_is_a_dilemma() -> None:
    game = arena.make("coin_game")
    form = game.form("markov")
    assert game.id == "markov/coin_game" and form.states == 1152 and form.payoff == "general_sum"
    names = list(form.state_names)
    # Seat 0 is west of a coin of seat 1's colour, seat 1 far away: east takes it.
    s = names.index("A11 B00 B's coin at 12")
    taken = form.number((2, 0))
    assert form.reward[:, s, taken].tolist() == [1.0, -2.0]
    states, chances = form.after(s, taken)
    assert len(states) == 14 and chances == pytest.approx(1 / 14)  # 7 free squares, 2 colours
    assert all(names[t].startswith("A12 B20") for t in states)
    # Its own colour costs nobody anything; without a coin taken nothing else moves.
    s = names.index("A11 B00 A's coin at 12")
    assert form.reward[:, s, taken].tolist() == [1.0, 0.0]
    west = form.number((3, 0))
    assert [names[t] for t in form.after(s, west)[0]] == ["A10 B20 A's coin at 12"]
    # Both take it: the one whose colour it is not pays nothing, the other loses 2 of its own.
    s = names.index("A11 B02 A's coin at 12")
    assert form.reward[:, s, form.number((2, 1))].tolist() == [-1.0, 1.0]
