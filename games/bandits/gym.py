"""A restless bandit as a gymnasium environment whose actions are vectors of zeros and ones."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.errors import FormError, ParameterError
from arena.game import Game
from arena.rng import derive, fresh_seed
from games.bandits.state import BanditState

__all__ = ["BanditEnv"]


class BanditEnv(gymnasium.Env[NDArray[np.int64], NDArray[np.int8]]):  # type: ignore[misc] # gymnasium is not followed
    """One episode after the other; observations are the states of the arms, shape (J,).

    `info` holds `step`, and after a step what each arm paid (`paid`). An action that is not
    feasible is refused with IllegalActionError; `sample` draws feasible ones.

    Args:
        game: one of `bandits/…`.
        seed: of the episodes; `reset(seed=…)` starts a new sequence.

    Raises:
        FormError: the game is no bandit.
    """

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012 - gymnasium's own way

    def __init__(self, game: Game, *, seed: int | None = None) -> None:
        if "bandit" not in game.forms:
            raise FormError(game.key, "bandit", list(game.forms))
        self.game = game
        self.bandit = game.form("bandit")
        self.action_space = spaces.MultiBinary(self.bandit.feasible.size)
        self.observation_space = spaces.MultiDiscrete(self.bandit.sizes)
        self.render_mode = "ansi"
        self._seed = fresh_seed() if seed is None else seed
        self._episode = 0
        self._state: BanditState | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Start the next episode."""
        super().reset(seed=seed)
        if seed is not None:
            self._seed, self._episode = seed, 0
        state: Any = self.game.state(derive(self._seed, "episode", self._episode))
        self._state = state
        self._episode += 1
        return self._look(), {"step": 0}

    def step(
        self, action: NDArray[np.int8]
    ) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        """Act; the episode terminates at the horizon.

        Raises:
            IllegalActionError: the action is not feasible, or the episode is over.
            ParameterError: `reset` was not called.
        """
        state = self._running()
        state.step_arms(action)
        info = {"step": state.step_number, "paid": state.paid.copy()}
        return self._look(), float(state.rewards()[0]), not state.actors(), False, info

    def sample(self, rng: np.random.Generator) -> NDArray[np.int8]:
        """Return a random feasible action."""
        found: NDArray[np.int8] = self.bandit.feasible.sample(rng).astype(np.int8)
        return found

    def render(self) -> str:
        """Return the state in words."""
        return self._running().render()

    def _look(self) -> NDArray[np.int64]:
        return np.array(self._running().levels, dtype=np.int64)

    def _running(self) -> BanditState:
        if self._state is None:
            raise ParameterError("reset", "not called", "a call before the first step")
        return self._state
