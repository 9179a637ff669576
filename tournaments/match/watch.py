"""Following a match step by step: its moves, its length, whoever looks on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from arena.game import State
from arena.types import Action

__all__ = ["CutError", "OnStep", "Watch"]

OnStep = Callable[[State, Mapping[int, Action]], None]
"""Called after every step with the state and the joint action."""


class CutError(Exception):
    """Ends an episode that has reached its greatest length."""


class Watch:
    """Keeps the joint actions and counts them."""

    def __init__(self, steps: list[Mapping[int, Any]], keep: bool, max_steps: int | None) -> None:
        self.steps = steps
        self.keep = keep
        self.left = max_steps
        self.cut = False
        self.state: State | None = None
        self.on_step: OnStep | None = None

    @property
    def needed(self) -> bool:
        """Whether there is anything to do at a step."""
        return self.keep or self.left is not None or self.on_step is not None

    def __call__(self, joint: Mapping[int, Action]) -> None:
        """Take note of a step.

        Raises:
            CutError: it was the last one that is allowed.
        """
        if self.keep:
            self.steps.append({seat: _plain(action) for seat, action in joint.items()})
        if self.on_step is not None and self.state is not None:
            self.on_step(self.state, joint)
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                raise CutError


def _plain(action: Action) -> Any:
    """Return an action as a JSON value."""
    return action if type(action) is int else np.asarray(action).tolist()
