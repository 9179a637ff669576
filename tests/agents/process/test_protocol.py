"""What docs/protocol.md says is what happens, on both sides."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from agents.process import Isolated, ProcessAgent
from agents.process.protocol import act_line, describe, read_action, rebuild, to_action
from arena.agent import Agent, Limits
from arena.episode import drive
from arena.errors import AgentError, AgentFaultError
from arena.game import Clock, Game, Snapshot
from arena.types import Box, Discrete, MultiDiscrete, OtherSpace

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
EXAMPLES = ROOT / "examples" / "agents"
TEXT = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.timeout(60)
Play = Callable[..., list[int]]


def transcript(name: str) -> tuple[list[str], list[str]]:
    """Return the requests and the answers of a transcript in the documentation."""
    found = re.search(rf"```transcript {name}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    lines = found[1].splitlines()
    return [x[2:] for x in lines if x[0] == ">"], [x[2:] for x in lines if x[0] == "<"]


def comparable(line: str) -> Any:
    """Return a message without what depends on versions, and with rough clocks."""
    message = json.loads(line)
    message.pop("arena", None)
    if "game" in message:
        message["game"].pop("version")
        message["game"].pop("forms")
    if message.get("clock"):
        message["clock"] = {k: round(v, 0) for k, v in message["clock"].items()}
    return message


@pytest.mark.parametrize(
    ("name", "games", "limits"),
    [
        ("kuhn", [(0, 3, 7), (1, 4, 8)], Limits()),
        ("want", [(0, 3, 7)], Limits(move=2, game=10, cpu=5)),
        ("refuse", [(0, 3, 7)], Limits()),
    ],
)
def test_arena_says_what_the_transcript_says(
    name: str, games: list[tuple[int, int, int]], limits: Limits, tmp_path: Path
) -> None:
    asked, answers = transcript(name)
    (tmp_path / "answers").write_text("\n".join(answers) + "\n", encoding="utf-8")
    program = Path(__file__).with_name("transcript.py")
    words = [sys.executable, str(program), str(tmp_path / "answers"), str(tmp_path / "notes")]
    agent = ProcessAgent(words, limits=limits)
    game = arena.make("kuhn_poker")
    for seat, chance, seed in games:
        other = arena.agent("first_legal")
        other.begin(game, 1 - seat, 0)
        state = game.state(chance)
        try:
            agent.begin(game, seat, seed)
            players: list[Agent] = [other, other]
            players[seat] = agent
            drive(state, [player.act for player in players])
            agent.end(state.returns().tolist())
        except AgentFaultError as fault:
            assert (name, fault.kind) == ("want", "exception")
        except AgentError as error:
            assert name == "refuse" and "plays chess only" in str(error)
    agent.close()
    noted = (tmp_path / "notes").read_text(encoding="utf-8").splitlines()
    assert [comparable(line) for line in noted] == [comparable(line) for line in asked]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> str | None:
    """Build the example in C, where there is a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    program = tmp_path_factory.mktemp("c") / "keyed"
    source = str(EXAMPLES / "keyed.c")
    subprocess.run([compiler, "-O1", "-Wall", "-Werror", "-o", str(program), source], check=True)
    return str(program)


@pytest.fixture(params=["python with arena", "bare python", "javascript", "c"])
def example(request: pytest.FixtureRequest, compiled: str | None) -> list[str]:
    if request.param == "javascript":
        node = shutil.which("node")
        if node is None:
            pytest.skip("node is not installed")
        return [node, str(EXAMPLES / "keyed.js")]
    if request.param == "c":
        if compiled is None:
            pytest.skip("there is no C compiler (cc)")
        return [compiled]
    name = "keyed.py" if request.param == "python with arena" else "keyed_bare.py"
    return [sys.executable, str(EXAMPLES / name)]


def test_examples_answer_as_the_transcript_says(example: list[str]) -> None:
    asked, answers = transcript("kuhn")
    done = subprocess.run(
        example,
        check=False,
        env=ENVIRONMENT,
        input="\n".join(asked) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [json.loads(line) for line in answers]
    # arena's own Python side gives no name and asks for fields only when they are read.
    assert said[0]["protocol"] == 1
    assert said[1:] == expected[1:]


@pytest.mark.parametrize("name", ["kuhn_poker", "connect_four"])
def test_examples_play_like_the_agent_in_process(
    example: list[str], name: str, play: Play, tier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    packages = [str(ROOT / package) for package in ("arena", "agents", "games", "solvers")]
    agent = Isolated(example, tier=tier, visible=packages)
    same = arena.agent(f"{EXAMPLES / 'keyed.py'}:Keyed")
    for seed in range(6):
        seat = seed % 2
        assert play(agent, name, seat=seat, seed=seed) == play(same, name, seat=seat, seed=seed)
    agent.close()


def test_five_lines(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    agent = arena.agent(f"cmd:{shlex.join([sys.executable, str(EXAMPLES / 'five_lines.py')])}")
    history = play(agent, "tic_tac_toe")
    assert history[0] == 8  # the last of nine
    agent.close()


@pytest.mark.parametrize("ref", ["uniform", "first_legal", "agents.simple:Uniform"])
@pytest.mark.parametrize("name", ["kuhn_poker", "tic_tac_toe", "goofspiel"])
def test_isolated_agents_play_the_same_game(ref: str, name: str, play: Play) -> None:
    agent, same = Isolated(ref), arena.agent(ref)
    for seed in range(4):
        assert play(agent, name, seed=seed) == play(same, name, seed=seed)
    agent.close()


WATCHER = """
class Watcher:
    def begin(self, game, seat, seed):
        self.game, self.seat, self.seed = game, seat, seed

    def act(self, observation):
        o, game = observation, self.game
        print(o.seat, list(o.actions), o.legal.tolist(), o.key, repr(o.view), o.tensor.tolist())
        print(o.tensor.dtype, o.clock, self.seat, self.seed, game.key, game.actions, game.payoff)
        print(game.payoff_bounds, game.max_length, game.teams, game.version, game.chance)
        print(game.describe_action(o.seat, o.actions[0]), game.state(5).observe(0).key, game)
        return o.actions[0]

    def end(self, returns):
        print("paid", returns.tolist())

    def close(self):
        pass
"""


@pytest.mark.parametrize("name", ["kuhn_poker", "connect_four", "leduc_poker"])
def test_both_sides_see_the_same(
    name: str, tmp_path: Path, play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "watcher.py").write_text(WATCHER, encoding="utf-8")
    ref = f"{tmp_path / 'watcher.py'}:Watcher"
    agent = Isolated(ref)
    play(agent, name, seed=(1 << 64) - 2)
    theirs = agent.log
    agent.begin(arena.make(name), 0, 1)  # by now it has read the answer to `end`
    agent.close()
    capsys.readouterr()
    play(arena.agent(ref), name, seed=(1 << 64) - 2)
    ours = capsys.readouterr().out
    assert ours
    assert theirs.replace("paid", "").startswith(ours)


def test_the_clock_is_sent(tmp_path: Path) -> None:
    code = WATCHER.replace("return o.actions[0]", "return int(o.clock.move > 1e6)")
    (tmp_path / "watcher.py").write_text(code, encoding="utf-8")
    agent = Isolated(f"{tmp_path / 'watcher.py'}:Watcher", limits=Limits(move=50.0))
    game = arena.make("kuhn_poker")
    agent.begin(game, 0, 1)
    raw = game.state(3).observe(0)
    seen = Snapshot.of(raw)
    assert agent.act(seen) == 0
    from dataclasses import replace

    assert agent.act(replace(seen, clock=Clock())) == 1
    agent.close()


def test_old_observations_are_gone(tmp_path: Path, play: Play) -> None:
    (tmp_path / "hoarder.py").write_text(
        """
from agents.simple import FirstLegal
class Hoarder(FirstLegal):
    last = None
    def act(self, observation):
        last, self.last = self.last, observation
        return observation.actions[0] if last is None else int(last.key)
""",
        encoding="utf-8",
    )
    agent = Isolated(f"{tmp_path / 'hoarder.py'}:Hoarder")
    with pytest.raises(AgentFaultError, match="its state has moved on"):
        play(agent, "tic_tac_toe")


def box(shape: tuple[int, ...]) -> Box:
    return Box(np.full(shape, -1.0), np.full(shape, np.inf), shape)


FACTS = ["actions", "chance", "key", "max_length", "payoff", "payoff_bounds", "seat_names", "seats"]
FACTS += ["perfect_information", "teams", "turns", "version"]


def test_games_survive_the_description() -> None:
    for name in ("kuhn_poker", "goofspiel", "chess"):
        game = arena.make(name)
        twin = rebuild(json.loads(json.dumps(describe(game))))
        for field in FACTS:
            assert getattr(twin, field) == getattr(game, field)
        assert twin.state(4).observe(0).view == game.state(4).observe(0).view


def odd_game(space: Any) -> Game:
    return Game(
        id="odd", seats=1, actions=(space,), payoff="general_sum", turns="sequential",
        forms={"state": lambda seed: None}, rebuildable=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("space", "good", "bad"),
    [
        (Discrete(3), [0, 2], [True, 1.0, "1", None, [1]]),
        (MultiDiscrete((2, 3)), [[0, 0], [1, 2]], [[2, 0], [0], [0.0, 1.0], [-1, 0], 1, "x"]),
        (box((2,)), [[0.5, 3], [-1, 0]], [[-2, 0], [0], [None, 0], [[0, 0]], float("nan"), "x"]),
    ],
)
def test_actions_of_every_space(space: Any, good: list[Any], bad: list[Any]) -> None:
    twin = rebuild(json.loads(json.dumps(describe(odd_game(space)))))
    assert twin.actions[0] == space
    assert twin.forms == {}
    for value in good:
        action = to_action(value, space)
        assert action is not None
        assert np.array_equal(action, value)
    for value in bad:
        assert to_action(value, space) is None


def test_vectors_travel(tmp_path: Path) -> None:
    (tmp_path / "vector.py").write_text(
        "import numpy as np\nfrom agents.simple import Uniform\n"
        "class Wrong(Uniform):\n    def act(self, o):\n        return np.array([7, 7])\n",
        encoding="utf-8",
    )
    for space in (MultiDiscrete((2, 3)), box((2, 2))):
        game = odd_game(space)
        agent, same = Isolated("uniform"), arena.agent("uniform")
        agent.begin(game, 0, 3)
        same.begin(game, 0, 3)
        seen = Snapshot(seat=0)
        for _ in range(5):
            assert np.array_equal(agent.act(seen), same.act(seen))
        agent.close()
    wrong = Isolated(f"{tmp_path / 'vector.py'}:Wrong")
    wrong.begin(odd_game(MultiDiscrete((2, 3))), 0, 1)
    with pytest.raises(AgentFaultError) as caught:
        wrong.act(Snapshot(seat=0))
    assert caught.value.kind == "illegal"
    with pytest.raises(AgentError, match="cannot be sent"):
        describe(odd_game(OtherSpace("anything")))


def test_lines_are_json() -> None:
    seen = Snapshot(
        seat=1,
        actions=[np.int64(3), np.int64(4)],  # type: ignore[list-item] # sloppy engines exist
        key='quote " and \n and ünïcode \U0001f600',
        view="",
        tensor=np.array([0.5, np.inf], dtype=np.float32),
    )
    line = act_line(seen, ("key", "view", "tensor"), "null")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "type": "act", "seat": 1, "actions": [3, 4], "clock": None,
        "key": seen.key, "view": "", "tensor": [0.5, None],
    }  # fmt: skip
    empty = json.loads(act_line(Snapshot(seat=0), ("key",), "null"))
    assert empty == {"type": "act", "seat": 0, "actions": None, "clock": None, "key": None}


@pytest.mark.parametrize(
    ("raw", "action"),
    [
        (b'{"action":3}\n', 3),
        (b'{"action": 12 }\n', 12),
        (b'{"action":-3}\n', None),
        (b'{"action":3.0}\n', None),
        (b'{"action":1_0}\n', None),
        (b'{"action":}\n', None),
        (b'{"action":3,"x":1}\n', None),
    ],
)
def test_the_short_way_to_read_answers(raw: bytes, action: int | None) -> None:
    assert read_action(raw) == action
