from __future__ import annotations

import dataclasses

import choix
import evalica
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from simulated import play, result_set, tournament
from test_rating_tally import any_results

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from tournaments.ratings import leaderboard, rate
from tournaments.ratings._likelihood import build, cluster_scores, evaluate, slope
from tournaments.ratings.davidson import ELO, davidson, fit
from tournaments.ratings.tally import tally

# Davidson (1970), table 2: six brands of chocolate pudding; pair, wins of each, ties.
PUDDING = [
    ("12", 19, 22, 16), ("13", 16, 19, 12), ("23", 19, 19, 10), ("14", 18, 23, 13),
    ("24", 23, 19, 9), ("34", 19, 20, 15), ("15", 13, 19, 18), ("25", 16, 20, 12),
    ("35", 16, 15, 17), ("45", 17, 14, 16), ("16", 18, 21, 12), ("26", 22, 20, 12),
    ("36", 13, 18, 10), ("46", 14, 19, 18), ("56", 11, 21, 12),
]  # fmt: skip


def test_davidsons_own_example():
    rows, count = [], []
    for pair, first, second, ties in PUDDING:
        for n, payoff in ((first, 1), (second, -1), (ties, 0)):
            rows.append((int(pair[0]) - 1, int(pair[1]) - 1, payoff))
            count.append(n)
    table = np.array(rows)
    results = result_set(
        table[:, :2], np.stack([table[:, 2], -table[:, 2]], 1), agents=6, count=count
    )
    found = fit(tally(results), prior=0.0, advantage=False)
    worth = np.exp(found.strength)
    np.testing.assert_allclose(
        worth / worth.sum(), [0.1388, 0.1730, 0.1617, 0.1654, 0.1587, 0.2024], atol=5e-5
    )
    assert np.exp(found.draw["g"]) == pytest.approx(0.7468, abs=5e-5)


@pytest.mark.parametrize("seed", range(3))
def test_without_draws_it_is_the_bradley_terry_of_two_libraries(seed):
    _, results = tournament(seed, agents=8, matches=600)
    found = fit(tally(results), prior=1e-9, advantage=False).strength
    won = results.payoffs[:, 0] > 0
    first, second = results.seating[:, 0], results.seating[:, 1]
    pairs = np.where(won[:, None], results.seating, results.seating[:, ::-1])
    other = choix.opt_pairwise(8, pairs.tolist(), alpha=1e-12)
    np.testing.assert_allclose(found, other - other.mean(), atol=1e-4)
    winners = [evalica.Winner.X if w else evalica.Winner.Y for w in won]
    scores = evalica.bradley_terry(
        [f"a{k}" for k in first], [f"a{k}" for k in second], winners, tolerance=1e-12, limit=10_000
    ).scores
    third = np.log([scores[f"a{k}"] for k in range(8)])
    np.testing.assert_allclose(found, third - third.mean(), atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(any_results(), st.integers(0, 2**32), st.booleans())
def test_gradient_hessian_and_cluster_scores(results, seed, advantage):
    data = tally(results)
    model = build(data, prior=0.7, advantage=advantage)
    x = np.random.default_rng(seed).normal(size=model.size)
    _, gradient, information = evaluate(model, x)
    h = 1e-5
    for k in range(model.size):
        step = np.zeros(model.size)
        step[k] = h
        up, down = evaluate(model, x + step), evaluate(model, x - step)
        assert (up[0] - down[0]) / (2 * h) == pytest.approx(gradient[k], abs=1e-4, rel=1e-5)
        np.testing.assert_allclose(
            (down[1] - up[1]) / (2 * h), information[k], atol=1e-5, rtol=1e-4
        )
    np.testing.assert_allclose(information, information.T, atol=1e-12)
    if data.dependent:
        without = build(data, prior=0.0, advantage=advantage)
        total = data.copies @ cluster_scores(without, x)
        np.testing.assert_allclose(total, evaluate(without, x)[1], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(any_results(), st.integers(0, 2**32))
def test_row_order_labels_and_folding_do_not_matter(results, seed):
    rng = np.random.default_rng(seed)
    base = davidson(results)
    shuffle = rng.permutation(len(results.game))
    unfolded = np.repeat(shuffle, results.count[shuffle])
    numbers = rng.permutation(len(results.agents))
    names = [""] * len(results.agents)
    for old, new in enumerate(numbers):
        names[new] = results.agents[old]
    other = davidson(
        dataclasses.replace(
            results,
            agents=names,
            game=results.game[unfolded],
            seating=np.where(results.seating < 0, -1, numbers[results.seating])[unfolded].astype(
                np.int32
            ),
            payoffs=results.payoffs[unfolded],
            offender=results.offender[unfolded],
            count=np.ones(len(unfolded), np.int64),
        )
    )
    for row in base.rows:
        same = other[row.agent]
        assert same.rating == pytest.approx(row.rating, abs=1e-4)
        assert same.high == pytest.approx(row.high, rel=1e-5, abs=1e-3)
        assert (same.games, same.wins, same.draws) == (row.games, row.wins, row.draws)
        assert (same.rank_low, same.rank_high) == (row.rank_low, row.rank_high)


@settings(max_examples=40, deadline=None)
@given(any_results(), st.integers(0, 2**32), st.integers(1, 4))
def test_equal_clusters_are_merged_without_changing_their_sum(results, seed, per_block):
    rng = np.random.default_rng(seed)
    results = dataclasses.replace(results, block=rng.integers(0, 8, len(results.game)) // per_block)
    data = tally(results)
    model = build(data, prior=0.0, advantage=True)
    x = rng.normal(size=model.size)
    if not data.dependent:
        return
    scores = cluster_scores(model, x).toarray()
    merged = scores.T @ (scores * data.copies[:, None])
    slow = np.zeros_like(merged)
    for block in np.unique(results.block[results.count > 0]):
        here = results.block == block
        part = dataclasses.replace(
            results, game=results.game[here], seating=results.seating[here],
            payoffs=results.payoffs[here], offender=results.offender[here],
            count=results.count[here], block=None,
        )  # fmt: skip
        score = naive_score(part, model, x, data)
        slow += np.outer(score, score)
    np.testing.assert_allclose(merged, slow, atol=1e-9)


def naive_score(results, model, x, data):
    """Gradient of the log likelihood of eq. (1), one comparison at a time."""
    score = np.zeros(model.size)
    for row in range(len(results.game)):
        g, n = int(results.game[row]), int(results.count[row])
        if n == 0:
            continue  # a game without matches has no parameters
        team = results.teams[g]
        names = sorted(set(team))
        sides = [[s for s, t in enumerate(team) if t == name] for name in names]
        for s in range(len(sides)):
            for t in range(s + 1, len(sides)):
                design = np.zeros(model.size)
                for side, sign in ((s, 1.0), (t, -1.0)):
                    for seat in sides[side]:
                        design[results.seating[row, seat]] += sign / len(sides[side])
                    design[model.seat[g][side]] += sign
                d = model.draw[g]
                log_nu = x[d] if d >= 0 else -np.inf
                e = design @ x
                w = np.exp([e / 2, log_nu, -e / 2])
                p = w / w.sum()
                gap = np.mean(results.payoffs[row, sides[s]]) - np.mean(
                    results.payoffs[row, sides[t]]
                )
                y = np.array([gap > 1e-9, abs(gap) <= 1e-9, gap < -1e-9], float)
                weight = n * 2.0 / len(sides)
                score += weight * (y - p) @ [0.5, 0.0, -0.5] * design
                if d >= 0:
                    score[d] += weight * (y - p)[1]
    return score


@settings(max_examples=30, deadline=None)
@given(any_results(), st.integers(0, 2**32))
def test_the_compiled_gradient_equals_the_sum_over_comparisons(results, seed):
    data = tally(results)
    model = build(data, prior=0.0, advantage=True)
    x = np.random.default_rng(seed).normal(size=model.size)
    slow = naive_score(results, model, x, data)
    np.testing.assert_allclose(evaluate(model, x)[1], slow, atol=1e-9)
    np.testing.assert_allclose(slope(model, x)[1], slow, atol=1e-9)
    assert slope(model, x)[0] == evaluate(model, x)[0]


def covered(strength, board):
    return [
        board[f"a{k}"].low <= ELO * s <= board[f"a{k}"].high
        for k, s in enumerate(strength.tolist())
    ]


@pytest.mark.parametrize(("draw", "advantage"), [(0.0, 0.0), (0.6, 0.23)])
def test_intervals_cover_the_truth(draw, advantage):
    runs = 40
    hits = []
    for seed in range(runs):
        strength, results = tournament(seed, agents=10, matches=600, draw=draw, advantage=advantage)
        hits.append(np.mean(covered(strength, davidson(results))))
    # The error of the mean over runs; 3.5 of them fail once in 2000 honest programs.
    error = np.std(hits, ddof=1) / np.sqrt(runs)
    assert abs(np.mean(hits) - 0.95) < 3.5 * error + 0.01


def shared_luck(rng, strength, pairs, luck):
    """Each pairing twice on one seed, whose luck favours whoever sits first."""
    noise = rng.normal(0, luck, len(pairs))
    seating = np.concatenate([pairs, pairs[:, ::-1]])
    payoffs = np.concatenate(
        [
            play(rng, strength, pairs, advantage=noise),
            play(rng, strength, pairs[:, ::-1], advantage=noise),
        ]
    )
    block = np.tile(np.arange(len(pairs)), 2)
    return result_set(seating, payoffs, agents=len(strength), block=block)


def test_luck_shared_by_a_pair_of_matches_is_not_counted_as_noise():
    rng = np.random.default_rng(0)
    strength = np.array([0.6, 0.2, -0.2, -0.6])
    every = np.array([(i, j) for i in range(4) for j in range(i)])
    # Luck flattens the curve, so the truth that a fit aims at is that of very many games.
    truth = fit(
        tally(shared_luck(rng, strength, np.repeat(every, 40_000, axis=0), 2.0)), intervals=False
    ).strength
    spread, robust, plain = [], [], []
    for _ in range(60):
        data = tally(shared_luck(rng, strength, np.repeat(every, 50, axis=0), 2.0))
        found = fit(data)
        spread.append((found.strength - truth) ** 2)
        robust.append(np.diag(found.covariance))
        plain.append(np.diag(fit(data, covariance="hessian").covariance))
    ratio = np.mean(robust) / np.mean(spread)
    # 240 squared deviations: a relative error of about 11%.
    assert 0.7 < ratio < 1.4
    assert np.mean(plain) > 1.25 * np.mean(robust)


def test_intervals_of_matches_of_four_seats_match_the_spread():
    rng = np.random.default_rng(1)
    strength = np.linspace(-1, 1, 6)

    def many(matches):
        seating = np.argsort(rng.random((matches, 6)), axis=1)[:, :4]
        return result_set(seating, strength[seating] + rng.gumbel(size=(matches, 4)), agents=6)

    truth = fit(tally(many(150_000)), intervals=False).strength
    fits = [fit(tally(many(150))) for _ in range(60)]
    spread = np.mean([(f.strength - truth) ** 2 for f in fits])
    assert all(f.robust for f in fits)
    assert 0.75 < np.mean([np.diag(f.covariance) for f in fits]) / spread < 1.35


def test_seat_advantage_and_draws_are_found():
    _, results = tournament(5, agents=6, matches=40_000, advantage=0.4, draw=0.8)
    board = leaderboard(results)
    assert board.details["advantage of seat 0 in g"] == pytest.approx(0.4 * ELO, abs=8)
    assert board.details["draws between equals in g"] == pytest.approx(0.8 / 2.8, abs=0.02)


def test_teams_are_rated_by_the_mean_of_their_members():
    rng = np.random.default_rng(2)
    strength = np.array([1.0, 0.5, -0.5, -1.0])
    seating = np.argsort(rng.random((30_000, 4)), axis=1)
    gap = strength[seating[:, [0, 2]]].mean(1) - strength[seating[:, [1, 3]]].mean(1)
    won = np.where(rng.random(len(gap)) < 1 / (1 + np.exp(-gap)), 1.0, -1.0)
    payoffs = np.stack([won, -won, won, -won], 1)
    found = fit(tally(result_set(seating, payoffs, agents=4, teams=[(0, 1, 0, 1)])))
    np.testing.assert_allclose(found.strength, strength, atol=0.12)


def test_groups_that_never_met_are_not_ordered():
    results = result_set(
        [[0, 1], [1, 0], [0, 1], [2, 3], [3, 2], [3, 2]],
        [[1, -1], [-1, 1], [-1, 1], [1, -1], [-1, 1], [1, -1]],
        agents=4,
        count=[150, 150, 20, 150, 150, 20],
    )
    board = leaderboard(results)
    assert any("cannot order a0 and a2: no path of games" in w for w in board.warnings)
    apart = board.superiority[board.agents.index("a0"), board.agents.index("a2")]
    assert apart == 0.5
    assert (board["a0"].rank_low, board["a0"].rank_high) == (1, 3)


def test_one_sided_results_stay_finite_and_say_so():
    results = result_set(
        [[0, 1], [1, 0], [1, 2], [2, 1]],
        [[1, -1], [-1, 1], [1, -1], [1, -1]],
        agents=3,
        count=[20, 20, 15, 15],
    )
    board = leaderboard(results)
    assert all(np.isfinite([row.rating, row.low, row.high]).all() for row in board.rows)
    assert any("only the prior keeps a0 finite" in w for w in board.warnings)
    assert board.rows[0].agent == "a0" and board["a0"].rank_high == 1


def test_sparse_results_of_many_agents_stay_finite():
    strength, results = tournament(3, agents=300, matches=600)
    board = leaderboard(results)
    assert all(np.isfinite([row.rating, row.low, row.high]).all() for row in board.rows)
    assert any("too few games" in w for w in board.warnings)
    assert np.mean(covered(strength, board)) > 0.9


def test_a_cycle_is_named():
    seating = [[0, 1], [1, 0], [1, 2], [2, 1], [2, 0], [0, 2], [0, 3], [3, 0]]
    first = [1, -1, 1, -1, 1, -1, 1, 1]
    board = leaderboard(result_set(seating, [[x, -x] for x in first], agents=4, count=[40] * 8))
    (text,) = [w for w in board.warnings if "cycle" in w]
    assert "a0 beats a1 beats a2 beats a0" in text


def test_noise_is_not_called_a_cycle_and_enough_data_has_no_warnings():
    for seed in range(10):
        _, results = tournament(seed, agents=12, matches=3000, draw=0.5, spread=0.2)
        assert leaderboard(results).warnings == ()


def test_seats_that_were_not_balanced_are_reported():
    rng = np.random.default_rng(0)
    won = np.where(rng.random((200, 1)) < 0.6, 1.0, -1.0)
    board = leaderboard(result_set([[0, 1]] * 200, np.hstack([won, -won]), agents=2))
    assert any("seats were not balanced" in w for w in board.warnings)


def test_general_sum_payoffs_are_reported():
    board = leaderboard(result_set([[0, 1], [1, 0]], [[3, 3], [5, 0]], agents=2))
    assert any("general-sum" in w for w in board.warnings)


def test_one_agent_alone():
    board = leaderboard(result_set([[0, 0]] * 3, [[1, -1]] * 3, agents=1))
    row = board["a0"]
    assert (row.rating, row.rank, row.rank_low, row.rank_high) == (0.0, 1, 1, 1)
    assert (row.games, row.wins, row.losses) == (6, 3, 3)


def test_no_games_are_refused():
    with pytest.raises(ParameterError, match="0 matches"):
        leaderboard(result_set(np.zeros((0, 2)), np.zeros((0, 2)), agents=2))


def test_the_anchor_stays_where_it_is_put():
    _, results = tournament(1, agents=5)
    free, fixed = davidson(results), davidson(results, anchor="a3", anchor_rating=1000)
    assert fixed["a3"].rating == fixed["a3"].low == fixed["a3"].high == 1000
    for row in free.rows:
        gap = fixed[row.agent].rating - 1000
        assert gap == pytest.approx(row.rating - free["a3"].rating, abs=1e-6)
        assert (row.rank_low, row.rank_high) == (
            fixed[row.agent].rank_low, fixed[row.agent].rank_high,
        )  # fmt: skip


def test_several_games_give_one_rating_together_and_one_each():
    _, one = tournament(1, agents=4, matches=500)
    game = np.arange(500) % 2
    results = dataclasses.replace(
        one,
        games=["x", "y"],
        game=game.astype(np.int32),
        teams=[(0, 1)] * 2,
        cooperative=[False] * 2,
    )
    board = leaderboard(results)
    assert sorted(board.by_game) == ["x", "y"]
    alone = dataclasses.replace(
        one, seating=one.seating[game == 0], payoffs=one.payoffs[game == 0],
        game=one.game[game == 0], offender=one.offender[game == 0], count=one.count[game == 0],
    )  # fmt: skip
    for row in leaderboard(alone).rows:
        assert board.by_game["x"][row.agent].rating == pytest.approx(row.rating, abs=1e-6)


def test_cooperative_games_are_left_out_or_rated_by_payoff():
    seating, payoffs = [[0, 1], [1, 0], [0, 1]], [[1, -1], [1, -1], [7, 7]]
    mixed = result_set(
        seating, payoffs, agents=2, games=["x", "y"], game=[0, 0, 1], cooperative=[False, True]
    )
    board = leaderboard(mixed)
    assert board.warnings[0].startswith("y: no two sides")
    assert board["a0"].games == 2
    shared = result_set(seating, [[1, 1], [2, 2], [7, 7]], agents=2, cooperative=[True])
    assert leaderboard(shared).method == "payoff"
    with pytest.raises(NotApplicableError, match="payoff"):
        rate(shared, "davidson")


@pytest.mark.parametrize(
    ("settings_", "error"),
    [
        ({"level": 1.0}, ParameterError),
        ({"prior": -1.0}, ParameterError),
        ({"covariance": "huber"}, ParameterError),
        ({"anchor": "a9"}, UnknownNameError),
        ({"sigma": 1}, ParameterError),
    ],
)
def test_bad_settings_are_refused_by_name(settings_, error):
    _, results = tournament(1, agents=4)
    with pytest.raises(error, match=next(iter(map(str, settings_.values()))).replace(".", r"\.")):
        rate(results, "davidson", **settings_)


def test_an_unknown_method_gets_the_nearest_names():
    _, results = tournament(1, agents=4)
    with pytest.raises(UnknownNameError, match="glicko2"):
        rate(results, "glicko")


@pytest.mark.slow
@pytest.mark.parametrize("draw", [0.0, 0.6])
@pytest.mark.parametrize("advantage", [0.0, 0.23])
def test_coverage_over_many_tournaments(draw, advantage):
    hits = []
    for seed in range(200):
        strength, results = tournament(seed, draw=draw, advantage=advantage)
        hits += covered(strength, davidson(results))
    # 200 tournaments are worth at least 2000 independent intervals.
    assert 0.93 < np.mean(hits) < 0.97
    assert binom.cdf(int(np.mean(hits) * 2000), 2000, 0.95) > 1e-4
