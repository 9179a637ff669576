"""Pair matrices against counting one match at a time."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tournaments.records import ResultSet
from tournaments.report.pairs import pair_matrices

K = 4
TEAMS = [(0, 1), (0, 1, 0, 1), (0, 1, 2), (0, 0)]
COOPERATIVE = [False, False, False, True]


@st.composite
def results(draw: st.DrawFn) -> ResultSet:
    rows = draw(st.integers(1, 25))
    game = [draw(st.integers(0, len(TEAMS) - 1)) for _ in range(rows)]
    seating = np.full((rows, 4), -1, dtype=np.int32)
    payoffs = np.full((rows, 4), np.nan)
    for m, g in enumerate(game):
        n = len(TEAMS[g])
        seating[m, :n] = draw(st.lists(st.integers(0, K - 1), min_size=n, max_size=n))
        payoffs[m, :n] = draw(st.lists(st.integers(-2, 2), min_size=n, max_size=n))
    return ResultSet(
        agents=[f"a{k}" for k in range(K)],
        games=[f"g{g}" for g in range(len(TEAMS))],
        game=np.array(game, dtype=np.int32),
        seating=seating,
        payoffs=payoffs,
        offender=np.full(rows, -1, dtype=np.int8),
        count=np.array([draw(st.integers(1, 5)) for _ in range(rows)]),
        ordered=False,
        teams=TEAMS,
        cooperative=COOPERATIVE,
    )


@given(results(), st.sampled_from([None, 0, 1, 2]))
@settings(max_examples=80, deadline=None)
def test_the_same_as_one_by_one(data: ResultSet, only: int | None) -> None:
    wins, draws = np.zeros((K, K), dtype=int), np.zeros((K, K), dtype=int)
    paid: dict[tuple[int, int], list[float]] = {}
    for m, g in enumerate(data.game):
        if only is not None and g != only:
            continue
        for _ in range(data.count[m]):
            for i, j in permutations(range(len(TEAMS[g])), 2):
                a, b = int(data.seating[m, i]), int(data.seating[m, j])
                mine, other = data.payoffs[m, i], data.payoffs[m, j]
                paid.setdefault((a, b), []).append(mine)
                if a != b and TEAMS[g][i] != TEAMS[g][j] and not COOPERATIVE[g]:
                    wins[a, b] += mine > other
                    draws[a, b] += mine == other
    found = pair_matrices(data, game=only)
    np.testing.assert_array_equal(found.wins, wins)
    np.testing.assert_array_equal(found.draws, draws)
    for a in range(K):
        for b in range(K):
            values = paid.get((a, b), [])
            assert found.met[a, b] == len(values)
            if not values:
                assert np.isnan(found.payoff[a, b])
                continue
            assert found.payoff[a, b] == pytest.approx(np.mean(values), abs=1e-9)
            if len(values) > 1:
                error = np.std(values, ddof=1) / np.sqrt(len(values))
                assert found.payoff_error[a, b] == pytest.approx(error, abs=1e-6)


@given(results())
@settings(max_examples=40, deadline=None)
def test_a_cooperative_game_shows_its_cross_play(data: ResultSet) -> None:
    """Both seats of a match of self-play say the same, so they count once."""
    found = pair_matrices(data, game=3)
    rows = np.flatnonzero(data.game == 3)
    assert not found.wins.any() and not found.draws.any()
    for a in range(K):
        for b in range(K):
            own = [m for m in rows if {*data.seating[m, :2].tolist()} == {a, b}]
            assert found.met[a, b] == data.count[own].sum()
            seats = [(m, s) for m in own for s in range(2) if data.seating[m, s] == a]
            seats = [(m, s) for m, s in seats if data.seating[m, 1 - s] == b]
            if seats:
                paid = [data.payoffs[m, s] for m, s in seats]
                weight = [data.count[m] for m, _ in seats]
                assert found.payoff[a, b] == pytest.approx(np.average(paid, weights=weight))
