"""A running arena state as PettingZoo sees it, turn by turn or parallel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import numpy as np
from gymnasium import spaces

from arena.errors import ArenaError, IllegalActionError, NotApplicableError
from arena.game import Game, State
from arena.rng import derive, fresh_seed
from arena.types import Action, Discrete, Floats
from games.adapters._pettingzoo_spaces import from_arena

__all__ = ["Episode", "RenderMode", "named", "simultaneous"]

RenderMode = Literal["ansi", "human"]


def simultaneous(game: Game) -> bool:
    """Whether several seats may act at once."""
    return game.turns == "simultaneous"


class Episode:
    """A running state and how PettingZoo sees it; shared by both kinds of environments."""

    def __init__(self, game: Game, render_mode: RenderMode | None) -> None:
        names = game.seat_names
        self.game = game
        self.agents = names if len(set(names)) == game.seats else _numbered(game.seats)
        self.seat = {agent: seat for seat, agent in enumerate(self.agents)}
        self.render_mode = render_mode
        self.discrete = tuple(
            space.n if isinstance(space, Discrete) else None for space in game.actions
        )
        self.action_spaces = {
            agent: from_arena(space) for agent, space in zip(self.agents, game.actions, strict=True)
        }
        probe = game.state(0)
        self.observation_spaces = {
            agent: _observation_space(_tensor(game, probe, seat).size, self.discrete[seat])
            for agent, seat in self.seat.items()
        }
        self.metadata = {
            "name": game.name,
            "render_modes": ["ansi", "human"],
            "is_parallelizable": simultaneous(game),
            "render_fps": 1,
        }
        self._seed = fresh_seed()
        self._episodes = 0
        self._state: State | None = None
        self._paid: Floats = np.zeros(game.seats)

    @property
    def state(self) -> State:
        """The running state.

        Raises:
            ArenaError: `reset` was not called yet.
        """
        if self._state is None:
            raise ArenaError(f"{self.game.key}: call reset() first")
        return self._state

    def reset(self, seed: int | None) -> None:
        """Start the episode of `seed`, or the next one after the last seed given."""
        if seed is None:
            self._episodes += 1
            self._state = self.game.state(derive(self._seed, "episode", self._episodes))
        else:
            self._seed, self._episodes = int(seed), 0
            self._state = self.game.state(int(seed))
        self._paid = self._state.returns()

    def status(self) -> Sequence[str]:
        """Return for each seat `waiting`, `playing`, `terminated` or `truncated`."""
        state = self.state
        own = getattr(state, "status", None)
        if own is not None:
            return cast("Sequence[str]", own())
        if state.actors():
            return ("playing",) * self.game.seats
        cut = bool(getattr(state, "truncated", False))
        return ("truncated" if cut else "terminated",) * self.game.seats

    def step(self, joint: Mapping[int, Action]) -> Floats:
        """Step the state and return what that paid, chance afterwards included."""
        state = self.state
        state.step(joint)
        returns = state.returns()
        pay, before = state.rewards(), self._paid
        self._paid = returns
        # The state's own figure is free of rounding, but it may speak of the last
        # transition only, where more was paid on the way, before chance moved say.
        return pay if np.allclose(before + pay, returns) else returns - before

    def checked(self, agent: str, action: Any) -> Action:
        """Return `action` as arena takes it.

        Raises:
            IllegalActionError: `agent` may not play it now.
        """
        seat = self.seat[agent]
        if self.discrete[seat] is None:
            if action is None or not self.action_spaces[agent].contains(action):
                raise IllegalActionError(
                    f"{agent} played {action!r}, outside {self.action_spaces[agent]}"
                )
            return cast("Action", action)
        if isinstance(action, np.ndarray) and action.ndim == 0:
            action = action[()]
        if isinstance(action, bool | np.bool_) or not isinstance(action, int | np.integer):
            raise IllegalActionError(f"{agent} played {action!r}, not an action number")
        legal = self.state.legal(seat) or ()
        if int(action) not in legal:
            raise IllegalActionError(f"{agent} played {action}; legal are {list(legal)}")
        return int(action)

    def observe(self, seat: int, *, moves: bool) -> Any:
        """Return the observation of `seat`; the mask is all zero unless it `moves`."""
        vector = _tensor(self.game, self.state, seat)
        n = self.discrete[seat]
        if n is None:
            return vector
        mask = np.zeros(n, dtype=np.int8)
        if moves:
            mask[list(self.state.legal(seat) or ())] = 1
        return {"observation": vector, "action_mask": mask}

    def info(self, seat: int, *, moves: bool) -> dict[str, Any]:
        """Return `legal_moves` and `infoset` of `seat`."""
        info: dict[str, Any] = {}
        if self.discrete[seat] is not None:
            info["legal_moves"] = list(self.state.legal(seat) or ()) if moves else []
        if moves and (key := self.state.observe(seat).key) is not None:
            info["infoset"] = key
        return info

    def render(self) -> str | None:
        """Return the drawing (`ansi`), or print it (`human`)."""
        if self.render_mode is None:
            raise ArenaError(f"{self.game.key}: made without render_mode ('ansi' or 'human')")
        if self.render_mode == "ansi":
            return self.state.render()
        print(self.state.render())
        return None

    def show(self) -> None:
        """Print the drawing if somebody watches."""
        if self.render_mode == "human":
            self.render()


def named(episode: Episode, word: str) -> list[str]:
    return [
        agent
        for agent, status in zip(episode.agents, episode.status(), strict=True)
        if status == word
    ]


def _numbered(seats: int) -> tuple[str, ...]:
    return tuple(f"seat_{seat}" for seat in range(seats))


def _tensor(game: Game, state: State, seat: int) -> Floats:
    vector = state.observe(seat).tensor
    if vector is None:
        raise NotApplicableError(
            f"{game.key}: observations have no tensor, which a PettingZoo environment needs"
        )
    return np.asarray(vector, dtype=np.float32).ravel()


def _observation_space(size: int, n: int | None) -> Any:
    vector = spaces.Box(-np.inf, np.inf, (size,), np.float32)
    if n is None:
        return vector
    return spaces.Dict({"observation": vector, "action_mask": spaces.Box(0, 1, (n,), np.int8)})
