"""Every pair meets equally, everyone has every seat equally, luck is shared."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import SpecError
from arena.registry import GAMES
from tournaments.api import check, run
from tournaments.plan import Board, Entry, Plan, make_plan
from tournaments.schedule import make_lines, swiss_round
from tournaments.spec import AgentSpec, GameSpec, ScheduleSpec, Spec
from tournaments.store import Store


def plan_of(agents: int, *, seats: int, teams: tuple[int, ...] = (), payoff: str = "zero_sum"):
    """A plan and its spec without any game or agent behind them."""
    names = [f"agent {i}" for i in range(agents)]
    specs = tuple(AgentSpec(name, "uniform") for name in names)
    board = Board(
        spec=GameSpec("g"),
        label="g",
        key="g",
        version="1",
        seats=seats,
        teams=teams or tuple(range(seats)),
        payoff=payoff,
        forfeits=(),
        max_steps=None,
        digest="g",
    )
    entries = tuple(
        Entry(spec=s, limits=None, tier="none", inside=True, fingerprint=s.name, digest=s.name)
        for s in specs
    )
    spec = Spec("s", (GameSpec("g"),), specs, schedule=ScheduleSpec())
    return Plan(seed=1, boards=(board,), entries=entries), spec


def scheduled(agents: int, *, seats: int, schedule: ScheduleSpec, **game):
    from dataclasses import replace

    plan, spec = plan_of(agents, seats=seats, **game)
    return make_lines(replace(spec, schedule=schedule), plan)


@settings(max_examples=60, deadline=None)
@given(agents=st.integers(2, 8), seats=st.integers(1, 4), repetitions=st.integers(1, 5))
def test_round_robin(agents: int, seats: int, repetitions: int) -> None:
    if agents < seats:
        return
    schedule = ScheduleSpec("round_robin", repetitions=repetitions)
    lines = scheduled(agents, seats=seats, schedule=schedule)
    assert {line.seating for line in lines} == set(permutations(range(agents), seats))
    assert len(lines) == comb(agents, seats) * factorial(seats) == len({li.key for li in lines})
    assert {line.count for line in lines} == {repetitions}
    # One seed for all orders of a group, another for every other group.
    seeds: dict[frozenset[int], set[int]] = {}
    for line in lines:
        seeds.setdefault(frozenset(line.seating), set()).add(line.seed)
    assert all(len(own) == 1 for own in seeds.values())
    assert len(set.union(*seeds.values())) == len(seeds)


@settings(max_examples=40, deadline=None)
@given(agents=st.integers(5, 30), seats=st.integers(2, 5), cap=st.integers(20, 300))
def test_a_sample_is_balanced(agents: int, seats: int, cap: int) -> None:
    if comb(agents, seats) * factorial(seats) <= cap:
        return
    schedule = ScheduleSpec("round_robin", max_seatings=cap)
    lines = scheduled(agents, seats=seats, schedule=schedule)
    assert len(lines) <= cap
    assert (
        len(lines)
        == len({line.key for line in lines})
        == min(cap // seats, comb(agents, seats)) * seats
    )
    assert all(len(set(line.seating)) == seats for line in lines)
    per_seat = np.zeros((seats, agents), dtype=int)
    for line in lines:
        for seat, agent in enumerate(line.seating):
            per_seat[seat, agent] += 1
    assert (per_seat == per_seat[0]).all()  # every agent has every seat equally often
    if len(lines) < comb(agents, seats) * seats / 2:  # else there is no choice left
        assert per_seat[0].max() - per_seat[0].min() <= 2


@pytest.mark.parametrize(("agents", "seats", "cap"), [(6, 2, 1000), (9, 3, 60), (7, 3, 10**6)])
def test_gauntlet(agents: int, seats: int, cap: int) -> None:
    challengers = ("agent 1", "agent 4")
    schedule = ScheduleSpec("gauntlet", challengers=challengers, max_seatings=cap)
    lines = scheduled(agents, seats=seats, schedule=schedule)
    assert len(lines) <= cap
    assert all(len({1, 4} & set(line.seating)) == 1 for line in lines)
    counts = Counter(agent for line in lines for agent in line.seating)
    assert counts[1] == counts[4] == len(lines) / 2
    field = [counts[a] for a in range(agents) if a not in (1, 4)]
    assert max(field) - min(field) <= 2 * seats
    if cap > 60:
        assert len(set(field)) == 1


def test_cross_play_of_two() -> None:
    lines = scheduled(4, seats=2, schedule=ScheduleSpec(), payoff="cooperative")
    assert {line.seating for line in lines} == {(a, b) for a in range(4) for b in range(4)}
    assert len(lines) == 16
    seeds = {line.seating: line.seed for line in lines}
    assert all(seeds[a, b] == seeds[b, a] for a, b in combinations(range(4), 2))
    assert len(set(seeds.values())) == 4 + 6


def test_cross_play_of_many() -> None:
    lines = scheduled(3, seats=3, schedule=ScheduleSpec("cross_play"), payoff="cooperative")
    seatings = Counter(line.seating for line in lines)
    assert set(seatings.values()) == {1}
    assert all((a,) * 3 in seatings for a in range(3))
    # Each agent as a guest among hosts of each other kind, in each seat.
    assert len(seatings) == 3 + 3 * 2 * 3
    capped = scheduled(
        3, seats=3, schedule=ScheduleSpec("cross_play", max_seatings=9), payoff="cooperative"
    )
    assert len(capped) == 9
    assert all((a,) * 3 in {li.seating for li in capped} for a in range(3))


def test_teams_are_sides() -> None:
    lines = scheduled(3, seats=4, teams=(0, 1, 0, 1), schedule=ScheduleSpec("round_robin"))
    assert {line.seating for line in lines} == {(a, b, a, b) for a, b in permutations(range(3), 2)}


@settings(max_examples=60, deadline=None)
@given(agents=st.integers(2, 12), rounds=st.integers(1, 14), seed=st.integers(0, 10**6))
def test_swiss(agents: int, rounds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = dict.fromkeys(range(agents), 0.0)
    met: dict[frozenset[int], int] = {}
    byes = dict.fromkeys(range(agents), 0)
    for number in range(rounds):
        pairs, idle = swiss_round(scores, met, byes)
        assert (pairs, idle) == swiss_round(dict(scores), dict(met), dict(byes))
        seated = sorted([a for pair in pairs for a in pair] + ([] if idle is None else [idle]))
        assert seated == list(range(agents))
        assert (idle is None) == (agents % 2 == 0)
        if number == 0:
            assert all(b == a + 1 for a, b in pairs)
        for pair in pairs:
            met[frozenset(pair)] = met.get(frozenset(pair), 0) + 1
            result = rng.choice([0.0, 0.5, 1.0])
            scores[pair[0]] += result
            scores[pair[1]] += 1.0 - result
        if idle is not None:
            byes[idle] += 1
            scores[idle] += 1.0
        if agents > 2 * number + 2:  # early on nobody needs to meet again
            assert max(met.values()) == 1
    assert max(byes.values()) - min(byes.values()) <= 1


def test_swiss_pairs_like_with_like() -> None:
    scores = {0: 3.0, 1: 0.0, 2: 3.0, 3: 2.0, 4: 0.0, 5: 2.0}
    assert swiss_round(scores, {}, {}) == ([(0, 2), (3, 5), (1, 4)], None)
    met = {frozenset((0, 2)): 1}
    assert swiss_round(scores, met, {}) == ([(0, 3), (2, 5), (1, 4)], None)


def test_a_swiss_tournament_resumes_to_the_same_table(tmp_path, cup, table) -> None:
    agents = [AgentSpec(f"u{i}", "uniform") for i in range(5)]
    games = ("kuhn_poker", "tic_tac_toe")
    whole, parts = tmp_path / "whole.db", tmp_path / "parts.db"
    spec = cup(*agents, games=games, kind="swiss", rounds=6, repetitions=3)
    outcome = run(spec, db=whole)
    assert outcome.played == outcome.total == 6 * 2 * 2 * 3 * 2 == check(spec)
    for rounds in (1, 3, 6):
        part = cup(*agents, games=games, kind="swiss", rounds=rounds, repetitions=3)
        run(part, db=parts, resume=True)
    assert table(whole) == table(parts)
    with Store.open(whole) as store:
        columns = store.columns()
    assert sorted(set(columns["stage"])) == list(range(6))


def test_paired_matches_share_their_luck(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    agents = (AgentSpec("a", "first_legal"), AgentSpec("b", "first_legal"))
    run(cup(*agents, games=("kuhn_poker",), repetitions=200), db=db)
    with Store.open(db) as store:
        columns = store.columns()
    by_order = [
        [p for p, a in zip(columns["payoff_0"], columns["agent_0"], strict=True) if a == name]
        for name in ("a", "b")
    ]
    assert by_order[0] == by_order[1]  # the same deals, played by equals
    assert len(set(by_order[0])) > 1
    # So over both orders two equals end exactly level.
    total = {"a": 0.0, "b": 0.0}
    for seat in (0, 1):
        for name, paid in zip(columns[f"agent_{seat}"], columns[f"payoff_{seat}"], strict=True):
            total[name] += paid
    assert total == {"a": 0.0, "b": 0.0}


def test_more_than_two_seats(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    agents = [AgentSpec(f"u{i}", "uniform") for i in range(4)]
    spec = cup(*agents, repetitions=2)
    from dataclasses import replace

    spec = replace(spec, games=(GameSpec("kuhn_poker", {"players": 3}),))
    assert run(spec, db=db).played == 4 * 6 * 2
    with Store.open(db) as store:
        results = store.results()
    assert results.seating.shape[1] == 3
    np.testing.assert_allclose(results.payoffs.sum(axis=1), 0.0)


def test_a_cooperative_game_of_teams_of_copies(tmp_path, cup) -> None:
    game = arena.make("openspiel/tiny_hanabi")
    assert game.payoff == "cooperative"
    db = tmp_path / "cup.db"
    spec = cup(games=("openspiel/tiny_hanabi",), repetitions=7)
    assert run(spec, db=db).played == 4 * 7
    with Store.open(db) as store:
        results = store.results()
    assert results.cooperative == [True]
    assert {tuple(s) for s in results.seating.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_team_game(tmp_path, cup) -> None:
    from dataclasses import replace

    inner = arena.make("kuhn_poker", players=4)
    GAMES.register("kuhn_teams", lambda: replace(inner, id="kuhn_teams", teams=(0, 1, 0, 1)))
    try:
        db = tmp_path / "cup.db"
        outcome = run(cup(games=("kuhn_teams",), repetitions=3), db=db)
    finally:
        GAMES.unregister("kuhn_teams")
    assert outcome.results.teams == [(0, 1, 0, 1)]
    assert {tuple(s) for s in outcome.results.seating.tolist()} == {(0, 1, 0, 1), (1, 0, 1, 0)}


def test_schedules_that_do_not_fit(cup) -> None:
    three = cup()
    from dataclasses import replace

    three = replace(three, games=(GameSpec("kuhn_poker", {"players": 3}),))
    with pytest.raises(SpecError, match=r"seats 3 different agents .* there are 2"):
        check(three)
    swiss = replace(three, schedule=ScheduleSpec("swiss", rounds=2))
    with pytest.raises(SpecError, match="needs games of two sides"):
        check(swiss)
    gauntlet = cup(kind="gauntlet", challengers=("a", "b"))
    with pytest.raises(SpecError, match="besides a challenger"):
        check(gauntlet)
    with pytest.raises(SpecError, match=r"no agent's name; did you mean"):
        check(cup(AgentSpec("alpha", "uniform"), kind="gauntlet", challengers=("alpa",)))


def test_two_plans_of_one_spec_are_equal(cup) -> None:
    spec = cup(repetitions=3, games=("kuhn_poker", "tic_tac_toe"))
    first, second = (make_lines(spec, make_plan(spec, seed=9)) for _ in range(2))
    assert first == second
    other = make_lines(spec, make_plan(spec, seed=10))
    assert not {line.key for line in first} & {line.key for line in other}
