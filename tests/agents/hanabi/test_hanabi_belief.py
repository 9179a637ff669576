"""Beliefs against brute force: every deal of a tiny game, played by the bots."""

from __future__ import annotations

from collections import defaultdict
from itertools import permutations
from typing import Any

import numpy as np
import pytest

import arena
from agents.hanabi import HanabiBot
from agents.hanabi.belief import believe
from arena.errors import ParameterError, UnknownNameError
from arena.types import CHANCE
from games.hanabi import layout as at

TINY = {"colors": 2, "ranks": 2, "hand_size": 2, "max_life_tokens": 2, "max_information_tokens": 3}


def brute_force(name: str, moves: int) -> dict[str, dict[tuple[int, ...], float]]:
    """Probability of every infoset and own hand after `moves` moves, over all decks."""
    game = arena.make("hanabi", **TINY)
    variant = game.form("hanabi")
    found: dict[str, dict[tuple[int, ...], float]] = defaultdict(lambda: defaultdict(float))
    deck = [
        variant.outcome(8 * c + r) for c in range(2) for r in range(2) for _ in range(3 - 2 * r)
    ]

    def go_on(state: Any, left: tuple[int, ...], weight: float) -> None:
        while state.actors() == (CHANCE,):
            state.step({CHANCE: left[0]})
            left = left[1:]
        if not state.actors():
            return
        seat = state.actors()[0]
        seen = state.observe(seat)
        if len(state.history()) - (len(deck) - len(left)) == moves:
            own = state.row[at.HANDS + 2 * seat : at.HANDS + 2 * seat + 2]
            hand = tuple(int(state.row[at.DECK + i]) for i in own if i >= 0)
            found[seen.key][hand] += weight
            return
        bot = HanabiBot(name)
        bot.begin(game, seat, 0)
        for action, chance in enumerate(bot.policy(seen)):
            if chance > 0:
                twin = state.clone()
                twin.step({seat: action})
                go_on(twin, left, weight * chance)

    for order in sorted(set(permutations(deck))):
        go_on(game.root(), order, 1.0)
    return found


@pytest.mark.parametrize(("name", "moves"), [("smart", 3), ("piers", 2), ("information", 3)])
def test_exact_beliefs_are_those_of_brute_force(name: str, moves: int) -> None:
    game = arena.make("hanabi", **TINY)
    truth = brute_force(name, moves)
    checked = 0
    for seed in range(12):
        state: Any = game.state(seed)
        for _ in range(moves):
            seat = state.actors()[0]
            bot = HanabiBot(name)
            bot.begin(game, seat, seed)
            state.step({seat: bot.act(state.observe(seat))})
            if not state.actors():
                break
        if not state.actors():
            continue
        seen = state.observe(state.actors()[0])
        belief = believe(seen, [name, name])
        assert belief.exact
        assert belief.consistent
        row = truth[seen.key]
        total = sum(row.values())
        mine = {
            tuple(hand.tolist()): w
            for hand, w in zip(belief.hands, belief.weights, strict=True)
            if w > 0
        }
        assert mine.keys() == row.keys()
        for hand, weight in row.items():
            assert mine[hand] == pytest.approx(weight / total, abs=1e-12)
        checked += 1
    assert checked >= 6


def test_samples_approach_the_exact_belief() -> None:
    game = arena.make("hanabi", colors=3, ranks=3, hand_size=3)
    state: Any = game.state(3)
    bots = [HanabiBot("smart") for _ in range(2)]
    for seat, bot in enumerate(bots):
        bot.begin(game, seat, 0)
    for _ in range(6):
        seat = state.actors()[0]
        state.step({seat: bots[seat].act(state.observe(seat))})
    seen = state.observe(state.actors()[0])
    exact = believe(seen, ["smart"] * 2, limit=5000)
    drawn = believe(seen, ["smart"] * 2, limit=0, samples=20_000, seed=1)
    assert exact.exact
    assert not drawn.exact
    assert 1.0 <= drawn.effective <= 20_000
    for slot in range(exact.hands.shape[1]):
        for card in range(24):
            p = exact.weights[exact.hands[:, slot] == card].sum()
            q = drawn.weights[drawn.hands[:, slot] == card].sum()
            assert abs(p - q) < 5 * np.sqrt(p * (1 - p) / drawn.effective) + 1e-9


def test_a_partner_of_another_kind_is_reported() -> None:
    """A play that SmartBot would not make: no hand explains it, counts and hints remain."""
    game = arena.make("hanabi")
    reported = 0
    for seed in range(10):
        state: Any = game.state(seed)
        state.step({0: state.legal(0)[-1]})  # the highest rank hint there is
        state.step({1: 5})  # plays its oldest card, whatever was told
        belief = believe(state.observe(0), ["smart", "smart"], limit=0, samples=200)
        assert belief.weights.sum() == pytest.approx(1.0)
        reported += not belief.consistent
    assert reported >= 5


def test_bad_input_is_named() -> None:
    seen = arena.make("hanabi").state(0).observe(0)
    with pytest.raises(ParameterError, match="2 bots"):
        believe(seen, ["smart"])
    with pytest.raises(UnknownNameError, match="smart"):
        believe(seen, ["smart", "smrt"])
    with pytest.raises(ParameterError, match="samples"):
        believe(seen, ["smart", "smart"], samples=0)
