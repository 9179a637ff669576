"""Correlated equilibria of the stage games of all states, for one step of backward induction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.markov.form import MarkovGame
from games.normal_form import NormalForm

__all__ = ["OBJECTIVES", "price_of", "solve_stages"]

Reals = NDArray[np.float64]

OBJECTIVES = ("welfare", "value", "entropy", "gini", "sparse", "no_regret")

_TABLEAU = 2_000_000
"""Entries of a dense tableau up to which the simplex kernel is used."""


def price_of(form: MarkovGame, q: Reals, objective: str, seat: int) -> Reals | None:
    """Return what a linear objective pays for joint actions, shape (S, J), or None."""
    if objective == "welfare":
        welfare: Reals = q.sum(axis=0)
        return welfare
    return q[seat] if objective == "value" else None


def solve_stages(
    form: MarkovGame,
    q: Reals,
    *,
    coarse: bool,
    objective: str,
    seat: int = 0,
    iterations: int = 1000,
) -> Reals:
    """Return a (C)CE of every state's stage game, shape (S, J).

    Args:
        form: the game.
        q: what joint actions are worth, shape (n, S, J).
        coarse: CCE, else CE.
        objective: one of `OBJECTIVES`; `no_regret` approximates any, by optimistic play.
        seat: whose payoff `value` is about.
        iterations: of `no_regret`.

    Raises:
        NotApplicableError: the stage game is too large for the objective.
    """
    price = price_of(form, q, objective, seat)
    rows = sum(a if coarse else a * (a - 1) for a in form.actions) + 2
    if price is None or rows * form.joint > _TABLEAU:
        states: Any = range(form.states)
        sigma = np.zeros((form.states, form.joint))
    else:
        sigma, states = _simplex(form, q, price, coarse)
    for s in states:
        sigma[s] = _one(
            form,
            q[:, s],
            s,
            coarse=coarse,
            objective=objective,
            seat=seat,
            iterations=iterations,
        )
    return sigma


def _simplex(form: MarkovGame, q: Reals, price: Reals, coarse: bool) -> tuple[Reals, Any]:
    """Return equilibria, and the states whose program needs another method."""
    from solvers.markov import _kernels as kernels

    n, widest = form.seats, max(form.actions)
    legal = np.zeros((form.states, n, widest), dtype=np.bool_)
    for seat, mask in enumerate(form.legal):
        legal[:, seat, : mask.shape[1]] = mask
    strides = np.array([np.prod(form.actions[i + 1 :], dtype=np.int64) for i in range(n)])
    sigma = np.zeros((form.states, form.joint))
    status = np.zeros(form.states, dtype=np.int64)
    kernels.correlated(
        np.ascontiguousarray(q),
        np.ascontiguousarray(price),
        np.array(form.actions, dtype=np.int64),
        strides,
        legal,
        form.legal_joint,
        form.terminal,
        coarse,
        0,
        form.states,
        sigma,
        status,
    )
    return sigma, np.flatnonzero(status < 0)


def _one(
    form: MarkovGame, q: Reals, s: int, *, coarse: bool, objective: str, seat: int, iterations: int
) -> Reals:
    """Return the equilibrium of one state by the solvers of normal forms, shape (J,)."""
    from solvers.matrix.correlated import correlated_equilibrium
    from solvers.matrix.regret import JointPlay

    picks = [np.flatnonzero(mask[s]) for mask in form.legal]
    out = np.zeros(form.actions)
    if form.terminal[s]:
        out[tuple(own[0] for own in picks)] = 1.0
        return out.ravel()
    inner = np.ix_(*picks)
    payoffs = np.stack([one.reshape(form.actions)[inner] for one in q])
    stage = NormalForm(payoffs)
    if objective == "no_regret":
        play = JointPlay(stage, swap=not coarse)
        play.advance(iterations)
        found = play.answer()
    else:
        wanted: Any = objective
        found = correlated_equilibrium(stage, coarse=coarse, objective=wanted, seat=seat)
    out[inner] = np.asarray(found).reshape(stage.actions)
    return out.ravel()
