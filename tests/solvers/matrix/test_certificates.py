from __future__ import annotations

import numpy as np
import pyspiel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.errors import ParameterError
from games.normal_form import NormalForm
from solvers.matrix.certificates import (
    action_values,
    certify_joint,
    certify_profile,
    certify_qre,
)
from solvers.matrix.correlated import correlated_equilibrium
from tests.reference import matrix as naive


def random_form(seed: int, shape: tuple[int, ...]) -> NormalForm:
    return NormalForm(np.random.default_rng(seed).normal(size=(len(shape), *shape)))


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), SHAPES)
def test_values_and_gaps_equal_their_definitions(seed: int, shape: tuple[int, ...]) -> None:
    form = random_form(seed, shape)
    rng = np.random.default_rng(seed + 1)
    profile = [rng.dirichlet(np.ones(a)) for a in shape]
    worth = naive.action_values(form.payoffs, profile)
    for seat in range(len(shape)):
        np.testing.assert_allclose(action_values(form, profile, seat), worth[seat], atol=1e-12)
    regret = sum(w.max() - w @ row for w, row in zip(worth, profile, strict=True))
    found = certify_profile(form, profile)
    assert found["nash_conv"].value == pytest.approx(regret, abs=1e-12)
    sigma = rng.dirichlet(np.ones(int(np.prod(shape)))).reshape(shape)
    coarse, swap = naive.joint_gaps(form.payoffs, sigma)
    gaps = certify_joint(form, sigma)
    assert gaps["cce_gap"].value == pytest.approx(coarse, abs=1e-12)
    assert gaps["ce_gap"].value == pytest.approx(swap, abs=1e-12)


SHAPES_OF_SEATS = {2: [(2, 3), (4, 4), (3, 5)], 3: [(2, 3, 2), (3, 3, 3)], 4: [(2, 2, 3, 2)]}


@pytest.mark.parametrize("seats", [2, 3, 4])
def test_cce_and_ce_gaps_equal_openspiels(seats: int) -> None:
    # 54 games in all; half of the distributions are an equilibrium moved a little.
    for seed in range(18):
        rng = np.random.default_rng([seats, seed])
        shape = SHAPES_OF_SEATS[seats][seed % len(SHAPES_OF_SEATS[seats])]
        form = random_form(1000 * seats + seed, shape)
        utilities = [pay.ravel().tolist() for pay in form.payoffs]
        game = pyspiel.create_tensor_game(utilities, list(shape))
        game = pyspiel.convert_to_turn_based(game)
        sigma = rng.dirichlet(np.ones(int(np.prod(shape)))).reshape(shape)
        if seed % 2:
            sigma = 0.9 * correlated_equilibrium(form, coarse=seed % 4 == 1) + 0.1 * sigma
        device = [(float(sigma[joint]), _pure(game, joint)) for joint in np.ndindex(*shape)]
        gaps = certify_joint(form, sigma)
        coarse = pyspiel.cce_dist(game, device).dist_value
        assert gaps["cce_gap"].value == pytest.approx(coarse, abs=1e-10)
        swap = pyspiel.ce_dist(game, device).dist_value
        assert gaps["ce_gap"].value == pytest.approx(swap, abs=1e-10)


def _pure(game, joint) -> pyspiel.TabularPolicy:
    policies = {}
    state = game.new_initial_state()
    for action in joint:
        legal = state.legal_actions()
        policies[state.information_state_string()] = [(a, float(a == action)) for a in legal]
        state.apply_action(int(action))
    return pyspiel.TabularPolicy(policies)


def test_equilibria_satisfy_the_constraints_of_openspiels_solvers() -> None:
    jpsro = pytest.importorskip("open_spiel.python.algorithms.jpsro")
    for seed in range(12):
        shape = [(4, 5), (3, 3, 3), (2, 3, 2, 2)][seed % 3]
        form = random_form(seed, shape)
        for coarse in (True, False):
            rows = (jpsro._cce_constraints if coarse else jpsro._ace_constraints)(
                form.payoffs, [0.0] * len(shape), remove_null=False
            )[0]
            sigma = correlated_equilibrium(form, coarse=coarse)
            assert float((rows @ sigma.ravel()).max()) <= 1e-12


def test_the_quantal_response_to_itself_has_no_gap() -> None:
    # Zero payoffs: the response is the magnet.
    form = NormalForm(np.zeros((2, 2, 3)))
    magnet = [np.array([0.3, 0.7]), np.array([0.2, 0.2, 0.6])]
    found = certify_qre(form, magnet, temperature=0.7, magnet=magnet)
    assert found["qre_gap"].value < 1e-15
    assert found["qre_residual"].value < 1e-15
    uniform = [np.full(2, 0.5), np.full(3, 1 / 3)]
    expected = 0.7 * sum(float(u @ np.log(u / rho)) for u, rho in zip(uniform, magnet, strict=True))
    found = certify_qre(form, uniform, temperature=0.7, magnet=magnet)
    assert found["qre_gap"].value == pytest.approx(expected, rel=1e-12)


def test_what_is_no_distribution_is_named() -> None:
    form = random_form(0, (2, 2))
    with pytest.raises(ParameterError, match="strategy of seat 1"):
        certify_profile(form, [[0.5, 0.5], [0.5, 0.6]])
    with pytest.raises(ParameterError, match="strategy of seat 0"):
        certify_profile(form, [[np.nan, 0.5], [0.5, 0.5]])
    with pytest.raises(ParameterError, match="temperature = -1"):
        certify_qre(form, [[0.5, 0.5], [0.5, 0.5]], temperature=-1.0)
    with pytest.raises(ParameterError, match="joint"):
        certify_joint(form, np.full((2, 2), 0.3))
