from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.errors import NotApplicableError, ParameterError
from arena.testing import check_solver
from games.normal_form import NormalForm, as_game
from solvers.matrix import _regret_kernels as kernels
from solvers.matrix.regret import (
    RegretMatching,
    exrm_plus,
    fictitious_play,
    prm_plus,
    replicator,
    rm,
    rm_plus,
    sprm_plus,
)
from tests.reference import matrix as naive

ALL = (rm, rm_plus, prm_plus, exrm_plus, sprm_plus)
# Cai et al. 2023, section 3: on this game last iterates of RM+ and PRM+ cycle.
CYCLING = np.array([[3.0, 0.0, -3.0], [0.0, 3.0, -4.0], [0.0, 0.0, 1.0]])


def zero_sum(a):
    return as_game(NormalForm(np.array([a, -np.asarray(a)])), id="zero_sum")


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10**6),
    st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    st.sampled_from(["rm", "rm+", "prm+", "exrm+", "sprm+"]),
    st.booleans(),
)
def test_kernels_play_as_their_naive_twins(seed, shape, kind, alternating) -> None:
    payoffs = np.random.default_rng(seed).normal(size=(len(shape), *shape))
    chosen = {"alternating": alternating, "averaging": 1.0, "answer": "average", "step": 0.05}
    method = RegretMatching(NormalForm(payoffs), kind, chosen)
    method.advance(5)
    method.advance(7)
    last, total = naive.match_regrets(payoffs, kind, alternating, 1.0, 0.05, 12)
    arrays = method.arrays()
    np.testing.assert_allclose(arrays["policy"], np.concatenate(last), atol=1e-9)
    np.testing.assert_allclose(arrays["total"], np.concatenate(total), atol=1e-7)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.floats(0, 0.1))
def test_projection_onto_the_simplex_is_the_nearest_point(values, floor) -> None:
    v = np.array(values)
    out = v.copy()
    kernels.project_simplex(out, 0, len(out), floor)
    expected = naive.onto_simplex(v - floor, 1.0 - floor * len(v)) + floor
    np.testing.assert_allclose(out, expected, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple))
def test_worths_and_joint_play_equal_their_sums(seed, shape) -> None:
    rng = np.random.default_rng(seed)
    payoffs = rng.normal(size=(len(shape), *shape))
    profile = [rng.dirichlet(np.ones(a)) for a in shape]
    cut = np.concatenate([[0], np.cumsum(shape)]).astype(np.int64)
    out = np.zeros(cut[-1])
    kernels.worths(payoffs.reshape(len(shape), -1), cut, np.concatenate(profile), -1, out)
    expected = np.concatenate(naive.action_values(payoffs, profile))
    np.testing.assert_allclose(out, expected, atol=1e-12)
    joint = np.zeros(int(np.prod(shape)))
    kernels.add_joint(cut, np.concatenate(profile), 2.0, joint)
    product = np.ones(())
    for row in profile:
        product = np.multiply.outer(product, row)
    np.testing.assert_allclose(joint, 2.0 * product.ravel(), atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_the_stationary_distribution_stays(seed, size) -> None:
    rng = np.random.default_rng(seed)
    chain = rng.dirichlet(np.ones(size), size=size)
    out = np.empty(size)
    kernels._stationary(chain.copy(), size, out)
    np.testing.assert_allclose(out @ chain, out, atol=1e-12)
    assert out.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("make", [exrm_plus, sprm_plus])
def test_smooth_last_iterates_converge_where_others_cycle(make) -> None:
    game = zero_sum(CYCLING)
    assert make().solve(game, step=0.05, iterations=10_000).certificate["nash_conv"].value < 3e-15
    assert make().solve(game, iterations=20_000).certificate["nash_conv"].value < 1e-14


@pytest.mark.parametrize(("make", "alternating"), [(rm_plus, True), (rm_plus, False)])
def test_last_iterates_of_regret_matching_plus_cycle(make, alternating) -> None:
    found = make().solve(
        zero_sum(CYCLING), alternating=alternating, answer="last", iterations=100_000
    )
    assert 0.2 < found.certificate["nash_conv"].value < 1.0


@pytest.mark.parametrize("make", [rm, rm_plus, prm_plus])
def test_averages_converge(make) -> None:
    found = make().solve(zero_sum(CYCLING), iterations=10_000)
    assert found.certificate["exploitability"].value < 0.02


def test_fictitious_play_counts_best_responses() -> None:
    a = np.random.default_rng(0).normal(size=(4, 5))
    counts = [np.zeros(4), np.zeros(5)]
    mean = [np.full(4, 0.25), np.full(5, 0.2)]
    for _ in range(200):
        best = [int((a @ mean[1]).argmax()), int((-a.T @ mean[0]).argmax())]
        for seat in (0, 1):
            counts[seat][best[seat]] += 1
            mean[seat] = counts[seat] / counts[seat].sum()
    found = fictitious_play().solve(zero_sum(a), alternating=False, iterations=200)
    np.testing.assert_allclose(found.policy.table[0, :4], mean[0], atol=1e-12)
    np.testing.assert_allclose(found.policy.table[1, :5], mean[1], atol=1e-12)


def test_replicator_is_openspiels() -> None:
    pytest.importorskip("open_spiel")
    from open_spiel.python.algorithms import projected_replicator_dynamics as peer

    payoffs = np.random.default_rng(0).random((2, 3, 3))
    expected = peer.projected_replicator_dynamics(
        list(payoffs),
        prd_iterations=500,
        prd_dt=1e-2,
        prd_gamma=1e-6,
        average_over_last_n_strategies=500,
    )
    found = replicator().solve(
        as_game(NormalForm(payoffs), id="random"), step=1e-2, exploration=1e-6, iterations=500
    )
    np.testing.assert_allclose(found.policy.table, expected, atol=2e-4)


@pytest.mark.parametrize("make", [*ALL, fictitious_play, replicator])
def test_contract_resume_and_bad_settings(make) -> None:
    game = zero_sum(np.random.default_rng(1).normal(size=(3, 4)))
    check_solver(make(), game, iterations=30)
    whole = make().solve(game, iterations=50)
    part = make().solve(game, iterations=20)
    rest = make().solve(game, iterations=50, resume=part)
    np.testing.assert_allclose(rest.policy.table, whole.policy.table, atol=1e-13)
    with pytest.raises(ParameterError, match="iterations = 0"):
        make().solve(game, iterations=0)


def test_smooth_solvers_ask_for_zero_sum() -> None:
    general = as_game(NormalForm(np.random.default_rng(0).random((2, 3, 3))), id="general")
    with pytest.raises(NotApplicableError, match=r"not zero-sum.*prm\+"):
        sprm_plus().solve(general)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10**6),
    st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    st.booleans(),
)
def test_joint_play_is_that_of_the_naive_twins(seed, shape, swap) -> None:
    payoffs = np.random.default_rng(seed).normal(size=(len(shape), *shape))
    cut = np.concatenate([[0], np.cumsum(shape)]).astype(np.int64)
    flat = payoffs.reshape(len(shape), -1)
    size = sum(a * a for a in shape) if swap else int(cut[-1])
    regret, ahead = np.zeros(size), np.zeros(size)
    policy, joint = np.zeros(int(cut[-1])), np.zeros(flat.shape[1])
    play = kernels.swap_play if swap else kernels.coarse_play
    play(flat, cut, 0, 4, regret, ahead, policy, joint)
    play(flat, cut, 4, 3, regret, ahead, policy, joint)
    expected = (naive.swap_play if swap else naive.coarse_play)(payoffs, 7)
    np.testing.assert_allclose(joint, expected.ravel(), atol=1e-7)
