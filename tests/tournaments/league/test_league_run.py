"""What is played follows from seed and results alone, however often it is cut short."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import league_contest
import numpy as np
import pytest
from league_help import SKILLS, join, table

from arena.errors import SpecError
from tournaments.api import load_results
from tournaments.executors import inprocess
from tournaments.export import export
from tournaments.league import League
from tournaments.spec import ExecutorSpec
from tournaments.store import Store

POKER = {"games": ["kuhn_poker", "leduc_poker"]}
PLAYERS = {"random": "uniform", "first": "first_legal"}


def rows(league: League, tmp_path: Path) -> list[str]:
    """Return all matches as text, in the order of the schedule."""
    target = tmp_path / f"{league.folder.name}.csv"
    export(league.db, target)
    return target.read_text().splitlines()


def test_it_plays_as_many_matches_as_asked_for(cup) -> None:
    league = cup(skills=SKILLS)
    for count in (1, 7, 64, 33):
        before = league.status().matches
        played = league.run(matches=count)
        assert (played.matches, played.stopped) == (count, "matches")
        assert league.status().matches == before + count


def test_portions_come_to_the_same_as_one_run(cup, tmp_path) -> None:
    whole, parts = cup("whole", SKILLS), cup("parts", SKILLS)
    whole.run(matches=700)
    draw = random.Random(5)
    left = 700
    while left:
        portion = min(draw.randint(1, 90), left)
        # A new object each time: nothing is carried over but what is stored.
        League(parts.folder).run(matches=portion)
        left -= portion
    assert rows(whole, tmp_path) == rows(parts, tmp_path)
    assert table(whole) == table(parts)


def test_interruptions_at_random_points_change_nothing(cup, tmp_path, monkeypatch) -> None:
    whole, cut = cup("whole", SKILLS), cup("cut", SKILLS)
    whole.run(until_interval=45.0)
    draw = random.Random(8)
    plain = inprocess.InProcess.collect
    fuse = [0]

    def collect(self, seconds):
        fuse[0] -= 1
        if fuse[0] < 0:
            os.kill(os.getpid(), signal.SIGINT)
        return plain(self, seconds)

    monkeypatch.setattr(inprocess.InProcess, "collect", collect)
    stops = 0
    while True:
        fuse[0] = draw.randint(0, 6)
        played = League(cut.folder).run(until_interval=45.0)
        if played.stopped == "interval":
            break
        assert played.stopped == "interrupted"
        stops += 1
    assert stops > 3
    assert rows(whole, tmp_path) == rows(cut, tmp_path)
    assert table(whole) == table(cut)


SCRIPT = """
import sys
from tournaments.league import League
from tournaments.spec import ExecutorSpec
League(sys.argv[1]).run(
    matches=int(sys.argv[2]), executor=ExecutorSpec("processes", int(sys.argv[3])))
"""


def test_kills_lose_nothing_whatever_the_number_of_workers(tmp_path) -> None:
    goal = 6000
    made = [
        League.create(tmp_path / name, agents=PLAYERS, seed=3, **POKER) for name in ("a", "b", "c")
    ]
    made[0].run(matches=goal)
    made[1].run(matches=goal, executor=ExecutorSpec("processes", 2))
    draw = random.Random(1)
    kills = 0
    for attempt in range(40):
        left = goal - made[2].status().matches
        if not left:
            break
        child = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(made[2].folder), str(left), str(1 + attempt % 2)],
            start_new_session=True,
        )
        # Wait until it has committed something, then a little, then end it as a crash would.
        start, before = time.monotonic(), goal - left
        while child.poll() is None and time.monotonic() - start < 30:
            if made[2].status().matches > before:
                time.sleep(draw.random() * 0.2)
                break
            time.sleep(0.01)
        if child.poll() is None and kills < 5:
            os.killpg(child.pid, signal.SIGKILL)
            kills += 1
        child.wait()
    assert kills > 0
    assert made[2].status().matches == goal
    assert rows(made[0], tmp_path) == rows(made[1], tmp_path) == rows(made[2], tmp_path)
    assert table(made[0]) == table(made[1]) == table(made[2])


def test_seat_orders_share_their_luck(cup) -> None:
    league = cup(skills=SKILLS)
    league.run(until_interval=60.0)
    with Store.open(league.db) as store:
        lines = {
            (stage, tuple(json.loads(seating))): (key, seed)
            for key, stage, seating, seed in store._query(
                "SELECT key, stage, seating, seed FROM line"
            )
        }
        done = store.done()
    played: dict[tuple[int, ...], list[int]] = {}
    for (stage, seating), (key, seed) in sorted(lines.items()):
        twin, other = lines[stage, seating[::-1]]
        assert seed == other
        runs = [
            {r for first, count in done[k] for r in range(first, first + count)}
            for k in (key, twin)
        ]
        assert runs[0] == runs[1], "both orders have played the same seeds"
        played.setdefault(seating, []).extend(sorted(runs[0]))
    for repetitions in played.values():
        assert repetitions == list(range(len(repetitions))), "no seed twice, none left out"


def test_newcomers_are_placed_and_others_left_in_peace(cup) -> None:
    league = cup(skills=SKILLS)
    league.run(until_interval=40.0)
    before = league.leaderboard()
    join(league, "new", 120.0)
    assert league.status().new == ("new",)
    played = league.run()
    after = league.leaderboard()
    assert played.placed == ("new",) and played.stopped == "placed"
    assert after["new"].standing.games == played.matches, "every match has the newcomer in it"
    assert after["new"].status == "placed"
    assert after["new"].standing.low < 120.0 + 300.0 < after["new"].standing.high
    for label in SKILLS:
        assert after[label].standing.games >= before[label].standing.games
    assert league.run().matches == 0, "nobody is new, nothing was asked for"


def test_the_anchor_does_not_move_while_the_population_grows(cup) -> None:
    league = cup(skills=SKILLS, anchor="mid", anchor_rating=1500.0)
    skills = np.random.default_rng(3).normal(0.0, 200.0, size=6)
    truth = {"low": 1200.0, "mid": 1500.0, "high": 1800.0}
    league.run(until_interval=40.0)
    for number_, skill in enumerate(skills.tolist()):
        join(league, f"new{number_}", skill)
        truth[f"new{number_}"] = 1500.0 + skill
        league.run()
        found = league.leaderboard()
        anchor = found["mid"].standing
        assert anchor.rating == anchor.low == anchor.high == 1500.0
    league.run(until_interval=35.0)
    found = league.leaderboard()
    inside = [r.standing.low <= truth[r.member.label] <= r.standing.high for r in found.rows]
    # 95% intervals: of nine, at most two are expected to miss.
    assert sum(inside) >= 7
    worst = max(abs(r.standing.rating - truth[r.member.label]) for r in found.rows)
    assert worst < 90.0


def test_placing_by_information_needs_fewer_matches_than_by_lot(cup, monkeypatch) -> None:
    """The same newcomer, the same margin, counted in matches; strengths spread over 1600 Elo."""
    import tournaments.league.pairing as pairing

    skills = {f"s{k}": -800.0 + 200.0 * k for k in range(9)}
    informed = pairing.next_pairs

    def by_lot(tally, *, batch, rng, agents, **_):
        rest = [a for a in agents if a != "new"]
        return [("new", rest[int(rng.integers(len(rest)))]) for _ in range(batch)]

    needed = {"informed": 0, "lot": 0}
    for seed, skill in ((1, -350.0), (2, 420.0), (3, 50.0)):
        for how in needed:
            place = {"interval": 50.0, "min_matches": 20, "max_matches": 100_000}
            league = cup(f"{how}{seed}", skills, seed=seed, place=place)
            monkeypatch.setattr(pairing, "next_pairs", informed)
            league.run(until_interval=60.0)
            if how == "lot":
                monkeypatch.setattr(pairing, "next_pairs", by_lot)
            join(league, "new", skill)
            start = league.status().matches
            while league.leaderboard()["new"].margin > 50.0:
                league.run(matches=32)
            needed[how] += league.status().matches - start
    assert needed["informed"] < 0.7 * needed["lot"], needed


def test_cooperative_games_rank_by_payoff_with_each_other(cup) -> None:
    league = cup(games=["test_duet"], skills=SKILLS, place={"interval": 0.03})
    assert league.settings.method == "cross_play"
    league.run()
    join(league, "new", 100.0)
    played = league.run()
    assert played.placed == ("new",)
    found = league.leaderboard()
    assert found.board.method == "cross_play"
    # A pair is paid the mean of its numbers over 1000: a skill and the mean of Gumbel noise.
    drift = 0.5772 * 400.0 / np.log(10.0)
    for label, skill in {**SKILLS, "new": 100.0}.items():
        others = [s for o, s in {**SKILLS, "new": 100.0}.items() if o != label]
        expected = (0.5 * (skill + np.mean(others)) + drift) / 1000.0
        row = found[label]
        assert row.standing.rating == pytest.approx(expected, abs=3 * row.margin)
        assert row.margin <= 0.04
    assert [r.member.label for r in found.rows] == ["high", "new", "mid", "low"]
    results = load_results(league.db)
    assert all(len({a, b}) == 2 for a, b in results.seating.tolist())


def test_games_of_more_seats_and_several_games(cup) -> None:
    skills = {**SKILLS, "other": 100.0, "last": -500.0}
    league = cup(games=["test_contest", "test_contest(players=3)"], skills=skills)
    league.run(until_interval=60.0)
    assert [r.member.label for r in league.leaderboard().rows] == [
        "high",
        "other",
        "mid",
        "low",
        "last",
    ]
    results = load_results(league.db)
    three = results.seating[results.game == 1]
    assert len(three) and all(len(set(line)) == 3 for line in three.tolist())
    # Every side is taken by everybody equally often.
    for agent in range(len(skills)):
        taken = [int(results.count[results.seating[:, s] == agent].sum()) for s in range(3)]
        assert taken[0] == taken[1]


def test_cooperative_copies_fill_the_seats(cup) -> None:
    league = cup(games=["test_duet(players=4)"], skills=SKILLS)
    league.run(matches=50)
    results = load_results(league.db)
    assert results.seating.shape[1] == 4
    assert all(len(set(line)) == 3 for line in results.seating.tolist())
    pair = cup("pair", games=["test_duet(players=3)"], agents={"one": league_contest.Number(1.0)})
    join(pair, "two", 0.0)
    with pytest.raises(SpecError, match="cannot sit in two seats"):
        pair.run(matches=50)


def test_a_batch_goes_on_without_who_has_left(cup) -> None:
    league = cup(skills=SKILLS)
    league.run(matches=9)
    league.retire("low")
    league.run(matches=100)
    with Store.open(league.db) as store:
        assert store.count() == 109
    join(league, "fresh", 10.0)
    assert "fresh" in league.run().placed


def test_time_and_progress(cup) -> None:
    league = cup(skills=SKILLS)
    seen = []
    played = league.run(seconds=0.3, progress=seen.append)
    assert played.stopped == "seconds"
    assert seen and seen[-1].done == played.matches == league.status().matches


def test_live_objects_in_other_processes_are_refused(cup) -> None:
    league = cup(games=["kuhn_poker"], agents=PLAYERS)
    league.join("mine", lambda observation: observation.actions[0])
    with pytest.raises(SpecError, match="in_process"):
        league.run(executor=ExecutorSpec("processes", 1))
