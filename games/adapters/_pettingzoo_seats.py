"""What a seat of a PettingZoo environment is shown, and what all its episodes share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from arena.game import Clock
from arena.types import Floats, Mask
from games.adapters._pettingzoo_spaces import Actions, flattener

__all__ = ["Kind", "PettingZooObservation"]


class Kind:
    """What all episodes of one environment share.

    Attributes:
        id: for messages.
        agents: agent names by seat.
        seat: seats by agent name.
        actions: each seat's action space.
        flat: turns each seat's observations into vectors, or None.
        ansi: whether `render` gives text.
        copies: whether copied environments play on alike; None until that was tried.
        make: makes a new environment.
    """

    __slots__ = ("actions", "agents", "ansi", "copies", "flat", "id", "make", "seat")

    def __init__(self, id: str, env: Any, make: Callable[[], Any]) -> None:
        self.id = id
        self.agents = tuple(env.possible_agents)
        self.seat = {agent: seat for seat, agent in enumerate(self.agents)}
        self.actions = tuple(Actions(env.action_space(agent)) for agent in self.agents)
        self.flat = tuple(flattener(env.observation_space(agent)) for agent in self.agents)
        self.ansi = getattr(env, "render_mode", None) == "ansi"
        self.copies: bool | None = None
        # A new environment for every episode: `reset` does not always forget the last one.
        self.make = make


class PettingZooObservation:
    """A seat's look at its environment.

    Attributes:
        seat: the seat that looks.
        actions: legal actions, counted from 0; empty when the seat is not to move, None
            where actions are not discrete.
        native: the observation as the environment gives it, None before the seat has joined.
        info: the agent's info dictionary.
    """

    __slots__ = ("_kind", "actions", "info", "native", "seat")

    clock: Clock | None = None

    def __init__(
        self, kind: Kind, seat: int, native: Any, info: Any, actions: Sequence[int] | None
    ) -> None:
        self._kind = kind
        self.seat = seat
        self.native = native
        self.info = info
        self.actions = actions

    @property
    def legal(self) -> Mask | None:
        """Mask of legal actions, shape (A,); None where actions are not discrete."""
        n = self._kind.actions[self.seat].n
        if n is None or self.actions is None:
            return None
        mask = np.zeros(n, dtype=np.bool_)
        mask[list(self.actions)] = True
        return mask

    @property
    def tensor(self) -> Floats | None:
        """The observation without its mask as a float32 vector, or None if not numeric.

        All zero before the seat has joined.
        """
        flat = self._kind.flat[self.seat]
        if flat is None:
            return None
        return flat.empty() if self.native is None else flat(self.native)

    @property
    def key(self) -> str | None:
        """What the environment itself gives as `info["infoset"]`, else None.

        An observation alone does not tell what the seat remembers.
        """
        key = self.info.get("infoset")
        return key if isinstance(key, str) else None

    @property
    def view(self) -> str:
        """The observation as text, long arrays abridged."""
        return "" if self.native is None else str(self.native)

    @property
    def start(self) -> Any:
        """What the environment calls action 0."""
        return self._kind.actions[self.seat].start
