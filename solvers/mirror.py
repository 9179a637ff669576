"""The regularised mirror family: one update, and the named algorithms as settings of it.

With ρ the magnet, β the strength of its pull, η the step and g(π) the payoff of each action
against π, one step from π along g is

    implicit:    π⁺ ∝ (π ρ^(ηβ) e^(ηg))^(1/(1+ηβ))                                        (1)
    linearised:  π⁺ ∝ π^(1−ηβ) ρ^(ηβ) e^(ηg)                                              (2)

and g is looked up at π (`none`), after a first step along g(π) (`extragradient`), after a
first step along the last g (`optimistic`), or after a first step along 0 (`mixture`).

| name | lookahead, prox, other settings | source |
|---|---|---|
| `mmd` | none, implicit, η = β/L² | Sokota et al. 2023, eq. 4 |
| `nash_mp` | extragradient, implicit, η = 1/L | Nash mirror prox, arXiv 2505.19731 |
| `inpo` | none, linearised | Zhang et al. 2024, iterative Nash policy optimization |
| `egpo` | extragradient, linearised | Zhou et al. 2025, extragradient preference optimization |
| `nash_md` | mixture, linearised, η = 2/(β(t+2)) | Munos et al. 2023, section 6 |
| `spo` | none, β = 0, the average, η = √(8 ln A / T) / range | Swamy et al. 2024 |
| `omd` | optimistic, β = 0 | Rakhlin and Sridharan 2013 |
| `nash_refresh` | extragradient, implicit, β = 0.01, refreshed every 50 | Liu et al. 2024, COMAL |

L is the greatest |payoff| after the game's mean payoff is taken off; L = ½ for preferences
centred at one half, so Nash-MP steps by 2. It converges to the β-regularised equilibrium
with a KL divergence of at most (1 + 2β)^(−N/2) times the first, N the number of queries.

Two seats start alike and stay alike in a symmetric game, so one array is kept for both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError, UnknownNameError
from arena.solver import Gap
from games.normal_form import NormalForm
from solvers.loop import choice, non_negative, positive, whole
from solvers.matrix.certificates import certify_qre
from solvers.matrix.form import constant_sum_of
from solvers.matrix.run import MatrixSolver, Traits

__all__ = ["NAMED", "MirrorMethod", "RegularizedMirror", "mirror", "named"]

Reals = NDArray[np.float64]

_LOOKAHEADS = ("none", "extragradient", "optimistic", "mixture")
_PROXES = ("implicit", "linearised")


@dataclass(frozen=True)
class RegularizedMirror:
    """Settings of the mirror family; see the module's table for the named ones.

    Attributes:
        magnet: ρ, one distribution a seat, or `uniform`.
        beta: the strength of the pull, in payoff units: the temperature of the equilibrium.
        eta: the step; None: what suits the lookahead; `decreasing`: 2/(β(t+2)).
        lookahead: where g is looked up.
        prox: `implicit` (1) or `linearised` (2).
        magnet_refresh: the magnet moves to the policy after so many iterations; 0: never.
        answer: `last` or `average`.

    Raises:
        ParameterError: a setting is out of range.
    """

    magnet: Sequence[Sequence[float]] | str = "uniform"
    beta: float = 0.1
    eta: float | str | None = None
    lookahead: str = "extragradient"
    prox: str = "implicit"
    magnet_refresh: int = 0
    answer: str = "last"

    def __post_init__(self) -> None:
        non_negative("beta", self.beta)
        choice("lookahead", self.lookahead, _LOOKAHEADS)
        choice("prox", self.prox, _PROXES)
        choice("answer", self.answer, ("last", "average"))
        whole("magnet_refresh", self.magnet_refresh)
        if isinstance(self.magnet, str):
            choice("magnet", self.magnet, ("uniform",))
        if isinstance(self.eta, str):
            choice("eta", self.eta, ("decreasing",))
            if self.beta == 0:
                raise ParameterError("eta", self.eta, "a number where beta is 0")
        elif self.eta is not None:
            positive("eta", self.eta)
            if self.prox == "linearised" and self.eta * self.beta > 1:
                raise ParameterError("eta", self.eta, f"at most 1/beta = {1 / self.beta:g}")

    @property
    def queries(self) -> int:
        """How often an iteration looks up payoffs."""
        return 2 if self.lookahead == "extragradient" else 1


NAMED: dict[str, dict[str, Any]] = {
    "egpo": {"lookahead": "extragradient", "prox": "linearised"},
    "inpo": {"lookahead": "none", "prox": "linearised"},
    "mmd": {"lookahead": "none", "prox": "implicit"},
    "nash_md": {"lookahead": "mixture", "prox": "linearised", "eta": "decreasing"},
    "nash_mp": {"lookahead": "extragradient", "prox": "implicit"},
    "nash_refresh": {
        "lookahead": "extragradient",
        "prox": "implicit",
        "beta": 0.01,
        "magnet_refresh": 50,
    },
    "omd": {"lookahead": "optimistic", "prox": "linearised", "beta": 0.0},
    "spo": {"lookahead": "none", "prox": "linearised", "beta": 0.0, "answer": "average"},
}
"""The named algorithms: what they set differently from `RegularizedMirror()`."""


def named(name: str, **changes: Any) -> RegularizedMirror:
    """Return the settings of a named algorithm, with changes.

    Raises:
        UnknownNameError: no algorithm or setting of that name.
        ParameterError: a setting is out of range.
    """
    if name not in NAMED:
        raise UnknownNameError(
            "mirror algorithm", name, NAMED, hint=f"there are {', '.join(NAMED)}"
        )
    known = [field.name for field in fields(RegularizedMirror)]
    for change in changes:
        if change not in known:
            raise UnknownNameError("setting", change, known, hint=f"there are {', '.join(known)}")
    return RegularizedMirror(**{**NAMED[name], **changes})


class MirrorMethod:
    """A running mirror method on a two-seat constant-sum game.

    Args:
        form: two seats, constant sum.
        settings: see `RegularizedMirror`.
        planned: iterations planned, for the step of `spo`, or None.
    """

    def __init__(
        self, form: NormalForm, settings: RegularizedMirror, planned: int | None = None
    ) -> None:
        self._form, self.settings = form, settings
        self.iteration = 0
        # What is paid on average pulls nobody anywhere; without it L is smaller.
        total = constant_sum_of(form) or 0.0
        a = np.ascontiguousarray(form.payoffs[0])
        b = total - a
        magnet = self._magnet()
        self.symmetric = (
            a.shape[0] == a.shape[1]
            and bool(np.abs(b - a.T).max() <= 1e-12 * max(1.0, float(np.abs(a).max())))
            and bool(np.array_equal(magnet[0], magnet[1]))
        )
        middle = 0.5 * (float(a.max()) + float(a.min()))
        self._a = a - (total / 2 if self.symmetric else middle)
        self._bt = np.zeros((0, 0)) if self.symmetric else np.ascontiguousarray(-self._a.T)
        sizes = [len(a)] if self.symmetric else list(a.shape)
        self._cut = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.eta = self._step(planned)
        self._log_magnet = np.log(np.concatenate(magnet[: len(sizes)]))
        self._policy = np.repeat(1.0 / np.array(sizes), sizes)
        self._logs = np.log(self._policy)
        self._guess, self._total = np.zeros(len(self._logs)), np.zeros(len(self._logs))

    def _magnet(self) -> list[Reals]:
        given = self.settings.magnet
        actions = self._form.actions
        if isinstance(given, str):
            return [np.full(count, 1.0 / count) for count in actions]
        if len(given) != 2:
            raise ParameterError("magnet", given, "uniform, or one distribution for each seat")
        rows = [np.asarray(row, dtype=np.float64) for row in given]
        for seat, (row, count) in enumerate(zip(rows, actions, strict=True)):
            proper = row.shape == (count,) and np.isfinite(row).all() and (row > 0).all()
            if not proper or abs(float(row.sum()) - 1.0) > 1e-6:
                raise ParameterError(
                    f"magnet of seat {seat}",
                    row.tolist(),
                    f"{count} positive probabilities that sum to one",
                )
        return [row / row.sum() for row in rows]

    def _step(self, planned: int | None) -> float:
        """Return η: what is set, or what the guarantee of the lookahead asks for."""
        chosen = self.settings
        if isinstance(chosen.eta, float | int):
            return float(chosen.eta)
        largest = float(np.abs(self._a).max()) or 1.0
        if chosen.lookahead == "none" and chosen.beta > 0:
            return chosen.beta / largest**2
        if chosen.lookahead == "none":
            count = max(self._form.actions)
            horizon = planned if planned is not None else 1000
            return math.sqrt(8.0 * math.log(max(count, 2)) / horizon) / (2.0 * largest)
        if chosen.lookahead == "optimistic":
            return 0.5 / largest
        step = 1.0 / largest
        if chosen.prox == "linearised" and chosen.beta > 0:
            step = min(step, 0.5 / chosen.beta)
        return step

    def advance(self, count: int) -> int:
        """Run `count` iterations."""
        from solvers import _mirror_kernels as kernels

        chosen = self.settings
        kernels.mirror(
            self._a,
            self._bt,
            self._cut,
            self.eta,
            chosen.eta == "decreasing",
            float(chosen.beta),
            _LOOKAHEADS.index(chosen.lookahead),
            _PROXES.index(chosen.prox),
            chosen.magnet_refresh,
            self.iteration,
            count,
            self._logs,
            self._log_magnet,
            self._guess,
            self._policy,
            self._total,
        )
        self.iteration += count
        return count

    def answer(self) -> list[Reals]:
        """Return the strategies, one array a seat."""
        average = self.settings.answer == "average" and self.iteration > 0
        flat = self._total / self.iteration if average else self._policy
        if self.symmetric:
            return [flat.copy(), flat.copy()]
        return [row.copy() for row in np.split(flat, self._cut[1:-1])]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything needed to go on."""
        return {
            "logs": self._logs.copy(),
            "log_magnet": self._log_magnet.copy(),
            "guess": self._guess.copy(),
            "policy_now": self._policy.copy(),
            "total": self._total.copy(),
            "eta": np.array(self.eta),
            "iteration": np.array(self.iteration),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._logs = arrays["logs"].astype(np.float64)
        self._log_magnet = arrays["log_magnet"].astype(np.float64)
        self._guess = arrays["guess"].astype(np.float64)
        self._policy = arrays["policy_now"].astype(np.float64)
        self._total = arrays["total"].astype(np.float64)
        self.eta = float(arrays["eta"])
        self.iteration = int(arrays["iteration"])


def _settings(chosen: Mapping[str, Any]) -> RegularizedMirror:
    return named(chosen["algorithm"], **{k: v for k, v in chosen.items() if k != "algorithm"})


def _certify(
    form: NormalForm, profile: Sequence[Reals], chosen: Mapping[str, Any]
) -> Mapping[str, Gap]:
    settings = _settings(chosen)
    if settings.beta == 0 or settings.magnet_refresh:
        return {}
    magnet = None if isinstance(settings.magnet, str) else settings.magnet
    return certify_qre(form, profile, temperature=settings.beta, magnet=magnet)


def mirror(algorithm: str = "nash_mp") -> MatrixSolver:
    """Regularised mirror steps on matrix and preference games (see the module's table)."""
    defaults = asdict(named(algorithm))
    name = f"matrix_{algorithm}"

    def start(
        form: NormalForm, seed: int, planned: int | None, chosen: Mapping[str, Any]
    ) -> MirrorMethod:
        return MirrorMethod(form, RegularizedMirror(**chosen), planned)

    def certify(
        form: NormalForm, profile: Sequence[Reals], chosen: Mapping[str, Any]
    ) -> Mapping[str, Gap]:
        return _certify(form, profile, {"algorithm": algorithm, **chosen})

    regularised = defaults["beta"] > 0 and not defaults["magnet_refresh"]
    return MatrixSolver(
        name,
        start,
        defaults,
        Traits(seats=2, constant_sum=True, any_sum=("logit_qre", "lemke_howson")),
        certify=certify,
        gap="qre_gap" if regularised else "exploitability",
    )


def egpo() -> MatrixSolver:
    """Extragradient preference optimization."""
    return mirror("egpo")


def inpo() -> MatrixSolver:
    """Iterative Nash policy optimization."""
    return mirror("inpo")


def mmd() -> MatrixSolver:
    """Magnetic mirror descent."""
    return mirror("mmd")


def nash_md() -> MatrixSolver:
    """Nash mirror descent."""
    return mirror("nash_md")


def nash_mp() -> MatrixSolver:
    """Nash mirror prox."""
    return mirror("nash_mp")


def nash_refresh() -> MatrixSolver:
    """Nash mirror prox with a moving magnet: an exact Nash equilibrium."""
    return mirror("nash_refresh")


def omd() -> MatrixSolver:
    """Optimistic online mirror descent."""
    return mirror("omd")


def spo() -> MatrixSolver:
    """Self-play preference optimization."""
    return mirror("spo")
