"""What a Markov game is given, checked part by part; and memory, before it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.types import Mask

__all__ = [
    "check_memory",
    "discount_of",
    "frozen",
    "horizon_of",
    "legal_of",
    "names_of",
    "reward_of",
    "terminal_of",
]

Reals = NDArray[np.float64]

_MEMORY = 24 << 30
"""Bytes that one array may need where the machine does not say what it has."""


def check_memory(entries: float, what: str, *, bytes_each: int = 8) -> None:
    """Refuse arrays beyond this machine's memory.

    Raises:
        NotApplicableError: says how much would be needed.
    """
    import os

    try:
        most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        most = _MEMORY
    needed = entries * bytes_each
    if needed > 0.8 * most:
        raise NotApplicableError(
            f"{what} would need {needed / 2**30:.4g} GiB of memory; there are {most / 2**30:.4g}"
        )


def frozen(array: Any) -> Any:
    """Return a contiguous read-only array; what was given stays writable."""
    out = np.ascontiguousarray(array)
    if out.flags.writeable and out is array:
        out = out.copy()
    out.flags.writeable = False
    return out


def reward_of(given: Any) -> Reals:
    """Return rewards, shape (n, S, A_1, …, A_n)."""
    pay = np.array(given, dtype=np.float64)
    if pay.ndim < 3 or pay.shape[0] != pay.ndim - 2 or pay.size == 0:
        raise ParameterError(
            "reward.shape", pay.shape, "(n, S, A_1, …, A_n): as many action axes as seats"
        )
    bad = np.argwhere(~np.isfinite(pay))
    if len(bad):
        seat, state, *joint = (int(i) for i in bad[0])
        where = f"reward of seat {seat} at state {state}, joint action {tuple(joint)}"
        raise ParameterError(where, float(pay[tuple(bad[0])]), "a finite number")
    return pay


def legal_of(given: Sequence[Any] | None, s: int, counts: tuple[int, ...]) -> tuple[Mask, ...]:
    """Return one mask a seat, shapes (S, A_i)."""
    if given is None:
        return tuple(frozen(np.ones((s, count), dtype=np.bool_)) for count in counts)
    if len(given) != len(counts):
        raise ParameterError("legal", len(given), f"{len(counts)} masks, one a seat")
    out = []
    for seat, (one, count) in enumerate(zip(given, counts, strict=True)):
        mask = np.array(one, dtype=np.bool_)
        if mask.shape != (s, count):
            raise ParameterError(f"legal[{seat}].shape", mask.shape, f"({s}, {count})")
        if not mask.any(axis=1).all():
            state = int(np.argmin(mask.any(axis=1)))
            raise ParameterError(f"legal[{seat}]", f"nothing in state {state}", "an action")
        out.append(frozen(mask))
    return tuple(out)


def terminal_of(given: Any, s: int) -> Mask:
    """Return the mask of terminal states, shape (S,), from a mask or numbers."""
    out = np.zeros(s, dtype=np.bool_)
    if given is not None:
        array = np.asarray(given)
        if array.dtype == np.bool_:
            if array.shape != (s,):
                raise ParameterError("terminal.shape", array.shape, f"({s},)")
            out = array.copy()
        else:
            numbers = array.astype(np.int64).ravel()
            bad = numbers[(numbers < 0) | (numbers >= s)]
            if len(bad):
                raise ParameterError("terminal", int(bad[0]), f"states, 0 to {s - 1}")
            out[numbers] = True
    found: Mask = frozen(out)
    return found


def horizon_of(value: Any) -> int | None:
    """Return a horizon, or None."""
    if value is None:
        return None
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < 1:
        raise ParameterError("horizon", value, "a whole number, 1 or more, or None")
    return int(value)


def discount_of(value: Any) -> float:
    """Return a discount in (0, 1]."""
    real = isinstance(value, int | float | np.integer | np.floating)
    if not real or isinstance(value, bool) or not 0 < value <= 1:
        raise ParameterError("discount", value, "a number above 0 and at most 1")
    return float(value)


def names_of(what: str, given: Sequence[str], count: int) -> tuple[str, ...]:
    """Return `count` names; by default numbers."""
    if not given:
        return tuple(str(i) for i in range(count))
    if len(given) != count:
        raise ParameterError(what, len(given), f"{count} names")
    return tuple(str(name) for name in given)
