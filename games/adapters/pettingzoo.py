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
import hashlib
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
from games.adapters._pettingzoo_catalog import (
    NO_LUCK,
    documented_payoff,
    function_of,
    how_to_install,
    installed,
    listed,
    missing_modules,
    unversioned,
    users_function,
)

__all__ = ["FAMILY", "PettingZooFamily", "wrap"]

_CITATION = "Terry et al. 2021, PettingZoo, arXiv:2009.14471"


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

    from games.adapters._pettingzoo_seats import Kind
    from games.adapters._pettingzoo_state import AecState, ParallelState

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

    def action_name(seat: int, action: Any) -> str:
        return str(action + kind.actions[seat].start if isinstance(action, int) else action)

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
        return sorted(listed())

    def info(self, name: str) -> Info:
        """Describe one of them without importing it."""
        if ":" in name:
            return Info(f"pettingzoo/{name}", f"the function {name}", {}, "the user's code")
        parallel = listed().get(name, ...)
        if parallel is ...:
            raise UnknownNameError("PettingZoo environment", name, self.names())
        family = name.partition("/")[0]
        tags = {"family": family, "payoff": documented_payoff(name)}
        if parallel is not None:
            tags["turns"] = "simultaneous" if parallel else "sequential"
        title = unversioned(name).rpartition("/")[2].replace("_", " ")
        missing = missing_modules(name)
        return Info(
            f"pettingzoo/{name}",
            f"{title} (PettingZoo {family})",
            tags,
            "mpe2" if family == "mpe" else "pettingzoo",
            f"{', '.join(missing)}: {how_to_install(family)}" if missing else "",
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
        with _needing(where, how_to_install(family)):
            function = users_function(name) if ":" in name else function_of(name, api)
        if ":" not in name and "render_mode" not in params and _draws_text(function):
            fixed = {"render_mode": "ansi"}
        else:
            fixed = {}

        def build() -> Any:
            with _needing(where, how_to_install(family)):
                return _call(function, where, {**fixed, **params})

        told = {key: value for key, value in (("payoff", payoff), ("api", api)) if value}
        library = "mpe2" if family == "mpe" and installed("mpe2") else "pettingzoo"
        version = f"{library} {importlib.metadata.version(library)}"
        if ":" in name:
            version += f", code {_digest(function)}"
        return _game(
            build,
            id=where,
            payoff=payoff or documented_payoff(name),
            chance=unversioned(name) not in NO_LUCK,
            rebuildable=True,
            params={**params, **told},
            version=version,
        )


FAMILY = PettingZooFamily()


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


def _digest(function: Callable[..., Any]) -> str:
    """Return a digest of the file that defines `function`, so that changed code is noticed."""
    try:
        file = inspect.getsourcefile(inspect.unwrap(function))
        text = Path(file).read_bytes() if file else b""
    except (OSError, TypeError):
        text = b""  # made without a file, in a notebook for instance
    return hashlib.blake2b(text, digest_size=8).hexdigest()


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
