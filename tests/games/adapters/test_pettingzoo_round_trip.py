"""There and back again: nothing is lost between arena and PettingZoo."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo_envs import Arrivals, Survivors

import arena
from arena.game import Game
from arena.rng import Stream
from arena.types import Discrete

pytestmark = pytest.mark.filterwarnings("ignore")

SEEDS = st.integers(0, 2**31 - 1)
OPENSPIEL: list[tuple[str, dict[str, Any], bool | None]] = [
    ("tic_tac_toe", {}, None),
    ("connect_four", {}, None),
    ("leduc_poker", {}, None),
    ("kuhn_poker", {"players": 3}, None),
    ("backgammon", {}, None),
    ("hanabi", {}, None),
    ("pig", {}, None),
    ("goofspiel", {"num_cards": 5}, True),
    ("markov_soccer", {"horizon": 40}, True),
    ("coop_box_pushing", {"horizon": 30}, True),
    ("leduc_poker", {}, True),  # a sequential game in parallel form
]


def record(game: Game, seed: int) -> list[Any]:
    """Play on the legal actions; write down all that a seat to move can see, bit for bit."""
    state, draw = game.state(seed), Stream(seed)
    out: list[Any] = []
    total = np.zeros(game.seats)
    while actors := state.actors():
        joint = {}
        for seat in actors:
            look = state.observe(seat)
            assert look.tensor is not None
            legal = None if look.legal is None else look.legal.tolist()
            out.append((seat, look.tensor.tobytes(), legal, look.key))
            if look.actions is not None:
                assert legal is not None
                assert list(look.actions) == np.flatnonzero(legal).tolist()
                joint[seat] = draw.choice(list(look.actions))
        state.step(joint)
        out.append(state.rewards().tolist())
        total += state.rewards()
    finals = [state.observe(seat).tensor for seat in range(game.seats)]
    out.append([None if tensor is None else tensor.tobytes() for tensor in finals])
    np.testing.assert_allclose(total, state.returns(), atol=1e-9)
    return out


@pytest.mark.parametrize(("name", "params", "parallel"), OPENSPIEL, ids=str)
def test_from_openspiel_to_pettingzoo_and_back(
    name: str, params: dict[str, Any], parallel: bool | None
) -> None:
    game = arena.make(f"openspiel/{name}", **params)
    back = arena.wrap(lambda: arena.to_pettingzoo(game, parallel=parallel))
    assert back.actions == game.actions
    assert back.seats == game.seats
    assert back.seat_names == game.seat_names

    @settings(max_examples=10 if name in {"backgammon", "hanabi"} else 25, deadline=None)
    @given(seed=SEEDS)
    def check(seed: int) -> None:
        assert record(back, seed) == record(game, seed)

    check()


def test_an_exported_environment_is_cloned_when_it_comes_back() -> None:
    game = arena.make("leduc_poker")
    back = arena.wrap(lambda: arena.to_pettingzoo(game))
    state = back.state(4)
    state.step({state.actors()[0]: 1})
    twin = state.clone()
    for _ in range(2):
        for each in (state, twin):
            each.step({each.actors()[0]: list(each.legal(each.actors()[0]) or ())[-1]})
    assert twin.observe(0).key == state.observe(0).key
    assert twin.returns().tolist() == state.returns().tolist()


# -- from PettingZoo to arena and back ---------------------------------------------------


def flat(space: Any, seen: Any) -> Any:
    """Return (vector, mask) of an observation, as bytes."""
    mask = None
    if isinstance(seen, dict) and "action_mask" in seen:
        mask = np.asarray(seen["action_mask"]).astype(np.int8).tobytes()
        rest = {k: v for k, v in space.spaces.items() if k != "action_mask"}
        space, seen = spaces.Dict(rest), {k: seen[k] for k in rest}
    return spaces.flatten(space, seen).astype(np.float32).tobytes(), mask


def start(env: Any, agent: Any) -> Any:
    return getattr(env.action_space(agent), "start", 0)


def pick(env: Any, agent: Any, mask: Any, draw: Stream) -> Any:
    """An action counted from 0 (all-zero masks: the first)."""
    space = env.action_space(agent)
    if isinstance(space, spaces.Discrete):
        legal = range(int(space.n)) if mask is None else np.flatnonzero(mask).tolist()
        return draw.choice(legal) if len(legal) else 0
    unit = np.array([draw.random() for _ in range(int(np.prod(space.shape)))]).reshape(space.shape)
    return (space.low + unit * (space.high - space.low)).astype(space.dtype)


def mask_in(seen: Any, info: Any) -> Any:
    mask = seen.get("action_mask") if isinstance(seen, dict) else None
    return info.get("action_mask") if mask is None else mask


def run_aec(env: Any, seed: int) -> list[Any]:
    env.reset(seed=seed)
    draw = Stream(seed)
    out: list[Any] = []
    for agent in env.agent_iter():
        seen, reward, terminated, truncated, info = env.last()
        vector, _ = flat(env.observation_space(agent), seen)
        mask = mask_in(seen, info)
        over = terminated or truncated
        shown = None if over or mask is None else np.asarray(mask).astype(bool).tolist()
        out.append((agent, vector, shown, float(reward), terminated, truncated))
        env.step(None if over else pick(env, agent, mask, draw) + start(env, agent))
    # Some environments see off their dead in an order of their own, not PettingZoo's usual.
    alive = [k for k, step in enumerate(out) if not (step[4] or step[5])]
    last = alive[-1] + 1
    return out[:last] + sorted(out[last:], key=lambda step: str(step[0]))


def run_parallel(env: Any, seed: int) -> list[Any]:
    seen, infos = env.reset(seed=seed)
    draw = Stream(seed)
    out: list[Any] = []
    order = {agent: k for k, agent in enumerate(env.possible_agents)}
    while env.agents:
        out.append({agent: flat(env.observation_space(agent), seen[agent]) for agent in env.agents})
        actions = {}
        for agent in sorted(env.agents, key=order.__getitem__):
            mask = mask_in(seen[agent], infos[agent])
            actions[agent] = pick(env, agent, mask, draw) + start(env, agent)
        seen, rewards, terminated, truncated, infos = env.step(actions)
        keep = {
            agent: (
                float(np.asarray(rewards[agent]).reshape(())),
                bool(terminated[agent]),
                bool(truncated[agent]),
            )
            for agent in terminated
        }
        out.append(keep)
    out.append({agent: flat(env.observation_space(agent), seen[agent])[0] for agent in terminated})
    return out


def with_full_masks(env: Any, trace: list[Any]) -> list[Any]:
    """Environments without masks come back with masks that allow everything."""
    full = {}
    for agent in env.possible_agents:
        space = env.action_space(agent)
        if isinstance(space, spaces.Discrete):
            full[agent] = np.ones(int(space.n), dtype=np.int8).tobytes()
    return [
        {
            agent: (value[0], full.get(agent)) if masks_missing(value) else value
            for agent, value in item.items()
        }
        for item in trace
    ]


def masks_missing(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and value[1] is None


@pytest.mark.parametrize(
    "name",
    ["connect_four_v3", "tictactoe_v3", "leduc_holdem_v4", "texas_holdem_no_limit_v6", "hanabi_v5"],
)
def test_from_a_turn_based_environment_and_back(name: str) -> None:
    module = importlib.import_module(f"pettingzoo.classic.{name}")
    back = arena.to_pettingzoo(arena.make(f"pettingzoo/classic/{name}"))

    @settings(max_examples=15, deadline=None)
    @given(seed=SEEDS)
    def check(seed: int) -> None:
        assert run_aec(back, seed) == run_aec(module.env(), seed)

    check()


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_with_agents_that_die_and_join(seed: int) -> None:
    """Rewards are multiples of 1/4, so that sums are exact in any order."""
    back = arena.to_pettingzoo(arena.wrap(Survivors(pay=0.25)))
    assert run_aec(back, seed) == run_aec(Survivors(pay=0.25), seed)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_from_a_parallel_environment_with_comings_and_goings(seed: int) -> None:
    back = arena.to_pettingzoo(arena.wrap(Arrivals()))
    assert run_parallel(back, seed) == run_parallel(Arrivals(), seed)


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("name", ["simple_spread_v3", "simple_adversary_v3", "simple_crypto_v3"])
def test_from_a_parallel_environment_and_back(name: str, continuous: bool) -> None:
    pytest.importorskip("mpe2")
    module = importlib.import_module(f"mpe2.{name}")
    back = arena.to_pettingzoo(arena.make(f"pettingzoo/mpe/{name}", continuous_actions=continuous))

    @settings(max_examples=6, deadline=None)
    @given(seed=SEEDS)
    def check(seed: int) -> None:
        bare = module.parallel_env(continuous_actions=continuous)
        assert run_parallel(back, seed) == with_full_masks(bare, run_parallel(bare, seed))

    check()


def test_actions_of_every_seat_survive() -> None:
    game = arena.make("pettingzoo/classic/rps_v2", num_actions=5)
    again = arena.wrap(lambda: arena.to_pettingzoo(game))
    assert again.actions == (Discrete(5), Discrete(5))
    assert again.turns == "simultaneous"
    assert record(again, 3) == record(game, 3)
