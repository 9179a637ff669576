"""Engines that are started, die, hang, are interrupted, and are never left behind."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

import psutil
import pytest

import arena
from arena.errors import ArenaError, IllegalActionError, MissingDependencyError, NotApplicableError
from arena.rng import Stream
from arena.testing import check_game
from tests.fake_sc2.installed import ROOT, FakeEngine, running

STEADY = 60  # seconds that a busy machine may take to answer


def finish(state: Any, seed: int = 1) -> list[float]:
    """Play to the end, each unit shooting whom it can; returns what each decision paid."""
    stream, paid = Stream(seed), []
    while state.actors():
        joint = {}
        for seat in state.actors():
            legal = state.legal(seat)
            shots = [action for action in legal if action >= 6]
            joint[seat] = stream.choice(shots) if shots else (4 if 4 in legal else 1)
        state.step(joint)
        paid.append(float(state.rewards()[0]))
    return paid


def test_one_engine_plays_many_episodes_and_seeds_are_honoured(fake: FakeEngine) -> None:
    game = arena.make("starcraft/3m", timeout=STEADY)
    first = game.state(3)
    start = first.state_vector().tolist()
    paid = finish(first)
    dropped = game.state(4)  # a reset in the middle of nothing: no second engine
    assert dropped.state_vector().tolist() != start
    del dropped
    again = game.state(3)
    assert again.state_vector().tolist() == start
    assert finish(again) == paid
    assert len(fake.launches()) == 1
    assert game.form("engines").running == 1
    game.form("engines").close()
    assert fake.gone()


def test_two_episodes_at_once_have_two_engines_and_a_clone_a_third(fake: FakeEngine) -> None:
    game = arena.make("starcraft/3m", timeout=STEADY)
    one, other = game.state(1), game.state(2)
    one.step(dict.fromkeys(one.actors(), 4))
    copy = one.clone()
    assert len(fake.alive()) == 3
    assert copy.history() == one.history()
    assert copy.state_vector().tolist() == one.state_vector().tolist()
    one.step(dict.fromkeys(one.actors(), 1))
    assert copy.state_vector().tolist() != one.state_vector().tolist()
    assert other.returns().tolist() == [0.0, 0.0, 0.0]
    game.form("engines").close()


@pytest.mark.parametrize("fault", ["exit_at", "error_at"])
def test_a_lost_engine_is_replaced_and_the_episode_goes_on(fault: str, fake: FakeEngine) -> None:
    game = arena.make("starcraft/3m", timeout=STEADY)
    whole = game.state(7)
    paid = finish(whole)
    game.form("engines").close()
    fake.faults([{fault: 5}])
    state = game.state(7)
    assert finish(state) == paid
    assert state.returns().tolist() == whole.returns().tolist()
    assert state.restarts == game.form("engines").restarts == 1
    assert not state.truncated
    assert len(fake.alive()) == 1
    game.form("engines").close()


def test_an_engine_that_hangs_is_ended_after_the_timeout(fake: FakeEngine) -> None:
    fake.faults([{"hang_at": 2}])
    game = arena.make("starcraft/3m", timeout=8)
    state = game.state(7)
    state.step(dict.fromkeys(state.actors(), 4))
    state.step(dict.fromkeys(state.actors(), 4))
    assert state.restarts == 1
    assert not running(fake.launches()[0][0])
    game.form("engines").close()


def test_an_engine_that_dies_again_and_again_is_an_error(fake: FakeEngine) -> None:
    fake.faults([{"exit_at": 1}] * 3)
    game = arena.make("starcraft/3m", timeout=STEADY)
    state = game.state(7)
    with pytest.raises(ArenaError, match="seed 7 lost 3 engines in one episode"):
        state.step(dict.fromkeys(state.actors(), 4))
    assert fake.gone()


def test_an_engine_that_does_not_start_says_what_it_printed(fake: FakeEngine) -> None:
    fake.faults([{"refuse": 1}] * 9)
    with pytest.raises(ArenaError, match=r"the stand-in refuses to start.*run `.*SC2_x64` by hand"):
        arena.make("starcraft/3m", timeout=STEADY).state(1)
    assert fake.gone()
    assert len(fake.launches()) == 3


def test_a_binary_that_cannot_be_run_says_what_to_do(fake: FakeEngine) -> None:
    binary = fake.folder / "Versions" / "Base99999" / "SC2_x64"
    binary.chmod(0o644)
    with pytest.raises(ArenaError, match=r"not an executable file; `chmod \+x .*SC2_x64`"):
        arena.make("starcraft/3m").state(1)
    binary.unlink()
    with pytest.raises(ArenaError, match="unpack the engine again"):
        arena.make("starcraft/3m").state(1)
    assert fake.launches() == []


def test_removing_units_starts_the_next_episode_without_a_new_game(fake: FakeEngine) -> None:
    game = arena.make("starcraft/3m", timeout=STEADY, reset="units")
    finish(game.state(1))
    second = game.state(1)
    assert len(second.actors()) == 3
    assert sum(finish(second)) > 0
    with pytest.raises(NotApplicableError, match="cannot be copied"):
        second.clone()
    assert len(fake.launches()) == 1
    game.form("engines").close()
    fake.faults([{"exit_at": 4}])
    cut = game.state(1)
    paid = finish(cut)
    assert cut.truncated and cut.restarts == 1 and paid[-1] == 0.0
    game.form("engines").close()


def test_a_port_in_use_is_named(fake: FakeEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ArenaError, match=f"port {port} is in use"):
            arena.make("starcraft/3m", port=port).state(1)
    assert fake.launches() == []
    game = arena.make("starcraft/3m", port=port, timeout=STEADY)
    game.state(1)
    assert fake.launches()[0][1] == port
    game.form("engines").close()


def test_ctrl_c_ends_the_engine_and_the_episode_can_go_on(fake: FakeEngine) -> None:
    fake.faults([{"hang_at": 2}])
    game = arena.make("starcraft/3m", timeout=STEADY)
    state = game.state(7)
    state.step(dict.fromkeys(state.actors(), 4))
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        state.step(dict.fromkeys(state.actors(), 4))
    assert fake.gone()
    assert len(state.history()) == 3
    state.step(dict.fromkeys(state.actors(), 4))
    assert len(state.history()) == 6
    game.form("engines").close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None])
def test_no_process_is_left_when_the_program_ends(
    how: signal.Signals | None, fake: FakeEngine
) -> None:
    code = (
        "import arena, sys, time\n"
        "state = arena.make('starcraft/3m', timeout=60).state(1)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None and program.stdout.readline() == "ready\n"
    assert len(fake.alive()) == 1
    if how is None:
        program.communicate("\n", timeout=STEADY)
    else:
        program.send_signal(how)
        program.communicate(timeout=STEADY)
    assert fake.gone()


def test_an_engine_killed_between_decisions_is_replaced(fake: FakeEngine) -> None:
    game = arena.make("starcraft/3m", timeout=STEADY)
    state = game.state(2)
    psutil.Process(fake.alive()[0]).kill()
    state.step(dict.fromkeys(state.actors(), 4))
    assert state.restarts == 1
    game.form("engines").close()


def test_two_participants_play_both_sides(fake: FakeEngine) -> None:
    game = arena.make("starcraft/3m", side="both", timeout=STEADY)
    assert game.seats == 6 and game.teams == (0, 0, 0, 1, 1, 1)
    for seed in (1, 2):
        state = game.state(seed)
        stream = Stream(seed)
        while state.actors():
            joint = {}
            for seat in state.actors():
                legal = state.legal(seat)
                shots = [action for action in legal if action >= 6]
                walk = 4 if seat < 3 else 5
                joint[seat] = stream.choice(shots) if shots else walk
            state.step(joint)
        assert state.winner in (None, 0, 1)
        assert sorted(set(state.returns().tolist())) in ([-1.0, 1.0], [0.0])
    assert len(fake.launches()) == 2
    game.form("engines").close()


def test_drawn_armies_are_placed_in_the_engine(fake: FakeEngine) -> None:
    game = arena.make("starcraft/terran_5_vs_5", sight="cone", timeout=STEADY)
    twin = arena.make("skirmish/terran_5_vs_5", sight="cone")
    seen = set()
    for seed in (1, 2, 1):
        state, other = game.state(seed), twin.state(seed)
        assert state.observe(0).tensor.shape == other.observe(0).tensor.shape
        types = state.world.marks[0, 0].tolist()
        assert sorted(types[:5]) == sorted(other.world.marks[0, 0].tolist()[:5])
        seen.add(tuple(state.state_vector().tolist()))
        state.step(dict.fromkeys(state.actors(), 6 + 3))  # everybody looks north
        assert state.world.units[0, 9:11, 0].tolist() == pytest.approx([0.0, 1.0], abs=1e-6)
    assert len(seen) == 2
    finish(state)
    game.form("engines").close()


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("starcraft/3m", {"limit": 8}),
        ("starcraft/minigame/MoveToBeacon", {"limit": 5, "screen": 8, "minimap": 8}),
    ],
)
def test_both_kinds_keep_the_contract(name: str, params: dict[str, Any], fake: FakeEngine) -> None:
    game = arena.make(name, timeout=STEADY, **params)
    check_game(game, episodes=1, close_ups=1)
    game.form("engines").close()
    gc.collect()  # the check makes the game anew, with engines of its own


def test_bad_input_is_named(fake: FakeEngine) -> None:
    with pytest.raises(ArenaError, match=r"unknown map .*'3mm'.*'3m'"):
        arena.make("starcraft/3mm")
    with pytest.raises(ArenaError, match=r"unknown parameter .*'oponent'"):
        arena.make("starcraft/3m", oponent="closest")
    with pytest.raises(
        ArenaError, match=r"unknown map of starcraft 'zergs_5_vs_5'; .*'zerg_5_vs_5'"
    ):
        arena.make("starcraft/zergs_5_vs_5")
    with pytest.raises(ArenaError, match=r"starcraft/terran_5_vs_65: enemies = 65"):
        arena.make("starcraft/terran_5_vs_65")
    with pytest.raises(ArenaError, match=r"SMAC's heuristic_ai: agents play"):
        arena.make("starcraft/3m", heuristic_ai=True)
    assert arena.make("starcraft/3m", difficulty=7).key == arena.make("starcraft/3m").key
    with pytest.raises(ArenaError, match="difficulty = '0' is not allowed"):
        arena.make("starcraft/3m", difficulty="0")
    with pytest.raises(ArenaError, match=r"65 .*1 to 64 units"):
        arena.make("starcraft/terran_65_vs_5")
    state = arena.make("starcraft/3m", timeout=STEADY).state(1)
    with pytest.raises(IllegalActionError, match="attack enemy_0"):
        state.step({0: 6, 1: 1, 2: 1})
    assert state.history() == []


def test_without_the_binary_the_message_says_what_to_install(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("SC2PATH", str(tmp_path / "nowhere"))
    with pytest.raises(MissingDependencyError, match=r"unzip -P iagreetotheeula SC2.*SMAC_Maps"):
        arena.make("starcraft/3m")
    done = subprocess.run(
        [sys.executable, "-m", "arena", "make", "starcraft/3m"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "SC2PATH" in done.stderr + done.stdout
    monkeypatch.setenv("SC2PATH", str(fake.folder))
    (fake.folder / "Maps" / "SMAC_Maps" / "3m.SC2Map").unlink()
    with pytest.raises(MissingDependencyError, match=r"the map .*3m\.SC2Map is not installed"):
        arena.make("starcraft/3m")
