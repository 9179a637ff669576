"""State, batch and rollout are one game; what others ask of a game; bad input."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import arena
from arena.errors import (
    ArenaError,
    FormError,
    IllegalActionError,
    NotApplicableError,
    ParameterError,
    UnknownNameError,
)
from arena.rng import Stream, derive_many
from arena.testing import check_game
from games.skirmish import Rollout, maps

GAMES = [
    ("3m", {}),
    ("3m", {"mode": "smax"}),
    ("5m_vs_6m", {"side": "both", "mode": "smax"}),
    ("MMM2", {"side": "both"}),
    ("2s3z", {"opponent": "focus_fire"}),
    ("3s5z", {"collision": "orca"}),
    ("terran_5_vs_5", {"sight": "cone", "reveal": 0.5}),
    ("smacv2_5_units", {"mode": "smax", "side": "both"}),
]
games = pytest.mark.parametrize(("name", "params"), GAMES, ids=str)


@games
def test_batch_is_bit_equal_to_states(name: str, params: dict[str, Any]) -> None:
    game = arena.make(f"skirmish/{name}", **params)
    seeds = derive_many(5, np.arange(4))
    states: list[Any] = [game.state(int(s)) for s in seeds]
    batch = game.form("batch", seeds=seeds)
    stream = Stream(1)
    for _ in range(30):
        acting = batch.actors()
        actions = np.zeros(acting.shape, dtype=np.int64)
        vectors = batch.state_vectors()
        for k, state in enumerate(states):
            assert tuple(np.flatnonzero(acting[k])) == state.actors()
            assert (batch.returns()[k] == state.returns()).all()
            assert (vectors[k] == state.state_vector()).all()
            assert (batch.world.units[k] == state.world.units[0]).all()
        for seat in range(game.seats):
            seen = batch.observe(seat)
            assert (seen.live == acting[:, seat]).all()
            for k in np.flatnonzero(seen.live):
                alone = states[k].observe(seat)
                assert (seen.legal[k] == alone.legal).all()
                assert (seen.tensor[k] == alone.tensor).all()
                assert (seen.world.units[k] == alone.world.units[0]).all()
                actions[k, seat] = stream.choice(alone.actions)
        if not acting.any():
            break
        batch.step(actions)
        for k in np.flatnonzero(acting.any(axis=1)):
            states[k].step({s: int(actions[k, s]) for s in states[k].actors()})
            assert (batch.rewards()[k] == states[k].rewards()).all()


@games
def test_rollouts_play_the_same_game(name: str, params: dict[str, Any]) -> None:
    """One thread and two, with restarts; and the first episodes step by step as states do."""
    game = arena.make(f"skirmish/{name}", limit=12, **params)
    runs = [Rollout(game, envs=5, seed=3, threads=threads) for threads in (1, 2)]
    stream, battle = Stream(2), game.form("skirmish")
    ended = 0
    for _ in range(30):
        one, two = runs
        for field in ("obs", "state", "avail", "reward", "done", "cut", "won", "length"):
            assert (getattr(one, field) == getattr(two, field)).all(), field
        for team, seats in enumerate((slice(0, battle.allies), slice(battle.allies, None))):
            assert not one.obs[:, seats, battle.obs_sizes[team] :].any()
        assert one.avail.any(axis=2).all()
        actions = np.array(
            [[stream.choice(np.flatnonzero(row).tolist()) for row in env] for env in one.avail]
        )
        states = [before(one, k) for k in range(5)]
        for run in runs:
            run.step(actions)
        for k, state in enumerate(states):
            state.step({s: int(actions[k, s]) for s in state.actors()})
            assert one.reward[k, 0] == state.rewards()[0]
            assert one.done[k] == (not state.actors())
            assert one.cut[k] == state.truncated
            shown = one.last_obs if one.done[k] else one.obs
            for seat in range(game.seats):
                tensor = state.observe(seat).tensor
                assert (shown[k, seat, : len(tensor)] == tensor).all()
            vector = one.last_state if one.done[k] else one.state
            assert (vector[k] == state.state_vector()).all()
        ended += int(one.done.sum())
    assert ended >= 10


def before(rollout: Rollout, episode: int) -> Any:
    from games.skirmish.state import SkirmishState
    from games.skirmish.world import single

    return SkirmishState(rollout.battle, single(rollout.world, episode))


def test_without_restarts_episodes_wait() -> None:
    run = Rollout(arena.make("skirmish/3m", limit=3), envs=4, seed=0, auto_reset=False)
    stop = np.ones((4, 3), dtype=np.int64)
    for _ in range(3):
        run.step(stop)
    assert run.done.all()
    assert run.cut.all()
    shown = run.obs.copy()
    run.step(stop)
    assert (run.obs == shown).all()
    assert not run.reward.any()
    run.reset(np.array([1, 3]))
    assert run.done.tolist() == [True, False, True, False]
    assert (run.obs[[0, 2]] == shown[[0, 2]]).all()
    assert (run.obs[[1, 3]] != shown[[1, 3]]).any()


def test_rollouts_follow_from_the_seed() -> None:
    game = arena.make("skirmish/2s3z")
    same = [Rollout(game, envs=n, seed=9).obs[:3] for n in (3, 8)]
    assert (same[0] == same[1]).all()
    assert (Rollout(game, envs=3, seed=10).obs != same[0]).any()


@games
def test_the_conformance_kit_passes(name: str, params: dict[str, Any]) -> None:
    check_game(arena.make(f"skirmish/{name}", limit=25, **params), episodes=1, close_ups=2)


def test_every_map_can_be_made_and_played() -> None:
    for name in maps.names():
        game = arena.make(f"skirmish/{name}", limit=4)
        state = game.state(0)
        while state.actors():
            state.step({seat: state.legal(seat)[-1] for seat in state.actors()})
        assert game.form("skirmish").units == sum(game.form("skirmish").layout.sizes)


def test_pettingzoo_export_passes_its_tests() -> None:
    from pettingzoo.test import parallel_api_test

    game = arena.make("skirmish/3m", limit=20)
    parallel_api_test(arena.to_pettingzoo(game, parallel=True), num_cycles=30)


def test_drawings() -> None:
    state: Any = arena.make("skirmish/MMM").state(1)
    for _ in range(8):
        state.step({seat: state.legal(seat)[-1] for seat in state.actors()})
    root = ElementTree.fromstring(state.render_svg())
    titles = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert any(title.startswith("ally_9 medivac") and "energy" in title for title in titles)
    text = state.render()
    assert "decision 8/150" in text
    assert "J ally_9 medivac" in text
    state.world.units[0, at_health(), 0] = 0
    assert ElementTree.fromstring(state.render_svg()) is not None
    assert state.observe(0).view == "ally_0 is dead"


def at_health() -> int:
    from games.skirmish.layout import HEALTH

    return int(HEALTH)


@pytest.mark.parametrize(
    ("name", "params", "error", "told"),
    [
        ("3mm", {}, UnknownNameError, ["3mm", "did you mean", "'3m'"]),
        ("terran_65_vs_5", {}, ParameterError, ["allies", "65", "1 to 64"]),
        ("zerg_5_vs_500", {}, ParameterError, ["enemies", "500", "1 to 64"]),
        ("3m", {"mode": "smx"}, UnknownNameError, ["smx", "did you mean 'smax'"]),
        ("MMM", {"mode": "smax"}, NotApplicableError, ["medivac", "mode='smac'", "3m"]),
        ("3m", {"modus": "smax"}, UnknownNameError, ["modus", "mode"]),
        ("3m", {"opponent": "closet"}, UnknownNameError, ["closet", "'closest'"]),
        ("3m", {"opponent": "closest", "side": "both"}, ParameterError, ["opponent", "both"]),
        ("3m", {"opponent": "attack_move", "mode": "smax"}, ParameterError, ["attack_move"]),
        ("3m", {"sight": "cone", "mode": "smax"}, ParameterError, ["sight", "smac"]),
        ("3m", {"collision": "orca", "mode": "smax"}, ParameterError, ["collision", "smac"]),
        ("3m", {"collision": "orka"}, UnknownNameError, ["orka", "'orca'"]),
        ("3m", {"reveal": 1.5}, ParameterError, ["reveal", "1.5", "0 to 1"]),
        ("3m", {"limit": 0}, ParameterError, ["limit", "0"]),
        ("3m", {"side": 3}, ParameterError, ["side", "3", "allies"]),
        ("3m", {"obs_last_action": 1}, ParameterError, ["obs_last_action", "1", "true or false"]),
        ("3m", {"obs_last_actio": True}, UnknownNameError, ["did you mean 'obs_last_action'"]),
        ("3m", {"reward_sparse": True}, UnknownNameError, ["SMAC's reward_sparse", "reward='"]),
        ("3m", {"reward_defeat": 3}, ParameterError, ["reward_defeat", "3", "0 or less"]),
        ("3m", {"reward_win": float("nan")}, ParameterError, ["reward_win", "nan"]),
        ("3m", {"reward_win": 9, "reward": "sparse"}, ParameterError, ["reward_win", "shaped"]),
        ("3m", {"move_amount": 0}, ParameterError, ["move_amount", "0", "more than 0"]),
        ("3m", {"step_mul": 0}, ParameterError, ["step_mul", "0", "1 to 1000"]),
        ("3m", {"obs_timestep_number": True, "mode": "smax"}, ParameterError, ["mode='smac'"]),
    ],
)
def test_impossible_battles_are_named(
    name: str, params: dict[str, Any], error: type[ArenaError], told: list[str]
) -> None:
    with pytest.raises(error) as caught:
        arena.make(f"skirmish/{name}", **params)
    for part in told:
        assert part in str(caught.value)


def test_illegal_actions_are_named_and_change_nothing() -> None:
    game = arena.make("skirmish/3m")
    state: Any = game.state(0)
    shown = state.render()
    with pytest.raises(IllegalActionError, match=r"ally_1 played 6 \(attack enemy_0\); available"):
        state.step({0: 1, 1: 6, 2: 1})
    with pytest.raises(IllegalActionError, match="actions are 0 to 8"):
        state.step({0: 1, 1: 1, 2: 9})
    with pytest.raises(IllegalActionError, match="to move are ally_0, ally_1, ally_2"):
        state.step({0: 1})
    assert state.render() == shown
    batch = game.form("batch", seeds=[1, 2])
    with pytest.raises(IllegalActionError, match="episode 1: skirmish/3m: ally_2 played 0"):
        batch.step(np.array([[1, 1, 1], [1, 1, 0]]))
    with pytest.raises(IllegalActionError, match="shape"):
        batch.step(np.zeros((2, 2), dtype=np.int64))
    run = Rollout(game, envs=2, seed=0)
    with pytest.raises(IllegalActionError, match="environment 0: ally_0 played 8; available are"):
        run.step(np.array([[8, 1, 1], [1, 1, 1]]))
    with pytest.raises(ParameterError, match="envs"):
        Rollout(game, envs=0, seed=0)
    with pytest.raises(NotApplicableError, match="not a skirmish"):
        Rollout(arena.make("chicken"), envs=1, seed=0)
    with pytest.raises(FormError):
        game.root()
