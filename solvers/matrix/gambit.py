"""Nash equilibria of n seats by Gambit's solvers (the optional library pygambit).

Methods for two seats: `lcp`, `enummixed`; for any number: `gnm` (global Newton: Govindan and
Wilson 2003), `ipa` (iterated polymatrix approximation: Govindan and Wilson 2004), `simpdiv`
(simplicial subdivision: van der Laan et al. 1987), `liap`, `enumpoly`, `enumpure`.
`auto` tries lcp for two seats, and gnm, ipa and simpdiv in turn for more, until one of them
finds an equilibrium that the certificate confirms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, MissingDependencyError, NotApplicableError
from games.normal_form import NormalForm
from solvers.loop import choice, positive
from solvers.matrix.certificates import certify_profile
from solvers.matrix.nash import uniform
from solvers.matrix.run import MatrixSolver, Once

__all__ = ["METHODS", "gambit_nash", "solve_with_gambit"]

Reals = NDArray[np.float64]
Profile = list[Reals]

METHODS = ("lcp", "enummixed", "gnm", "ipa", "simpdiv", "liap", "enumpoly", "enumpure")
_TWO = ("lcp", "enummixed")


def _pygambit() -> Any:
    try:
        import pygambit
    except ImportError as error:
        raise MissingDependencyError(
            "pygambit", "pip install 'arena-gametheory[gambit]'", purpose="gambit_nash"
        ) from error
    return pygambit


def solve_with_gambit(form: NormalForm, method: str) -> list[Profile]:
    """Return the equilibria that one of Gambit's methods finds, possibly none.

    Args:
        form: any number of seats; `lcp` and `enummixed` take two.
        method: one of `METHODS`.

    Raises:
        MissingDependencyError: pygambit is not installed.
        NotApplicableError: the method is for two seats.
    """
    choice("method", method, METHODS)
    if method in _TWO and form.seats != 2:
        raise NotApplicableError(
            f"the game has {form.seats} seats, and Gambit's {method} needs 2;"
            " gnm, ipa, simpdiv and liap would do"
        )
    gambit = _pygambit()
    maker = getattr(gambit, "StrategicGame", None) or gambit.Game
    game = maker.from_arrays(*(np.ascontiguousarray(pay) for pay in form.payoffs))
    options: dict[str, Any] = {"rational": False} if method in _TWO else {}
    if method in ("simpdiv", "liap"):
        start = game.mixed_strategy_profile(rational=method == "simpdiv")
        found = getattr(gambit.nash, f"{method}_solve")(start, **options)
    else:
        found = getattr(gambit.nash, f"{method}_solve")(game, **options)
    equilibria = found.equilibria if hasattr(found, "equilibria") else [found.equilibrium]
    return [_profile(one) for one in equilibria if one is not None]


def _profile(mixed: Any) -> Profile:
    """Return Gambit's profile as arrays: it holds a mixed strategy a player, in order."""
    return [
        np.array([float(item[1] if isinstance(item, tuple) else mix[item]) for item in mix])
        for mix in mixed
    ]


def _start(form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]) -> Once:
    method = choice("method", settings["method"], ("auto", *METHODS))
    tolerance = positive("tolerance", settings["tolerance"])
    auto = ("lcp",) if form.seats == 2 else ("gnm", "ipa", "simpdiv")
    methods = auto if method == "auto" else (method,)
    _pygambit()

    def work() -> tuple[Profile, dict[str, NDArray[Any]]]:
        scale = max(1.0, float(np.ptp(form.payoffs)))
        for name in methods:
            found = [
                profile
                for profile in solve_with_gambit(form, name)
                if certify_profile(form, profile)["nash_conv"].value <= tolerance * scale
            ]
            if found:
                return found[0], {"equilibria": np.array([np.concatenate(p) for p in found])}
        raise ArenaError(
            f"Gambit's {', '.join(methods)} found no equilibrium within {tolerance:g} of the"
            f" payoffs' range; the other methods are {', '.join(METHODS)}"
        )

    return Once(work, uniform(form))


def gambit_nash() -> MatrixSolver:
    """Gambit's solvers for any number of seats."""
    return MatrixSolver(
        "gambit_nash",
        _start,
        {"method": "auto", "tolerance": 1e-6},
        iterations=None,
    )
