"""Small PettingZoo environments with the corners that the well-known ones lack."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle
from pettingzoo import AECEnv, ParallelEnv


class Survivors(AECEnv, EzPickle):
    """Four agents take turns; each move may pay anyone, kill its mover, or bring in the fourth.

    Actions are 3, 4, 5; the mask, in `infos`, forbids the last one on odd turns. An episode
    is cut off after 40 turns. It derives from EzPickle, so a plain deepcopy would forget it.
    """

    metadata: dict[str, Any] = {"name": "survivors_v0", "render_modes": []}  # noqa: RUF012 - PettingZoo's way

    def __init__(self, pay: float = 0.1) -> None:
        EzPickle.__init__(self, pay)
        self.pay = pay
        self.possible_agents = [f"player_{k}" for k in range(4)]
        self._actions = {a: spaces.Discrete(3, start=3) for a in self.possible_agents}
        self._seen = {
            a: spaces.Dict(
                {
                    "turn": spaces.Discrete(64),
                    "hand": spaces.Tuple((spaces.MultiBinary(2), spaces.Box(0, 1, (2, 2)))),
                }
            )
            for a in self.possible_agents
        }
        self.render_mode = None

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return self._actions[agent]

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return self._seen[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        self.rng = np.random.default_rng(seed)
        self.turn = 0
        self.hand = self.rng.random((2, 2)).astype(np.float32)
        self.agents = self.possible_agents[:3]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.agent_selection = self.agents[0]
        self._skip_agent_selection = None
        self._tell()

    def _tell(self) -> None:
        mask = np.array([1, 1, (self.turn + 1) % 2], dtype=np.int8)
        self.infos = {agent: {"action_mask": mask.copy()} for agent in self.agents}

    def observe(self, agent: str) -> Any:
        number = self.possible_agents.index(agent)
        bits = np.array([number % 2, number // 2], dtype=np.int8)
        return {"turn": self.turn, "hand": (bits, self.hand)}

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        assert action in (3, 4, 5), action
        assert self.infos[agent]["action_mask"][action - 3], "masked out"
        self.turn += 1
        self.hand[:] = self.rng.random((2, 2))  # in place: whoever kept it sees it change
        if self.turn == 5:
            newcomer = self.possible_agents[3]
            self.agents.append(newcomer)
            for table, value in (
                (self.rewards, 0.0),
                (self._cumulative_rewards, 0.0),
                (self.terminations, False),
                (self.truncations, False),
            ):
                table[newcomer] = value
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        for other in self.agents:
            self.rewards[other] = self.pay * int(self.rng.integers(0, action))
        if self.turn > 6 and self.rng.random() < 0.2:
            self.terminations[agent] = True
        if self.turn >= 40:
            # An agent for which both hold is reported as terminated by arena; here only one does.
            self.truncations = {a: not self.terminations[a] for a in self.agents}
        self._accumulate_rewards()
        place = self.agents.index(agent)
        self.agent_selection = self.agents[(place + 1) % len(self.agents)]
        if self.terminations[self.agent_selection]:  # a lone agent that has just died
            self._skip_agent_selection = None
        self._tell()
        self._deads_step_first()


class Arrivals(ParallelEnv):
    """Agents come and go in a parallel environment; the mask lets some sit a step out.

    Rewards are 0-d and 1-d arrays; `infos` and `observations` hold a "common" key too.
    """

    metadata: dict[str, Any] = {"name": "arrivals_v0", "render_modes": ["ansi"]}  # noqa: RUF012 - PettingZoo's way

    def __init__(self, length: int = 12, render_mode: str | None = None) -> None:
        self.length = length
        self.render_mode = render_mode
        self.possible_agents = ["north_0", "east_0", "south_0"]
        self._actions = {a: spaces.Discrete(k + 2) for k, a in enumerate(self.possible_agents)}
        self._seen = {
            a: spaces.Dict(
                {
                    "observation": spaces.Box(-1, 1, (3,), np.float32),
                    "action_mask": spaces.Box(0, 1, (k + 2,), np.int8),
                }
            )
            for k, a in enumerate(self.possible_agents)
        }

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return self._actions[agent]

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return self._seen[agent]

    def _look(self) -> tuple[dict[Any, Any], dict[Any, Any]]:
        seen: dict[Any, Any] = {}
        for k, agent in enumerate(self.agents):
            mask = self.rng.integers(0, 2, self._actions[agent].n).astype(np.int8)
            if k == 0:
                mask[0] = 1  # somebody can always move
            seen[agent] = {
                "observation": self.rng.uniform(-1, 1, 3).astype(np.float32),
                "action_mask": mask,
            }
        self.masks = {agent: look["action_mask"] for agent, look in seen.items()}
        infos: dict[Any, Any] = {agent: {"step": self.time} for agent in self.agents}
        return {**seen, "common": 1}, {**infos, "common": {}}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.rng = np.random.default_rng(seed)
        self.time = 0
        self.agents = self.possible_agents[:2]
        return self._look()

    def step(self, actions: dict[str, Any]) -> Any:
        assert set(actions) == set(self.agents)
        for agent, action in actions.items():
            mask = self.masks[agent]
            assert mask[action] or (not mask.any() and action == 0), "masked out"
        self.time += 1
        before = list(self.agents)
        if self.time == 3:
            before.append("south_0")
        rewards = {a: np.array([self.rng.normal()]) for a in before}
        rewards[before[0]] = np.float64(sum(actions.values()))
        self.agents = before
        observations, infos = self._look()
        out = {a: self.time == 7 and a == "east_0" for a in before}
        cut = dict.fromkeys(before, self.time >= self.length)
        self.agents = [a for a in before if not (out[a] or cut[a])]
        return observations, rewards, out, cut, infos

    def render(self) -> str:
        return f"time {self.time}: {' '.join(self.agents)}"


class Shapes(ParallelEnv):
    """One agent for each kind of action space; the observation says what it did last."""

    metadata: dict[str, Any] = {"name": "shapes_v0", "render_modes": []}  # noqa: RUF012 - PettingZoo's way

    def __init__(self) -> None:
        self.render_mode = None
        self._actions: dict[str, spaces.Space[Any]] = {
            "multi_0": spaces.MultiDiscrete([2, 3], start=[1, 5]),
            "box_0": spaces.Box(np.float32(-1), np.float32(2), (2, 2)),
            "bits_0": spaces.MultiBinary(3),
            "grid_0": spaces.MultiDiscrete([[2, 2], [3, 3]]),
        }
        self.possible_agents = list(self._actions)
        self._seen = {
            agent: spaces.Box(-10, 10, (int(np.prod(space.shape or ())),), np.float64)
            for agent, space in self._actions.items()
        }

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return self._actions[agent]

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return self._seen[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.time = 0
        self.agents = list(self.possible_agents)
        return {a: np.zeros(s.shape) for a, s in self._seen.items()}, {a: {} for a in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        for agent, action in actions.items():
            assert self._actions[agent].contains(action), (agent, action)
        self.time += 1
        seen = {a: np.asarray(x, dtype=np.float64).ravel() for a, x in actions.items()}
        over = self.time == 3
        agents, self.agents = self.agents, [] if over else self.agents
        zero, flags = dict.fromkeys(agents, 0.0), dict.fromkeys(agents, over)
        return seen, zero, flags, dict.fromkeys(agents, False), {a: {} for a in agents}


class Shared(Arrivals):
    """Draws from Python's global generator, so that neither copies nor replays agree."""

    def step(self, actions: dict[str, Any]) -> Any:
        observations, rewards, out, cut, infos = super().step(actions)
        for look in list(observations.values())[:-1]:
            look["observation"][0] = random.random()
        return observations, rewards, out, cut, infos


class Uncopyable(Arrivals):
    """Holds something that cannot be copied."""

    def __init__(self, length: int = 12, render_mode: str | None = None) -> None:
        super().__init__(length, render_mode)
        self.numbers = (n for n in range(10))


class Immortal(Survivors):
    """Never removes the agents that have died."""

    def _was_dead_step(self, action: Any) -> None:
        return


def survivors(pay: float = 0.1) -> AECEnv:
    return Survivors(pay)


def arrivals(length: int = 12, render_mode: str | None = None) -> ParallelEnv:
    if length < 1:
        raise ValueError("length must be positive")
    return Arrivals(length, render_mode)


NOT_A_FUNCTION = 3
