"""Nash equilibria of normal forms: the registered solvers around `two_seats` and `gambit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, ParameterError
from games.normal_form import NormalForm
from solvers.loop import choice, positive, whole
from solvers.matrix import two_seats
from solvers.matrix.run import MatrixSolver, Once, Traits

__all__ = [
    "equilibria_of",
    "lemke_howson",
    "nash_lp",
    "support_enumeration",
    "uniform",
    "vertex_enumeration",
]

Reals = NDArray[np.float64]
Profile = list[Reals]

_ANY_SUM = ("lemke_howson", "vertex_enumeration", "logit_qre", "gambit_nash")


def uniform(form: NormalForm) -> Profile:
    """Return the profile in which every seat plays all its actions equally often."""
    return [np.full(count, 1.0 / count) for count in form.actions]


def _once(form: NormalForm, work: Callable[[], tuple[Any, dict[str, NDArray[Any]]]]) -> Once:
    return Once(work, uniform(form))


def _start_lp(
    form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
) -> Once:
    algorithm = choice("algorithm", settings["algorithm"], ("auto", "simplex", "highs"))
    return _once(form, lambda: (list(two_seats.zero_sum(form.payoffs[0], algorithm=algorithm)), {}))


def nash_lp() -> MatrixSolver:
    """The zero-sum linear program (Dantzig 1951)."""
    return MatrixSolver(
        "nash_lp",
        _start_lp,
        {"algorithm": "auto"},
        Traits(seats=2, constant_sum=True, any_sum=_ANY_SUM),
        iterations=None,
    )


def _start_lemke_howson(
    form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
) -> Once:
    label = whole("label", settings["label"], most=sum(form.actions) - 1)
    return _once(form, lambda: (list(two_seats.lemke_howson(*form.payoffs, label=label)), {}))


def lemke_howson() -> MatrixSolver:
    """Complementary pivoting (Lemke and Howson 1964)."""
    return MatrixSolver(
        "lemke_howson",
        _start_lemke_howson,
        {"label": 0},
        Traits(seats=2),
        iterations=None,
    )


def _start_supports(
    form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
) -> Once:
    tolerance = positive("tolerance", settings["tolerance"])

    def work() -> tuple[Profile, dict[str, NDArray[Any]]]:
        found, degenerate = two_seats.support_enumeration(*form.payoffs, tolerance=tolerance)
        if not found:
            raise ArenaError(
                "no equilibrium has supports of equal size: the game is degenerate;"
                " vertex_enumeration lists its equilibria"
            )
        best, listed = _listed(form, [list(pair) for pair in found])
        return best, {"equilibria": listed, "degenerate": np.array(degenerate)}

    return _once(form, work)


def support_enumeration() -> MatrixSolver:
    """All equilibria with supports of equal size: all there are unless degenerate."""
    return MatrixSolver(
        "support_enumeration",
        _start_supports,
        {"tolerance": 1e-9},
        Traits(seats=2, limit=16, smaller=("vertex_enumeration", "lemke_howson", "gambit_nash")),
        iterations=None,
    )


def _start_vertices(
    form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
) -> Once:
    def work() -> tuple[Profile, dict[str, NDArray[Any]]]:
        found = [list(pair) for pair in two_seats.vertex_enumeration(*form.payoffs)]
        best, listed = _listed(form, found)
        return best, {"equilibria": listed}

    return _once(form, work)


def vertex_enumeration() -> MatrixSolver:
    """Every extreme equilibrium, in degenerate games too (Mangasarian 1964)."""
    return MatrixSolver(
        "vertex_enumeration",
        _start_vertices,
        {},
        Traits(seats=2, limit=31, smaller=("lemke_howson", "logit_qre", "gambit_nash")),
        iterations=None,
    )


def _listed(form: NormalForm, found: list[Profile]) -> tuple[Profile, Reals]:
    """Return the profile of greatest welfare, and all as rows of shape (E, ΣA)."""
    if not found:
        raise ArenaError("no equilibrium was found, though every game has one: rounding")
    table = np.array([np.concatenate(profile) for profile in found])
    worth = []
    for profile in found:
        total = form.payoffs.sum(axis=0)
        for row in reversed(profile):
            total = total @ row
        worth.append(float(total))
    # Rounded, so that ties go to the first whatever the last bit says.
    return found[int(np.argmax(np.round(worth, 9)))], table


def equilibria_of(solution: Any) -> list[Profile]:
    """Return all equilibria that an enumerating solver listed, one array a seat.

    Args:
        solution: of `support_enumeration`, `vertex_enumeration` or `gambit_nash`.

    Raises:
        ParameterError: the solver lists none.
    """
    if "equilibria" not in solution.state:
        raise ParameterError("solution", solution.solver, "one of a solver that lists equilibria")
    form: NormalForm = solution.game.form("normal_form")
    cuts = np.cumsum(form.actions)[:-1]
    return [list(np.split(row, cuts)) for row in solution.state["equilibria"]]
