"""Checks that the builders share; each raises `ParameterError` naming the bad value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise, product

import numpy as np

from arena.errors import ParameterError
from games.normal_form import NormalForm

__all__ = ["at_least", "from_rule", "increasing", "symmetric"]

_MOST = 5_000_000  # entries of a payoff tensor, 40 MB


def at_least(name: str, value: float, least: float, most: float = math.inf) -> None:
    """Check `least <= value <= most` (and that it is finite)."""
    if not (math.isfinite(value) and least <= value <= most):
        above = "" if math.isinf(most) else f" and at most {most:g}"
        raise ParameterError(name, value, f"at least {least:g}{above}")


def increasing(**values: float) -> None:
    """Check that the values increase strictly in the order given."""
    pairs = list(values.items())
    for (low, a), (high, b) in pairwise(pairs):
        if not a < b:
            raise ParameterError(high, b, f"more than {low} = {a}")


def from_rule(
    counts: Sequence[int],
    rule: Callable[[tuple[int, ...]], Sequence[float]],
    *,
    names: Sequence[Sequence[str]] | None = None,
    title: str,
) -> NormalForm:
    """Tabulate `rule(joint action) -> payoffs` over all joint actions.

    Raises:
        ParameterError: the tensor would have more than five million entries.
    """
    size = len(counts) * math.prod(counts)
    if size > _MOST:
        raise ParameterError("number of payoffs", size, f"at most {_MOST}: fewer seats or actions")
    rows = [rule(joint) for joint in product(*map(range, counts))]
    payoffs = np.array(rows, dtype=np.float64).T.reshape(len(counts), *counts)
    return NormalForm(payoffs, names, title)


def symmetric(row: Sequence[Sequence[float]], names: Sequence[str], title: str) -> NormalForm:
    """Return the two-seat game in which both seats are paid by the same table `row[own][other]`."""
    own = np.array(row, dtype=np.float64)
    return NormalForm(np.stack([own, own.T]), [names, names], title)
