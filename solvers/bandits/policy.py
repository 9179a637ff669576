"""Policies of bandits: values of the arms' modes and how to choose by them, or a table.

Both are agents as they are (`begin`, `act`, `act_batch`, `close`), because a bandit's actions
may be vectors, for which there are no tables of probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError, ParameterError
from arena.game import Game, Observation
from arena.types import Action, Floats
from games.bandits.form import RestlessBandit
from games.bandits.shared import Shared, find
from solvers.bandits.maximise import Maximiser

__all__ = ["RULES", "Playing", "TablePolicy", "ValuePolicy", "from_arrays", "greedy_action"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

RULES = ("exact", "greedy")
"""How an action is chosen by values: the best, or one action after the other."""


class Playing:
    """What both kinds share: being an agent."""

    version = "1"
    stochastic = False
    game: str

    def choose(self, form: RestlessBandit, levels: Ints, step: int) -> Ints:
        """Return vectors of actions, shape (K, N), for states of the arms, shape (K, J)."""
        raise AgentError("this policy cannot choose")

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Check that the game is the one that the policy is for.

        Raises:
            AgentError: it is another one.
        """
        if "bandit" not in game.forms or (self.game and game.key != self.game):
            raise AgentError(f"this policy is for {self.game}, not for {game.key}")

    def act(self, observation: Observation) -> Action:
        """Return the action, as the game names it."""
        seen: Any = observation
        shared: Shared = seen.shared
        chosen = self.choose(shared.form, seen.levels[None], seen.step)[0]
        named: Action = shared.number(chosen)
        return named

    def probabilities(self, observation: Observation) -> Floats:
        """Return probability one on the action, shape (A,); for games with numbered actions."""
        seen: Any = observation
        if seen.shared.listed is None:
            raise AgentError("actions that are vectors have no table of probabilities")
        out = np.zeros(len(seen.shared.listed))
        out[self.act(observation)] = 1.0
        return out

    def begin_batch(self, game: Game, seat: int, seeds: NDArray[np.uint64]) -> None:
        """Check the game, as `begin` does."""
        self.begin(game, seat, 0)
        if game.form("state", seed=0).shared.listed is None:
            raise AgentError("batches of vectors are stepped by `step_arms`")

    def act_batch(self, observation: Any) -> Ints:
        """Return the numbers of the actions, shape (N,)."""
        shared: Shared = observation.shared
        chosen = self.choose(shared.form, observation.levels, observation.step)
        if shared.listed is None:
            raise AgentError("actions that are vectors have no numbers")
        return np.array([find(shared.listed, row == 1) for row in chosen], dtype=np.int64)

    def close(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True, eq=False)
class ValuePolicy(Playing):
    """Maximises Σ_j values[t, j, s_j, m_j] over the feasible actions.

    Attributes:
        game: the key of the game it is for; "" for any bandit of that shape.
        values: shape (H, J, S, M), or (1, J, S, M) for all steps.
        rule: one of `RULES`.
    """

    game: str
    values: Reals
    rule: str = "exact"
    kind = "bandit_values"

    def __post_init__(self) -> None:
        if self.values.ndim != 4 or not np.isfinite(self.values).all():
            raise ParameterError("values.shape", self.values.shape, "finite, (T, J, S, M)")
        if self.rule not in RULES:
            raise ParameterError("rule", self.rule, " or ".join(RULES))
        object.__setattr__(self, "_most", {})

    def choose(self, form: RestlessBandit, levels: Ints, step: int) -> Ints:
        """Return vectors of actions, shape (K, N), for states of the arms, shape (K, J)."""
        _, arms, states, modes = self.values.shape
        if (arms, states, modes) != (form.arms, form.states, form.modes):
            raise AgentError(f"this policy is for {arms} arms of {states} states, {modes} modes")
        now = self.values[min(step, len(self.values) - 1)][np.arange(arms), levels]
        if self.rule == "greedy":
            return np.array([greedy_action(form, row) for row in now])
        known: dict[int, Maximiser] = self.__dict__["_most"]
        if id(form) not in known:
            known[id(form)] = Maximiser(form)
        chosen: Ints = known[id(form)].best(now)[0]
        return chosen

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that `from_arrays` reads."""
        return {"values": self.values, "rule": np.array(self.rule)}


@dataclass(frozen=True, eq=False)
class TablePolicy(Playing):
    """An action for each step and joint state.

    Attributes:
        game: the key of the game it is for.
        table: numbers of actions, shape (H, S), joint states row-major over the arms.
        listed: the numbered actions, shape (F, N).
        sizes: number of states of each arm, shape (J,).
    """

    game: str
    table: Ints
    listed: NDArray[np.bool_]
    sizes: Ints
    kind = "bandit_table"

    def choose(self, form: RestlessBandit, levels: Ints, step: int) -> Ints:
        """Return vectors of actions, shape (K, N), for states of the arms, shape (K, J)."""
        joint = np.ravel_multi_index(tuple(levels.T), tuple(self.sizes.tolist()))
        found: Ints = self.listed[self.table[step, joint]].astype(np.int64)
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that `from_arrays` reads."""
        return {"table": self.table, "listed": self.listed, "sizes": self.sizes}


def from_arrays(kind: str, game: str, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Return the policy that `arrays` came from."""
    if kind == "bandit_table":
        return TablePolicy(game, arrays["table"], arrays["listed"], arrays["sizes"])
    return ValuePolicy(game, arrays["values"], str(arrays["rule"]))


def greedy_action(form: RestlessBandit, values: Reals) -> Ints:
    """Switch on the action that gains most, again and again while one is feasible and gains."""
    chosen = np.zeros(form.feasible.size, dtype=np.int64)
    arms = np.arange(form.arms)
    worth = values[arms, form.modes_of(chosen)].sum()
    while True:
        best, at = worth, -1
        order = []
        for k in np.flatnonzero(chosen == 0).tolist():
            chosen[k] = 1
            modes = form.modes_of(chosen)
            if (modes < form.modes).all():
                order.append((float(values[arms, modes].sum()), -k))
            chosen[k] = 0
        for gained, k in sorted(order, reverse=True):
            if gained <= worth:
                break
            chosen[-k] = 1
            fits = form.feasible.allows(chosen)
            chosen[-k] = 0
            if fits:
                best, at = gained, -k
                break
        if at < 0:
            return chosen
        chosen[at] = 1
        worth = best
