"""Magnetic mirror descent with dilated entropy: quantal response equilibria of trees.

Each iteration moves every infoset, from the last to the first, to

    b ∝ exp h,   h = (η g + log b_t + ηα log ρ)/(1 + ηα) + Σ_{infosets below} log Σ exp h   (1)

with g the worth of a sequence against the other seat and ρ the magnet (1 everywhere for
plain entropy). For η ≤ α/L², L the greatest entry of the sequence-form payoff, the last
iterate converges linearly to the reduced-normal-form logit QRE at temperature α.

`mmd_nash` moves the magnet to the current policy every `refresh` iterations and so reaches
a Nash equilibrium by its last iterate; its temperature is 0.1 L and its step 1/L unless set.

Source: Sokota et al. 2023, "A unified approach to reinforcement learning, quantal response
equilibria, and two-player zero-sum games", section 3 and appendix on dilated entropy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.tree import Tree
from solvers.certificates import certify_qre
from solvers.loop import choice, positive
from solvers.tree.run import Traits, TreeSolver

__all__ = ["MmdMethod", "mmd", "mmd_nash"]

Reals = NDArray[np.float64]

_TRAITS = Traits(seats=2, constant_sum=True)


class MmdMethod:
    """A running mirror descent. Arrays are indexed by sequence, shape (Q,)."""

    def __init__(self, tree: Tree, settings: Mapping[str, Any]) -> None:
        self._tree, self._settings = tree, settings
        self.iteration = 0
        size = tree.n_sequences
        self._policy = tree.uniform()
        self._log_policy = np.log(self._policy)
        self._log_magnet = np.zeros(size)
        self._plan, self._total = np.ones(size), np.zeros(size)
        self._grad, self._carry = np.zeros(size), np.zeros(size)
        self._realize()
        bound = float(np.abs(tree.sequence_form.val).max(initial=0.0)) or 1.0
        temperature, step = settings["temperature"], settings["step"]
        self._refresh = int(settings.get("refresh", 0))
        self.alpha = 0.1 * bound if temperature is None else float(temperature)
        # α/L² is where the theorem holds; with a magnet that is about to move, the step
        # that is best in trials, 1/L, is ten times as long at the default temperature.
        proven = 1.0 / bound if self._refresh else self.alpha / bound**2
        self.eta = proven if step is None else float(step)
        if self._refresh:
            self._log_magnet = self._log_policy.copy()

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

    def advance(self, count: int) -> int:
        """Run `count` iterations, refreshing the magnet on the way."""
        left = count
        while left:
            block = left
            if self._refresh:
                block = min(left, self._refresh - self.iteration % self._refresh)
            self._sweep(block)
            left -= block
            self.iteration += block
            if self._refresh and self.iteration % self._refresh == 0:
                self._log_magnet[:] = self._log_policy
        return count

    def _sweep(self, count: int) -> None:
        from solvers.tree._kernels import mmd_two

        tree, form = self._tree, self._tree.sequence_form
        mmd_two(
            form.ptr,
            form.col,
            form.val,
            tree.seat_infoset,
            tree.seat_sequence,
            tree.info_first,
            tree.info_actions,
            tree.info_parent,
            count,
            self.eta,
            self.alpha,
            bool(self._settings["alternating"]),
            self._log_magnet,
            self._log_policy,
            self._policy,
            self._plan,
            self._total,
            self._grad,
            self._carry,
        )

    def behaviour(self) -> Reals:
        """Return the last policy, or the average one."""
        from solvers.tree._kernels import average_policy

        if self._settings["answer"] == "last":
            return self._policy.copy()
        out = np.empty_like(self._policy)
        average_policy(self._tree.info_first, self._tree.info_actions, self._total, out)
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return log policy, policy, log magnet, sum of plans and iteration."""
        return {
            "log_policy": self._log_policy.copy(),
            "policy": self._policy.copy(),
            "log_magnet": self._log_magnet.copy(),
            "total": self._total.copy(),
            "iteration": np.array(self.iteration),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._log_policy, self._log_magnet, self._total = (
            arrays[name].astype(np.float64) for name in ("log_policy", "log_magnet", "total")
        )
        # The kernel's exponentials differ from numpy's in the last bit.
        self._policy = arrays["policy"].astype(np.float64)
        self.iteration = int(arrays["iteration"])
        self._realize()


def _start(tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]) -> MmdMethod:
    if settings["temperature"] is not None or "refresh" not in settings:
        positive("temperature", settings["temperature"])
    if settings["step"] is not None:
        positive("step", settings["step"])
    choice("answer", settings["answer"], ("average", "last"))
    refresh = settings.get("refresh", 1)
    if not (isinstance(refresh, int) and refresh >= 1):
        raise ParameterError("refresh", refresh, "a whole number of iterations, 1 or more")
    return MmdMethod(tree, settings)


def _qre_gap(tree: Tree, settings: Mapping[str, Any]) -> Callable[[Reals], float]:
    temperature = float(settings["temperature"])
    return lambda behaviour: certify_qre(tree, behaviour, temperature=temperature)["qre_gap"].value


def _certify(tree: Tree, behaviour: Reals, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    return certify_qre(tree, behaviour, temperature=float(settings["temperature"]))


def mmd() -> TreeSolver:
    """Magnetic mirror descent: the logit QRE at a temperature (Sokota et al. 2023)."""
    return TreeSolver(
        "mmd",
        _start,
        {"temperature": 0.1, "step": None, "alternating": False, "answer": "last"},
        _TRAITS,
        certify=_certify,
        objective=_qre_gap,
        gap="qre_gap",
    )


def mmd_nash() -> TreeSolver:
    """Magnetic mirror descent with a moving magnet: Nash by the last iterate."""
    defaults = {
        "temperature": None,
        "step": None,
        "refresh": 20,
        "alternating": True,
        "answer": "last",
    }
    return TreeSolver("mmd_nash", _start, defaults, _TRAITS)
