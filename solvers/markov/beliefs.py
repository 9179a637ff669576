"""Gaps of mixtures of product policies: the deviator learns which component is played.

A belief b is a vector over components, not normalised: the weights times the probabilities
of what the other seats did so far. Against deviations that remember the history, with
b_a = b ∘ π_−i(a_−i | s):

    w_h(s, b) = max_{a_i} Σ_{a_−i} [ |b_a| r_i(s, a) + Σ_s' P(s' | s, a) w_{h+1}(s', b_a) ]     (1)

w is homogeneous in b, so beliefs that are multiples of each other are solved once. The
number of beliefs grows exponentially with the horizon, and with nothing else.

Against Markov deviations μ, the value Σ_k w_k V^{μ, π^k_−i} is maximised step by step from
the last: given the other steps, the best action at (h, s) is that of the largest mean of
Q^k over components, weighted by their reach. Where a seat's own actions do not move the
state, one pass is exact; else the passes are repeated to a local maximum, all deterministic
policies are compared if there are few, and otherwise the result is a lower bound.

Source: Foster, Golowich and Kakade 2023, definitions 2.1 and 3.1.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError
from arena.rng import generator
from arena.solver import Gap
from games.markov.form import MarkovGame
from solvers.markov.policy import MixturePolicy

__all__ = ["certify_mixture", "history_value", "markov_value"]

Reals = NDArray[np.float64]

_NODES = 2_000_000
_POLICIES = 4096
_WORK = 20_000_000
"""Deterministic Markov policies up to which all are compared, and times components and
entries of q up to which that is quick."""
_STARTS = 8


def certify_mixture(form: MarkovGame, policy: MixturePolicy, deviations: str) -> dict[str, Gap]:
    """Return the CCE gap of a mixture against one kind of deviation.

    Raises:
        NotApplicableError: no horizon, or too many beliefs.
    """
    if form.horizon is None:
        raise NotApplicableError(
            "a mixture of policies is certified over a finite horizon; give `horizon`"
        )
    paid = on_policy(form, policy)
    regrets = []
    for seat in range(form.seats):
        best, kind = (
            (history_value(form, policy, seat), "exact")
            if deviations == "history"
            else markov_value(form, policy, seat)
        )
        regrets.append(Gap(max(0.0, float(best - paid[seat])), kind))  # type: ignore[arg-type]  # a literal
    exact = all(gap.kind == "exact" for gap in regrets)
    total = sum(gap.value for gap in regrets)
    out = {"cce_gap": Gap(total, "exact" if exact else "lower")}
    out["n_product_components"] = Gap(float((policy.weights > 0).sum()))
    for seat, gap in enumerate(regrets):
        out[f"value_{seat}"] = Gap(float(paid[seat]))
        out[f"cce_regret_{seat}"] = gap
    return out


def _stage(table: Reals, h: int) -> Reals:
    """Return a seat's policies at a step, shape (K, S, A)."""
    return table[:, min(h, table.shape[1] - 1)]


def _joint(tables: list[Reals]) -> Reals:
    """Return the product of (K, S, A_j) over seats, shape (K, S, ∏ A_j)."""
    out = np.ones((*tables[0].shape[:2], 1)) if tables else np.ones((1, 1, 1))
    for table in tables:
        out = (out[..., :, None] * table[..., None, :]).reshape(*out.shape[:2], -1)
    return out


def on_policy(form: MarkovGame, policy: MixturePolicy) -> Reals:
    """Return each seat's value of the mixture, shape (n,)."""
    reach = policy.weights[:, None] * form.initial[None, :]
    paid = np.zeros(form.seats)
    matrix = form.matrix()
    for h in range(form.horizon or 0):
        joint = _joint([_stage(table, h) for table in policy.tables]) * reach[..., None]
        joint[:, form.terminal] = 0.0
        paid += np.einsum("ksj,isj->i", joint, form.reward)
        reach = (matrix.T @ joint.reshape(len(joint), -1).T).T * form.discount
    return paid


class _Deviator:
    """One seat against the mixture of the others."""

    def __init__(self, form: MarkovGame, policy: MixturePolicy, seat: int) -> None:
        self.form, self.policy, self.seat = form, policy, seat
        own = form.actions[seat]
        others = [i for i in range(form.seats) if i != seat]
        self.sizes = [form.actions[i] for i in others]
        grid = np.arange(form.joint).reshape(form.actions)
        self.numbers = np.moveaxis(grid, seat, 0).reshape(own, -1)  # joint action of (own, rest)
        self.others: list[Reals] = []  # by step, (K, S, M)
        for h in range(form.horizon or 0):
            tables = [_stage(policy.tables[i], h) for i in others]
            self.others.append(
                _joint(tables) if tables else np.ones((len(policy.weights), form.states, 1))
            )


def history_value(form: MarkovGame, policy: MixturePolicy, seat: int) -> float:
    """Return (1) at the start.

    Raises:
        NotApplicableError: there are too many beliefs.
    """
    deviator = _Deviator(form, policy, seat)
    horizon = form.horizon or 0
    gamma, actions = form.discount, form.legal[seat]
    memo: dict[tuple[int, int, bytes], float] = {}

    def worth(h: int, s: int, belief: Reals) -> float:
        mass = float(belief.sum())
        if h == horizon or mass <= 0.0 or form.terminal[s]:
            return 0.0
        shape = np.round(belief / mass, 12)
        key = (h, s, shape.tobytes())
        known = memo.get(key)
        if known is not None:
            return mass * known
        if len(memo) >= _NODES:
            most = (max(1, math.prod(deviator.sizes)) * form.states) ** (horizon - 1)
            raise NotApplicableError(
                f"too large: more than {_NODES} beliefs of {most:.3g} possible at horizon"
                f" {horizon}; deviations='markov', or a shorter horizon, would do"
            )
        normal = belief / mass
        after = normal[:, None] * deviator.others[h][:, s]  # (K, M)
        masses = after.sum(axis=0)
        ahead: dict[tuple[int, int], float] = {}
        best = -math.inf
        for own in np.flatnonzero(actions[s]):
            total = 0.0
            for m in np.flatnonzero(masses > 0.0):
                joint = int(deviator.numbers[own, m])
                total += masses[m] * form.reward[seat, s, joint]
                if h + 1 == horizon:
                    continue
                for target, chance in zip(*form.after(s, joint), strict=True):
                    where = (int(target), int(m))
                    if where not in ahead:
                        ahead[where] = worth(h + 1, where[0], after[:, m])
                    total += gamma * chance * ahead[where]
            best = max(best, total)
        memo[key] = best
        return mass * best

    return sum(
        float(form.initial[s]) * worth(0, int(s), policy.weights)
        for s in np.flatnonzero(form.initial)
    )


def markov_value(form: MarkovGame, policy: MixturePolicy, seat: int) -> tuple[float, str]:
    """Return the value of the best Markov deviation, and whether it is `exact` or `lower`."""
    deviator = _Deviator(form, policy, seat)
    horizon, s = form.horizon or 0, form.states
    legal = form.legal[seat]
    still = _own_does_not_move(deviator)
    if still:
        return _ascend(deviator, np.argmax(legal, axis=1)[None].repeat(horizon, 0)), "exact"
    counts = np.tile(legal.sum(axis=1), horizon)
    each = math.log(len(policy.weights) * horizon * s * form.joint)
    plans = float(np.log(counts).sum())
    if plans <= math.log(_POLICIES) and plans + each <= math.log(_WORK):
        choices = [np.flatnonzero(legal[k % s]) for k in range(horizon * s)]
        return max(
            _value(deviator, np.array(plan).reshape(horizon, s)) for plan in product(*choices)
        ), "exact"
    rng = generator(0, "markov deviations", seat)
    best = -math.inf
    for start in range(_STARTS):
        scores = (
            rng.random((horizon, s, legal.shape[1])) if start else np.zeros((horizon, *legal.shape))
        )
        plan = np.where(legal, scores, -1.0).argmax(axis=2)
        best = max(best, _ascend(deviator, plan))
    return best, "lower"


def _own_does_not_move(deviator: _Deviator) -> bool:
    """Whether the deviator's actions never change where the state goes."""
    form = deviator.form
    matrix, mask = form.matrix(), form.legal_joint
    for s in np.flatnonzero(~form.terminal):
        rows = matrix[s * form.joint : (s + 1) * form.joint].toarray()
        for m in range(deviator.numbers.shape[1]):
            column = deviator.numbers[:, m]
            used = rows[column[mask[s, column]]]
            if len(used) > 1 and float(np.ptp(used, axis=0).max()) > 0.0:
                return False
    return True


def _own_q(deviator: _Deviator, h: int, v: Reals) -> Reals:
    """Return each component's q of the deviator's actions at a step, (K, S, A).

    Args:
        deviator: the seat.
        h: the step.
        v: the component's values afterwards, (K, S).
    """
    form, seat = deviator.form, deviator.seat
    ahead = (form.matrix() @ v.T).T.reshape(len(v), form.states, form.joint)
    q = form.reward[seat][None] + form.discount * ahead
    own: Reals = np.einsum("ksm,ksam->ksa", deviator.others[h], q[:, :, deviator.numbers])
    return own


def _value(deviator: _Deviator, plan: NDArray[Any]) -> float:
    v = np.zeros((len(deviator.policy.weights), deviator.form.states))
    for h in reversed(range(len(plan))):
        q = _own_q(deviator, h, v)
        v = np.take_along_axis(q, np.broadcast_to(plan[h][None, :, None], (*v.shape, 1)), 2)[..., 0]
        v[:, deviator.form.terminal] = 0.0
    return float(deviator.policy.weights @ v @ deviator.form.initial)


def _ascend(deviator: _Deviator, plan: NDArray[Any]) -> float:
    """Improve a deterministic plan, (H, S), step by step until nothing changes."""
    form, weights = deviator.form, deviator.policy.weights
    matrix = form.matrix()
    best = -math.inf
    while True:
        reach = [weights[:, None] * form.initial[None, :]]
        for h in range(len(plan) - 1):
            joint = np.zeros((len(weights), form.states, form.joint))
            rows = deviator.numbers[plan[h]]  # (S, M)
            np.put_along_axis(
                joint,
                np.broadcast_to(rows[None], deviator.others[h].shape),
                deviator.others[h] * reach[-1][..., None],
                2,
            )
            joint[:, form.terminal] = 0.0
            reach.append((matrix.T @ joint.reshape(len(weights), -1).T).T)
        v = np.zeros((len(weights), form.states))
        for h in reversed(range(len(plan))):
            q = _own_q(deviator, h, v)
            mean = np.einsum("ks,ksa->sa", reach[h], q)
            mean[~form.legal[deviator.seat]] = -np.inf
            better = mean.max(axis=1) > np.take_along_axis(mean, plan[h][:, None], 1)[:, 0] + 1e-12
            plan = plan.copy()
            plan[h] = np.where(better, mean.argmax(axis=1), plan[h])
            v = np.take_along_axis(q, np.broadcast_to(plan[h][None, :, None], (*v.shape, 1)), 2)[
                ..., 0
            ]
            v[:, form.terminal] = 0.0
        value = float(weights @ v @ form.initial)
        if value <= best + 1e-12:
            return max(value, best)
        best = value
