"""Installs the stand-in engine of `tests/fake_sc2` as `$SC2PATH/Versions/Base99999/SC2_x64`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fake_sc2.installed import FakeEngine, installed


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """The stand-in engine, installed; afterwards none of its processes may be left."""
    pytest.importorskip("pysc2", reason="the extra `starcraft` is not installed")
    engine = installed(tmp_path)
    monkeypatch.setenv("SC2PATH", str(engine.folder))
    monkeypatch.setenv("FAKE_SC2", str(engine.memory))
    yield engine
    left: list[Any] = []
    if not engine.gone(2.0):
        for pid in engine.alive():
            left.append(pid)
            psutil.Process(pid).kill()
    assert not left, "processes of the engine are left"
