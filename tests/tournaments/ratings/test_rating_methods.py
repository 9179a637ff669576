from __future__ import annotations

import csv
import dataclasses
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_spiel.python.egt import alpharank as openspiel_alpharank
from scipy.stats import studentized_range
from simulated import result_set, tournament

from arena.errors import MissingDependencyError, NotApplicableError, ParameterError
from tournaments.crossplay import empirical_game, payoff_matrix
from tournaments.ratings import METHODS, rate
from tournaments.ratings._compare import compare_all, critical_value
from tournaments.ratings.alpharank import multi_population, single_population
from tournaments.ratings.elo import elo_curve
from tournaments.ratings.glicko import update
from tournaments.ratings.nash_averaging import max_entropy_nash

ROCK_PAPER_SCISSORS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


# Every method


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_finds_a_clear_order_and_exports(method, tmp_path):
    rng = np.random.default_rng(0)
    pairs = np.array([(i, j) for i in range(4) for j in range(4) if i != j] * 60)
    gap = (pairs[:, 1] - pairs[:, 0]) * 0.9
    won = np.where(rng.random(len(pairs)) < 1 / (1 + np.exp(-gap)), 1.0, -1.0)
    results = result_set(pairs, np.stack([won, -won], 1), agents=4, ordered=True)
    board = rate(results, method)
    assert board.method == method
    assert board.agents[0] == "a0"
    if method not in ("alpharank", "nash_averaging"):  # these put all on the best
        assert board.agents == ["a0", "a1", "a2", "a3"]
    data = json.loads(board.save(tmp_path / "b.json").read_text())
    assert [row["agent"] for row in data["rows"]] == board.agents
    lines = list(csv.DictReader(io.StringIO(board.save(tmp_path / "b.csv").read_text())))
    assert [float(line["rating"]) for line in lines] == [row.rating for row in board.rows]
    table = pq.read_table(board.save(tmp_path / "b.parquet"))
    assert table.to_pylist()[0]["agent"] == "a0"
    assert table.schema.metadata[b"arena.method"] == method.encode()


def test_another_suffix_is_refused_and_nothing_written(tmp_path):
    _, results = tournament(0, agents=3, matches=30)
    with pytest.raises(ParameterError, match=r"\.csv"):
        rate(results).save(tmp_path / "b.xlsx")
    assert not list(tmp_path.iterdir())


def test_parquet_without_pyarrow_says_how_to_get_it(monkeypatch, tmp_path):
    _, results = tournament(0, agents=3, matches=30)
    board = rate(results)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match="pip install pyarrow"):
        board.save(tmp_path / "b.parquet")


def test_an_agent_is_looked_up_by_name():
    _, results = tournament(0, agents=3, matches=30)
    board = rate(results)
    assert board["a1"].agent == "a1"
    with pytest.raises(ParameterError, match="a7"):
        board["a7"]


# Comparisons of all pairs


@pytest.mark.parametrize("size", [2, 3, 10, 80])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_critical_value_is_that_of_the_studentized_range(size, level):
    other = studentized_range.ppf(level, size, np.inf) / np.sqrt(2)
    assert critical_value(size, level) == pytest.approx(other, rel=1e-4)


def test_rank_intervals_hold_together():
    rng = np.random.default_rng(3)
    size, runs, good = 8, 1000, 0
    shape = rng.normal(size=(size, size))
    covariance = shape @ shape.T / size + 0.1 * np.eye(size)
    truth = np.sort(rng.normal(size=size) * 2)[::-1]
    root = np.linalg.cholesky(covariance)
    true_rank = np.arange(1, size + 1)
    for _ in range(runs):
        seen = truth + root @ rng.normal(size=size)
        joint = compare_all(seen, covariance, order=np.argsort(-seen).tolist(), level=0.95)
        good += bool(((joint.rank_low <= true_rank) & (true_rank <= joint.rank_high)).all())
    assert good / runs > 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)


def test_agents_that_cannot_be_separated_share_a_rank():
    joint = compare_all(
        np.array([3.0, 2.9, 0.0, -0.1]), np.eye(4) * 0.1, order=[0, 1, 2, 3], level=0.95
    )
    assert joint.rank.tolist() == [1, 1, 3, 3]
    assert joint.rank_low.tolist() == [1, 1, 3, 3]
    assert joint.rank_high.tolist() == [2, 2, 4, 4]
    assert joint.superiority[0, 2] > 0.99 and joint.superiority[2, 0] < 0.01


# Mean payoff and payoff matrices


def test_luck_shared_by_seed_cancels_from_payoff_differences():
    rng = np.random.default_rng(0)
    luck = rng.normal(0, 10, 400)
    seating = np.concatenate([np.tile([[0, 0]], (400, 1)), np.tile([[1, 1]], (400, 1))])
    paid = np.concatenate([luck, luck + 0.2]) + rng.normal(0, 0.2, 800)
    results = result_set(
        seating, np.stack([paid, paid], 1), agents=2, cooperative=[True],
        block=np.tile(np.arange(400), 2),
    )  # fmt: skip
    paired = rate(results, "payoff")
    assert paired["a1"].rank_high == 1 and paired["a0"].rank_low == 2
    alone = rate(dataclasses.replace(results, block=None), "payoff")
    assert alone["a1"].rank_high == 2
    # The two matches of a block do not touch one agent twice, so intervals agree.
    assert paired["a1"].high == pytest.approx(alone["a1"].high)


def test_payoff_intervals_cover_the_truth():
    rng = np.random.default_rng(1)
    hits = []
    for _ in range(300):
        seating = rng.integers(3, size=(30, 2))
        paid = seating.sum(axis=1) + rng.normal(0, 1, 30)
        board = rate(
            result_set(seating, np.stack([paid, paid], 1), agents=3, cooperative=[True]), "payoff"
        )
        hits += [board[f"a{k}"].low <= k + 1 <= board[f"a{k}"].high for k in range(3)]
    # A match counts for both of its agents, mostly different ones: at least 450 apart.
    assert abs(np.mean(hits) - 0.95) < 0.03


def test_one_match_has_no_interval_and_says_so():
    board = rate(result_set([[0]], [[2.5]], agents=2), "payoff")
    assert board.rows[0].rating == 2.5
    assert np.isnan(board.rows[0].low)
    assert any("one match" in w for w in board.warnings)
    assert any("no match at all: a1" in w for w in board.warnings)
    assert json.loads(board.to_json())["rows"][0]["low"] is None


def test_payoff_matrix_by_hand():
    seating = [[0, 1], [1, 0], [0, 1], [0, 0]]
    payoffs = [[3, 1], [2, 4], [5, 0], [1, 2]]
    matrix = payoff_matrix(result_set(seating, payoffs, agents=3, count=[1, 1, 2, 1]))
    assert matrix.mean[0, 1] == pytest.approx((3 + 4 + 5 + 5) / 4)
    assert matrix.mean[1, 0] == pytest.approx((1 + 2 + 0 + 0) / 4)
    assert matrix.mean[0, 0] == pytest.approx(1.5)
    assert np.isnan(matrix.mean[0, 2])
    assert matrix.matches.tolist() == [[1, 4, 0], [4, 0, 0], [0, 0, 0]]
    assert matrix.error[0, 1] == pytest.approx(np.std([3, 4, 5, 5], ddof=1) / 2)
    assert matrix.zero_sum()[0, 1] == pytest.approx((4.25 - 0.75) / 2)
    assert matrix.cross_play()[0] == pytest.approx(4.25)
    assert np.isnan(matrix.cross_play()[2])
    with pytest.raises(NotApplicableError, match="a0 and a2"):
        matrix.require_complete()
    json.dumps(matrix.to_dict(), allow_nan=False)


def test_blocks_widen_or_narrow_the_errors_of_cells():
    rng = np.random.default_rng(0)
    luck = np.repeat(rng.normal(size=100), 2)
    seating = np.tile([[0, 1]], (200, 1))
    results = result_set(seating, np.stack([luck, -luck], 1), agents=2, block=np.arange(200) // 2)
    together = payoff_matrix(results).error[0, 1]
    apart = payoff_matrix(dataclasses.replace(results, block=None)).error[0, 1]
    assert together == pytest.approx(apart * np.sqrt(2), rel=0.01)


def test_cooperative_matrices_are_symmetric_and_teams_meet_opponents_only():
    rng = np.random.default_rng(0)
    seating = rng.integers(3, size=(200, 2))
    paid = rng.normal(size=200)
    shared = payoff_matrix(
        result_set(seating, np.stack([paid, paid], 1), agents=3, cooperative=[True])
    )
    np.testing.assert_allclose(shared.mean, shared.mean.T)
    np.testing.assert_allclose(shared.symmetric(), shared.mean)
    teams = payoff_matrix(
        result_set([[0, 1, 0, 1]], [[1, -1, 1, -1]], agents=2, teams=[(0, 1, 0, 1)])
    )
    assert np.isnan(teams.mean[0, 0]) and teams.mean[0, 1] == 1 and teams.matches[0, 1] == 1


def test_empirical_game_by_hand():
    table = empirical_game(result_set([[0, 1], [0, 1], [1, 0]], [[1, 2], [3, 4], [5, 6]], agents=2))
    assert table.payoff[:, 0, 1].tolist() == [2, 3]
    assert table.payoff[:, 1, 0].tolist() == [5, 6]
    assert np.isnan(table.payoff[0, 0, 0])
    assert table.matches.tolist() == [[0, 2], [1, 0]]


def test_a_game_must_be_named_where_there_are_several():
    results = result_set([[0, 1]] * 2, [[1, -1]] * 2, agents=2, game=[0, 1], games=["x", "y"])
    with pytest.raises(ParameterError, match="x, y"):
        payoff_matrix(results)
    assert payoff_matrix(results, game="y").game == "y"


# Elo, Glicko-2, OpenSkill


def test_elo_is_a_curve_that_depends_on_order():
    results = result_set(
        [[0, 1], [0, 1], [1, 0]], [[1, -1], [-1, 1], [0, 0]], agents=2, ordered=True
    )
    curve = elo_curve(results, k=32, points=3)
    assert curve.match.tolist() == [1, 2, 3]
    assert curve.rating[0].tolist() == [1516, 1484]
    expected = 1 / (1 + 10 ** (-32 / 400))
    assert curve.rating[1, 0] == pytest.approx(1516 - 32 * expected)
    np.testing.assert_allclose(curve.rating.sum(axis=1), 3000)
    _, many = tournament(0, agents=10, matches=2000)
    many = dataclasses.replace(many, ordered=True)
    turn = slice(None, None, -1)
    other = dataclasses.replace(many, seating=many.seating[turn], payoffs=many.payoffs[turn])
    first, second = rate(many, "elo"), rate(other, "elo")
    assert max(abs(first[a].rating - second[a].rating) for a in first.agents) > 5
    with pytest.raises(NotApplicableError, match="order"):
        elo_curve(dataclasses.replace(many, ordered=False))


def test_elo_moves_a_match_of_four_seats_at_once():
    results = result_set([[0, 1, 2, 3]], [[3, 2, 1, 0]], agents=4, ordered=True)
    assert elo_curve(results, k=30).rating[-1].tolist() == [1515, 1505, 1495, 1485]


def test_glickmans_worked_example():
    # Glickman, "Example of the Glicko-2 system" (2013).
    met = [(1400, 30, 1.0, 1), (1550, 100, 0.0, 1), (1700, 300, 0.0, 1)]
    rating, deviation, volatility = update((1500, 200, 0.06), met, tau=0.5)
    assert rating == pytest.approx(1464.06, abs=0.02)
    assert deviation == pytest.approx(151.52, abs=0.01)
    assert volatility == pytest.approx(0.05999, abs=1e-5)


def test_glicko_knows_periods_and_idle_agents():
    _, results = tournament(0, agents=5, matches=400)
    results = dataclasses.replace(results, ordered=True, agents=[*results.agents, "idle"])
    one, ten = rate(results, "glicko2"), rate(results, "glicko2", period=40)
    assert one.agents[0] == ten.agents[0]
    assert one["idle"].rating == 1500 and one["idle"].high > 1500 + 1.95 * 350
    folded = dataclasses.replace(results, ordered=False)
    assert rate(folded, "glicko2")["a0"].rating == one["a0"].rating
    with pytest.raises(ParameterError, match="period"):
        rate(folded, "glicko2", period=40)


def test_folded_rows_repeat_their_matches():
    base = result_set([[0, 1, 2]] * 4, [[3, 2, 1]] * 4, agents=3)
    folded = result_set([[0, 1, 2]], [[3, 2, 1]], agents=3, count=[4])
    for method in ("glicko2", "openskill"):
        assert rate(folded, method)["a0"].rating == pytest.approx(rate(base, method)["a0"].rating)


def test_openskill_rates_many_seats_and_teams_and_leaves_equals_equal():
    rng = np.random.default_rng(0)
    seating = np.argsort(rng.random((300, 4)), axis=1)
    skill = np.array([1.0, 0.3, -0.3, -1.0])
    paid = skill[seating] + rng.normal(size=(300, 4))
    assert rate(result_set(seating, paid, agents=4, ordered=True), "openskill").agents[0] == "a0"
    side = paid[:, [0, 2]].sum(1) - paid[:, [1, 3]].sum(1)
    teams = np.stack([side, -side, side, -side], 1)
    board = rate(
        result_set(seating, teams, agents=4, teams=[(0, 1, 0, 1)], ordered=True), "openskill"
    )
    assert board.agents[0] == "a0"
    assert all(row.low < row.rating < row.high for row in board.rows)
    drawn = rate(result_set([[0, 1, 2]] * 3, [[1, 1, 1]] * 3, agents=3), "openskill")
    assert len({row.rating for row in drawn.rows}) == 1


# α-Rank and Nash averaging


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 7), st.integers(0, 2**32), st.floats(0.01, 2.0))
def test_single_population_equals_openspiel(size, seed, alpha):
    payoff = np.random.default_rng(seed).normal(size=(size, size))
    other = openspiel_alpharank.compute([payoff], alpha=alpha)[2]
    np.testing.assert_allclose(single_population(payoff, alpha=alpha), other, atol=1e-9)


@pytest.mark.parametrize("shape", [(2, 3), (3, 3), (2, 3, 2)])
def test_many_populations_equal_openspiel(shape):
    payoff = np.random.default_rng(0).normal(size=(len(shape), *shape))
    other = openspiel_alpharank.compute(list(payoff), alpha=0.5)[2]
    np.testing.assert_allclose(multi_population(payoff, alpha=0.5).ravel(), other, atol=1e-9)


def test_alpharank_of_strong_selection_does_not_underflow():
    np.testing.assert_allclose(single_population(ROCK_PAPER_SCISSORS, alpha=1e4), 1 / 3)
    # Two closed classes of one agent each under strong selection: 0 beats 2, 1 beats 2,
    # and 0 beats 1 by so little that only logarithms can tell.
    payoff = np.array([[0.0, 0.1, 9.0], [0.0, 0.0, 9.0], [0.0, 0.0, 0.0]])
    mass = single_population(payoff, alpha=1e3)
    np.testing.assert_allclose(mass, [1, 0, 0], atol=1e-12)
    for alpha in (1.0, 5.0):
        scaled = single_population(payoff, alpha=alpha)
        exact = openspiel_alpharank.compute([payoff], alpha=alpha)[2]
        np.testing.assert_allclose(scaled, exact, atol=1e-9)


def test_both_reductions_agree():
    rng = np.random.default_rng(0)
    from tournaments.ratings.alpharank import _log_fixation, _reduce, _reduce_logs

    gain = rng.normal(size=(6, 6))
    logs = _log_fixation(gain - gain.T, 20)
    off = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(
        _reduce(np.where(off, np.exp(logs), 0.0)),
        _reduce_logs(np.where(off, logs, -np.inf)),
        rtol=1e-12,
    )


def test_nash_averaging_of_rock_paper_scissors_and_a_copy():
    np.testing.assert_allclose(max_entropy_nash(ROCK_PAPER_SCISSORS), 1 / 3, atol=1e-7)
    # Balduzzi et al. (2018), P2: a copy of scissors shares the mass of its original.
    index = [0, 1, 2, 2]
    copied = max_entropy_nash(ROCK_PAPER_SCISSORS[np.ix_(index, index)])
    np.testing.assert_allclose(copied, [1 / 3, 1 / 3, 1 / 6, 1 / 6], atol=1e-6)


def test_nash_averaging_of_a_clear_order_and_of_nothing():
    order = np.array([[0.0, 1, 2], [-1, 0, 1], [-2, -1, 0]])
    assert max_entropy_nash(order).tolist() == [1, 0, 0]
    np.testing.assert_allclose(max_entropy_nash(np.zeros((4, 4))), 0.25)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**32), st.booleans())
def test_max_entropy_nash_is_an_equilibrium_under_rounding(size, seed, signs):
    rng = np.random.default_rng(seed)
    gain = rng.normal(size=(size, size))
    gain = gain - gain.T
    if signs:
        gain = np.sign(gain)
    share = max_entropy_nash(gain + 1e-12 * rng.normal(size=gain.shape))
    assert share.sum() == pytest.approx(1)
    assert (share >= 0).all()
    assert (gain @ share).max() <= 1e-5 * np.abs(gain).max()


def test_matrices_that_do_not_fit_are_refused():
    with pytest.raises(ParameterError, match="antisymmetric"):
        max_entropy_nash(np.ones((2, 2)))
    with pytest.raises(ParameterError, match="square"):
        single_population(np.ones((2, 3)))
    with pytest.raises(ParameterError, match="alpha"):
        single_population(np.ones((2, 2)), alpha=-1.0)
    incomplete = result_set([[0, 1]], [[1, -1]], agents=3)
    for method in ("alpharank", "nash_averaging"):
        with pytest.raises(NotApplicableError, match="never met"):
            rate(incomplete, method)


def test_alpharank_by_seat():
    seating = [[i, j] for i in range(2) for j in range(2)]
    payoffs = [[1.0 - i + j, 1.0 - j + i] for i, j in seating]
    board = rate(result_set(seating, payoffs, agents=2), "alpharank", seats_apart=True)
    assert board.agents == ["a0", "a1"]
    assert board["a0"].rating == pytest.approx(1.0)
