from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import result_set, tournament

from arena.errors import NotApplicableError, ParameterError
from tournaments.ratings import tally as module
from tournaments.ratings._summary import summarise
from tournaments.ratings.selection import select
from tournaments.ratings.tally import tally


def naive(results):
    """Win, draw and loss counts by (game, seats, unit, unit), one match at a time."""
    counts = {}
    for row in range(len(results.game)):
        g = int(results.game[row])
        team = results.teams[g]
        names = sorted(set(team))
        unit, paid = [], []
        for name in names:
            seats = [s for s, t in enumerate(team) if t == name]
            who = [int(results.seating[row, s]) for s in seats]
            unit.append((who[0],) if len(set(who)) == 1 else tuple(who))
            paid.append(np.mean([results.payoffs[row, s] for s in seats]))
        for s in range(len(names)):
            for t in range(s + 1, len(names)):
                cell = counts.setdefault((g, s, t, unit[s], unit[t]), [0, 0, 0])
                gap = paid[s] - paid[t]
                cell[0 if gap > 1e-9 else 2 if gap < -1e-9 else 1] += int(results.count[row])
    return {key: cell for key, cell in counts.items() if any(cell)}


def counts_of(data):
    return {
        (c.game, *c.positions, data.units[a], data.units[b]): [w, d, lost]
        for c in data.contests
        for a, b, w, d, lost in zip(c.first, c.second, c.wins, c.draws, c.losses, strict=True)
    }


@st.composite
def any_results(draw):
    agents = draw(st.integers(2, 5))
    teams = draw(
        st.lists(st.sampled_from([(0, 1), (0, 1, 2), (0, 1, 0, 1)]), min_size=1, max_size=2)
    )
    rows = draw(st.integers(1, 25))
    seats = max(map(len, teams))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    game = rng.integers(len(teams), size=rows)
    seating = rng.integers(agents, size=(rows, seats))
    payoffs = rng.integers(-1, 2, size=(rows, seats)).astype(float)
    for g, team in enumerate(teams):
        seating[game == g, len(team) :] = -1
        payoffs[game == g, len(team) :] = np.nan
    count = rng.integers(0, 4, size=rows)
    count[0] = 1
    names = [f"g{k}" for k in range(len(teams))]
    return result_set(
        seating, payoffs, agents=agents, count=count, game=game, games=names, teams=teams
    )


@settings(max_examples=60, deadline=None)
@given(any_results(), st.booleans())
def test_tally_equals_counting_one_match_at_a_time(results, by_sorting):
    before, module._DENSE = module._DENSE, -1 if by_sorting else module._DENSE
    try:
        found = counts_of(tally(results))
    finally:
        module._DENSE = before
    assert found == naive(results)


@settings(max_examples=40, deadline=None)
@given(any_results())
def test_summary_equals_counting_one_match_at_a_time(results):
    size = len(results.agents)
    games, wins, draws, paid = (np.zeros(size) for _ in range(4))
    for row in range(len(results.game)):
        team, n = results.teams[results.game[row]], results.count[row]
        side = {
            t: np.mean([results.payoffs[row, s] for s in range(len(team)) if team[s] == t])
            for t in team
        }
        best = [t for t in side if side[t] >= max(side.values()) - 1e-9]
        for s, t in enumerate(team):
            agent = results.seating[row, s]
            mates = [k for k in range(len(team)) if team[k] == t]
            same = sum(results.seating[row, k] == agent for k in mates)
            # In games of opposed teams an agent's seats in one team are one game.
            share = n / same if len(set(team)) > 1 else n
            games[agent] += share
            paid[agent] += share * results.payoffs[row, s]
            wins[agent] += share * (best == [t])
            draws[agent] += share * (t in best and len(best) > 1)
    found = summarise(results)
    assert found.games.tolist() == pytest.approx(games)
    assert found.wins.tolist() == pytest.approx(wins)
    assert found.draws.tolist() == pytest.approx(draws)
    assert (found.wins + found.draws + found.losses).tolist() == pytest.approx(games)
    played = games > 0
    np.testing.assert_allclose(found.mean_payoff[played], (paid / np.maximum(games, 1))[played])


def test_rounding_is_a_draw_but_a_small_gap_is_not():
    results = result_set([[0, 1]] * 3, [[0.1 + 0.2, 0.3], [1e-6, 0.0], [1e9, 1e9 + 0.1]], agents=2)
    (contest,) = tally(results).contests
    assert (contest.wins[0], contest.draws[0], contest.losses[0]) == (1, 2, 0)


def test_forfeits_are_counted_against_the_seat_that_forfeited():
    results = result_set(
        [[0, 1], [1, 0]], [[1, -1], [1, -1]], agents=2, offender=[1, -1], count=[3, 1]
    )
    assert summarise(results).forfeits.tolist() == [0, 3]


def test_select_drops_other_games_and_rows_of_count_zero():
    results = result_set(
        [[0, 1]] * 4,
        [[1, -1]] * 4,
        agents=2,
        game=[0, 1, 0, 1],
        games=["x", "y"],
        count=[1, 1, 0, 1],
    )
    assert len(select(results, [0]).game) == 1
    assert len(select(results, [0, 1]).game) == 3


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"agents": []}, "agents"),
        ({"count": np.zeros(4, np.int64)}, "0 matches"),
        ({"count": np.array([1, 1, 1, -1])}, "-1"),
        ({"seating": np.full((4, 2), 9, np.int32)}, "9"),
        ({"seating": np.full((4, 2), -1, np.int32)}, "-1"),
        ({"payoffs": np.full((4, 2), np.nan)}, "finite"),
        ({"game": np.full(4, 3, np.int32)}, "3"),
    ],
)
def test_bad_results_are_refused_by_name(change, text):
    good = result_set([[0, 1]] * 4, [[1, -1]] * 4, agents=2)
    with pytest.raises(ParameterError, match=text):
        tally(dataclasses.replace(good, **change))


def test_a_game_without_two_sides_has_no_tally():
    shared = result_set([[0, 1]], [[1, 1]], agents=2, cooperative=[True])
    with pytest.raises(NotApplicableError, match="payoff"):
        tally(shared)


def test_dependence_is_known_by_block_and_by_match_of_many_seats():
    _, alone = tournament(0, matches=50)
    assert not tally(alone).dependent
    paired = dataclasses.replace(alone, block=np.arange(50) // 2)
    assert len(tally(paired).copies) == 25
    assert not tally(dataclasses.replace(alone, block=np.arange(50))).dependent
    assert tally(result_set([[0, 1, 2]], [[1, 0, -1]], agents=3)).dependent
