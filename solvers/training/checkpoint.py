"""Checkpoints: one safetensors file that holds a policy and, if wanted, its learner's state.

The header is JSON in the file's own metadata, so that a file can be copied about alone; a
`.json` twin beside it is for readers. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.files import write_atomic
from arena.game import Game
from arena.keys import join_key

__all__ = ["Checkpoint", "game_header", "load_policy", "read_checkpoint", "write_checkpoint"]

_FORMAT = "arena/checkpoint/1"
_KEY = "arena"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What is in the file.

    Attributes:
        header: `format`, `game` (id, params, version), `solver`, `settings`, `seed`, `steps`,
            `policy` (kind and architecture), `state` (the learner's JSON values), ….
        policy: weights of the policy by name.
        state: the learner's arrays by name; empty in files that only play.
    """

    header: Mapping[str, Any]
    policy: Mapping[str, NDArray[Any]]
    state: Mapping[str, NDArray[Any]]

    @property
    def game(self) -> str:
        """The key of the game."""
        game = self.header["game"]
        return join_key(game["id"], game["params"])


def game_header(game: Game) -> dict[str, Any]:
    """Return what identifies a game, as JSON values."""
    return {"id": game.id, "params": dict(game.params), "version": game.version}


def write_checkpoint(
    path: str | Path,
    header: Mapping[str, Any],
    policy: Mapping[str, NDArray[Any]],
    state: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Write a checkpoint and its `.json` twin, each all or nothing, the twin last."""
    from safetensors.numpy import save

    whole = {"format": _FORMAT, **header}
    arrays = {f"policy/{name}": _stored(array) for name, array in policy.items()}
    arrays |= {f"state/{name}": _stored(array) for name, array in (state or {}).items()}
    with write_atomic(path) as file:
        file.write(save(arrays, metadata={_KEY: json.dumps(whole)}))
    with write_atomic(Path(path).with_suffix(".json")) as file:
        shown = {name: value for name, value in whole.items() if name != "state"}
        file.write((json.dumps(shown, indent=2) + "\n").encode())


def _stored(array: NDArray[Any]) -> NDArray[Any]:
    return np.array(array, order="C", copy=None)


def read_checkpoint(path: str | Path, *, state: bool = True) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: the file.
        state: whether the learner's state is wanted too.

    Raises:
        ParameterError: there is no such file, or it is something else.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise ParameterError("checkpoint", str(path), "a file that is there")
    try:
        with safe_open(str(path), framework="numpy") as file:
            header = json.loads((file.metadata() or {})[_KEY])
            if header["format"] != _FORMAT:
                raise KeyError("format")
            names = [n for n in file.keys() if state or n.startswith("policy/")]  # noqa: SIM118 # no mapping
            arrays = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        raise ParameterError("checkpoint", str(path), f"a file of format {_FORMAT}") from error
    return Checkpoint(header, _below("policy/", arrays), _below("state/", arrays))


def _below(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def load_policy(path: str | Path) -> Any:
    """Return the policy in a checkpoint.

    Raises:
        ParameterError: the file is not there, is something else, or its weights do not fit
            the architecture that it names.
    """
    from solvers.training.policy import from_header

    checkpoint = read_checkpoint(path, state=False)
    return from_header(checkpoint.game, checkpoint.header["policy"], checkpoint.policy)
