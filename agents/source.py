"""Agents from the user's own code: import it, find the factory, and say what is wrong if not."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from types import ModuleType
from typing import Any

from agents.references import Reference
from arena.errors import AgentError, nearest

__all__ = ["find", "source_file"]


def find(reference: Reference) -> Any:
    """Return what a reference of kind `file` or `module` points to.

    Raises:
        AgentError: no such file or module, an exception while it is imported, or nothing of
            that name in it.
    """
    if reference.kind == "file":
        module = _import_file(reference.target)
    else:
        module = _import_module(reference.target)
    if not reference.attribute:
        raise AgentError(
            f"{reference.target}: name what makes the agent,"
            f" as in {os.path.basename(reference.target)}:NAME{_defines(module)}"
        )
    thing: Any = module
    for part in reference.attribute.split("."):
        if not hasattr(thing, part):
            close = nearest(part, _names(thing))
            hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise AgentError(
                f"{reference.target} has no {reference.attribute!r}{hint}{_defines(module)}"
            )
        thing = getattr(thing, part)
    return thing


def source_file(reference: Reference) -> str | None:
    """Return the file that a reference's code lies in, without importing the module itself.

    Raises:
        AgentError: there is no such file or module.
    """
    if reference.kind in ("file", "policy"):
        if not os.path.isfile(reference.target):
            raise AgentError(_no_file(reference.target))
        return reference.target
    try:
        spec = importlib.util.find_spec(reference.target)
    except (ImportError, ValueError, AttributeError):
        spec = None
    except Exception as error:
        raise AgentError(_explain(reference.target, error)) from error
    if spec is None:
        raise AgentError(f"there is no module {reference.target!r} on the Python path")
    return spec.origin if spec.origin and os.path.isfile(spec.origin) else None


def _import_file(path: str) -> ModuleType:
    if not os.path.isfile(path):
        raise AgentError(_no_file(path))
    with open(path, "rb") as file:
        digest = hashlib.blake2b(path.encode() + b"\0" + file.read(), digest_size=8).hexdigest()
    # Named after its contents, so that a changed file is read anew and an unchanged one is not.
    name = f"arena_agent_{os.path.basename(path)[:-3]}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise AgentError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.append(folder)  # its neighbours can be imported, now and in its functions
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        del sys.modules[name]
        raise
    except BaseException as error:
        del sys.modules[name]
        raise AgentError(_explain(path, error)) from error
    return module


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise AgentError(f"there is no module {error.name!r} on the Python path") from error
        raise AgentError(_explain(name, error)) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise AgentError(_explain(name, error)) from error


def _explain(what: str, error: BaseException) -> str:
    """Return `bot.py cannot be imported: ValueError: bad (bot.py:3)`."""
    said = traceback.format_exception_only(type(error), error)[-1].strip()
    if isinstance(error, SyntaxError):
        place = f" ({os.path.basename(error.filename or what)}:{error.lineno})"
    else:
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if not frame.filename.startswith("<frozen") and frame.filename != __file__
        ]
        own = [frame for frame in frames if frame.filename == what] or frames
        place = f" ({os.path.basename(own[-1].filename)}:{own[-1].lineno})" if own else ""
    return f"{what} cannot be imported: {said}{place}"


def _no_file(path: str) -> str:
    folder, base = os.path.split(path)
    if not os.path.isdir(folder):
        return f"there is no file {path}, nor a folder {folder}"
    kind = os.path.splitext(base)[1]
    near = nearest(base, [name for name in os.listdir(folder) if name.endswith(kind)])
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"there is no file {path}{hint}"


def _names(thing: Any) -> list[str]:
    """Return the public callables and agents that a module (or class) itself defines."""
    own = getattr(thing, "__name__", None)
    return [
        name
        for name, value in vars(thing).items()
        if not name.startswith("_")
        and (callable(value) or hasattr(value, "act") or hasattr(value, "probabilities"))
        and getattr(value, "__module__", own) == own
    ]


def _defines(module: ModuleType) -> str:
    names = _names(module)
    return f" (it defines {', '.join(names) or 'nothing that could play'})"
