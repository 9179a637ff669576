"""The engine against OpenSpiel's Hanabi, which wraps the Hanabi Learning Environment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import arena
from arena.rng import derive_many, generator
from games.hanabi import layout as at
from tests.games.hanabi.variants import SHARED, named

pyspiel = pytest.importorskip("pyspiel")


def dealt(theirs: Any, row: np.ndarray, variant: Any) -> Any:
    """A state of theirs after the same deal, beginning with the same seat."""
    while True:
        state = theirs.new_initial_state()
        for card in row[at.DECK : at.DECK + variant.players * variant.cards_held].tolist():
            state.apply_action(variant.outcome(card))
        if state.current_player() == row[at.TURN]:
            return state


def chosen(rng: np.random.Generator, row: np.ndarray, legal: np.ndarray, variant: Any) -> int:
    """A legal action; plays that would cost a life are mostly avoided, so games get long."""
    actions = np.flatnonzero(legal).tolist()
    held = variant.cards_held
    if rng.random() < 0.85:
        base = at.HANDS + int(row[at.TURN]) * held
        cards = [int(row[at.DECK + i]) for i in row[base : base + held] if i >= 0]
        good = [
            slot for slot, card in enumerate(cards) if row[at.FIREWORKS + (card >> 3)] == card & 7
        ]
        if good and rng.random() < 0.7:
            return held + good[0]
        actions = [a for a in actions if not held <= a < 2 * held or a - held in good] or actions
    return int(actions[rng.integers(len(actions))])


def compare(params: dict[str, Any], games: int, seed: int) -> int:
    """Play `games` games in step with OpenSpiel; return the number of moves compared."""
    game = arena.make("hanabi", **params)
    variant = game.form("hanabi")
    theirs = pyspiel.load_game("hanabi", params)
    assert theirs.num_distinct_actions() == variant.actions
    assert theirs.observation_tensor_size() == variant.tensor_size
    assert theirs.max_chance_outcomes() == variant.max_score
    batch = game.form("batch", seeds=derive_many(seed, np.arange(games)))
    rng = generator(seed, "choices")
    peers = [dealt(theirs, row, variant) for row in batch.rows]
    paid = np.zeros(games)
    moves = 0
    while (acting := batch.actors()).any():
        actions = np.zeros(acting.shape, dtype=np.int64)
        for seat in range(variant.players):
            seen = batch.observe(seat)
            tensor = seen.tensor
            for k in np.flatnonzero(acting[:, seat]):
                peer = peers[k]
                assert peer.current_player() == seat
                assert np.flatnonzero(seen.legal[k]).tolist() == peer.legal_actions()
                assert (tensor[k] == peer.observation_tensor(seat)).all()
                actions[k, seat] = chosen(rng, batch.rows[k], seen.legal[k], variant)
        batch.step(actions)
        rewards, returns = batch.rewards(), batch.returns()
        assert (rewards == rewards[:, :1]).all()
        paid += rewards[:, 0]
        assert (returns[:, 0] == paid).all()
        for k in np.flatnonzero(acting.any(axis=1)):
            peer, row = peers[k], batch.rows[k]
            peer.apply_action(int(actions[k, int(acting[k].argmax())]))
            assert list(peer.rewards()) == rewards[k].tolist()
            if peer.is_chance_node():
                peer.apply_action(variant.outcome(int(row[at.DECK + row[at.DEALT] - 1])))
            assert list(peer.returns()) == returns[k].tolist()
            assert peer.is_terminal() == (row[at.LIVE] == 0)
            moves += 1
            if row[at.LIVE] == 0 or moves % 7 == 0:  # seats that are not to move look too
                state = batch.state(int(k))
                for seat in range(variant.players):
                    expected = peer.observation_tensor(seat)
                    assert (state.observe(seat).tensor == expected).all()
    assert all(peer.is_terminal() for peer in peers)
    return moves


@pytest.mark.parametrize("params", SHARED, ids=named)
def test_no_difference_to_openspiel(params: dict[str, Any]) -> None:
    assert compare(params, 40, seed=1) > 40


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("params", SHARED, ids=named)
def test_no_difference_to_openspiel_in_ten_thousand_games(params: dict[str, Any]) -> None:
    games = 10_400 // len(SHARED)
    for seed in range(2, 2 + games // 100):
        compare(params, 100, seed=seed)


def test_long_games_and_full_scores_are_among_those_compared() -> None:
    """The comparison says little if every game ends by the third bomb."""
    game = arena.make("hanabi")
    variant = game.form("hanabi")
    batch = game.form("batch", seeds=derive_many(1, np.arange(40)))
    rng = generator(1, "choices")
    while (acting := batch.actors()).any():
        actions = np.zeros(acting.shape, dtype=np.int64)
        for seat in range(2):
            seen = batch.observe(seat)
            for k in np.flatnonzero(acting[:, seat]):
                actions[k, seat] = chosen(rng, batch.rows[k], seen.legal[k], variant)
        batch.step(actions)
    rows = batch.rows
    assert (rows[:, at.DEALT] == variant.deck_size).sum() > 5  # the deck ran out
    assert (rows[:, at.LIVES] == 0).sum() > 3
    assert rows[:, at.SCORE].max() >= 15
