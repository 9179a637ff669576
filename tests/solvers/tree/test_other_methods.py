"""Mirror descent, linear program, fictitious play, sampling, and the automatic choice."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pyspiel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_spiel.python.algorithms import fictitious_play, mmd_dilated

import arena
from arena.errors import NotApplicableError, ParameterError
from arena.registry import SOLVERS
from games.tree import compile_state, tree_of
from solvers.certificates import Evaluator, certify, certify_qre
from solvers.evaluate import behaviour_of
from solvers.tree import mccfr as sampling
from solvers.tree import mmd as mirror
from solvers.tree.fictitious_play import FictitiousPlay
from solvers.tree.mmd_nash import greatest_entropy
from solvers.tree.sequence_form import SequenceFormLp
from tests.reference.trees import Node, random_game, toy_game


@pytest.mark.parametrize(
    ("name", "iterations", "alpha"),
    [("kuhn_poker", 25, 0.1), ("kuhn_poker", 25, 1.0), ("leduc_poker", 2, 0.1)],
)
def test_mirror_descent_equals_openspiels(name: str, iterations: int, alpha: float) -> None:
    raw = pyspiel.load_game(name)
    game = arena.make(name)
    tree = tree_of(game)
    theirs = mmd_dilated.MMDDilatedEnt(raw, alpha)
    ours = mirror.MmdMethod(tree, temperature=alpha)
    assert ours.eta == pytest.approx(theirs.stepsize, rel=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy complains about their 0-d arrays
        for _ in range(iterations):
            theirs.update_sequences()
            ours.advance(1)
        policy = behaviour_of(tree, game, theirs.get_policies())
        np.testing.assert_allclose(ours.behaviour(), policy, atol=1e-10)
        gap = certify_qre(tree, ours.behaviour(), temperature=alpha)["qre_gap"].value
        assert gap == pytest.approx(float(theirs.get_gap()), abs=1e-10)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), temperature=st.floats(0.3, 3.0), alternating=st.booleans())
def test_mirror_descent_finds_the_qre_of_random_games(
    seed: int, temperature: float, alternating: bool
) -> None:
    game = random_game(seed, zero_sum=True, depth=3, ties=False)
    found = arena.solve(
        game, "mmd", temperature=temperature, alternating=alternating, until=1e-9, iterations=20_000
    )
    assert found.status == "converged" and found.certificate["qre_gap"].value <= 1e-9


def test_mirror_descent_converges_linearly_to_the_qre() -> None:
    solution = arena.solve("leduc_poker", "mmd", temperature=0.1, iterations=60)
    gaps = {point.iteration: point.gap for point in solution.trace}
    assert gaps[10] > 1e-5 and gaps[60] < 1e-12
    assert solution.certificate["qre_gap"].value < 1e-12
    assert solution.certificate["exploitability"].value > 1e-3  # a QRE is no Nash equilibrium


@pytest.mark.parametrize(
    ("name", "params", "iterations", "gap"),
    [
        ("kuhn_poker", {}, 1000, 1e-12),
        ("liars_dice", {"dice_sides": 4}, 1000, 1e-9),
        ("goofspiel", {"num_cards": 4, "imp_info": True, "points_order": "descending"}, 1000, 1e-6),
        ("leduc_poker", {}, 20_000, 1e-4),
    ],
)
def test_a_moving_magnet_reaches_nash(
    name: str, params: dict[str, Any], iterations: int, gap: float
) -> None:
    solution = arena.solve(arena.make(name, **params), "mmd_nash", iterations=iterations)
    assert solution.certificate["exploitability"].value < gap
    gaps = [point.gap for point in solution.trace]
    assert gaps == sorted(gaps, reverse=True)  # it answers with the best it has seen


def test_a_magnet_refreshed_at_one_temperature_converges_by_its_last_iterate() -> None:
    solution = arena.solve("kuhn_poker", "mmd_nash", refresh=20, iterations=1000)
    assert solution.certificate["exploitability"].value < 1e-9


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_moving_magnet_solves_random_games(seed: int) -> None:
    found = arena.solve(random_game(seed, zero_sum=True), "mmd_nash", until=1e-4, iterations=50_000)
    assert found.status == "converged"


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_greatest_entropy_is_that_of_the_soft_best_response_to_nothing(seed: int) -> None:
    """With all payoffs 0 the soft value at temperature 1 is the greatest dilated entropy."""
    tree = compile_state(game := random_game(seed, zero_sum=True, depth=3), game.root())
    flat = dataclasses.replace(tree, payoffs=np.zeros_like(tree.payoffs))
    uniform = flat.uniform()
    plan = np.ones(flat.n_sequences)
    for i in range(flat.n_infosets):
        part = slice(flat.info_first[i], flat.info_first[i] + flat.info_actions[i])
        plan[part] = plan[flat.info_parent[i]] * uniform[part]
    entropy = -float((plan * np.log(uniform)).sum())
    gap = certify_qre(flat, uniform, temperature=1.0)["qre_gap"].value
    assert greatest_entropy(flat) == pytest.approx(entropy + gap, abs=1e-9)


@pytest.mark.parametrize("solver", ["mmd", "mmd_nash", "xfp", "mccfr_external", "mccfr_outcome"])
def test_resuming_is_as_if_never_stopped(solver: str, tmp_path: Any) -> None:
    game = arena.make("kuhn_poker")
    whole = arena.solve(game, solver, iterations=60, seed=5)
    half = arena.solve(game, solver, iterations=25, seed=5)
    half.save(tmp_path / "half.npz")
    rest = arena.solve(
        game, solver, iterations=60, seed=5, resume=type(half).load(tmp_path / "half.npz")
    )
    np.testing.assert_allclose(whole.policy.table, rest.policy.table, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "params", "value"),
    [
        ("kuhn_poker", {}, -1 / 18),  # Kuhn 1950
        ("leduc_poker", {}, -0.0856064241),  # Lanctot et al. 2019 and many others
        ("liars_dice", {"dice_sides": 4}, 0.0625),
        ("goofspiel", {"num_cards": 4, "imp_info": True, "points_order": "descending"}, 0.0),
        ("openspiel/matrix_rps", {}, 0.0),
    ],
)
def test_the_linear_program_finds_known_values(
    name: str, params: dict[str, Any], value: float
) -> None:
    solution = arena.solve(arena.make(name, **params), "sequence_form_lp")
    assert solution.status == "converged"
    assert solution.certificate["value_0"].value == pytest.approx(value, abs=1e-9)
    assert solution.certificate["nash_conv"].value < 1e-9


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_linear_program_solves_random_games(seed: int) -> None:
    game = random_game(seed, zero_sum=True)
    tree = compile_state(game, game.root())
    for algorithm in ("choose", "simplex", "ipm"):
        method = SequenceFormLp(tree, algorithm)
        assert method.advance(1) == 1 and method.advance(1) == 0
        assert certify(tree, method.behaviour())["nash_conv"].value < 1e-7


def test_constant_sum_games_are_solved_too() -> None:
    pay = {(a, b): Node(payoffs=[v, 10 - v]) for (a, b), v in
           {(0, 0): 7.0, (0, 1): 2.0, (1, 0): 1.0, (1, 1): 6.0}.items()}  # fmt: skip
    root = Node(movers=[0, 1], keys={0: "x", 1: "y"}, counts={0: 2, 1: 2}, children=pay)
    game = toy_game(root, 2, payoff="constant_sum")
    for solver, gap in [("sequence_form_lp", 1e-9), ("pcfr+", 1e-4), ("auto", 1e-9)]:
        solution = arena.solve(game, solver)
        assert solution.certificate["value_0"].value == pytest.approx(4.0, abs=1e-3)
        assert solution.certificate["value_1"].value == pytest.approx(6.0, abs=1e-3)
        assert solution.certificate["nash_conv"].value < gap


@pytest.mark.parametrize(("name", "params"), [("kuhn_poker", {}), ("kuhn_poker", {"players": 3})])
def test_fictitious_play_follows_its_definition(name: str, params: dict[str, Any]) -> None:
    game = arena.make(name, **params)
    tree = tree_of(game)
    evaluator = Evaluator(tree)
    method = FictitiousPlay(tree)
    plan = method.arrays()["plan"]
    for t in range(1, 12):
        before = method.behaviour()
        method.advance(1)
        moved = method.arrays()["plan"]
        target = moved + (moved - plan) * t  # what the plan moved towards, by 1/(t + 1)
        both = evaluator.payoffs(before)
        for seat in range(tree.seats):
            response = tree.uniform()
            low, high = tree.seat_infoset[seat : seat + 2]
            for i in range(low, high):
                part = slice(tree.info_first[i], tree.info_first[i] + tree.info_actions[i])
                if target[part].sum() > 0.5:
                    response[part] = np.round(target[part])
            mixed = before.copy()
            own = slice(tree.seat_sequence[seat], tree.seat_sequence[seat + 1])
            mixed[own] = response[own]
            assert evaluator.payoffs(mixed)[seat, 0] == pytest.approx(both[seat, 1], abs=1e-12)
        plan = moved


def test_fictitious_play_is_as_good_as_openspiels() -> None:
    theirs = fictitious_play.XFPSolver(pyspiel.load_game("kuhn_poker"))
    for _ in range(100):
        theirs.iteration()
    game = arena.make("kuhn_poker")
    peer = arena.evaluate(game, theirs.average_policy())["nash_conv"].value
    ours = arena.solve(game, "xfp", iterations=100).certificate["nash_conv"].value
    assert ours < 2 * peer and ours < 0.1


@pytest.mark.parametrize(
    ("solver", "iterations", "gap"),
    [("mccfr_external", 20_000, 0.02), ("mccfr_outcome", 200_000, 0.02)],
)
def test_sampling_approaches_nash(solver: str, iterations: int, gap: float) -> None:
    for seed in range(3):
        found = arena.solve("kuhn_poker", solver, iterations=iterations, seed=seed)
        assert found.trace[-1].gap < gap
        assert found.trace[-1].gap < found.trace[0].gap / 10


def test_sampling_follows_its_seed() -> None:
    one, same, other = (
        arena.solve("kuhn_poker", "mccfr_external", iterations=50, seed=s).policy.table
        for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("explore", [None, 0.6])
def test_sampled_regrets_are_unbiased(explore: float | None) -> None:
    """One sampled sweep, averaged over seeds, is the first full sweep of CFR."""
    game = random_game(11, zero_sum=True, depth=4)
    tree = compile_state(game, game.root())
    from solvers.tree.cfr import CfrMethod, cfr

    exact = CfrMethod(tree, {**cfr().defaults, "alternating": False}, None)
    exact.advance(1)
    wanted = exact.arrays()["regret"]
    own = slice(0, tree.seat_sequence[1])  # the first walker's regrets, all from uniform play
    rounds = 20_000
    draws = np.empty((rounds, int(tree.seat_sequence[1])))
    for seed in range(rounds):
        method = sampling.MonteCarlo(tree, seed, explore)
        method.advance(1)
        draws[seed] = method.arrays()["regret"][own]
    error = np.abs(draws.mean(axis=0) - wanted[own])
    assert np.any(wanted[own] != 0.0)
    assert (error <= 5 * draws.std(axis=0) / rounds**0.5 + 1e-12).all()


def forgetful() -> Node:
    def last(a: float, b: float) -> Node:
        ends = {(0,): Node(payoffs=[a, -a]), (1,): Node(payoffs=[b, -b])}
        return Node(movers=[0], keys={0: "again"}, counts={0: 2}, children=ends)

    kids = {(0,): last(1, 2), (1,): last(3, 0)}
    return Node(movers=[0], keys={0: "start"}, counts={0: 2}, children=kids)


def test_imperfect_recall_is_refused_by_name_but_can_be_sampled() -> None:
    game = toy_game(forgetful(), 2, payoff="zero_sum")
    for solver in ("cfr+", "sequence_form_lp", "mmd", "xfp", "auto"):
        with pytest.raises(
            NotApplicableError, match=r"imperfect recall.*\[0\].*\[1\].*'again'.*mccfr"
        ):
            arena.solve(game, solver)
    solution = arena.solve(game, "mccfr_external", iterations=2000)
    assert set(solution.certificate) == {"value_0", "value_1"}
    assert solution.certificate["value_0"].value > 1.5
    with pytest.raises(ParameterError, match=r"until = 0\.1.*imperfect recall"):
        arena.solve(game, "mccfr_external", until=0.1)


def test_payoffs_that_do_not_add_up_are_shown() -> None:
    ends = {(0,): Node(payoffs=[1, -1]), (1,): Node(payoffs=[1, 1])}
    root = Node(movers=[0], keys={0: "x"}, counts={0: 2}, children=ends)
    liar = toy_game(root, 2, payoff="zero_sum")  # says so, and is not
    with pytest.raises(NotApplicableError, match=r"add up to 0 after \[0\] and to 2 after \[1\]"):
        arena.solve(liar, "sequence_form_lp")


TREE_SOLVERS = [n for n in arena.solvers() if (SOLVERS.info(n).tags or {}).get("form") == "tree"]


@pytest.mark.parametrize("solver", TREE_SOLVERS)
def test_a_game_without_a_decision_is_no_obstacle(solver: str) -> None:
    luck = Node(odds=[0.25, 0.75], children={(0,): Node(payoffs=[3.0, -3.0]),
                                             (1,): Node(payoffs=[-1.0, 1.0])})  # fmt: skip
    found = arena.solve(toy_game(luck, 2, payoff="zero_sum"), solver, iterations=2)
    assert found.certificate["value_0"].value == 0.0
    gap = "nash_conv" if "nash_conv" in found.certificate else SOLVERS.factory(solver)().gap
    assert found.certificate[gap].value == 0.0


def test_auto_is_exact_on_small_games_and_the_better_of_a_race_elsewhere() -> None:
    assert arena.solve("leduc_poker").certificate["nash_conv"].value < 1e-9
    race = arena.solve("leduc_poker", iterations=300).certificate["exploitability"].value
    for solver in ("pdcfr+", "dcfr"):
        alone = arena.solve("leduc_poker", solver, iterations=300)
        assert race <= alone.certificate["exploitability"].value + 1e-12
    three = arena.solve(arena.make("kuhn_poker", players=3), until=1e-3)
    assert three.status == "converged" and three.certificate["exploitability"].value <= 1e-3


def test_settings_are_checked() -> None:
    for solver, setting in [
        ("mmd", {"temperature": 0.0}),
        ("mmd", {"temperature": -1.0}),
        ("mmd", {"temperature": None}),
        ("mmd", {"step": 0.0}),
        ("mmd_nash", {"refresh": 0}),
        ("mmd_nash", {"shrink": 1.0}),
        ("mmd_nash", {"check": 0}),
        ("mmd_nash", {"step": -1.0}),
        ("mmd_nash", {"temperature": 0.1}),
        ("mccfr_outcome", {"explore": 0.0}),
        ("mccfr_outcome", {"explore": 1.5}),
        ("sequence_form_lp", {"algorithm": "magic"}),
    ]:
        with pytest.raises(ParameterError, match=next(iter(setting))):
            arena.solve("kuhn_poker", solver, **setting)
