"""What a reference to an agent means, before anything is loaded.

uniform                        a registered name
package.module:factory         code that can be imported
path/to/file.py:factory        code in a file
policies/nash.npz              a saved policy or solution
runs/x/…/best.safetensors      the policy in a checkpoint of a training run
cmd:./bot --depth 3            an external process; also as a list of words
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from arena.errors import AgentError

__all__ = ["Reference", "parse"]


@dataclass(frozen=True)
class Reference:
    """A reference taken apart.

    Attributes:
        kind: what it points to.
        target: the registered name, module, absolute path of the file, or command line.
        attribute: the factory in the module or file ("" if none is named).
        words: the command (kind `command` only).
    """

    kind: Literal["registered", "module", "file", "policy", "command"]
    target: str
    attribute: str = ""
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "command":
            return f"cmd:{self.target}"
        return f"{self.target}:{self.attribute}" if self.attribute else self.target


def parse(ref: str | Sequence[str]) -> Reference:
    """Take a reference apart; files become absolute.

    Raises:
        AgentError: it is empty, or a command line that cannot be split into words.
    """
    if not isinstance(ref, str):
        words = tuple(map(str, ref))
        return _command(words, shlex.join(words))
    if ref.startswith("cmd:"):
        text = ref[4:].strip()
        try:
            return _command(tuple(shlex.split(text)), text)
        except ValueError as error:
            raise AgentError(f"cannot split the command {text!r} into words: {error}") from error
    if ref.endswith((".npz", ".safetensors")):
        return Reference("policy", os.path.abspath(os.path.expanduser(ref)))
    path, colon, attribute = ref.rpartition(":")
    if ref.endswith(".py"):
        path, colon, attribute = ref, "", ""
    if path.endswith(".py"):
        return Reference("file", os.path.abspath(os.path.expanduser(path)), attribute)
    if colon:
        return Reference("module", path, attribute)
    if not ref.strip():
        raise AgentError("an agent's reference is empty")
    return Reference("registered", ref)


def _command(words: tuple[str, ...], text: str) -> Reference:
    if not words:
        raise AgentError("the command of an external agent is empty, as in 'cmd:./bot --flag'")
    return Reference("command", text, words=words)
