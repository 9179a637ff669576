from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

import arena
from arena.errors import NotApplicableError, ParameterError
from arena.rng import derive
from arena.testing import check_solver
from games.normal_form import NormalForm, as_game
from solvers.matrix import _program, correlated
from solvers.matrix._gains import Gains
from solvers.matrix.certificates import certify_joint
from solvers.matrix.correlated import OBJECTIVES, cce, ce, correlated_equilibrium
from solvers.matrix.form import JointPolicy
from solvers.matrix.regret import no_regret_cce, no_regret_ce
from tests.reference import matrix as naive


def rows_of(payoffs: np.ndarray, coarse: bool) -> np.ndarray:
    """G, row by row, one joint action at a time."""
    actions = payoffs.shape[1:]
    rows = []
    for seat in range(len(actions)):
        for told in [None] if coarse else range(actions[seat]):
            for instead in range(actions[seat]):
                row = np.zeros(actions)
                for joint in np.ndindex(*actions):
                    if told is None or joint[seat] == told:
                        moved = list(joint)
                        moved[seat] = instead
                        row[joint] = payoffs[(seat, *moved)] - payoffs[(seat, *joint)]
                rows.append(row.ravel())
    return np.array(rows)


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), SHAPES, st.booleans(), st.booleans())
def test_linear_objectives_reach_the_optimum_of_the_whole_program(
    seed: int, shape: tuple[int, ...], coarse: bool, whole: bool
) -> None:
    rng = np.random.default_rng(seed)
    size = (len(shape), *shape)
    payoffs = rng.integers(-2, 3, size) * 1.0 if whole else rng.normal(size=size)
    form = NormalForm(payoffs)
    body = rows_of(payoffs, coarse)
    for objective, price in (("welfare", payoffs.sum(axis=0)), ("value", payoffs[0])):
        best = linprog(
            -price.ravel(),
            A_ub=body,
            b_ub=np.zeros(len(body)),
            A_eq=np.ones((1, price.size)),
            b_eq=[1.0],
        )
        sigma = correlated_equilibrium(form, coarse=coarse, objective=objective)
        assert float((price * sigma).sum()) == pytest.approx(-best.fun, abs=1e-7)
        gap = certify_joint(form, sigma)["cce_gap" if coarse else "ce_gap"].value
        assert gap <= 1e-8


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), SHAPES, st.booleans())
def test_gains_are_the_rows_of_the_definition(
    seed: int, shape: tuple[int, ...], coarse: bool
) -> None:
    rng = np.random.default_rng(seed)
    payoffs = rng.normal(size=(len(shape), *shape))
    gains = Gains(NormalForm(payoffs), coarse=coarse)
    per_seat = [a if coarse else a * a for a in shape]
    body = rows_of(payoffs, coarse) / np.repeat(gains.units, per_seat)[:, None]
    sigma, y = rng.random(gains.size), rng.random(gains.rows)
    np.testing.assert_allclose(gains.times(sigma), body @ sigma, atol=1e-12)
    np.testing.assert_allclose(gains.transposed(y), body.T @ y, atol=1e-12)
    rows, values = gains.columns(np.arange(gains.size))
    dense = np.zeros_like(body)
    dense[rows, np.arange(gains.size)[:, None]] = values
    np.testing.assert_allclose(dense, body, atol=1e-12)
    chosen = np.flatnonzero(rng.random(gains.rows) < 0.5)
    joint = rng.permutation(gains.size)[: 1 + gains.size // 2]
    each, place, entries = gains.block(chosen, joint)
    some = np.zeros((len(chosen), len(joint)))
    some[np.repeat(np.arange(len(chosen)), each), place] = entries
    np.testing.assert_allclose(some, body[np.ix_(chosen, joint)], atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), SHAPES, st.booleans(), st.integers(1, 3))
def test_joint_actions_are_removed_as_by_the_naive_twin(
    seed: int, shape: tuple[int, ...], coarse: bool, most: int
) -> None:
    payoffs = np.random.default_rng(seed).integers(0, most + 1, (len(shape), *shape)) * 1.0
    found = Gains(NormalForm(payoffs), coarse=coarse).playable()
    np.testing.assert_array_equal(found, naive.playable(rows_of(payoffs, coarse)))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), SHAPES, st.booleans())
def test_what_is_removed_is_played_in_no_equilibrium(seed, shape, coarse) -> None:
    payoffs = np.random.default_rng(seed).integers(0, 3, (len(shape), *shape)) * 1.0
    body = rows_of(payoffs, coarse)
    for joint in np.flatnonzero(~Gains(NormalForm(payoffs), coarse=coarse).playable()):
        price = np.zeros(body.shape[1])
        price[joint] = -1.0
        most = linprog(
            price, A_ub=body, b_ub=np.zeros(len(body)), A_eq=np.ones((1, price.size)), b_eq=[1.0]
        )
        assert most.fun == pytest.approx(0.0, abs=1e-9)


def tied(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> np.ndarray:
    """Payoffs that are hard on linear programs."""
    size = (len(shape), *shape)
    if kind == "integer":
        return rng.integers(-2, 3, size) * 1.0
    if kind == "tiny":
        return rng.normal(size=size) * 1e-9
    if kind == "huge":
        return rng.normal(size=size) * 1e9
    if kind == "far from zero":
        return 1e6 + rng.normal(size=size)
    if kind == "uneven seats":
        return rng.normal(size=size) * (10.0 ** (4 * np.arange(len(shape)))).reshape(
            -1, *[1] * len(shape)
        )
    if kind == "nearly tied":
        return rng.integers(0, 2, size) + 1e-7 * rng.normal(size=size)
    if kind == "nearly zero-sum":
        out = rng.normal(size=size)
        out[-1] = -out[:-1].sum(axis=0) + 1e-3 * rng.normal(size=shape)
        return out
    return rng.normal(size=size)


KINDS = [
    "random", "integer", "tiny", "huge", "far from zero", "uneven seats", "nearly tied",
    "nearly zero-sum",
]  # fmt: skip


@settings(deadline=None, max_examples=120)
@given(
    st.integers(0, 10**6),
    st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple),
    st.booleans(),
    st.sampled_from(KINDS),
    st.sampled_from(OBJECTIVES),
)
def test_every_answer_is_an_equilibrium_to_within_rounding(
    seed, shape, coarse, kind, objective
) -> None:
    payoffs = tied(np.random.default_rng(seed), shape, kind)
    form = NormalForm(payoffs)
    if objective == "sparse" and payoffs[0].size > 64:
        objective = "value"
    sigma = correlated_equilibrium(form, coarse=coarse, objective=objective)
    found = certify_joint(form, sigma)
    for seat, pay in enumerate(payoffs):
        regret = found[f"{'cce' if coarse else 'ce'}_regret_{seat}"].value
        assert regret <= 1e-8 * float(np.ptp(pay))


def test_sparse_excludes_a_support_that_is_an_equilibrium_only_to_rounding() -> None:
    payoffs = tied(np.random.default_rng(926), (1, 2, 5, 2), "nearly tied")
    sigma = correlated_equilibrium(NormalForm(payoffs), coarse=False, objective="sparse")
    assert certify_joint(NormalForm(payoffs), sigma)["ce_gap"].value <= 1e-8
    assert (sigma > 0).sum() < 20


@pytest.mark.parametrize("size", [20, 99])
def test_the_travellers_dilemma_has_one_correlated_equilibrium(size: int) -> None:
    game = arena.make("matrix/travellers_dilemma", high=size + 1)
    form = game.form("normal_form")
    for objective in ("welfare", "entropy", "gini"):
        sigma = correlated_equilibrium(form, coarse=False, objective=objective)
        assert sigma[0, 0] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("size", [3, 40])
def test_zero_sum_games_are_played_by_maximin_strategies(size: int) -> None:
    a = np.random.default_rng(size).normal(size=(size, size + 1))
    form = NormalForm(np.array([a, 3.0 - a]))
    for coarse in (True, False):
        sigma = correlated_equilibrium(form, coarse=coarse)
        assert certify_joint(form, sigma)["ce_gap"].value <= 1e-11
        assert correlated_equilibrium(form, coarse=coarse, objective="value", seat=1) is not None


def test_programs_with_many_pivots_are_handed_over_whole(monkeypatch) -> None:
    a = np.random.default_rng(0).random((12, 12))
    form = NormalForm(np.array([a, -a + 0.1 * np.random.default_rng(9).random((12, 12))]))
    welfare = form.payoffs.sum(axis=0)
    worth = []
    for small in (600, 0):  # by the simplex method, and by interior point
        monkeypatch.setattr(_program, "_SMALL", small)
        sigma = correlated_equilibrium(form, coarse=False)
        assert certify_joint(form, sigma)["ce_gap"].value <= 1e-11
        worth.append(float((welfare * sigma).sum()))
    assert worth[0] == pytest.approx(worth[1], abs=1e-9)


@pytest.mark.parametrize("coarse", [True, False])
@pytest.mark.parametrize("objective", ["entropy", "gini"])
@pytest.mark.parametrize("seed", range(6))
def test_no_equilibrium_found_by_a_general_solver_is_more_spread(
    seed: int, objective: str, coarse: bool
) -> None:
    rng = np.random.default_rng(seed)
    shape = [(3, 3), (2, 4), (2, 2, 2)][seed % 3]
    payoffs = rng.normal(size=(len(shape), *shape))
    form = NormalForm(payoffs)
    sigma = correlated_equilibrium(form, coarse=coarse, objective=objective)
    assert certify_joint(form, sigma)["cce_gap" if coarse else "ce_gap"].value <= 1e-8

    def bad(z: np.ndarray) -> float:
        z = np.maximum(z, 1e-300)
        return float((z * np.log(z)).sum() if objective == "entropy" else (z * z).sum())

    body = rows_of(payoffs, coarse)
    found = minimize(
        bad,
        np.full(sigma.size, 1.0 / sigma.size),
        method="SLSQP",
        bounds=[(0.0, 1.0)] * sigma.size,
        constraints=[
            {"type": "eq", "fun": lambda z: z.sum() - 1.0},
            {"type": "ineq", "fun": lambda z: -body @ z},
        ],
        options={"ftol": 1e-12, "maxiter": 500},
    )
    if found.success and (body @ found.x).max() < 1e-9:
        assert bad(sigma.ravel()) <= found.fun + 1e-6


def test_the_only_equilibrium_of_matching_pennies_is_found_by_every_objective() -> None:
    a = np.array([[1.0, -1.0], [-1.0, 1.0]])
    game = as_game(NormalForm(np.array([a, -a])), id="pennies")
    for solver in (ce(), cce()):
        for objective in OBJECTIVES:
            solution = solver.solve(game, objective=objective)
            assert solution.certificate[solver.gap].value <= 1e-8
            if solver.name == "ce":
                np.testing.assert_allclose(solution.policy.joint, 0.25, atol=1e-6)


def test_chicken_has_the_textbook_correlated_equilibrium() -> None:
    # Aumann 1974: greatest welfare 10 1/2 with payoffs 6,6 / 2,7 / 7,2 / 0,0.
    payoffs = [[[6, 2], [7, 0]], [[6, 7], [2, 0]]]
    sigma = correlated_equilibrium(NormalForm(payoffs), coarse=False)
    np.testing.assert_allclose(sigma, [[0.5, 0.25], [0.25, 0.0]], atol=1e-9)


def test_sparse_plays_few_joint_actions() -> None:
    shapley = [  # Shapley 1964: no pure equilibrium
        [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
        [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
    ]
    solution = cce().solve(as_game(NormalForm(shapley), id="shapley"), objective="sparse")
    played = int((solution.policy.joint > 0).sum())
    assert solution.certificate["support"].value == played
    assert 2 <= played <= 5  # at most one more than the rows that bind
    assert solution.certificate["cce_gap"].value <= 1e-8
    stag = as_game(NormalForm([[[4, 1], [3, 2]], [[4, 3], [1, 2]]]), id="stag")
    assert ce().solve(stag, objective="sparse").certificate["support"].value == 1


@pytest.mark.parametrize(
    ("make", "gap", "bar"), [(no_regret_cce, "cce_gap", 1e-3), (no_regret_ce, "ce_gap", 5e-3)]
)
def test_play_without_regret_nears_equilibrium(make, gap: str, bar: float) -> None:
    for seed, shape in enumerate([(4, 4), (3, 3, 3), (6, 2, 3)]):
        form = NormalForm(np.random.default_rng(seed).random((len(shape), *shape)))
        solution = make().solve(as_game(form, id="random"), iterations=3000)
        assert solution.certificate[gap].value < bar
        assert solution.trace[-1].gap < solution.trace[0].gap


def test_contracts() -> None:
    game = as_game(NormalForm(np.random.default_rng(0).random((3, 2, 3, 2))), id="random")
    for make in (ce, cce):
        for objective in OBJECTIVES:
            check_solver(make(), game, objective=objective)
    for make in (no_regret_ce, no_regret_cce):
        check_solver(make(), game, iterations=20)


def test_bad_input_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    game = as_game(NormalForm(np.zeros((2, 2, 2))), id="zero")
    with pytest.raises(ParameterError, match=r"objective = 'wealth'.*welfare"):
        ce().solve(game, objective="wealth")
    with pytest.raises(ParameterError, match="seat = 2"):
        ce().solve(game, objective="value", seat=2)
    monkeypatch.setattr(correlated, "_ENTRIES", 10)
    with pytest.raises(NotApplicableError, match=r"too large: .* no_regret_ce"):
        ce().solve(game, objective="entropy")


def test_joint_policies_are_saved_drawn_and_refused(tmp_path) -> None:
    joint = np.array([[0.5, 0.25], [0.25, 0.0]])
    policy = JointPolicy("chicken", joint)
    policy.save(tmp_path / "joint.npz")
    again = JointPolicy.load(tmp_path / "joint.npz")
    assert again.game == "chicken"
    np.testing.assert_array_equal(again.joint, joint)
    drawn = [policy.recommend(derive(k, "signal")) for k in range(300)]
    assert (1, 1) not in drawn
    assert math.isclose(drawn.count((0, 0)) / 300, 0.5, abs_tol=0.12)
    with pytest.raises(ParameterError, match="joint"):
        JointPolicy("chicken", np.full((2, 2), 0.5))
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(ParameterError, match="policy file"):
        JointPolicy.load(tmp_path / "bad.npz")
