"""Derived features against working them out card by card from the twin of the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import NotApplicableError
from arena.rng import Stream, derive_many
from tests.games.hanabi.test_hanabi import careful
from tests.games.hanabi.variants import OWN, SHARED, named
from tests.reference import hanabi as twin

SHOWN = [params for params in SHARED + OWN if params.get("observation_type") != "minimal"]


def judged(table: twin.Table, color: int, rank: int) -> tuple[bool, bool, bool]:
    """Whether a card is playable, dead, critical."""
    height, copies = table.fireworks[color], table.variant.copies
    gone = [table.discards.count((color, r)) for r in range(table.variant.ranks)]
    blocked = any(gone[r] == copies[r] for r in range(height, rank))
    dead = rank < height or blocked
    return height == rank, dead, not dead and gone[rank] == copies[rank] - 1


def derived(table: twin.Table, seat: int) -> list[float]:
    variant, n = table.variant, table.variant.players
    left = {}
    for color in range(variant.colors):
        for rank, copies in enumerate(variant.copies):
            played = rank < table.fireworks[color]
            left[color, rank] = copies - table.discards.count((color, rank)) - played
    seats = [(seat + k) % n for k in range(n)]
    unseen = dict(left)
    for other in seats[1:]:
        for card in table.hands[other]:
            unseen[card.color, card.rank] -= 1

    def guess(card: twin.Card | None, counts: dict[tuple[int, int], int]) -> list[float]:
        if card is None:
            return [0.0] * 3
        kept = [(c, r) for c in sorted(card.colors) for r in sorted(card.ranks)]
        total = sum(counts[one] for one in kept)
        shares = [sum(counts[o] * judged(table, *o)[k] for o in kept) for k in range(3)]
        return [share / total if total else 0.0 for share in shares]

    def slots(other: int) -> list[Any]:
        hand = table.hands[other]
        return [*hand, *[None] * (variant.cards_held - len(hand))]

    out: list[float] = []
    for card in slots(seat):
        out += guess(card, unseen)
    for other in seats[1:]:
        for card in slots(other):
            out += [0.0] * 3 if card is None else map(float, judged(table, card.color, card.rank))
    for other in seats[1:]:
        for card in slots(other):
            out += guess(card, left)
    return out


@pytest.mark.parametrize("params", SHOWN, ids=named)
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**64 - 1))
def test_the_features_are_the_twin(params: dict[str, Any], seed: int) -> None:
    game = arena.make("hanabi", **params)
    derive = game.form("features")
    state, table = game.state(seed), twin.start(game.form("hanabi"), seed)
    stream = Stream(seed ^ 1)
    while not table.over:
        for seat in {table.turn, stream.below(game.seats)} if stream.below(2) else ():
            found = derive(state.observe(seat).tensor[None])[0]
            np.testing.assert_allclose(found, derived(table, seat), atol=1e-6)
        action = careful(state, stream)
        state.step({table.turn: action})
        table.step(action)


def test_colours_may_change_names() -> None:
    game = arena.make("hanabi")
    derive, (observation, _) = game.form("features"), game.form("symmetries")
    tensor = game.form("batch", seeds=derive_many(1, np.arange(20))).observe(0).tensor
    np.testing.assert_allclose(derive(tensor), derive(tensor[:, observation[77]]), atol=1e-6)


def test_encodings_without_knowledge_have_none() -> None:
    with pytest.raises(NotApplicableError, match="card_knowledge"):
        arena.make("hanabi", observation_type="minimal").form("features")
