"""Where StarCraft II is, and what to install where it is not."""

from __future__ import annotations

import importlib.util
import os
import platform
from pathlib import Path

from arena.errors import MissingDependencyError, ParameterError
from arena.files import check_writable
from games.starcraft.shim import HOW

__all__ = ["check", "check_replays", "engine_folder", "missing"]

_LINUX = (
    "download SC2.4.10.zip from https://github.com/Blizzard/s2client-proto#linux-packages,"
    " `unzip -P iagreetotheeula SC2.4.10.zip -d ~` and `export SC2PATH=~/StarCraftII`"
)
_DESKTOP = (
    "install StarCraft II from https://starcraft2.blizzard.com, run it once, and set SC2PATH to"
    " its folder"
)
_MAPS = {
    "SMAC_Maps": (
        "`unzip` SMAC_Maps.zip of https://github.com/oxwhirl/smac/releases (for drawn armies that"
        " of https://github.com/oxwhirl/smacv2/releases) into $SC2PATH/Maps"
    ),
    "mini_games": (
        "`unzip -P iagreetotheeula` mini_games.zip of"
        " https://github.com/deepmind/pysc2/releases/tag/v1.2 into $SC2PATH/Maps"
    ),
}


def engine_folder() -> Path:
    """Return the folder that StarCraft II is expected in: `SC2PATH` or the usual place."""
    named = os.environ.get("SC2PATH")
    if named:
        return Path(named).expanduser()
    usual = {
        "Darwin": "/Applications/StarCraft II",
        "Windows": "C:/Program Files (x86)/StarCraft II",
    }
    return Path(usual.get(platform.system(), "~/StarCraftII")).expanduser()


def missing() -> str:
    """Return what is not installed, "" if pysc2 and the engine are."""
    absent = [name for name in ("pysc2", "s2clientprotocol") if not importlib.util.find_spec(name)]
    if not _has_engine():
        absent.append("StarCraft II")
    return ", ".join(absent)


def check(map_path: str, *, where: str) -> None:
    """Make sure that pysc2, the engine and a map are there.

    Args:
        map_path: below `$SC2PATH/Maps`, such as `SMAC_Maps/3m.SC2Map`.
        where: the id of the game that needs them.

    Raises:
        MissingDependencyError: one is not; the message says exactly what to do.
    """
    for package in ("pysc2", "s2clientprotocol"):
        if importlib.util.find_spec(package) is None:
            raise MissingDependencyError(package, HOW, purpose=where)
    folder = engine_folder()
    if not _has_engine():
        named = "" if os.environ.get("SC2PATH") else " and SC2PATH is not set"
        raise MissingDependencyError(
            "StarCraft II",
            (_LINUX if platform.system() == "Linux" else _DESKTOP)
            + f" (no engine in {folder / 'Versions'}{named}); then the maps:"
            f" {_MAPS[map_path.partition('/')[0]]}",
            purpose=where,
        )
    if not (folder / "Maps" / map_path).is_file():
        raise MissingDependencyError(
            f"the map {folder / 'Maps' / map_path}",
            _MAPS[map_path.partition("/")[0]],
            purpose=where,
        )


def check_replays(folder: object, *, where: str) -> None:
    """Make sure that replays can be put where they are to go.

    Raises:
        ParameterError: it is no name of a folder, or nothing can be written there.
    """
    if folder is None:
        return
    if not isinstance(folder, str) or not folder:
        raise ParameterError("replays", folder, "the name of a folder", where=where)
    check_writable(Path(folder) / "replay")


def _has_engine() -> bool:
    versions = engine_folder() / "Versions"
    return versions.is_dir() and any(versions.glob("Base*"))
