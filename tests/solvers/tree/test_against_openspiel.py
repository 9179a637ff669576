"""Where iterates part by rounding alone, and values of OpenSpiel's sequence-form program."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pyspiel
import pytest
from open_spiel.python.algorithms import sequence_form_lp

import arena
from games.adapters.openspiel import wrap
from games.tree import Tree, compile_state
from solvers.certificates import Evaluator
from solvers.evaluate import behaviour_of
from solvers.tree.cfr import CfrMethod, cfr_plus
from tests.reference.exact_cfr import ExactCfrPlus

GOOFSPIEL = {"num_cards": 5, "imp_info": True, "points_order": "descending"}


def turn_based(name: str, params: dict[str, Any]) -> tuple[Any, Any, Tree]:
    raw = pyspiel.load_game(name, params)
    if raw.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        raw = pyspiel.convert_to_turn_based(raw)
    game = wrap(raw, id=f"openspiel/{name}", rebuildable=False)
    return raw, game, compile_state(game, game.root())


def test_iterates_of_goofspiel_part_only_where_exact_regrets_are_all_zero() -> None:
    """In Goofspiel with 5 cards regrets cancel to zero; rounding then decides who is played.

    After the first update of seat 0 its policy must be OpenSpiel's and the exact one, except
    at infosets where every exact regret is zero. There both floating-point sides may hold
    anything: all that they have left to normalise is rounding of the order of 1e-17. From
    then on the runs differ, and only what they are worth can be compared.
    """
    raw, game, tree = turn_based("goofspiel", GOOFSPIEL)
    theirs, ours, exact = (
        pyspiel.CFRPlusSolver(raw),
        CfrMethod(tree, cfr_plus().defaults, None),
        (ExactCfrPlus(tree)),
    )
    theirs.evaluate_and_update_policy()
    ours.advance(1)
    exact.step()
    average = behaviour_of(tree, game, theirs.average_policy())
    np.testing.assert_allclose(ours.behaviour(), average, atol=1e-12)
    mine = tree.checked(ours.arrays()["policy"])
    peer = behaviour_of(tree, game, theirs.current_policy())
    true = exact.floats()
    regret = ours.arrays()["regret"]
    parted = tied = 0
    for i in range(int(tree.seat_infoset[1])):
        part = slice(tree.info_first[i], tree.info_first[i] + tree.info_actions[i])
        if any(exact.regret[part]):
            np.testing.assert_allclose(mine[part], true[part], atol=1e-10)
            np.testing.assert_allclose(peer[part], true[part], atol=1e-10)
            continue
        tied += 1
        assert np.abs(regret[part]).max() < 1e-15
        parted += bool(np.abs(mine[part] - peer[part]).max() > 1e-10)
    assert 0 < parted <= tied
    # What the two runs are worth, from their averages.
    evaluator = Evaluator(tree)
    for iterations in (19, 20):
        for _ in range(iterations):
            theirs.evaluate_and_update_policy()
        ours.advance(iterations)
        gaps = [
            evaluator.nash_conv(policy)
            for policy in (
                ours.behaviour(),
                behaviour_of(tree, game, theirs.average_policy()),
            )
        ]
        assert 0.8 < gaps[0] / gaps[1] < 1.25


@pytest.mark.parametrize(
    ("name", "params", "published"),
    [
        ("kuhn_poker", {}, -1 / 18),  # Kuhn 1950
        ("leduc_poker", {}, -0.0856064241),  # Lanctot et al. 2019
        ("liars_dice", {"dice_sides": 3}, None),
        ("liars_dice", {"dice_sides": 4}, 0.0625),
        ("goofspiel", {"num_cards": 3, "imp_info": True, "points_order": "descending"}, 0.0),
        ("goofspiel", {"num_cards": 4, "imp_info": True, "points_order": "descending"}, 0.0),
        ("matrix_rps", {}, 0.0),
        ("blotto", {"coins": 4, "fields": 2}, 0.0),
        ("leduc_poker", {"suit_isomorphism": True}, -0.0856064241),
        ("oshi_zumo", {"coins": 3, "size": 1, "horizon": 3}, 0.0),
        ("dark_hex", {"num_rows": 2, "num_cols": 2}, None),
        (
            "battleship",
            {"board_width": 2, "board_height": 2, "num_shots": 1, "ship_sizes": "[1]",
             "ship_values": "[1]"},
            None,
        ),
    ],
)  # fmt: skip
def test_values_of_the_linear_program_equal_openspiels(
    name: str, params: dict[str, Any], published: float | None
) -> None:
    raw, game, _ = turn_based(name, params)
    solution = arena.solve(game, "sequence_form_lp", cache=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value, *_ = sequence_form_lp.solve_zero_sum_game(raw)
    assert solution.certificate["nash_conv"].value < 1e-9
    assert solution.certificate["value_0"].value == pytest.approx(value, abs=1e-6)
    if published is not None:
        assert solution.certificate["value_0"].value == pytest.approx(published, abs=1e-9)
