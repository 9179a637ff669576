"""Correlated equilibria of the stage games of all states, for one step of backward induction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from games.markov.form import MarkovGame
from games.normal_form import NormalForm
from solvers.markov.highs import HighsStages, grain_of
from solvers.markov.learners import legal_table, strides_of

__all__ = ["OBJECTIVES", "PROGRAMS", "first_legal", "price_of", "solve_stages"]

Reals = NDArray[np.float64]

PROGRAMS = ("simplex", "highs")
"""What solves linear programs: the dual simplex kernel, or HiGHS with warm starts."""

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
    highs: HighsStages | None = None,
) -> Reals:
    """Return a (C)CE of every state's stage game, shape (S, J).

    Linear objectives are met by the dual simplex kernel, and by HiGHS where that gave up or
    `highs` is given; stage games too large for a dense tableau by column generation.

    Args:
        form: the game.
        q: what joint actions are worth, shape (n, S, J).
        coarse: CCE, else CE.
        objective: one of `OBJECTIVES`; `no_regret` approximates any, by optimistic play.
        seat: whose payoff `value` is about.
        iterations: of `no_regret`.
        highs: solves linear objectives instead of the kernel; what it remembers changes.

    Raises:
        NotApplicableError: the stage game is too large for the objective.
        ArenaError: a linear program could not be solved.
    """
    price = price_of(form, q, objective, seat)
    rows = sum(a if coarse else a * (a - 1) for a in form.actions) + 2
    if price is not None and rows * form.joint <= _TABLEAU:
        if highs is None:
            sigma, left = _simplex(form, q, price, coarse)
            highs = HighsStages(form, coarse=coarse) if len(left) else None
        else:
            sigma, left = first_legal(form), np.flatnonzero(~form.terminal)
        if highs is not None:
            for s in left:
                try:
                    sigma[s] = highs.solve(q, price, int(s))
                except ArenaError:  # HiGHS lost its way; by columns the program is another one
                    sigma[s] = _one(form, q[:, s], s, coarse=coarse, objective=objective, seat=seat)
        return sigma
    sigma = np.zeros((form.states, form.joint))
    for s in range(form.states):
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


def first_legal(form: MarkovGame) -> Reals:
    """Return the policy that plays everyone's first legal action, shape (S, J)."""
    picks = sum(
        mask.argmax(axis=1) * step for mask, step in zip(form.legal, strides_of(form), strict=True)
    )
    out = np.zeros((form.states, form.joint))
    out[np.arange(form.states), picks] = 1.0
    return out


def _simplex(form: MarkovGame, q: Reals, price: Reals, coarse: bool) -> tuple[Reals, Any]:
    """Return equilibria, and the states whose program needs another method."""
    from solvers.markov import _kernels as kernels

    sigma = np.zeros((form.states, form.joint))
    status = np.zeros(form.states, dtype=np.int64)
    kernels.correlated(
        np.ascontiguousarray(q),
        np.ascontiguousarray(price),
        np.array(form.actions, dtype=np.int64),
        strides_of(form),
        legal_table(form),
        form.legal_joint,
        form.terminal,
        coarse,
        grain_of(q),
        0,
        form.states,
        sigma,
        status,
    )
    return sigma, np.flatnonzero(status < 0)


def _one(
    form: MarkovGame,
    q: Reals,
    s: int,
    *,
    coarse: bool,
    objective: str,
    seat: int,
    iterations: int = 1,
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
