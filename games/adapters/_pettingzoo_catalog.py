"""Which PettingZoo environments there are, what they need, and where they are.

Nothing is imported to list them but PettingZoo itself, whose tables of environments are
literal; releases that had none yet are listed by the names of their files.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from arena.errors import ArenaError, ParameterError, UnknownNameError
from arena.types import Payoff

__all__ = [
    "NO_LUCK",
    "documented_payoff",
    "function_of",
    "how_to_install",
    "installed",
    "listed",
    "missing_modules",
    "unversioned",
    "users_function",
]

_VERSIONED = re.compile(r"[A-Za-z0-9_]+_v\d+")
_FAMILIES = ("atari", "butterfly", "classic", "sisl")

_MPE = (
    "collect_treasure_v1",
    "simple_adversary_v3",
    "simple_crypto_v3",
    "simple_formation_v1",
    "simple_line_v1",
    "simple_push_v3",
    "simple_reference_v3",
    "simple_speaker_listener_v4",
    "simple_spread_v3",
    "simple_tag_v3",
    "simple_v3",
    "simple_world_comm_v3",
)
"""What mpe2 1.1 holds, listed so that it can be found before it is installed."""

_NEEDS: dict[str, tuple[str, ...]] = {
    "atari": ("pygame", "multi_agent_ale_py"),
    "butterfly": ("pygame", "pymunk"),
    "classic": ("pygame",),
    "classic/chess": ("pygame", "chess"),
    "classic/hanabi": ("shimmy", "pyspiel"),
    "classic/leduc_holdem": ("pygame", "rlcard"),
    "classic/texas_holdem": ("pygame", "rlcard"),
    "classic/texas_holdem_no_limit": ("pygame", "rlcard"),
    "mpe": ("mpe2",),
    "sisl": ("pygame", "pymunk", "Box2D", "scipy"),
}
"""Modules that an environment, or else its family, imports beyond PettingZoo's own."""

# What the environments' documentation says of their rewards and of luck.
_ZERO_SUM = frozenset(
    f"classic/{name}"
    for name in (
        "chess",
        "connect_four",
        "go",
        "leduc_holdem",
        "rps",
        "texas_holdem",
        "texas_holdem_no_limit",
        "tictactoe",
    )
)
NO_LUCK = frozenset(
    f"classic/{name}" for name in ("chess", "connect_four", "go", "rps", "tictactoe")
)
"""Environments in which everything follows from the actions."""


def listed() -> dict[str, bool | None]:
    """Return every name, and whether it has a parallel form (None: not known yet)."""
    found: dict[str, bool | None] = dict.fromkeys((f"mpe/{name}" for name in _MPE), True)
    for family, package in (*((f, f"pettingzoo.{f}") for f in _FAMILIES), ("mpe", "mpe2")):
        top, _, rest = package.partition(".")
        spec = importlib.util.find_spec(top)
        for root in (spec.submodule_search_locations or []) if spec else []:
            for path in Path(root, rest).glob("*_v*.py"):
                if _VERSIONED.fullmatch(path.stem):
                    found.setdefault(f"{family}/{path.stem}", None)
    registries = _registries()
    if registries is not None:
        for id in registries["aec"].keys() | registries["parallel"].keys():
            found[_underscored(id)] = id in registries["parallel"]
    return found


def _registries() -> dict[str, Any] | None:
    """Return PettingZoo's own tables of environments, which releases before 1.26 lack."""
    import pettingzoo

    if not hasattr(pettingzoo, "aec_registry"):
        return None
    return {"aec": pettingzoo.aec_registry, "parallel": pettingzoo.parallel_registry}


def function_of(name: str, api: str | None) -> Callable[..., Any]:
    """Return the function that makes the environment `name`.

    Args:
        name: as `listed` has it.
        api: `aec` or `parallel`; None for the parallel form if there is one.

    Raises:
        UnknownNameError: there is no such environment.
        ParameterError: it does not exist in this form.
        ImportError: what it needs is not installed.
    """
    if name not in listed():
        raise UnknownNameError("PettingZoo environment", name, listed())
    forms = _registered_forms(name) or _module_forms(name)
    for form in (api,) if api else ("parallel", "aec"):
        if form in forms:
            return forms[form]()
    raise ParameterError("api", api, " or ".join(map(repr, sorted(forms))), where=name)


def _registered_forms(name: str) -> dict[str, Callable[[], Callable[..., Any]]]:
    id = re.sub(r"_v(\d+)$", r"-v\1", name)
    registries = (_registries() or {}).items()
    return {form: partial(_entry_point, specs[id]) for form, specs in registries if id in specs}


def _module_forms(name: str) -> dict[str, Callable[[], Callable[..., Any]]]:
    family, _, base = name.partition("/")
    package = "mpe2" if family == "mpe" else f"pettingzoo.{family}"
    with warnings.catch_warnings():
        # Newer releases of PettingZoo want to be asked through their registry.
        warnings.simplefilter("ignore", DeprecationWarning)
        module = importlib.import_module(f"{package}.{base}")
    attributes = {"aec": "env", "parallel": "parallel_env"}
    return {
        form: partial(getattr, module, attribute)
        for form, attribute in attributes.items()
        if hasattr(module, attribute)
    }


def _entry_point(spec: Any) -> Callable[..., Any]:
    target = spec.entry_point
    if isinstance(target, str):
        module, _, attribute = target.partition(":")
        target = getattr(importlib.import_module(module), attribute)
    function: Callable[..., Any] = target
    defaults = dict(spec.kwargs)
    if spec.max_cycles is not None:
        defaults.setdefault("max_cycles", spec.max_cycles)
    if not defaults:
        return function
    return lambda **params: function(**{**defaults, **params})


def users_function(name: str) -> Callable[..., Any]:
    """Return the function that `package.module:function` names.

    Raises:
        ArenaError: there is no such module, or what it names is not a function.
        UnknownNameError: the module has nothing of that name.
    """
    module_name, _, attribute = name.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise ArenaError(
                f"pettingzoo/{name}: there is no module {error.name!r} on the import path"
            ) from error
        raise
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UnknownNameError(f"name in {module_name}", attribute, dir(found))
        found = getattr(found, part)
    if not callable(found):
        raise ArenaError(f"pettingzoo/{name} is {found!r}, not a function that makes environments")
    function: Callable[..., Any] = found
    return function


def missing_modules(name: str) -> list[str]:
    """Return the modules that the environment imports and that are not installed."""
    needed = _NEEDS.get(unversioned(name), _NEEDS.get(name.partition("/")[0], ()))
    return [module for module in needed if not installed(module)]


def how_to_install(family: str) -> str:
    """Return the command that brings what a family needs."""
    if family == "mpe":
        return "pip install mpe2"
    if family in _FAMILIES:
        return f'pip install "pettingzoo[{family}]"'
    return "pip install with the name of the distribution that brings it"


def installed(module: str) -> bool:
    """Whether `module` can be found, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def documented_payoff(name: str) -> Payoff:
    """Return what the environment's documentation says of its rewards."""
    if unversioned(name) == "classic/hanabi":
        return "cooperative"
    return "zero_sum" if unversioned(name) in _ZERO_SUM else "general_sum"


def unversioned(name: str) -> str:
    """Return `name` without its `_v…`."""
    return re.sub(r"_v\d+$", "", name)


def _underscored(id: str) -> str:
    return re.sub(r"-v(\d+)$", r"_v\1", id)
