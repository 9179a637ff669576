"""One running episode of a restless bandit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError
from arena.game import Clock
from arena.rng import Stream
from arena.types import CHANCE, Action, Floats, Mask
from games.bandits.form import RestlessBandit
from games.bandits.shared import Shared

__all__ = ["BanditObservation", "BanditState", "IndexedBanditState", "start"]


def start(shared: Shared, seed: int | None) -> BanditState:
    """Return the first state; `seed` None exposes chance (numbered actions only)."""
    kind = BanditState if shared.listed is None else IndexedBanditState
    return kind(shared, seed)


class BanditObservation:
    """What the seat knows: the states of all arms, the step, what the arms paid.

    Attributes:
        levels: the arms' states, shape (J,).
        step: steps done.
        paid: what each arm paid in the last step, shape (J,).
        shared: the bandit's tables; `shared.form` is the bandit.
    """

    clock: Clock | None = None
    seat = 0

    def __init__(self, state: BanditState) -> None:
        self.shared = state.shared
        self.levels: NDArray[np.int64] = np.array(state.levels, dtype=np.int64)
        self.step = state.step_number
        self.paid = state.paid.copy()
        self._live = state.actors() == (0,)

    @property
    def bandit(self) -> RestlessBandit:
        """The bandit."""
        return self.shared.form

    @property
    def actions(self) -> Sequence[int] | None:
        """Numbers of the feasible actions; None where actions are vectors."""
        listed = self.shared.listed
        return None if listed is None else range(len(listed) if self._live else 0)

    @property
    def legal(self) -> Mask | None:
        """Mask of numbered actions, shape (F,)."""
        listed = self.shared.listed
        return None if listed is None else np.full(len(listed), self._live)

    def sample(self, rng: np.random.Generator) -> Any:
        """Return a random feasible action, as the game names it."""
        return self.shared.number(self.shared.form.feasible.sample(rng))

    @property
    def tensor(self) -> NDArray[np.float32]:
        """The arms' states one-hot, then the share of the steps done, shape (J·S + 1,)."""
        form = self.shared.form
        out = np.zeros(form.arms * form.states + 1, dtype=np.float32)
        at = self.levels >= 0
        out[(np.arange(form.arms) * form.states + self.levels)[at]] = 1.0
        out[-1] = self.step / form.horizon
        return out

    @property
    def key(self) -> str:
        """Step and states: all that matters for what follows."""
        return f"{self.step}:{','.join(map(str, self.levels.tolist()))}"

    @property
    def view(self) -> str:
        """The same in words."""
        form = self.shared.form
        return (
            f"step {self.step} of {form.horizon}; states of the arms"
            f" {' '.join(map(str, self.levels.tolist()))}"
        )


class BanditState:
    """An episode whose actions are vectors; see `arena.game.State`.

    Attributes:
        levels: the arms' states (−1: still to be drawn).
        step_number: steps done.
        paid: what each arm paid in the last step, shape (J,).
    """

    def __init__(self, shared: Shared, seed: int | None) -> None:
        self.shared = shared
        form = shared.form
        self.levels = [-1] * form.arms
        self.step_number = 0
        self.paid = np.zeros(form.arms)
        self._earned = 0.0
        self._total = 0.0
        self._past: list[int] = []
        self._modes: list[int] = []
        # The arm whose move chance decides next; only where chance is exposed.
        self._arm = 0 if seed is None else form.arms
        self._chance = None if seed is None else Stream(seed)
        if self._chance is not None:
            for j in range(form.arms):
                self._set(j, _drawn(shared.initial[j], self._chance.random()))

    @property
    def bandit(self) -> RestlessBandit:
        """The bandit."""
        return self.shared.form

    def actors(self) -> tuple[int, ...]:
        """Return the seat, chance where it is exposed, or nobody."""
        if self._arm < self.shared.form.arms:
            return (CHANCE,)
        return (0,) if self.step_number < self.shared.form.horizon else ()

    def observe(self, seat: int) -> BanditObservation:
        """Return what the seat knows: everything."""
        return BanditObservation(self)

    def legal(self, seat: int) -> Sequence[int] | None:
        """Return the numbers of the feasible actions, or None where actions are vectors."""
        listed = self.shared.listed
        if listed is None:
            return None
        return range(len(listed) if self.actors() == (0,) else 0)

    def step(self, actions: Mapping[int, Action]) -> None:
        """Act, or decide an exposed chance node."""
        actors = self.actors()
        if tuple(sorted(actions)) != actors:
            raise IllegalActionError(f"seats {sorted(actions)} moved where {list(actors)} were to")
        if actors == (CHANCE,):
            self._decide(actions[CHANCE])
            return
        chosen = self.shared.vector(actions[0])
        if self.shared.listed is not None:
            self._past.append(int(actions[0]))
        self._act(chosen)

    def step_arms(self, action: Any) -> None:
        """Act by a vector of zeros and ones, shape (N,), however the game shows its actions.

        Raises:
            IllegalActionError: it is not feasible, or nobody is to move.
        """
        self.step({0: self.shared.number(action)})

    def _act(self, chosen: Mask) -> None:
        form = self.shared.form
        self._modes = form.modes_at(self.levels, chosen).tolist()
        self.paid = np.zeros(form.arms)
        self._earned = 0.0
        if self._chance is None:
            self._arm = 0
            return
        for j in range(form.arms):
            row = self.shared.cumulative[j, self._modes[j], self.levels[j]]
            self._move(j, _drawn(row, self._chance.random()))
        self._finish()

    def _move(self, j: int, to: int) -> None:
        pay = self.shared.form.reward[j, self._modes[j], self.levels[j], to]
        self.paid[j] = pay
        self._earned += float(pay)
        self._set(j, to)

    def _set(self, j: int, to: int) -> None:
        self.levels[j] = to
        if self.shared.listed is not None:
            self._past.append(to)

    def _finish(self) -> None:
        self._earned *= float(self.shared.weights[self.step_number])
        self._total += self._earned
        self.step_number += 1
        self._modes = []

    def _decide(self, outcome: Action) -> None:
        whole = isinstance(outcome, int | np.integer) and not isinstance(outcome, bool)
        if not whole or outcome not in [o for o, _ in self.chance_outcomes()]:
            raise IllegalActionError(f"chance cannot give {outcome!r}")
        j = self._arm
        if self._modes:
            self._move(j, int(outcome))
        else:
            self._set(j, int(outcome))
        self._arm += 1
        if self._arm == self.shared.form.arms and self._modes:
            self._finish()

    def chance_outcomes(self) -> Sequence[tuple[int, float]]:
        """Return the next states of the arm that moves next, and how likely they are."""
        form, j = self.shared.form, self._arm
        row = form.transition[j, self._modes[j], self.levels[j]] if self._modes else form.initial[j]
        return [(int(s), float(row[s])) for s in np.flatnonzero(row)]

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (1,)."""
        return np.array([0.0 if self._modes else self._earned])

    def returns(self) -> Floats:
        """Return the payoff so far, shape (1,)."""
        return np.array([self._total])

    def clone(self) -> BanditState:
        """Return an independent copy that will draw the same chance."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.levels, twin._past = self.levels.copy(), self._past.copy()
        twin._modes, twin.paid = self._modes.copy(), self.paid.copy()
        twin._chance = None if self._chance is None else self._chance.copy()
        return twin

    def resample(self, seat: int, seed: int) -> BanditState:
        """Return a copy with new chance to come: nothing is hidden but that."""
        twin = self.clone()
        twin._chance = Stream(seed)
        return twin

    def action_name(self, seat: int, action: Any) -> str:
        """Return which actions are on, or what chance decides."""
        if seat == CHANCE:
            return f"arm {self._arm} to {action}"
        return name_of(self.shared, action)

    def render(self) -> str:
        """Return step, states and payoff."""
        going = f"; modes {self._modes}, arm {self._arm} moves" if self._modes else ""
        return f"{BanditObservation(self).view}; so far {self._total:g}{going}"


class IndexedBanditState(BanditState):
    """An episode whose actions have numbers, so that its history is one of numbers."""

    def history(self) -> list[int]:
        """Return first states arm by arm, then for each step the action and the next states."""
        return self._past.copy()


def name_of(shared: Shared, action: Any) -> str:
    """Return the names of the actions that are on."""
    try:
        chosen = shared.vector(action)
    except IllegalActionError:
        return str(action)
    columns = shared.form.feasible.actions
    names = [shared.form.feasible.column_names[columns[k]] for k in np.flatnonzero(chosen)]
    return ", ".join(names) or "nothing"


def _drawn(cumulative: NDArray[np.float64], number: float) -> int:
    for s, edge in enumerate(cumulative.tolist()):
        if number < edge:
            return s
    return len(cumulative) - 1
