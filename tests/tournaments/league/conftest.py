"""What the tests of leagues share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import league_help
import pytest

from tournaments.league import League, Placement


@pytest.fixture
def cup(tmp_path: Path) -> Callable[..., League]:
    """Return a maker of leagues in folders of their own."""

    def make(
        name: str = "cup", skills: Mapping[str, float] | None = None, **options: Any
    ) -> League:
        options.setdefault("games", ["test_contest"])
        options.setdefault("seed", 11)
        place = options.pop("place", {})
        made = League.create(tmp_path / name, placement=Placement(**place), **options)
        for label, skill in (skills or {}).items():
            league_help.join(made, label, skill)
        return made

    return make
