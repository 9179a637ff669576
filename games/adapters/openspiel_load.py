"""From a name and parameters to a `pyspiel.Game`, everything checked on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from arena.errors import (
    ArenaError,
    MissingDependencyError,
    ParameterError,
    UnknownNameError,
)
from arena.keys import join_key, split_key
from arena.registry import GAMES
from arena.types import Params

try:
    import pyspiel
except ImportError as error:  # pragma: no cover - there is no wheel for Windows
    raise MissingDependencyError("open_spiel", "pip install open_spiel") from error

__all__ = ["facts", "load", "may_resample", "names", "pyspiel", "quiet", "reseeder", "version"]

# Games that OpenSpiel implements in Python register when these are imported.
_PYTHON_GAMES = (
    "open_spiel.python.games",
    "open_spiel.python.mfg.games.crowd_avoidance",
    "open_spiel.python.mfg.games.crowd_modelling",
    "open_spiel.python.mfg.games.dynamic_routing",
    "open_spiel.python.mfg.games.linear_quadratic",
    "open_spiel.python.mfg.games.normal_form_game",
    "open_spiel.python.mfg.games.periodic_aversion",
    "open_spiel.python.mfg.games.predator_prey",
)


# ACPC poker inside OpenSpiel dies of a segmentation fault where others raise.
_CRASHING = ("universal_poker", "repeated_poker")
_TRIAL = """
import json, random, sys, pyspiel
game = pyspiel.load_game(sys.argv[1], json.loads(sys.argv[2]))
for seed in range(5):
    pick, state = random.Random(seed), game.new_initial_state()
    while not state.is_terminal():
        chance = state.is_chance_node()
        outcomes = [o for o, _ in state.chance_outcomes()] if chance else state.legal_actions()
        state.apply_action(pick.choice(outcomes))
"""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what C++ code writes to standard error from the user: the exception says it again."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error to keep clean
        yield
        return
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        os.close(null)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@lru_cache(maxsize=1)
def version() -> str:
    """Return the version of OpenSpiel."""
    from importlib.metadata import version as installed

    return installed("open_spiel")


@lru_cache(maxsize=1)
def _import_python_games() -> None:
    with quiet():
        for module in _PYTHON_GAMES:
            # Some need libraries that OpenSpiel does not bring; older ones print that.
            with suppress(ImportError), redirect_stdout(sys.stderr):
                import_module(module)


def names() -> list[str]:
    """Return the short names of all registered games, those written in Python included."""
    _import_python_games()
    found: list[str] = sorted(pyspiel.registered_names())
    return found


_FACTS: dict[str, Any] = {}


def facts(name: str) -> Any:
    """Return the `pyspiel.GameType` of a registered game.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in _FACTS:
        _FACTS.update((each.short_name, each) for each in pyspiel.registered_games())
    if name not in _FACTS:
        _import_python_games()
        _FACTS.update((each.short_name, each) for each in pyspiel.registered_games())
    if name not in _FACTS:
        raise UnknownNameError("OpenSpiel game", name, names())
    return _FACTS[name]


def _file_hint(key: str, kept: Params) -> str:
    """Return what a game that reads a file may lack, in words."""
    given = kept.get(key)
    if given is None:
        return f"; it reads a file: give {key}=PATH"
    return "" if os.path.isfile(str(given)) else f"; there is no file {given}"


def load(name: str, params: Mapping[str, Any]) -> tuple[Any, Params]:
    """Load a game and return it with its parameters as JSON values.

    Raises:
        UnknownNameError: no such game, or it has no such parameter.
        ParameterError: a value of the wrong type.
        ArenaError: OpenSpiel refuses the parameters; its message is in ours.
    """
    raw_params, kept = _checked(name, params, f"openspiel/{name}")
    whole = join_key(f"openspiel/{name}", kept)
    if kept and any(crashing in whole for crashing in _CRASHING):
        _survives(name, json.dumps(raw_params), whole)
    try:
        with quiet():
            raw = pyspiel.load_game(name, raw_params)
            # Some parameters are looked at only when an episode starts.
            if facts(name).dynamics != pyspiel.GameType.Dynamics.MEAN_FIELD:
                raw.new_initial_state()
    # OpenSpiel raises SpielError, but the standard library of C++ shines through as
    # IndexError, RuntimeError or MemoryError, and Python games raise what they like.
    except Exception as error:
        files = [key for key in facts(name).parameter_specification if "filename" in key]
        hint = _file_hint(files[0], kept) if files else ""
        missing = str(error).removeprefix("Missing parameter ")
        if missing != str(error):
            example = "kuhn_poker" if missing.endswith("game") else "…"
            hint = f"; give {missing}={example}"
        raise ArenaError(f"{whole}: OpenSpiel refuses: {error}{hint}") from error
    return raw, kept


@lru_cache(maxsize=256)
def _survives(name: str, params: str, whole: str) -> None:
    """Try a game in a process of its own, as its parameters may bring a process down.

    Raises:
        ArenaError: they do.
    """
    child = subprocess.run(
        [sys.executable, "-c", _TRIAL, name, params], capture_output=True, check=False
    )
    # An exception is not a crash: loading the game here will tell it better.
    if child.returncode < 0:
        raise ArenaError(
            f"{whole}: OpenSpiel crashes on these parameters (signal {-child.returncode});"
            " lists such as blind, stack and firstPlayer need an entry for each player or round"
        )


def _checked(name: str, params: Mapping[str, Any], where: str) -> tuple[dict[str, Any], Params]:
    """Return the parameters as `pyspiel` wants them, and as JSON values to keep."""
    specification = facts(name).parameter_specification
    raw: dict[str, Any] = {}
    kept: Params = {}
    for key, value in params.items():
        if key not in specification:
            raise UnknownNameError(
                f"parameter of {where}",
                key,
                specification,
                hint=f"it has {', '.join(sorted(specification)) or 'none'}",
            )
        default = specification[key]
        if isinstance(default, dict):
            raw[key], kept[key] = _nested(key, value, where)
        else:
            raw[key] = kept[key] = _plain(key, value, default, where)
    return raw, kept


def _plain(key: str, value: Any, default: Any, where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    wanted = type(default)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise ParameterError(key, value, f"{wanted.__name__} (default {default!r})", where=where)
    if wanted is int and not -(2**31) <= value < 2**31:
        raise ParameterError(key, value, "an integer of 32 bits", where=where)
    return value


def _nested(key: str, value: Any, where: str) -> tuple[dict[str, Any], str]:
    """Return a game within a game as `pyspiel` wants it, and as `name(key=value,…)`."""
    allowed = 'a game, such as "kuhn_poker(players=3)" or {"name": "kuhn_poker", "players": 3}'
    if isinstance(value, str):
        name, inner = split_key(value)
    elif isinstance(value, Mapping) and isinstance(value.get("name"), str):
        name, inner = value["name"], {k: v for k, v in value.items() if k != "name"}
    else:
        raise ParameterError(key, value, allowed, where=where)
    name = GAMES.canonical(name).removeprefix("openspiel/")
    raw, kept = _checked(name, inner, f"{where}, {key}={name}")
    return {"name": name, **raw}, join_key(name, kept)


def may_resample(raw: Any) -> bool:
    """Whether it is safe to ask the game's states for `resample_from_infostate`.

    Poker of more than two seats dies of a segmentation fault where other games raise.
    """
    return raw.num_players() <= 2 or not any(name in str(raw) for name in _CRASHING)


def reseeder(raw: Any) -> Callable[[int], Any] | None:
    """Return a function that loads `raw` again with another seed of its own randomness.

    None if the game (or the one inside it) has no parameter `rng_seed`.
    """
    name = raw.get_type().short_name
    params = raw.get_parameters()
    path: list[str] = []
    inner_name, inner = name, params
    while "rng_seed" not in facts(inner_name).parameter_specification:
        nested = [k for k, v in inner.items() if isinstance(v, dict) and "name" in v]
        if not nested:
            return None
        path.append(nested[0])
        inner = inner[nested[0]]
        inner_name = inner["name"]

    def again(seed: int) -> Any:
        def with_seed(level: Mapping[str, Any], rest: list[str]) -> dict[str, Any]:
            if not rest:
                return {**level, "rng_seed": seed}
            return {**level, rest[0]: with_seed(level[rest[0]], rest[1:])}

        return pyspiel.load_game(name, with_seed(params, path))

    return again
