"""Whatever an agent does in a process of its own ends in the right fault, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from leftovers import SINS, left_over

import arena
from agents.process import Isolated, ProcessAgent
from agents.process.supervise import below, processes
from arena.agent import Limits
from arena.errors import AgentError, AgentFaultError

pytestmark = pytest.mark.timeout(60)
LIMITS = Limits(move=0.3, memory=700 << 20, output=50_000, begin=20.0)
Play = Callable[..., list[int]]


@contextmanager
def isolated(sin: str, tier: str, limits: Limits = LIMITS, **params: object) -> Iterator[Isolated]:
    agent = Isolated(f"{SINS}:{sin}", dict(params), limits, tier)
    try:
        yield agent
    finally:
        agent.close()


@pytest.mark.parametrize(
    ("sin", "kind", "detail"),
    [
        ("Raises", "exception", r"ValueError: no idea \(misbehaving.py:\d+\)"),
        ("Exits", "exit", r"sys.exit\(3\)"),
        ("Vanishes", "exit", "exited with status 3 in act"),
        ("Crashes", "exit", "SIGABRT"),
        ("Loops", "move time", "longer than 0.3 s"),
        ("LoopsInC", "move time", "longer than 0.3 s"),
        ("Sleeps", "move time", "longer than 0.3 s"),
        ("Cheats", "illegal", r"played 99; legal are \[0, 1\]"),
        ("AnswersText", "illegal", "'raise'"),
        ("Floods", "output", "more than 50000 bytes"),
        ("FloodsErr", "output", "more than 50000 bytes"),
        ("Forks", "processes", "allowed are 32"),
        ("RaisesInBegin", "exception", "ValueError: not today"),
        ("ExitsInBegin", "exit", "exited with status 4 in begin"),
    ],
)
def test_every_sin_has_its_name(sin: str, kind: str, detail: str, tier: str, play: Play) -> None:
    with isolated(sin, tier) as agent:
        with pytest.raises(AgentFaultError, match=detail) as caught:
            play(agent)
        assert caught.value.kind == kind
        assert left_over() == []
        if not sin.endswith("InBegin"):
            assert "began seat 0" in caught.value.log or "spam" in caught.value.log
        if kind in ("move time", "processes"):
            return
        # The next game gets a fresh child, which sins again.
        with pytest.raises(AgentFaultError) as again:
            play(agent, seed=2)
        assert again.value.kind == kind


def test_a_gigabyte_is_too_much(tier: str, play: Play) -> None:
    limits = Limits(move=20.0, memory=700 << 20)
    with isolated("Hoards", tier, limits) as agent:
        with pytest.raises(AgentFaultError) as caught:
            play(agent)
        assert caught.value.kind == "memory"


def test_the_log_keeps_its_end_only(play: Play) -> None:
    with isolated("FloodsErr", "none", Limits(move=20.0, output=1 << 20)) as agent:
        with pytest.raises(AgentFaultError) as caught:
            play(agent)
        assert 50_000 <= len(caught.value.log) <= 65536


def test_output_within_the_limit_never_blocks(tier: str, play: Play) -> None:
    with isolated("FloodsALittle", tier, Limits(move=20.0, output=1 << 22)) as agent:
        for seed in range(3):
            play(agent, seed=seed)
        assert agent.log.endswith(" 39\n")


def test_a_begin_that_hangs(play: Play) -> None:
    with isolated("HangsInBegin", "none", Limits(begin=1.0)) as agent:
        with pytest.raises(AgentFaultError, match="begin took longer than 1 s") as caught:
            play(agent)
        assert caught.value.kind == "move time"


def test_the_game_clock_adds_up(play: Play) -> None:
    with isolated("SleepsALittle", "none", Limits(move=5.0, game=0.2)) as agent:
        with pytest.raises(AgentFaultError) as caught:
            play(agent, "breakthrough")
        assert caught.value.kind == "game time"
        play(agent)  # a short game stays below it


@pytest.mark.parametrize("sin", ["SpinsSlowly", "Loops"])
def test_the_cpu_clock(sin: str, tier: str, play: Play) -> None:
    with isolated(sin, tier, Limits(move=30.0, cpu=0.3)) as agent:
        with pytest.raises(AgentFaultError) as caught:
            play(agent, "breakthrough")
        assert caught.value.kind == "cpu time"


def test_sleep_costs_no_cpu(play: Play) -> None:
    with isolated("SleepsALittle", "none", Limits(cpu=0.5)) as agent:
        play(agent, "tic_tac_toe")


def test_cpu_of_earlier_games_does_not_count(play: Play) -> None:
    with isolated("SpinsSlowly", "none", Limits(cpu=0.3)) as agent:
        for seed in range(8):
            play(agent, "tic_tac_toe", seed=seed)


@pytest.mark.parametrize("sin", ["ExitsInEnd", "RaisesInEnd", "ExitsInSecondBegin"])
def test_death_between_games_harms_none(sin: str, tier: str, play: Play) -> None:
    with isolated(sin, tier) as agent:
        for seed in range(4):
            play(agent, seed=seed)


def test_a_child_that_dies_idle_is_replaced(play: Play) -> None:
    with isolated("Good", "none") as agent:
        play(agent)
        first = agent.pid
        assert first is not None
        for process in below(first, processes()):
            os.kill(process.pid, signal.SIGKILL)
        play(agent)
        assert agent.pid != first


def test_a_supervisor_that_is_killed_leaves_nothing(play: Play) -> None:
    with isolated("Good", "rlimits") as agent:
        play(agent)
        assert agent.pid is not None
        os.kill(agent.pid, signal.SIGKILL)
        os.waitid(os.P_PID, agent.pid, os.WEXITED | os.WNOWAIT)
        play(agent)


def test_a_hundred_games_through_one_child(tier: str, play: Play) -> None:
    with isolated("Good", tier) as agent:
        play(agent)
        pid = agent.pid
        for seed in range(100):
            play(agent, seed=seed)
        assert agent.pid == pid


@pytest.mark.parametrize("sin", ["Orphans", "SlipsThrough", "ReadsStdin"])
def test_odd_but_allowed(sin: str, tier: str, play: Play) -> None:
    with isolated(sin, tier) as agent:
        play(agent)
        play(agent, seed=2)


def test_a_refusal_is_no_fault(play: Play) -> None:
    with isolated("Refuses", "none") as agent:
        with pytest.raises(AgentError, match="only chess") as caught:
            play(agent)
        assert not isinstance(caught.value, AgentFaultError)
        assert agent.pid is not None


def test_code_that_cannot_be_loaded_says_why(tmp_path: object, play: Play) -> None:
    agent = Isolated(f"{SINS}:Godo", tier="none")
    with pytest.raises(AgentError, match="did you mean 'Good'"):
        play(agent)
    agent.close()


@pytest.mark.parametrize(
    ("program", "kind", "detail"),
    [
        ("print('hello there')", "protocol", "'hello there' to hello"),
        ("print('[1]')", "protocol", "no JSON object"),
        ("print('[' * 100000)", "protocol", "no JSON object"),
        ("print('{}')", "protocol", "speaks protocol None"),
        ("print('{\"protocol\":2}')", "protocol", "speaks protocol 2"),
        ('print(\'{"protocol":1,"want":["soul"]}\')', "protocol", "soul"),
        ("print('{\"protocol\":1}'); print(1)", "protocol", "more than it was asked|to begin"),
        ('print(\'{"protocol":1}\'); input(); input(); print("{}")', "protocol", "to begin"),
        ("import os\nwhile True: os.write(1, b'x' * 65536)", "output", "one answer"),
        ("import os\nos.close(1); input(); input()", "exit", "closed its output"),
        ("import sys\nsys.exit(7)", "exit", "exited with status 7 in hello"),
        ("import os\nos.kill(os.getpid(), 9)", "exit", "SIGKILL"),
        ("import os, sys\nos.write(2, b'MemoryError')\nsys.exit(1)", "memory", "status 1"),
    ],
)
def test_garbage_from_a_program(program: str, kind: str, detail: str, play: Play) -> None:
    words = [sys.executable, "-u", "-c", program]
    agent = ProcessAgent(words, limits=Limits(begin=10.0, memory=1 << 30))
    with pytest.raises(AgentFaultError, match=detail) as caught:
        play(agent)
    assert caught.value.kind == kind


_GREETS = """
import json
print('{"protocol":1,"want":[]}'); input()
print('{"ready":true}'); input()
"""


@pytest.mark.parametrize(
    ("answers", "kind", "detail"),
    [
        (['{"action":true}'], "illegal", "True|true"),
        (['{"action":"0"}'], "illegal", "no action"),
        (['{"action":0.5}'], "illegal", "no action"),
        (['{"action":null}'], "illegal", "no action"),
        (['{"action":-1}'], "illegal", "played -1"),
        (['{"action":123456789012345678901234567890}'], "illegal", "legal are"),
        (["{}"], "protocol", "to act"),
        (['{"want":[]}'], "protocol", "asked again"),
        (['{"want":["key"]}', '{"want":["key"]}'], "protocol", "asked again"),
        (['{"error":"lost"}'], "exception", "lost"),
        (['{"error":"lost","kind":"resign"}'], "resign", "lost"),
        (['{"error":"lost","kind":"nonsense"}'], "exception", "lost"),
    ],
)
def test_bad_answers(answers: list[str], kind: str, detail: str, play: Play) -> None:
    program = "input()\n" + _GREETS
    for answer in answers:
        program += f"print({answer!r}); input()\n"
    agent = ProcessAgent([sys.executable, "-u", "-c", program], limits=Limits(move=10.0))
    with pytest.raises(AgentFaultError, match=detail) as caught:
        play(agent)
    assert caught.value.kind == kind


def test_spaces_and_further_fields_are_allowed(play: Play) -> None:
    program = "input()\n" + _GREETS + 'print(\'  { "action" :  0 , "why" : "so" } \'); input()\n'
    agent = ProcessAgent([sys.executable, "-u", "-c", program])
    assert play(agent, seed=1)
    agent.close()


def test_a_request_larger_than_a_pipe(play: Play) -> None:
    big = {"text": "x" * (1 << 20)}
    bare = "import sys, json\nsys.stderr.write('y' * 300000)\n" + textwrap.dedent("""
        assert len(json.loads(sys.stdin.readline())["params"]["text"]) == 1 << 20
        print('{"protocol":1}'); input()
        print('{"refuse":"done"}'); input()
    """)
    agent = ProcessAgent([sys.executable, "-u", "-c", bare], params=big)
    with pytest.raises(AgentError, match="done"):
        play(agent)
    agent.close()


def test_who_does_not_read_is_stopped(play: Play) -> None:
    agent = ProcessAgent(
        [sys.executable, "-c", "import time; time.sleep(99)"],
        params={"text": "x" * (1 << 20)},
        limits=Limits(begin=0.5),
    )
    with pytest.raises(AgentFaultError, match="did not read hello"):
        play(agent)


def test_drops_of_an_answer_do_not_stop_the_clock(play: Play) -> None:
    program = "import time\nwhile True: print('x', end='', flush=True); time.sleep(0.001)"
    agent = ProcessAgent([sys.executable, "-c", program], limits=Limits(begin=0.5))
    with pytest.raises(AgentFaultError) as caught:
        play(agent)
    assert caught.value.kind == "move time"


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(AgentError, match="no program 'nonesuch' on the PATH"):
        ProcessAgent(["nonesuch"])
    with pytest.raises(AgentError, match=r"misbehaving\.py"):
        ProcessAgent([str(SINS.parent / "misbehavin.py")])
    with pytest.raises(AgentError, match="not executable"):
        ProcessAgent([str(SINS)])


def test_kill_minus_nine_of_the_parent_leaves_no_child(tier: str) -> None:
    program = textwrap.dedent(f"""
        import time, arena
        from agents.process import Isolated
        agents = []
        for sin in ("Good", "Orphans"):
            agent = Isolated({str(SINS)!r} + ":" + sin, tier={tier!r})
            agent.begin(arena.make("kuhn_poker"), 0, 1)
            agents.append(agent)
        print("ready", flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    family = psutil.Process(parent.pid).children(recursive=True)
    assert len(family) >= 4
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    give_up = time.monotonic() + 20
    while left_over() and time.monotonic() < give_up:
        time.sleep(0.05)


def test_interrupted_while_waiting(play: Play) -> None:
    agent = Isolated(f"{SINS}:Sleeps", tier="none", limits=Limits())
    game = arena.make("kuhn_poker")
    agent.begin(game, 0, 1)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            agent.act(game.state(1).observe(0))
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert left_over() == []
    with pytest.raises(AgentError, match="before a game began"):
        agent.act(game.state(1).observe(0))
