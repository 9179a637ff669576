"""Every PettingZoo environment as an arena game (`pettingzoo/<family>/<name>`).

The families are those of the installed PettingZoo (classic, butterfly, sisl, atari), of
mpe2 (where PettingZoo's particle environments live now), and whatever else is registered
with PettingZoo; `pettingzoo/my.module:env_fn` names a function of the user's, and `wrap`
takes an environment object. An environment that exists in parallel form is used in it, so
that simultaneous games are simultaneous.

Source: Terry et al. 2021, "PettingZoo: Gym for Multi-Agent Reinforcement Learning".
"""

from __future__ import annotations

import copy
import importlib
import importlib.metadata
import importlib.util
import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

from arena.errors import (
    ArenaError,
    FormError,
    MissingDependencyError,
    NotApplicableError,
    ParameterError,
    UnknownNameError,
)
from arena.game import Game, State
from arena.registry import Info
from arena.types import Payoff

__all__ = ["FAMILY", "PettingZooFamily", "wrap"]

_CITATION = "Terry et al. 2021, PettingZoo, arXiv:2009.14471"
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
_NO_LUCK = frozenset(
    f"classic/{name}" for name in ("chess", "connect_four", "go", "rps", "tictactoe")
)


def wrap(
    env: Any,
    *,
    id: str | None = None,
    payoff: Payoff = "general_sum",
    chance: bool = True,
) -> Game:
    """Return a PettingZoo environment as a game.

    Args:
        env: an `AECEnv` or `ParallelEnv`, or a function of no arguments that makes one.
            An object is copied for each episode and itself left alone.
        id: what the game is called; by default after the environment's own name.
        payoff: what is known of the rewards.
        chance: False if luck plays no part.

    Returns:
        A game with `rebuildable=False`, since a live object cannot be made again elsewhere.

    Raises:
        ParameterError: `env` is no PettingZoo environment, or cannot be copied.
        NotApplicableError: the environment does not name its possible agents.
    """
    from pettingzoo import AECEnv, ParallelEnv

    from games.adapters._pettingzoo_copy import copy_env

    if isinstance(env, AECEnv | ParallelEnv):
        template: Any = _try_copy(copy_env, env) or _try_copy(copy.deepcopy, env)
        if template is None:
            raise ParameterError(
                "env",
                env,
                "an environment that can be copied, or a function that makes a new one",
                where="wrap",
            )

        def make() -> Any:
            return _try_copy(copy_env, template) or copy.deepcopy(template)

    elif callable(env):
        make = env
    else:
        raise ParameterError(
            "env", env, "a PettingZoo AECEnv or ParallelEnv, or a function that makes one"
        )
    return _game(make, id=id, payoff=payoff, chance=chance, rebuildable=False)


def _try_copy(how: Callable[[Any], Any], env: Any) -> Any:
    try:
        return how(env)
    except Exception:
        # Whatever a third-party object raises when copied, it cannot be copied this way.
        return None


def _game(
    make: Callable[[], Any],
    *,
    id: str | None,
    payoff: Payoff,
    chance: bool,
    rebuildable: bool,
    params: dict[str, Any] | None = None,
    version: str = "",
) -> Game:
    """Return the game that `make`'s environments are."""
    from pettingzoo import ParallelEnv

    from games.adapters._pettingzoo_state import AecState, Kind, ParallelState

    if payoff not in get_args(Payoff):
        raise ParameterError("payoff", payoff, f"one of {', '.join(get_args(Payoff))}")
    env = make()
    _check_env(env)
    name = str(env.metadata.get("name") or type(env.unwrapped).__name__)
    full = id or f"pettingzoo/{name}"
    kind = Kind(full, env, make)
    parallel = isinstance(env, ParallelEnv)
    running = ParallelState if parallel else AecState

    def state(seed: int | None) -> State:
        if seed is None:
            raise FormError(full, "root (chance inside PettingZoo cannot be listed)", ["state"])
        return running(kind, seed)

    def action_name(seat: int, action: int) -> str:
        return str(action + kind.actions[seat].start)

    return Game(
        id=full,
        seats=len(kind.agents),
        actions=tuple(actions.arena for actions in kind.actions),
        payoff=payoff,
        turns="simultaneous" if parallel else "sequential",
        forms={"state": state},
        params=params or {},
        chance=chance,
        seat_names=tuple(map(str, kind.agents)),
        version=version or f"pettingzoo {importlib.metadata.version('pettingzoo')}",
        summary=f"PettingZoo: {name}",
        citation=_CITATION,
        action_name=action_name,
        rebuildable=rebuildable,
    )


def _check_env(env: Any) -> None:
    from pettingzoo import AECEnv, ParallelEnv

    if not isinstance(env, AECEnv | ParallelEnv):
        raise ParameterError("env", env, "a PettingZoo AECEnv or ParallelEnv")
    if not getattr(env, "possible_agents", None):
        raise NotApplicableError(
            f"the environment {env} does not name its possible_agents; a game has a fixed number"
            " of seats"
        )


class PettingZooFamily:
    """The environments of PettingZoo, of mpe2, and those registered with PettingZoo."""

    def names(self) -> list[str]:
        """Return `<family>/<name>` of all of them, installed or not what they need."""
        return sorted(_listed())

    def info(self, name: str) -> Info:
        """Describe one of them without importing it."""
        if ":" in name:
            return Info(f"pettingzoo/{name}", f"the function {name}", {}, "the user's code")
        parallel = _listed().get(name, ...)
        if parallel is ...:
            raise UnknownNameError("PettingZoo environment", name, self.names())
        family = name.partition("/")[0]
        tags = {"family": family, "payoff": _payoff(name)}
        if parallel is not None:
            tags["turns"] = "simultaneous" if parallel else "sequential"
        title = _unversioned(name).rpartition("/")[2].replace("_", " ")
        missing = [module for module in _needs(name) if not _installed(module)]
        return Info(
            f"pettingzoo/{name}",
            f"{title} (PettingZoo {family})",
            tags,
            "mpe2" if family == "mpe" else "pettingzoo",
            f"{', '.join(missing)}: {_how(family)}" if missing else "",
        )

    def make(
        self,
        name: str,
        *,
        payoff: Payoff | None = None,
        api: Literal["aec", "parallel"] | None = None,
        **params: Any,
    ) -> Game:
        """Make one of them.

        Args:
            name: `<family>/<name>`, or `package.module:function` that makes an environment.
            payoff: what is known of the rewards; by default what the environment's
                documentation says, else `general_sum`.
            api: use this form of the environment; by default the parallel one if there is one.
            params: the environment's own arguments.

        Raises:
            UnknownNameError: no such environment or argument.
            MissingDependencyError: what it needs is not installed.
            ParameterError: `payoff` or `api` is not one of the allowed words.
        """
        if api not in (None, "aec", "parallel"):
            raise ParameterError("api", api, "'aec', 'parallel' or None", where=name)
        where = f"pettingzoo/{name}"
        family = name.partition("/")[0]
        with _needing(where, _how(family)):
            function = _users_function(name) if ":" in name else _function(name, api)
        if ":" not in name and "render_mode" not in params and _draws_text(function):
            fixed = {"render_mode": "ansi"}
        else:
            fixed = {}

        def build() -> Any:
            with _needing(where, _how(family)):
                return _call(function, where, {**fixed, **params})

        told = {key: value for key, value in (("payoff", payoff), ("api", api)) if value}
        library = "mpe2" if family == "mpe" and _installed("mpe2") else "pettingzoo"
        return _game(
            build,
            id=where,
            payoff=payoff or _payoff(name),
            chance=_unversioned(name) not in _NO_LUCK,
            rebuildable=True,
            params={**params, **told},
            version=f"{library} {importlib.metadata.version(library)}",
        )


FAMILY = PettingZooFamily()


# -- finding -----------------------------------------------------------------------


def _listed() -> dict[str, bool | None]:
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


def _function(name: str, api: str | None) -> Callable[..., Any]:
    """Return the function that makes the environment `name`."""
    if name not in _listed():
        raise UnknownNameError("PettingZoo environment", name, FAMILY.names())
    registries = _registries()
    if registries is not None:
        id = re.sub(r"_v(\d+)$", r"-v\1", name)
        for form in (api,) if api else ("parallel", "aec"):
            spec = registries[form].get(id)
            if spec is not None:
                return _entry_point(spec)
    family, _, base = name.partition("/")
    if family in _FAMILIES or family == "mpe":
        package = "mpe2" if family == "mpe" else f"pettingzoo.{family}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            if registries is None or family == "mpe":
                module = importlib.import_module(f"{package}.{base}")
                for attribute in {"aec": ("env",), "parallel": ("parallel_env",)}.get(
                    api or "", ("parallel_env", "env")
                ):
                    if hasattr(module, attribute):
                        function: Callable[..., Any] = getattr(module, attribute)
                        return function
    raise ParameterError("api", api, "a form that the environment has", where=name)


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


def _users_function(name: str) -> Callable[..., Any]:
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


# -- making ------------------------------------------------------------------------


def _call(function: Callable[..., Any], where: str, params: dict[str, Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return function(**params)
    except TypeError as error:
        unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        if unknown and unknown[1] in params:
            raise UnknownNameError(
                f"parameter of {where}", unknown[1], _arguments(function)
            ) from error
        raise _refused(where, params, error) from error
    except (AssertionError, LookupError, ValueError) as error:
        raise _refused(where, params, error) from error


def _refused(where: str, params: dict[str, Any], error: Exception) -> ArenaError:
    return ArenaError(f"{where}: the environment refuses {params}: {error or repr(error)}")


def _arguments(function: Callable[..., Any]) -> list[str]:
    """Name the arguments of the environment that `function` makes, through its wrappers."""
    named = [
        p.name for p in inspect.signature(function).parameters.values() if p.kind != p.VAR_KEYWORD
    ]
    try:
        inner: Any = type(function().unwrapped)
    except Exception:
        # It cannot be made with its defaults: what its own signature says must do.
        return named
    named += list(inspect.signature(inner.__init__).parameters)[1:]
    return sorted(set(named) - {"args", "kwargs"})


def _draws_text(function: Callable[..., Any]) -> bool:
    """Whether the environment's `render` can give text."""
    try:
        modes = function().metadata.get("render_modes", ())
    except Exception:
        # It cannot be made with its defaults; whoever makes it next is told why.
        return False
    return "ansi" in modes


@contextmanager
def _needing(where: str, how: str) -> Iterator[None]:
    """Turn a failed import, or missing game files, into a word on what to install."""
    try:
        yield
    except MissingDependencyError:
        raise
    except ImportError as error:
        package = error.name or str(error)
        raise MissingDependencyError(package, how, purpose=where) from error
    except OSError as error:
        if "/atari/" in where:
            raise MissingDependencyError(
                "the Atari ROM", "pip install autorom && AutoROM", purpose=where
            ) from error
        raise


def _needs(name: str) -> tuple[str, ...]:
    family = name.partition("/")[0]
    return _NEEDS.get(_unversioned(name), _NEEDS.get(family, ()))


def _how(family: str) -> str:
    if family == "mpe":
        return "pip install mpe2"
    if family in _FAMILIES:
        return f'pip install "pettingzoo[{family}]"'
    return "pip install with the name of the distribution that brings it"


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _payoff(name: str) -> Payoff:
    if _unversioned(name) == "classic/hanabi":
        return "cooperative"
    return "zero_sum" if _unversioned(name) in _ZERO_SUM else "general_sum"


def _unversioned(name: str) -> str:
    return re.sub(r"_v\d+$", "", name)


def _underscored(id: str) -> str:
    return re.sub(r"-v(\d+)$", r"_v\1", id)
