"""The form `batch` of control games: N episodes, each with a controller and an adversary.

Actions are vectors from −1 to 1. What the adversary's vector does is its *channel*:

    force         pushes the plant, `strength` units at most along each axis
    action        is added, times `strength`, to the controller's action (then clipped)
    observation   is added, times `strength`, to what the controller is shown next

Besides, Gaussian noise may be added to the controller's actions and observations, and gusts may
push the plant: `gusts` units along each axis, with signs that are drawn afresh in a tenth of the
steps. All of it follows from the episode's seed. An episode ends by the plant's rules, is cut
off at the horizon, and fails where a simulation yields numbers that are none: then it ends,
pays nothing for that step, and counts in `failed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError, NotApplicableError, ParameterError, UnknownNameError
from arena.rng import stream_states, streams_random
from arena.types import Floats, Mask
from games.batch import BatchObservation, as_seeds
from games.control.plants import Plants
from games.control.setup import Setup

__all__ = ["SCALES", "ControlBatch"]

SCALES = ("mass", "friction", "strength", "gusts", "action_noise", "observation_noise")
"""What may differ from episode to episode of a batch."""

_TURNS = 0.1
"""How often gusts turn."""

Rows = NDArray[np.float64]


class ControlBatch:
    """See `games.batch.Batch`; `step` takes a vector array for each seat.

    Args:
        setup: the game.
        seeds: one an episode.
        scales: for some of `SCALES` the values of each episode, shape (N,), in place of the
            game's own.

    Attributes:
        truncated: where the episode was cut off by the horizon, shape (N,).
        failed: where the simulation broke down, shape (N,).

    Raises:
        UnknownNameError: a scale that does not exist.
        ParameterError: values of another shape, negative or not finite.
        NotApplicableError: gusts where nothing can push.
    """

    def __init__(
        self,
        setup: Setup,
        seeds: NDArray[np.integer[Any]] | Sequence[int],
        *,
        scales: Mapping[str, Any] | None = None,
    ) -> None:
        rows = as_seeds(seeds)
        n = len(rows)
        self.setup = setup
        values = _scales(setup, scales or {}, n)
        self._strength = values["strength"][:, None]
        self._action_noise = values["action_noise"][:, None]
        self._observation_noise = values["observation_noise"][:, None]
        self._gusts = values["gusts"][:, None]
        self._gusty = bool(self._gusts.any())
        self._noisy = bool(self._action_noise.any()), bool(self._observation_noise.any())
        self._streams = stream_states(rows)
        self._plants: Plants = setup.plants(rows, self._uniform, values["mass"], values["friction"])
        self._blur: Rows = np.zeros((n, setup.observed))
        self._signs: Rows = np.zeros((n, setup.forces))
        self._live = np.ones(n, dtype=np.bool_)
        self.truncated = np.zeros(n, dtype=np.bool_)
        self.failed = np.zeros(n, dtype=np.bool_)
        self._paid, self._totals = np.zeros(n), np.zeros(n)
        self.steps = 0
        if self._noisy[1]:
            self._blur += self._observation_noise * self._normal(setup.observed)
        self._seen: Rows = self._plants.look()

    def actors(self) -> Mask:
        """Return where both seats are to move, shape (N, 2)."""
        return np.repeat(self._live[:, None], 2, axis=1)

    def observe(self, seat: int) -> BatchObservation:
        """Return what a seat is shown; `legal` has no columns, as actions are vectors."""
        seen = self._seen + self._blur if seat == 0 else self._seen
        legal = np.zeros((len(seen), 0), dtype=np.bool_)
        return BatchObservation(seat, self._live.copy(), legal, seen.astype(np.float32))

    def step(self, actions: Sequence[NDArray[Any]]) -> None:
        """Apply the actions of both seats.

        Args:
            actions: an array for each seat, shapes (N, K) and (N, F); rows of episodes that
                are over are ignored.

        Raises:
            IllegalActionError: another shape, or an entry that is not from −1 to 1.
        """
        control, push = self._checked(actions)
        setup, live = self.setup, self._live
        force = np.zeros((len(live), setup.forces))
        blur = np.zeros_like(self._blur)
        if setup.channel == "force":
            force = push * self._strength
        elif setup.channel == "action":
            control = np.clip(control + push * self._strength, -1.0, 1.0)
        else:
            blur += push * self._strength
        if self._noisy[0]:
            noise = self._action_noise * self._normal(control.shape[1])
            control = np.clip(control + noise, -1.0, 1.0)
        if self._gusty:
            force = force + self._gusts * self._blown()
        moved = self._plants.move(control, force, live)
        if self._noisy[1]:
            blur += self._observation_noise * self._normal(setup.observed)
        # Episodes that are over, or break down, keep what they showed last.
        sound = (live & ~moved.failed)[:, None]
        self._blur = np.where(sound, blur, self._blur)
        self._seen = np.where(sound, self._plants.look(), self._seen)
        self._paid = np.where(live, moved.reward, 0.0)
        self._totals += self._paid
        self.steps += 1
        over = moved.ended | moved.failed
        cut = live & ~over & (moved.cut | (self.steps >= setup.horizon))
        self.truncated |= cut
        self.failed |= moved.failed
        self._live = live & ~over & ~cut

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (N, 2)."""
        return np.stack([self._paid, 0.0 - self._paid], axis=1)

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (N, 2)."""
        return np.stack([self._totals, 0.0 - self._totals], axis=1)

    def clone(self) -> ControlBatch:
        """Return an independent copy that will draw the same noise."""
        twin = ControlBatch.__new__(ControlBatch)
        twin.__dict__.update(self.__dict__)
        twin._plants = self._plants.clone()
        for name in ("_streams", "_live", "truncated", "failed", "_totals"):
            setattr(twin, name, getattr(self, name).copy())
        return twin

    def describe(self, row: int) -> str:
        """Return one plant in words."""
        return self._plants.describe(row)

    # -- chance --------------------------------------------------------------------

    def _uniform(self, count: int) -> Rows:
        """Draw as `arena.rng.Stream.random` does, shape (N, count)."""
        out = np.empty((len(self._streams), count))
        for k in range(count):
            out[:, k] = streams_random(self._streams)
        return out

    def _normal(self, count: int) -> Rows:
        """Draw normal numbers (Box and Muller 1958), shape (N, count)."""
        pairs = (count + 1) // 2
        radius = np.sqrt(-2.0 * np.log1p(-self._uniform(pairs)))
        angle = 2.0 * np.pi * self._uniform(pairs)
        both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return both[:, :count]

    def _blown(self) -> Rows:
        """Return the signs of this step's gusts, shape (N, F)."""
        turns = (self._uniform(1) < _TURNS) | (self.steps == 0)
        drawn = np.where(self._uniform(self.setup.forces) < 0.5, -1.0, 1.0)
        self._signs = np.where(turns, drawn, self._signs)
        return self._signs

    def _checked(self, actions: Sequence[NDArray[Any]]) -> tuple[Rows, Rows]:
        if len(actions) != 2:
            raise IllegalActionError(f"{len(actions)} arrays of actions, where 2 were to come")
        out = []
        for seat, size in enumerate(self.setup.sizes):
            name, wanted = self.setup.seat_names[seat], (len(self._live), size)
            try:
                given = np.asarray(actions[seat], dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise IllegalActionError(f"{name} played {actions[seat]!r}: {error}") from error
            if given.shape != wanted:
                raise IllegalActionError(
                    f"{name}: actions of shape {given.shape}, where {wanted} was to come"
                )
            given = np.where(self._live[:, None], given, 0.0)
            if not (np.abs(given) <= 1.0).all():
                row = int(np.flatnonzero(~(np.abs(given) <= 1.0).all(axis=1))[0])
                raise IllegalActionError(
                    f"{name} played {actions[seat][row].tolist()}, outside [-1, 1]"
                )
            out.append(given)
        return out[0], out[1]


def _scales(setup: Setup, given: Mapping[str, Any], n: int) -> dict[str, Rows]:
    values: dict[str, Rows] = {}
    for name in given:
        if name not in SCALES:
            hint = f"there are {', '.join(SCALES)}"
            raise UnknownNameError("scale of an episode", name, SCALES, hint=hint)
    for name in SCALES:
        own = float(getattr(setup, name))
        rows = np.asarray(given.get(name, np.full(n, own)), dtype=np.float64)
        least = np.nextafter(0.0, 1.0) if name == "mass" else 0.0
        if rows.shape != (n,) or not (np.isfinite(rows).all() and (rows >= least).all()):
            kind = "positive" if name == "mass" else "non-negative"
            raise ParameterError(name, given.get(name), f"{n} {kind} numbers, one an episode")
        if name == "gusts" and rows.any() and not setup.forces:
            raise NotApplicableError(f"no gusts in {setup.id}: nothing can push it")
        values[name] = rows
    return values
