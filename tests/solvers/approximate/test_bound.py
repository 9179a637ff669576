"""Learned best responses against games whose exact value is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import arena
from arena.errors import AgentError, NotApplicableError, ParameterError, UnknownNameError
from arena.game import Game, Observation
from arena.rng import derive, derive_many
from games.tree import tree_of
from solvers.approximate import RESPONDERS, responses
from solvers.approximate.bound import _Play
from solvers.approximate.players import players
from solvers.certificates import best_response
from solvers.evaluate import opened_all


def uniform(game: Game) -> Any:
    return "uniform"


def half_solved(game: Game) -> Any:
    return arena.solve(game, "cfr", iterations=5, cache=False)


@pytest.mark.parametrize(
    ("name", "params", "policy", "episodes", "share"),
    [
        ("kuhn_poker", {}, uniform, 4000, 0.95),
        ("kuhn_poker", {}, half_solved, 4000, 0.8),
        ("kuhn_poker", {"players": 3}, uniform, 4000, 0.9),
        ("leduc_poker", {}, uniform, 20_000, 0.8),
        ("leduc_poker", {}, half_solved, 20_000, 0.6),
        ("liars_dice", {"numdice": 1, "dice_sides": 4}, uniform, 12_000, 0.8),
        ("liars_dice", {"numdice": 1, "dice_sides": 4}, half_solved, 12_000, 0.6),
        ("goofspiel", {"num_cards": 3}, uniform, 4000, 0.9),
    ],
)
def test_bounds_are_below_the_exact_value_and_near_it(
    name: str,
    params: dict[str, Any],
    policy: Callable[[Game], Any],
    episodes: int,
    share: float,
) -> None:
    game = arena.make(name, **params)
    judged = policy(game)
    exact = arena.evaluate(game, judged, cache=False)
    # Many intervals are looked at here, so they must be wide enough to hold all at once.
    options: dict[str, Any] = {"approximate": True, "confidence": 0.999, "seed": 1}
    bound = arena.evaluate(game, judged, episodes=episodes, **options)
    assert list(bound) == [
        "nash_conv",
        "exploitability",
        *(f"regret_{p}" for p in range(game.seats)),
    ]
    for key, gap in bound.items():
        assert gap.kind == "lower"
        assert gap.interval is not None
        assert gap.interval[0] <= exact[key].value
    assert bound["nash_conv"].value >= share * exact["nash_conv"].value


def test_an_equilibrium_is_not_accused() -> None:
    game = arena.make("kuhn_poker")
    nash = arena.solve(game, "sequence_form_lp", cache=False)
    for seed in range(5):
        bound = arena.evaluate(
            game, nash, approximate=True, episodes=1000, seed=seed, confidence=0.999
        )
        assert bound["nash_conv"].interval is not None
        assert bound["nash_conv"].interval[0] <= 1e-9


def test_intervals_cover_what_they_say() -> None:
    """A known best response is tested often: its gain is in the interval as often as said."""
    game = arena.make("kuhn_poker")
    tree = tree_of(game, cache=False)
    play = _Play(game, players(game, opened_all("uniform", 2)))
    for seat in (0, 1):
        best = best_response(tree, tree.uniform(), seat)
        low, high = int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])
        choice = {tree.keys[i]: int(tree.sequence_action[best.choice[i]]) for i in range(low, high)}
        inside = 0
        for seed in range(100):
            paid = play.payoffs(seat, choice, derive_many(derive(seed, "x"), range(400)))
            half = 1.96 * paid.std(ddof=1) / np.sqrt(len(paid))
            inside += abs(paid.mean() - best.value) <= half
        assert 87 <= inside <= 100


@pytest.mark.parametrize("responder", list(RESPONDERS))
def test_each_learner_finds_what_pays_in_kuhn_poker(responder: str) -> None:
    game = arena.make("kuhn_poker")
    exact = arena.evaluate(game, "uniform", cache=False)["nash_conv"].value
    bound = arena.evaluate(
        game, "uniform", approximate=True, episodes=4000, responders=(responder,), seed=2
    )
    assert bound["nash_conv"].value >= 0.75 * exact


def test_the_same_seed_gives_the_same_bound() -> None:
    options: dict[str, Any] = {"approximate": True, "episodes": 300, "seed": 9}
    assert arena.evaluate("kuhn_poker", "uniform", **options) == arena.evaluate(
        "kuhn_poker", "uniform", **options
    )


def test_the_response_is_told() -> None:
    game = arena.make("kuhn_poker")
    said: list[str] = []
    found = responses(
        game, opened_all("uniform", 2), episodes=2000, selection_episodes=800,
        test_episodes=500, progress=said.append,
    )  # fmt: skip
    assert [r.seat for r in found] == [0, 1]
    assert all(r.responder in RESPONDERS and len(r.payoff) == 500 for r in found)
    assert all(key for r in found for key in r.choice)
    assert any("q_learning learns" in text for text in said)


def test_agents_that_remember_and_functions_are_judged_too() -> None:
    class Alternating:
        """Plays its least and its greatest action by turns."""

        def begin(self, game: Game, seat: int, seed: int) -> None:
            self.turn = 0

        def act(self, observation: Observation) -> int:
            assert observation.actions is not None
            self.turn += 1
            return int(observation.actions[0 if self.turn % 2 else -1])

        def close(self) -> None: ...

    def least(observation: Observation) -> int:
        assert observation.actions is not None
        return min(observation.actions)

    options: dict[str, Any] = {"approximate": True, "episodes": 1500, "seed": 1}
    assert arena.evaluate("leduc_poker", Alternating(), **options)["nash_conv"].value > 0.5
    found = arena.evaluate("kuhn_poker", least, **options)["nash_conv"]
    exact = arena.evaluate("kuhn_poker", "first_legal", cache=False)["nash_conv"]
    assert found.interval is not None
    assert found.interval[0] <= exact.value + 1e-9
    assert found.value == pytest.approx(exact.value, abs=0.1)


def test_bad_input_is_named() -> None:
    with pytest.raises(ParameterError, match="episodes = 0"):
        arena.evaluate("kuhn_poker", "uniform", approximate=True, episodes=0)
    with pytest.raises(ParameterError, match="confidence"):
        arena.evaluate("kuhn_poker", "uniform", approximate=True, confidence=1.0)
    with pytest.raises(UnknownNameError, match=r"q_learnin.*q_learning"):
        arena.evaluate("kuhn_poker", "uniform", approximate=True, responders=("q_learnin",))
    with pytest.raises(UnknownNameError, match=r"episodes.*approximate=True"):
        arena.evaluate("kuhn_poker", "uniform", episodes=10)
    table = tree_of(arena.make("kuhn_poker"), cache=False)
    with pytest.raises(ParameterError, match="one for"):
        arena.evaluate("leduc_poker", table.to_table(table.uniform()), approximate=True)
    with pytest.raises(AgentError, match="begin"):
        arena.evaluate("kuhn_poker", object(), approximate=True)


def test_a_game_without_infoset_keys_is_refused() -> None:
    found = [
        name for name in ("openspiel/pathfinding", "openspiel/coop_box_pushing")
        if arena.make(name).state(0).observe(0).key is None
    ]  # fmt: skip
    if not found:
        pytest.skip("every game here has keys")
    with pytest.raises(NotApplicableError, match="infoset key"):
        arena.evaluate(found[0], "uniform", approximate=True, episodes=2)
