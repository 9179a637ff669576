"""Whatever an agent does, it forfeits, the reason is kept, and the tournament ends."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil
import pytest

from arena.agent import Limits
from arena.errors import ArenaError
from tournaments.api import load_results, run, status
from tournaments.spec import AgentSpec, ExecutorSpec
from tournaments.store import Store

BOTS = Path(__file__).with_name("bots.py")
FRIENDLY = AgentSpec("friend", "uniform")

pytestmark = pytest.mark.usefixtures("no_leftovers")


def check_forfeits(db, name: str, kind: str, *, matches: int) -> list:
    """Every match is there, and every one that `name` lost by fault says so."""
    assert status(db).done == matches
    results = load_results(db, ordered=True)
    culprit = list(results.agents).index(name)
    forfeits = 0
    for seating, payoffs, offender in zip(
        results.seating, results.payoffs, results.offender, strict=True
    ):
        if offender >= 0:
            forfeits += 1
            assert seating[offender] == culprit
            assert payoffs[offender] == -1.0
            assert payoffs[1 - offender] == 1.0
    assert forfeits > 0
    with Store.open(db) as store:
        faults = [fault for fault in store.faults() if fault.forfeit]
        assert len(faults) == forfeits
        assert {fault.kind for fault in faults} == {kind}
        assert all(store.agents()[f.seating[f.seat]]["label"] == name for f in faults)
        kept = [e for e in store.episodes() if e.outcome.offender >= 0]
    assert status(db).faults == {(name, kind): forfeits}
    return [faults, kept]


@pytest.mark.parametrize(
    ("bot_kind", "fault", "words"),
    [
        ("Raising", "exception", "ValueError: I do not like this position"),
        ("Talkative", "exception", "KeyError: 'lost'"),
        ("Illegal", "illegal", "10000"),
        ("NotANumber", "illegal", "centre"),
        ("Quitting", "exit", "SystemExit: 3"),
    ],
)
@pytest.mark.parametrize("workers", [0, 2])
def test_faults_inside_the_worker(tmp_path, cup, bot, bot_kind, fault, words, workers) -> None:
    executor = ExecutorSpec("processes", workers) if workers else ExecutorSpec("in_process")
    spec = cup(FRIENDLY, bot(bot_kind), repetitions=20, executor=executor)
    db = tmp_path / "cup.db"
    assert run(spec, db=db).complete
    faults, kept = check_forfeits(db, bot_kind.lower(), fault, matches=40)
    assert all(words in f.detail for f in faults)
    if fault == "exception":
        assert all("Traceback" in f.log and "bots.py" in f.log for f in faults)
    assert len(kept) == len(faults)
    # The moves before the fault: the culprit has made one of its own, the other one or two.
    assert {len(e.steps) for e in kept} <= {2, 3}


@pytest.mark.parametrize(("game", "per_side"), [("matrix_rps", 1), ("goofspiel", 3)])
def test_a_fault_among_simultaneous_moves_finds_its_seat(
    tmp_path, cup, bot, game, per_side
) -> None:
    del per_side
    for kind in ("Raising", "Illegal"):
        culprit = bot(kind, "culprit")
        spec = cup(FRIENDLY, culprit, games=(f"openspiel/{game}",), repetitions=10)
        db = tmp_path / f"{kind}.db"
        run(spec, db=db)
        results = load_results(db)
        for seating, offender in zip(results.seating, results.offender, strict=True):
            assert offender < 0 or results.agents[seating[offender]] == "culprit"
        if game == "goofspiel":
            assert (results.offender >= 0).all()


@pytest.mark.parametrize(
    ("bot_kind", "limits", "fault"),
    [
        ("Hanging", Limits(move=0.2), "move time"),
        ("Hanging", Limits(game=0.2), "game time"),
        ("Spinning", Limits(move=0.2), "move time"),
        ("Spinning", Limits(cpu=0.2), "cpu time"),
        ("Ending", None, "exit"),
    ],
)
def test_what_only_the_end_of_a_worker_can_stop(tmp_path, cup, bot, bot_kind, limits, fault):
    spec = cup(
        FRIENDLY,
        bot(bot_kind, limits=limits),
        AgentSpec("third", "first_legal"),
        executor=ExecutorSpec("processes", 2),
    )
    db = tmp_path / "cup.db"
    assert run(spec, db=db).complete
    check_forfeits(db, bot_kind.lower(), fault, matches=6)


@pytest.mark.parametrize("bot_kind", ["Slow", "Plain"])
def test_clocks_are_kept_for_agents_that_answer(tmp_path, cup, bot, bot_kind) -> None:
    spec = cup(FRIENDLY, bot(bot_kind, limits=Limits(move=0.04)), repetitions=3)
    db = tmp_path / "cup.db"
    run(spec, db=db)
    if bot_kind == "Slow":
        check_forfeits(db, "slow", "move time", matches=6)
    else:
        assert status(db).faults == {}


def test_an_agent_that_cannot_begin_any_more(tmp_path, cup, bot) -> None:
    spec = cup(FRIENDLY, bot("FailsToBegin"), repetitions=10)
    db = tmp_path / "cup.db"
    run(spec, db=db)
    check_forfeits(db, "failstobegin", "exception", matches=20)


def test_a_failure_after_the_match_changes_no_result(tmp_path, cup, bot) -> None:
    db, plain = tmp_path / "cup.db", tmp_path / "plain.db"
    run(cup(FRIENDLY, bot("FailsAtEnd", "x"), repetitions=5), db=db)
    run(cup(FRIENDLY, bot("Plain", "x"), repetitions=5), db=plain)
    assert load_results(db).payoffs.tolist() == load_results(plain).payoffs.tolist()
    with Store.open(db) as store:
        faults = list(store.faults())
    assert len(faults) == 10
    assert not any(fault.forfeit for fault in faults)


@pytest.mark.parametrize("bot_kind", ["Raising", "Ending", "Hanging"])
def test_code_in_a_process_of_its_own(tmp_path, cup, bot, bot_kind) -> None:
    culprit = bot(bot_kind, isolation="process", limits=Limits(move=0.5))
    db = tmp_path / "cup.db"
    run(cup(FRIENDLY, culprit, repetitions=2), db=db)
    kind = {"Raising": "exception", "Ending": "exit", "Hanging": "move time"}[bot_kind]
    check_forfeits(db, bot_kind.lower(), kind, matches=4)


def _processes_with(text: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if text in " ".join(process.cmdline()) and process.pid != os.getpid():
                found.append(process)
    return found


@pytest.mark.parametrize("stopped", [False, True])
def test_children_of_workers_end_with_them(tmp_path, cup, stopped) -> None:
    code = tmp_path / "copied_bots.py"
    code.write_text(BOTS.read_text())
    outside = AgentSpec("outside", f"{code}:Plain", isolation="process")
    spec = cup(FRIENDLY, outside, repetitions=300, executor=ExecutorSpec("processes", 2))
    seen = []

    def look(progress) -> None:
        if progress.done and not seen:
            seen.extend(_processes_with(str(code)))
            if stopped:
                raise KeyboardInterrupt

    if stopped:
        with pytest.raises(KeyboardInterrupt):
            run(spec, db=tmp_path / "cup.db", progress=look)
    else:
        assert run(spec, db=tmp_path / "cup.db", progress=look).complete
    assert seen
    psutil.wait_procs(seen, timeout=5)
    assert not _processes_with(str(code))


def test_a_game_that_fails_by_itself_blames_nobody(tmp_path, cup) -> None:
    import arena
    from arena.registry import GAMES

    inner = arena.make("tic_tac_toe")

    class Broken:
        def __init__(self, state):
            self._state = state

        def __getattr__(self, name):
            if name == "drive":
                raise AttributeError(name)
            return getattr(self._state, name)

        def step(self, actions):
            raise ZeroDivisionError("a bug in the rules")

    def make():
        from dataclasses import replace

        return replace(inner, id="broken", forms={"state": lambda seed: Broken(inner.state(seed))})

    GAMES.register("broken", make)
    try:
        with pytest.raises(ArenaError, match=r"no agent is at fault.*a bug in the rules"):
            run(cup(games=("broken",)), db=tmp_path / "cup.db")
    finally:
        GAMES.unregister("broken")
    assert status(tmp_path / "cup.db").done == 0


def test_endless_games_are_cut_off(tmp_path, cup) -> None:
    db = tmp_path / "cup.db"
    run(cup(max_steps=3, repetitions=4), db=db)
    with Store.open(db) as store:
        columns = store.columns()
    assert columns["truncated"] == [True] * 8
    assert columns["payoff_0"] == [0.0] * 8
