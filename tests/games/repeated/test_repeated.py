"""Repeated games: rules, observations, chance, and the batch that must agree."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.episode import drive
from arena.errors import (
    AgentFaultError,
    FormError,
    IllegalActionError,
    ParameterError,
    UnknownNameError,
)
from arena.game import Game, Snapshot, State
from arena.rng import Stream, seat_seed
from games.batch import Batch, as_seeds, play_batch
from games.repeated import last_joint, repeat
from tests.reference.repeated import play_rounds

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("prisoners_dilemma", {"rounds": 7}),
    ("prisoners_dilemma", {"rounds": 9, "noise": 0.2, "payoff": "sum"}),
    ("prisoners_dilemma", {"continuation": 0.8}),
    ("shapley", {"continuation": 0.9, "rounds": 6, "noise": 0.4, "memory": 2}),
    ("jordan", {"rounds": 5, "noise": 0.3, "memory": 1}),
    ("travellers_dilemma", {"rounds": 4, "high": 20, "noise": 0.5}),
    ("public_goods", {"continuation": 0.7, "noise": 1.0, "payoff": "sum", "seats": 3}),
    ("centipede", {"rounds": 3, "nodes": 5}),
]
ids = [f"{name}-{k}" for k, (name, _) in enumerate(VARIANTS)]
variants = pytest.mark.parametrize(("name", "params"), VARIANTS, ids=ids)


def made(name: str, params: dict[str, Any]) -> Game:
    return arena.make(f"repeated/{name}", **params)


def random_choices(game: Game, seed: int, rounds: int) -> list[tuple[int, ...]]:
    rng = Stream(seed)
    counts = game.form("repeated").stage.actions
    return [tuple(rng.below(count) for count in counts) for _ in range(rounds)]


@variants
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**64 - 1))
def test_state_follows_the_rules(name: str, params: dict[str, Any], seed: int) -> None:
    game = made(name, params)
    form, choices = game.form("repeated"), random_choices(game, seed ^ 5, 60)
    executed, sums, over = play_rounds(form, seed, choices)
    state: Any = game.state(seed)
    total = np.zeros(game.seats)
    for joint in choices:
        if not state.actors():
            break
        assert state.actors() == tuple(range(game.seats))
        state.step(dict(enumerate(joint)))
        total += state.rewards()
    assert state.played == executed
    assert (state.actors() == ()) == over
    expected = np.array(sums) / (form.horizon or len(executed)) if form.payoff == "mean" else sums
    assert (state.returns() == expected).all()
    np.testing.assert_allclose(total, state.returns(), atol=1e-9)


@variants
@settings(max_examples=10, deadline=None)
@given(seeds=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6))
def test_batch_is_bit_equal_to_states(name: str, params: dict[str, Any], seeds: list[int]) -> None:
    game = made(name, params)
    states = [game.state(seed) for seed in seeds]
    batch = game.form("batch", seeds=seeds)
    assert isinstance(batch, Batch)
    choices = random_choices(game, seeds[0], 40)
    for joint in choices:
        acting = batch.actors()
        assert acting.tolist() == [[bool(s.actors())] * game.seats for s in states]
        for seat in range(game.seats):
            look = batch.observe(seat)
            for k, state in enumerate(states):
                single = state.observe(seat)
                assert look.legal[k].tolist() == single.legal.tolist()
                assert look.tensor is not None and look.tensor.dtype == np.float32
                assert (look.tensor[k] == single.tensor).all()
                assert look.live[k] == (seat in state.actors())
        if not acting.any():
            break
        batch.step(np.array([joint] * len(seeds)))
        for k, state in enumerate(states):
            if state.actors():
                state.step(dict(enumerate(joint)))
                assert (batch.rewards()[k] == state.rewards()).all()
        assert (batch.returns() == np.array([s.returns() for s in states])).all()


@pytest.mark.parametrize("name", ["shapley", "jordan", "public_goods"])
def test_one_shot_batch_is_equal_to_states(name: str) -> None:
    game = arena.make(f"matrix/{name}")
    batch = game.form("batch", seeds=[1, 2, 3])
    assert isinstance(batch, Batch)
    counts = game.form("normal_form").actions
    joint = np.array([[k % c for c in counts] for k in range(3)])
    assert (batch.returns() == 0).all()
    for k in range(len(joint)):
        state = game.state(k)
        for seat in range(game.seats):
            single, look = state.observe(seat), batch.observe(seat)
            assert (look.tensor[k] == single.tensor).all()
            assert (look.legal[k] == single.legal).all()
    batch.step(joint)
    for k, row in enumerate(joint.tolist()):
        state = game.state(k)
        state.step(dict(enumerate(row)))
        assert (batch.returns()[k] == state.returns()).all()
    assert not batch.actors().any()


@variants
def test_uniform_and_first_legal_are_played_in_batches(name: str, params: dict[str, Any]) -> None:
    game = made(name, params)
    seeds = np.arange(17, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    agents = [arena.agent("first_legal"), *(arena.agent("uniform") for _ in range(game.seats - 1))]
    batched = play_batch(game, agents, seeds)
    assert batched is not None and batched.shape == (17, game.seats)
    for k, seed in enumerate(seeds.tolist()):
        assert (one_by_one(game, agents, seed) == batched[k]).all()


def one_by_one(game: Game, agents: list[Any], seed: int) -> np.ndarray:
    for seat, agent in enumerate(agents):
        agent.begin(game, seat, seat_seed(seed, seat))
    state = game.state(seed)
    drive(state, [agent.act for agent in agents])
    return np.asarray(state.returns())


def test_play_batch_says_when_it_cannot() -> None:
    game = arena.make("repeated/prisoners_dilemma", rounds=2)
    uniform = arena.agent("uniform")
    assert play_batch(game, [uniform, uniform], [1]) is None  # one object in two seats
    assert play_batch(game, [uniform, arena.agent("q_learning")], [1]) is None
    tree = arena.make("kuhn_poker")
    assert play_batch(tree, [arena.agent("uniform"), arena.agent("uniform")], [1]) is None
    with pytest.raises(ParameterError, match="agents = 1"):
        play_batch(game, [uniform], [1])


def test_an_illegal_action_in_a_batch_is_a_fault() -> None:
    class Stray:
        def begin_batch(self, game: Game, seat: int, seeds: Any) -> None: ...

        def act_batch(self, observation: Any) -> np.ndarray:
            return np.full(len(observation.live), 7)

    game = arena.make("repeated/prisoners_dilemma", rounds=2)
    with pytest.raises(AgentFaultError, match="seat 1 played 7; legal are 0 to 1"):
        play_batch(game, [arena.agent("first_legal"), Stray()], [1, 2])  # type: ignore[list-item]


@variants
def test_drive_does_what_stepping_does(name: str, params: dict[str, Any]) -> None:
    game = made(name, params)
    seen: list[list[str]] = []
    for watch in (None, lambda joint: None):
        keys: list[str] = []
        state: Any = game.state(11)
        streams = [Stream(seat) for seat in range(game.seats)]

        def choose(look: Any, streams: Any = streams, keys: Any = keys) -> int:
            keys.append(f"{look.seat}|{look.key}|{look.view}|{look.round}")
            return int(streams[look.seat].choice(look.actions))

        drive(state, [choose] * game.seats, watch=watch)
        keys.append(state.render())
        keys.append(str(state.returns().tolist()))
        seen.append([*keys, str(state.history()), str(state.rewards().tolist())])
    assert seen[0] == seen[1]


@variants
def test_clones_draw_the_same_chance_and_stand_alone(name: str, params: dict[str, Any]) -> None:
    game = made(name, params)
    choices = random_choices(game, 3, 40)
    state: Any = game.state(5)
    state.step(dict(enumerate(choices[0])))
    twin = state.clone()
    ends = []
    for each in (state, twin):
        for joint in choices[1:]:
            if each.actors():
                each.step(dict(enumerate(joint)))
        ends.append((each.played, each.returns().tolist(), each.history()))
    assert ends[0] == ends[1]


@variants
def test_observations_tell_what_happened_from_the_seat(name: str, params: dict[str, Any]) -> None:
    game = made(name, params)
    state: Any = game.state(8)
    for joint in random_choices(game, 8, 3):
        if not state.actors():
            break
        state.step(dict(enumerate(joint)))
        done = state.played[-1]
        for seat in range(game.seats):
            look = state.observe(seat)
            assert look.last == done[seat:] + done[:seat]
            # A copy that knows only the contract's fields tells the same.
            assert last_joint(Snapshot.of(look)) == look.last
            assert len(look.tensor) == len(Snapshot.of(look).tensor)  # type: ignore[arg-type]


def test_keys_are_equal_exactly_when_histories_look_the_same() -> None:
    game = arena.make("repeated/prisoners_dilemma", rounds=2, noise=0.25)
    root: Any = game.root()
    by_key: dict[str, set[tuple[Any, ...]]] = {}

    def walk(state: Any) -> None:
        if state.actors() == (-1,):
            for outcome, _ in state.chance_outcomes():
                child = state.clone()
                child.step({-1: outcome})
                walk(child)
            return
        known = (tuple(m[0] for m in state.meant), tuple(state.played))
        by_key.setdefault(state.observe(0).key, set()).add(known)
        if state.actors():
            for a in range(2):
                for b in range(2):
                    child = state.clone()
                    child.step({0: a, 1: b})
                    walk(child)

    walk(root)
    assert all(len(known) == 1 for known in by_key.values())
    assert len({next(iter(k)) for k in by_key.values()}) == len(by_key)


def enumerate_returns(state: Any, weight: float, policy: float) -> np.ndarray:
    """Expected returns when every seat mixes uniformly, by the whole tree."""
    actors = state.actors()
    if not actors:
        return weight * np.asarray(state.returns())
    total = np.zeros(2)
    if actors == (-1,):
        assert math.isclose(sum(p for _, p in state.chance_outcomes()), 1.0)
        for outcome, p in state.chance_outcomes():
            child = state.clone()
            child.step({-1: outcome})
            total += enumerate_returns(child, weight * p, policy)
        return total
    for a in range(2):
        for b in range(2):
            child = state.clone()
            child.step({0: a, 1: b})
            p = (policy if a == 0 else 1 - policy) * (policy if b == 0 else 1 - policy)
            total += enumerate_returns(child, weight * p, policy)
    return total


def test_exposed_chance_has_the_law_of_sampled_chance() -> None:
    game = arena.make(
        "repeated/prisoners_dilemma", rounds=2, continuation=0.5, noise=0.2, payoff="sum"
    )
    exact = enumerate_returns(game.root(), 1.0, 0.7)
    coins = Stream(1)
    sums = np.zeros(2)
    count = 20_000
    for seed in range(count):
        state: Any = game.state(seed)
        while state.actors():
            state.step({seat: int(coins.random() >= 0.7) for seat in (0, 1)})
        sums += state.returns()
    np.testing.assert_allclose(sums / count, exact, atol=4 * 5 / math.sqrt(count))
    with pytest.raises(FormError, match="sampled episode"):
        drive(game.root(), [lambda look: 0] * 2)


def test_noise_and_length_have_their_rates() -> None:
    game = arena.make("repeated/shapley", continuation=0.95, noise=0.3)
    rounds = slips = 0
    away: dict[int, int] = {1: 0, 2: 0}
    for seed in range(600):
        state: Any = game.state(seed)
        drive(state, [lambda look: 0] * 2)
        rounds += len(state.played)
        for joint in state.played:
            for action in joint:
                if action:
                    slips += 1
                    away[action] += 1
    assert abs(rounds / 600 - 20) < 4 * 20 / math.sqrt(600)
    assert abs(slips / (2 * rounds) - 0.3) < 4 * 0.46 / math.sqrt(2 * rounds)
    assert abs(away[1] - away[2]) < 4 * math.sqrt(slips)


def test_chance_depends_on_the_seed_alone() -> None:
    game = arena.make("repeated/prisoners_dilemma", continuation=0.9)
    lengths = []
    for action in (0, 1):
        row = []
        for seed in range(20):
            state: Any = game.state(seed)
            drive(state, [lambda look, a=action: a] * 2)
            row.append(len(state.played))
        lengths.append(row)
    assert lengths[0] == lengths[1] and len(set(lengths[0])) > 5


def test_bad_moves_change_nothing() -> None:
    state: Any = arena.make("repeated/prisoners_dilemma", rounds=3).state(0)
    for bad, text in (({0: 0}, "seats"), ({0: 0, 1: 2}, "legal are 0 to 1"), ({0: 0, 1: "C"}, "C")):
        with pytest.raises(IllegalActionError, match=text):
            state.step(bad)
    assert state.played == [] and state.history() == []
    batch = arena.make("repeated/prisoners_dilemma", rounds=3).form("batch", seeds=[1, 2])
    for wrong in (np.array([[0, 2], [0, 0]]), np.zeros((2, 3), int), np.zeros((2, 2))):
        with pytest.raises(IllegalActionError):
            batch.step(wrong)
    assert (batch.played == 0).all()


def test_parameters_are_checked() -> None:
    for params, text in (
        ({"rounds": 0}, "rounds = 0"),
        ({"rounds": 2.5}, "rounds = 2.5"),
        ({"continuation": 1.0}, "continuation = 1.0"),
        ({"noise": 1.5}, "noise = 1.5"),
        ({"payoff": "total"}, "'mean' or 'sum'"),
        ({"memory": 0}, "memory = 0"),
        ({"noise": True}, "noise = True"),
    ):
        with pytest.raises(ParameterError, match=text):
            arena.make("repeated/prisoners_dilemma", **params)
    with pytest.raises(UnknownNameError, match="continuation"):
        arena.make("repeated/prisoners_dilemma", continuatoin=0.5)
    with pytest.raises(FormError, match="normal_form"):
        repeat(arena.make("kuhn_poker"))


def test_a_game_is_made_again_from_its_key_facts() -> None:
    game = arena.make("repeated/travellers_dilemma", high=20, rounds=7, noise=0.1)
    again = arena.make(game.id, **game.params)
    assert again.key == game.key == "repeated/travellers_dilemma(high=20,noise=0.1,rounds=7)"
    assert game.max_length == 14 and game.chance
    assert arena.make("repeated/prisoners_dilemma").form("repeated").rounds == 200
    assert repeat(arena.make("chicken"), rounds=2).rebuildable is False


def test_kinds_and_bounds_of_payoffs() -> None:
    make = arena.make
    assert make("repeated/rock_paper_scissors").payoff == "zero_sum"
    assert make("repeated/hotelling", continuation=0.9).payoff == "constant_sum"
    assert make("repeated/hotelling", continuation=0.9, payoff="sum").payoff == "general_sum"
    assert make("repeated/prisoners_dilemma", rounds=10, payoff="sum").payoff_bounds == (0.0, 50.0)
    low, high = make("repeated/chicken", continuation=0.9, payoff="sum").payoff_bounds
    assert (low, high) == (-math.inf, math.inf)


def test_seeds_of_any_size() -> None:
    assert as_seeds([2**64 + 5, -1]).tolist() == [5, 2**64 - 1]
    with pytest.raises(ParameterError, match="row of integers"):
        as_seeds(np.zeros((2, 2)))


def test_it_is_a_state() -> None:
    assert isinstance(arena.make("repeated/chicken").state(0), State)
    state: Any = arena.make("repeated/chicken", rounds=5, noise=0.5).state(3)
    state.step({0: 0, 1: 1})
    other = state.resample(0, 99)
    assert other.played == state.played
    state.step({0: 0, 1: 1})
    assert len(other.played) == 1
