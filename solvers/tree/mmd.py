"""Magnetic mirror descent with dilated entropy: quantal response equilibria of trees.

Each iteration moves every infoset, from the last to the first, to

    b ∝ exp h,   h = (η g + log b_t + ηα log ρ)/(1 + ηα) + Σ_{infosets below} log Σ exp h   (1)

with g the worth of a sequence against the other seat and ρ the magnet (1 everywhere for
plain entropy). For η ≤ α/L², L the greatest entry of the sequence-form payoff, the last
iterate converges linearly to the reduced-normal-form logit QRE at temperature α.

`solvers.tree.mmd_nash` runs the same sweep with a magnet that moves.

Source: Sokota et al. 2023, "A unified approach to reinforcement learning, quantal response
equilibria, and two-player zero-sum games", section 3 and appendix on dilated entropy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.tree import Tree
from solvers.certificates import certify_qre
from solvers.loop import choice, flag, positive
from solvers.tree.run import Traits, TreeSolver

__all__ = ["ZERO_SUM", "MmdMethod", "mmd"]

Reals = NDArray[np.float64]

ZERO_SUM = Traits(seats=2, constant_sum=True)
"""What mirror descent on the sequence form asks of a game."""

_LEAST = 1e-300


class MmdMethod:
    """A running mirror descent. Arrays are indexed by sequence, shape (Q,).

    Args:
        tree: two seats, constant sum.
        temperature: α.
        step: η; None: α/L², where the theorem holds.
        alternating: whether the second seat sees the first one's update.
        answer: `last` or `average` policy.

    Attributes:
        alpha: α, which may be changed between blocks.
        eta: η.
        policy: the current behaviour policy, modified in place.
    """

    def __init__(
        self,
        tree: Tree,
        *,
        temperature: float,
        step: float | None = None,
        alternating: bool = False,
        answer: str = "last",
    ) -> None:
        self._tree, self._alternating, self._last = tree, alternating, answer == "last"
        self.iteration = 0
        size = tree.n_sequences
        self.policy = tree.uniform()
        self._log_policy = np.log(self.policy)
        self._log_magnet = np.zeros(size)
        self._plan, self._total = np.ones(size), np.zeros(size)
        self._grad, self._carry = np.zeros(size), np.zeros(size)
        self._realize()
        bound = float(np.abs(tree.sequence_form.val).max(initial=0.0)) or 1.0
        self.alpha = float(temperature)
        self.eta = self.alpha / bound**2 if step is None else float(step)

    def _realize(self) -> None:
        from solvers.tree._kernels import realize

        tree = self._tree
        realize(
            0,
            tree.n_infosets,
            tree.info_first,
            tree.info_actions,
            tree.info_parent,
            self.policy,
            self._plan,
        )

    def move_to(self, policy: Reals) -> None:
        """Go on from another policy, and begin its average anew."""
        self.policy[:] = policy
        # Mirror descent never gives up an action altogether.
        self._log_policy[:] = np.log(np.maximum(policy, _LEAST))
        self._total[:] = 0.0
        self._realize()

    def move_magnet(self) -> None:
        """Put the magnet where the policy is."""
        self._log_magnet[:] = self._log_policy

    def advance(self, count: int) -> int:
        """Run `count` iterations."""
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
            self._alternating,
            self._log_magnet,
            self._log_policy,
            self.policy,
            self._plan,
            self._total,
            self._grad,
            self._carry,
        )
        self.iteration += count
        return count

    def behaviour(self) -> Reals:
        """Return the last policy, or the average one."""
        return self.policy.copy() if self._last else self.average()

    def average(self) -> Reals:
        """Return the average policy since `move_to`, or since the start."""
        from solvers.tree._kernels import average_policy

        out = np.empty_like(self.policy)
        average_policy(self._tree.info_first, self._tree.info_actions, self._total, out)
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return log policy, policy, log magnet, sum of plans and iteration."""
        return {
            "log_policy": self._log_policy.copy(),
            "policy": self.policy.copy(),
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
        self.policy = arrays["policy"].astype(np.float64)
        self.iteration = int(arrays["iteration"])
        self._realize()


def _start(tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]) -> MmdMethod:
    positive("temperature", settings["temperature"])
    if settings["step"] is not None:
        positive("step", settings["step"])
    choice("answer", settings["answer"], ("average", "last"))
    flag("alternating", settings["alternating"])
    own = ("temperature", "step", "alternating", "answer")
    return MmdMethod(tree, **{name: settings[name] for name in own})


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
        ZERO_SUM,
        certify=_certify,
        objective=_qre_gap,
        gap="qre_gap",
    )
