"""References lead to agents, and say precisely what is wrong when they do not."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from agents.callables import CallableAgent
from agents.load import as_agent, fingerprint, load
from agents.process import ProcessAgent
from agents.simple import FirstLegal, Uniform
from agents.tabular import PolicyAgent
from arena.agent import Agent
from arena.episode import drive
from arena.errors import AgentError, ArenaError, ParameterError, UnknownNameError
from arena.game import Snapshot
from arena.policy import TabularPolicy
from arena.registry import AGENTS
from arena.solver import Solution

SEEN = Snapshot(seat=0, actions=[1, 3, 5], key="k")

CODE = """
from arena.policy import TabularPolicy

HELPER = 3

class Bot:
    def __init__(self, depth: int = 1):
        self.depth = depth
    def begin(self, game, seat, seed):
        pass
    def act(self, observation):
        return observation.actions[self.depth]
    def close(self):
        pass

class Half:
    def act(self, observation):
        return 0

bot = Bot(2)

def make(depth=2):
    return Bot(depth)

def make_needing(depth):
    return Bot(depth)

def make_nothing():
    return None

def make_class():
    return Bot

def make_chooser(n=0):
    return lambda observation: observation.actions[n]

def make_failing():
    return 1 / 0

def choose(observation):
    return observation.actions[-1]

def choose_with(observation, place=0):
    return observation.actions[place]

def choose_default(observation=None):
    return 0

policy = TabularPolicy.from_mapping("g", {(0, "k"): [0, 1, 0, 0, 0, 0]})
"""


@pytest.fixture
def bots(tmp_path: Path) -> str:
    file = tmp_path / "bots.py"
    file.write_text(CODE, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("name", "params", "move"),
    [
        ("Bot", {}, 3),
        ("Bot", {"depth": 2}, 5),
        ("bot", {}, 5),
        ("make", {}, 5),
        ("make", {"depth": 0}, 1),
        ("make_needing", {"depth": 0}, 1),
        ("make_chooser", {}, 1),
        ("make_chooser", {"n": 1}, 3),
        ("choose", {}, 5),
        ("choose_with", {}, 1),
        ("choose_with", {"place": 2}, 5),
    ],
)
def test_what_a_factory_may_be(bots: str, name: str, params: dict[str, Any], move: int) -> None:
    agent = load(f"{bots}:{name}", **params)
    assert isinstance(agent, Agent)
    agent.begin(arena.make("kuhn_poker"), 0, 1)
    assert agent.act(SEEN) == move
    agent.close()


def test_a_policy_in_a_file(bots: str) -> None:
    assert isinstance(load(f"{bots}:policy"), PolicyAgent)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("Bto", {}, "did you mean 'Bot'? (it defines Bot"),
        ("zzz", {}, "it defines Bot, Half, bot, make"),
        ("HELPER", {}, "is 3, not an agent"),
        ("Half", {}, "has no begin and no close"),
        ("bot", {"depth": 1}, "takes no parameters"),
        ("Bot", {"dpth": 1}, "did you mean 'depth'"),
        ("make", {"width": 1}, "it takes depth"),
        ("make_nothing", {}, "made None"),
        ("make_class", {}, "made the class Bot"),
        ("make_failing", {}, "ZeroDivisionError"),
        ("choose", {"n": 1}, "parameter"),
        ("choose_default", {}, "must not give `observation` a default"),
    ],
)
def test_what_a_factory_may_not_be(
    bots: str, name: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArenaError, match=re.escape(message)):
        load(f"{bots}:{name}", **params)


def test_a_factory_taken_for_a_function_is_found_out(bots: str) -> None:
    agent = load(f"{bots}:make_needing")
    agent.begin(arena.make("kuhn_poker"), 0, 1)
    with pytest.raises(AgentError, match="makes agents"):
        agent.act(SEEN)


def test_files_that_fail(tmp_path: Path) -> None:
    cases = {
        "raises.py": ("x = 1\n\ny = x / 0\n", r"ZeroDivisionError: division by zero \(raises.py:3"),
        "syntax.py": ("def f(:\n", r"SyntaxError: .*\(syntax.py:1\)"),
        "leaves.py": ("import sys\nsys.exit(3)\n", r"SystemExit: 3 \(leaves.py:2\)"),
        "needs.py": ("import nonesuch_module\n", r"No module named 'nonesuch_module' \(needs.py:1"),
    }
    for name, (code, message) in cases.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
        with pytest.raises(AgentError, match=message):
            load(f"{tmp_path / name}:Bot")
    (tmp_path / "empty.py").write_text("", encoding="utf-8")
    with pytest.raises(AgentError, match="defines nothing that could play"):
        load(f"{tmp_path / 'empty.py'}:Bot")
    with pytest.raises(AgentError, match=r"did you mean 'empty\.py'"):
        load(f"{tmp_path / 'emty.py'}:Bot")
    with pytest.raises(AgentError, match="nor a folder"):
        load(f"{tmp_path / 'none' / 'x.py'}:Bot")


def test_a_file_without_a_name(bots: str) -> None:
    with pytest.raises(AgentError, match=r"as in bots.py:NAME \(it defines Bot"):
        load(bots)


def test_a_changed_file_is_read_anew(bots: str) -> None:
    file = Path(bots)
    first = load(f"{bots}:choose").act(SEEN)
    file.write_text(CODE.replace("actions[-1]", "actions[0]"), encoding="utf-8")
    assert (first, load(f"{bots}:choose").act(SEEN)) == (5, 1)


def test_neighbours_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "my_neighbour_xyz.py").write_text("PLACE = 1\n", encoding="utf-8")
    (tmp_path / "mine.py").write_text(
        "def choose(observation):\n"
        "    from my_neighbour_xyz import PLACE\n"
        "    return observation.actions[PLACE]\n",
        encoding="utf-8",
    )
    assert load(f"{tmp_path / 'mine.py'}:choose").act(SEEN) == 3


def test_modules(monkeypatch: pytest.MonkeyPatch, bots: str) -> None:
    monkeypatch.syspath_prepend(str(Path(bots).parent))
    try:
        assert load("bots:choose").act(SEEN) == 5
        with pytest.raises(AgentError, match="there is no module 'bots_nonesuch'"):
            load("bots_nonesuch:choose")
        with pytest.raises(AgentError, match=r"no module 'agents\.nonesuch'"):
            load("agents.nonesuch:Uniform")
        with pytest.raises(AgentError, match="did you mean 'Uniform'"):
            load("agents.simple:Unifrom")
    finally:
        sys.modules.pop("bots", None)


def test_registered_names() -> None:
    assert isinstance(load("uniform"), Uniform)
    assert isinstance(load("random"), Uniform)
    with pytest.raises(UnknownNameError, match="uniform"):
        load("unifrm")
    with pytest.raises(UnknownNameError, match="it takes none"):
        load("first_legal", depth=3)
    with pytest.raises(AgentError, match="empty"):
        load("  ")


def test_commands(bots: str) -> None:
    for ref in (f"cmd:{shlex.quote(sys.executable)} -c 'a b'", [sys.executable, "-c", "a b"]):
        agent = load(ref)
        assert isinstance(agent, ProcessAgent)
        assert agent.words == (sys.executable, "-c", "a b")
    with pytest.raises(AgentError, match="cannot split"):
        load("cmd:echo 'open")
    with pytest.raises(AgentError, match="empty"):
        load("cmd:")


def test_live_objects(bots: str) -> None:
    agent = Uniform()
    assert as_agent(agent) is agent
    assert isinstance(as_agent(FirstLegal), FirstLegal)
    assert isinstance(as_agent(lambda observation: 0), CallableAgent)
    policy = TabularPolicy.from_mapping("g", {(0, "k"): [0.0, 1.0]})
    assert isinstance(as_agent(policy), PolicyAgent)
    solution = Solution(arena.make("kuhn_poker"), "mine", {}, policy)
    assert isinstance(as_agent(solution), PolicyAgent)
    with pytest.raises(AgentError, match="3, which is neither an agent"):
        as_agent(3)


def play(game: Any, players: list[Agent], seed: int) -> list[int]:
    state = game.state(seed)
    for seat, player in enumerate(players):
        player.begin(game, seat, seed)
    drive(state, [player.act for player in players])
    history: list[int] = state.history()
    return history


@pytest.mark.parametrize("name", ["kuhn_poker", "tic_tac_toe", "goofspiel"])
def test_live_openspiel_bots_hear_everything(name: str) -> None:
    pyspiel = pytest.importorskip("pyspiel")
    game = arena.make(name)

    class Listener(pyspiel.Bot):  # type: ignore[misc] # the library has no types
        def __init__(self) -> None:
            super().__init__()
            self.heard: list[int] = []

        def restart_at(self, state: Any) -> None:
            self.heard = []

        def inform_action(self, state: Any, player: int, action: int) -> None:
            assert action in state.legal_actions(player)
            self.heard.append(action)

        def step(self, state: Any) -> int:
            legal: list[int] = state.legal_actions(1)
            return legal[0]

    bot = Listener()
    for seed in range(3):
        state = game.state(seed)
        agent, other = as_agent(bot), arena.agent("uniform")
        agent.begin(game, 1, seed)
        other.begin(game, 0, seed)
        drive(state, [other.act, agent.act])
        moves = [e.action for e in state.raw.full_history() if e.player == 0]
        assert bot.heard == moves[: len(bot.heard)]
        assert len(bot.heard) >= len(moves) - 1


def test_live_openspiel_policies() -> None:
    policies = pytest.importorskip("open_spiel.python.policy")
    game = arena.make("kuhn_poker")
    agent = as_agent(policies.FirstActionPolicy(game.root().raw.get_game()))
    first = play(game, [agent, arena.agent("uniform")], 4)
    assert first == play(game, [arena.agent("first_legal"), arena.agent("uniform")], 4)
    with pytest.raises(AgentError, match="needs the OpenSpiel state"):
        agent.act(SEEN)


# -- fingerprints --------------------------------------------------------------


def test_fingerprints_follow_the_code(bots: str, tmp_path: Path) -> None:
    ref = f"{bots}:Bot"
    first = fingerprint(ref, {})
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert fingerprint(ref) == first
    assert fingerprint(ref, {"depth": 2}) != first
    assert fingerprint(f"{bots}:make", {}) != first
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "bots.py").write_text(CODE, encoding="utf-8")
    assert fingerprint(f"{moved / 'bots.py'}:Bot") == first
    Path(bots).write_text(CODE + "\n# changed\n", encoding="utf-8")
    assert fingerprint(ref, {}) != first
    with pytest.raises(AgentError, match="no file"):
        fingerprint(f"{bots}x.py:Bot")


def test_fingerprints_of_registered_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    first = fingerprint("uniform")
    assert first == fingerprint("random")
    assert first != fingerprint("first_legal")
    monkeypatch.setattr(Uniform, "version", "2")
    assert fingerprint("uniform") != first
    with pytest.raises(UnknownNameError):
        fingerprint("unifrm")
    AGENTS.register("mine_for_a_test", FirstLegal)
    try:
        assert fingerprint("mine_for_a_test") != fingerprint("first_legal")
    finally:
        AGENTS.unregister("mine_for_a_test")


def test_fingerprints_of_commands(tmp_path: Path) -> None:
    script = tmp_path / "bot.py"
    script.write_text("1", encoding="utf-8")
    ref = f"cmd:{shlex.quote(sys.executable)} {script} --depth 3"
    first = fingerprint(ref)
    assert fingerprint([sys.executable, str(script), "--depth", "3"]) == first
    assert fingerprint(f"cmd:{shlex.quote(sys.executable)} {script} --depth 4") != first
    script.write_text("2", encoding="utf-8")
    os.utime(script, ns=(1, 1))
    assert fingerprint(ref) != first


def test_fingerprints_of_modules_do_not_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loud_module_xyz.py").write_text("raise ValueError", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert fingerprint("loud_module_xyz:Bot")
    with pytest.raises(AgentError, match="no module"):
        fingerprint("loud_module_xyz_2:Bot")


# -- policies ------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> tuple[str, TabularPolicy]:
    rows = {
        (s, f"{c}{h}"): [0.25, 0.75] for s in (0, 1) for c in "012" for h in ("", "pb", "p", "b")
    }
    policy = TabularPolicy.from_mapping("openspiel/kuhn_poker", rows)
    policy.save(tmp_path / "kuhn.npz")
    return str(tmp_path / "kuhn.npz"), policy


def test_a_saved_policy_plays_its_probabilities(saved: tuple[str, TabularPolicy]) -> None:
    path, _ = saved
    game = arena.make("kuhn_poker")
    agent = load(path)
    same = arena.agent("tabular", path=path)
    agent.begin(game, 0, 7)
    same.begin(game, 0, 7)
    seen = game.state(3).observe(0)
    drawn = [agent.act(seen) for _ in range(4000)]
    assert drawn == [same.act(seen) for _ in range(4000)]
    assert abs(np.mean(drawn) - 0.75) < 0.03


def test_policies_say_what_they_lack(saved: tuple[str, TabularPolicy], tmp_path: Path) -> None:
    path, _ = saved
    with pytest.raises(AgentError, match=r"is a policy for openspiel/kuhn_poker, not for"):
        load(path).begin(arena.make("leduc_poker"), 0, 1)
    game = arena.make("kuhn_poker")
    agent = load(path)
    agent.begin(game, 0, 1)
    with pytest.raises(AgentError, match="no probabilities at infoset 'elsewhere' of seat 0"):
        agent.act(Snapshot(seat=0, actions=[0, 1], key="elsewhere"))
    with pytest.raises(AgentError, match=r"did you mean 'kuhn\.npz'"):
        load(str(tmp_path / "khun.npz"))
    (tmp_path / "bad.npz").write_text("nonsense", encoding="utf-8")
    with pytest.raises(ParameterError, match="policy file"):
        load(str(tmp_path / "bad.npz"))
    with pytest.raises(ParameterError, match="no parameter"):
        load(path, depth=3)


@pytest.mark.parametrize("bad", [[0.5, 0.4], [1.5, -0.5], [1.0], [float("nan"), 1.0]])
def test_what_is_no_distribution(bad: list[float]) -> None:
    class Broken:
        def probabilities(self, observation: Any) -> Any:
            return np.array(bad)

    agent = as_agent(Broken())
    agent.begin(arena.make("kuhn_poker"), 0, 1)
    with pytest.raises(AgentError, match="not probabilities of 2 actions"):
        agent.act(SEEN)


def test_functions_must_answer_actions() -> None:
    for answer in (None, "1", 1.5, [1]):
        agent = CallableAgent(lambda observation, answer=answer: answer)
        with pytest.raises(AgentError, match="not an action"):
            agent.act(SEEN)
    assert CallableAgent(lambda observation: np.int64(3)).act(SEEN) == 3
    with pytest.raises(AgentError, match="not a function"):
        CallableAgent(3)  # type: ignore[arg-type] # that is the point
