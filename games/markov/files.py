"""Markov games as files: arrays in an `.npz`, by the names of `MarkovGame`'s own arguments.

`np.savez("mine.markov.npz", transition=…, reward=…, discount=0.9)` is enough; everything
else has the defaults of `MarkovGame`:

    transition       (S, A_1, …, A_n, S), or its sparse rows (S·J, S) as
    indptr, indices, probability
    reward           (n, S, A_1, …, A_n)
    initial          a state's number, or (S,)
    horizon, discount
    legal_0, …       one mask a seat, (S, A_i)
    terminal         a mask (S,), or numbers
    state_names, action_names_0, …, title       text
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from arena.errors import FormatError, UnknownNameError
from arena.files import write_atomic
from games.markov.form import MarkovGame

__all__ = ["SUFFIX", "read_form", "version_of", "write_form"]

SUFFIX = ".markov.npz"
"""How a file's name ends so that `arena.make` knows it."""

_SPARSE = ("indptr", "indices", "probability")
_ALONE = ("transition", *_SPARSE, "reward", "initial", "horizon", "discount", "terminal",
          "state_names", "title")  # fmt: skip
_EACH = ("legal", "action_names")


def write_form(form: MarkovGame, path: str | Path) -> None:
    """Write a game so that `arena.make(path)` makes it again; the name ends in `SUFFIX`.

    Raises:
        FormatError: the name ends otherwise.
    """
    if not str(path).endswith(SUFFIX):
        raise FormatError(f"{path}: expected a file named *{SUFFIX}")
    arrays: dict[str, Any] = {
        "reward": form.reward.reshape(form.seats, form.states, *form.actions),
        "indptr": form.indptr,
        "indices": form.indices,
        "probability": form.probability,
        "initial": form.initial,
        "discount": np.array(form.discount),
        "terminal": form.terminal,
        "state_names": np.array(form.state_names, dtype=np.str_),
        "title": np.array(form.title),
    }
    if form.horizon is not None:
        arrays["horizon"] = np.array(form.horizon)
    for seat in range(form.seats):
        arrays[f"legal_{seat}"] = form.legal[seat]
        arrays[f"action_names_{seat}"] = np.array(form.action_names[seat], dtype=np.str_)
    with write_atomic(path) as file:
        np.savez_compressed(file, **arrays)


def version_of(path: str | Path) -> str:
    """Return a digest of a file's content."""
    return f"file {hashlib.blake2b(Path(path).read_bytes(), digest_size=6).hexdigest()}"


def read_form(path: str | Path) -> MarkovGame:
    """Read a game.

    Raises:
        UnknownNameError: there is no such file, or an array of an unknown name in it.
        FormatError: it is no `.npz` file of arrays, or lacks some.
        ParameterError: the arrays are no Markov game; the message names the place.
    """
    place = Path(path).expanduser()
    try:
        with np.load(place, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
    except OSError as error:
        near = [str(p) for p in place.parent.glob(f"*{SUFFIX}")]
        hint = error.strerror or "it cannot be read"
        raise UnknownNameError("Markov game file", str(path), near, hint=hint) from error
    except (ValueError, EOFError, BadZipFile, AttributeError) as error:
        raise FormatError(f"{path}: expected an .npz file of arrays ({error})") from error
    seats = int(arrays["reward"].shape[0]) if np.ndim(arrays.get("reward", 0)) else 0
    known = [*_ALONE, *(f"{name}_{seat}" for name in _EACH for seat in range(seats))]
    for name in arrays:
        if name not in known:
            raise UnknownNameError(f"array in {path}", name, known, hint=f"there are {known}")
    return MarkovGame(_transition(path, arrays), _needed(path, arrays, "reward"), **_rest(arrays))


def _needed(path: str | Path, arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise FormatError(f"{path}: lacks the array {name!r}; it has {', '.join(arrays)}")
    return arrays[name]


def _transition(path: str | Path, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if not any(name in arrays for name in _SPARSE):
        return _needed(path, arrays, "transition")
    from scipy.sparse import csr_array

    indptr, indices, probability = (_needed(path, arrays, name) for name in _SPARSE)
    reward = _needed(path, arrays, "reward")
    shape = (int(np.prod(reward.shape[1:])), int(reward.shape[1]))
    try:
        return csr_array((probability, indices, indptr), shape=shape)
    except (ValueError, IndexError) as error:
        raise FormatError(f"{path}: no sparse rows of shape {shape}: {error}") from error


def _rest(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return the optional arguments, numbers as numbers."""
    out: dict[str, Any] = {}
    for name in ("initial", "horizon", "discount", "terminal"):
        if name in arrays:
            found = arrays[name]
            out[name] = found.item() if found.ndim == 0 else found
    if "title" in arrays:
        out["title"] = str(arrays["title"])
    if "state_names" in arrays:
        out["state_names"] = arrays["state_names"].tolist()
    for name in _EACH:
        own = [arrays[key] for key in sorted(arrays) if key.startswith(f"{name}_")]
        if own:
            out[name] = [row.tolist() for row in own] if name == "action_names" else own
    return out
