"""The best policy of a small bandit, by backward induction over the joint states.

v_t(s) = max_a γ^t r(s, a) + Σ P(s' | s, a) v_{t+1}(s'), with rewards counted as the game pays.
"""

from __future__ import annotations

import numpy as np

from arena.errors import FormError, NotApplicableError
from arena.game import Game
from games.bandits.form import RestlessBandit
from games.bandits.game import exact_mdp
from solvers.bandits.policy import TablePolicy

__all__ = ["exact_table"]


def exact_table(form: RestlessBandit, game: Game) -> tuple[TablePolicy, float]:
    """Return a best policy and its expected return.

    Raises:
        NotApplicableError: too many joint states or actions.
    """
    try:
        mdp = exact_mdp(form, id=game.key)
    except FormError as error:
        raise NotApplicableError(str(error)) from error
    listed = form.feasible.listed()
    if listed is None:
        raise NotApplicableError(f"{game.key} has too many feasible actions")
    matrix, states, actions = mdp.matrix(), mdp.states, mdp.joint
    table = np.zeros((form.horizon, states), dtype=np.int64)
    v = np.zeros(states)
    for t in range(form.horizon - 1, -1, -1):
        q = form.discount**t * mdp.reward[0] + (matrix @ v).reshape(states, actions)
        table[t], v = q.argmax(axis=1), q.max(axis=1)
    return TablePolicy(game.key, table, listed, form.sizes.copy()), float(mdp.initial @ v)
