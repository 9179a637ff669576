"""What the kits share: failing with a message, drawing actions, and seeing a state whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from arena.errors import ConformanceError, IllegalActionError
from arena.game import Game, Observation, State
from arena.rng import Stream, generator
from arena.types import CHANCE, Action, Box, Discrete, MultiDiscrete, OtherSpace

__all__ = ["Check", "Drawer", "fingerprint", "observed", "same"]

_MOST_TRIES = 1000


class Check:
    """Raises `ConformanceError` with the place: what is checked, the seed, the step."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.place = ""

    def __call__(self, fine: object, expected: str, seen: object) -> None:
        """Fail unless `fine`."""
        if not fine:
            self.fail(expected, seen)

    def fail(self, expected: str, seen: object) -> None:
        """Raise the error."""
        at = f" ({self.place})" if self.place else ""
        shown = seen if isinstance(seen, str) else repr(seen)
        raise ConformanceError(f"{self.subject}: expected {expected}; saw {shown}{at}")

    def run(self, expected: str, action: Callable[[], Any]) -> Any:
        """Return what `action` returns; an exception is a failure."""
        try:
            return action()
        except ConformanceError:
            raise
        except Exception as error:
            at = f" ({self.place})" if self.place else ""
            raise ConformanceError(
                f"{self.subject}: expected {expected}; saw {type(error).__name__}: {error}{at}"
            ) from error


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, arrays entry by entry."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        equal_nan = getattr(np.asarray(one), "dtype", np.dtype(object)).kind == "f"
        return np.array_equal(np.asarray(one), np.asarray(other), equal_nan=equal_nan)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def observed(observation: Observation) -> dict[str, Any]:
    """Return the fields of an observation that do not run with the clock."""
    actions = observation.actions
    tensor, legal = observation.tensor, observation.legal
    return {
        "seat": observation.seat,
        "actions": None if actions is None else list(actions),
        "legal": None if legal is None else np.array(legal),
        "tensor": None if tensor is None else np.array(tensor),
        "key": observation.key,
        "view": observation.view,
    }


def fingerprint(game: Game, state: State, *, observe: bool = True) -> dict[str, Any]:
    """Return all that can be seen of a state."""
    actors = tuple(state.actors())
    seen: dict[str, Any] = {
        "actors": actors,
        "returns": np.array(state.returns()),
        "rewards": np.array(state.rewards()),
        "render": state.render(),
    }
    history = getattr(state, "history", None)
    if history is not None:
        seen["history"] = list(history())
    if actors == (CHANCE,):
        seen["chance"] = [tuple(pair) for pair in state.chance_outcomes()]  # type: ignore[attr-defined]
    elif observe:
        for seat in actors:
            seen[f"seat {seat}"] = observed(state.observe(seat))
    return seen


class Drawer:
    """Draws actions for any action space, all from one seed."""

    def __init__(self, game: Game, seed: int) -> None:
        self.stream = Stream(seed)
        self._spaces = game.actions
        self._rng = generator(seed)
        for space in game.actions:
            if isinstance(space, OtherSpace):
                space.space.seed(seed & 0x7FFFFFFF)  # type: ignore[attr-defined]

    def action(self, state: State, seat: int) -> Action:
        """Return a legal action where they are listed, else a member of the action space."""
        legal = state.legal(seat)
        if legal is not None:
            return self.stream.choice(legal)
        space = self._spaces[seat]
        if isinstance(space, MultiDiscrete):
            return self._rng.integers(0, np.array(space.sizes))
        if isinstance(space, Box):
            low = np.where(np.isfinite(space.low), space.low, -1.0)
            high = np.where(np.isfinite(space.high), space.high, np.maximum(low, 0.0) + 1.0)
            low = np.where(np.isfinite(space.low), low, np.minimum(low, high - 1.0))
            return self._rng.uniform(low, high, space.shape).astype(space.dtype)
        drawn: Action = space.space.sample()  # type: ignore[union-attr] # a gymnasium space
        return drawn

    def joint(self, state: State) -> dict[int, Action]:
        """Return an action for each acting seat; an outcome at a chance node."""
        actors = state.actors()
        if actors == (CHANCE,):
            outcomes = state.chance_outcomes()  # type: ignore[attr-defined] # it shows chance
            index = self.stream.index([p for _, p in outcomes])
            return {CHANCE: outcomes[index][0]}
        return {seat: self.action(state, seat) for seat in actors}

    def step(self, state: State) -> dict[int, Action]:
        """Step `state` by a drawn joint action and return it.

        Members of a space that lists no legal actions may be refused; then another is drawn.
        """
        for _ in range(_MOST_TRIES):
            joint = self.joint(state)
            try:
                state.step(joint)
            except IllegalActionError:
                if all(isinstance(self._spaces[s], Discrete) for s in joint if s >= 0):
                    raise
                continue
            return joint
        raise IllegalActionError(f"{_MOST_TRIES} members of the action space were all refused")
