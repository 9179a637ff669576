"""Hanabi: rules against the twin, state against batch, what is hidden, errors."""

from __future__ import annotations

from collections import Counter
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import ArenaError, IllegalActionError, ParameterError, UnknownNameError
from arena.game import State
from arena.rng import Stream, derive_many, stream_states
from arena.testing import check_game
from games.hanabi import layout as at
from games.hanabi._kernels import count, pick
from tests.games.hanabi.variants import OWN, SHARED, named
from tests.reference import hanabi as twin

variants = pytest.mark.parametrize("params", SHARED + OWN, ids=named)
seeds = st.integers(0, 2**64 - 1)


def careful(state: Any, stream: Stream) -> int:
    """A legal action, mostly not a bomb, so that games get long."""
    legal = list(state.legal(state.actors()[0]))
    if stream.below(8):
        row, variant = state.row, state.variant
        base = at.HANDS + int(row[at.TURN]) * variant.cards_held
        safe = []
        for action in legal:
            kind, slot, _ = variant.action(action)
            card = int(row[at.DECK + row[base + slot]]) if kind == "play" else -1
            height = row[at.FIREWORKS + (card >> 3)] if kind == "play" else -1
            if kind != "play" or height == card & 7:
                safe.append(action)
        legal = safe or legal
    return stream.choice(legal)


@variants
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_state_is_the_twin(params: dict[str, Any], seed: int) -> None:
    game = arena.make("hanabi", **params)
    state, table = game.state(seed), twin.start(game.form("hanabi"), seed)
    stream, total = Stream(seed ^ 1), 0.0
    for _ in range(game.max_length + 1):
        assert state.actors() == (() if table.over else (table.turn,))
        for seat in range(game.seats):
            seen = state.observe(seat)
            assert (seen.tensor == table.encode(seat)).all()
            assert list(seen.actions) == (table.legal() if seat == table.turn else [])
        assert (state.returns() == table.score()).all()
        if table.over:
            break
        action = careful(state, stream)
        state.step({table.turn: action})
        table.step(action)
        total += state.rewards()[0]
    assert table.over
    assert total == table.score()


@variants
@settings(max_examples=6, deadline=None)
@given(seed=seeds)
def test_batch_is_bit_equal_to_states(params: dict[str, Any], seed: int) -> None:
    game = arena.make("hanabi", **params)
    own = derive_many(seed, np.arange(7))
    states: list[Any] = [game.state(int(s)) for s in own]
    batch = game.form("batch", seeds=own)
    stream = Stream(seed)
    for _ in range(game.max_length + 1):
        acting = batch.actors()
        actions = np.zeros(acting.shape, dtype=np.int64)
        for k, state in enumerate(states):
            assert (batch.rows[k] == state.row).all()
            assert tuple(np.flatnonzero(acting[k])) == state.actors()
            assert (batch.returns()[k] == state.returns()).all()
        every = batch.tensors()
        for seat in range(game.seats):
            seen = batch.observe(seat)
            assert (seen.live == acting[:, seat]).all()
            for k, state in enumerate(states):
                assert (every[k, seat] == state.observe(seat).tensor).all()
            for k in np.flatnonzero(seen.live):
                alone = states[k].observe(seat)
                assert (seen.legal[k] == alone.legal).all()
                assert (seen.tensor[k] == alone.tensor).all()
                assert (seen.rows[k] == alone.row).all()
                actions[k, seat] = careful(states[k], stream)
        if not acting.any():
            break
        batch.step(actions)
        for k in np.flatnonzero(acting.any(axis=1)):
            seat = states[k].actors()[0]
            states[k].step({seat: int(actions[k, seat])})
            assert (batch.rewards()[k] == states[k].rewards()).all()
    assert not batch.actors().any()


@variants
def test_the_conformance_kit_passes(params: dict[str, Any]) -> None:
    check_game(arena.make("hanabi", **params), episodes=2, close_ups=5)


@pytest.mark.parametrize("params", [{}, {"players": 5}, {"players": 3, "colors": 2}], ids=named)
def test_pettingzoo_export_passes_its_tests(params: dict[str, Any]) -> None:
    from pettingzoo.test import api_test, seed_test

    game = arena.make("hanabi", **params)
    api_test(arena.to_pettingzoo(game), num_cycles=50)
    seed_test(lambda: arena.to_pettingzoo(game), num_cycles=20)


def test_restarts_and_movers() -> None:
    """Episodes begun anew are those of their seeds, and a mover sees what its seat sees."""
    game = arena.make("hanabi", players=3)
    batch = game.form("batch", seeds=[1, 2, 3, 4])
    stream = Stream(6)
    for step in range(200):
        mover = batch.observe_mover()
        column = np.zeros((4, 1), dtype=np.int64)
        for seat in range(3):
            seen = batch.observe(seat)
            for k in np.flatnonzero(seen.live):
                assert mover.live[k]
                assert (mover.legal[k] == seen.legal[k]).all()
                assert (mover.tensor[k] == seen.tensor[k]).all()
                assert (mover.rows[k] == seen.rows[k]).all()
                column[k, 0] = careful(batch.state(int(k)), stream)
        batch.step(column)
        over = np.flatnonzero(batch.rows[:, at.LIVE] == 0)
        batch.restart(over, 100 * step + over)
        for k in over.tolist():
            assert (batch.rows[k] == game.state(100 * step + k).row).all()
            assert (batch.rewards()[k] == 0).all()
    with pytest.raises(ParameterError, match="one for each of"):
        batch.restart(np.array([1]), [1, 2])


@variants
def test_renewed_episodes_and_drawn_actions(params: dict[str, Any]) -> None:
    """`renew` is `restart` with derived seeds; `sample` draws among the legal actions."""
    game = arena.make("hanabi", **params)
    batch = game.form("batch", seeds=range(9))
    streams = stream_states(derive_many(5, np.arange(9)))
    twins = [Stream(int(s)) for s in derive_many(5, np.arange(9))]
    for step in range(40):
        legal = batch.observe_mover().legal.copy()
        actions = batch.sample(streams)
        for k, twin_stream in enumerate(twins):
            assert actions[k, 0] == twin_stream.choice(np.flatnonzero(legal[k]).tolist())
        batch.step(actions)
        live = batch.actors().any(axis=1)
        assert (batch.renew(step) == ~live).all()
        for k in np.flatnonzero(~live).tolist():
            fresh = game.state(int(derive_many(step, [k])[0]))
            assert (batch.rows[k] == fresh.row).all()
            assert (batch.rewards()[k] == 0).all()
        assert batch.actors().any(axis=1).all()


@given(bits=st.integers(1, 2**64 - 1))
def test_bits_are_counted_and_picked(bits: int) -> None:
    places = [i for i in range(64) if bits >> i & 1]
    assert count(np.uint64(bits)) == len(places)
    assert [pick(np.uint64(bits), n) for n in range(len(places))] == places


# -- what is hidden -----------------------------------------------------------------------


@variants
@settings(max_examples=6, deadline=None)
@given(seed=seeds)
def test_other_worlds_look_the_same_and_are_whole(params: dict[str, Any], seed: int) -> None:
    game = arena.make("hanabi", **params)
    variant = game.form("hanabi")
    state, stream = game.state(seed), Stream(seed)
    while state.actors():
        seat = state.actors()[0]
        other = state.observe(seat).resample(stream.below(1 << 30))
        one, two = state.observe(seat), other.observe(seat)
        assert one.key == two.key
        assert (one.row == two.row).all()
        assert (one.tensor == two.tensor).all()
        cards = other.row[at.DECK : at.DECK + variant.deck_size].tolist()
        deck = Counter(variant.outcome(card) for card in cards)
        copies = np.tile(variant.copies, variant.colors)
        assert deck == dict(enumerate(copies.tolist()))
        base = at.HANDS + seat * variant.cards_held
        for index in other.row[base : base + int(other.row[at.SIZES + seat])]:
            card, known = int(other.row[at.DECK + index]), int(other.row[at.KNOWN + index])
            assert known >> (card >> 3) & 1
            assert known >> (5 + (card & 7)) & 1
        state = other if stream.below(2) else state
        state.step({seat: careful(state, stream)})


def test_hands_are_resampled_uniformly() -> None:
    """Against counting: every consistent hand has the weight of its orderings."""
    game = arena.make("hanabi", colors=2, ranks=2, hand_size=2, max_life_tokens=3)
    state: Any = game.state(11)
    state.step({0: 4})  # a hint constrains seat 1
    seat = state.actors()[0]
    assert seat == 1
    hidden = state.observe(1).row
    unseen = np.tile([3, 1], 2)
    for card in hidden[at.DECK : at.DECK + int(hidden[at.DEALT])]:
        if card >= 0:
            unseen[game.form("hanabi").outcome(int(card))] -= 1
    held = hidden[at.HANDS + 2 : at.HANDS + 4]
    known = [int(hidden[at.KNOWN + i]) for i in held]
    weights = {}
    for a in range(4):
        for b in range(4):
            fits = all(
                k >> (c // 2) & 1 and k >> (5 + c % 2) & 1
                for k, c in zip(known, (a, b), strict=True)
            )
            weights[a, b] = float(fits) * unseen[a] * (unseen[b] - (a == b))
    draws = 4000
    seen = Counter(
        tuple(game.form("hanabi").outcome(int(state.resample(1, s).row[at.DECK + i])) for i in held)
        for s in range(draws)
    )
    total = sum(weights.values())
    assert set(seen) == {hand for hand, weight in weights.items() if weight > 0}
    for hand, weight in weights.items():
        p = weight / total
        assert abs(seen[hand] - draws * p) <= 5 * np.sqrt(draws * p * (1 - p)) + 1e-9


def test_an_observation_holds_nothing_of_the_own_hand() -> None:
    state = arena.make("hanabi").state(4)
    row = state.observe(0).row
    assert (row[at.DECK : at.DECK + 5] == -1).all()
    assert (row[at.DECK + 5 : at.DECK + 10] >= 0).all()
    assert (row[at.DECK + 10 : at.DECK + 50] == -1).all()
    assert "??" in state.observe(0).view.splitlines()[3]


# -- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "error", "told"),
    [
        ({"players": 6}, ParameterError, ["players", "6", "from 2 to 5"]),
        ({"colors": 0}, ParameterError, ["colors", "0", "from 1 to 5"]),
        ({"ranks": 2.5}, ParameterError, ["ranks", "2.5"]),
        ({"players": True}, ParameterError, ["players", "True"]),
        ({"max_life_tokens": 0}, ParameterError, ["max_life_tokens", "from 1"]),
        (
            {"players": 5, "colors": 2, "ranks": 2},
            ParameterError,
            ["hand_size", "4", "at most 1", "20 cards", "has 8"],
        ),
        ({"observation_type": "minimum"}, UnknownNameError, ["minimum", "did you mean 'minimal'"]),
        ({"observation_type": 1}, ParameterError, ["observation_type", "1", "seer"]),
        ({"lost_score": "nil"}, UnknownNameError, ["lost_score", "zero", "fireworks"]),
        ({"random_start_player": 1}, ParameterError, ["random_start_player"]),
        ({"colours": 3}, UnknownNameError, ["colours", "colors"]),
    ],
)
def test_impossible_variants_are_named(
    params: dict[str, Any], error: type[ArenaError], told: list[str]
) -> None:
    with pytest.raises(error) as caught:
        arena.make("hanabi", **params)
    for part in told:
        assert part in str(caught.value)


def refused(state: State, action: Any) -> str:
    seat = state.actors()[0]
    with pytest.raises(IllegalActionError) as caught:
        state.step({seat: action})
    return str(caught.value)


def test_illegal_moves_are_named() -> None:
    game = arena.make("hanabi")
    state: Any = game.state(3)  # seat 1 holds G4 G1 B1 R4 W3
    assert (
        refused(state, 0) == "hanabi: seat 0 cannot discard 0: all 8 information tokens are there"
    )
    assert refused(state, 11) == (
        "hanabi: seat 0 cannot tell seat 1 Y: seat 1 holds G4 G1 B1 R4 W3, none of colour Y"
    )
    assert "none of rank 5" in refused(state, 19)
    assert "actions are 0 to 19" in refused(state, 20)
    assert "'10'" in refused(state, "10")
    with pytest.raises(IllegalActionError, match="to move is seat 0"):
        state.step({1: 5})
    tokens = arena.make("hanabi", max_information_tokens=0).state(0)
    assert "no information token is left" in refused(tokens, 12)
    batch = game.form("batch", seeds=[3, 3])
    with pytest.raises(IllegalActionError, match="episode 1: seat 0 cannot discard 0"):
        batch.step(np.array([[5, 0], [0, 0]]))
    assert (batch.rows == state.row).all()
    with pytest.raises(IllegalActionError, match="shape"):
        batch.step(np.zeros((2, 3), dtype=np.int64))


def test_a_hand_without_that_card_is_named() -> None:
    game = arena.make("hanabi", colors=1, hand_size=5)  # the whole deck is dealt
    state: Any = game.state(0)
    for _ in range(2):
        state.step({state.actors()[0]: 5})
    if state.actors():
        assert "holds 4 cards, slots 0 to 3" in refused(state, 9)


# -- drawing ------------------------------------------------------------------------------


def test_drawings() -> None:
    game = arena.make("hanabi")
    state: Any = game.state(3)
    root = ElementTree.fromstring(state.render_svg())
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Y3", "G4", "R0", "seat 0 ▸"} <= set(texts)
    state.step({0: 12})
    assert "seat 0: tell seat 1 G (slots 0, 1)" in state.render()
    assert "seat 1: G4 [G 12345]" in state.render()
    assert ElementTree.fromstring(state.render_svg()) is not None
