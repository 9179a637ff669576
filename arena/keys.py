"""Names with parameters in one string, such as `openspiel/goofspiel(num_cards=4)`.

Values are JSON; a string stands bare where it reads back as itself, quoted otherwise.
Nested calls (`game=kuhn_poker(players=3)`) are strings with balanced brackets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from arena.errors import ArenaError
from arena.types import Params

__all__ = ["join_key", "split_key"]

_CALL = re.compile(r"(?P<name>[^()]+)\((?P<inside>.*)\)", re.DOTALL)
_ARGUMENT = re.compile(r"\s*(?P<key>[A-Za-z0-9_]+)\s*=(?P<value>.*)", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./;:+-]*")
_WORDS = {"True": True, "False": False, "None": None}
_PAIRS = {")": "(", "]": "[", "}": "{"}


def join_key(name: str, params: Mapping[str, Any]) -> str:
    """Return `name(key=value,…)`, keys sorted; `split_key` reads it back."""
    if not params:
        return name
    return f"{name}({','.join(f'{k}={_written(v)}' for k, v in sorted(params.items()))})"


def split_key(text: str) -> tuple[str, Params]:
    """Return the name and the parameters in `text`; a text without `(…)` is all name.

    Raises:
        ArenaError: what stands in the brackets is not `key=value,…`.
    """
    if not text.endswith(")"):
        return text, {}
    call = _CALL.fullmatch(text)
    if call is None:
        raise ArenaError(f"cannot read {text!r}; expected name(key=value,…)")
    params: Params = {}
    for piece in _pieces(call["inside"], text):
        argument = _ARGUMENT.fullmatch(piece)
        if argument is None:
            raise ArenaError(f"cannot read {piece.strip()!r} in {text!r}; expected key=value")
        if argument["key"] in params:
            raise ArenaError(f"parameter {argument['key']!r} is given twice in {text!r}")
        params[argument["key"]] = _read(argument["value"].strip())
    return call["name"], params


def _written(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value, sort_keys=True)
    if _PLAIN.fullmatch(value) and isinstance(_read(value), str):
        return value
    try:
        bare = split_key(f"x(k={value})") == ("x", {"k": value})
    except ArenaError:
        bare = False
    return value if bare else json.dumps(value)


def _read(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _pieces(inside: str, text: str) -> list[str]:
    """Cut at the commas that stand in no bracket and no quotes."""
    if not inside.strip():
        return []
    pieces, start, open_, quoted, skip = [], 0, [""], False, False
    for i, char in enumerate(inside):
        if skip:
            skip = False
        elif quoted:
            skip, quoted = char == "\\", char != '"'
        elif char == '"':
            quoted = True
        elif char in "([{":
            open_.append(char)
        elif char in ")]}":
            if open_.pop() != _PAIRS[char]:
                raise ArenaError(f"brackets do not match in {text!r}")
        elif char == "," and len(open_) == 1:
            pieces.append(inside[start:i])
            start = i + 1
    if quoted or len(open_) != 1:
        raise ArenaError(f"{'quotes' if quoted else 'brackets'} are not closed in {text!r}")
    return [*pieces, inside[start:]]
