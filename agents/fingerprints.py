"""Which version of an agent's code played: a digest that changes when the code does."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from agents.references import Reference, parse
from agents.source import source_file
from arena import __version__
from arena.errors import AgentError
from arena.registry import AGENTS

__all__ = ["fingerprint"]


def fingerprint(ref: str | Sequence[str], params: Mapping[str, Any] | None = None) -> str:
    """Return a digest of an agent's code and parameters: 16 hexadecimal digits.

    It covers arena's version and the agent's `version` for registered agents (and the source
    of those that other distributions or this process registered), the source file for
    `file.py:…` and `package.module:…`, the file of a policy, and every file among the words
    of a command. Where the code lies does not matter, what it says does. It does not see
    what user code imports from elsewhere.

    Raises:
        UnknownNameError: no agent of that name.
        AgentError: the file or module is not there.
    """
    reference = parse(ref)
    code: list[object]
    if reference.kind == "registered":
        code = _registered(reference.target)
    elif reference.kind == "command":
        code = _command(reference)
    else:
        file = source_file(reference)
        code = [reference.kind, reference.attribute, _digest_of(file) if file else reference.target]
    text = json.dumps([code, dict(params or {})], sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _registered(name: str) -> list[object]:
    full = AGENTS.canonical(name)
    info = AGENTS.info(full)
    factory = AGENTS.factory(full)
    code: Any = factory
    facts: list[object] = [full, str(getattr(factory, "version", ""))]
    prefix = full.partition("/")[0]
    if prefix != full and prefix in AGENTS.families():
        code = type(AGENTS.family(prefix))  # what it makes comes from a library of its own
    if info.source == "arena":
        return ["arena", __version__, *facts]
    return [info.source, _distribution_version(info.source), *facts, _source_of(code)]


def _distribution_version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return ""  # registered in this process, or a library's own family


def _source_of(factory: Any) -> str:
    """Return the digest of the file that a factory is written in."""
    import inspect

    try:
        file = inspect.getsourcefile(factory)
    except (OSError, TypeError):
        return ""  # typed into a session: there is no file
    return _digest_of(file) if file and os.path.isfile(file) else ""


def _command(reference: Reference) -> list[object]:
    from agents.process.sandbox import files_of_command

    files = files_of_command(reference.words)
    if not files:
        raise AgentError(f"no program {reference.words[0]!r} on the PATH")
    # Words that name files are told by their contents, the others as they stand.
    own = set(files[1:])
    words = [w for w in reference.words[1:] if os.path.abspath(w) not in own]
    return ["command", words, [_digest_of(file) for file in files]]


def _digest_of(file: str) -> str:
    facts = os.stat(file)
    return _digest_at(os.path.realpath(file), facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=256)
def _digest_at(file: str, changed: int, size: int) -> str:
    """Digest a file once for each time that it changes (interpreters are large)."""
    del changed, size  # they are part of the cache's key only
    digest = hashlib.blake2b(digest_size=16)
    with open(file, "rb") as opened:
        while block := opened.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
