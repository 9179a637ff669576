"""Counterfactual regret minimisation and its variants, as settings of one sweep.

For each seat, R ← d_t(R) + r, then [R]⁺ where the variant floors; the next policy is
proportional to [R]⁺, or, where it predicts, to [a_t R + r]⁺ (eq. 1 of the kernels). The
answer is Σ_t w_t x_t over realization plans x_t, normalised at each infoset.

| name | floor | predicts | discounts | averaging |
|---|---|---|---|---|
| cfr | no | no | none | uniform (Zinkevich et al. 2008) |
| cfr+ | yes | no | none | t (Tammelin 2014) |
| lcfr | no | no | t/(t+1) | t (Brown and Sandholm 2019) |
| dcfr | no | no | α 1.5, β 0 | γ 2 (Brown and Sandholm 2019) |
| pcfr+ | yes | yes | none | t² (Farina, Kroer and Sandholm 2021) |
| pdcfr+ | yes | yes | α 2.3 | γ 5 (Xu et al. 2024) |
| hs_dcfr | no | no | α 1+3t/N, β −1−2t/N | γ 30−5t/N (Zhang, McAleer and Sandholm 2024) |
| hs_pcfr+ | yes | yes | none | γ 30−5t/N |

In two-player constant-sum games the average converges to a Nash equilibrium. Elsewhere each
seat has vanishing regret, and the certificate says how far the answer is from Nash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.tree import Tree
from solvers.loop import choice, non_negative
from solvers.tree.run import Traits, TreeSolver

__all__ = [
    "CfrMethod",
    "cfr",
    "cfr_plus",
    "dcfr",
    "hs_dcfr",
    "hs_pcfr_plus",
    "lcfr",
    "pcfr_plus",
    "pdcfr_plus",
]

Reals = NDArray[np.float64]

_VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "cfr": {"gamma": 0.0},
    "cfr+": {"floor": True, "gamma": 1.0, "weights": "power"},
    "lcfr": {"alpha": 1.0, "beta": 1.0, "gamma": 1.0},
    "dcfr": {"alpha": 1.5, "beta": 0.0, "gamma": 2.0},
    "pcfr+": {"floor": True, "predictive": True, "gamma": 2.0, "weights": "power"},
    "pdcfr+": {"floor": True, "predictive": True, "alpha": 2.3, "gamma": 5.0},
    "hs_dcfr": {"alpha": 1.0, "beta": -1.0, "gamma": 30.0, "schedule": True},
    "hs_pcfr+": {"floor": True, "predictive": True, "gamma": 30.0, "schedule": True},
}

_DEFAULTS: Mapping[str, Any] = {
    "floor": False,
    "predictive": False,
    "alpha": None,
    "beta": None,
    "gamma": 0.0,
    "weights": "discount",
    "schedule": False,
    "horizon": None,
    "alternating": True,
    "answer": "average",
}
"""Every knob of the sweep.

floor, predictive: see the module's table.
alpha, beta: positive and negative regrets are discounted by t^α/(t^α + 1), t^β/(t^β + 1);
    None: not at all.
gamma, weights: plans are averaged with weights t^γ (`power`), or by discounting the sum
    with ((t−1)/t)^γ (`discount`), the same up to a factor while γ is constant.
schedule: whether α, β, γ move with t/N by +3, −2, −5.
horizon: N, by default the planned iterations, or 1000.
alternating: whether a seat sees the others' updates of the same iteration.
answer: `average` or `last` policy.
"""


class CfrMethod:
    """A running sweep. Arrays are indexed by sequence, shape (Q,)."""

    def __init__(self, tree: Tree, settings: Mapping[str, Any], planned: int | None) -> None:
        self._tree, self._settings = tree, settings
        self._horizon = settings["horizon"] or planned or 1000
        self.iteration = 0
        size = tree.n_sequences
        self._policy = tree.uniform()
        self._plan = np.ones(size)
        self._regret, self._total, self._grad = np.zeros(size), np.zeros(size), np.zeros(size)
        self._two = tree.seats == 2 and tree.constant_sum is not None
        self._payoffs: tuple[NDArray[Any], ...]
        if self._two:
            form = tree.sequence_form
            self._payoffs = (form.ptr, form.col, form.val)
        else:
            self._payoffs = (tree.terminal_sequences, tree.payoffs * tree.terminal_chance)
        self._realize()

    def _realize(self) -> None:
        from solvers.tree._kernels import realize

        tree = self._tree
        realize(
            0,
            tree.n_infosets,
            tree.info_first,
            tree.info_actions,
            tree.info_parent,
            self._policy,
            self._plan,
        )

    def rates(self, count: int) -> Reals:
        """Return the coefficients of the next iterations, shape (count, 5)."""
        knobs = self._settings
        t = np.arange(self.iteration + 1, self.iteration + count + 1, dtype=np.float64)
        share = np.minimum(t / self._horizon, 1.0) if knobs["schedule"] else 0.0 * t
        out = np.ones((count, 5))
        if knobs["alpha"] is not None:
            alpha = knobs["alpha"] + 3.0 * share
            out[:, 0] = _discount(t - 1.0, alpha)
            out[:, 2] = _discount(t, alpha)
        if knobs["beta"] is not None:
            out[:, 1] = _discount(t - 1.0, knobs["beta"] - 2.0 * share)
        gamma = knobs["gamma"] - 5.0 * share
        if knobs["weights"] == "power":
            out[:, 4] = t**gamma
        else:
            out[:, 3] = ((t - 1.0) / t) ** gamma
        return out

    def advance(self, count: int) -> int:
        """Run `count` iterations."""
        from solvers.tree import _kernels as kernels

        tree, knobs = self._tree, self._settings
        run = kernels.cfr_two if self._two else kernels.cfr_many
        run(
            *self._payoffs,
            tree.seat_infoset,
            tree.seat_sequence,
            tree.info_first,
            tree.info_actions,
            tree.info_parent,
            self.rates(count),
            bool(knobs["floor"]),
            bool(knobs["predictive"]),
            bool(knobs["alternating"]),
            self._grad,
            self._regret,
            self._policy,
            self._plan,
            self._total,
        )
        self.iteration += count
        return count

    def behaviour(self) -> Reals:
        """Return the average or the last policy."""
        from solvers.tree._kernels import average_policy

        if self._settings["answer"] == "last":
            return self._policy.copy()
        out = np.empty_like(self._policy)
        average_policy(self._tree.info_first, self._tree.info_actions, self._total, out)
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return regrets, current policy, sum of plans, iteration and horizon."""
        return {
            "regret": self._regret.copy(),
            "policy": self._policy.copy(),
            "total": self._total.copy(),
            "iteration": np.array(self.iteration),
            "horizon": np.array(self._horizon),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._regret, self._policy, self._total = (
            arrays[name].astype(np.float64) for name in ("regret", "policy", "total")
        )
        self.iteration, self._horizon = int(arrays["iteration"]), int(arrays["horizon"])
        self._realize()


def _discount(t: Reals, power: Reals | float) -> Reals:
    """t^power / (t^power + 1), its limit at t = 0, written so that nothing overflows."""
    with np.errstate(divide="ignore", over="ignore"):
        out: Reals = 1.0 / (1.0 + t ** -np.asarray(power))
    return out


def _start(tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]) -> CfrMethod:
    for name in ("floor", "predictive", "schedule", "alternating"):
        if not isinstance(settings[name], bool):
            raise ParameterError(name, settings[name], "True or False")
    for name in ("alpha", "beta"):
        value = settings[name]
        if value is not None and not (isinstance(value, int | float) and abs(value) < 1e3):
            raise ParameterError(name, value, "a number, or None for no discount")
    non_negative("gamma", settings["gamma"])
    choice("weights", settings["weights"], ("discount", "power"))
    choice("answer", settings["answer"], ("average", "last"))
    horizon = settings["horizon"]
    if horizon is not None and not (isinstance(horizon, int) and horizon >= 1):
        raise ParameterError("horizon", horizon, "a whole number, 1 or more, or None")
    return CfrMethod(tree, settings, planned)


def _variant(name: str) -> TreeSolver:
    return TreeSolver(name, _start, {**_DEFAULTS, **_VARIANTS[name]}, Traits())


def cfr() -> TreeSolver:
    """Counterfactual regret minimisation (Zinkevich et al. 2008)."""
    return _variant("cfr")


def cfr_plus() -> TreeSolver:
    """CFR with floored regrets and linear averaging (Tammelin 2014)."""
    return _variant("cfr+")


def lcfr() -> TreeSolver:
    """Linear CFR (Brown and Sandholm 2019)."""
    return _variant("lcfr")


def dcfr() -> TreeSolver:
    """Discounted CFR (Brown and Sandholm 2019)."""
    return _variant("dcfr")


def pcfr_plus() -> TreeSolver:
    """Predictive CFR+ with quadratic averaging (Farina, Kroer and Sandholm 2021)."""
    return _variant("pcfr+")


def pdcfr_plus() -> TreeSolver:
    """Predictive discounted CFR+ (Xu et al. 2024)."""
    return _variant("pdcfr+")


def hs_dcfr() -> TreeSolver:
    """Discounted CFR with scheduled discounts (Zhang, McAleer and Sandholm 2024)."""
    return _variant("hs_dcfr")


def hs_pcfr_plus() -> TreeSolver:
    """Predictive CFR+ with a scheduled averaging exponent (Zhang, McAleer, Sandholm 2024)."""
    return _variant("hs_pcfr+")
