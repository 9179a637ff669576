"""What the tests of processes share: a watch over leftovers, tiers, and a game to play."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from leftovers import left_over

import arena
from agents.process import TIERS, ProcessAgent, obstacle
from arena.agent import Agent
from arena.episode import drive


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test ends without a process more than before, zombies and orphans included."""
    monkeypatch.setenv("ARENA_TEST", f"{os.getpid()}-{request.node.name}")
    yield
    assert left_over() == []


@pytest.fixture(params=TIERS)
def tier(request: pytest.FixtureRequest) -> str:
    problem = obstacle(request.param)
    if problem is not None:
        pytest.skip(f"tier {request.param}: {problem}")
    name: str = request.param
    return name


@pytest.fixture
def play() -> Callable[..., list[int]]:
    """Play one game and return its history; `agent` sits in `seat`, uniform elsewhere."""

    def play(agent: Agent, name: str = "kuhn_poker", *, seat: int = 0, seed: int = 1) -> list[int]:
        game = arena.make(name)
        state = game.state(seed)
        players: list[Agent] = [arena.agent("uniform") for _ in range(game.seats)]
        players[seat] = agent
        for place, player in enumerate(players):
            player.begin(game, place, seed + place)
        drive(state, [player.act for player in players])
        if isinstance(agent, ProcessAgent):
            agent.end(state.returns().tolist())
        history: list[int] = state.history()
        return history

    return play
