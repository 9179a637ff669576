"""Where the stand-in is installed: its folder, what it has done, and what goes wrong in it."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path

import psutil

from games.starcraft.battle import EngineBattle, names
from games.starcraft.minigame import MINIGAMES

ROOT = Path(__file__).parents[2]


def script(python: str) -> str:
    """Return the program that stands for the engine; paths may have spaces."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r});"
        " from tests.fake_sc2.server import main; main()"
    )
    return f'#!/bin/sh\nexec {shlex.quote(python)} -c {shlex.quote(code)} "$@"\n'


def installed(folder: Path) -> FakeEngine:
    """Install the stand-in below `folder`, with all maps."""
    folder /= "StarCraftII"
    binary = folder / "Versions" / "Base99999" / "SC2_x64"
    binary.parent.mkdir(parents=True)
    binary.write_text(script(sys.executable))
    binary.chmod(0o755)
    maps = {EngineBattle(name).map_path for name in names()}
    maps |= {f"mini_games/{name}.SC2Map" for name in MINIGAMES}
    for path in maps:
        file = folder / "Maps" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"fake map {file.stem}")
    return FakeEngine(folder)


class FakeEngine:
    """What the stand-in has done, and what it is to do wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.memory = folder / "memory"
        self.memory.mkdir()
        self.faults([])

    def faults(self, faults: list[dict[str, int]]) -> None:
        """Say what goes wrong in each launch from now on, in order."""
        launched = len(self.launches())
        (self.memory / "faults.json").write_text(json.dumps([{}] * launched + faults))

    def border(self, width: int) -> None:
        """Let nothing walk so near to the edge of the map, as on real maps."""
        (self.memory / "border").write_text(str(width))

    def launches(self) -> list[tuple[int, int]]:
        """Return process id and port of every launch so far."""
        file = self.memory / "launches"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(int(line.split()[0]), int(line.split()[1])) for line in lines]

    def alive(self) -> list[int]:
        """Return the process ids that still run."""
        return [pid for pid, _ in self.launches() if running(pid)]

    def gone(self, seconds: float = 20.0) -> bool:
        """Whether all processes end, given so much time."""
        end = time.monotonic() + seconds
        while self.alive() and time.monotonic() < end:
            time.sleep(0.05)
        return not self.alive()


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
