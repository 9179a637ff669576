"""Correlated and coarse correlated equilibria of n seats, by the objective of choice.

Objectives over the equilibria σ (Aumann 1974; Moulin and Vial 1978):
- `welfare`: the greatest sum of payoffs; `value`: the greatest payoff of one `seat`. Linear
  programs by HiGHS, with rows and columns made when needed (`_program`).
- `entropy`: the greatest −Σσ ln σ (Ortiz, Schapire and Kakade 2007), `gini`: the greatest
  1 − Σσ² (Marris et al. 2021); by an interior-point method (`_interior`).
- `sparse`: few joint actions: a pure Nash equilibrium if there is one, else a mixed-integer
  program on small games, else reweighted linear programs (Candès, Wakin and Boyd 2008).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, NotApplicableError, ParameterError
from arena.solver import Gap
from games.normal_form import NormalForm
from solvers.loop import choice, whole
from solvers.matrix._gains import Gains
from solvers.matrix._program import maximise
from solvers.matrix.run import MatrixSolver, Once, Traits
from solvers.matrix.two_seats import zero_sum

__all__ = ["OBJECTIVES", "cce", "ce", "correlated_equilibrium"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]
Objective = Literal["welfare", "value", "entropy", "gini", "sparse"]

OBJECTIVES = ("welfare", "value", "entropy", "gini", "sparse")

_LIMIT = 2_000_000
"""Joint actions up to which linear programs are solved."""
_DENSE_ROWS, _ENTRIES = 4_000, 20_000_000
"""Rows, and entries of G, up to which the interior-point method is used."""
_MIXED_INTEGER = 200
"""Joint actions up to which the sparsest equilibrium is found by a mixed-integer program."""
_SUPPORTS = 20
"""Supports that are tried for the sparsest equilibrium."""
_SLACK = 1e-11
"""By how much rows may be violated, in units of a seat's range of payoffs."""


def correlated_equilibrium(
    form: NormalForm, *, coarse: bool, objective: Objective = "welfare", seat: int = 0
) -> Reals:
    """Return a (coarse) correlated equilibrium, shape (A_1, …, A_n).

    Args:
        form: any number of seats, any payoffs.
        coarse: whether deviations are chosen before the recommendation is seen.
        objective: one of `OBJECTIVES`.
        seat: whose payoff `value` is about.

    Raises:
        ParameterError: an objective or seat that does not exist.
        NotApplicableError: the game is too large for the objective.
        ArenaError: the solver gave up.
    """
    choice("objective", objective, OBJECTIVES)
    if not 0 <= seat < form.seats:
        raise ParameterError("seat", seat, f"0 to {form.seats - 1}")
    gains = Gains(form, coarse=coarse)
    if objective in ("welfare", "value"):
        known = _of_two_maximin(form, gains)
        if known is not None:
            return known
    if objective == "welfare":
        sigma = maximise(gains, form.payoffs.sum(axis=0).ravel())
    elif objective == "value":
        sigma = maximise(gains, form.payoffs[seat].ravel())
    elif objective == "sparse":
        sigma = _sparse(form, gains)
    else:
        sigma = _spread(gains, entropy=objective == "entropy")
    return sigma.reshape(form.actions)


def _of_two_maximin(form: NormalForm, gains: Gains) -> Reals | None:
    """Return both seats' maximin strategies played apart, or None where that will not do.

    In a two-seat constant-sum game all equilibria pay each seat the same, this one too.
    """
    if form.seats != 2:
        return None
    total = form.payoffs.sum(axis=0)
    if float(np.ptp(total)) > 1e-14 * float(np.abs(form.payoffs).max()):
        return None
    x, y = zero_sum(form.payoffs[0])
    sigma = np.outer(x, y)
    return sigma if float(gains.times(sigma.ravel()).max()) <= _SLACK else None


def _matrix(gains: Gains, joint: Ints) -> Any:
    """Return the columns `joint` of G without rows that hold anyway, sparse, (m, K)."""
    from scipy.sparse import csr_array

    rows, values = gains.columns(joint)
    column = np.broadcast_to(np.arange(len(joint))[:, None], rows.shape)
    full = csr_array(
        (values.ravel(), (rows.ravel(), column.ravel())), shape=(gains.rows, len(joint))
    )
    full.eliminate_zeros()
    return full[gains.useful(joint)]


def _spread(gains: Gains, *, entropy: bool) -> Reals:
    from solvers.matrix._interior import spread

    # What no equilibrium plays would leave the program without an interior.
    joint = np.flatnonzero(gains.playable())
    entries = len(joint) * sum(gains.actions)
    rows = len(gains.useful(joint)) if entries <= _ENTRIES else gains.rows
    if rows > _DENSE_ROWS or entries > _ENTRIES:
        raise NotApplicableError(
            f"too large: {rows} constraints on {len(joint)} joint actions, limit"
            f" {_DENSE_ROWS} and {_ENTRIES // sum(gains.actions)} for the objectives entropy and"
            " gini; welfare, value and sparse would do, or no_regret_ce and no_regret_cce"
        )
    out = np.zeros(gains.size)
    matrix = _matrix(gains, joint)
    out[joint] = 1.0 / len(joint)
    if matrix.shape[0]:
        out[joint] = spread(matrix, entropy=entropy, slack=_SLACK)
    return out


def _sparse(form: NormalForm, gains: Gains) -> Reals:
    pure = _pure(form)
    if pure is not None:
        out = np.zeros(gains.size)
        out[pure] = 1.0
        return out
    fewest = _fewest(gains) if gains.size <= _MIXED_INTEGER else None
    if fewest is not None:
        return fewest
    sigma = maximise(gains, form.payoffs.sum(axis=0).ravel())
    best = sigma
    for _ in range(8):
        sigma = maximise(gains, -1.0 / (sigma + 1.0 / gains.size))
        if (sigma > 0).sum() < (best > 0).sum():
            best = sigma
    return best


def _pure(form: NormalForm) -> int | None:
    """Return the joint action of greatest welfare among pure Nash equilibria, or None."""
    stable = np.ones(form.actions, dtype=np.bool_)
    for seat, pay in enumerate(form.payoffs):
        stable &= pay >= pay.max(axis=seat, keepdims=True)
    if not stable.any():
        return None
    return int(np.where(stable, form.payoffs.sum(axis=0), -np.inf).argmax())


def _fewest(gains: Gains) -> Reals | None:
    """Minimise Σ b under Gσ ≤ 0, Σσ = 1, 0 ≤ σ ≤ b, b binary; then solve σ on that support.

    The mixed-integer program holds to 1e-6 only. A support on which no exact σ is found is
    excluded, with all its subsets, and the program solved again. None when that goes on, or
    HiGHS gives up.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import block_array, eye_array

    size = gains.size
    matrix = _matrix(gains, np.arange(size))
    eye = eye_array(size)
    body = block_array(
        [[matrix, None], [eye, -eye], [np.ones((1, size)), np.zeros((1, size))]], format="csr"
    )
    low = np.concatenate([np.full(matrix.shape[0] + size, -np.inf), [1.0]])
    high = np.concatenate([np.zeros(matrix.shape[0] + size), [1.0]])
    constraints = [LinearConstraint(body, low, high)]
    for _ in range(_SUPPORTS):
        found = milp(
            np.concatenate([np.zeros(size), np.ones(size)]),
            constraints=constraints,
            integrality=np.repeat([0, 1], size),
            bounds=Bounds(0.0, 1.0),
            options={"time_limit": 60.0},
        )
        if found.x is None:
            return None
        support = (found.x[size:] > 0.5) | (found.x[:size] > 1e-7)
        try:
            return maximise(gains, np.zeros(size), np.flatnonzero(support))
        except ArenaError:
            other = np.concatenate([np.zeros(size), ~support])
            constraints.append(LinearConstraint(other, 1.0, np.inf))
    return None


def _starter(coarse: bool) -> Any:
    def start(
        form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
    ) -> Once:
        objective: Any = choice("objective", settings["objective"], OBJECTIVES)
        seat = whole("seat", settings["seat"], most=form.seats - 1)

        def work() -> tuple[Reals, dict[str, NDArray[Any]]]:
            found = correlated_equilibrium(form, coarse=coarse, objective=objective, seat=seat)
            return found, {}

        return Once(work, np.full(form.actions, 1.0 / math.prod(form.actions)))

    return start


def _facts(form: NormalForm, joint: Reals, settings: Mapping[str, Any]) -> dict[str, Gap]:
    """Return how many joint actions are played; only `sparse` claims that they are few."""
    if settings["objective"] != "sparse":
        return {}
    return {"support": Gap(float((joint > 0).sum()), "upper")}


def cce() -> MatrixSolver:
    """Coarse correlated equilibrium by linear or convex programming."""
    return _solver("cce", coarse=True)


def ce() -> MatrixSolver:
    """Correlated equilibrium by linear or convex programming."""
    return _solver("ce", coarse=False)


def _solver(name: str, *, coarse: bool) -> MatrixSolver:
    return MatrixSolver(
        name,
        _starter(coarse),
        {"objective": "welfare", "seat": 0},
        Traits(limit_joint=_LIMIT, smaller=(f"no_regret_{name}",)),
        iterations=None,
        answers="joint",
        certify=_facts,
        gap=f"{name}_gap",
    )
