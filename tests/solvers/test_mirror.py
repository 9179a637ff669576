from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from arena.testing import check_solver
from games.normal_form import NormalForm, as_game
from solvers.matrix.certificates import certify_profile, certify_qre
from solvers.mirror import NAMED, MirrorMethod, RegularizedMirror, mirror, named
from solvers.preference import from_counts, from_payoffs, preference_game
from tests.reference import matrix as naive

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "perturbed_rps_qre.json").read_text(encoding="utf-8")
)


def preferences(kind: str, n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind == "cyclic":
        ahead = (np.arange(n)[None, :] - np.arange(n)[:, None]) % n
        upper = (ahead <= n // 2).astype(float)
    else:
        upper = rng.random((n, n)) if kind == "uniform" else (rng.random((n, n)) < 0.5) * 1.0
    out = np.triu(upper, 1)
    out = out + np.tril(1.0 - out.T, -1)
    np.fill_diagonal(out, 0.5)
    return out


def form_of(matrix) -> NormalForm:
    form: NormalForm = preference_game(matrix).form("normal_form")
    return form


@pytest.mark.parametrize("kind", ["uniform", "extreme", "cyclic"])
@pytest.mark.parametrize("n", [3, 10, 100])
@pytest.mark.parametrize("beta", [0.01, 0.1, 0.5])
def test_mirror_prox_contracts_by_its_bound_in_every_trial(kind, n, beta) -> None:
    # (1 + 2β)^(−N/2) in N queries, two an iteration, at η = 2.
    form = form_of(preferences(kind, n))
    method = MirrorMethod(form, named("nash_mp", beta=beta, eta=2.0))
    assert method.symmetric
    far = MirrorMethod(form, named("nash_mp", beta=beta, eta=2.0))
    far.advance(int(45 / math.log1p(2 * beta)) + 50)
    goal = far.answer()[0]
    assert certify_qre(form, far.answer(), temperature=beta)["qre_residual"].value < 1e-12

    def divergence(policy: np.ndarray) -> float:
        return float(goal @ (np.log(goal) - np.log(policy)))

    first = divergence(method.answer()[0])
    for iteration in range(1, 150):
        method.advance(1)
        bound = first * (1 + 2 * beta) ** -iteration
        assert divergence(method.answer()[0]) <= bound + 1e-13


@pytest.mark.parametrize("temperature", GOLDEN["both_seats_by_temperature"])
@pytest.mark.parametrize("algorithm", ["nash_mp", "mmd", "egpo"])
def test_published_equilibria_of_perturbed_rock_paper_scissors(algorithm, temperature) -> None:
    raw = np.array(GOLDEN["payoffs_before_scaling_to_0_1"], dtype=float)
    a = (raw - raw.min()) / np.ptp(raw)
    game = as_game(NormalForm(np.array([a, -a])), id="rps")
    solution = mirror(algorithm).solve(game, beta=float(temperature), iterations=4000)
    expected = GOLDEN["both_seats_by_temperature"][temperature]
    for seat in (0, 1):
        np.testing.assert_allclose(solution.policy.table[seat], expected, atol=1e-8)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(["none", "extragradient", "optimistic", "mixture"]),
    st.sampled_from(["implicit", "linearised"]),
    st.sampled_from([0, 3]),
    st.sampled_from([0.3, "decreasing"]),
)
def test_the_kernel_steps_as_its_naive_twin(seed, m, n, lookahead, prox, refresh, eta) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(m, n))
    magnet = [rng.dirichlet(np.ones(m) * 5) + 0.01, rng.dirichlet(np.ones(n) * 5) + 0.01]
    magnet = [row / row.sum() for row in magnet]
    chosen = RegularizedMirror(
        magnet=magnet, beta=0.2, eta=eta, lookahead=lookahead, prox=prox, magnet_refresh=refresh
    )
    method = MirrorMethod(NormalForm(np.array([a, -a])), chosen)
    method.advance(4)
    method.advance(6)
    last, total = naive.mirror(a, chosen, 0.3, 10)
    arrays = method.arrays()
    if not method.symmetric:
        np.testing.assert_allclose(arrays["policy_now"], np.concatenate(last), atol=1e-10)
        np.testing.assert_allclose(arrays["total"], np.concatenate(total), atol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(sorted(NAMED)))
def test_one_array_serves_both_seats_of_a_symmetric_game(seed, algorithm) -> None:
    matrix = preferences("uniform", 4, seed)
    form = form_of(matrix)
    method = MirrorMethod(form, named(algorithm, eta=0.5))
    method.advance(20)
    last, _ = naive.mirror(form.payoffs[0], named(algorithm, eta=0.5), 0.5, 20)
    np.testing.assert_allclose(method.arrays()["policy_now"], last[0], atol=1e-10)
    np.testing.assert_allclose(last[0], last[1], atol=1e-12)


@pytest.mark.parametrize("horizon", [50, 400, 3000])
def test_self_play_preference_optimization_keeps_its_bound(horizon) -> None:
    # Duality gap of the average at most √(ln n / 2T).
    for seed in range(5):
        for kind in ("uniform", "extreme"):
            game = preference_game(preferences(kind, 8, seed))
            solution = mirror("spo").solve(game, iterations=horizon)
            gap = solution.certificate["exploitability"].value
            assert gap <= math.sqrt(math.log(8) / (2 * horizon))


def test_nash_mirror_descent_keeps_its_bound_and_stalls_with_a_constant_step() -> None:
    # KL at most 8 / (β² (T + 1)) with η_t = 2 / (β (t + 2)); Munos et al. 2023, theorem 1.
    beta, form = 0.3, form_of(preferences("uniform", 6))
    far = MirrorMethod(form, named("nash_mp", beta=beta))
    far.advance(2000)
    goal = far.answer()[0]

    def divergence(method: MirrorMethod) -> float:
        return float(goal @ (np.log(goal) - np.log(method.answer()[0])))

    decreasing = MirrorMethod(form, named("nash_md", beta=beta))
    constant = MirrorMethod(form, named("nash_md", beta=beta, eta=1.0))
    for horizon in (10, 100, 1000):
        decreasing.advance(horizon - decreasing.iteration)
        assert divergence(decreasing) <= 8 / (beta**2 * (horizon + 1))
    constant.advance(5000)
    stalled = divergence(constant)
    constant.advance(5000)
    assert stalled > 1e-6
    assert divergence(constant) == pytest.approx(stalled, rel=1e-6)


def test_magnetic_mirror_descent_contracts_by_its_rate() -> None:
    # KL at most (1 + ηβ)^(−t) times the first for η ≤ β/L²; Sokota et al. 2023, theorem 3.4.
    beta, form = 0.2, form_of(preferences("uniform", 10))
    far = MirrorMethod(form, named("nash_mp", beta=beta))
    far.advance(3000)
    goal = far.answer()[0]
    method = MirrorMethod(form, named("mmd", beta=beta))
    first = float(goal @ (np.log(goal) - np.log(method.answer()[0])))
    for t in range(1, 100):
        method.advance(1)
        left = float(goal @ (np.log(goal) - np.log(method.answer()[0])))
        assert left <= first * (1 + method.eta * beta) ** -t + 1e-13


def test_moving_magnets_reach_nash() -> None:
    gaps = []
    for seed in range(15):
        form = form_of(preferences("uniform", 10, seed))
        method = MirrorMethod(form, named("nash_refresh"))
        method.advance(20_000)
        gaps.append(certify_profile(form, method.answer())["exploitability"].value)
    assert np.median(gaps) < 1e-9
    assert max(gaps) < 1e-3


@pytest.mark.parametrize("n", [3, 5])
@pytest.mark.parametrize("beta", [0.01, 0.05, 0.1])
def test_a_hundred_magnets_of_twenty_steps_come_near_nash(n, beta) -> None:
    # Mirror prox at η = 2 from the last magnet: median gap 1.4e-8, greatest 1.1e-3 at most.
    gaps = []
    for seed in range(25):
        for kind in ("uniform", "extreme"):
            form = form_of(preferences(kind, n, seed))
            method = MirrorMethod(form, named("nash_mp", beta=beta, eta=2.0, magnet_refresh=20))
            method.advance(100 * 20)
            gaps.append(certify_profile(form, method.answer())["exploitability"].value)
    assert np.median(gaps) <= 1.4e-8
    assert max(gaps) <= 1.1e-3


def test_longer_steps_bring_a_hundred_magnets_near_nash_on_ten_alternatives() -> None:
    # Twice the step that is proven: the median holds, the greatest gap does not.
    gaps = []
    for seed in range(25):
        form = form_of(preferences("uniform", 10, seed))
        method = MirrorMethod(form, named("nash_refresh", eta=4.0, magnet_refresh=20))
        method.advance(100 * 20)
        gaps.append(certify_profile(form, method.answer())["exploitability"].value)
    assert np.median(gaps) <= 1.4e-8
    assert max(gaps) <= 0.03


def test_optimistic_descent_converges_where_the_plain_average_lags() -> None:
    a = np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
    game = as_game(NormalForm(np.array([a, -a])), id="rps")
    solution = mirror("omd").solve(game, iterations=20_000)
    assert solution.certificate["nash_conv"].value < 1e-8


@pytest.mark.parametrize("algorithm", sorted(NAMED))
def test_contract_and_resume(algorithm) -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=(3, 4))
    game = as_game(NormalForm(np.array([a, -a])), id="zero_sum")
    check_solver(mirror(algorithm), game, iterations=20)
    whole = mirror(algorithm).solve(game, iterations=60, eta=0.1)
    part = mirror(algorithm).solve(game, iterations=25, eta=0.1)
    rest = mirror(algorithm).solve(game, iterations=60, eta=0.1, resume=part)
    np.testing.assert_allclose(rest.policy.table, whole.policy.table, atol=1e-12)
    check_solver(mirror(algorithm), as_game(NormalForm(rng.random((2, 2, 2))), id="general"))


def test_constant_sums_are_fine_and_others_are_not() -> None:
    matrix = preferences("uniform", 5)
    shares = as_game(NormalForm(np.array([matrix, 1.0 - matrix])), id="shares")
    one = mirror("nash_mp").solve(shares, iterations=300).policy.table
    other = mirror("nash_mp").solve(preference_game(matrix), iterations=300).policy.table
    np.testing.assert_allclose(one, other, atol=1e-12)
    general = as_game(NormalForm(np.random.default_rng(0).random((2, 2, 2))), id="general")
    with pytest.raises(NotApplicableError, match=r"not zero-sum.*logit_qre"):
        mirror("mmd").solve(general)


def test_bad_settings_are_named() -> None:
    with pytest.raises(ParameterError, match=r"beta = -0\.1"):
        RegularizedMirror(beta=-0.1)
    with pytest.raises(ParameterError, match="lookahead = 'two'"):
        RegularizedMirror(lookahead="two")
    with pytest.raises(ParameterError, match="eta = 30"):
        RegularizedMirror(prox="linearised", beta=0.1, eta=30.0)
    with pytest.raises(UnknownNameError, match="nash_mp"):
        named("nash_pm")
    with pytest.raises(ParameterError, match="magnet of seat 1"):
        form = form_of(preferences("uniform", 3))
        MirrorMethod(form, RegularizedMirror(magnet=[[0.2, 0.3, 0.5], [0.5, 0.5, 0.0]]))


def test_preference_matrices_from_counts_payoffs_or_given() -> None:
    counts = [[0, 3, 1], [1, 0, 2], [3, 2, 0]]
    matrix = from_counts(counts)
    np.testing.assert_allclose(matrix, [[0.5, 0.75, 0.25], [0.25, 0.5, 0.5], [0.75, 0.5, 0.5]])
    np.testing.assert_allclose(from_counts(np.zeros((2, 2)), prior=1.0), 0.5)
    wins = from_payoffs([[0.0, 2.0], [-2.0, 0.0]])
    np.testing.assert_allclose(wins, [[0.5, 1.0], [0.0, 0.5]])
    game = preference_game(matrix, labels=["a", "b", "c"])
    assert game.payoff == "zero_sum"
    assert game.describe_action(1, 2) == "c"
    with pytest.raises(ParameterError, match=r"wins\[0, 1\] \+ wins\[1, 0\]"):
        from_counts([[0, 0], [0, 0]])
    with pytest.raises(ParameterError, match=r"matrix\[0, 1\] \+ matrix\[1, 0\] = 1.2"):
        preference_game([[0.5, 0.6], [0.6, 0.5]])
    with pytest.raises(ParameterError, match=r"matrix\[0, 1\] = nan"):
        preference_game([[0.5, float("nan")], [0.6, 0.5]])
    with pytest.raises(ParameterError, match=r"matrix\[0, 1\] = 1.5"):
        preference_game([[0.5, 1.5], [-0.5, 0.5]])
    with pytest.raises(ParameterError, match=r"wins\[1, 0\] = -1"):
        from_counts([[0, 1], [-1, 0]])
