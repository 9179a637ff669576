"""Teams: self-play, kin and strangers against counting by hand, and through a whole tournament."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import arena
from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from tournaments.api import load_results, run
from tournaments.records import ResultSet
from tournaments.spec import parse_spec, spec_data
from tournaments.store import Store
from tournaments.teamwork import stored_groups, teamwork

AGENTS = ["a1", "a2", "b1", "b2", "c"]
GROUPS = {"a1": "A", "a2": "A", "b1": "B", "b2": "B"}


def played(rng: np.random.Generator, matches: int, *, cooperative: bool = True) -> ResultSet:
    seating = rng.integers(len(AGENTS), size=(matches, 2)).astype(np.int32)
    # Kin are paid one more than strangers, copies two more.
    kin = np.array([0, 0, 1, 1, 2])[seating]
    paid = rng.normal(size=matches) + (kin[:, 0] == kin[:, 1]) + (seating[:, 0] == seating[:, 1])
    return ResultSet(
        agents=AGENTS,
        games=["g"],
        game=np.zeros(matches, dtype=np.int32),
        seating=seating,
        payoffs=np.repeat(paid[:, None], 2, axis=1),
        offender=np.full(matches, -1, dtype=np.int8),
        count=np.ones(matches, dtype=np.int64),
        ordered=False,
        teams=[(0, 1)],
        cooperative=[cooperative],
    )


def mean_of(data: ResultSet, one: int, other: int) -> float:
    both = np.sort(data.seating, axis=1) == sorted((one, other))
    return float(data.payoffs[both.all(axis=1), 0].mean())


def test_means_are_those_of_counting_by_hand() -> None:
    data = played(np.random.default_rng(0), 4000)
    found = teamwork(data, GROUPS)
    assert found.groups == ("A", "B", "c")
    by = {row.agent: row for row in found.rows}
    assert by["a1"].alone.value == pytest.approx(mean_of(data, 0, 0))
    assert by["a1"].kin.value == pytest.approx(mean_of(data, 0, 1))
    strangers = [mean_of(data, 0, other) for other in (2, 3, 4)]
    assert by["a1"].strangers.value == pytest.approx(np.mean(strangers))
    assert by["a1"].loss == pytest.approx(by["a1"].alone.value - np.mean(strangers))
    assert by["a1"].strangers.partners == 3
    assert math.isnan(by["c"].kin.value) and by["c"].kin.partners == 0
    ab = [mean_of(data, i, j) for i in (0, 1) for j in (2, 3)]
    assert found.between[0][1].value == pytest.approx(np.mean(ab))
    assert found.between[0][1] == found.between[1][0]
    assert found.between[0][0].value == pytest.approx(mean_of(data, 0, 1))
    assert found.alone[1].value == pytest.approx((mean_of(data, 2, 2) + mean_of(data, 3, 3)) / 2)
    values = [row.strangers.value for row in found.rows]
    assert values == sorted(values, reverse=True)
    assert json.loads(json.dumps(found.to_dict()))["groups"] == ["A", "B", "c"]


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    inside = np.zeros(3)
    trials = 200
    for seed in range(trials):
        rows = {
            r.agent: r for r in teamwork(played(np.random.default_rng(seed), 1500), GROUPS).rows
        }
        row = rows["b2"]
        truths = ((row.alone, 2.0), (row.kin, 1.0), (row.strangers, 0.0))
        inside += [mean.low <= truth <= mean.high for mean, truth in truths]
    assert (np.abs(inside / trials - 0.95) < 0.05).all()


def test_a_whole_tournament_tells_kin_from_strangers(tmp_path) -> None:
    spec = parse_spec(
        {
            "tournament": {"name": "t", "seed": 1, "repetitions": 30},
            "games": [{"id": "hanabi", "params": {"colors": 2, "hand_size": 2}}],
            "agents": [
                {"name": "one", "ref": "hanabi/iggi", "group": "rules"},
                {"name": "two", "ref": "hanabi/piers", "group": "rules"},
                {"name": "three", "ref": "uniform"},
            ],
            "executor": {"kind": "in_process"},
        }
    )
    assert parse_spec(spec_data(spec)) == parse_spec(spec_data(parse_spec(spec_data(spec))))
    assert [agent.group for agent in spec.agents] == ["rules", "rules", ""]
    run(spec, db=tmp_path / "t.db")
    with Store.open(tmp_path / "t.db") as store:
        groups = stored_groups(store.meta(), store.agents())
    assert groups == {"one": "rules", "two": "rules"}
    found = teamwork(load_results(tmp_path / "t.db"), groups)
    rows = {row.agent: row for row in found.rows}
    assert rows["one"].kin == rows["two"].kin and rows["one"].kin.matches == 60
    assert rows["one"].alone.matches == 30 and rows["three"].strangers.partners == 2
    assert rows["one"].alone.low < rows["one"].alone.value < rows["one"].alone.high

    from tournaments.report.stored import write_report

    page = write_report(tmp_path / "t.db", tmp_path / "t.html").read_text()
    assert 'id="teamwork"' in page and "Lost with strangers" in page


def test_games_with_rivals_have_no_teamwork(tmp_path) -> None:
    data = played(np.random.default_rng(0), 20, cooperative=False)
    with pytest.raises(NotApplicableError, match="not cooperative"):
        teamwork(data)
    arena.tournament(
        games=["kuhn_poker"], agents=["uniform", "first_legal"], seed=1, db=tmp_path / "k.db"
    )
    from tournaments.report.stored import write_report

    assert 'id="teamwork"' not in write_report(tmp_path / "k.db", tmp_path / "k.html").read_text()


def test_bad_input() -> None:
    data = played(np.random.default_rng(0), 20)
    with pytest.raises(UnknownNameError, match="did you mean 'a1'"):
        teamwork(data, {"a11": "A"})
    with pytest.raises(ParameterError, match="level"):
        teamwork(data, level=95)
    with pytest.raises(UnknownNameError, match="unknown game"):
        teamwork(data, game="h")
