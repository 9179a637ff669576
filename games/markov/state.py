"""Episodes of a Markov game, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from arena.errors import IllegalActionError
from arena.rng import Stream
from arena.types import CHANCE, Action, Floats
from games.markov.form import MarkovGame
from games.markov.observation import MarkovObservation, signals

__all__ = ["MarkovState", "Shared"]


class Shared:
    """What all episodes of one Markov game share."""

    __slots__ = ("actions", "form", "initial", "longest", "rows", "seats", "starts", "strides")

    def __init__(self, form: MarkovGame) -> None:
        self.form = form
        self.longest = form.longest
        self.seats = tuple(range(form.seats))
        self.strides = tuple(
            int(np.prod(form.actions[seat + 1 :], dtype=np.int64)) for seat in self.seats
        )
        self.actions: dict[tuple[int, int], tuple[int, ...]] = {}
        self.rows: dict[int, list[tuple[int, float]]] = {}
        self.starts = [(int(s), float(form.initial[s])) for s in np.flatnonzero(form.initial)]
        self.initial = [probability for _, probability in self.starts]

    def legal(self, state: int, seat: int) -> tuple[int, ...]:
        """Return the legal actions of a seat."""
        found = self.actions.get((state, seat))
        if found is None:
            found = tuple(np.flatnonzero(self.form.legal[seat][state]).tolist())
            self.actions[state, seat] = found
        return found

    def after(self, state: int, joint: int) -> list[tuple[int, float]]:
        """Return what may follow and how likely it is."""
        row = state * self.form.joint + joint
        found = self.rows.get(row)
        if found is None:
            states, probability = self.form.after(state, joint)
            found = list(zip(states.tolist(), probability.tolist(), strict=True))
            self.rows[row] = found
        return found


class MarkovState:
    """One episode.

    Attributes:
        shared: the game.
        at: the state, −1 before the first is drawn.
        step_number: steps done.
        past: states and joint actions so far, one after the other.
    """

    __slots__ = ("_chance", "_over", "_paid", "_pending", "_seed", "_totals", "at", "past",
                 "shared", "step_number")  # fmt: skip

    def __init__(self, shared: Shared, seed: int | None) -> None:
        self.shared = shared
        self._seed = seed
        self._chance = None if seed is None else Stream(seed)
        self._paid = np.zeros(len(shared.seats))
        self._totals = np.zeros(len(shared.seats))
        self._pending = -1
        self._over = False
        self.past: list[int] = []
        self.step_number = 0
        self.at = -1
        if self._chance is not None:
            self.at = shared.starts[self._chance.index(shared.initial)][0]
        elif len(shared.starts) == 1:
            self.at = shared.starts[0][0]

    def signal(self, index: int) -> float | None:
        """Return the public signal of that index, or None where chance is enumerated."""
        return None if self._seed is None else float(signals(self._seed, index, 1)[0])

    def actors(self) -> tuple[int, ...]:
        """Return all seats, chance where it is exposed, or nobody."""
        if self._over:
            return ()
        if self.at < 0 or self._pending >= 0:
            return (CHANCE,)
        return self.shared.seats

    def observe(self, seat: int) -> MarkovObservation:
        """Return what `seat` knows: everything."""
        return MarkovObservation(self, seat)

    def legal(self, seat: int) -> Sequence[int]:
        """Return the legal actions of `seat`."""
        return self.shared.legal(self.at, seat) if self.actors() == self.shared.seats else ()

    def step(self, actions: Mapping[int, Action]) -> None:
        """Play a joint action, or decide an exposed chance node."""
        actors = self.actors()
        if tuple(sorted(actions)) != actors:
            raise IllegalActionError(f"seats {sorted(actions)} moved where {list(actors)} were to")
        if actors == (CHANCE,):
            self._decide(actions[CHANCE])
            return
        joint = 0
        for seat in actors:
            joint += self._checked(seat, actions[seat]) * self.shared.strides[seat]
        form = self.shared.form
        self._paid = form.reward[:, self.at, joint].copy()
        self._totals = self._totals + self._paid
        self.step_number += 1
        if self.step_number == self.shared.longest:
            self._over = True
            self.past += [self.at, joint]
            return
        chance = self._chance
        if chance is None:
            after = self.shared.after(self.at, joint)
            self._pending = joint
            if form.discount == 1.0 and len(after) == 1:
                self._decide(after[0][0])
            return
        if form.discount < 1.0 and not chance.random() < form.discount:
            self._over = True
            self.past += [self.at, joint]
            return
        after = self.shared.after(self.at, joint)
        self._arrive(joint, after[chance.index([p for _, p in after])][0])

    def _arrive(self, joint: int, to: int) -> None:
        self.past += [self.at, joint]
        self.at = to
        self._over = bool(self.shared.form.terminal[to])

    def _decide(self, outcome: Action) -> None:
        if outcome not in [o for o, _ in self.chance_outcomes()]:
            raise IllegalActionError(f"chance cannot give {outcome}")
        to, joint = int(outcome), self._pending
        self._pending = -1
        if joint < 0:
            self.at = to
        elif to == self.shared.form.states:
            self.past += [self.at, joint]
            self._over = True
        else:
            self._arrive(joint, to)

    def chance_outcomes(self) -> Sequence[tuple[int, float]]:
        """Return the next states and how likely they are; S stands for the end by discount."""
        if self._pending < 0:
            return list(self.shared.starts)
        form = self.shared.form
        after = self.shared.after(self.at, self._pending)
        if form.discount == 1.0:
            return list(after)
        going = [(s, p * form.discount) for s, p in after]
        return [*going, (form.states, 1.0 - form.discount)]

    def _checked(self, seat: int, action: Action) -> int:
        legal = self.shared.legal(self.at, seat)
        if isinstance(action, bool | np.bool_) or not isinstance(action, int | np.integer):
            raise IllegalActionError(f"seat {seat} answered {action!r}, not an action number")
        if int(action) not in legal:
            raise IllegalActionError(f"seat {seat} played {action}; legal are {list(legal)}")
        return int(action)

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (n,)."""
        return self._paid.copy()

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (n,)."""
        return self._totals.copy()

    def history(self) -> list[int]:
        """Return, step by step, the seats' actions and what chance decided, if it had to.

        Chance decides the first state where there are several, the state after a step where
        several may follow, and, with a discount, whether it goes on (S: it does not).
        """
        form = self.shared.form
        states = [*self.past[::2], *([self.at] if self._goes_on() else [])]
        joints = [*self.past[1::2], *([self._pending] if self._pending >= 0 else [])]
        out = states[:1] if len(self.shared.starts) > 1 else []
        for k, joint in enumerate(joints):
            out += (int(a) for a in np.unravel_index(joint, form.actions))
            if k + 1 == self.step_number and (
                self._pending >= 0 or self.step_number == self.shared.longest
            ):
                break
            if form.discount < 1.0 or len(self.shared.after(states[k], joint)) > 1:
                out.append(states[k + 1] if k + 1 < len(states) else form.states)
        return out

    def _goes_on(self) -> bool:
        """Whether the last state was entered, not left by the end of the episode."""
        return self.at >= 0 and (not self._over or bool(self.shared.form.terminal[self.at]))

    def clone(self) -> MarkovState:
        """Return an independent copy that will draw the same chance."""
        twin = MarkovState.__new__(MarkovState)
        twin.shared, twin.at, twin.step_number = self.shared, self.at, self.step_number
        twin.past = self.past.copy()
        twin._seed, twin._over, twin._pending = self._seed, self._over, self._pending
        twin._chance = None if self._chance is None else self._chance.copy()
        twin._paid, twin._totals = self._paid.copy(), self._totals.copy()
        return twin

    def resample(self, seat: int, seed: int) -> MarkovState:
        """Return a copy with new chance to come: nothing is hidden but that."""
        twin = self.clone()
        twin._chance = Stream(seed)
        return twin

    def describe(self, seat: int | None = None) -> str:
        """Return state, step and payoffs in words."""
        form = self.shared.form
        where = form.state_names[self.at] if self.at >= 0 else "to be drawn"
        head = f"step {self.step_number}" + (f" of {form.horizon}" if form.horizon else "")
        paid = ", ".join(f"{value:g}" for value in self._totals)
        text = f"{head}; state {where}; so far {paid}" + ("; over" if self._over else "")
        if seat is not None and self.actors() == self.shared.seats:
            names = [form.action_names[seat][a] for a in self.legal(seat)]
            text += f"; choose {', '.join(names)}"
        return text

    def render(self) -> str:
        """Return state, step and payoffs."""
        return self.describe()
