"""Gathering a report from results and ratings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import arena
from arena.errors import ParameterError
from tournaments.ratings import leaderboard
from tournaments.records import ResultSet
from tournaments.report import ReportData, build
from tournaments.report.collect import Kept, collect
from tournaments.report.data import Match


def results(*, cooperative: bool = False) -> ResultSet:
    seating, payoffs, game = [], [], []
    for g in range(2):
        for a, b in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)] * 4:
            seating.append((a, b))
            game.append(g)
            shared = cooperative and g == 1
            payoffs.append((a + b, a + b) if shared else ((1, -1) if a < b else (-1, 1)))
    rows = len(game)
    return ResultSet(
        agents=["ann", "bob", "cy"],
        games=["tic_tac_toe", "kuhn_poker"],
        game=np.array(game, dtype=np.int32),
        seating=np.array(seating, dtype=np.int32),
        payoffs=np.array(payoffs, dtype=np.float64),
        offender=np.full(rows, -1, dtype=np.int8),
        count=np.ones(rows, dtype=np.int64),
        ordered=True,
        teams=[(0, 1), (0, 1)],
        cooperative=[False, cooperative],
    )


def gather(data: ResultSet, kept: list[Kept], **options: int) -> ReportData:
    games = [arena.make("tic_tac_toe"), arena.make("kuhn_poker")]
    if data.cooperative[1]:
        games[1] = replace(games[1], payoff="cooperative")
    return collect(
        data, leaderboard(data), kept, name="Cup", games=games, seed=4, when="today", **options
    )


def kept(number: int, steps: list[dict[int, int]] | None, *, offender: int = -1) -> Kept:
    return Kept(Match(number, f"m{number}", 0, (0, 1), (1, -1), seed=1, offender=offender), steps)


def test_tables_follow_the_leaderboards() -> None:
    data = results()
    board = leaderboard(data)
    report = gather(data, [])
    assert [table.label for table in report.tables] == ["All games", "tic_tac_toe", "kuhn_poker"]
    for table, rated in zip(report.tables, [board, *board.by_game.values()], strict=True):
        assert [report.agents[row.agent] for row in table.standings] == rated.agents
        assert [row.rating for row in table.standings] == [row.rating for row in rated.rows]
        assert table.superiority is not None and rated.superiority is not None
        for i, a in enumerate(rated.agents):
            for j, b in enumerate(rated.agents):
                place = report.agents.index(a), report.agents.index(b)
                assert table.superiority[place] == rated.superiority[i, j]
        assert table.view == "win_rate"
    assert report.played == 48
    assert "ann" in build(report)


def test_a_cooperative_game_is_ranked_by_payoff() -> None:
    report = gather(results(cooperative=True), [])
    table = report.tables[2]
    assert table.view == "payoff"
    assert [report.agents[row.agent] for row in table.standings] == ["cy", "bob", "ann"]
    assert table.standings[0].rating == pytest.approx(2.5)
    assert table.pairs.payoff[1, 2] == 3 and not table.pairs.wins.any()


def test_matches_are_replayed_while_there_is_room() -> None:
    moves = [{0: 4}, {1: 0}]
    stored = [kept(1, moves), kept(2, None), kept(3, moves), kept(4, moves, offender=1)]
    report = gather(results(), stored, replayed=2)
    assert [match.replay is not None for match in report.matches] == [True, False, False, True]
    assert report.matches[0].replay is not None
    assert report.matches[0].replay.steps[-1].text.startswith("o..")
    assert "not stored" in report.matches[1].missing
    assert "too many" in report.matches[2].missing


def test_moves_that_no_longer_fit_do_not_spoil_the_report() -> None:
    report = gather(results(), [kept(1, [{0: 4}, {1: 4}])])
    assert report.matches[0].replay is None
    assert "do not fit the game" in report.matches[0].missing
    assert "do not fit the game" in build(report)


def test_games_must_match() -> None:
    data = results()
    with pytest.raises(ParameterError, match="games"):
        collect(data, leaderboard(data), [], name="x", games=[], seed=0, when="")
