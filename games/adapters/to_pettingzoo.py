"""Any arena game as a PettingZoo environment, turn by turn (AEC) or parallel.

Agents are the game's seats under their names. Where a seat's actions are discrete its
observation is `{"observation": float32 vector, "action_mask": int8 vector}`, with an
all-zero mask when it is not to move; elsewhere it is the vector alone. `infos` holds
`legal_moves` (discrete actions only) and `infoset` (the infoset string) of the agents to
move. Chance follows `reset(seed=…)`; a reset without a seed opens the next episode of the
last seed given.

An illegal action raises `IllegalActionError` and changes nothing; for PettingZoo's other
convention put its `TerminateIllegalWrapper` around the environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv

from arena.errors import ArenaError, IllegalActionError, NotApplicableError, ParameterError
from arena.game import Game, State
from arena.rng import derive, fresh_seed
from arena.types import Action, Discrete, Floats
from games.adapters._pettingzoo_spaces import from_arena

__all__ = ["ArenaAECEnv", "ArenaParallelEnv", "to_pettingzoo"]

RenderMode = Literal["ansi", "human"]


def to_pettingzoo(
    game: Game, *, parallel: bool | None = None, render_mode: RenderMode | None = None
) -> ArenaAECEnv | ArenaParallelEnv:
    """Return `game` as a PettingZoo environment.

    Args:
        game: any game whose observations have tensors.
        parallel: True for a `ParallelEnv`, False for an `AECEnv`; by default parallel if
            seats may act at once. A parallel environment of a sequential game ignores the
            actions of the agents that are not to move; an AEC one of a simultaneous game
            collects the moves one by one, and nobody sees another's.
        render_mode: `ansi` (`render()` returns text) or `human` (prints it after each step).

    Raises:
        NotApplicableError: observations have no tensor.
        ParameterError: `render_mode` is none of these.
    """
    if render_mode not in (None, "ansi", "human"):
        raise ParameterError("render_mode", render_mode, "'ansi', 'human' or None")
    kind = (
        ArenaParallelEnv if parallel or (parallel is None and simultaneous(game)) else ArenaAECEnv
    )
    return kind(game, render_mode=render_mode)


def simultaneous(game: Game) -> bool:
    """Whether several seats may act at once."""
    return game.turns == "simultaneous"


class _Episode:
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


class _Spaces:
    """The part of PettingZoo's interface that does not change during an episode."""

    _episode: _Episode

    def _describe(self, game: Game, render_mode: RenderMode | None) -> None:
        self._episode = episode = _Episode(game, render_mode)
        self.game = game
        self.metadata = episode.metadata
        self.render_mode = render_mode
        self.possible_agents = list(episode.agents)
        self.observation_spaces = episode.observation_spaces
        self.action_spaces = episode.action_spaces
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> Any:
        """Return the observation space of `agent`, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Return the action space of `agent`, always the same object."""
        return self.action_spaces[agent]

    def render(self) -> str | None:
        """Return the drawing of the whole state (`ansi`), or print it (`human`)."""
        return self._episode.render()

    def close(self) -> None:
        """Nothing to release."""


class ArenaAECEnv(_Spaces, AECEnv):  # type: ignore[misc]  # PettingZoo is untyped here
    """A game as an AEC environment: agents step one at a time.

    Attributes:
        game: the arena game.
    """

    def __init__(self, game: Game, *, render_mode: RenderMode | None = None) -> None:
        super().__init__()
        self._describe(game, render_mode)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start an episode; `options` are not used."""
        episode = self._episode
        episode.reset(seed)
        self._pending: dict[int, Action] = {}
        self._skip_agent_selection: str | None = None
        self.agents = _named(episode, "playing")
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._turn()
        episode.show()

    def _turn(self) -> None:
        """Let the first of the acting seats move next."""
        episode = self._episode
        self._acting = episode.state.actors()
        if self._acting:
            self.agent_selection = episode.agents[self._acting[0]]
        self.infos = {
            agent: episode.info(seat, moves=seat in self._acting)
            for agent in self.agents
            for seat in (episode.seat[agent],)
        }

    def observe(self, agent: str) -> Any:
        """Return what `agent` is shown now."""
        seat = self._episode.seat[agent]
        return self._episode.observe(seat, moves=seat in self._acting)

    def step(self, action: Any) -> None:
        """Move for `agent_selection`; None for an agent that is out.

        Raises:
            IllegalActionError: the action is not legal; nothing has changed.
        """
        episode, agent = self._episode, self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        move = episode.checked(agent, action)
        self._pending[episode.seat[agent]] = move
        if len(self._pending) < len(self._acting):
            self._cumulative_rewards[agent] = 0.0
            self._clear_rewards()
            self.agent_selection = episode.agents[self._acting[len(self._pending)]]
            return
        joint, self._pending = self._pending, {}
        pay = episode.step(joint)
        self._cumulative_rewards[agent] = 0.0
        self._after(pay)
        episode.show()

    def _after(self, pay: Floats) -> None:
        """Take over what the step led to: pay, agents that came or left, the next turn."""
        episode = self._episode
        status = episode.status()
        for name in episode.agents:
            if status[episode.seat[name]] == "playing" and name not in self.terminations:
                self.agents.append(name)
                self._cumulative_rewards[name] = 0.0
        for name in self.agents:
            self.rewards[name] = float(pay[episode.seat[name]])
            self.terminations[name] = status[episode.seat[name]] == "terminated"
            self.truncations[name] = status[episode.seat[name]] == "truncated"
        self._accumulate_rewards()
        self._turn()
        self._deads_step_first()


class ArenaParallelEnv(_Spaces, ParallelEnv):  # type: ignore[misc]  # PettingZoo is untyped here
    """A game as a parallel environment: all agents step at once.

    Attributes:
        game: the arena game.
    """

    def __init__(self, game: Game, *, render_mode: RenderMode | None = None) -> None:
        super().__init__()
        self._describe(game, render_mode)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Start an episode; `options` are not used."""
        self._episode.reset(seed)
        self.agents = _named(self._episode, "playing")
        self._episode.show()
        return self._seen(self.agents)

    def _seen(self, agents: Sequence[str]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        episode = self._episode
        acting = episode.state.actors()
        seats = {agent: episode.seat[agent] for agent in agents}
        return (
            {agent: episode.observe(seat, moves=seat in acting) for agent, seat in seats.items()},
            {agent: episode.info(seat, moves=seat in acting) for agent, seat in seats.items()},
        )

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[
        dict[str, Any],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Move for all agents; those whose mask is all zero are not listened to.

        Raises:
            IllegalActionError: an action is missing or not legal; nothing has changed.
        """
        if not self.agents:
            return {}, {}, {}, {}, {}
        episode = self._episode
        joint = {}
        for seat in episode.state.actors():
            agent = episode.agents[seat]
            if agent not in actions:
                raise IllegalActionError(
                    f"{agent} is to move, but the actions are for {[*actions]}"
                )
            joint[seat] = episode.checked(agent, actions[agent])
        pay = episode.step(joint)
        status = episode.status()
        before, self.agents = self.agents, _named(episode, "playing")
        told = [*before, *(agent for agent in self.agents if agent not in before)]
        seats = {agent: episode.seat[agent] for agent in told}
        observations, infos = self._seen(told)
        episode.show()
        return (
            observations,
            {agent: float(pay[seat]) for agent, seat in seats.items()},
            {agent: status[seat] == "terminated" for agent, seat in seats.items()},
            {agent: status[seat] == "truncated" for agent, seat in seats.items()},
            infos,
        )


def _named(episode: _Episode, word: str) -> list[str]:
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
