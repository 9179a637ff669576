"""What the tests of tournaments share: small specs, and looking at what is stored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tournaments.export import export
from tournaments.spec import (
    AgentSpec,
    ExecutorSpec,
    GameSpec,
    ScheduleSpec,
    Spec,
)

BOTS = Path(__file__).with_name("bots.py")

IN_PROCESS = ExecutorSpec("in_process")


@pytest.fixture
def bot() -> Callable[..., AgentSpec]:
    """Return a maker of agents that play inside the worker."""

    def make(kind: str, name: str = "", **options: Any) -> AgentSpec:
        options.setdefault("isolation", "none")
        return AgentSpec(name=name or kind.lower(), ref=f"{BOTS}:{kind}", **options)

    return make


@pytest.fixture
def cup() -> Callable[..., Spec]:
    """Return a maker of small tournaments."""

    def make(*agents: AgentSpec, games: tuple[str, ...] = ("tic_tac_toe",), **options: Any) -> Spec:
        schedule = {
            key: options.pop(key)
            for key in ("kind", "repetitions", "rounds", "challengers", "max_seatings")
            if key in options
        }
        chosen = agents or (AgentSpec("a", "uniform"), AgentSpec("b", "first_legal"))
        return Spec(
            name=options.pop("name", "cup"),
            games=tuple(GameSpec(game) for game in games),
            agents=chosen,
            seed=options.pop("seed", 5),
            schedule=ScheduleSpec(**schedule),
            executor=options.pop("executor", IN_PROCESS),
            **options,
        )

    return make


@pytest.fixture
def table(tmp_path: Path) -> Callable[[Path], str]:
    """Return a function that gives all matches of a file as text, in schedule order."""

    def read(db: Path) -> str:
        target = tmp_path / f"table-{os.getpid()}.csv"
        export(db, target)
        return target.read_text(encoding="utf-8")

    return read


@pytest.fixture
def no_leftovers() -> Iterator[None]:
    """Fail if the test leaves a child process behind, running or not waited for."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    after = [c for c in psutil.Process().children(recursive=True) if c.pid not in before]
    gone, alive = psutil.wait_procs(after, timeout=5)
    del gone
    assert not alive
