"""Values: of a policy, and of the best deviation from it, by dynamic programming.

With σ a correlated policy, γ the discount and q_i(s, a) = r_i(s, a) + γ Σ P(s' | s, a) v_i(s'):

    on policy        v_i(s) = Σ_a σ(a) q_i(s, a)                                          (1)
    CCE deviation    w_i(s) = max_b Σ_a σ(a) q_i(s, (b, a_−i)),       q_i from w_i         (2)
    CE deviation     w_i(s) = Σ_c max_b Σ_{a: a_i = c} σ(a) q_i(s, (b, a_−i))              (3)

(2) is the best a seat can do that leaves before it is told anything, (3) the best use of
what it is told. Both are exact against deviations that remember the history: what is told
and played before says nothing about what the device draws next.

Source: Jin, Liu, Wang and Yu 2021, "V-learning", section 2; Moulin and Vial 1978.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from games.markov.form import MarkovGame

__all__ = ["Values", "backup", "discounted_values", "finite_values", "stage_values", "values"]

Reals = NDArray[np.float64]
Kind = Literal["on", "cce", "ce"]

_PRECISION = 1e-12
_SWEEPS = 1_000_000


def backup(form: MarkovGame, v: Reals) -> Reals:
    """Return q of values v (n, S), shape (n, S, J)."""
    ahead = (form.matrix() @ v.T).T
    q: Reals = form.reward + form.discount * ahead.reshape(form.seats, form.states, form.joint)
    return q


def stage_values(form: MarkovGame, sigma: Reals, q: Reals, seat: int, kind: Kind) -> Reals:
    """Return one seat's values by (1), (2) or (3), shape (S,); zero in terminal states.

    Args:
        form: the game.
        sigma: the stage's policy, shape (S, J).
        q: the seat's, shape (S, J).
        seat: i.
        kind: which of the three.
    """
    if kind == "on":
        found = np.einsum("sj,sj->s", sigma, q)
    else:
        weight = _own_first(form, sigma, seat)
        paid = _own_first(form, q, seat)
        barred = ~form.legal[seat]
        if kind == "cce":
            gains = np.einsum("sm,sbm->sb", weight.sum(axis=1), paid)
            gains[barred] = -np.inf
            found = gains.max(axis=1)
        else:
            gains = np.matmul(weight, paid.transpose(0, 2, 1))  # [told, played]
            gains[np.broadcast_to(barred[:, None, :], gains.shape)] = -np.inf
            found = gains.max(axis=2).sum(axis=1)
    found[form.terminal] = 0.0
    out: Reals = found
    return out


def _own_first(form: MarkovGame, array: Reals, seat: int) -> Reals:
    """Return (S, J) as (S, A_i, J / A_i)."""
    shaped = array.reshape(form.states, *form.actions)
    return np.moveaxis(shaped, 1 + seat, 1).reshape(form.states, form.actions[seat], -1)


@dataclass(frozen=True)
class Values:
    """Values at the first stage, between two bounds, shapes (n, S)."""

    low: Reals
    high: Reals


def values(form: MarkovGame, joint: Reals, kind: Kind) -> Values:
    """Return every seat's values of a correlated policy (T, S, J) or of deviations from it."""
    if form.horizon is not None:
        exact = finite_values(form, joint, kind)[0]
        return Values(exact, exact)
    return discounted_values(form, joint, kind)


def finite_values(
    form: MarkovGame,
    joint: Reals,
    kind: Kind,
    *,
    stages: int | None = None,
    end: Reals | None = None,
) -> Reals:
    """Return values of all stages, shape (H + 1, n, S).

    Args:
        form: the game.
        joint: shape (T, S, J); the last stage goes on.
        kind: (1), (2) or (3).
        stages: H; by default the form's horizon.
        end: values after the last stage, (n, S); by default 0.
    """
    count = stages if stages is not None else form.horizon
    if count is None:
        raise ArenaError("a game without a horizon has no last stage")
    out = np.zeros((count + 1, form.seats, form.states))
    if end is not None:
        out[count] = end
    for h in reversed(range(count)):
        q = backup(form, out[h + 1])
        sigma = joint[min(h, len(joint) - 1)]
        for seat in range(form.seats):
            out[h, seat] = stage_values(form, sigma, q[seat], seat, kind)
    return out


def discounted_values(form: MarkovGame, joint: Reals, kind: Kind) -> Values:
    """Return bounds on values without a horizon; γ < 1.

    The last stage is repeated until the values move by nearly nothing; with T the operator
    of a stage and v' = Tv, the fixed point lies within γ/(1−γ) of the least and the greatest
    change below and above v' (MacQueen 1966).

    Raises:
        ArenaError: the game is not discounted.
    """
    gamma = form.discount
    if gamma >= 1.0:
        raise ArenaError("neither a horizon nor a discount below 1: give one of them")
    v = np.zeros((form.seats, form.states))
    low, high = form.bounds
    scale = max(abs(low), abs(high), 1e-300) / (1.0 - gamma)
    for _ in range(_SWEEPS):
        q = backup(form, v)
        after = np.stack([stage_values(form, joint[-1], q[i], i, kind) for i in range(form.seats)])
        change = after - v
        v = after
        down = gamma / (1.0 - gamma) * min(float(change.min()), 0.0)
        up = gamma / (1.0 - gamma) * max(float(change.max()), 0.0)
        if up - down <= _PRECISION * scale:
            break
    if len(joint) == 1:
        return _clear(form, Values(v + down, v + up))
    stages = len(joint) - 1
    firsts = [
        finite_values(form, joint, kind, stages=stages, end=_clear_one(form, v + shift))[0]
        for shift in (down, up)
    ]
    return Values(firsts[0], firsts[1])


def _clear_one(form: MarkovGame, v: Reals) -> Reals:
    return np.where(form.terminal, 0.0, v)


def _clear(form: MarkovGame, found: Values) -> Values:
    return Values(_clear_one(form, found.low), _clear_one(form, found.high))
