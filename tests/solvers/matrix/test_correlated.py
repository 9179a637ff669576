from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from arena.errors import NotApplicableError, ParameterError
from arena.rng import derive
from arena.testing import check_solver
from games.normal_form import NormalForm, as_game
from solvers.matrix import correlated
from solvers.matrix._columns import Gains
from solvers.matrix.certificates import certify_joint
from solvers.matrix.correlated import OBJECTIVES, cce, ce, correlated_equilibrium
from solvers.matrix.form import JointPolicy
from solvers.matrix.regret import no_regret_cce, no_regret_ce


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
    body = rows_of(payoffs, coarse) / gains.unit
    sigma, y = rng.random(gains.size), rng.random(gains.rows)
    np.testing.assert_allclose(gains.times(sigma), body @ sigma, atol=1e-12)
    np.testing.assert_allclose(gains.transposed(y), body.T @ y, atol=1e-12)
    rows, values = gains.columns(np.arange(gains.size))
    dense = np.zeros_like(body)
    dense[rows, np.arange(gains.size)[:, None]] = values
    np.testing.assert_allclose(dense, body, atol=1e-12)


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
