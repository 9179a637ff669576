"""Policies written for PettingZoo, in all the ways in which they are called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import arena
from agents.pettingzoo_policy import PettingZooPolicy
from arena.agent import Agent
from arena.episode import drive
from arena.errors import AgentError, ParameterError
from arena.game import Game

pytestmark = pytest.mark.filterwarnings("ignore")


def last_legal(mask: Any) -> int:
    return int(np.flatnonzero(mask)[-1])


def by_mask(observation: Any, action_mask: Any) -> int:
    assert isinstance(observation, np.ndarray)
    assert action_mask.dtype == np.int8
    return last_legal(action_mask)


def by_agent(observation: Any, agent: str) -> int:
    assert agent in {"seat_0", "seat_1", "player_0", "player_1"}
    return last_legal(observation["action_mask"])


def by_observation(observation: Any) -> Any:
    return np.int64(last_legal(observation["action_mask"]))


class Acting:
    def act(self, observation: Any, mask: Any) -> int:
        return by_mask(observation, mask)


class StableBaselines:
    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        return np.array(last_legal(observation["action_mask"])), None


class Maskable:
    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
        action_masks: Any = None,
    ) -> tuple[Any, Any]:
        assert isinstance(observation, np.ndarray)
        assert action_masks.dtype == np.bool_
        assert deterministic
        assert (state is None) == bool(episode_start[0])
        return np.array([last_legal(action_masks)]), (0 if state is None else state + 1)


class Tianshou:
    def compute_action(self, obs: Any, info: Any = None, state: Any = None) -> Any:
        return by_observation(obs)


class RayLib:
    def __init__(self, whole: bool) -> None:
        self.whole = whole

    def compute_single_action(self, obs: Any = None, **options: Any) -> Any:
        action = by_observation(obs)
        return (action, [], {}) if self.whole else action


POLICIES = [
    (by_mask, "observation_and_mask"),
    (by_agent, "observation_and_agent"),
    (by_observation, "observation"),
    (Acting(), "act"),
    (StableBaselines(), "predict"),
    (Maskable(), "predict"),
    (Tianshou(), "compute_action"),
    (RayLib(True), "compute_single_action"),
    (RayLib(False), "compute_single_action"),
]


class LastLegal:
    """What all of them do, as an arena agent."""

    def begin(self, game: Game, seat: int, seed: int) -> None:
        pass

    def act(self, observation: Any) -> int:
        return int(observation.actions[-1])

    def close(self) -> None:
        pass


def play(game: Game, first: Any, seed: int) -> list[Any]:
    players: list[Any] = [first, arena.agent("uniform")]
    for seat, player in enumerate(players):
        player.begin(game, seat, seed)
    state = game.state(seed)
    moves: list[Any] = []
    drive(state, [player.act for player in players], watch=lambda joint: moves.append(dict(joint)))
    return [*moves, state.returns().tolist()]


@pytest.mark.parametrize("name", ["leduc_poker", "pettingzoo/classic/connect_four_v3"])
@pytest.mark.parametrize(("policy", "convention"), POLICIES)
def test_every_convention_plays(policy: Any, convention: str, name: str) -> None:
    game = arena.make(name)
    seen = PettingZooPolicy(policy, deterministic=True)
    assert isinstance(seen, Agent)
    assert seen.convention == convention
    told = PettingZooPolicy(policy, convention=convention, deterministic=True)  # type: ignore[arg-type]
    for seed in range(4):
        expected = play(game, LastLegal(), seed)
        assert play(game, seen, seed) == expected
        assert play(game, told, seed) == expected
    seen.close()


def test_a_native_observation_is_passed_as_it_is() -> None:
    game = arena.make("pettingzoo/classic/connect_four_v3")
    shapes = []

    def policy(observation: Any, action_mask: Any) -> int:
        shapes.append((observation.shape, observation.dtype))
        return last_legal(action_mask)

    play(game, PettingZooPolicy(policy), 0)
    assert set(shapes) == {((6, 7, 2), np.dtype(np.int8))}


def test_continuous_and_shifted_actions() -> None:
    from gymnasium import spaces
    from pettingzoo import ParallelEnv

    class Push(ParallelEnv):  # type: ignore[misc]
        metadata: dict[str, Any] = {"name": "push_v0", "render_modes": []}  # noqa: RUF012 - PettingZoo's way
        possible_agents = ["box_0", "shift_0", "multi_0"]  # noqa: RUF012 - the same
        render_mode = None

        def action_space(self, agent: str) -> Any:
            return {
                "box_0": box,
                "shift_0": spaces.Discrete(3, start=5),
                "multi_0": spaces.MultiDiscrete([2, 2], start=[3, 4]),
            }[agent]

        def observation_space(self, agent: str) -> Any:
            return box

        def reset(self, seed: Any = None, options: Any = None) -> Any:
            self.agents = list(self.possible_agents)
            return dict.fromkeys(self.agents, np.zeros(2, np.float32)), {a: {} for a in self.agents}

        def step(self, actions: Any) -> Any:
            sent.append(actions)
            agents, self.agents = self.agents, []
            yes, no = dict.fromkeys(agents, True), dict.fromkeys(agents, False)
            seen = dict.fromkeys(agents, np.zeros(2, np.float32))
            return seen, dict.fromkeys(agents, 0.0), yes, no, {a: {} for a in agents}

    box = spaces.Box(-1, 1, (2,), np.float32)
    sent: list[Any] = []
    game = arena.wrap(Push)
    answers = {"box_0": np.array([0.5, -0.5]), "shift_0": 6, "multi_0": [4, 5]}
    players = [PettingZooPolicy(lambda observation, agent: answers[agent]) for _ in range(3)]
    for seat, player in enumerate(players):
        player.begin(game, seat, 0)
    drive(game.state(0), [player.act for player in players])
    assert sent[0]["box_0"].tolist() == [0.5, -0.5]
    assert sent[0]["shift_0"] == 6
    assert sent[0]["multi_0"].tolist() == [4, 5]


def test_a_policy_is_started_afresh_for_each_game() -> None:
    class Coin:
        seeds: list[int] = []  # noqa: RUF012 - shared on purpose, to be read below
        resets = 0

        def seed(self, seed: int) -> None:
            self.seeds.append(seed)

        def reset(self) -> None:
            Coin.resets += 1

        def act(self, observation: Any) -> int:
            return by_observation(observation)

    agent = PettingZooPolicy(Coin())
    for seed in (4, 5):
        play(arena.make("kuhn_poker"), agent, seed)
    assert (Coin.seeds, Coin.resets) == ([4, 5], 2)


class Strange:
    def predict(self, observation: Any) -> Any:
        return 1


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (lambda observation: "up", "not an action number"),
        (lambda observation: 0.5, "not an action number"),
        (lambda observation: np.array([1, 2]), "not an action number"),
        (lambda observation: None, "not an action number"),
        (Strange(), "not \\(action, state\\)"),
    ],
)
def test_nonsense_is_named(policy: Any, message: str) -> None:
    with pytest.raises(AgentError, match=message):
        play(arena.make("kuhn_poker"), PettingZooPolicy(policy), 0)


def test_what_is_not_a_policy_is_refused() -> None:
    with pytest.raises(ParameterError, match="a function or an object with act or predict"):
        PettingZooPolicy(3)
    with pytest.raises(ParameterError, match="a function or an object"):
        PettingZooPolicy(by_mask, convention="predict")
    with pytest.raises(ParameterError, match="one of observation_and_mask"):
        PettingZooPolicy(by_mask, convention="guess")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="do not tell"):
        PettingZooPolicy(lambda x, y: 0)


def test_by_name() -> None:
    agent = arena.agent("pettingzoo_policy", policy="test_pettingzoo_policy:by_mask")
    game = arena.make("leduc_poker")
    assert play(game, agent, 3) == play(game, LastLegal(), 3)
    with pytest.raises(AgentError, match="cannot load"):
        arena.agent("pettingzoo_policy", policy="test_pettingzoo_policy:nobody")
    with pytest.raises(ParameterError, match=r"package\.module:name"):
        arena.agent("pettingzoo_policy", policy="nobody")
