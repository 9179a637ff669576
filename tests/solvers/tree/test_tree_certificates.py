"""Certificates against brute force, and against OpenSpiel on its own games."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyspiel
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from open_spiel.python import policy as openspiel_policy
from open_spiel.python.algorithms import expected_game_score, exploitability

import arena
from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from games.adapters.openspiel import wrap
from games.tree import Tree, compile_state
from solvers.certificates import best_response, certify, certify_qre, values
from tests.reference.trees import (
    Behaviour,
    Node,
    expected,
    infosets,
    nash_conv,
    pure_policies,
    random_game,
    toy_game,
)

GAMES: list[tuple[str, dict[str, Any]]] = [
    ("kuhn_poker", {}),
    ("kuhn_poker", {"players": 3}),
    ("kuhn_poker", {"players": 4}),
    ("leduc_poker", {}),
    ("liars_dice", {"dice_sides": 3}),
    ("goofspiel", {"num_cards": 3, "imp_info": True}),
    ("goofspiel", {"num_cards": 3, "imp_info": True, "players": 3, "points_order": "descending"}),
    ("goofspiel", {"num_cards": 4, "imp_info": True, "points_order": "descending"}),
    ("battleship", {"board_width": 2, "board_height": 2, "num_shots": 1, "ship_sizes": "[1]",
                    "ship_values": "[1]"}),
    ("first_sealed_auction", {"max_value": 4}),
    ("matrix_rps", {}),
    ("matrix_pd", {}),
    ("matrix_sh", {}),
    ("blotto", {"players": 3, "coins": 3, "fields": 2}),
    ("sheriff", {"num_rounds": 1, "max_items": 2, "max_bribe": 1}),
    ("tiny_bridge_2p", {}),
    ("tiny_hanabi", {}),
    ("oshi_zumo", {"coins": 3, "size": 1, "horizon": 3}),
]  # fmt: skip


def random_policy(raw: Any, seed: int) -> Any:
    """A policy whose probabilities follow from the infoset's name, some of them zero."""

    def rows(state: Any) -> list[tuple[int, float]]:
        player = state.current_player()
        text = f"{seed} {player} {state.information_state_string(player)}"
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        actions = state.legal_actions()
        rng = np.random.default_rng(int.from_bytes(digest, "little"))
        weights = rng.random(len(actions)) * (rng.random(len(actions)) < 0.8) + 1e-3
        return list(zip(actions, (weights / weights.sum()).tolist(), strict=True))

    return openspiel_policy.tabular_policy_from_callable(raw, lambda state: dict(rows(state)))


@pytest.mark.parametrize(("name", "params"), GAMES)
def test_agrees_with_openspiel_on_random_policies(name: str, params: dict[str, Any]) -> None:
    raw = pyspiel.load_game(name, params)
    if raw.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        raw = pyspiel.convert_to_turn_based(raw)
    game = wrap(raw, id=f"openspiel/{name}", rebuildable=False)
    for seed in range(2):
        policy = random_policy(raw, seed)
        found = arena.evaluate(game, policy)
        theirs = exploitability.nash_conv(raw, policy, return_only_nash_conv=False)
        assert found["nash_conv"].value == pytest.approx(theirs.nash_conv, abs=1e-10)
        score = expected_game_score.policy_value(
            raw.new_initial_state(), [policy] * raw.num_players()
        )
        for p in range(raw.num_players()):
            assert found[f"value_{p}"].value == pytest.approx(score[p], abs=1e-10)
            gain = theirs.player_improvements[p]
            assert found[f"regret_{p}"].value == pytest.approx(gain, abs=1e-10)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("matrix_rps", {}),
        ("oshi_zumo", {"coins": 3, "size": 1, "horizon": 3}),
        ("blotto", {"players": 3, "coins": 3, "fields": 2}),
        ("goofspiel", {"num_cards": 3, "imp_info": True}),
    ],
)
def test_our_own_simultaneous_moves_give_the_same_gap(name: str, params: dict[str, Any]) -> None:
    turns = pyspiel.convert_to_turn_based(pyspiel.load_game(name, params))
    ours = arena.evaluate(arena.make(f"openspiel/{name}", **params), "uniform")
    theirs = exploitability.nash_conv(turns, openspiel_policy.UniformRandomPolicy(turns))
    assert ours["nash_conv"].value == pytest.approx(theirs, abs=1e-10)


def compiled(game: Game) -> Tree:
    return compile_state(game, game.root())


def draw_policy(game: Game, tree: Tree, seed: int) -> tuple[np.ndarray, Behaviour]:
    """The same random policy as an array by sequence and as a dictionary."""
    rng = np.random.default_rng(seed)
    behaviour = np.ones(tree.n_sequences)
    rows: dict[tuple[int, str], np.ndarray] = {}
    for i in range(tree.n_infosets):
        row = rng.dirichlet(np.full(tree.info_actions[i], 0.5))
        first = tree.info_first[i]
        behaviour[first : first + len(row)] = row
        rows[int(tree.info_seat[i]), tree.keys[i]] = row
    return behaviour, rows


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 3), zero_sum=st.booleans())
def test_agrees_with_trying_every_pure_policy(seed: int, n: int, zero_sum: bool) -> None:
    game = random_game(seed, n=n, depth=3, zero_sum=zero_sum)
    counts = infosets(game)
    for seat in range(n):
        assume(np.prod([c for (s, _), c in counts.items() if s == seat]) <= 300)
    tree = compiled(game)
    behaviour, rows = draw_policy(game, tree, seed)
    certificate = certify(tree, behaviour)
    assert certificate["nash_conv"].value == pytest.approx(nash_conv(game, rows), abs=1e-10)
    assert certificate["exploitability"].value == certificate["nash_conv"].value / n
    base = expected(game, rows)
    np.testing.assert_allclose(
        [certificate[f"value_{p}"].value for p in range(n)], base, atol=1e-12
    )
    np.testing.assert_allclose(values(tree, behaviour), base, atol=1e-12)
    for seat in range(n):
        found = best_response(tree, behaviour, seat)
        best = max(expected(game, {**rows, **p})[seat] for p in pure_policies(game, seat))
        assert found.value == pytest.approx(best, abs=1e-10)
        choice = {
            (seat, tree.keys[i]): np.eye(tree.info_actions[i])[found.choice[i] - tree.info_first[i]]
            for i in range(tree.seat_infoset[seat], tree.seat_infoset[seat + 1])
        }
        assert expected(game, {**rows, **choice})[seat] == pytest.approx(best, abs=1e-10)


def test_constant_sums_are_shifted_and_back() -> None:
    pay = {(a, b): Node(payoffs=[v, 10 - v]) for (a, b), v in
           {(0, 0): 7.0, (0, 1): 2.0, (1, 0): 1.0, (1, 1): 6.0}.items()}  # fmt: skip
    root = Node(movers=[0, 1], keys={0: "x", 1: "y"}, counts={0: 2, 1: 2}, children=pay)
    tree = compiled(toy_game(root, 2, payoff="constant_sum"))
    assert tree.constant_sum == 10.0
    certificate = certify(tree, tree.uniform())
    assert certificate["value_0"].value == 4.0 and certificate["value_1"].value == 6.0
    lower, upper = certificate["game_value_lower"], certificate["game_value_upper"]
    assert (lower.kind, upper.kind) == ("lower", "upper")
    assert lower.value <= 4.0 <= upper.value  # the value is 4: (1/2, 1/2) against (2/5, 3/5)
    assert certificate["regret_0"].value == pytest.approx(0.5)
    assert certificate["regret_1"].value == pytest.approx(0.0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), temperature=st.floats(0.05, 5.0))
def test_the_qre_gap_bounds_below_and_vanishes_only_there(seed: int, temperature: float) -> None:
    game = random_game(seed, zero_sum=True, depth=3)
    tree = compiled(game)
    behaviour, _ = draw_policy(game, tree, seed)
    gap = certify_qre(tree, behaviour, temperature=temperature)["qre_gap"].value
    # Soft values exceed hard ones by at most T·Σ log(actions), so NashConv is bounded.
    slack = temperature * float(np.log(tree.info_actions).sum())
    assert gap >= 0.0
    assert certify(tree, behaviour)["nash_conv"].value <= gap + slack + 1e-9


def test_the_qre_of_matching_pennies_with_unequal_stakes() -> None:
    # One-shot game: the logit fixed point p = σ(Δ/T) is found here by bisection.
    table = {(0, 0): 3.0, (0, 1): 0.0, (1, 0): 0.0, (1, 1): 1.0}
    pay = {joint: Node(payoffs=[v, -v]) for joint, v in table.items()}
    root = Node(movers=[0, 1], keys={0: "x", 1: "y"}, counts={0: 2, 1: 2}, children=pay)
    tree = compiled(toy_game(root, 2, payoff="zero_sum"))
    sigma = lambda x: 1.0 / (1.0 + np.exp(-x))  # noqa: E731 - a formula
    low, high = 0.0, 1.0
    for _ in range(200):
        p = (low + high) / 2
        q = sigma((1.0 - p - 3.0 * p) / 0.3)
        low, high = (p, high) if sigma((4.0 * q - 1.0) / 0.3) > p else (low, p)
    behaviour = np.array([1.0, p, 1 - p, 1.0, q, 1 - q])
    assert certify_qre(tree, behaviour, temperature=0.3)["qre_gap"].value < 1e-14
    assert certify_qre(tree, tree.uniform(), temperature=0.3)["qre_gap"].value > 1e-2


def test_refusals() -> None:
    twice = Node(movers=[0], keys={0: "x"}, counts={0: 2}, children={
        (0,): Node(payoffs=[0.0]),
        (1,): Node(movers=[0], keys={0: "x"}, counts={0: 2}, children={
            (0,): Node(payoffs=[4.0]), (1,): Node(payoffs=[1.0])})})  # fmt: skip
    tree = compiled(toy_game(twice, 1))
    # Aumann, Hart and Perry 1997: the absent-minded driver, at his best p = 2/3 of going on.
    policy = np.array([1.0, 1 / 3, 2 / 3])
    certificate = certify(tree, policy)
    assert set(certificate) == {"value_0"}
    assert certificate["value_0"].value == pytest.approx(4 * (2 / 9) + 4 / 9)
    with pytest.raises(NotApplicableError, match="imperfect recall"):
        best_response(tree, policy, 0)
    kuhn = compiled(arena.make("kuhn_poker"))
    with pytest.raises(ParameterError, match="seat = 2"):
        best_response(kuhn, kuhn.uniform(), 2)
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(ParameterError, match="temperature"):
            certify_qre(kuhn, kuhn.uniform(), temperature=bad)
    with pytest.raises(ParameterError, match="infoset '0'"):
        certify(kuhn, np.full(kuhn.n_sequences, np.nan))
