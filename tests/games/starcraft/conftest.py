"""Installs the stand-in engine of `tests/fake_sc2` as `$SC2PATH/Versions/Base99999/SC2_x64`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from games.starcraft.battle import EngineBattle, names
from tests.fake_sc2.installed import FakeEngine, script


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """The stand-in engine, installed; afterwards none of its processes may be left."""
    pytest.importorskip("pysc2", reason="the extra `starcraft` is not installed")
    folder = tmp_path / "StarCraftII"
    binary = folder / "Versions" / "Base99999" / "SC2_x64"
    binary.parent.mkdir(parents=True)
    binary.write_text(script(sys.executable))
    binary.chmod(0o755)
    for name in names():
        file = folder / "Maps" / EngineBattle(name).map_path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"fake map {file.stem}")
    (folder / "Maps" / "mini_games").mkdir()
    (folder / "Maps" / "mini_games" / "MoveToBeacon.SC2Map").write_text("fake map MoveToBeacon")
    engine = FakeEngine(folder)
    monkeypatch.setenv("SC2PATH", str(folder))
    monkeypatch.setenv("FAKE_SC2", str(engine.memory))
    yield engine
    left: list[Any] = []
    if not engine.gone(2.0):
        for pid in engine.alive():
            left.append(pid)
            psutil.Process(pid).kill()
    assert not left, "processes of the engine are left"
