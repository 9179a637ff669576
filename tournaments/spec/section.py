"""One table of a spec file, with complaints that name file, section, key and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from arena.errors import SpecError, nearest

__all__ = ["Section", "hint"]

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


class Section:
    """One table of the file; every complaint names file, section, key, value and remedy."""

    def __init__(self, data: object, source: str, name: str) -> None:
        if not isinstance(data, Mapping):
            raise SpecError(f"{source}: {name or 'the file'} = {data!r} is not a table")
        self.data: Mapping[str, Any] = data
        self.source = source
        self.name = name

    def error(self, key: str, value: object, allowed: str) -> SpecError:
        """Return the complaint about one key."""
        where = f"{self.source}: {self.name} " if self.name else f"{self.source}: "
        if value is None:
            return SpecError(f"{where}{key} is missing; expected {allowed}")
        return SpecError(f"{where}{key} = {value!r} is not allowed; expected {allowed}")

    def only(self, *allowed: str, note: str = "") -> None:
        """Refuse keys that have no meaning here; `note` ends the complaint."""
        for key in self.data:
            if key not in allowed:
                where = f"{self.name} has" if self.name else "there is"
                raise SpecError(
                    f"{self.source}: {where} no key {key!r}{hint(key, allowed)} "
                    f"(allowed: {', '.join(allowed)}{note and '; '}{note})"
                )

    def table(self, key: str) -> Section:
        """Return a table within this one, empty if there is none."""
        name = f"[{key}]" if not self.name else f"{self.name} {key}"
        return Section(self.data.get(key, {}), self.source, name)

    def tables(self, key: str, short: Callable[[str], Mapping[str, Any]]) -> list[Section]:
        """Return the tables headed `[[key]]`; `short` makes one of a text in their place."""
        rows = self.data.get(key, [])
        if not isinstance(rows, list):
            raise self.error(key, rows, f"tables headed [[{key}]], or a list of texts")
        full = [short(row) if isinstance(row, str) else row for row in rows]
        return [Section(row, self.source, f"[[{key}]] #{i + 1}") for i, row in enumerate(full)]

    def text(self, key: str, *, default: str | None = None) -> str:
        """Return a text, not an empty one unless there is a default."""
        value = self.data.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.error(key, value, "a text")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty if there is none."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, value, "a list of texts")
        return tuple(value)

    def choice(self, key: str, allowed: Sequence[str], *, default: str | None) -> str | None:
        """Return one of the words that are allowed."""
        value = self.data.get(key, default)
        if value is None:
            return None
        if value not in allowed:
            listed = ", ".join(map(repr, allowed))
            raise self.error(key, value, f"one of {listed}{hint(value, allowed)}")
        return str(value)

    def integer(
        self, key: str, *, low: int, high: int | None = None, default: int | None = None
    ) -> int | None:
        """Return a whole number within bounds."""
        value = self.data.get(key, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise self.error(key, value, f"a whole number of at least {low}")
        if high is not None and value > high:
            raise self.error(key, value, f"a whole number of at most {high}")
        return value

    def number(self, key: str) -> float | None:
        """Return a finite number."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) == inf:
            raise self.error(key, value, "a finite number")
        return float(value)

    def seconds(self, key: str) -> float:
        """Return a time above 0 (`inf`: no limit); the key must be there."""
        value = self.data[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self.error(key, value, "seconds, greater than 0")
        return float(value)

    def size(self, key: str) -> int:
        """Return a number of bytes; the key must be there."""
        value = self.data[key]
        if isinstance(value, str):
            match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?i?)b?", value.strip().lower())
            if match and match[2] in _UNITS:
                return int(float(match[1]) * _UNITS[match[2]])
        elif isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        raise self.error(key, value, 'bytes, such as 1000000 or "512 MB"')


def hint(name: object, known: Sequence[str]) -> str:
    """Return the nearest known name as a question, or nothing."""
    found = nearest(str(name), known, count=1)
    return f"; did you mean {found[0]!r}?" if found else ""
