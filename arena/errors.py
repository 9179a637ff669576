"""Every error that arena raises on purpose, as one tree.

    ArenaError                     one line that names the bad value and what is allowed
    ├─ UnknownNameError            no game, agent, solver, … of that name; carries the nearest names
    ├─ ParameterError              a parameter of the wrong type or range, or an unknown one
    ├─ FormError                   the game does not offer the form that was asked for
    ├─ IllegalActionError          an action outside the seat's legal set
    ├─ SpecError                   a tournament file that cannot be run (file, key, value)
    ├─ FormatError                 a file that is not what its name says (file, line, token)
    ├─ StoreError                  a database that is corrupt, foreign or of another tournament
    ├─ NotApplicableError          a solver asked for a game that it cannot handle
    ├─ MissingDependencyError      an optional library that is not installed, and how to get it
    ├─ ConformanceError            a game, agent or solver that breaks its contract (arena.testing)
    └─ AgentError                  an agent that cannot be started or cannot play this game
       └─ AgentFaultError        an agent that misbehaved in a game and forfeits it
          └─ ResignError         an agent (or the human) gave the game up

The CLI prints the message of an `ArenaError` as one line and exits with code 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Literal

__all__ = [
    "AgentError",
    "AgentFaultError",
    "ArenaError",
    "ConformanceError",
    "FaultKind",
    "FormError",
    "FormatError",
    "IllegalActionError",
    "MissingDependencyError",
    "NotApplicableError",
    "ParameterError",
    "ResignError",
    "SpecError",
    "StoreError",
    "UnknownNameError",
    "nearest",
]


def nearest(name: str, known: Iterable[str], *, count: int = 3) -> list[str]:
    """Return up to `count` known names that look most like `name`, best first."""
    pool = sorted(set(known))
    folded: dict[str, str] = {}
    for candidate in pool:
        folded.setdefault(candidate.lower(), candidate)
        folded.setdefault(candidate.lower().rsplit("/", 1)[-1], candidate)
    wanted = name.lower()
    # Of two letters (a map called 3m) one may be wrong; in longer names that would be far.
    cutoff = 0.6 if len(wanted) > 2 else 0.5
    hits = difflib.get_close_matches(wanted, folded, n=count * 2, cutoff=cutoff)
    hits += [key for key in folded if wanted and wanted in key]
    return list(dict.fromkeys(folded[key] for key in hits))[:count]


class ArenaError(Exception):
    """Base of all errors that arena raises on purpose."""


class UnknownNameError(ArenaError, LookupError):
    """A name that no registry entry, key or choice matches.

    Attributes:
        kind: what was looked up, such as `game` or `agent`.
        name: the name as given.
        suggestions: the nearest known names, best first.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.suggestions = nearest(name, known)
        text = f"unknown {kind} {name!r}"
        if self.suggestions:
            text += f"; did you mean {' or '.join(repr(s) for s in self.suggestions)}?"
        if hint:
            text += f" {hint}" if self.suggestions else f"; {hint}"
        super().__init__(text)


class ParameterError(ArenaError, ValueError):
    """A parameter whose name, type or range is wrong.

    Attributes:
        name: the parameter.
        value: the value as given.
        allowed: what would have been accepted, in words.
    """

    def __init__(self, name: str, value: object, allowed: str, *, where: str = "") -> None:
        self.name = name
        self.value = value
        self.allowed = allowed
        prefix = f"{where}: " if where else ""
        super().__init__(f"{prefix}{name} = {value!r} is not allowed; expected {allowed}")


class FormError(ArenaError):
    """The game does not offer the form that was asked for."""

    def __init__(
        self,
        game: str,
        form: str,
        offered: Sequence[str],
        *,
        others: Sequence[str] = (),
        reason: str = "",
    ) -> None:
        text = f"game {game!r} has no form {form!r}"
        if reason:
            text += f" because it {reason}"
        text += f"; it offers {', '.join(sorted(offered))}"
        if others:
            text += f"; games with {form!r}: {', '.join(others)}"
        super().__init__(text)


class IllegalActionError(ArenaError, ValueError):
    """An action outside the acting seat's legal set."""


class SpecError(ArenaError, ValueError):
    """A tournament file that cannot be run; the message names file, key and value."""


class FormatError(ArenaError, ValueError):
    """A file that cannot be read as what it is said to be; the message names line and token."""


class StoreError(ArenaError):
    """A result database that is corrupt, foreign, or belongs to another tournament."""


class NotApplicableError(ArenaError):
    """A solver asked for a game that it cannot handle; the message names the failing property."""


class MissingDependencyError(ArenaError, ImportError):
    """An optional library is missing; the message says how to get it."""

    def __init__(self, package: str, how: str, *, purpose: str = "") -> None:
        self.package = package
        text = f"{package} is not installed"
        if purpose:
            text += f" ({purpose} needs it)"
        super().__init__(f"{text}; get it with: {how}")


class ConformanceError(ArenaError, AssertionError):
    """A game, agent or solver breaks its contract; the message says what was expected and seen."""


class AgentError(ArenaError):
    """An agent that cannot be built or started, or that cannot play this game."""


FaultKind = Literal[
    "illegal",
    "exception",
    "move time",
    "game time",
    "cpu time",
    "memory",
    "exit",
    "output",
    "processes",
    "protocol",
    "resign",
]
"""What an agent can be at fault for: the key of every table of forfeits."""


class AgentFaultError(AgentError):
    """An agent misbehaved in a game and forfeits it.

    Attributes:
        kind: which rule was broken.
        detail: what happened, in words, such as the last line of a traceback.
        log: the end of what the agent itself wrote (stderr), "" if nothing.
    """

    def __init__(self, kind: FaultKind, detail: str, *, log: str = "") -> None:
        self.kind: FaultKind = kind
        self.detail = detail
        self.log = log
        super().__init__(f"{kind}: {detail}")


class ResignError(AgentFaultError):
    """The seat gives the game up of its own will: a forfeit like any other."""

    def __init__(self, detail: str = "resigned") -> None:
        super().__init__("resign", detail)
