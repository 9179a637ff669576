"""The `Game` around a restless bandit: its state, its batch and its exact MDP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from arena.errors import FormError
from arena.game import Game
from arena.types import Discrete, MultiDiscrete
from games.bandits.form import RestlessBandit
from games.bandits.shared import Shared
from games.bandits.state import name_of, start
from games.markov.form import MarkovGame

__all__ = ["as_game", "exact_mdp"]

_MOST_STATES = 20_000
_MOST_ENTRIES = 20_000_000


def as_game(
    form: RestlessBandit,
    *,
    id: str = "bandits/own",
    params: Mapping[str, Any] | None = None,
    exposure: str = "auto",
    **facts: Any,
) -> Game:
    """Return a one-seat game with the forms `state`, `batch`, `bandit` and `markov`.

    Args:
        form: the bandit.
        id: the registry name.
        params: what the registry makes it from; by default the game is not rebuildable.
        exposure: `index` numbers the feasible actions, `vector` takes them as they are, `auto`
            numbers up to 4096 of them.
        facts: further fields of `Game`, such as `citation`.
    """
    shared = Shared(form, exposure)
    listed = shared.listed

    def state(seed: int | None) -> Any:
        if seed is None and listed is None:
            raise FormError(id, "root", list(forms), reason="has vectors as actions")
        return start(shared, seed)

    def batch(seeds: Any) -> Any:
        from games.bandits.batch import BanditBatch

        return BanditBatch(shared, seeds)

    forms: dict[str, Callable[..., Any]] = {
        "state": state,
        "batch": batch,
        "bandit": lambda: form,
        "markov": lambda: exact_mdp(form, id=id),
    }
    # The exact MDP is offered only where it is small: solvers look at the names of the forms.
    if not _small(form, listed is not None and len(listed)):
        del forms["markov"]
    pay = np.where(form.transition > 0, form.reward, np.nan)
    least = float(np.nanmin(pay, axis=(1, 2, 3)).sum() * shared.weights.sum())
    most = float(np.nanmax(pay, axis=(1, 2, 3)).sum() * shared.weights.sum())
    settled: dict[str, Any] = {
        "summary": form.title,
        "rebuildable": params is not None,
    }
    space = (
        MultiDiscrete((2,) * form.feasible.size)
        if listed is None
        else Discrete(max(len(listed), 1))
    )
    return Game(
        id=id,
        seats=1,
        actions=(space,),
        payoff="general_sum",
        turns="sequential",
        forms=forms,
        params=dict(params or {}),
        perfect_information=True,
        chance=True,
        payoff_bounds=(least, most),
        max_length=form.horizon,
        seat_names=("planner",),
        action_name=lambda seat, action: name_of(shared, action),
        **{**settled, **facts},
    )


def _small(form: RestlessBandit, actions: int) -> bool:
    states = float(np.prod(form.sizes, dtype=np.float64))
    return bool(actions) and states <= _MOST_STATES and states * states * actions <= _MOST_ENTRIES


def exact_mdp(form: RestlessBandit, *, id: str = "this bandit") -> MarkovGame:
    """Return the bandit as one Markov decision process, over the product of the arms' states.

    State numbers are row-major over the arms, padding left out; actions are numbered as in
    `FeasibleSet.listed`.

    Raises:
        FormError: it is too large.
    """
    from scipy.sparse import csr_array, vstack

    listed = form.feasible.listed(_MOST_STATES)
    if listed is None or not _small(form, len(listed)):
        raise FormError(
            id, "markov", ["state", "batch", "bandit"], reason="has too many states or actions"
        )
    sizes = [int(s) for s in form.sizes]
    states = int(np.prod(sizes))
    pay = np.zeros((1, states, len(listed)))
    blocks = []
    for k, action in enumerate(listed):
        build = _influenced if form.influenced else _independent
        rows, pay[0, :, k] = build(form, action)
        blocks.append(rows)
    # Rows (action, state) come in the order (state, action).
    stacked = vstack(blocks, format="csr")
    order = np.arange(len(listed) * states).reshape(len(listed), states).T.ravel()
    first = reduce(np.multiply.outer, [form.initial[j, :s] for j, s in enumerate(sizes)]).ravel()
    names = [",".join(map(str, np.unravel_index(s, sizes))) for s in range(states)]
    return MarkovGame(
        csr_array(stacked[order]),
        pay,
        first / first.sum(),
        horizon=form.horizon,
        discount=form.discount,
        state_names=names,
        action_names=[[" ".join(map(str, np.flatnonzero(a))) or "nothing" for a in listed]],
        title=form.title,
    )


def _independent(form: RestlessBandit, action: Any) -> tuple[Any, Any]:
    """Return P(s' | s, a), shape (S, S), and r(s, a), shape (S,), of one action."""
    from scipy.sparse import csr_array, kron

    modes, sizes = form.modes_of(action).tolist(), form.sizes.tolist()
    own = list(enumerate(zip(modes, sizes, strict=True)))
    rows = reduce(kron, (csr_array(form.transition[j, m, :s, :s]) for j, (m, s) in own)).tocsr()
    expected = form.expected
    return rows, reduce(np.add.outer, [expected[j, m, :s] for j, (m, s) in own]).ravel()


def _influenced(form: RestlessBandit, action: Any) -> tuple[Any, Any]:
    """Return the same where an arm's mode depends on the joint state."""
    from scipy.sparse import csr_array

    sizes = form.sizes.tolist()
    levels = np.stack(np.unravel_index(np.arange(int(np.prod(sizes))), sizes), axis=1)
    modes = form.modes_at(levels, np.broadcast_to(action, (len(levels), len(action))))
    rows = np.ones((len(levels), 1))
    pay = np.zeros(len(levels))
    for j, size in enumerate(sizes):
        own = form.transition[j, modes[:, j], levels[:, j], :size]
        rows = (rows[:, :, None] * own[:, None, :]).reshape(len(levels), -1)
        pay += form.expected[j, modes[:, j], levels[:, j]]
    return csr_array(rows), pay
