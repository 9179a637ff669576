from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled trees of a test stay in its own folder."""
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
