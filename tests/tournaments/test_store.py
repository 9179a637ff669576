"""The result file: refused when it is not ours, readable by others, never mixed."""

from __future__ import annotations

import csv
import json
import sqlite3
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.agent import Limits
from arena.errors import ParameterError, StoreError
from tournaments.api import export, load_results, resume, run, status
from tournaments.match import Block, Outcome
from tournaments.plan import Line
from tournaments.runner import missing
from tournaments.spec import AgentSpec, ForfeitSpec, GameSpec
from tournaments.store import APPLICATION_ID, SCHEMA_VERSION, Store


@pytest.mark.parametrize(
    "content", [b"", b"not a database", b"SQLite format 3\x00" + b"\xff" * 200, b"\x00" * 5000]
)
def test_a_foreign_file_is_refused_and_left_alone(tmp_path, cup, content) -> None:
    db = tmp_path / "cup.db"
    db.write_bytes(content)
    for use in (
        lambda: resume(db),
        lambda: run(cup(), db=db),
        lambda: run(cup(), db=db, resume=True),
        lambda: status(db),
        lambda: load_results(db),
    ):
        with pytest.raises(StoreError, match=r"cup\.db"):
            use()
    assert db.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    with sqlite3.connect(db) as other:
        other.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    other.close()
    before = db.read_bytes()
    with pytest.raises(StoreError, match="not a result file of arena"):
        run(cup(), db=db, resume=True)
    assert db.read_bytes() == before


def test_a_later_format_is_refused(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    run(cup(), db=db)
    with sqlite3.connect(db) as other:
        assert other.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        other.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    other.close()
    with pytest.raises(StoreError, match="format 2; this arena reads format 1"):
        resume(db)


def test_a_damaged_file_is_refused(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    run(cup(repetitions=3000), db=db)
    content = bytearray(db.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 64] = b"\xde" * 64
    db.write_bytes(bytes(content))
    with pytest.raises(StoreError, match=r"cup\.db"):
        resume(db)
    assert db.read_bytes() == bytes(content)


def test_a_missing_file_is_not_made(tmp_path) -> None:
    for use in (resume, status, load_results):
        with pytest.raises(StoreError, match="no such file"):
            use(tmp_path / "cup.db")
    assert not (tmp_path / "cup.db").exists()


def test_an_existing_file_is_not_played_over(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    run(cup(), db=db)
    with pytest.raises(StoreError, match="exists already"):
        run(cup(), db=db)
    assert status(db).done == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: replace(s, seed=6), r"seed = 5, spec has 6"),
        (lambda s: replace(s, limits=Limits(move=9.0)), "agent 'a' has changed .*limits"),
        (
            lambda s: replace(s, agents=(replace(s.agents[0], ref="first_legal"), s.agents[1])),
            "agent 'a' has changed .*ref was 'uniform', is 'first_legal'",
        ),
        (lambda s: replace(s, agents=(*s.agents[:1], AgentSpec("z", "uniform"))), "'b' is no"),
        (lambda s: replace(s, games=(GameSpec("kuhn_poker"),)), "tic_tac_toe' is no longer"),
        (
            lambda s: replace(s, forfeit=ForfeitSpec(-7.0)),
            r"tic_tac_toe' has changed .*forfeits",
        ),
        (lambda s: replace(s, max_steps=5), "max_steps was None, is 5"),
        (
            lambda s: replace(s, schedule=replace(s.schedule, repetitions=1)),
            "repetitions was 3, is only 1",
        ),
        (
            lambda s: replace(s, schedule=replace(s.schedule, kind="cross_play")),
            "schedule was 'auto', is 'cross_play'",
        ),
    ],
)
def test_what_has_changed_never_mixes_in_silently(tmp_path, cup, change, words) -> None:
    db = tmp_path / "cup.db"
    spec = cup(repetitions=3)
    run(spec, db=db)
    with pytest.raises(StoreError, match=words):
        run(change(spec), db=db, resume=True)
    assert status(db).done == 6


def test_changed_code_is_noticed_and_kept_apart(tmp_path, cup, table) -> None:
    code = tmp_path / "bot.py"
    code.write_text("def bot(observation):\n    return observation.actions[0]\n")
    db = tmp_path / "cup.db"
    mine = AgentSpec("mine", f"{code}:bot", isolation="none")
    spec = cup(AgentSpec("u", "uniform"), mine, repetitions=4)
    run(spec, db=db)
    before = table(db)
    assert resume(db).played == 0
    code.write_text("def bot(observation):\n    return observation.actions[-1]\n")
    with pytest.raises(StoreError, match=r"agent 'mine' has changed .*code was"):
        resume(db)
    assert table(db) == before
    assert resume(db, allow_changed=True).played == 8
    assert load_results(db).agents == ["u", "mine", "mine v2"]
    assert set(before.splitlines()) <= set(table(db).splitlines())
    assert status(db).done == 16
    assert resume(db, allow_changed=True).played == 0


def test_live_objects_cannot_be_resumed_from_the_file_alone(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    spec = cup(AgentSpec("u", "uniform"), AgentSpec("f", live=lambda o: o.actions[0]))
    run(spec, db=db)
    with pytest.raises(StoreError, match="live objects"):
        resume(db)
    assert run(spec, db=db, resume=True).played == 0


def test_other_tools_can_read_it(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    run(cup(games=("kuhn_poker", "tic_tac_toe"), repetitions=25), db=db)
    with Store.open(db) as store:
        columns = store.columns()
    with sqlite3.connect(db) as other:
        rows = other.execute(
            "SELECT stage, repetition, game, agents, payoffs, offender, fault, truncated "
            "FROM matches ORDER BY stage, repetition, position"
        ).fetchall()
    other.close()
    assert len(rows) == len(columns["match"]) == 100
    for index, row in enumerate(rows):
        stage, repetition, game, agents, payoffs, offender, fault, truncated = row
        assert stage == columns["stage"][index]
        assert repetition == columns["repetition"][index]
        assert game == columns["game"][index]
        assert json.loads(agents) == [columns[f"agent_{seat}"][index] for seat in (0, 1)]
        assert json.loads(payoffs) == [columns[f"payoff_{seat}"][index] for seat in (0, 1)]
        assert (offender, fault, truncated) == (-1, "", 0)


def test_exports_agree(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    run(cup(repetitions=9), db=db)
    paths = {kind: tmp_path / f"out.{kind}" for kind in ("csv", "json", "jsonl", "parquet")}
    assert {export(db, path) for path in paths.values()} == {18}
    rows = json.loads(paths["json"].read_text())
    assert rows == [json.loads(line) for line in paths["jsonl"].read_text().splitlines()]
    assert rows == pq.read_table(paths["parquet"]).to_pylist()
    with paths["csv"].open(newline="") as file:
        assert [row["match"] for row in csv.DictReader(file)] == [str(r["match"]) for r in rows]
    with pytest.raises(ParameterError, match=r"\.parquet"):
        export(db, tmp_path / "out.xlsx")


def test_folded_and_ordered_results_agree(tmp_path, cup, monkeypatch) -> None:
    db = tmp_path / "cup.db"
    run(cup(games=("kuhn_poker", "tic_tac_toe"), repetitions=200), db=db)
    whole, ordered = load_results(db), load_results(db, ordered=True)
    monkeypatch.setattr("tournaments.readout.FOLD_ABOVE", 100)
    folded = load_results(db)
    assert len(whole) == len(folded) == len(ordered) == 800
    assert len(folded.count) < 40
    assert folded.block is None
    assert set(ordered.count.tolist()) == set(whole.count.tolist()) == {1}
    for results in (whole, ordered):
        # Both seat orders of a pairing share the luck of each repetition, and nothing else.
        pairs: dict[int, list[tuple[int, ...]]] = {}
        for row, block in enumerate(results.block.tolist()):
            seating = results.seating[row].tolist()
            pairs.setdefault(block, []).append((int(results.game[row]), *seating))
        assert len(pairs) == 400
        for (game, *seats), (other, *swapped) in pairs.values():
            assert game == other
            assert seats == swapped[::-1]

    def totals(results):
        found: dict[tuple, int] = {}
        for row in range(len(results.game)):
            key = (
                int(results.game[row]),
                tuple(results.seating[row].tolist()),
                tuple(results.payoffs[row].tolist()),
            )
            found[key] = found.get(key, 0) + int(results.count[row])
        return found

    assert totals(folded) == totals(ordered) == totals(whole)
    with Store.open(db) as store:
        columns = store.columns()
    np.testing.assert_array_equal(ordered.payoffs[:, 0], columns["payoff_0"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=25),
    st.integers(0, 5),
    st.integers(1, 40),
)
def test_blocks_that_overlap_are_ignored(tmp_path_factory, runs, first, count) -> None:
    db = tmp_path_factory.mktemp("overlap") / "x.db"
    line = Line(key=77, game=0, seating=(0,), seed=1, first=first, count=count)
    there: set[int] = set()
    with Store.create(db, {"name": "x"}) as store:
        game = store.add_game(
            dict.fromkeys(
                ("label", "name", "game_id", "params", "version", "payoff", "digest", "facts"), "g"
            )
            | {"seats": 1, "teams": "[0]"}
        )
        agent = store.add_agent(dict.fromkeys(("label", "name", "digest", "facts"), "a"))
        store.add_lines([line], [game], [agent])
        for start, size in runs:
            store.add([Block(77, start, [Outcome((float(start),))], [0] * size)])
            own = set(range(start, start + size))
            if not own & there:
                there |= own
        store.commit()
        stored = [r for s, size in store.done().get(77, []) for r in range(s, s + size)]
        assert sorted(stored) == sorted(there)
        gaps = [
            r
            for segment in missing([line], store.done())
            for r in range(segment.first, segment.first + segment.count)
        ]
    assert gaps == [r for r in range(first, first + count) if r not in there]


def test_durable_commits_reach_the_disk(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    run(cup(), db=db, durable=True)
    with Store.open(db, write=True, durable=True) as store:
        assert store._query("PRAGMA synchronous") == [(2,)]
        assert store._query("PRAGMA journal_mode") == [("wal",)]
