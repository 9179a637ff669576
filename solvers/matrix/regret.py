"""No-regret dynamics of normal forms: averages, last iterates, and joint play.

All seats' actions lie side by side in arrays of shape (D,), D = ΣA.

- `rm`, `rm+`, `prm+`: regret matching (Hart and Mas-Colell 2000), with regrets floored at
  zero (Tammelin 2014), and with the last regrets as a prediction (Farina et al. 2021).
- `exrm+`, `sprm+`: extragradient and smooth predictive regret matching+, whose last iterate
  converges in zero-sum games (Cai et al. 2023, algorithms 3 and 4): regrets live in
  {R ≥ 0, ΣR ≥ 1} and move by η, at most 1/L with L = √6 ‖A‖ √(max A_p).
- `replicator`: projected replicator dynamics (Lanctot et al. 2017).
- `fictitious_play`: Brown 1951.
- `no_regret_cce`, `no_regret_ce`: optimistic play without external, or without swap regret
  (Blum and Mansour 2007 over predictive regret matching+), whose averaged joint play
  approaches a CCE, or CE, of any game; for games beyond the linear programs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.normal_form import NormalForm
from solvers.loop import choice, flag, non_negative, positive
from solvers.matrix.run import MatrixSolver, Traits

__all__ = [
    "JointPlay",
    "RegretMatching",
    "exrm_plus",
    "fictitious_play",
    "no_regret_cce",
    "no_regret_ce",
    "prm_plus",
    "replicator",
    "rm",
    "rm_plus",
    "sprm_plus",
]

Reals = NDArray[np.float64]

_KINDS = {"rm": 0, "rm+": 1, "prm+": 2, "exrm+": 3, "sprm+": 4}


class _Seats:
    """Arrays that all the dynamics share."""

    def __init__(self, form: NormalForm) -> None:
        self.actions = form.actions
        self.pay = np.ascontiguousarray(form.payoffs.reshape(form.seats, -1))
        self.cut = np.concatenate([[0], np.cumsum(form.actions)]).astype(np.int64)
        self.size = int(self.cut[-1])

    def uniform(self) -> Reals:
        return np.repeat(1.0 / np.array(self.actions), self.actions)

    def split(self, flat: Reals) -> list[Reals]:
        """Return one distribution a seat."""
        rows = np.split(np.maximum(flat, 0.0), self.cut[1:-1])
        return [row / row.sum() for row in rows]


class _Dynamics:
    """What the methods share: named arrays, and the answer from them."""

    _names: tuple[str, ...] = ("policy", "total")

    def __init__(self, form: NormalForm, *, last: bool) -> None:
        self._seats = _Seats(form)
        self._last = last
        self.iteration = 0
        self._policy = self._seats.uniform()
        self._total = np.zeros(self._seats.size)

    def answer(self) -> list[Reals]:
        """Return the last or the average strategies, one array a seat."""
        started = self.iteration > 0 and not self._last
        return self._seats.split(self._total if started else self._policy)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays, by name."""
        out: dict[str, NDArray[Any]] = {
            name: getattr(self, f"_{name}").copy() for name in self._names
        }
        return {**out, "iteration": np.array(self.iteration)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the arrays of `arrays`.

        Raises:
            ParameterError: one of them has another shape.
        """
        for name in self._names:
            given, own = arrays[name], getattr(self, f"_{name}")
            if given.shape != own.shape:
                raise ParameterError(f"state {name!r}", given.shape, f"shape {own.shape}")
            setattr(self, f"_{name}", given.astype(np.float64))
        self.iteration = int(arrays["iteration"])


class RegretMatching(_Dynamics):
    """Regret matching in any of its forms."""

    _names = ("policy", "total", "regret", "ahead")

    def __init__(self, form: NormalForm, kind: str, settings: Mapping[str, Any]) -> None:
        super().__init__(form, last=choice("answer", settings["answer"], _ANSWERS) == "last")
        self._kind = _KINDS[kind]
        self._alternating = flag("alternating", settings["alternating"])
        self._power = non_negative("averaging", settings["averaging"])
        self._eta = 1.0
        self._regret, self._ahead = np.zeros(self._seats.size), np.zeros(self._seats.size)
        if kind in ("exrm+", "sprm+"):
            step = settings["step"]
            self._eta = _safe_step(form) if step is None else positive("step", step)
            self._regret = self._seats.uniform()

    def advance(self, count: int) -> int:
        """Run `count` iterations."""
        from solvers.matrix import _regret_kernels as kernels

        seats = self._seats
        kernels.match_regrets(
            seats.pay,
            seats.cut,
            self._kind,
            self._alternating,
            self._power,
            self._eta,
            self.iteration,
            count,
            self._regret,
            self._ahead,
            self._policy,
            self._total,
        )
        self.iteration += count
        return count


def _safe_step(form: NormalForm) -> float:
    """Return 1/L, L the Lipschitz constant of the regrets (Cai et al. 2023, section 4)."""
    norm = max(
        (
            float(np.linalg.norm(np.moveaxis(pay, p, 0).reshape(pay.shape[p], -1), 2))
            for p, pay in enumerate(form.payoffs)
        ),
    )
    return 1.0 / (math.sqrt(6.0) * max(norm, 1e-12) * math.sqrt(max(form.actions)))


class Replicator(_Dynamics):
    """Projected replicator dynamics."""

    def __init__(self, form: NormalForm, settings: Mapping[str, Any]) -> None:
        super().__init__(form, last=choice("answer", settings["answer"], _ANSWERS) == "last")
        self._step = positive("step", settings["step"])
        self._floor = non_negative("exploration", settings["exploration"])
        if self._floor > 1:
            raise ParameterError("exploration", self._floor, "at most 1")
        self._floor /= max(form.actions) + 1

    def advance(self, count: int) -> int:
        """Take `count` steps."""
        from solvers.matrix import _regret_kernels as kernels

        seats = self._seats
        kernels.replicate(
            seats.pay, seats.cut, self._step, self._floor, count, self._policy, self._total
        )
        self.iteration += count
        return count


class FictitiousPlay(_Dynamics):
    """Best responses to the others' mean play."""

    def __init__(self, form: NormalForm, settings: Mapping[str, Any]) -> None:
        super().__init__(form, last=True)
        self._alternating = flag("alternating", settings["alternating"])

    def advance(self, count: int) -> int:
        """Play `count` rounds."""
        from solvers.matrix import _regret_kernels as kernels

        seats = self._seats
        kernels.fictitious(
            seats.pay, seats.cut, self._alternating, count, self._policy, self._total
        )
        self.iteration += count
        return count


class JointPlay(_Dynamics):
    """No-regret play whose joint actions are averaged, shape (J,)."""

    _names = ("policy", "joint", "regret", "ahead")

    def __init__(self, form: NormalForm, *, swap: bool) -> None:
        super().__init__(form, last=True)
        self._swap = swap
        size = sum(a * a for a in form.actions) if swap else self._seats.size
        self._regret, self._ahead = np.zeros(size), np.zeros(size)
        self._joint = np.zeros(self._seats.pay.shape[1])

    def advance(self, count: int) -> int:
        """Play `count` rounds."""
        from solvers.matrix import _regret_kernels as kernels

        run = kernels.swap_play if self._swap else kernels.coarse_play
        seats = self._seats
        run(
            seats.pay,
            seats.cut,
            self.iteration,
            count,
            self._regret,
            self._ahead,
            self._policy,
            self._joint,
        )
        self.iteration += count
        return count

    def answer(self) -> Any:
        """Return the averaged joint play, shape (A_1, …, A_n)."""
        if not self.iteration:
            return np.full(self._seats.actions, 1.0 / len(self._joint))
        return (self._joint / self._joint.sum()).reshape(self._seats.actions)


_ANSWERS = ("average", "last")


def _matching(kind: str, **defaults: Any) -> MatrixSolver:
    def start(
        form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
    ) -> RegretMatching:
        return RegretMatching(form, kind, settings)

    traits = Traits()
    if kind in ("exrm+", "sprm+"):
        traits = Traits(
            seats=2, constant_sum=True, any_sum=("matrix_prm+", "logit_qre", "lemke_howson")
        )
    return MatrixSolver(f"matrix_{kind}", start, defaults, traits, iterations=10_000)


def rm() -> MatrixSolver:
    """Regret matching."""
    return _matching("rm", alternating=False, averaging=0.0, answer="average")


def rm_plus() -> MatrixSolver:
    """Regret matching+."""
    return _matching("rm+", alternating=True, averaging=1.0, answer="average")


def prm_plus() -> MatrixSolver:
    """Predictive regret matching+; alternating updates may keep it from converging."""
    return _matching("prm+", alternating=False, averaging=2.0, answer="average")


def exrm_plus() -> MatrixSolver:
    """Extragradient regret matching+: its last iterate converges."""
    return _matching("exrm+", alternating=False, averaging=1.0, answer="last", step=None)


def sprm_plus() -> MatrixSolver:
    """Smooth predictive regret matching+: its last iterate converges."""
    return _matching("sprm+", alternating=False, averaging=1.0, answer="last", step=None)


def replicator() -> MatrixSolver:
    """Projected replicator dynamics."""

    def start(
        form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
    ) -> Replicator:
        return Replicator(form, settings)

    defaults = {"step": 1e-3, "exploration": 1e-6, "answer": "average"}
    return MatrixSolver("replicator", start, defaults, iterations=100_000)


def fictitious_play() -> MatrixSolver:
    """Fictitious play."""

    def start(
        form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
    ) -> FictitiousPlay:
        return FictitiousPlay(form, settings)

    return MatrixSolver("fictitious_play", start, {"alternating": True}, iterations=10_000)


def no_regret_cce() -> MatrixSolver:
    """Optimistic play without external regret: the average joint play nears a CCE."""
    return _joint("no_regret_cce", swap=False)


def no_regret_ce() -> MatrixSolver:
    """Optimistic play without swap regret: the average joint play nears a CE."""
    return _joint("no_regret_ce", swap=True)


def _joint(name: str, *, swap: bool) -> MatrixSolver:
    def start(
        form: NormalForm, seed: int, planned: int | None, settings: Mapping[str, Any]
    ) -> JointPlay:
        return JointPlay(form, swap=swap)

    gap = "ce_gap" if swap else "cce_gap"
    return MatrixSolver(name, start, {}, iterations=1_000, answers="joint", gap=gap)
