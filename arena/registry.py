"""Names to things: one small generic class, and three of it (games, agents, solvers).

A registry is filled from three places:
1. a literal table of lazy `"module:attr"` strings, in the package that owns the things;
2. `register`, as a decorator or a call, for the running process;
3. entry points of installed distributions (groups `arena.games`, `arena.agents`,
   `arena.solvers`): each names a factory, or an object with `names` and `make` for a
   whole *family* `prefix/…`.

Nothing is imported until it is asked for by name.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from arena.errors import ArenaError, MissingDependencyError, ParameterError, UnknownNameError
from arena.keys import split_key

__all__ = ["AGENTS", "GAMES", "SOLVERS", "Entry", "Family", "Info", "Registry", "load_target"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Info:
    """What a list shows of a name without making the thing.

    Attributes:
        id: the full name.
        summary: one line.
        tags: facts to filter by, such as `seats` → `2`, `payoff` → `zero_sum`.
        source: `arena`, the distribution that brought it, or `this process`.
        missing: what must be installed before it can be made, and how ("" if nothing).
    """

    id: str
    summary: str = ""
    tags: Mapping[str, str] | None = None
    source: str = "arena"
    missing: str = ""


@runtime_checkable
class Family(Protocol):
    """Many things under one prefix, such as every OpenSpiel game."""

    def names(self) -> Iterable[str]:
        """Return the names below the prefix."""

    def make(self, name: str, **params: Any) -> Any:
        """Make the thing of that name.

        Raises:
            UnknownNameError: there is none.
        """

    def info(self, name: str) -> Info:
        """Describe it without making it; `id` is the full name, prefix included."""


@dataclass(frozen=True)
class Entry:
    """One row of a table: where the factory is, and what a list shows of it."""

    target: str | Callable[..., Any]
    summary: str = ""
    tags: Mapping[str, str] | None = None
    source: str = "arena"


def load_target(target: str) -> Any:
    """Import `"module:attr"`.

    Raises:
        ArenaError: another distribution hides the module (it is named).
    """
    module_name, _, attribute = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except MissingDependencyError:
        raise
    except (ImportError, AttributeError) as error:
        top = module_name.split(".")[0]
        intruders = _intruders(top)
        if intruders:
            raise ArenaError(
                f"cannot load {target!r}: the package {top!r} is hidden by another distribution"
                f" ({', '.join(intruders)}); install arena into an environment of its own"
            ) from error
        raise
    return found


def _intruders(top: str) -> list[str]:
    """Name the distributions, other than arena's own, that install the package `top`."""
    owners = importlib.metadata.packages_distributions().get(top, [])
    return sorted({owner for owner in owners if owner != "arena-gametheory"})


class Registry(Generic[T]):
    """Names to factories of `T`.

    Args:
        kind: what the things are called in messages: `game`, `agent`, `solver`.
        table: `"module:attr"` of a `Mapping[str, Entry]`, loaded on first use.
        families: `"module:attr"` of a `Mapping[str, str]`, prefix to a `Family`'s target.
        aliases: `"module:attr"` of a `Mapping[str, str]`, short name to full name.
        group: the entry-point group.
        suffixes: which family reads files of which suffix, such as `.efg` → `gambit`.
    """

    def __init__(
        self,
        kind: str,
        *,
        table: str,
        families: str,
        aliases: str,
        group: str,
        suffixes: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.group = group
        self._suffixes = suffixes or {}
        self._sources = (table, families, aliases)
        self._entries: dict[str, Entry] | None = None
        self._families: dict[str, str | Family] = {}
        self._family_source: dict[str, str] = {}
        self._aliases: dict[str, str] = {}

    # -- filling -----------------------------------------------------------------

    def register(
        self,
        name: str,
        factory: F | Family | None = None,
        *,
        summary: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Any:
        """Register a factory (or a `Family` under the prefix `name`) in this process.

        Use it as a call, or as a decorator: `@GAMES.register("my_game")`.

        Raises:
            ArenaError: the name is taken.
        """
        if factory is None:

            def decorator(decorated: F) -> F:
                self.register(name, decorated, summary=summary, tags=tags)
                return decorated

            return decorator
        entries = self._load()
        if name in entries or name in self._families or name in self._aliases:
            raise ArenaError(f"{self.kind} {name!r} is already registered")
        if isinstance(factory, Family):
            self._families[name] = factory
            self._family_source[name] = "this process"
        else:
            text = summary or (factory.__doc__ or "").strip().split("\n")[0]
            entries[name] = Entry(factory, text, tags, "this process")
        return factory

    def unregister(self, name: str) -> None:
        """Remove what `register` added; for tests and notebooks."""
        self._load().pop(name, None)
        self._families.pop(name, None)

    def _load(self) -> dict[str, Entry]:
        if self._entries is None:
            table, families, aliases = self._sources
            self._entries = dict(load_target(table))
            self._families = dict(load_target(families))
            self._family_source = dict.fromkeys(self._families, "arena")
            self._aliases = dict(load_target(aliases))
            for point in importlib.metadata.entry_points(group=self.group):
                source = point.dist.name if point.dist is not None else "an entry point"
                if point.name.endswith("/"):
                    prefix = point.name.rstrip("/")
                    self._families.setdefault(prefix, point.value)
                    self._family_source.setdefault(prefix, source)
                else:
                    self._entries.setdefault(
                        point.name, Entry(point.value, f"from {source}", None, source)
                    )
        return self._entries

    # -- asking ------------------------------------------------------------------

    def canonical(self, name: str) -> str:
        """Return the full name for an alias or a file, and any other name as it is."""
        self._load()
        if name.partition("/")[0] not in self._families:
            for suffix, prefix in self._suffixes.items():
                if name.endswith(suffix):
                    return f"{prefix}/{name}"
        return self._aliases.get(name, name)

    def aliases(self) -> Mapping[str, str]:
        """Return short names and what they stand for."""
        self._load()
        return dict(self._aliases)

    def names(self) -> list[str]:
        """Return every full name, families included (this may import their libraries)."""
        found = set(self._load())
        for prefix in self._families:
            found.update(f"{prefix}/{rest}" for rest in self.family(prefix).names())
        return sorted(found)

    def family(self, prefix: str) -> Family:
        """Return the family of a prefix, loading it on first use."""
        self._load()
        family = self._families[prefix]
        if isinstance(family, str):
            loaded: Family = load_target(family)
            self._families[prefix] = family = loaded
        return family

    def families(self) -> Sequence[str]:
        """Return the prefixes."""
        self._load()
        return sorted(self._families)

    def info(self, name: str) -> Info:
        """Describe a name without making the thing.

        Raises:
            UnknownNameError: with the nearest names.
        """
        full = self.canonical(split_key(name)[0])
        entry = self._load().get(full)
        if entry is not None:
            return Info(full, entry.summary, entry.tags or {}, entry.source)
        prefix, _, rest = full.partition("/")
        if rest and prefix in self._families:
            return self.family(prefix).info(rest)
        raise self.unknown(name)

    def factory(self, name: str) -> Callable[..., T]:
        """Return the function that makes the thing of that name from its parameters.

        The name may bring parameters along, as `Game.key` does: `goofspiel(num_cards=4)`.

        Raises:
            UnknownNameError: with the nearest names.
        """
        if name.endswith(")"):
            bare, given = split_key(name)
            make = self.factory(bare)

            def made_with(**params: Any) -> T:
                twice = sorted(set(given) & set(params))
                if twice:
                    raise ParameterError(
                        twice[0],
                        params[twice[0]],
                        "one value, but the name gives one too",
                        where=name,
                    )
                return make(**{**given, **params})

            return made_with
        full = self.canonical(name)
        entry = self._load().get(full)
        if entry is not None:
            target = entry.target
            made: Callable[..., T] = load_target(target) if isinstance(target, str) else target
            return made
        prefix, _, rest = full.partition("/")
        if rest and prefix in self._families:
            family = self.family(prefix)
            return lambda **params: family.make(rest, **params)
        raise self.unknown(name)

    def unknown(self, name: str) -> UnknownNameError:
        """Return the error for a name that nothing matches."""
        known = [*self.names(), *self._aliases]
        return UnknownNameError(
            self.kind, name, known, hint=f"`arena list {self.kind}s` shows all {len(known)}"
        )


GAMES: Registry[Any] = Registry(
    "game",
    table="games:TABLE",
    families="games:FAMILIES",
    aliases="games:ALIASES",
    group="arena.games",
    suffixes={".efg": "gambit", ".nfg": "gambit", ".markov.npz": "markov"},
)
AGENTS: Registry[Any] = Registry(
    "agent",
    table="agents:TABLE",
    families="agents:FAMILIES",
    aliases="agents:ALIASES",
    group="arena.agents",
)
SOLVERS: Registry[Any] = Registry(
    "solver",
    table="solvers:TABLE",
    families="solvers:FAMILIES",
    aliases="solvers:ALIASES",
    group="arena.solvers",
)
