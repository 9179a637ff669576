"""What seats see of a Markov game, and the public signals that correlate them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from arena.game import Clock
from arena.rng import derive_many
from arena.types import Floats, Mask

if TYPE_CHECKING:
    from games.markov.state import MarkovState

__all__ = ["MarkovObservation", "signals"]

_SIGNAL = 0x5851F42D4C957F2D  # sets the signal's numbers apart from chance of the same seed


def signals(seed: int, first: int, count: int) -> Floats:
    """Return the public signals of an episode's steps first, …, uniform in [0, 1), (count,)."""
    drawn = derive_many(seed ^ _SIGNAL, np.arange(first, first + count))
    found: Floats = (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return found


class MarkovObservation:
    """A seat's look: the state, the step, and everything that happened before.

    Attributes:
        seat: the seat that looks.
    """

    __slots__ = ("_state", "seat")

    clock: Clock | None = None

    def __init__(self, state: MarkovState, seat: int) -> None:
        self._state = state
        self.seat = seat

    @property
    def actions(self) -> Sequence[int]:
        """Legal actions; none when it is over."""
        return self._state.legal(self.seat)

    @property
    def legal(self) -> Mask:
        """Mask of legal actions, shape (A,)."""
        form = self._state.shared.form
        if self._state.actors() != self._state.shared.seats:
            return np.zeros(form.actions[self.seat], dtype=np.bool_)
        mask: Mask = form.legal[self.seat][self._state.at].copy()
        return mask

    @property
    def state(self) -> int:
        """The number of the state."""
        return self._state.at

    @property
    def step(self) -> int:
        """Steps done so far."""
        return self._state.step_number

    @property
    def past(self) -> tuple[int, ...]:
        """State, joint action, state, joint action, …, all that is behind."""
        return tuple(self._state.past)

    @property
    def signal(self) -> float | None:
        """This step's public random number in [0, 1), the same for every seat.

        A correlation device draws joint actions with it. None where chance is enumerated.
        """
        return self.signal_at(self._state.step_number)

    def signal_at(self, step: int) -> float | None:
        """Return the signal of a step, this one or one behind."""
        return self._state.signal(step + 1)

    @property
    def episode_signal(self) -> float | None:
        """The episode's public random number, for policies that mix whole plans."""
        return self._state.signal(0)

    @property
    def tensor(self) -> Floats:
        """One-hot state, then the share of the horizon done (else 0); float32, (S + 1,)."""
        form = self._state.shared.form
        out = np.zeros(form.states + 1, dtype=np.float32)
        if self._state.at >= 0:
            out[self._state.at] = 1.0
        if form.horizon:
            out[-1] = self._state.step_number / form.horizon
        return out

    @property
    def key(self) -> str:
        """The whole history: states and joint actions are public."""
        return " ".join(map(str, [*self._state.past, self._state.at]))

    @property
    def view(self) -> str:
        """State, step and payoffs in words."""
        return self._state.describe(self.seat)
