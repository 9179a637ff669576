"""Exact gaps of policies of Markov games.

`certify` takes any policy and says what every seat could gain:

- a product policy: Nash gaps; a correlated one: CCE and CE gaps, by `values`. Deviations
  that remember the history gain no more than Markov ones.
- a mixture of product policies: who deviates learns which component is played. Gaps against
  `history` deviations by dynamic programming over beliefs (`beliefs`), against `markov` ones
  by search over Markov policies.
- the output of V-learning: an upper bound by the recursion of its `v_policy`.

Gaps named `*_gap` add up the seats' regrets; `cce_regret_2` is one seat's.

Source: Foster, Golowich and Kakade 2023, "Hardness of independent learning and sparse
equilibrium computation in Markov games", sections 2 and 3.
"""

from __future__ import annotations

from typing import Any, Literal

from arena.errors import ParameterError
from arena.solver import Gap
from games.markov.form import MarkovGame
from solvers.loop import choice
from solvers.markov.observed import ObservedPolicy
from solvers.markov.policy import CorrelatedPolicy, MixturePolicy, ProductPolicy
from solvers.markov.values import values

__all__ = ["DEVIATIONS", "cce_gap", "ce_gap", "certify", "check_fits", "nash_gap"]

Deviations = Literal["markov", "history"]
DEVIATIONS = ("markov", "history")

_PLAYED = 1e-9
"""The least probability that counts as support."""


def certify(form: MarkovGame, policy: Any, *, deviations: Deviations = "history") -> dict[str, Gap]:
    """Return the gaps of a policy, and each seat's value (see the module).

    Args:
        form: the game; its horizon or discount counts.
        policy: product, correlated, mixture, or V-learning's.
        deviations: what deviating seats may depend on: step and state, or everything before.

    Raises:
        ParameterError: the policy does not fit the game.
        NotApplicableError: the history is too long for dynamic programming over beliefs.
    """
    choice("deviations", deviations, DEVIATIONS)
    if isinstance(policy, ObservedPolicy):
        policy = policy.inner
    check_fits(form, policy)
    if isinstance(policy, MixturePolicy):
        from solvers.markov.beliefs import certify_mixture

        return certify_mixture(form, policy, deviations)
    if isinstance(policy, ProductPolicy):
        return _product(form, policy)
    if isinstance(policy, CorrelatedPolicy):
        return _correlated(form, policy)
    from solvers.markov.v_policy import VPolicy, certify_v

    if isinstance(policy, VPolicy):
        return certify_v(form, policy)
    raise ParameterError("policy", type(policy).__name__, "a policy of a Markov game")


def cce_gap(form: MarkovGame, policy: Any, *, deviations: Deviations = "history") -> Gap:
    """Return what seats gain, added up, by leaving before they are told anything."""
    return _one(form, policy, "cce_gap", deviations)


def ce_gap(form: MarkovGame, policy: Any, *, deviations: Deviations = "history") -> Gap:
    """Return what seats gain, added up, by best use of what they are told.

    Raises:
        ParameterError: the policy is a mixture or V-learning's.
    """
    return _one(form, policy, "ce_gap", deviations)


def nash_gap(form: MarkovGame, policy: Any, *, deviations: Deviations = "history") -> Gap:
    """Return what seats gain, added up, by their best responses (NashConv).

    Raises:
        ParameterError: the policy is not a product policy.
    """
    return _one(form, policy, "nash_gap", deviations)


def _one(form: MarkovGame, policy: Any, name: str, deviations: Deviations) -> Gap:
    found = certify(form, policy, deviations=deviations)
    if name not in found:
        gaps = [key for key in found if key.endswith("_gap")]
        raise ParameterError(name, type(policy).__name__, f"a policy with {name}; this has {gaps}")
    return found[name]


def check_fits(form: MarkovGame, policy: Any) -> None:
    """Refuse a policy of other sizes, or one that plays what is not legal.

    Raises:
        ParameterError: naming the seat and the place.
    """
    if isinstance(policy, CorrelatedPolicy):
        wanted = (form.states, form.joint)
        if policy.actions != form.actions or policy.joint.shape[1:] != wanted:
            raise ParameterError(
                "joint.shape", policy.joint.shape, f"(T, {form.states}, {form.joint})"
            )
        _check_legal(form, [policy.marginal(seat) for seat in range(form.seats)])
    elif isinstance(policy, ProductPolicy | MixturePolicy):
        sizes = tuple(table.shape[-2:] for table in policy.tables)
        allowed = tuple((form.states, count) for count in form.actions)
        if sizes != allowed:
            raise ParameterError("policy", sizes, f"tables of {allowed} for states and actions")
        _check_legal(form, policy.tables)


def _check_legal(form: MarkovGame, tables: Any) -> None:
    going = ~form.terminal
    for seat, table in enumerate(tables):
        extra = (table * ~form.legal[seat])[..., going, :]
        if float(extra.max(initial=0.0)) > 1e-9:
            raise ParameterError(
                f"policy of seat {seat}", float(extra.max()), "nothing on illegal actions"
            )


def _regrets(form: MarkovGame, joint: Any, kind: Any, on: Any) -> list[Gap]:
    """Return what each seat gains from the initial distribution."""
    best = values(form, joint, kind)
    exact = form.horizon is not None
    gains = (best.high - on.low) @ form.initial
    return [Gap(max(0.0, float(gain)), "exact" if exact else "upper") for gain in gains]


def _total(gaps: list[Gap]) -> Gap:
    return Gap(sum(gap.value for gap in gaps), gaps[0].kind)


def _seat_values(form: MarkovGame, on: Any) -> dict[str, Gap]:
    middle = ((on.low + on.high) / 2.0) @ form.initial
    return {f"value_{seat}": Gap(float(value)) for seat, value in enumerate(middle)}


def _product(form: MarkovGame, policy: ProductPolicy) -> dict[str, Gap]:
    joint = policy.correlated().joint
    on = values(form, joint, "on")
    regrets = _regrets(form, joint, "cce", on)
    out = {"nash_gap": _total(regrets), "cce_gap": _total(regrets), "ce_gap": _total(regrets)}
    out["n_product_components"] = Gap(1.0)
    out.update(_seat_values(form, on))
    out.update({f"nash_regret_{seat}": gap for seat, gap in enumerate(regrets)})
    return out


def _correlated(form: MarkovGame, policy: CorrelatedPolicy) -> dict[str, Gap]:
    joint = policy.joint
    on = values(form, joint, "on")
    coarse, swap = (_regrets(form, joint, kind, on) for kind in ("cce", "ce"))
    out = {"cce_gap": _total(coarse), "ce_gap": _total(swap)}
    played = (joint > _PLAYED).sum(axis=2)
    out["support_size"] = Gap(float(played[:, ~form.terminal].max()))
    out.update(_seat_values(form, on))
    for seat in range(form.seats):
        out[f"cce_regret_{seat}"] = coarse[seat]
        out[f"ce_regret_{seat}"] = swap[seat]
    return out
