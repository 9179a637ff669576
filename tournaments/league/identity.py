"""What a live Python object is told by: a digest of its code and of what it holds.

An object with a `version` of its own (a string, not its class's) is told by its type and
that version alone; the author then answers for giving what plays differently another one.
Anything else is walked through: plain values, arrays, tensors, containers, functions with
what they close over, and the attributes of objects. What cannot be looked into (objects of
C libraries) counts by its type.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Mapping
from itertools import chain
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

__all__ = ["identity"]


def identity(thing: object, params: Mapping[str, Any] | None = None) -> str:
    """Return 16 hexadecimal digits that differ for live objects that may play differently.

    Args:
        thing: an agent, policy, function, class or factory; it is only read.
        params: what it is made or called with.
    """
    digest = hashlib.blake2b(digest_size=8)
    seen: dict[int, tuple[int, object]] = {}
    version = None if inspect.isclass(thing) else getattr(thing, "__dict__", {}).get("version")
    if isinstance(version, str) and version:
        parts: Iterator[str | bytes] = iter([*_type(type(thing)), version])
    else:
        parts = _walk(thing, seen)
    for part in chain(parts, _walk(dict(params or {}), seen)):
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _walk(thing: Any, seen: dict[int, tuple[int, object]]) -> Iterator[str | bytes]:
    """Yield a description of `thing`; an object met before is its number."""
    if thing is None or isinstance(thing, bool | int | float | complex | str):
        yield from (type(thing).__name__, repr(thing))
        return
    if isinstance(thing, bytes):
        yield from ("bytes", thing)
        return
    if id(thing) in seen:
        yield from ("again", str(seen[id(thing)][0]))
        return
    seen[id(thing)] = (len(seen), thing)  # kept alive, so that no id is given out twice
    if isinstance(thing, np.ndarray | list | tuple | Mapping | set | frozenset):
        yield from _container(thing, seen)
    elif isinstance(thing, type):
        yield from _type(thing)
    elif isinstance(thing, np.random.Generator):
        yield from _walk(thing.bit_generator.state, seen)
    elif isinstance(thing, FunctionType | MethodType):
        yield from _function(thing, seen)
    elif callable(getattr(thing, "detach", None)):  # a torch tensor
        yield from _walk(np.asarray(thing.detach().cpu()), seen)
    else:
        yield from _type(type(thing))
        for name, value in _attributes(thing):
            yield name
            yield from _walk(value, seen)


def _container(thing: Any, seen: dict[int, tuple[int, object]]) -> Iterator[str | bytes]:
    if isinstance(thing, np.ndarray) and thing.dtype != object:
        yield from ("array", str(thing.dtype), str(thing.shape), thing.tobytes())
        return
    yield from (type(thing).__name__, str(len(thing)))
    if isinstance(thing, set | frozenset):
        yield from sorted(map(repr, thing))
        return
    for item in thing.items() if isinstance(thing, Mapping) else thing:
        yield from _walk(item, seen)


def _function(
    thing: FunctionType | MethodType, seen: dict[int, tuple[int, object]]
) -> Iterator[str | bytes]:
    if isinstance(thing, MethodType):
        yield from ("method", thing.__name__)
        yield from _walk(thing.__self__, seen)
        return
    yield from ("function", thing.__module__, thing.__qualname__)
    yield from _code(thing.__code__)
    cells = [_content(cell) for cell in thing.__closure__ or ()]
    yield from _walk([thing.__defaults__, thing.__kwdefaults__, cells], seen)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None  # not filled yet


def _code(code: CodeType) -> Iterator[str | bytes]:
    yield from (code.co_code, " ".join(code.co_names))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        else:
            yield repr(sorted(constant) if isinstance(constant, frozenset) else constant)


def _type(kind: type) -> Iterator[str]:
    yield from ("type", kind.__module__, kind.__qualname__)
    try:
        yield inspect.getsource(kind)
    except (OSError, TypeError):  # typed at a prompt, or written in C
        yield ""


def _attributes(thing: object) -> list[tuple[str, Any]]:
    found = dict(getattr(thing, "__dict__", {}))
    for kind in type(thing).__mro__:
        slots = getattr(kind, "__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(thing, name):
                found[name] = getattr(thing, name)
    for name in ("func", "args", "keywords") if type(thing).__name__ == "partial" else ():
        found[name] = getattr(thing, name)
    return sorted(found.items())
