"""The `Game` around a Markov game's form, with its state and its batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from arena.game import Game
from arena.types import Discrete
from games.markov.form import MarkovGame
from games.markov.state import MarkovState, Shared

__all__ = ["as_game"]

_SWEEPS = 200


def _return_bounds(form: MarkovGame) -> tuple[float, float]:
    """Return bounds on what an episode pays a seat in all; infinite where there is no bound.

    u(s) = max_a r(s, a) + max_{s' that may follow} u(s') is iterated: to the end, or until
    it stands still, which it never does where there is gain in going round.
    """
    longest = form.longest
    sweeps = longest if longest is not None else _SWEEPS
    used = form.legal_joint.ravel()
    rows = np.flatnonzero(used & (np.diff(form.indptr) > 0))
    stops = form.discount < 1.0 or form.terminal.any()
    out = []
    for sign in (-1.0, 1.0):
        best = np.zeros(form.states)
        reward = np.where(used, (sign * form.reward).max(axis=0).ravel(), -np.inf)
        still = False
        for _ in range(min(sweeps, _SWEEPS)):
            ahead = np.zeros(len(reward))
            ahead[rows] = np.maximum.reduceat(best[form.indices], form.indptr[rows])
            # Who may be stopped at any time keeps what there is.
            ahead = np.maximum(ahead, 0.0) if stops else ahead
            after = (reward + ahead).reshape(form.states, form.joint).max(axis=1)
            after[form.terminal] = 0.0
            still = bool(np.array_equal(after, best))
            best = after
            if still:
                break
        if still or (longest is not None and longest <= _SWEEPS):
            out.append(sign * float(best[form.initial > 0].max()))
        elif longest is not None:
            out.append(sign * max(float(reward[used].max()), 0.0) * longest)
        else:
            out.append(sign * float("inf"))
    return min(out), max(out)


def as_game(
    form: MarkovGame, *, id: str, params: Mapping[str, Any] | None = None, **facts: Any
) -> Game:
    """Return a game with the forms `state`, `batch` and `markov`.

    Args:
        form: the Markov game.
        id: the registry name.
        params: what the registry makes it from.
        facts: further fields of `Game`, such as `citation` or `rebuildable`.
    """
    shared = Shared(form)

    def state(seed: int | None) -> MarkovState:
        return MarkovState(shared, seed)

    def batch(seeds: Any) -> Any:
        from games.markov.batch import MarkovBatch

        return MarkovBatch(form, seeds)

    def action_name(seat: int, action: int) -> str:
        names = form.action_names[seat]
        return names[action] if 0 <= action < len(names) else str(action)

    longest = form.longest
    random = bool((np.diff(form.indptr) > 1).any()) or int((form.initial > 0).sum()) > 1
    settled: dict[str, Any] = {
        "payoff": form.payoff,
        "payoff_bounds": _return_bounds(form),
        "summary": form.title,
        "action_name": action_name,
        "perfect_information": False,
        "chance": random or form.discount < 1.0,
        "max_length": None if longest is None else longest * form.seats,
    }
    return Game(
        id=id,
        seats=form.seats,
        actions=tuple(Discrete(a) for a in form.actions),
        turns="simultaneous",
        forms={"state": state, "batch": batch, "markov": lambda: form},
        params=dict(params or {}),
        **{**settled, **facts},
    )
