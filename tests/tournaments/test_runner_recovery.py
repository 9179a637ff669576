"""The runner against an executor that loses work in every way that one can."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.errors import ArenaError
from tournaments.enrol import enrol, new_meta
from tournaments.executors import Done, Lost
from tournaments.executors.work import work
from tournaments.match import Player
from tournaments.plan import make_plan
from tournaments.runner import Runner
from tournaments.schedule import make_lines
from tournaments.spec import AgentSpec, ExecutorSpec, GameSpec, ScheduleSpec, Spec
from tournaments.store import Store

SPEC = Spec(
    name="lossy",
    games=(GameSpec("kuhn_poker"), GameSpec("tic_tac_toe")),
    agents=(AgentSpec("a", "uniform"), AgentSpec("b", "uniform"), AgentSpec("c", "first_legal")),
    seed=3,
    schedule=ScheduleSpec(repetitions=40),
    executor=ExecutorSpec("in_process"),
)


class Lossy:
    """Plays tasks, but loses, cuts short or reorders them as a random number says."""

    def __init__(self, plan, rng, *, rate, deadly=frozenset()):
        self.player = Player(plan)
        self.rng = rng
        self.rate = rate
        self.deadly = deadly  # matches (key, repetition) that end the worker each time
        self.waiting = []

    def room(self):
        return 3 - len(self.waiting)

    def submit(self, task):
        self.waiting.append(task)

    def collect(self, timeout):
        del timeout
        task = self.waiting.pop(self.rng.randrange(len(self.waiting)))
        for index, segment in enumerate(task.segments):
            for match in range(segment.first, segment.first + segment.count):
                if (segment.key, match) in self.deadly:
                    return [self.lost(task, index, match, seat=0 if segment.careful else -1)]
        if self.rng.random() < self.rate:
            if self.rng.random() < 0.3:
                return [self.lost(task, -1, 0)]
            index = self.rng.randrange(len(task.segments))
            segment = task.segments[index]
            if not segment.careful:  # else the match would be taken for deadly
                first = self.rng.randrange(segment.count) + segment.first
                return [self.lost(task, index, first)]
        if self.rng.random() < self.rate:
            task = type(task)(task.id, task.segments, 0.0)
        blocks, error = work(self.player, task)
        return [Done(task, blocks, error)]

    def lost(self, task, index, match, seat=-1):
        return Lost(task, index, match, seat, None, "the process ended", "")

    def close(self):
        self.player.close()


def play(folder, executor, plan):
    with Store.create(folder / "x.db", new_meta(SPEC, 3, 0)) as store:
        ids = enrol(store, SPEC, plan)
        runner = Runner(SPEC, plan, store, executor, games=ids.games, agents=ids.agents)
        assert runner.play(make_lines(SPEC, plan))
        assert runner.state().done == runner.state().total == store.count()
        return store.columns(), store.fault_counts()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rate=st.sampled_from([0.0, 0.3, 0.7]))
def test_whatever_is_lost_is_played_again_once(tmp_path_factory, seed, rate) -> None:
    plan = make_plan(SPEC, seed=3)
    folder = tmp_path_factory.mktemp("lossy")
    lossy = Lossy(plan, random.Random(seed), rate=rate)
    columns, faults = play(folder, lossy, plan)
    calm, none = play(
        tmp_path_factory.mktemp("calm"), Lossy(plan, random.Random(1), rate=0.0), plan
    )
    assert faults == none == {}
    assert max(Counter(columns["match"]).values()) == 1
    assert columns == calm


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), deadly=st.sets(st.integers(0, 479), min_size=1, max_size=8))
def test_a_match_that_ends_its_worker_twice_is_forfeited(tmp_path_factory, seed, deadly) -> None:
    plan = make_plan(SPEC, seed=3)
    lines = make_lines(SPEC, plan)
    matches = {(lines[d // 40].key, d % 40) for d in deadly}
    executor = Lossy(plan, random.Random(seed), rate=0.0, deadly=matches)
    columns, faults = play(tmp_path_factory.mktemp("deadly"), executor, plan)
    assert len(set(columns["match"])) == 480
    assert sum(faults.values()) == sum(o >= 0 for o in columns["offender"]) == len(matches)
    assert {kind for _, kind in faults} == {"exit"}


def test_a_worker_that_ends_with_nobody_to_move_stops_the_run(tmp_path) -> None:
    plan = make_plan(SPEC, seed=3)
    line = make_lines(SPEC, plan)[0]

    class Nobody(Lossy):
        def lost(self, task, index, match, seat=-1):
            del seat
            return super().lost(task, index, match, seat=-1)

    executor = Nobody(plan, random.Random(1), rate=0.0, deadly={(line.key, 7)})
    with pytest.raises(ArenaError, match="no agent is to move"):
        play(tmp_path, executor, plan)
