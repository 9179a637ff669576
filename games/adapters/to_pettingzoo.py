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
from typing import Any

from pettingzoo import AECEnv, ParallelEnv

from arena.errors import IllegalActionError, ParameterError
from arena.game import Game
from arena.types import Action, Floats
from games.adapters._to_pettingzoo_episode import Episode, RenderMode, named, simultaneous

__all__ = ["ArenaAECEnv", "ArenaParallelEnv", "to_pettingzoo"]


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


class _Spaces:
    """The part of PettingZoo's interface that does not change during an episode."""

    _episode: Episode

    def _describe(self, game: Game, render_mode: RenderMode | None) -> None:
        self._episode = episode = Episode(game, render_mode)
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
        self.agents = named(episode, "playing")
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
        self.agents = named(self._episode, "playing")
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
        before, self.agents = self.agents, named(episode, "playing")
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
