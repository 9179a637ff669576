"""Games as PettingZoo environments: PettingZoo's own tests, and what those do not see."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.test import (
    api_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)
from pettingzoo.utils import wrappers
from pettingzoo_envs import Arrivals, Shapes, Survivors

import arena
from arena.errors import ArenaError, IllegalActionError, NotApplicableError, ParameterError
from arena.game import Game
from arena.rng import Stream
from arena.types import Discrete, OtherSpace

pytestmark = pytest.mark.filterwarnings("ignore")

GAMES: list[tuple[str, dict[str, Any]]] = [
    ("openspiel/tic_tac_toe", {}),
    ("openspiel/connect_four", {}),
    ("openspiel/leduc_poker", {}),  # chance, imperfect information
    ("openspiel/kuhn_poker", {"players": 4}),
    ("openspiel/backgammon", {}),
    ("openspiel/hanabi", {"players": 3}),  # cooperative
    ("openspiel/tiny_hanabi", {}),
    ("openspiel/pig", {"players": 3}),
    ("openspiel/goofspiel", {"players": 3, "num_cards": 5}),
    ("openspiel/matrix_rps", {}),
    ("openspiel/laser_tag", {"horizon": 60}),
    ("openspiel/markov_soccer", {}),
    ("openspiel/coop_box_pushing", {"horizon": 40}),
    ("pettingzoo/classic/leduc_holdem_v4", {}),
    ("pettingzoo/classic/rps_v2", {}),
    ("pettingzoo/mpe/simple_spread_v3", {"continuous_actions": True}),  # Box actions
    ("pettingzoo/mpe/simple_tag_v3", {}),
    ("pettingzoo/pettingzoo_envs:Survivors", {}),
    ("pettingzoo/pettingzoo_envs:Arrivals", {}),
]
SIMULTANEOUS = [
    case
    for case in GAMES
    if case[0].rsplit("/", 1)[-1]
    in {
        "goofspiel",
        "matrix_rps",
        "laser_tag",
        "markov_soccer",
        "coop_box_pushing",
        "rps_v2",
        "simple_spread_v3",
        "simple_tag_v3",
        "pettingzoo_envs:Arrivals",
    }
]


def game_of(case: tuple[str, dict[str, Any]]) -> Game:
    if "/mpe/" in case[0]:
        pytest.importorskip("mpe2")
    return arena.make(case[0], **case[1])


@pytest.mark.parametrize("case", GAMES, ids=str)
def test_pettingzoo_accepts_the_turn_based_form(case: Any) -> None:
    game = game_of(case)
    env = arena.to_pettingzoo(game, parallel=False)
    assert isinstance(env, AECEnv)
    api_test(env, num_cycles=120)
    if "pettingzoo_envs" not in game.id:
        # That test seeds the action spaces of only those agents that are there from the start.
        seed_test(lambda: arena.to_pettingzoo(game, parallel=False), num_cycles=60)

    def drawn(render_mode: Any) -> Any:
        return arena.to_pettingzoo(game, parallel=False, render_mode=render_mode)

    render_test(drawn)


@pytest.mark.parametrize("case", SIMULTANEOUS, ids=str)
def test_pettingzoo_accepts_the_parallel_form(case: Any) -> None:
    game = game_of(case)
    env = arena.to_pettingzoo(game)
    assert isinstance(env, ParallelEnv)
    parallel_api_test(env, num_cycles=120)
    if "Arrivals" not in game.id and "goofspiel" not in game.id:
        # That test plays without looking at the masks.
        parallel_seed_test(lambda: arena.to_pettingzoo(game), num_cycles=60)


@pytest.mark.parametrize("case", GAMES, ids=str)
def test_seeds_lead_to_the_same_episodes_to_the_end(case: Any) -> None:
    game = game_of(case)
    first, second = (arena.to_pettingzoo(game, parallel=False) for _ in range(2))
    for seed in range(3):
        assert transcript(first, seed) == transcript(second, seed)


def transcript(env: Any, seed: int | None, *, stream: int = 0) -> list[Any]:
    """Play on the masks and write everything down."""
    if seed is None:
        env.reset()
    else:
        env.reset(seed=seed)
    draw = Stream(stream)
    out: list[Any] = []
    for agent in env.agent_iter():
        seen, reward, terminated, truncated, info = env.last()
        out.append((agent, raw(seen), reward, terminated, truncated, info))
        env.step(None if terminated or truncated else choose(env, agent, seen, draw))
    return out


def raw(seen: Any) -> Any:
    if isinstance(seen, dict):
        return {key: raw(value) for key, value in seen.items()}
    return (str(seen.dtype), seen.shape, seen.tobytes())


def choose(env: Any, agent: str, seen: Any, draw: Stream) -> Any:
    space = env.action_space(agent)
    if isinstance(space, spaces.Discrete):
        return draw.choice([k for k in range(int(space.n)) if seen["action_mask"][k]])
    assert isinstance(space, spaces.Box)
    size = int(np.prod(space.shape))
    unit = np.array([draw.random() for _ in range(size)]).reshape(space.shape)
    return (space.low + unit * (space.high - space.low)).astype(space.dtype)


def test_a_reset_without_a_seed_goes_on_from_the_last_one() -> None:
    game = arena.make("leduc_poker")
    first, second = arena.to_pettingzoo(game), arena.to_pettingzoo(game)
    a = [transcript(first, 7), *(transcript(first, None) for _ in range(6))]
    b = [transcript(second, 7), *(transcript(second, None) for _ in range(6))]
    assert a == b
    assert len({str(episode) for episode in a}) > 2
    third, fourth = arena.to_pettingzoo(game), arena.to_pettingzoo(game)
    fresh = [[transcript(env, None) for _ in range(8)] for env in (third, fourth)]
    assert fresh[0] != fresh[1]


@pytest.mark.parametrize("case", GAMES, ids=str)
@pytest.mark.parametrize("parallel", [False, True])
def test_environments_say_what_the_state_says(case: Any, parallel: bool) -> None:
    """Observations, masks, pay and infos, against the arena state stepped beside them."""
    game = game_of(case)
    env = arena.to_pettingzoo(game, parallel=parallel)
    play = beside_parallel if parallel else beside_aec
    for seed in range(4):
        play(env, game, seed)


def compare(env: Any, game: Game, state: Any, seat: int, seen: Any, info: Any) -> None:
    agent = env.possible_agents[seat]
    look = state.observe(seat)
    assert env.observation_space(agent).contains(seen)
    if not isinstance(game.actions[seat], Discrete):
        np.testing.assert_array_equal(seen, look.tensor)
        return
    np.testing.assert_array_equal(seen["observation"], look.tensor)
    moves = seat in state.actors()
    legal = list(state.legal(seat)) if moves else []
    assert np.flatnonzero(seen["action_mask"]).tolist() == legal
    assert info["legal_moves"] == legal
    assert info.get("infoset") == (look.key if moves else None)


def beside_aec(env: Any, game: Game, seed: int) -> None:
    env.reset(seed=seed)
    state, draw = game.state(seed), Stream(seed)
    totals = np.zeros(game.seats)
    joint: dict[int, Any] = {}
    for agent in env.agent_iter():
        seat = env.possible_agents.index(agent)
        seen, reward, terminated, truncated, info = env.last()
        totals[seat] += reward
        compare(env, game, state, seat, seen, info)
        if terminated or truncated:
            env.step(None)
            continue
        joint[seat] = action = choose(env, agent, seen, draw)
        before = [raw(env.observe(a)) for a in env.agents]
        env.step(action)
        if len(joint) == len(state.actors()):
            state.step(joint)
            joint = {}
        elif len(state.actors()) > 1:
            # Nobody sees the moves that were collected so far.
            assert [raw(env.observe(a)) for a in env.agents] == before
    assert state.actors() == ()
    np.testing.assert_allclose(totals, state.returns(), atol=1e-9)


def beside_parallel(env: Any, game: Game, seed: int) -> None:
    seen, infos = env.reset(seed=seed)
    state, draw = game.state(seed), Stream(seed)
    totals = np.zeros(game.seats)
    while env.agents:
        for agent in env.agents:
            compare(env, game, state, env.possible_agents.index(agent), seen[agent], infos[agent])
        moving = [env.possible_agents[seat] for seat in state.actors()]
        actions: dict[str, Any] = dict.fromkeys(env.agents, 0)
        actions.update({a: choose(env, a, seen[a], draw) for a in moving})
        seen, rewards, *_, infos = env.step(actions)
        state.step({env.possible_agents.index(a): actions[a] for a in moving})
        for agent, reward in rewards.items():
            totals[env.possible_agents.index(agent)] += reward
    assert state.actors() == ()
    assert env.step({}) == ({}, {}, {}, {}, {})
    np.testing.assert_allclose(totals, state.returns(), atol=1e-9)


def test_comings_and_goings_are_passed_on() -> None:
    env = arena.to_pettingzoo(arena.wrap(Arrivals()))
    seen, _ = env.reset(seed=1)
    assert env.agents == ["north_0", "east_0"]
    step = 0
    while env.agents:
        step += 1
        actions = {a: int(np.argmax(look["action_mask"])) for a, look in seen.items()}
        seen, _, terminated, truncated, _ = env.step(actions)
        if step == 3:
            assert env.agents == ["north_0", "east_0", "south_0"]
        if step == 7:
            assert terminated == {"north_0": False, "east_0": True, "south_0": False}
            assert env.agents == ["north_0", "south_0"]
    assert step == 12
    assert truncated == {"north_0": True, "south_0": True}


def test_an_illegal_action_changes_nothing() -> None:
    env = arena.to_pettingzoo(arena.make("tic_tac_toe"))
    env.reset(seed=0)
    first, second = env.possible_agents
    env.step(4)
    before = raw(env.observe(second))
    for bad in (4, 9, -1, None, True, 1.5, np.array([1, 2])):
        with pytest.raises(IllegalActionError):
            env.step(bad)
    assert raw(env.observe(second)) == before
    env.step(np.array(3))
    assert env.agent_selection == first
    parallel = arena.to_pettingzoo(arena.make("goofspiel", num_cards=3))
    parallel.reset(seed=0)
    with pytest.raises(IllegalActionError, match="seat_1 is to move"):
        parallel.step({"seat_0": 0})
    with pytest.raises(IllegalActionError):
        parallel.step({"seat_0": 0, "seat_1": 3})
    parallel.step({"seat_0": 0, "seat_1": 1})
    box = arena.to_pettingzoo(arena.wrap(Shapes()), parallel=False)
    box.reset(seed=0)
    with pytest.raises(IllegalActionError, match="outside"):
        box.step(np.array([5, 5]))
    box.step(np.array([1, 2]))


def test_pettingzoos_own_wrapper_ends_the_game_on_an_illegal_move() -> None:
    env = wrappers.TerminateIllegalWrapper(
        arena.to_pettingzoo(arena.make("tic_tac_toe")), illegal_reward=-1
    )
    env.reset(seed=0)
    env.step(4)
    env.step(4)
    rewards = {}
    for agent in env.agent_iter():
        _, rewards[agent], terminated, *_ = env.last()
        assert terminated
        env.step(None)
    assert rewards == dict(zip(env.possible_agents, (0, -1.0), strict=True))


def test_pettingzoos_conversion_agrees_with_ours() -> None:
    """`parallel_to_aec` over our parallel form, and our own AEC form, play the same."""
    from pettingzoo.utils import parallel_to_aec

    game = arena.make("goofspiel", num_cards=5)
    ours = arena.to_pettingzoo(game, parallel=False)
    theirs = parallel_to_aec(arena.to_pettingzoo(game, parallel=True))
    for seed in range(5):
        assert transcript(ours, seed) == transcript(theirs, seed)


class Forgetful:
    """A state that reports no pay, as if all of it had come before chance moved."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self.state, name)

    def rewards(self) -> Any:
        return np.zeros_like(self.state.rewards())


def test_pay_that_the_last_step_does_not_mention_is_not_lost() -> None:
    game = arena.make("openspiel/coop_box_pushing", horizon=30)
    forgetful = dataclasses.replace(game, forms={"state": lambda seed: Forgetful(game.state(seed))})
    for parallel, play in ((False, beside_aec), (True, beside_parallel)):
        env = arena.to_pettingzoo(forgetful, parallel=parallel)
        for seed in range(5):
            play(env, game, seed)


def test_drawings(capsys: pytest.CaptureFixture[str]) -> None:
    game = arena.make("tic_tac_toe")
    env = arena.to_pettingzoo(game, render_mode="ansi")
    env.reset()
    env.step(0)
    assert env.render() == "x..\n...\n..."
    env = arena.to_pettingzoo(game, render_mode="human")
    env.reset()
    env.step(0)
    assert capsys.readouterr().out == "...\n...\n...\nx..\n...\n...\n"
    with pytest.raises(ParameterError, match="rgb_array"):
        arena.to_pettingzoo(game, render_mode="rgb_array")  # type: ignore[arg-type]
    silent = arena.to_pettingzoo(game)
    with pytest.raises(ArenaError, match="render_mode"):
        silent.render()
    with pytest.raises(ArenaError, match="reset"):
        arena.to_pettingzoo(game, render_mode="ansi").render()


def test_the_default_form_follows_the_game() -> None:
    assert isinstance(arena.to_pettingzoo(arena.make("tic_tac_toe")), AECEnv)
    assert isinstance(arena.to_pettingzoo(arena.make("goofspiel")), ParallelEnv)
    assert isinstance(arena.to_pettingzoo(arena.make("tic_tac_toe"), parallel=True), ParallelEnv)


def test_spaces_go_out_as_they_came_in() -> None:
    raw_env = Shapes()
    env = arena.to_pettingzoo(arena.wrap(Shapes()))
    assert env.action_space("box_0") == raw_env.action_space("box_0")
    assert env.action_space("bits_0") == raw_env.action_space("bits_0")
    assert env.action_space("multi_0") == spaces.MultiDiscrete([2, 3])  # counted from 0
    assert env.observation_space("box_0").shape == (4,)


def test_what_cannot_be_exported_says_why() -> None:
    game = arena.make("openspiel/tic_tac_toe")
    odd = Game(
        id="odd",
        seats=1,
        actions=(OtherSpace("a word"),),
        payoff="general_sum",
        turns="sequential",
        forms=game.forms,
    )
    with pytest.raises(NotApplicableError, match="not a gymnasium space"):
        arena.to_pettingzoo(odd)

    class NoTensor(Survivors):
        def observation_space(self, agent: str) -> Any:
            return spaces.Text(5)

        def observe(self, agent: str) -> Any:
            return "abc"

    with pytest.raises(NotApplicableError, match="tensor"):
        arena.to_pettingzoo(arena.wrap(NoTensor))


def test_importing_arena_does_not_import_pettingzoo() -> None:
    import subprocess
    import sys

    code = "import arena, sys; assert not {'pettingzoo', 'gymnasium'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
