"""One match: every way of playing it gives the same result."""

from __future__ import annotations

import numpy as np
import pytest

import arena
from agents.simple import FirstLegal, Uniform
from arena.agent import Limits
from arena.errors import ParameterError, SpecError
from tournaments.match import Player
from tournaments.plan import Segment, make_plan
from tournaments.schedule import make_lines
from tournaments.spec import AgentSpec


def segment_of(line, *, first: int = 0, count: int = 40, careful: bool = False) -> Segment:
    return Segment(line.key, line.game, line.seating, line.seed, first, count, careful)


def payoffs_of(block) -> list[tuple[float, ...]]:
    return [block.outcomes[code].payoffs for code in block.codes]


@pytest.mark.parametrize("game", ["kuhn_poker", "connect_four", "goofspiel", "leduc_poker"])
def test_every_way_of_playing_gives_the_same(cup, bot, game) -> None:
    uniform = AgentSpec("u", "uniform")
    expected = None
    for other in (
        bot("Plain", "p"),
        bot("Plain", "p", limits=Limits(move=100.0, cpu=100.0)),
        bot("Plain", "p", isolation="process"),
    ):
        for record in ("sample",) if other.tier == "process" else ("none", "sample", "all"):
            spec = cup(uniform, other, games=(game,), record=record, repetitions=40)
            plan = make_plan(spec, seed=3)
            line = make_lines(spec, plan)[0]
            player = Player(plan)
            try:
                whole = payoffs_of(player.play(segment_of(line)))
                careful = payoffs_of(player.play(segment_of(line, careful=True)))
                parts = [
                    payoffs
                    for first in range(0, 40, 7)
                    for payoffs in payoffs_of(
                        player.play(segment_of(line, first=first, count=min(7, 40 - first)))
                    )
                ]
            finally:
                player.close()
            expected = expected or whole
            assert whole == careful == parts == expected
    assert len(set(expected)) > 1


def test_a_block_stops_when_its_time_is_over(cup) -> None:
    spec = cup(repetitions=10**6)
    plan = make_plan(spec, seed=3)
    line = make_lines(spec, plan)[0]
    block = Player(plan).play(segment_of(line, count=10**6), until=0.0)
    assert 1 <= len(block.codes) < 10**6


def test_agents_see_their_clock() -> None:
    seen = []

    class Watching(FirstLegal):
        def act(self, observation):
            seen.append(observation.clock)
            return super().act(observation)

    arena.play("tic_tac_toe", [Watching(), "uniform"], seed=1, limits=Limits(move=50.0, game=500.0))
    assert all(clock.move == 50.0 and 0.0 < clock.game <= 500.0 for clock in seen)
    assert [c.game for c in seen] == sorted((c.game for c in seen), reverse=True)


def test_play_shows_one_match() -> None:
    views = []
    match = arena.play(
        "tic_tac_toe",
        ["uniform", "first_legal"],
        seed=3,
        on_step=lambda state, joint: views.append((state.render(), dict(joint))),
    )
    assert [joint for _, joint in views] == list(match.steps)
    state = arena.make("tic_tac_toe").state(match.seed)
    for view, joint in views:
        state.step(joint)
        assert state.render() == view
    assert tuple(state.returns()) == match.payoffs
    assert match.fault is None
    text = match.transcript()
    assert text.count("\n") == len(match.steps) + 1
    assert "first_legal" in text
    again = arena.play("tic_tac_toe", ["uniform", "first_legal"], seed=3)
    assert again.steps == match.steps


def test_play_takes_live_agents_and_copies() -> None:
    one = arena.play("kuhn_poker", [Uniform(), Uniform()], seed=4)
    two = arena.play("kuhn_poker", ["uniform", "uniform"], seed=4)
    assert one.steps == two.steps
    lost = arena.play("tic_tac_toe", [lambda o: 99, "uniform"], seed=1)
    assert lost.payoffs == (-1.0, 1.0)
    assert lost.fault is not None
    assert lost.fault.kind == "illegal"
    assert "forfeits: illegal" in lost.transcript()


def test_play_refuses_what_cannot_be_seated() -> None:
    with pytest.raises(ParameterError, match="2, one a seat"):
        arena.play("kuhn_poker", ["uniform"])
    same = Uniform()
    with pytest.raises(SpecError, match="two seats"):
        arena.play("kuhn_poker", [same, same])
    with pytest.raises(SpecError, match="uniform"):
        arena.play("kuhn_poker", ["unifrom", "uniform"])


def test_a_tournament_in_one_call() -> None:
    outcome = arena.tournament(
        games=["tic_tac_toe", arena.make("kuhn_poker", players=2)],
        agents={"u": "uniform", "last": lambda o: o.actions[-1], "class": FirstLegal},
        repetitions=5,
        seed=1,
    )
    assert outcome.complete
    assert outcome.played == outcome.total == 2 * 6 * 5
    again = arena.tournament(
        games=["tic_tac_toe", "kuhn_poker"],
        agents={"u": "uniform", "last": lambda o: o.actions[-1], "class": FirstLegal},
        repetitions=5,
        seed=1,
    )
    np.testing.assert_array_equal(again.results.payoffs[:4], outcome.results.payoffs[:4])


def test_the_payoffs_of_a_batch_are_those_of_the_loop(cup, monkeypatch) -> None:
    import games.batch

    spec = cup(games=("kuhn_poker",), repetitions=100, record="none")
    plan = make_plan(spec, seed=3)
    line = make_lines(spec, plan)[0]
    loop = payoffs_of(Player(plan).play(segment_of(line, count=100)))
    calls = []

    def by_seed(game, agents, seeds):
        """Play each match on its own, as a batch would have to answer."""
        from arena.episode import drive
        from arena.rng import seat_seed

        calls.append(len(seeds))
        rows = []
        for seed in np.asarray(seeds).tolist():
            state = game.state(seed)
            for seat, agent in enumerate(agents):
                agent.begin(game, seat, seat_seed(seed, seat))
            drive(state, [agent.act for agent in agents])
            rows.append(state.returns())
        return np.array(rows)

    monkeypatch.setattr(games.batch, "play_batch", by_seed)
    assert payoffs_of(Player(plan).play(segment_of(line, count=100))) == loop
    assert sum(calls) == 100


def test_scalars_are_written(tmp_path, cup) -> None:
    from tensorboardX.proto.event_pb2 import Event

    from tournaments.api import run
    from tournaments.scalars import Scalars

    with Scalars("my cup!", root=tmp_path, every=0.0) as scalars:
        run(cup(repetitions=50), progress=scalars)
        scalars.ratings({"a": 1500.0}, 100)
    (file,) = scalars.folder.iterdir()
    data, tags, place = file.read_bytes(), {}, 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 8], "little")
        event = Event.FromString(data[place + 12 : place + 12 + size])
        for value in event.summary.value:
            tags[value.tag] = value.simple_value
        place += 12 + size + 4
    assert tags["matches/done"] == tags["matches/total"] == 100
    assert tags["rating/a"] == 1500.0
    assert tags["matches/per_second"] > 0


def test_a_state_that_was_cut_off_by_its_own_clock_says_so(tmp_path, cup, table) -> None:
    """Equal payoffs, one time cut off and one time not: two outcomes."""
    from dataclasses import replace

    from arena.registry import GAMES
    from tournaments.api import run
    from tournaments.store import Store

    inner = arena.make("tic_tac_toe")

    class Short:
        """Ends after the first move, on odd seeds by a time limit."""

        def __init__(self, seed):
            self._state = inner.state(seed)
            self.truncated = False
            self._odd = seed % 2 == 1
            self._over = False

        def __getattr__(self, name):
            if name == "drive":
                raise AttributeError(name)
            return getattr(self._state, name)

        def actors(self):
            return () if self._over else self._state.actors()

        def step(self, actions):
            self._state.step(actions)
            self._over, self.truncated = True, self._odd

    GAMES.register("short", lambda: replace(inner, id="short", forms={"state": Short}))
    try:
        db = tmp_path / "cup.db"
        run(cup(games=("short",), repetitions=50), db=db)
    finally:
        GAMES.unregister("short")
    with Store.open(db) as store:
        columns, seeds = store.columns(), {}
        assert 10 < sum(columns["truncated"]) < 90
        for episode in store.episodes():
            seeds[episode.outcome.truncated] = episode.seed
            assert episode.outcome.truncated == (episode.seed % 2 == 1)
