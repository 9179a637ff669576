"""Certificates: how far a policy is from equilibrium, computed apart from any solver.

For behaviour policies on a compiled tree:
1. realization plans of all seats, from the root down;
2. the worth of each sequence of a seat against the others' plans, from the terminals;
3. the seat's best response, from its last infosets up (von Stengel 1996; the recursion of
   Zinkevich et al. 2008, section 3).

NashConv is Σ_p (best response value − value); exploitability is NashConv / n, the
convention of Lanctot et al. 2017 ("A unified game-theoretic approach to MARL").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.policy import TabularPolicy
from arena.solver import Gap
from games.tree.data import Tree
from solvers._group_form import group_form

__all__ = [
    "BestResponse",
    "Evaluator",
    "best_response",
    "certify",
    "certify_agent_qre",
    "certify_qre",
    "values",
]

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BestResponse:
    """A deterministic policy of one seat that earns the most against the others.

    Attributes:
        seat: whose.
        value: its expected payoff.
        choice: the chosen sequence at each infoset of the tree, shape (I,); meaningful for
            the seat's own infosets.
    """

    seat: int
    value: float
    choice: NDArray[np.int64]


class Evaluator:
    """Best responses on one tree, with its buffers allocated once.

    Raises:
        NotApplicableError: the game has imperfect recall, so that best responses are not
            found by a sweep.
    """

    def __init__(self, tree: Tree) -> None:
        if tree.breach is not None:
            raise NotApplicableError(
                f"{tree.game} has imperfect recall"
                f" (infoset {tree.keys[tree.breach.infoset]!r}), so exact best responses"
                " are not available"
            )
        self._tree = tree
        self._two = tree.seats == 2 and tree.constant_sum is not None
        shift = (tree.constant_sum or 0.0) / 2 if self._two else 0.0
        self._shift = shift
        self._choice = np.zeros(tree.n_infosets, dtype=np.int64)
        self._out = np.empty((tree.seats, 2))
        self._work = np.empty((3, tree.n_sequences))
        if not self._two:
            self._product = np.empty(group_form(tree).tuples.shape[1])
            self._seats = np.array([tree.seat_infoset, tree.seat_sequence])
            self._infosets = np.array([tree.info_first, tree.info_actions, tree.info_parent])

    def payoffs(self, behaviour: Reals) -> Reals:
        """Return value and best-response value of each seat, shape (n, 2).

        Args:
            behaviour: a policy of all seats, shape (Q,), trusted to be one.
        """
        from solvers import _certificate_kernels as kernels

        tree = self._tree
        if self._two:
            form = tree.sequence_form
            kernels.best_two(
                form.ptr,
                form.col,
                form.val,
                tree.seat_infoset,
                tree.seat_sequence,
                tree.info_first,
                tree.info_actions,
                tree.info_parent,
                behaviour,
                *self._work,
                self._choice,
                self._out,
            )
        else:
            groups = group_form(tree)
            kernels.best_many(
                groups.half,
                groups.split,
                groups.tuples,
                groups.ptr,
                groups.col,
                groups.val,
                self._seats,
                self._infosets,
                behaviour,
                self._product,
                self._work,
                self._choice,
                self._out,
            )
        return self._out + self._shift

    def nash_conv(self, behaviour: Reals) -> float:
        """Return NashConv of a behaviour policy, shape (Q,)."""
        both = self.payoffs(behaviour)
        return max(0.0, float((both[:, 1] - both[:, 0]).sum()))

    def best_response(self, behaviour: Reals, seat: int) -> BestResponse:
        """Return a best response of `seat`."""
        value = float(self.payoffs(behaviour)[seat, 1])
        return BestResponse(seat, value, self._choice.copy())


def _flat(tree: Tree, policy: TabularPolicy | Reals) -> Reals:
    if isinstance(policy, TabularPolicy):
        return tree.from_table(policy)
    return tree.checked(np.asarray(policy, dtype=np.float64))


def best_response(tree: Tree, policy: TabularPolicy | Reals, seat: int) -> BestResponse:
    """Return a best response of `seat` to the others' policies.

    Raises:
        ParameterError: the seat does not exist, or the policy lacks an infoset.
        NotApplicableError: imperfect recall.
    """
    if not 0 <= seat < tree.seats:
        raise ParameterError("seat", seat, f"0 … {tree.seats - 1}")
    return Evaluator(tree).best_response(_flat(tree, policy), seat)


def values(tree: Tree, policy: TabularPolicy | Reals) -> Reals:
    """Return the expected payoffs, shape (n,); imperfect recall is no obstacle."""
    from solvers import _certificate_kernels as kernels

    out = np.empty(tree.seats)
    kernels.expected(
        tree.parent,
        tree.seat,
        tree.infoset,
        tree.first_child,
        tree.chance,
        tree.info_first,
        tree.payoffs,
        _flat(tree, policy),
        out,
    )
    return out


def certify(tree: Tree, policy: TabularPolicy | Reals) -> dict[str, Gap]:
    """Return how far a policy is from a Nash equilibrium.

    Args:
        tree: any number of seats, any payoffs.
        policy: of all seats: a table, or probabilities of shape (Q,).

    Returns:
        `nash_conv` and `exploitability` (NashConv / n); for each seat p `value_p`, its
        expected payoff, and `regret_p`, what a best response would add. For two players of
        constant sum also `game_value_lower` and `game_value_upper`, between which the value
        of the game to seat 0 lies. Without perfect recall, only `value_p`.

    Raises:
        ParameterError: the policy lacks an infoset or is not made of probabilities.
    """
    flat = _flat(tree, policy)
    if tree.breach is not None:
        return {f"value_{p}": Gap(float(v)) for p, v in enumerate(values(tree, flat))}
    both = Evaluator(tree).payoffs(flat)
    regret = np.maximum(both[:, 1] - both[:, 0], 0.0)
    total = float(regret.sum())
    out = {"nash_conv": Gap(total), "exploitability": Gap(total / tree.seats)}
    for p in range(tree.seats):
        out[f"value_{p}"] = Gap(float(both[p, 0]))
        out[f"regret_{p}"] = Gap(float(regret[p]))
    if tree.seats == 2 and tree.constant_sum is not None:
        out["game_value_lower"] = Gap(tree.constant_sum - float(both[1, 1]), "lower")
        out["game_value_upper"] = Gap(float(both[0, 1]), "upper")
    return out


def certify_qre(
    tree: Tree,
    policy: TabularPolicy | Reals,
    *,
    temperature: float,
    log_magnet: Reals | None = None,
) -> dict[str, Gap]:
    """Return how far a policy is from the quantal response equilibrium at a temperature.

    Args:
        tree: two players, constant sum.
        policy: of both seats.
        temperature: weight α of the dilated entropy, positive.
        log_magnet: log of the magnet, shape (Q,); by default 0, plain entropy.

    Returns:
        `qre_gap`: the saddle-point gap of the game regularised with α times the dilated
        entropy (Sokota et al. 2023, section 3), 0 exactly at the equilibrium.

    Raises:
        ParameterError: a temperature that is not positive.
        NotApplicableError: imperfect recall.
    """
    from solvers import _certificate_kernels as kernels

    if not (temperature > 0 and np.isfinite(temperature)):
        raise ParameterError("temperature", temperature, "a positive number")
    Evaluator(tree)  # refuses imperfect recall
    form = tree.sequence_form
    out = np.empty((2, 2))
    kernels.soft_two(
        form.ptr,
        form.col,
        form.val,
        tree.seat_infoset,
        tree.seat_sequence,
        tree.info_first,
        tree.info_actions,
        tree.info_parent,
        _flat(tree, policy),
        np.zeros(tree.n_sequences) if log_magnet is None else log_magnet,
        float(temperature),
        out,
    )
    return {"qre_gap": Gap(max(0.0, float((out[:, 1] - out[:, 0]).sum())))}


def certify_agent_qre(
    tree: Tree, policy: TabularPolicy | Reals, *, temperature: float
) -> dict[str, Gap]:
    """Return how far a policy is from the agent quantal response equilibrium at a temperature.

    Args:
        tree: any number of seats, any payoffs.
        policy: of all seats.
        temperature: in payoff units, positive.

    Returns:
        `agent_qre_residual`: the greatest difference, over the actions of infosets that are
        reached, between their probability and the logit response to their payoffs given
        that the infoset is reached (McKelvey and Palfrey 1998, section 3).

    Raises:
        ParameterError: a temperature that is not positive.
    """
    from solvers._certificate_kernels import action_worth

    if not (temperature > 0 and np.isfinite(temperature)):
        raise ParameterError("temperature", temperature, "a positive number")
    flat = _flat(tree, policy)
    worth, reach = np.empty(tree.n_sequences), np.empty(tree.n_infosets)
    action_worth(
        tree.parent,
        tree.seat,
        tree.infoset,
        tree.first_child,
        tree.chance,
        tree.info_first,
        tree.payoffs,
        flat,
        worth,
        reach,
    )
    residual = 0.0
    for i in np.flatnonzero(reach > 0.0):
        part = slice(tree.info_first[i], tree.info_first[i] + tree.info_actions[i])
        logits = worth[part] / (reach[i] * temperature)
        response = np.exp(logits - logits.max())
        apart = np.abs(flat[part] - response / response.sum())
        residual = max(residual, float(apart.max()))
    return {"agent_qre_residual": Gap(residual)}
