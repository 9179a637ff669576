from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from arena.errors import NotApplicableError, ParameterError
from arena.testing import check_solver
from games.normal_form import NormalForm, as_game
from solvers.matrix import two_seats
from solvers.matrix.certificates import certify_profile
from solvers.matrix.gambit import gambit_nash
from solvers.matrix.nash import (
    equilibria_of,
    lemke_howson,
    nash_lp,
    support_enumeration,
    vertex_enumeration,
)


def game_of(payoffs, name="random"):
    return as_game(NormalForm(payoffs), id=name)


def nash_conv(a, b, pair):
    return certify_profile(NormalForm(np.array([a, b])), pair)["nash_conv"].value


SIZES = st.integers(1, 7)


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10**6), SIZES, SIZES, st.booleans())
def test_zero_sum_strategies_are_optimal(seed: int, m: int, n: int, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(-2, 3, (m, n)).astype(float) if whole else rng.normal(size=(m, n))
    program = linprog(
        [*np.zeros(m), -1.0],
        A_ub=np.hstack([-a.T, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=[[*np.ones(m), 0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
    )
    for algorithm in ("simplex", "highs"):
        x, y = two_seats.zero_sum(a, algorithm=algorithm)
        assert nash_conv(a, -a, (x, y)) < 1e-9
        assert x @ a @ y == pytest.approx(-program.fun, abs=1e-9)


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10**6), SIZES, SIZES, st.booleans())
def test_every_lemke_howson_path_ends_at_an_equilibrium(
    seed: int, m: int, n: int, whole: bool
) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 3, (2, m, n)).astype(float) if whole else rng.normal(size=(2, m, n))
    for label in range(m + n):
        assert nash_conv(a, b, two_seats.lemke_howson(a, b, label=label)) < 1e-9


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(2, 6))
def test_enumerations_agree_on_games_that_are_not_degenerate(seed: int, m: int, n: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, m, n))
    supports, degenerate = two_seats.support_enumeration(a, b)
    vertices = two_seats.vertex_enumeration(a, b)
    assert not degenerate
    assert len(supports) % 2 == 1  # Wilson 1971
    assert _rounded(supports) == _rounded(vertices)
    assert all(nash_conv(a, b, pair) < 1e-9 for pair in vertices)


def _rounded(pairs):
    return sorted(tuple(np.round(np.concatenate(pair), 7) + 0.0) for pair in pairs)


@pytest.mark.parametrize("seed", range(25))
def test_vertex_enumeration_finds_what_exact_gambit_finds(seed: int) -> None:
    pygambit = pytest.importorskip("pygambit")
    rng = np.random.default_rng(seed)
    m, n = rng.integers(2, 6, size=2)
    a, b = rng.integers(0, 3, (2, m, n))  # small integers: mostly degenerate
    game = pygambit.StrategicGame.from_arrays(a, b)
    exact = pygambit.nash.enummixed_solve(game, rational=True).equilibria
    expected = {
        tuple(np.round([float(p) for mix in profile for _, p in mix], 9)) for profile in exact
    }
    found = [np.concatenate(p) for p in two_seats.vertex_enumeration(a.astype(float), b * 1.0)]
    assert {tuple(np.round(z, 9)) for z in found} == expected
    assert len(found) == len(expected)


def test_ten_random_six_by_six_games_have_all_their_equilibria() -> None:
    quantecon = pytest.importorskip("quantecon.game_theory")
    for seed in range(10):
        a, b = np.random.default_rng(seed).random((2, 6, 6))
        peer = quantecon.NormalFormGame(
            (quantecon.Player(a), quantecon.Player(np.ascontiguousarray(b.T)))
        )
        assert _rounded(two_seats.support_enumeration(a, b)[0]) == _rounded(
            quantecon.support_enumeration(peer)
        )


@pytest.mark.parametrize(
    "make", [nash_lp, lemke_howson, support_enumeration, vertex_enumeration, gambit_nash]
)
def test_solvers_keep_the_contract(make) -> None:
    if make is gambit_nash:
        pytest.importorskip("pygambit")
    rng = np.random.default_rng(3)
    z = rng.normal(size=(3, 4))
    check_solver(make(), game_of(np.array([z, -z])))
    check_solver(make(), game_of(rng.normal(size=(2, 3, 2))))
    check_solver(make(), game_of(rng.normal(size=(3, 2, 2, 2))))


def test_all_equilibria_of_the_battle_of_the_sexes_are_listed() -> None:
    # Luce and Raiffa 1957, section 5.3: two pure equilibria and (2/3, 1/3), (1/3, 2/3).
    game = game_of([[[2, 0], [0, 1]], [[1, 0], [0, 2]]], "battle")
    for make in (support_enumeration, vertex_enumeration):
        listed = _rounded(equilibria_of(make().solve(game)))
        np.testing.assert_allclose(
            listed, [[0, 1, 0, 1], [2 / 3, 1 / 3, 1 / 3, 2 / 3], [1, 0, 1, 0]], atol=1e-7
        )


def test_obstacles_name_the_property_and_who_would_do() -> None:
    three = game_of(np.zeros((3, 2, 2, 2)), "trio")
    with pytest.raises(NotApplicableError, match=r"trio has 3 seats.*needs 2; logit_qre"):
        lemke_howson().solve(three)
    general = game_of(np.random.default_rng(0).random((2, 3, 3)), "general")
    with pytest.raises(NotApplicableError, match=r"not zero-sum.*lemke_howson"):
        nash_lp().solve(general)
    large = game_of(np.zeros((2, 40, 2)), "large")
    with pytest.raises(NotApplicableError, match=r"too large: 40 actions.*at most 16"):
        support_enumeration().solve(large)


def test_bad_settings_are_named() -> None:
    game = game_of(np.zeros((2, 2, 2)))
    with pytest.raises(ParameterError, match="label = 4"):
        lemke_howson().solve(game, label=4)
    with pytest.raises(ParameterError, match=r"payoffs\[0, 1, 0\] = nan"):
        NormalForm([[[0, 1], [float("nan"), 0]], [[0, 0], [0, 0]]])


@pytest.mark.parametrize("method", ["gnm", "ipa", "simpdiv", "enumpoly"])
def test_gambit_finds_equilibria_of_three_seats(method: str) -> None:
    pytest.importorskip("pygambit")
    game = game_of(np.random.default_rng(1).random((3, 3, 3, 3)))
    solution = gambit_nash().solve(game, method=method)
    assert solution.certificate["nash_conv"].value < 1e-6
