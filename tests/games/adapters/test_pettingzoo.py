"""PettingZoo environments as games, against PettingZoo's own loops."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo_envs import (
    Arrivals,
    Immortal,
    Shapes,
    Shared,
    Survivors,
    Uncopyable,
    arrivals,
    survivors,
)

import arena
from arena.errors import (
    ArenaError,
    FormError,
    IllegalActionError,
    MissingDependencyError,
    NotApplicableError,
    ParameterError,
    UnknownNameError,
)
from arena.game import Game, State
from arena.registry import GAMES
from arena.rng import Stream
from arena.types import Box, Discrete, MultiDiscrete, OtherSpace

pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(arena.__file__).parents[1]

CLASSIC_AEC = [
    "chess_v6",
    "connect_four_v3",
    "go_v5",
    "hanabi_v5",
    "leduc_holdem_v4",
    "texas_holdem_no_limit_v6",
    "texas_holdem_v4",
    "tictactoe_v3",
]
MPE = ["simple_adversary_v3", "simple_crypto_v3", "simple_spread_v3", "simple_world_comm_v3"]


def native_env(family: str, name: str, form: str) -> Any:
    package = "mpe2" if family == "mpe" else f"pettingzoo.{family}"
    pytest.importorskip(package)
    return getattr(importlib.import_module(f"{package}.{name}"), form)()


def vector(space: Any, seen: Any) -> np.ndarray:
    """Lay an observation without its mask end to end, naively."""
    if isinstance(space, spaces.Dict):
        parts = [vector(s, seen[k]) for k, s in space.spaces.items() if k != "action_mask"]
        return np.concatenate(parts)
    if isinstance(space, spaces.Tuple):
        return np.concatenate([vector(s, x) for s, x in zip(space.spaces, seen, strict=True)])
    if isinstance(space, spaces.Discrete):
        hot = np.zeros(int(space.n), dtype=np.float32)
        hot[int(seen) - int(space.start)] = 1
        return hot
    return np.asarray(seen).astype(np.float32).reshape(-1)


def allowed(env: Any, agent: Any, seen: Any, info: dict[str, Any]) -> list[int] | None:
    """Legal actions counted from 0, as PettingZoo gives them."""
    space = env.action_space(agent)
    if not isinstance(space, spaces.Discrete):
        return None
    mask = seen.get("action_mask") if isinstance(seen, dict) else None
    if mask is None:
        mask = info.get("action_mask", np.ones(int(space.n)))
    return [k for k in range(int(space.n)) if mask[k]]


def pick(legal: list[int] | None, space: Any, stream: Stream) -> Any:
    if legal is not None:
        return stream.choice(legal)
    assert isinstance(space, spaces.Box)
    low, high = space.low.ravel(), space.high.ravel()
    drawn = [lo + stream.random() * (hi - lo) for lo, hi in zip(low, high, strict=True)]
    return np.array(drawn, dtype=space.dtype).reshape(space.shape)


def same_as_bare_aec(env: Any, game: Game, seed: int, cap: int = 10**9) -> None:
    """Play both; rewards are read from `last()`, which arena does not use."""
    state, stream = game.state(seed), Stream(seed)
    env.reset(seed=seed)
    totals = dict.fromkeys(env.possible_agents, 0.0)
    ended: dict[Any, str] = {}
    moves = 0
    for agent in env.agent_iter():
        seen, reward, terminated, truncated, info = env.last()
        totals[agent] += reward
        seat = game.seat_names.index(str(agent))
        look = state.observe(seat)
        assert look.tensor is not None
        np.testing.assert_array_equal(look.tensor, vector(env.observation_space(agent), seen))
        if terminated or truncated:
            ended[agent] = "terminated" if terminated else "truncated"
            env.step(None)
            continue
        assert state.actors() == (seat,)
        legal = allowed(env, agent, seen, info)
        assert (None if look.actions is None else list(look.actions)) == legal
        action = pick(legal, env.action_space(agent), stream)
        env.step(action + getattr(env.action_space(agent), "start", 0))
        state.step({seat: action})
        moves += 1
        if moves == cap:
            return
    assert state.actors() == ()
    assert list(state.status()) == [ended.get(a, "waiting") for a in env.possible_agents]
    assert state.truncated == ("truncated" in ended.values())
    np.testing.assert_allclose(state.returns(), list(totals.values()), rtol=1e-12, atol=1e-12)


def same_as_bare_parallel(env: Any, game: Game, seed: int, cap: int = 10**9) -> None:
    state, stream = game.state(seed), Stream(seed)
    seen, infos = env.reset(seed=seed)
    totals = np.zeros(game.seats)
    status = {a: "playing" if a in env.agents else "waiting" for a in env.possible_agents}
    seats = {agent: seat for seat, agent in enumerate(env.possible_agents)}
    for _ in range(cap):
        if not env.agents:
            break
        joint, sent = {}, {}
        for agent in sorted(env.agents, key=seats.__getitem__):
            look = state.observe(seats[agent])
            assert look.tensor is not None
            expected = vector(env.observation_space(agent), seen[agent])
            np.testing.assert_array_equal(look.tensor, expected)
            legal = allowed(env, agent, seen[agent], infos[agent])
            assert (None if look.actions is None else list(look.actions)) == legal
            if legal == []:
                sent[agent] = 0
                continue
            joint[seats[agent]] = action = pick(legal, env.action_space(agent), stream)
            sent[agent] = action + getattr(env.action_space(agent), "start", 0)
        assert state.actors() == tuple(sorted(joint))
        seen, rewards, terminated, truncated, infos = env.step(sent)
        state.step(joint)
        paid = np.zeros(game.seats)
        for agent, reward in rewards.items():
            paid[seats[agent]] += float(np.asarray(reward).reshape(()))
        np.testing.assert_array_equal(state.rewards(), paid)
        totals += paid
        for agent in terminated:
            status[agent] = "playing"
            if truncated[agent]:
                status[agent] = "truncated"
            if terminated[agent]:
                status[agent] = "terminated"
        assert list(state.status()) == list(status.values())
    else:
        return
    assert state.actors() == ()
    np.testing.assert_array_equal(state.returns(), totals)


@pytest.mark.parametrize("name", CLASSIC_AEC)
def test_classic_environments_play_as_their_own_loop(name: str) -> None:
    env = native_env("classic", name, "env")
    game = arena.make(f"pettingzoo/classic/{name}")
    assert game.turns == "sequential"
    for seed in range(3 if name in {"chess_v6", "go_v5"} else 12):
        same_as_bare_aec(env, game, seed)


@pytest.mark.parametrize("name", MPE)
@pytest.mark.parametrize("continuous", [False, True])
def test_particle_environments_play_as_their_own_loop(name: str, continuous: bool) -> None:
    pytest.importorskip("mpe2")
    module = importlib.import_module(f"mpe2.{name}")
    game = arena.make(f"pettingzoo/mpe/{name}", continuous_actions=continuous)
    assert game.turns == "simultaneous"
    assert all(isinstance(space, Box if continuous else Discrete) for space in game.actions)
    for seed in range(4):
        env = module.parallel_env(continuous_actions=continuous)
        same_as_bare_parallel(env, game, seed)


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("classic", "rps_v2"),
        ("butterfly", "knights_archers_zombies_v11"),
        ("butterfly", "cooperative_pong_v6"),
        ("sisl", "multiwalker_v9"),
        ("sisl", "pursuit_v5"),
    ],
)
def test_parallel_environments_play_as_their_own_loop(family: str, name: str) -> None:
    if family == "sisl":
        pytest.importorskip("Box2D")
    if family != "classic":
        pytest.importorskip("pymunk")
    game = arena.make(f"pettingzoo/{family}/{name}")
    for seed in range(2):
        same_as_bare_parallel(native_env(family, name, "parallel_env"), game, seed, cap=60)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_agents_die_and_join_between_turns(seed: int) -> None:
    same_as_bare_aec(Survivors(), arena.wrap(Survivors()), seed)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), length=st.integers(1, 15))
def test_agents_die_and_join_in_parallel(seed: int, length: int) -> None:
    same_as_bare_parallel(Arrivals(length), arena.wrap(Arrivals(length)), seed)


def test_what_the_documentation_says_of_payoffs_holds() -> None:
    for name in (*CLASSIC_AEC, "rps_v2"):
        game = arena.make(f"pettingzoo/classic/{name}")
        totals = []
        for seed in range(2 if name in {"chess_v6", "go_v5"} else 20):
            state = play(game, seed)
            totals.append(state.returns())
        if name == "hanabi_v5":
            assert game.payoff == "cooperative"
            assert all(np.ptp(total) == 0 for total in totals)
        else:
            assert game.payoff == "zero_sum"
            assert all(total.sum() == 0 for total in totals)


def play(game: Game, seed: int, *, steps: int = 10**9, stream: Stream | None = None) -> State:
    state = game.state(seed)
    advance(state, stream or Stream(seed), steps)
    return state


def advance(state: State, stream: Stream, steps: int = 10**9) -> list[Any]:
    trace = []
    while steps and (actors := state.actors()):
        joint = {seat: stream.choice(list(state.legal(seat) or ())) for seat in actors}
        state.step(joint)
        tensors = [state.observe(seat).tensor for seat in state.actors()]
        trace.append((joint, state.rewards().tolist(), [str(t) for t in tensors]))
        steps -= 1
    return trace


# -- copies ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "copied"),
    [(survivors, True), (arrivals, True), (Uncopyable, False)],
)
@pytest.mark.parametrize("steps", [0, 4, 8])
def test_clones_play_on_alike_and_apart(env: Any, copied: bool, steps: int) -> None:
    game = arena.wrap(env)
    state = play(game, 7, steps=steps)
    twin, other = state.clone(), state.clone()
    assert state.kind.copies is copied
    advance(other, Stream(99))
    assert advance(twin, Stream(5)) == advance(state, Stream(5))
    assert twin.returns().tolist() == state.returns().tolist()


@pytest.mark.parametrize("name", ["classic/connect_four_v3", "classic/leduc_holdem_v4"])
def test_clones_of_real_environments(name: str) -> None:
    state = play(arena.make(f"pettingzoo/{name}"), 3, steps=2)
    twin = state.clone()
    assert state.kind.copies is True
    assert advance(twin, Stream(5)) == advance(state, Stream(5))


def test_particle_environments_are_replayed() -> None:
    pytest.importorskip("mpe2")
    state = play(arena.make("pettingzoo/mpe/simple_spread_v3"), 3, steps=5)
    twin = state.clone()
    assert state.kind.copies is False  # they hold a pygame font
    assert advance(twin, Stream(5)) == advance(state, Stream(5))


def test_what_cannot_be_cloned_says_so() -> None:
    with pytest.raises(FormError, match="clone"):
        play(arena.wrap(Shared), 3, steps=4).clone()


# -- seeds -----------------------------------------------------------------------------


def test_an_episode_follows_from_its_seed() -> None:
    game = arena.make("pettingzoo/classic/leduc_holdem_v4")
    for seed in (3, 2**31 + 3, 2**63 + 3):
        first, second = game.state(seed), game.state(seed)
        assert advance(first, Stream(1)) == advance(second, Stream(1))
    firsts = {str(game.state(seed).observe(0).tensor) for seed in range(2**40, 2**40 + 30)}
    assert len(firsts) > 3


def test_an_earlier_episode_leaves_no_trace() -> None:
    pytest.importorskip("pymunk")
    # This environment's `reset` does not put everything back.
    game = arena.make("pettingzoo/butterfly/knights_archers_zombies_v11")
    traces = [advance(game.state(2), Stream(2), 160) for _ in range(3)]
    assert traces[0] == traces[1] == traces[2]


# -- actions ---------------------------------------------------------------------------


def signature(state: State) -> Any:
    seats = range(len(state.returns()))
    return (
        state.actors(),
        state.returns().tolist(),
        [str(state.observe(seat).native) for seat in seats],
        state.status(),
    )


@pytest.mark.parametrize("bad", [-1, 3, 2, 1.0, True, None, "0", np.array([0])])
def test_an_illegal_action_leaves_the_state_unchanged(bad: Any) -> None:
    state = play(arena.wrap(Survivors()), 1, steps=3)
    assert state.legal(0) == [0, 1]
    before = signature(state)
    with pytest.raises(IllegalActionError):
        state.step({0: bad})
    assert signature(state) == before
    assert state.observe(0).legal.tolist() == [True, True, False]
    state.step({0: np.int64(1)})


def test_the_acting_seats_are_the_ones_to_move() -> None:
    state = arena.make("pettingzoo/classic/connect_four_v3").state(0)
    for joint in ({}, {1: 0}, {0: 0, 1: 0}):
        with pytest.raises(IllegalActionError, match="were to"):
            state.step(joint)
    state.step({0: 0})
    assert list(state.observe(0).actions) == []
    assert not state.observe(0).legal.any()


def test_a_full_column_never_reaches_the_environment() -> None:
    state = arena.make("pettingzoo/classic/connect_four_v3").state(0)
    for move in range(6):
        state.step({move % 2: 3})
    with pytest.raises(IllegalActionError, match="legal are"):
        state.step({0: 3})
    assert state.actors() == (0,)
    assert state.returns().tolist() == [0.0, 0.0]


def test_spaces_are_reported_as_they_are() -> None:
    game = arena.wrap(Shapes())
    multi, box, bits, grid = game.actions
    assert multi == MultiDiscrete((2, 3))
    assert isinstance(box, Box)
    assert box.shape == (2, 2)
    assert float(box.high.max()) == 2.0
    assert isinstance(bits, OtherSpace)
    assert isinstance(grid, OtherSpace)
    assert not game.discrete
    state = game.state(0)
    good: dict[int, Any] = {
        0: np.array([1, 2]),
        1: np.full((2, 2), 1.5),
        2: np.array([0, 1, 0], dtype=np.int8),
        3: np.array([[1, 1], [2, 0]]),
    }
    for seat, bad in (
        (0, np.array([2, 0])),
        (0, np.array([0.5, 0.5])),
        (0, [0]),
        (1, np.full((2, 2), 3.0)),
        (1, np.full((2, 2), np.nan)),
        (1, "up"),
        (2, np.array([2, 0, 0], dtype=np.int8)),
    ):
        with pytest.raises(IllegalActionError):
            state.step({**good, seat: bad})
    assert state.legal(0) is None
    assert state.observe(1).actions is None
    state.step(good)
    assert state.observe(0).tensor.tolist() == [2.0, 7.0]  # counted from its start
    assert state.observe(0).tensor.dtype == np.float32


@pytest.mark.parametrize("flat", [False, True])
def test_masks_of_several_choices_at_once(flat: bool) -> None:
    class Masked(Shapes):
        def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
            seen, infos = super().reset(seed, options)
            mask = (np.array([1, 0], dtype=np.int8), np.array([0, 1, 1], dtype=np.int8))
            infos["multi_0"]["action_mask"] = np.concatenate(mask) if flat else mask
            return seen, infos

    rest = {1: np.zeros((2, 2)), 2: np.zeros(3, np.int8), 3: np.zeros((2, 2), np.int64)}
    for first in range(2):
        for second in range(3):
            state = arena.wrap(Masked).state(0)
            joint: dict[int, Any] = {0: np.array([first, second]), **rest}
            if first == 0 and second > 0:
                state.step(joint)
            else:
                with pytest.raises(IllegalActionError, match="masked out"):
                    state.step(joint)


def test_environments_registered_with_pettingzoo() -> None:
    import pettingzoo

    pettingzoo.register("parallel", "mine/arrivals-v3", Arrivals, kwargs={"length": 4})
    try:
        game = arena.make("pettingzoo/mine/arrivals_v3")
        assert "pettingzoo/mine/arrivals_v3" in arena.games()
        assert GAMES.info(game.id).missing == ""
        state = play(game, 1)
        assert state.observe(0).info == {"step": 4}
        assert play(arena.make(game.id, length=6), 1).observe(0).info == {"step": 6}
    finally:
        pettingzoo.parallel_registry.pop("mine/arrivals-v3")


def test_an_action_is_named_as_the_environment_counts() -> None:
    game = arena.wrap(Survivors())
    assert game.actions == (Discrete(3),) * 4
    assert game.describe_action(0, 2) == "5"


# -- facts, names, refusals ------------------------------------------------------------


def test_what_a_wrapped_environment_is() -> None:
    game = arena.wrap(Survivors(), payoff="cooperative", chance=False)
    assert game.id == "pettingzoo/survivors_v0"
    assert game.seat_names == ("player_0", "player_1", "player_2", "player_3")
    assert (game.payoff, game.chance, game.rebuildable) == ("cooperative", False, False)
    with pytest.raises(FormError):
        game.root()
    state = game.state(0)
    assert state.observe(0).key is None
    assert "turn" in state.observe(0).view
    assert state.status() == ("playing", "playing", "playing", "waiting")
    assert not state.observe(3).tensor.any()
    assert "player_0" in state.render()


def test_a_wrapped_object_is_left_alone() -> None:
    env = Arrivals()
    env.reset(seed=1)
    game = arena.wrap(env)
    play(game, 3)
    assert env.time == 0
    assert env.agents == ["north_0", "east_0"]


def test_environments_that_draw_text_are_asked_to() -> None:
    assert "." in arena.make("pettingzoo/classic/chess_v6").state(0).render()
    assert arena.make("pettingzoo/pettingzoo_envs:arrivals").state(0).render().startswith("north_0")
    game = arena.make("pettingzoo/pettingzoo_envs:arrivals", render_mode="ansi")
    assert game.state(0).render() == "time 0: north_0 east_0"


def test_the_users_own_function() -> None:
    game = arena.make("pettingzoo/pettingzoo_envs:survivors", pay=0.5, payoff="general_sum")
    assert game.rebuildable
    again = arena.make(game.id, **game.params)
    assert again.key == game.key
    assert again.version == game.version
    assert play(again, 4).returns().tolist() == play(game, 4).returns().tolist()
    with pytest.raises(UnknownNameError, match="pay"):
        arena.make("pettingzoo/pettingzoo_envs:survivors", pai=0.5)
    with pytest.raises(ArenaError, match="length must be positive"):
        arena.make("pettingzoo/pettingzoo_envs:arrivals", length=0)
    with pytest.raises(ArenaError, match="not a function"):
        arena.make("pettingzoo/pettingzoo_envs:NOT_A_FUNCTION")
    with pytest.raises(UnknownNameError, match="Survivors"):
        arena.make("pettingzoo/pettingzoo_envs:survivor")
    with pytest.raises(ArenaError, match="no module 'pettingzoo_enws'"):
        arena.make("pettingzoo/pettingzoo_enws:survivors")


def test_names_and_facts_without_importing() -> None:
    code = (
        "import sys; from arena.registry import GAMES; GAMES.families();"
        "f = GAMES.family('pettingzoo');"
        "names = f.names(); [f.info(n) for n in names];"
        "heavy = {'pygame', 'pymunk', 'chess', 'rlcard', 'pyspiel', 'mpe2', 'shimmy'};"
        "assert len(names) >= 50, names; assert not heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    info = GAMES.info("pettingzoo/classic/connect_four_v3")
    assert (info.tags or {})["turns"] == "sequential"
    assert (info.tags or {})["payoff"] == "zero_sum"
    with pytest.raises(UnknownNameError, match="connect_four_v3"):
        arena.make("pettingzoo/classic/connect_for_v3")
    with pytest.raises(UnknownNameError):
        GAMES.info("pettingzoo/classic/connect_for_v3")


def test_a_missing_dependency_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "multi_agent_ale_py", None)
    monkeypatch.delitem(sys.modules, "pettingzoo.atari.pong.pong", raising=False)
    monkeypatch.delitem(sys.modules, "pettingzoo.atari.base_atari_env", raising=False)
    with pytest.raises(MissingDependencyError, match=r'pip install "pettingzoo\[atari\]"'):
        arena.make("pettingzoo/atari/pong_v3")
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "mpe2" else found(n, *a)
    )
    assert "pip install mpe2" in GAMES.info("pettingzoo/mpe/simple_spread_v3").missing


def test_parameters_are_checked() -> None:
    make = arena.make
    with pytest.raises(UnknownNameError, match="max_cycles"):
        make("pettingzoo/mpe/simple_spread_v3", max_cycle=3)
    with pytest.raises(ParameterError, match="payoff"):
        make("pettingzoo/classic/connect_four_v3", payoff="zerosum")
    with pytest.raises(ParameterError, match="api"):
        make("pettingzoo/classic/connect_four_v3", api="both")
    with pytest.raises(ParameterError, match="'aec'"):
        make("pettingzoo/classic/connect_four_v3", api="parallel")
    game = make("pettingzoo/classic/rps_v2", api="aec", num_actions=5)
    assert game.turns == "sequential"
    assert game.params == {"api": "aec", "num_actions": 5}
    assert game.actions == (Discrete(5), Discrete(5))


def test_what_cannot_be_a_game_is_refused() -> None:
    from pettingzoo.test.example_envs import generated_agents_parallel_v0

    with pytest.raises(NotApplicableError, match="possible_agents"):
        arena.wrap(generated_agents_parallel_v0.parallel_env())
    with pytest.raises(ParameterError, match="AECEnv"):
        arena.wrap(3)
    with pytest.raises(ParameterError, match="AECEnv"):
        arena.wrap(lambda: 3)
    with pytest.raises(ParameterError, match="copied"):
        arena.wrap(Uncopyable())
    with pytest.raises(ArenaError, match="does not remove"):
        play(arena.wrap(Immortal), 1)
