from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from arena.cli.main import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["arena", "populations", *arguments])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_table_of_two_populations(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "table.json"
    arguments = ["matching_pennies", "--row", "heads=first_legal", "--row", "uniform"]
    arguments += ["--column", "uniform", "--episodes", "30", "--seed", "2", "--save", str(path)]
    assert run(monkeypatch, *arguments) == 0
    shown = capsys.readouterr().out
    assert "uniform/0" in shown
    assert "uniform/1" in shown
    kept: dict[str, Any] = json.loads(path.read_text())
    assert kept["rows"] == ["heads", "uniform/0"]
    assert kept["columns"] == ["uniform/1"]
    assert run(monkeypatch, *arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out) == kept


def test_what_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = ["--row", "a=uniform", "--row", "a=first_legal", "--column", "b=uniform"]
    assert run(monkeypatch, "matching_pennies", *twice) == 2
    assert "another name than 'a'" in capsys.readouterr().err
    assert run(monkeypatch, "stag_hunt", "--row", "uniform", "--column", "uniform") == 2
    assert "zero-sum" in capsys.readouterr().err
