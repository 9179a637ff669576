"""The tiers: what they hide, how they are chosen."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from leftovers import SINS

import agents.process.sandbox as sandbox
import arena
from agents.process import Isolated, active_tier, choose_tier, obstacle
from arena.agent import Limits
from arena.errors import AgentError, ParameterError
from arena.registry import AGENTS

pytestmark = pytest.mark.timeout(60)
Play = Callable[..., list[int]]


def test_the_strictest_tier_that_works_is_chosen() -> None:
    assert active_tier() in sandbox.TIERS
    assert obstacle(active_tier()) is None
    assert choose_tier("auto") == active_tier()
    assert choose_tier("none") == choose_tier("none")
    assert choose_tier("process") == "rlimits"
    with pytest.raises(ParameterError, match="did you mean 'bubblewrap'"):
        choose_tier("bubblewarp")


def test_a_tier_that_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    obstacle.cache_clear()
    try:
        with pytest.raises(AgentError, match="apt install bubblewrap"):
            choose_tier("bubblewrap")
        assert choose_tier("auto") == "rlimits"
    finally:
        obstacle.cache_clear()


def test_bubblewrap_hides_what_is_not_the_agents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, play: Play
) -> None:
    problem = obstacle("bubblewrap")
    if problem is not None:
        pytest.skip(f"bubblewrap: {problem}")
    monkeypatch.setenv("PEEK_SECRET", "sesame")
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(SINS, own)
    secret = tmp_path / "secret.txt"
    secret.write_text("sesame", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        # "hidden:" keeps the path from being taken for a file that the agent is given.
        params = {"port": server.getsockname()[1], "file": f"hidden:{secret}"}

        def peek(tier: str, **options: list[str]) -> dict[str, str]:
            agent = Isolated(f"{own / SINS.name}:Peeks", params, tier=tier, **options)
            play(agent, "tic_tac_toe")
            seen = dict(x.split(" ", 1) for x in agent.log.splitlines() if " " in x)
            agent.close()
            (own / "written").unlink(missing_ok=True)
            return seen

        inside, outside = peek("bubblewrap"), peek("rlimits")
        shown = peek("bubblewrap", visible=[str(secret)])
    assert inside["secret"] == "None"
    assert outside["secret"] == "sesame"
    assert int(inside["neighbours"]) <= 4 < int(outside["neighbours"])
    assert inside["network"] != "open"
    assert outside["network"] == "open"
    assert inside["folder"] == "OSError"
    assert outside["folder"] == "writable"
    assert (inside["file"], outside["file"], shown["file"]) == ("False", "True", "True")


def test_an_agent_in_the_working_directory_shows_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bots").mkdir()
    inner, outer = tmp_path / "bots" / "a.py", tmp_path / "a.py"
    monkeypatch.chdir(tmp_path)
    assert sandbox.own_folder(str(inner)) == str(tmp_path / "bots")
    assert sandbox.own_folder(str(outer)) == str(outer)
    assert sandbox.own_folder("a.py") == str(outer)


def test_relative_commands_work_in_every_tier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tier: str, play: Play
) -> None:
    bot = Path(__file__).parents[3] / "examples" / "agents" / "keyed_bare.py"
    (tmp_path / "my bots").mkdir()
    shutil.copy(bot, tmp_path / "my bots")
    monkeypatch.chdir(tmp_path)
    agent = Isolated([sys.executable, "my bots/keyed_bare.py"], tier=tier)
    play(agent)
    agent.close()
    shutil.copy(bot, tmp_path / "bare.py")
    agent = Isolated([sys.executable, "bare.py"], tier=tier)
    play(agent)
    agent.close()


def test_detours_work_in_every_tier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tier: str, play: Play
) -> None:
    bot = Path(__file__).parents[3] / "examples" / "agents" / "keyed_bare.py"
    for name in ("here", "there", "unseen"):
        (tmp_path / name).mkdir()
    shutil.copy(bot, tmp_path / "there")
    monkeypatch.chdir(tmp_path / "here")
    folder = Path(sys.executable).parent
    interpreter = os.path.join(folder, os.pardir, folder.name, Path(sys.executable).name)
    agent = Isolated([interpreter, f"{tmp_path}/unseen/../there/keyed_bare.py"], tier=tier)
    play(agent)
    agent.close()


def test_modules_work_in_every_tier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tier: str, play: Play
) -> None:
    package = tmp_path / "somewhere" / "pack_of_a_test"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("PLACE = -1\n", encoding="utf-8")
    (package / "bot.py").write_text(
        "from pack_of_a_test import PLACE\n"
        "def choose(observation):\n    return observation.actions[PLACE]\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(package.parent))
    agent = Isolated("pack_of_a_test.bot:choose", tier=tier)
    assert play(agent, "tic_tac_toe")[0] == 8
    agent.close()


def test_saved_policies_work_in_every_tier(tmp_path: Path, tier: str, play: Play) -> None:
    from arena.policy import TabularPolicy

    keys = [f"{c}{h}" for c in "012" for h in ("", "p", "b", "pb")]
    policy = TabularPolicy.from_mapping(
        "openspiel/kuhn_poker", {(s, k): [0.5, 0.5] for s in (0, 1) for k in keys}
    )
    path = str(tmp_path / "p.npz")
    policy.save(path)
    same = arena.agent(path)
    for ref, params in ((path, {}), ("tabular", {"path": path})):
        agent = Isolated(ref, params, tier=tier)
        assert [play(agent, seed=k) for k in range(5)] == [play(same, seed=k) for k in range(5)]
        agent.close()


def test_agents_registered_in_this_process() -> None:
    from agents.load import as_agent
    from agents.simple import FirstLegal

    AGENTS.register("first_for_a_test", FirstLegal)
    AGENTS.register("lambda_for_a_test", lambda: as_agent(FirstLegal))
    try:
        agent = Isolated("first_for_a_test")
        game = arena.make("kuhn_poker")
        agent.begin(game, 0, 1)
        assert agent.act(game.state(1).observe(0)) == 0
        agent.close()
        with pytest.raises(AgentError, match="registered in this process"):
            Isolated("lambda_for_a_test")
    finally:
        AGENTS.unregister("first_for_a_test")
        AGENTS.unregister("lambda_for_a_test")


def test_limits_as_the_supervisor_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(memory=1 << 30, processes=10)
    assert sandbox.resource_limits(limits, "none") == ""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert sandbox.resource_limits(limits, "rlimits") == "CORE=0,DATA=1073741824"
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    number = sandbox.resource_limits(limits, "rlimits").rpartition("NPROC=")[2]
    assert int(number) == 40  # nobody runs as that user


def test_a_memory_limit_leaves_room_for_runtimes_that_reserve_much(tier: str, play: Play) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    bot = Path(__file__).parents[3] / "examples" / "agents" / "keyed.js"
    agent = Isolated([node, str(bot)], limits=Limits(memory=300 << 20), tier=tier)
    play(agent)
    agent.close()


def test_a_fork_starts_a_child_of_its_own(play: Play) -> None:
    agent = Isolated("first_legal", tier="none")
    play(agent)
    first = agent.pid
    copy = os.fork()
    if copy == 0:
        status = 1
        try:
            play(agent)
            status = 0 if agent.pid != first else 2
            agent.close()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]) == 0
    play(agent)
    assert agent.pid == first
    agent.close()


def test_ps_tells_the_same_as_proc() -> None:
    from agents.process import supervise

    if shutil.which("ps") is None or not os.path.exists("/proc/self/stat"):
        pytest.skip("needs ps and /proc")
    ours, theirs = supervise.processes()[os.getpid()], supervise._from_ps()[os.getpid()]
    assert (ours.pid, ours.parent, ours.zombie) == (theirs.pid, theirs.parent, theirs.zombie)
    assert abs(ours.memory - theirs.memory) < 50 << 20
    assert abs(ours.cpu - theirs.cpu) < 5.0
