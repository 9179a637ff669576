"""Compiled loops over rows of results and over pair counts.

They take flat arrays, check nothing and allocate nothing; arguments marked "added to" are
modified in place.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

__all__: list[str] = []


@njit(cache=True)  # type: ignore[untyped-decorator]  # numba has no types
def fold_duels(  # noqa: PLR0917  numba calls by position
    seating: Any, payoffs: Any, count: Any, size: int, table: Any, paid: Any
) -> bool:
    """Count outcomes of two-seat matches.

    Args:
        seating: agents, shape (M, 2).
        payoffs: shape (M, 2).
        count: matches a row stands for, shape (M,).
        size: number of agents K.
        table: by first, second and outcome, shape (K·K·3,); added to.
        paid: total payoff by agent, shape (K,); added to.

    Returns:
        Whether the payoffs of every row sum to the same.
    """
    constant = True
    total = payoffs[0, 0] + payoffs[0, 1]
    for r in range(seating.shape[0]):
        a, b = seating[r, 0], seating[r, 1]
        x, y, n = payoffs[r, 0], payoffs[r, 1], count[r]
        gap = x - y
        near = 1e-9 * max(1.0, abs(x), abs(y))
        outcome = 1 - int(gap > near) + int(gap < -near)  # a branch would guess wrong
        table[(a * size + b) * 3 + outcome] += n
        paid[a] += x * n
        paid[b] += y * n
        if abs(x + y - total) > 1e-9 * max(1.0, abs(x + y), abs(total)):
            constant = False
    return constant


@njit(cache=True)  # type: ignore[untyped-decorator]  # numba has no types
def slopes(  # noqa: PLR0917  numba calls by position
    first: Any,
    second: Any,
    wins: Any,
    draws: Any,
    losses: Any,
    strength: Any,
    shift: float,
    nu: float,
    weight: float,
    gradient: Any,
    curves: Any,
    crosses: Any,
    edges: Any,
    sums: Any,
    curved: bool,
) -> None:
    """Add up derivatives of the log likelihood of one contest (`_likelihood`, eq. 1).

    Args:
        first: shape (E,).
        second: shape (E,).
        wins: shape (E,).
        draws: shape (E,).
        losses: shape (E,).
        strength: by unit, shape (U,).
        shift: a_s − a_t.
        nu: ν, 0 where there is no draw parameter.
        weight: of each comparison.
        gradient: by unit, shape (U,); added to.
        curves: information between units' strengths and e's shift, shape (U,); added to.
        crosses: the same with δ, shape (U,); added to.
        edges: information of each pair, shape (U, U), first by second; added to.
        sums: value without the part of δ, score, draws, draws expected, and information
            of shift, of δ and of both, shape (7,); added to.
        curved: whether to add up second derivatives.
    """
    for r in range(first.shape[0]):
        i, j = first[r], second[r]
        won, drawn, lost = wins[r] * weight, draws[r] * weight, losses[r] * weight
        n = won + drawn + lost
        gap = strength[i] - strength[j] + shift
        size = abs(gap)
        root = math.exp(-0.5 * size)  # all over exp(|e|/2), so that nothing overflows
        square = root * root
        z = 1.0 + square + nu * root
        lead = (1.0 - square) / z
        if gap < 0.0:
            lead = -lead
        even = nu * root / z
        balance = 0.5 * (won - lost)
        score = balance - 0.5 * n * lead
        sums[0] += balance * gap - n * (0.5 * size + math.log(z))
        sums[1] += score
        sums[2] += drawn
        sums[3] += n * even
        gradient[i] += score
        gradient[j] -= score
        if curved:
            curve = 0.25 * n * (1.0 - even - lead * lead)
            cross = -0.5 * n * even * lead
            sums[4] += curve
            sums[5] += n * even * (1.0 - even)
            sums[6] += cross
            curves[i] += curve
            curves[j] -= curve
            crosses[i] += cross
            crosses[j] -= cross
            edges[i, j] += curve
