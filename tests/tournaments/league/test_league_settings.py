"""What is written is read again; live objects are told apart; rules of the choice of pairs."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from league_contest import Number

from arena.agent import Limits
from arena.errors import ParameterError, UnknownNameError
from arena.policy import TabularPolicy
from tournaments.adaptive import next_pairs
from tournaments.league.identity import identity
from tournaments.league.pairing import payoff_pairs, seatings
from tournaments.league.settings import (
    LeagueGame,
    Member,
    Placement,
    Settings,
    read_settings,
    write_settings,
)
from tournaments.plan import make_plan
from tournaments.ratings import rate
from tournaments.ratings.tally import tally
from tournaments.records import ResultSet
from tournaments.spec import AgentSpec, ExecutorSpec, ForfeitSpec, GameSpec, Spec

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
PLAIN = st.one_of(
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
)
VALUES = st.recursive(
    PLAIN, lambda x: st.one_of(st.lists(x, max_size=3), st.dictionaries(TEXT, x, max_size=3))
)
SETTINGS = Settings(
    name="cup",
    seed=7,
    created="2024-05-06T07:08:09+00:00",
    method="davidson",
    games=(LeagueGame(GameSpec("kuhn_poker", {}, "kuhn"), "1", "ab"),),
)


def member(**changes: object) -> Member:
    """Return a member with something unusual."""
    made = Member(
        name="a",
        version=1,
        spec=AgentSpec("a", "uniform"),
        live=False,
        fingerprint="f",
        digest="d",
        joined="2024-05-06T07:08:09+00:00",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@given(params=st.dictionaries(TEXT, VALUES, max_size=4), name=TEXT, rating=st.floats(-1e6, 1e6))
def test_settings_survive_being_written(
    tmp_path_factory: pytest.TempPathFactory, params: dict[str, object], name: str, rating: float
) -> None:
    folder = tmp_path_factory.mktemp("league")
    spec = AgentSpec("a@3", "uniform", params, isolation="process", limits=Limits(move=0.5))
    made = replace(
        SETTINGS,
        name=name,
        anchor_rating=rating,
        members=(
            member(spec=spec, version=3, retired="2025-01-01T00:00:00+00:00", reason=name or "x"),
            member(name="b", live=True, spec=AgentSpec("b")),
        ),
        limits=Limits(game=9.0, memory=1 << 30),
        forfeit=ForfeitSpec(offender=-2.5),
        placement=Placement(interval=0.25, min_matches=3),
        max_steps=77,
    )
    write_settings(folder, made)
    assert read_settings(folder) == made


def test_what_toml_cannot_say_is_refused_and_nothing_written(tmp_path: Path) -> None:
    write_settings(tmp_path, SETTINGS)
    text = (tmp_path / "league.toml").read_text()
    bad = member(spec=AgentSpec("a", "uniform", {"depth": [None]}))
    with pytest.raises(ParameterError, match="TOML"):
        write_settings(tmp_path, replace(SETTINGS, members=(bad,)))
    assert (tmp_path / "league.toml").read_text() == text


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("interval = 60.0", "intervall = 60.0", UnknownNameError, "interval"),
        ("interval = 60.0", "interval = -1.0", ParameterError, "above 0"),
        ('method = "davidson"', 'method = "elo"', ParameterError, "cross_play"),
    ],
)
def test_settings_edited_by_hand_are_checked(
    tmp_path: Path, old: str, new: str, error: type[Exception], message: str
) -> None:
    write_settings(tmp_path, SETTINGS)
    path = tmp_path / "league.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(error, match=message):
        read_settings(tmp_path)


# -- identity ----------------------------------------------------------------------------


def _policy(p: float) -> TabularPolicy:
    return TabularPolicy.from_mapping("g", {(0, "x"): [p, 1.0 - p]})


def _closed_over(n: int):
    return lambda observation: observation.actions[n]


def _holding(**values: object) -> Number:
    made = Number()
    for name, value in values.items():
        setattr(made, name, value)
    return made


DIFFERENT = [
    lambda: Number(1.0),
    lambda: Number(2.0),
    lambda: _policy(0.25),
    lambda: _policy(0.5),
    lambda: _closed_over(0),
    lambda: _closed_over(1),
    lambda: lambda observation: 3,
    lambda: lambda observation: 4,
    lambda: Number,
    lambda: _holding(version="a"),
    lambda: _holding(version="b"),
    lambda: _holding(weights=np.arange(4.0)),
    lambda: _holding(weights=np.arange(4)),
    lambda: _holding(weights=np.arange(4.0)[::-1]),
    lambda: _holding(rng=np.random.default_rng(1)),
    lambda: _holding(rng=np.random.default_rng(2)),
    lambda: _holding(table={"a": [1, {2, 3}], "b": b"x"}),
    lambda: _holding(table={"a": [1, {2, 4}], "b": b"x"}),
]


def test_live_objects_are_told_by_code_and_state() -> None:
    digests = [identity(make()) for make in DIFFERENT]
    assert len(set(digests)) == len(digests)
    assert digests == [identity(make()) for make in DIFFERENT], "made again, they are the same"
    assert digests[0] == identity(copy.deepcopy(Number(1.0)))
    assert identity(Number, {"skill": 1.0}) != identity(Number, {"skill": 2.0})


def test_a_version_of_its_own_decides() -> None:
    one, two = _holding(version="a"), _holding(version="a", skill=5.0)
    assert identity(one) == identity(two)


def test_loops_and_learners_of_torch_are_walked_through() -> None:
    loop = _holding()
    loop.me = [loop]
    assert identity(loop) != identity(Number())
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(2, 2)
    before = identity(_holding(net=layer))
    with torch.no_grad():
        layer.weight += 1.0
    assert identity(_holding(net=layer)) != before


# -- pairs -------------------------------------------------------------------------------


def results(lines: list[tuple[int, int, float, float, int]], agents: int) -> ResultSet:
    """Return folded results of one two-seat game."""
    return ResultSet(
        agents=[f"a{k}" for k in range(agents)],
        games=["g"],
        game=np.zeros(len(lines), dtype=np.int32),
        seating=np.array([line[:2] for line in lines], dtype=np.int32),
        payoffs=np.array([line[2:4] for line in lines], dtype=np.float64),
        offender=np.full(len(lines), -1, dtype=np.int8),
        count=np.array([line[4] for line in lines], dtype=np.int64),
        ordered=False,
        teams=[(0, 1)],
        cooperative=[False],
    )


def test_who_no_longer_plays_is_evidence_only() -> None:
    # a2 has left; through it a0 and a1 are known to be far apart.
    played = results([(0, 2, 1, -1, 50), (2, 0, 1, -1, 5), (2, 1, 1, -1, 50), (1, 2, 1, -1, 5)], 3)
    rng = np.random.default_rng(0)
    pairs = next_pairs(
        tally(played), goal="place", batch=20, rng=rng, agents=["a0", "a1", "new"], min_games=0
    )
    assert {name for pair in pairs for name in pair} == {"a0", "a1", "new"}
    alone = next_pairs(
        None, goal="place", batch=20, rng=np.random.default_rng(0), agents=["a0", "a1"]
    )
    assert len(alone) == 20


def test_payoff_pairs_meet_everybody_then_the_least_certain() -> None:
    rng = np.random.default_rng(0)
    names = ["a0", "a1", "a2", "a3"]
    first = payoff_pairs(None, names, newcomers=["a3"], batch=3, rng=rng)
    assert {frozenset(p) for p in first} == {frozenset((n, "a3")) for n in names[:3]}
    lines = []
    for a, b, spread in [(0, 1, 0.1), (0, 2, 0.1), (1, 2, 5.0)]:
        lines += [(a, b, spread, -spread, 20), (a, b, -spread, spread, 20)]
    later = payoff_pairs(results(lines, 3), names[:3], newcomers=[], batch=10, rng=rng)
    assert {frozenset(p) for p in later} == {frozenset(("a1", "a2"))}


def test_cross_play_rates_every_partner_equally() -> None:
    # a0 met a1 a hundred times and a2 twice: both count the same.
    lines = [(0, 1, 1.0, 1.0, 100), (0, 2, 3.0, 3.0, 2), (1, 2, 0.0, 0.0, 10)]
    board = rate(replace(results(lines, 3), cooperative=[True]), "cross_play")
    assert {r.agent: r.rating for r in board.rows} == {"a0": 2.0, "a1": 0.5, "a2": 1.5}


def test_cross_play_covers_the_truth() -> None:
    """Its 95% intervals hold the true mean in 95% of simulations, uneven counts and all."""
    rng = np.random.default_rng(5)
    means = np.array([[0, 1, 4], [1, 0, 2], [4, 2, 0]], dtype=np.float64)
    hits = 0
    for _ in range(300):
        lines = []
        for a, b, n in ((0, 1, 60), (0, 2, 15), (1, 2, 30)):
            for paid in rng.normal(means[a, b], 1.0 + b, size=n).tolist():
                lines.append((a, b, paid, paid, 1))
        board = rate(replace(results(lines, 3), cooperative=[True]), "cross_play")
        truth = {"a0": 2.5, "a1": 1.5, "a2": 3.0}
        hits += sum(r.low <= truth[r.agent] <= r.high for r in board.rows)
    assert 0.92 < hits / 900 < 0.98


def test_every_member_takes_every_side_equally_often() -> None:
    for game, sides in (("kuhn_poker(players=3)", 3), ("kuhn_poker(players=4)", 4)):
        plan = make_plan(
            Spec(
                name="x",
                games=(GameSpec(game),),
                agents=(AgentSpec("a", "uniform"),),
                executor=ExecutorSpec("in_process"),
            ),
            seed=1,
        )
        orders = seatings(plan.boards[0], range(sides))
        for seat in range(sides):
            taken = [order[seat] for order in orders]
            assert {taken.count(member_) for member_ in range(sides)} == {len(orders) // sides}
