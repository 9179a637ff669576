from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from simulated import result_set

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from tournaments.sprt import Sprt, game_counts, log_likelihood_ratio

counts3 = st.lists(st.integers(1, 200), min_size=3, max_size=3)
counts5 = st.lists(st.integers(1, 200), min_size=5, max_size=5)


def best_log_likelihood(counts, constraint):
    """Maximise Σ n ln p under a constraint, by a general solver."""
    n = np.asarray(counts, float)
    found = minimize(
        lambda p: -(n @ np.log(p)) / n.sum(),
        np.full(len(n), 1 / len(n)),
        jac=lambda p: -(n / p) / n.sum(),
        bounds=[(1e-9, 1)] * len(n),
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1},
            {"type": "eq", "fun": constraint},
        ],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return -found.fun * n.sum()


@settings(max_examples=25, deadline=None)
@given(st.one_of(counts3, counts5), st.sampled_from(["logistic", "normalized"]))
def test_the_ratio_is_that_of_two_constrained_maxima(counts, model):
    a = np.linspace(0, 1, len(counts))

    def constraint(elo):
        if model == "logistic":
            return lambda p: p @ a - 1 / (1 + 10 ** (-elo / 400))
        t = elo * math.log(10) / 800 * (math.sqrt(2) if len(counts) == 5 else 1)
        return lambda p: p @ a - 0.5 - t * math.sqrt(p @ (a - p @ a) ** 2)

    total = sum(counts)
    slow = best_log_likelihood(counts, constraint(30)) - best_log_likelihood(counts, constraint(0))
    fast = log_likelihood_ratio(counts, elo0=0, elo1=30, model=model)
    assert float(fast) == pytest.approx(slow * total / (total + 4), abs=2e-3, rel=2e-3)


@settings(max_examples=50, deadline=None)
@given(st.one_of(counts3, counts5), st.sampled_from(["logistic", "normalized"]))
def test_turning_the_board_turns_the_ratio(counts, model):
    one = log_likelihood_ratio(counts, elo0=-20, elo1=20, model=model)
    other = log_likelihood_ratio(counts[::-1], elo0=-20, elo1=20, model=model)
    assert float(one) == pytest.approx(-float(other), abs=1e-6)


def test_many_tables_at_once():
    tables = np.array([[1, 2, 3], [30, 5, 0], [0, 0, 9]])
    together = log_likelihood_ratio(tables, elo0=0, elo1=10)
    alone = [float(log_likelihood_ratio(t, elo0=0, elo1=10)) for t in tables]
    np.testing.assert_allclose(together, alone, atol=1e-9)


@pytest.mark.parametrize("model", ["logistic", "normalized"])
@pytest.mark.parametrize("kinds", [3, 5])
@pytest.mark.parametrize(("place", "decision"), [(-1, "H1"), (0, "H0")])
def test_it_ends_when_one_side_wins_everything(model, kinds, place, decision):
    test = Sprt(0, 5, model=model)
    counts = np.zeros(kinds, int)
    for n in range(1, 1000):
        counts[place] = n
        found = test.test(counts)
        assert math.isfinite(found.llr) and math.isfinite(found.elo)
        if found.decision != "continue":
            break
    assert found.decision == decision
    assert n < 1000 - 1


def test_only_draws_end_in_h0_of_a_gain():
    counts = [0, 0, 2000, 0, 0]
    assert Sprt(0, 20).test(counts).decision == "H0"


def test_nothing_played_is_undecided():
    found = Sprt().test([0, 0, 0])
    assert (found.decision, found.llr, found.games) == ("continue", 0.0, 0)


@pytest.mark.parametrize("kinds", [3, 5])
@pytest.mark.parametrize("truth", [0.0, 60.0])
def test_error_rates_are_at_most_nominal(kinds, truth):
    rng = np.random.default_rng(kinds)
    score = 1 / (1 + 10 ** (-truth / 400))
    one = np.array([(1 - score) - 0.15, 0.3, score - 0.15])
    p = one if kinds == 3 else np.convolve(one, one)
    test = Sprt(0, 60, alpha=0.1, beta=0.1)
    runs = 600
    counts, active = np.zeros((runs, kinds)), np.arange(runs)
    wrong = 0
    while len(active):
        counts[active] += rng.multinomial(1, p, size=len(active))
        llr = log_likelihood_ratio(counts[active], elo0=0, elo1=60)
        wrong += int(((llr >= test.upper) if truth == 0 else (llr <= test.lower)).sum())
        active = active[(llr > test.lower) & (llr < test.upper)]
    assert wrong / runs < 0.1 + 3 * math.sqrt(0.1 * 0.9 / runs)


def test_pairs_are_counted_by_points_and_unfinished_ones_wait():
    seating = [[0, 1], [1, 0], [0, 1], [1, 0], [0, 1], [0, 2], [2, 0]]
    payoffs = [[1, -1], [-1, 1], [1, -1], [1, -1], [1, -1], [1, -1], [1, -1]]
    block = np.array([0, 0, 1, 1, 2, 3, 3])
    results = result_set(seating, payoffs, agents=3, block=block)
    assert game_counts(results, "a0", "a1").tolist() == [0, 0, 1, 0, 1]
    assert game_counts(results, "a1", "a0").tolist() == [1, 0, 1, 0, 0]
    alone = result_set(seating, payoffs, agents=3)
    assert game_counts(alone, "a0", "a1").tolist() == [1, 0, 4]


def test_counts_need_two_seats_and_known_agents():
    with pytest.raises(NotApplicableError, match="two seats"):
        game_counts(result_set([[0, 1, 2]], [[1, 0, 0]], agents=3), "a0", "a1")
    with pytest.raises(UnknownNameError, match="a9"):
        game_counts(result_set([[0, 1]], [[1, 0]], agents=2), "a0", "a9")


@pytest.mark.parametrize("bad", [{"alpha": 0.0}, {"beta": 0.7}, {"elo1": -1.0}, {"model": "bayes"}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(ParameterError, match=next(iter(bad))):
        Sprt(**bad)


@pytest.mark.parametrize("counts", [[1, 2], [1, -1, 0], [[1, 2, 3]]])
def test_bad_counts_are_refused(counts):
    with pytest.raises(ParameterError, match="counts"):
        Sprt().test(counts)
