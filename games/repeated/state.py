"""The form `state` of a repeated matrix game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from arena.episode import Chooser
from arena.errors import FormError, IllegalActionError
from arena.game import Clock
from arena.rng import Stream
from arena.types import CHANCE, Action, Floats, Mask
from games.repeated.form import RepeatedForm

__all__ = ["RepeatedObservation", "RepeatedState", "Shared"]

_DECIDE, _SLIP, _GO_ON, _OVER = range(4)


class Shared:
    """What all states of one repeated game share.

    Attributes:
        form: the game.
        counts: number of actions of each seat.
        strides: of the joint action's number, seat by seat.
        pay: payoffs of each joint action by its number, a tuple a joint action.
        width: length of an observation's tensor.
    """

    __slots__ = (
        "actions",
        "counts",
        "form",
        "masks",
        "pay",
        "plain",
        "seat_names",
        "seats",
        "strides",
        "width",
    )

    def __init__(self, form: RepeatedForm, seat_names: Sequence[str]) -> None:
        stage = form.stage
        self.form = form
        self.seats = tuple(range(stage.seats))
        self.counts = stage.actions
        self.strides = tuple(
            int(np.prod(self.counts[seat + 1 :], dtype=np.int64)) for seat in self.seats
        )
        self.pay: list[tuple[float, ...]] = [
            tuple(row) for row in stage.payoffs.reshape(stage.seats, -1).T.tolist()
        ]
        self.actions = tuple(range(count) for count in self.counts)
        self.masks = tuple(np.ones(count, dtype=np.bool_) for count in self.counts)
        for mask in self.masks:
            mask.flags.writeable = False
        self.seat_names = tuple(seat_names)
        self.width = form.memory * sum(self.counts) + 1
        self.plain = form.noise == 0.0 and form.continuation is None

    def number(self, joint: Sequence[int]) -> int:
        """Return the number of a joint action, row-major."""
        return sum(a * s for a, s in zip(joint, self.strides, strict=True))

    def joint(self, number: int) -> tuple[int, ...]:
        """Return the joint action of a number."""
        return tuple(
            number // s % count for s, count in zip(self.strides, self.counts, strict=True)
        )


class RepeatedObservation:
    """A seat's look at a repeated game, computed when it is read.

    Other seats appear in turn order, from the next one round the table.
    """

    __slots__ = ("_state", "seat")

    clock: Clock | None = None

    def __init__(self, state: RepeatedState, seat: int) -> None:
        self._state = state
        self.seat = seat

    @property
    def actions(self) -> Sequence[int]:
        """All actions of the seat, none when it is over."""
        return self._state.legal(self.seat)

    @property
    def legal(self) -> Mask:
        """All of them, shape (A,)."""
        mask = self._state.shared.masks[self.seat]
        return mask if self._state.phase != _OVER else np.zeros_like(mask)

    @property
    def round(self) -> int:
        """Rounds played so far."""
        return len(self._state.played)

    @property
    def last(self) -> tuple[int, ...] | None:
        """What was executed last, one's own action first; None before the first round."""
        played = self._state.played
        if not played:
            return None
        joint, seat = played[-1], self.seat
        return joint[seat:] + joint[:seat] if seat else joint

    @property
    def tensor(self) -> Floats:
        """The latest rounds, then how far the match is; float32, shape (D,).

        D = memory · ΣA + 1: round by round, the latest first (zeros before the first), a
        one-hot row for one's own executed action and for each other seat's; then the share
        of the rounds played or, if their number is not known, 1/(1 + rounds played).
        """
        state, seat = self._state, self.seat
        shared, played = state.shared, state.played
        out = np.zeros(shared.width, dtype=np.float32)
        order = shared.seats[seat:] + shared.seats[:seat]
        at = 0
        for joint in played[: -shared.form.memory - 1 : -1]:
            for other in order:
                out[at + joint[other]] = 1.0
                at += shared.counts[other]
        horizon = shared.form.horizon
        out[-1] = len(played) / horizon if horizon else 1.0 / (1.0 + len(played))
        return out

    @property
    def key(self) -> str:
        """All rounds: what was executed, one's own action first.

        With noise, one's own choice stands before it, as in `0>10 1>11`.
        """
        state, seat = self._state, self.seat
        dot = "" if max(state.shared.counts) <= 10 else ","
        rounds = (dot.join(map(str, joint[seat:] + joint[:seat])) for joint in state.played)
        if state.shared.form.noise == 0.0:
            return " ".join(rounds)
        meant = (joint[seat] for joint in state.meant)
        return " ".join(f"{own}>{text}" for own, text in zip(meant, rounds, strict=False))

    @property
    def view(self) -> str:
        """Round, last round and payoffs in words."""
        state, seat = self._state, self.seat
        form, names = state.shared.form, state.shared.form.stage.action_names
        where = f"round {len(state.played) + 1}" if state.phase != _OVER else "over"
        where += f" of {form.horizon}" if form.horizon and state.phase != _OVER else ""
        if not state.played:
            return f"{where}; choose {', '.join(names[seat])}"
        joint = state.played[-1]
        told = ", ".join(
            f"{'you' if other == seat else state.shared.seat_names[other]}: {names[other][a]}"
            for other, a in enumerate(joint)
        )
        paid = ", ".join(f"{value:g}" for value in state.returns())
        return f"{where}; last {told}; {form.payoff} so far {paid}"


class RepeatedState:
    """One match of a repeated matrix game.

    Attributes:
        shared: the game.
        played: executed joint actions, one a round.
        meant: chosen joint actions, kept only where noise tells them from `played`.
        phase: deciding, slipping (noise), going on (continuation), or over.
    """

    __slots__ = ("_before", "_chance", "_looks", "_totals", "meant", "phase", "played", "shared")

    def __init__(self, shared: Shared, seed: int | None) -> None:
        self.shared = shared
        self.played: list[tuple[int, ...]] = []
        self.meant: list[tuple[int, ...]] = []
        self.phase = _DECIDE
        self._chance = None if seed is None else Stream(seed)
        self._totals = [0.0] * len(shared.seats)
        self._before = self.returns()
        self._looks = [RepeatedObservation(self, seat) for seat in shared.seats]

    def actors(self) -> tuple[int, ...]:
        """Return all seats until it is over; `(CHANCE,)` at an exposed chance node."""
        if self.phase == _DECIDE:
            return self.shared.seats
        return () if self.phase == _OVER else (CHANCE,)

    def observe(self, seat: int) -> RepeatedObservation:
        """Return what `seat` knows now."""
        return self._looks[seat]

    def legal(self, seat: int) -> Sequence[int]:
        """Return all actions of `seat`."""
        return self.shared.actions[seat] if self.phase != _OVER else ()

    def step(self, actions: Mapping[int, Action]) -> None:
        """Play one round, or decide an exposed chance node."""
        actors = self.actors()
        if tuple(sorted(actions)) != actors:
            raise IllegalActionError(f"seats {sorted(actions)} moved where {list(actors)} were to")
        if self.phase == _DECIDE:
            joint = tuple(self._checked(seat, actions[seat]) for seat in actors)
            self._before = self.returns()
            if self._chance is not None:
                self._advance(joint, self._chance)
            elif self.shared.form.noise > 0.0:
                self.meant.append(joint)
                self.phase = _SLIP
            else:
                self._execute(joint)
                self.phase = self._after_round()
            return
        outcome = actions[CHANCE]
        if outcome not in [o for o, _ in self.chance_outcomes()]:
            raise IllegalActionError(f"chance cannot give {outcome}")
        if self.phase == _SLIP:
            self._execute(self.shared.joint(int(outcome)))
            self.phase = self._after_round()
        else:
            self.phase = _DECIDE if outcome else _OVER

    def _after_round(self) -> int:
        form = self.shared.form
        if form.rounds is not None and len(self.played) >= form.rounds:
            return _OVER
        return _DECIDE if form.continuation is None else _GO_ON

    def _execute(self, joint: tuple[int, ...]) -> None:
        self.played.append(joint)
        totals = self._totals
        for seat, paid in enumerate(self.shared.pay[self.shared.number(joint)]):
            totals[seat] += paid

    def _advance(self, joint: tuple[int, ...], chance: Stream) -> None:
        """Play one round, drawing noise seat by seat and then whether it goes on."""
        shared = self.shared
        form = shared.form
        if form.noise > 0.0:
            self.meant.append(joint)
            joint = tuple(
                _slip(action, count, chance) if chance.random() < form.noise else action
                for action, count in zip(joint, shared.counts, strict=True)
            )
        self._execute(joint)
        over = form.rounds is not None and len(self.played) >= form.rounds
        if not over and form.continuation is not None:
            over = not chance.random() < form.continuation
        if over:
            self.phase = _OVER

    def _checked(self, seat: int, action: Action) -> int:
        count = self.shared.counts[seat]
        if isinstance(action, bool | np.bool_) or not isinstance(action, int | np.integer):
            raise IllegalActionError(f"seat {seat} answered {action!r}, not an action number")
        if not 0 <= action < count:
            raise IllegalActionError(f"seat {seat} played {action}; legal are 0 to {count - 1}")
        return int(action)

    def drive(self, choose: Sequence[Chooser]) -> None:
        """Play to the end, as `arena.episode.drive` does, with less to do in each round."""
        chance = self._chance
        if chance is None:
            raise FormError("repeated", "sampled episode", ["enumerated state"])
        shared, looks, played, totals = self.shared, self._looks, self.played, self._totals
        asked = list(zip(shared.seats, choose, looks, shared.counts, strict=True))
        pay, strides, rounds = shared.pay, shared.strides, shared.form.rounds
        while self.phase == _DECIDE:
            joint = []
            for seat, chooser, look, count in asked:
                action = chooser(look)
                if type(action) is not int or not 0 <= action < count:
                    action = self._checked(seat, action)
                joint.append(action)
            if rounds is None or len(played) + 1 >= rounds or not shared.plain:
                self._before = self.returns()
                self._advance(tuple(joint), chance)
                continue
            played.append(tuple(joint))
            number = 0
            for action, stride in zip(joint, strides, strict=True):
                number += action * stride
            for seat, paid in enumerate(pay[number]):
                totals[seat] += paid

    def chance_outcomes(self) -> Sequence[tuple[int, float]]:
        """Return the outcomes of an exposed chance node and their probabilities.

        After a choice: the number of the executed joint action (row-major). After a
        round: 1 if another follows, 0 if not.
        """
        shared, form = self.shared, self.shared.form
        if self.phase == _GO_ON:
            go_on = form.continuation or 0.0
            return [(o, p) for o, p in ((0, 1.0 - go_on), (1, go_on)) if p > 0.0]
        outcomes = [(0, 1.0)]
        for action, count, stride in zip(
            self.meant[-1], shared.counts, shared.strides, strict=True
        ):
            # A seat with a single action has nothing to slip to.
            slip = form.noise / (count - 1) if count > 1 else 0.0
            keep = 1.0 - form.noise if count > 1 else 1.0
            outcomes = [
                (number + other * stride, p * (keep if other == action else slip))
                for number, p in outcomes
                for other in range(count)
            ]
        return [(number, p) for number, p in outcomes if p > 0.0]

    def rewards(self) -> Floats:
        """Return what the last round added to `returns`, shape (n,)."""
        return self.returns() - self._before

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (n,).

        A mean is over all rounds of the match where their number is known beforehand, else
        over those played.
        """
        totals = np.array(self._totals, dtype=np.float64)
        form = self.shared.form
        if form.payoff == "sum":
            return totals
        mean: Floats = totals / (form.horizon or max(len(self.played), 1))
        return mean

    def history(self) -> list[int]:
        """Return round by round the choices, then what noise made of them, then if it went on.

        The executed joint action's number is there only with noise, the 0 or 1 of
        continuation only where there is one.
        """
        form = self.shared.form
        out: list[int] = []
        rounds = self.meant if form.noise > 0.0 else self.played
        for k, joint in enumerate(rounds):
            out += joint
            if form.noise > 0.0 and k < len(self.played):
                out.append(self.shared.number(self.played[k]))
            if form.continuation is not None and k < len(self.played):
                last = k + 1 == len(self.played)
                if not last or self.phase == _DECIDE:
                    out.append(1)
                elif self.phase == _OVER and (form.rounds is None or k + 1 < form.rounds):
                    out.append(0)
        return out

    def clone(self) -> RepeatedState:
        """Return an independent copy that will draw the same chance."""
        twin = RepeatedState(self.shared, None)
        twin.played = self.played.copy()
        twin.meant = self.meant.copy()
        twin.phase = self.phase
        twin._chance = None if self._chance is None else self._chance.copy()
        twin._totals = self._totals.copy()
        twin._before = self._before
        return twin

    def resample(self, seat: int, seed: int) -> RepeatedState:
        """Return a copy with new chance to come: what was executed is known to all.

        Under noise the copy keeps what the others chose, which nothing to come depends on.
        """
        twin = self.clone()
        twin._chance = Stream(seed)
        return twin

    def render(self) -> str:
        """Return every round, action by action, and the payoffs."""
        names = self.shared.form.stage.action_names
        lines = []
        for k, joint in enumerate(self.played):
            told = ", ".join(names[seat][a] for seat, a in enumerate(joint))
            if self.meant and self.meant[k] != joint:
                meant = ", ".join(names[seat][a] for seat, a in enumerate(self.meant[k]))
                told += f" (meant: {meant})"
            lines.append(f"{k + 1}: {told}")
        paid = ", ".join(f"{value:g}" for value in self.returns())
        return "\n".join([*lines, f"{self.shared.form.payoff}: {paid}"])


def _slip(action: int, count: int, chance: Stream) -> int:
    """Return another action than `action`, each equally likely; without a draw for one or two."""
    if count < 2:
        return action
    if count == 2:
        return 1 - action
    other = chance.below(count - 1)
    return other + (other >= action)
