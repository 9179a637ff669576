"""Any agent that can be loaded, isolated in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence

from agents.process import sandbox
from agents.process.agent import ProcessAgent
from agents.references import Reference, parse
from arena.agent import Limits
from arena.errors import AgentError
from arena.registry import AGENTS
from arena.types import Params

__all__ = ["Isolated"]


class Isolated(ProcessAgent):
    """Any agent that can be loaded, in a process of its own.

    It plays exactly as it would in this process (same seeds, same observations), but
    whatever it does there ends in an `AgentFaultError` here.

    Args:
        ref: what `agents.load.load` takes.
        params: the agent's parameters.
        limits: clocks, memory, output and processes.
        tier: `auto` (the strictest that works here), `bubblewrap`, `rlimits` or `none`.
        visible: further files and folders that it may read in bubblewrap.

    Raises:
        AgentError: nothing can be loaded from `ref` in another process.
    """

    def __init__(
        self,
        ref: str | Sequence[str],
        params: Params | None = None,
        limits: Limits | None = None,
        tier: str = "auto",
        *,
        visible: Sequence[str] = (),
    ) -> None:
        reference = _elsewhere(parse(ref))
        self._reference = reference
        given = dict(params or {})
        files = [v for v in given.values() if isinstance(v, str) and os.path.exists(v)]
        words: Sequence[str]
        if reference.kind == "command":
            words = reference.words
        else:
            # The child sees the very paths that this process imports from, in this order.
            paths = [path or os.getcwd() for path in sys.path]
            start = (
                f"import sys; sys.path[:] = {paths!r};"
                "from agents.process.serve import main; main(sys.argv[1:])"
            )
            words = [sys.executable, "-c", start, str(reference)]
        super().__init__(words, params=given, limits=limits, tier=tier, visible=[*visible, *files])
        self.name = str(ref) if isinstance(ref, str) else reference.target

    def _sees(self) -> list[str]:
        reference = self._reference
        if reference.kind == "command":
            return super()._sees()
        seen = sandbox.seen_by_python()
        if reference.kind in ("file", "policy"):
            seen.append(sandbox.own_folder(reference.target))
        elif reference.kind == "module":
            seen += _package(reference.target)
        return seen


def _elsewhere(reference: Reference) -> Reference:
    """Return a reference that means the same in another process.

    Raises:
        AgentError: it names something that lives in this process alone.
        UnknownNameError: nothing of that name is registered.
    """
    if reference.kind != "registered":
        return reference
    if AGENTS.info(reference.target).source != "this process":
        return reference
    factory = AGENTS.factory(reference.target)
    module = getattr(factory, "__module__", "__main__")
    name = getattr(factory, "__qualname__", "<")
    if module == "__main__" or "<" in name:
        raise AgentError(
            f"agent {reference.target!r} was registered in this process and cannot be isolated;"
            " refer to its code as package.module:factory or file.py:factory"
        )
    return Reference("module", module, name)


def _package(module: str) -> list[str]:
    """Return the folder of a module's top-level package, or the file of a lone module."""
    try:
        spec = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    folders = list(spec.submodule_search_locations or ())
    return folders or ([spec.origin] if spec.origin and os.path.exists(spec.origin) else [])
