"""The form `normal_form`: every seat picks one action, and a tensor says who is paid what.

Source: von Neumann and Morgenstern 1944, "Theory of Games and Economic Behavior", §11-12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from arena.episode import Chooser
from arena.errors import IllegalActionError, ParameterError
from arena.game import Game, Snapshot
from arena.types import Action, Discrete, Floats, Payoff

__all__ = ["NormalForm", "NormalFormState", "as_game"]

_TENSOR = np.ones(1, dtype=np.float32)
_TENSOR.flags.writeable = False


@dataclass(frozen=True, eq=False)
class NormalForm:
    """A game in which every seat chooses once, unseen by the others.

    Attributes:
        payoffs: what each seat is paid for each joint action, shape (n, A_1, …, A_n),
            float64, finite; kept as a read-only copy.
        action_names: the names of each seat's actions; by default their numbers.
        title: what the game is called.

    Raises:
        ParameterError: the shape is not that of n seats, an entry is not finite, or the
            names do not fit the actions.
    """

    payoffs: Floats
    action_names: tuple[tuple[str, ...], ...] = ()
    title: str = ""

    def __init__(
        self,
        payoffs: Floats | Sequence[Any],
        action_names: Sequence[Sequence[str]] | None = None,
        title: str = "",
    ) -> None:
        try:
            tensor = np.array(payoffs, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ParameterError(
                "payoffs", payoffs, "numbers in a rectangular tensor, shape (n, A_1, …, A_n)"
            ) from error
        if tensor.ndim < 2 or tensor.shape[0] != tensor.ndim - 1:
            raise ParameterError(
                "payoffs.shape",
                tensor.shape,
                "(n, A_1, …, A_n): as many axes after the first as there are seats",
            )
        if tensor.size == 0:
            raise ParameterError("payoffs.shape", tensor.shape, "at least one action a seat")
        bad = np.argwhere(~np.isfinite(tensor))
        if len(bad):
            where = tuple(int(i) for i in bad[0])
            raise ParameterError(f"payoffs{list(where)}", float(tensor[where]), "a finite number")
        tensor.flags.writeable = False
        object.__setattr__(self, "payoffs", tensor)
        object.__setattr__(self, "action_names", _names(action_names, tensor.shape[1:]))
        object.__setattr__(self, "title", title)

    @property
    def seats(self) -> int:
        """Number of seats n."""
        return int(self.payoffs.shape[0])

    @property
    def actions(self) -> tuple[int, ...]:
        """Number of actions of each seat, (A_1, …, A_n)."""
        return tuple(int(a) for a in self.payoffs.shape[1:])

    @property
    def payoff(self) -> Payoff:
        """The kind of payoffs, up to rounding."""
        tolerance = 1e-9 * max(1.0, float(np.abs(self.payoffs).max()))
        total = self.payoffs.sum(axis=0)
        if float(np.abs(total).max()) <= tolerance:
            return "zero_sum"
        if self.seats > 1:
            if float(np.ptp(self.payoffs, axis=0).max()) <= tolerance:
                return "cooperative"
            if float(np.ptp(total)) <= tolerance:
                return "constant_sum"
        return "general_sum"

    def __getitem__(self, joint: Sequence[int]) -> Floats:
        """Return the payoffs of a joint action, shape (n,)."""
        where: tuple[Any, ...] = (slice(None), *joint)
        found: Floats = self.payoffs[where]
        return found

    def __repr__(self) -> str:
        title = f" {self.title!r}" if self.title else ""
        return f"<NormalForm{title} {'×'.join(map(str, self.actions))} {self.payoff}>"


def _names(
    given: Sequence[Sequence[str]] | None, actions: tuple[int, ...]
) -> tuple[tuple[str, ...], ...]:
    if given is None:
        return tuple(tuple(str(i) for i in range(a)) for a in actions)
    names = tuple(tuple(str(name) for name in seat) for seat in given)
    if tuple(len(seat) for seat in names) != actions:
        raise ParameterError(
            "action_names", [list(seat) for seat in names], f"{list(actions)} names, by seat"
        )
    for seat in names:
        if len(set(seat)) != len(seat):
            raise ParameterError("action_names", list(seat), "names that differ within a seat")
    return names


class NormalFormState:
    """One play of a `NormalForm`: all seats choose at once, and it is over."""

    __slots__ = ("_form", "_joint", "_observations")

    def __init__(self, form: NormalForm, observations: tuple[Snapshot, ...]) -> None:
        self._form = form
        self._observations = observations
        self._joint: tuple[int, ...] | None = None

    def actors(self) -> tuple[int, ...]:
        """Return all seats, then none."""
        return tuple(range(self._form.seats)) if self._joint is None else ()

    def observe(self, seat: int) -> Snapshot:
        """Return the same before every play; afterwards, what everyone chose."""
        if self._joint is None:
            return self._observations[seat]
        chosen = ", ".join(
            names[action]
            for names, action in zip(self._form.action_names, self._joint, strict=True)
        )
        return Snapshot(
            seat=seat,
            actions=(),
            legal=np.zeros(self._form.actions[seat], dtype=np.bool_),
            tensor=_TENSOR,
            key=" ".join(map(str, self._joint)),
            view=f"over: {chosen}",
        )

    def legal(self, seat: int) -> Sequence[int]:
        """Return all actions of the seat."""
        return range(self._form.actions[seat]) if self._joint is None else ()

    def step(self, actions: Mapping[int, Action]) -> None:
        """Play the joint action."""
        actors = self.actors()
        if tuple(sorted(actions)) != actors:
            raise IllegalActionError(f"seats {sorted(actions)} moved where {list(actors)} were to")
        self._joint = tuple(self._checked(seat, actions[seat]) for seat in actors)

    def _checked(self, seat: int, action: Action) -> int:
        count = self._form.actions[seat]
        if isinstance(action, bool | np.bool_) or not isinstance(action, int | np.integer):
            raise IllegalActionError(f"seat {seat} answered {action!r}, not an action number")
        if not 0 <= action < count:
            raise IllegalActionError(f"seat {seat} played {action}; legal are 0 to {count - 1}")
        return int(action)

    def drive(self, choose: Sequence[Chooser]) -> None:
        """Play to the end, as `arena.episode.drive` does."""
        if self._joint is not None:
            return
        counts, joint = self._form.actions, []
        for seat, observation in enumerate(self._observations):
            action = choose[seat](observation)
            if type(action) is not int or not 0 <= action < counts[seat]:
                action = self._checked(seat, action)
            joint.append(action)
        self._joint = tuple(joint)

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (n,)."""
        return self.returns()

    def returns(self) -> Floats:
        """Return the payoffs, shape (n,); zero before the play."""
        form = self._form
        return np.zeros(form.seats) if self._joint is None else form[self._joint].copy()

    def history(self) -> list[int]:
        """Return the joint action, seat by seat, once it is played."""
        return list(self._joint or ())

    def clone(self) -> NormalFormState:
        """Return an independent copy."""
        twin = NormalFormState(self._form, self._observations)
        twin._joint = self._joint
        return twin

    def resample(self, seat: int, seed: int) -> NormalFormState:
        """Return a copy: nothing is hidden."""
        return self.clone()

    def render(self) -> str:
        """Return the payoffs of two seats as a table, or the joint action and what it pays."""
        form = self._form
        if self._joint is not None:
            chosen = ", ".join(
                names[action] for names, action in zip(form.action_names, self._joint, strict=True)
            )
            paid = ", ".join(f"{value:g}" for value in form[self._joint])
            return f"{chosen} → {paid}"
        title = form.title or "normal form"
        if form.seats != 2:
            return f"{title}, {'×'.join(map(str, form.actions))}"
        cells = [
            [",".join(f"{v:g}" for v in form[(r, c)]) for c in range(form.actions[1])]
            for r in range(form.actions[0])
        ]
        rows = [["", *form.action_names[1]]]
        rows += [[name, *line] for name, line in zip(form.action_names[0], cells, strict=True)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([title, *(line.rstrip() for line in lines)])


def as_game(
    normal_form: NormalForm, *, id: str, params: Mapping[str, Any] | None = None, **facts: Any
) -> Game:
    """Return a game with the forms `state` and `normal_form`.

    Args:
        normal_form: the payoffs.
        id: the registry name.
        params: what the registry makes it from.
        facts: further fields of `Game`, such as `citation`, `seat_names` or `rebuildable`.
    """
    form = normal_form
    observations = tuple(
        Snapshot(
            seat=seat,
            actions=range(count),
            legal=_all_legal(count),
            tensor=_TENSOR,
            key="",
            view=f"{form.title or id}: choose {', '.join(form.action_names[seat])}",
        )
        for seat, count in enumerate(form.actions)
    )

    def state(seed: int | None) -> NormalFormState:
        return NormalFormState(form, observations)

    def action_name(seat: int, action: int) -> str:
        names = form.action_names[seat]
        return names[action] if 0 <= action < len(names) else str(action)

    settled: dict[str, Any] = {
        "payoff": form.payoff,
        "payoff_bounds": (float(form.payoffs.min()), float(form.payoffs.max())),
        "summary": form.title,
        "action_name": action_name,
        "perfect_information": False,
        "max_length": 1,
    }
    return Game(
        id=id,
        seats=form.seats,
        actions=tuple(Discrete(a) for a in form.actions),
        turns="simultaneous",
        forms={"state": state, "normal_form": lambda: form},
        params=dict(params or {}),
        **{**settled, **facts},
    )


def _all_legal(count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = np.ones(count, dtype=np.bool_)
    mask.flags.writeable = False
    return mask
