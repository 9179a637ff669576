"""Regret minimisers: against OpenSpiel iterate by iterate, a recursion, and published rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyspiel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_spiel.python.algorithms import discounted_cfr

import arena
from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from arena.solver import TracePoint
from games.adapters.openspiel import wrap
from games.tree import Tree, compile_state
from solvers.certificates import certify
from solvers.evaluate import behaviour_of
from solvers.tree.cfr import (
    CfrMethod,
    TreeSolver,
    cfr,
    cfr_plus,
    dcfr,
    hs_dcfr,
    hs_pcfr_plus,
    lcfr,
    pcfr_plus,
    pdcfr_plus,
)
from tests.reference.trees import RecursiveCfr, random_game

TREES: list[tuple[str, dict[str, Any]]] = [
    ("kuhn_poker", {}),
    ("kuhn_poker", {"players": 3}),
    ("leduc_poker", {}),
    ("liars_dice", {"dice_sides": 3}),
    ("sheriff", {"num_rounds": 1, "max_items": 2, "max_bribe": 1}),
    ("goofspiel", {"num_cards": 3, "imp_info": True}),
]


def turn_based(name: str, params: dict[str, Any]) -> Any:
    raw = pyspiel.load_game(name, params)
    if raw.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        return pyspiel.convert_to_turn_based(raw)
    return raw


def start(tree: Tree, solver: TreeSolver, **settings: Any) -> CfrMethod:
    return CfrMethod(tree, {**solver.defaults, **settings}, None)


@pytest.mark.parametrize(("name", "params"), TREES)
@pytest.mark.parametrize("plus", [False, True])
def test_iterates_equal_openspiels(name: str, params: dict[str, Any], plus: bool) -> None:
    raw = turn_based(name, params)
    game = wrap(raw, id=f"openspiel/{name}", rebuildable=False)
    tree = compile_state(game, game.root())
    theirs = (pyspiel.CFRPlusSolver if plus else pyspiel.CFRSolver)(raw)
    ours = start(tree, cfr_plus() if plus else cfr())
    for _ in range(3):
        for _ in range(8):
            theirs.evaluate_and_update_policy()
        ours.advance(8)
        average = behaviour_of(tree, game, theirs.average_policy())
        current = behaviour_of(tree, game, theirs.current_policy())
        np.testing.assert_allclose(ours.behaviour(), average, atol=1e-10)
        np.testing.assert_allclose(tree.checked(ours.arrays()["policy"]), current, atol=1e-10)


@pytest.mark.parametrize("name", ["kuhn_poker", "matrix_rps"])
@pytest.mark.parametrize(
    ("make", "theirs"),
    [(dcfr, discounted_cfr.DCFRSolver), (lcfr, discounted_cfr.LCFRSolver)],
)
def test_discounted_iterates_equal_openspiels(name: str, make: Any, theirs: Any) -> None:
    raw = turn_based(name, {})
    game = wrap(raw, id=f"openspiel/{name}", rebuildable=False)
    tree = compile_state(game, game.root())
    solver, ours = theirs(raw), start(tree, make())
    for _ in range(30):
        solver.evaluate_and_update_policy()
    ours.advance(30)
    average = behaviour_of(tree, game, solver.average_policy())
    np.testing.assert_allclose(ours.behaviour(), average, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 3),
    zero_sum=st.booleans(),
    make=st.sampled_from([cfr, cfr_plus, dcfr, pcfr_plus, pdcfr_plus, hs_dcfr, hs_pcfr_plus]),
    alternating=st.booleans(),
)
def test_the_sweeps_equal_a_recursion(
    seed: int, n: int, zero_sum: bool, make: Any, alternating: bool
) -> None:
    # Regrets that are zero but for rounding give any policy at all, so payoffs do not tie.
    game = random_game(seed, n=n, zero_sum=zero_sum, ties=False)
    tree = compile_state(game, game.root())
    method = start(tree, make(), alternating=alternating, horizon=12)
    rates = method.rates(12)
    knobs = make().defaults
    naive = RecursiveCfr(
        game,
        lambda t: rates[t - 1].tolist(),
        floor=knobs["floor"],
        predictive=knobs["predictive"],
        alternating=alternating,
    )
    for block in (1, 4, 7):
        method.advance(block)
        for _ in range(block):
            naive.step()
        average = naive.average()
        found = method.behaviour()
        for i in range(tree.n_infosets):
            first = tree.info_first[i]
            np.testing.assert_allclose(
                found[first : first + tree.info_actions[i]],
                average[int(tree.info_seat[i]), tree.keys[i]],
                atol=1e-9,
            )


def test_blocks_do_not_matter() -> None:
    game = arena.make("kuhn_poker")
    tree = compile_state(game, game.root())
    for make in (pcfr_plus, hs_dcfr):
        one, many = start(tree, make()), start(tree, make())
        one.advance(100)
        for _ in range(100):
            many.advance(1)
        np.testing.assert_array_equal(one.behaviour(), many.behaviour())


PUBLISHED = {
    # Exploitability after 1000 iterations; each must be met within a factor of three.
    "kuhn_poker": {"cfr+": 9e-5, "dcfr": 1.5e-4, "pcfr+": 2e-8, "pdcfr+": 2e-13},
    "leduc_poker": {"cfr+": 2.5e-4, "dcfr": 1.6e-4, "pcfr+": 7e-4, "pdcfr+": 9e-4},
    "liars_dice(dice_sides=4)": {"cfr+": 4.5e-5, "dcfr": 2.6e-5, "pcfr+": 1.5e-6, "pdcfr+": 2e-10},
    "goofspiel": {"cfr+": 2.7e-4, "dcfr": 4e-4, "pcfr+": 1e-7, "pdcfr+": 5e-12},
}
SCHEDULED = {"kuhn_poker": 1e-14, "leduc_poker": 2e-3, "goofspiel": 1e-14}
PARAMS: dict[str, dict[str, Any]] = {
    "liars_dice(dice_sides=4)": {"dice_sides": 4},
    "goofspiel": {"num_cards": 4, "imp_info": True, "points_order": "descending"},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_known_exploitability_after_1000_iterations(name: str) -> None:
    game = arena.make(name.partition("(")[0], **PARAMS.get(name, {}))
    for solver, gap in PUBLISHED[name].items():
        found = arena.solve(game, solver, iterations=1000).certificate["exploitability"].value
        assert gap / 3 <= found <= 3 * gap, solver
    found = arena.solve(game, "hs_pcfr+", iterations=1000).certificate["exploitability"].value
    assert found <= SCHEDULED.get(name, 1e-14)


def test_general_sum_and_many_seats_have_vanishing_regret() -> None:
    for name, params in [("kuhn_poker", {"players": 3}), ("openspiel/matrix_sh", {})]:
        game = arena.make(name, **params)
        gaps = [
            arena.solve(game, "cfr+", iterations=t).certificate["nash_conv"].value
            for t in (10, 1000)
        ]
        assert gaps[1] < gaps[0] / 5 or gaps[1] == 0.0


def test_until_seconds_and_interruption_say_so() -> None:
    game = arena.make("kuhn_poker")
    done = arena.solve(game, "cfr+", until=1e-3)
    assert done.status == "converged" and done.trace[-1].gap <= 1e-3
    assert all(point.gap > 1e-3 for point in done.trace[:-1])
    assert arena.solve(game, "cfr+", iterations=7).trace[-1].iteration == 7
    late = arena.solve(arena.make("leduc_poker"), "cfr", until=0.0, seconds=0.05)
    assert late.status == "time limit"
    seen: list[TracePoint] = []

    def stop(point: TracePoint) -> None:
        seen.append(point)
        if point.iteration >= 5:
            raise KeyboardInterrupt

    early = arena.solve(game, "cfr", iterations=100, progress=stop)
    assert early.status == "interrupted" and early.trace[-1] == seen[-1]
    assert early.certificate["exploitability"].value == pytest.approx(seen[-1].gap)


@pytest.mark.parametrize("solver", ["cfr+", "hs_dcfr", "pdcfr+"])
def test_resuming_is_as_if_never_stopped(solver: str, tmp_path: Any) -> None:
    game = arena.make("kuhn_poker")
    knobs = {"horizon": 60} if solver == "hs_dcfr" else {}
    whole = arena.solve(game, solver, iterations=60, **knobs)
    half = arena.solve(game, solver, iterations=25, **knobs)
    half.save(tmp_path / "half.npz")
    rest = arena.solve(game, solver, iterations=60, resume=tmp_path / "half.npz", **knobs)
    np.testing.assert_array_equal(whole.policy.table, rest.policy.table)
    assert [p.iteration for p in rest.trace][: len(half.trace)] == [p.iteration for p in half.trace]


def test_settings_are_checked() -> None:
    game = arena.make("kuhn_poker")
    with pytest.raises(UnknownNameError, match="alternating"):
        arena.solve(game, "cfr", alternate=True)
    for setting in (
        {"alternating": 1},
        {"gamma": -1.0},
        {"gamma": float("nan")},
        {"weights": "cubic"},
        {"answer": "first"},
        {"alpha": "x"},
        {"horizon": 0},
        {"iterations": 0},
        {"iterations": 2.5},
        {"until": -1e-3},
        {"until": float("nan")},
        {"seconds": 0},
    ):
        with pytest.raises(ParameterError, match=next(iter(setting))):
            arena.solve(game, "cfr", **setting)
    kuhn = arena.solve(game, "cfr", iterations=3)
    with pytest.raises(ParameterError, match="resume"):
        arena.solve(game, "cfr+", iterations=5, resume=kuhn)
    with pytest.raises(ParameterError, match="gamma"):
        arena.solve(game, "cfr", iterations=5, resume=kuhn, gamma=1.0)
    with pytest.raises(ParameterError, match="resume"):
        arena.solve(arena.make("leduc_poker"), "cfr", iterations=5, resume=kuhn)


def test_what_does_not_apply_says_which_property_and_which_solvers_do() -> None:
    three = arena.make("kuhn_poker", players=3)
    with pytest.raises(
        NotApplicableError, match=r"has 3 seats, and mmd needs 2; .* apply: .*cfr\+"
    ):
        arena.solve(three, "mmd")
    with pytest.raises(NotApplicableError, match="general-sum, and sequence_form_lp needs zero"):
        arena.solve("openspiel/matrix_pd", "sequence_form_lp")
    with pytest.raises(NotApplicableError, match=r"too large: .* limit is 20,000,000 nodes"):
        arena.solve("openspiel/connect_four", "cfr")


def test_the_certificate_is_not_the_solvers_word() -> None:
    game = arena.make("leduc_poker")
    solution = arena.solve(game, "dcfr", iterations=50)
    tree = compile_state(game, game.root())
    again = certify(tree, solution.policy)
    assert again["nash_conv"].value == pytest.approx(
        solution.certificate["nash_conv"].value, abs=1e-12
    )
    assert solution.settings["gamma"] == 2.0 and solution.settings["iterations"] == 50
