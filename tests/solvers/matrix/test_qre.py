from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from arena.errors import ParameterError
from arena.testing import check_solver
from games.normal_form import NormalForm, as_game
from solvers.matrix.certificates import certify_profile, certify_qre
from solvers.matrix.qre import logit_branch, logit_qre

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "perturbed_rps_qre.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("shape", [(2, 2), (3, 5), (20, 20), (3, 3, 3), (2, 3, 2, 3)])
def test_every_point_of_the_branch_is_a_quantal_response_equilibrium(shape) -> None:
    payoffs = np.random.default_rng(0).random((len(shape), *shape))
    form = NormalForm(payoffs)
    branch = logit_branch(form, precision=50.0)
    np.testing.assert_allclose(branch.precision[-1], 50.0, rtol=1e-12)
    np.testing.assert_allclose(branch.profiles[0], np.repeat(1 / np.array(shape), shape))
    for point in range(1, len(branch.precision)):
        temperature = 1.0 / branch.precision[point]
        found = certify_qre(form, branch.profile(point), temperature=temperature)
        assert found["qre_residual"].value <= 1e-13
    # One branch: neighbours are near.
    assert np.abs(np.diff(branch.profiles, axis=0)).max() < 0.5


@pytest.mark.parametrize("shape", [(2, 3), (6, 6), (3, 2, 3)])
def test_the_branch_is_gambits(shape) -> None:
    pygambit = pytest.importorskip("pygambit")
    payoffs = np.random.default_rng(7).random((len(shape), *shape))
    game = pygambit.StrategicGame.from_arrays(*payoffs)
    for precision in (1.0, 10.0, 30.0):
        peer = pygambit.qre.logit_solve_lambda(game, [precision])[0].profile
        expected = [p for mix in peer for _, p in mix]
        found = logit_branch(NormalForm(payoffs), precision=precision).profiles[-1]
        np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize("temperature", GOLDEN["both_seats_by_temperature"])
def test_published_equilibria_of_perturbed_rock_paper_scissors(temperature: str) -> None:
    raw = np.array(GOLDEN["payoffs_before_scaling_to_0_1"], dtype=float)
    a = (raw - raw.min()) / np.ptp(raw)
    solution = logit_qre().solve(
        as_game(NormalForm(np.array([a, -a])), id="rps"), temperature=float(temperature)
    )
    expected = np.array(GOLDEN["both_seats_by_temperature"][temperature])
    for seat in (0, 1):
        np.testing.assert_allclose(solution.policy.table[seat], expected, atol=1e-8)
    assert solution.certificate["qre_residual"].value <= 1e-13


def test_the_branch_of_matching_pennies_with_a_bonus_is_the_closed_form() -> None:
    # One seat's choice alone: π(a) ∝ e^(λ u(a)).
    form = NormalForm(np.array([[0.0, 1.0, 3.0]]))
    found = logit_branch(form, precision=2.0).profiles[-1]
    expected = np.exp(2.0 * np.array([0.0, 1.0, 3.0]))
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-14)


def test_without_a_temperature_the_branch_leads_to_nash() -> None:
    form = NormalForm(np.random.default_rng(5).random((3, 3, 2, 3)))
    game = as_game(form, id="random")
    solution = logit_qre().solve(game, until=1e-5)
    assert solution.status == "converged"
    assert solution.certificate["exploitability"].value <= 1e-5
    branch = logit_branch(form)
    assert certify_profile(form, branch.profile())["nash_conv"].value < 1e-5
    assert len(solution.state["branch"]) == len(solution.state["branch_precision"])


def test_the_walk_can_be_resumed() -> None:
    form = NormalForm(np.random.default_rng(2).random((2, 5, 5)))
    game = as_game(form, id="random")
    whole = logit_qre().solve(game, temperature=0.02)
    part = logit_qre().solve(game, temperature=0.02, iterations=3)
    rest = logit_qre().solve(game, temperature=0.02, resume=part)
    np.testing.assert_allclose(rest.policy.table, whole.policy.table, atol=1e-12)


def test_contract_and_bad_temperatures() -> None:
    game = as_game(NormalForm(np.random.default_rng(0).random((2, 3, 2))), id="random")
    check_solver(logit_qre(), game, temperature=0.1)
    for bad in (-1.0, 0.0, float("nan"), "warm"):
        with pytest.raises(ParameterError, match="temperature"):
            logit_qre().solve(game, temperature=bad)


@pytest.mark.parametrize(("seed", "size"), [(0, 100), (1, 40), (2, 40), (3, 40)])
def test_large_games_stay_on_the_branch(seed: int, size: int) -> None:
    # Folds lie close together here: long steps would land on another branch.
    pygambit = pytest.importorskip("pygambit")
    payoffs = np.random.default_rng(seed).random((2, size, size))
    game = pygambit.StrategicGame.from_arrays(*payoffs)
    peer = pygambit.qre.logit_solve_lambda(game, [100.0])[0].profile
    found = logit_branch(NormalForm(payoffs), precision=100.0).profiles[-1]
    np.testing.assert_allclose(found, [p for mix in peer for _, p in mix], atol=1e-8)
