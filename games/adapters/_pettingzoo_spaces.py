"""Between gymnasium spaces and arena's: what a seat may do and what it is shown.

Nothing is flattened on the way in: a `Box` stays a `Box`, a `MultiDiscrete` a
`MultiDiscrete`, and what arena has no word for is carried as it is (`OtherSpace`). Only
the origin moves: a space that counts from `start` is counted from 0 in arena.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from arena.errors import IllegalActionError, NotApplicableError
from arena.types import Action, ActionSpace, Box, Discrete, Floats, MultiDiscrete, OtherSpace

__all__ = ["Actions", "Flattener", "flattener", "from_arena", "mask_of", "to_arena"]

MASK = "action_mask"


def to_arena(space: Any) -> ActionSpace:
    """Return arena's word for a gymnasium action space."""
    if isinstance(space, spaces.Discrete):
        return Discrete(int(space.n))
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return MultiDiscrete(tuple(int(n) for n in space.nvec))
    if isinstance(space, spaces.Box):
        return Box(space.low, space.high, tuple(space.shape), str(space.dtype))
    return OtherSpace(space)


def from_arena(space: ActionSpace) -> Any:
    """Return a gymnasium space for arena's.

    Raises:
        NotApplicableError: an `OtherSpace` that holds no gymnasium space.
    """
    if isinstance(space, Discrete):
        return spaces.Discrete(space.n)
    if isinstance(space, MultiDiscrete):
        return spaces.MultiDiscrete(np.array(space.sizes, dtype=np.int64))
    if isinstance(space, Box):
        dtype: Any = np.dtype(space.dtype).type
        low = np.broadcast_to(np.asarray(space.low, dtype), space.shape)
        high = np.broadcast_to(np.asarray(space.high, dtype), space.shape)
        return spaces.Box(low.copy(), high.copy(), dtype=dtype)
    if isinstance(space.space, spaces.Space):
        return space.space
    raise NotApplicableError(f"the action space {space.space!r} is not a gymnasium space")


class Actions:
    """One seat's actions: checks what arena passes and turns it into what the env wants.

    Attributes:
        space: the gymnasium space.
        arena: arena's word for it.
        n: number of actions, or None where they are not `Discrete`.
        start: what the env calls arena's action 0 (0 where the space counts from 0).
    """

    __slots__ = ("arena", "n", "space", "start")

    def __init__(self, space: Any) -> None:
        self.space = space
        self.arena = to_arena(space)
        self.n = self.arena.n if isinstance(self.arena, Discrete) else None
        self.start: Any = 0
        if isinstance(self.arena, Discrete | MultiDiscrete):
            self.start = getattr(space, "start", 0)
            if self.n is not None:
                self.start = int(self.start)

    def native(self, seat: int, action: Action, mask: Any) -> Any:
        """Return what the env calls `action`.

        Args:
            seat: for the message.
            action: as arena counts.
            mask: the env's own mask, or None if every action is legal.

        Raises:
            IllegalActionError: it is outside the space or masked out.
        """
        if self.n is None:
            return self._native_array(seat, action, mask)
        if isinstance(action, bool | np.bool_) or not isinstance(action, int | np.integer):
            raise IllegalActionError(f"seat {seat} answered {action!r}, not an action number")
        if not 0 <= action < self.n:
            raise IllegalActionError(f"seat {seat} played {action}; actions are 0-{self.n - 1}")
        if mask is not None and not mask[action]:
            legal = np.flatnonzero(mask).tolist()
            raise IllegalActionError(f"seat {seat} played {action}; legal are {legal}")
        return int(action) + self.start

    def _native_array(self, seat: int, action: Action, mask: Any) -> Any:
        value: Any = action
        if not isinstance(self.arena, OtherSpace):
            try:
                value = np.asarray(action)
                # Of another shape, it could become an action by broadcasting.
                if np.issubdtype(value.dtype, np.number) and value.shape == self.space.shape:
                    value = (value + self.start).astype(self.space.dtype, casting="same_kind")
            except (TypeError, ValueError) as error:
                raise IllegalActionError(f"seat {seat} answered {action!r}: {error}") from error
        if not self.space.contains(value):
            raise IllegalActionError(f"seat {seat} played {action!r}, outside {self.space}")
        if mask is not None and isinstance(self.arena, MultiDiscrete):
            choices = np.asarray(value) - self.start
            parts = mask
            if isinstance(mask, np.ndarray):  # one flat array, the parts end to end
                parts = np.split(mask, np.cumsum(self.arena.sizes)[:-1])
            if not all(part[choice] for part, choice in zip(parts, choices, strict=True)):
                raise IllegalActionError(f"seat {seat} played {choices.tolist()}, masked out")
        return value


def mask_of(observation: Any, info: Any) -> Any:
    """Return the action mask of `observation` or, failing that, of `info`, or None."""
    if isinstance(observation, dict) and MASK in observation:
        return observation[MASK]
    return info.get(MASK) if isinstance(info, dict) else None


class Flattener:
    """Turns one seat's observations into float32 vectors, shape (D,).

    A Box is ravelled; dictionaries, tuples and integers are laid end to end as
    `gymnasium.spaces.flatten` does it (integers one-hot).
    """

    __slots__ = ("_box", "_keys", "_single", "_space", "size")

    def __init__(self, space: Any, keys: tuple[str, ...] | None) -> None:
        self._keys = keys  # what to keep of a dictionary that also holds the mask
        self._single = keys == ("observation",)
        if keys is not None:
            parts = {key: space.spaces[key] for key in keys}
            space = parts["observation"] if self._single else spaces.Dict(parts)
        self._space = space
        self._box = isinstance(space, spaces.Box)
        self.size = int(spaces.flatdim(space))

    def __call__(self, seen: Any) -> Floats:
        """Return the vector of the observation `seen`."""
        if self._single:
            seen = seen["observation"]
        elif self._keys is not None:
            seen = {key: seen[key] for key in self._keys}
        if self._box:
            return np.array(seen, dtype=np.float32).ravel()
        return np.array(spaces.flatten(self._space, seen), dtype=np.float32)

    def empty(self) -> Floats:
        """Return the vector of having seen nothing."""
        return np.zeros(self.size, dtype=np.float32)


def flattener(space: Any) -> Flattener | None:
    """Return a `Flattener` without the action mask, or None where something is not numeric."""
    keys = None
    if isinstance(space, spaces.Dict) and MASK in space.spaces:
        keys = tuple(key for key in space.spaces if key != MASK)
        if not all(_numeric(space.spaces[key]) for key in keys):
            return None
    elif not _numeric(space):
        return None
    return Flattener(space, keys)


def _numeric(space: Any) -> bool:
    if isinstance(space, spaces.Dict):
        return all(map(_numeric, space.spaces.values()))
    if isinstance(space, spaces.Tuple):
        return all(map(_numeric, space.spaces))
    return isinstance(
        space, spaces.Box | spaces.Discrete | spaces.MultiBinary | spaces.MultiDiscrete
    )
