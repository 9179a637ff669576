"""The human at the terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

import arena
from agents.human import Human
from arena.errors import AgentError, AgentFaultError, ResignError
from arena.game import Game, Snapshot


def typed(*lines: str) -> Callable[[str], str]:
    left = iter(lines)

    def read(prompt: str) -> str:
        line = next(left, None)
        if line is None:
            raise EOFError
        return line

    return read


def ask(*lines: str, name: str = "tic_tac_toe", actions: list[int] | None = None) -> int:
    game = arena.make(name)
    human = Human(read=typed(*lines))
    human.begin(game, 0, 1)
    state = game.state(1)
    seen = state.observe(0)
    if actions is not None:
        seen = Snapshot(seat=0, actions=actions, view="[bold]board[/nonsense]")  # type: ignore[assignment] # an Observation as well
    action = human.act(seen)
    assert isinstance(action, int)
    human.end([1.0, -1.0])
    human.close()
    return action


@pytest.mark.parametrize(
    ("lines", "action"),
    [
        (["3"], 3),
        ([" 3 "], 3),
        (["x(1,0)"], 3),
        (["X(1,0)"], 3),
        (["x(2,2"], 8),
        (["99", "", "nonsense", "x", "?", "x(1,1)"], 4),
    ],
)
def test_answers_by_number_or_name(lines: list[str], action: int) -> None:
    assert ask(*lines) == action


def test_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    ask("?", "9", "x", "2", actions=[1, 2])
    out = capsys.readouterr().out
    assert "[bold]board[/nonsense]" in out  # shown as it is
    assert "x(0,1)" in out and "x(0,2)" in out and "q resigns" in out
    assert "'9' is no legal action" in out
    assert "'x' could be x(0,1) (1), x(0,2) (2)" in out
    assert "yours 1" in out


@pytest.mark.parametrize("lines", [["q"], ["quit"], []])
def test_resigning(lines: list[str]) -> None:
    with pytest.raises(ResignError) as caught:
        ask(*lines)
    assert isinstance(caught.value, AgentFaultError)
    assert caught.value.kind == "resign"


def test_an_action_called_q_can_be_played() -> None:
    game = arena.make("kuhn_poker")
    named = Game(
        id="named", seats=2, actions=game.actions, payoff="zero_sum", turns="sequential",
        forms={}, action_name=lambda seat, action: "pq"[action],
    )  # fmt: skip
    human = Human(read=typed("q"))
    human.begin(named, 0, 1)
    assert human.act(Snapshot(seat=0, actions=[0, 1])) == 1


def test_control_c_resigns() -> None:
    def interrupt(prompt: str) -> str:
        raise KeyboardInterrupt

    human = Human(read=interrupt)
    human.begin(arena.make("kuhn_poker"), 0, 1)
    with pytest.raises(ResignError):
        human.act(Snapshot(seat=0, actions=[0, 1]))


def test_no_terminal() -> None:
    code = "import arena; arena.agent('human').begin(arena.make('kuhn_poker'), 0, 1)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert b"human needs a terminal" in done.stderr


@pytest.mark.timeout(60)
def test_a_real_terminal() -> None:
    program = textwrap.dedent("""
        import arena
        human, game = arena.agent("human", name="Ada"), arena.make("tic_tac_toe")
        human.begin(game, 0, 1)
        print("played", human.act(game.state(1).observe(0)))
    """)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=theirs, stdout=subprocess.PIPE
    ) as p:
        os.write(ours, b"4\n")
        assert p.stdout is not None
        out = p.stdout.read().decode()
    os.close(ours)
    os.close(theirs)
    assert "Ada> " in out
    assert "played 4" in out


def test_only_discrete_actions() -> None:
    from arena.types import MultiDiscrete

    game = Game(
        id="g", seats=1, actions=(MultiDiscrete((2, 2)),), payoff="cooperative",
        turns="sequential", forms={},
    )  # fmt: skip
    with pytest.raises(AgentError, match="discrete"):
        Human(read=typed()).begin(game, 0, 1)
