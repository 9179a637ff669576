"""The half turn: team 1 seen from the other side is team 0 of the turned world."""

from __future__ import annotations

import numpy as np
import pytest

import arena
from arena.errors import ParameterError
from arena.rng import derive_many
from games.skirmish import Rollout
from games.skirmish import layout as at
from games.skirmish.turn import half_turn
from games.skirmish.world import copied

SEEN = {
    "obs_last_action": True,
    "obs_pathing_grid": True,
    "obs_terrain_height": True,
    "obs_timestep_number": True,
}


def turned(battle, world):
    """Return the world after a half turn, with the teams' units in each other's places."""
    out = copied(world)
    units = out.units[:, :, :]
    count, allies = battle.units, battle.allies
    counterpart = (np.arange(count) + allies) % count
    for array in (out.units, out.marks):
        array[:] = array[:, :, counterpart]
    out.units[:, at.X], out.units[:, at.Y] = 32.0 - units[:, at.X], 32.0 - units[:, at.Y]
    for row in (at.MOVE_X, at.MOVE_Y, at.LOOK_X, at.LOOK_Y):
        out.units[:, row] *= -1.0
    if len(out.stats) == len(world.units):
        out.stats[:] = out.stats[:, :, counterpart]
    if battle.smax:
        # Teams count their targets in opposite directions.
        action = out.marks[:, at.ACTION]
        action[action >= 5] = 9 + allies - action[action >= 5]
    else:
        action, looks = out.marks[:, at.ACTION], battle.looks
        moves, views = (action >= 2) & (action < 6), (action >= 6) & (action < 6 + looks)
        action[moves] ^= 1  # north and south, east and west
        action[views] = 6 + (action[views] - 6 + looks // 2) % max(looks, 1)
    return out


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("3m", {}),
        ("2s3z", {}),
        ("MMM", {}),
        ("3m", {"sight": "cone"}),
        ("terran_5_vs_5", {}),
        ("2s3z", {"mode": "smax"}),
        ("2s3z", SEEN),
        ("terran_5_vs_5", {**SEEN, "sight": "cone", "obs_all_health": False}),
    ],
)
def test_team_1_sees_what_team_0_would(name, params):
    from games.skirmish._kernels import view_all

    game = arena.make(f"skirmish/{name}", side="both", **params)
    battle = game.form("skirmish")
    turn = half_turn(battle)
    battles = Rollout(game, envs=8, seed=3, auto_reset=False)
    rng = np.random.default_rng(1)
    for _ in range(12):
        battles.step((rng.random(battles.avail.shape) * battles.avail).argmax(axis=2))
    obs, avail = battles.obs.copy(), battles.avail.copy()
    allies = battle.allies
    found, mask = turn.look(obs[:, allies:]), turn.mask(avail[:, allies:])
    world = turned(battle, battles.world)
    view_all(world, battle.rules, battle.ground, battles.obs, battles.state, battles.avail)
    alive = world.units[:, at.HEALTH, : battle.allies] > 0
    assert alive.sum() > 8
    np.testing.assert_allclose(found[alive], battles.obs[:, : battle.allies][alive], atol=2e-5)
    # At the edge of a circle rounding may decide.
    assert (mask[alive] != battles.avail[:, : battle.allies][alive]).mean() < 1e-3


@pytest.mark.parametrize("params", [{}, {"mode": "smax"}, {"sight": "cone"}])
def test_turning_twice_does_nothing(params):
    battle = arena.make("skirmish/2s3z", side="both", **params).form("skirmish")
    turn = half_turn(battle)
    rng = np.random.default_rng(0)
    obs = rng.random((4, battle.obs_sizes[1])).astype(np.float32)
    np.testing.assert_allclose(turn.look(turn.look(obs)), obs, atol=1e-6)
    actions = np.arange(battle.actions[1])
    assert (turn.action[turn.action] == actions).all()


def test_a_rollout_begins_the_episodes_of_given_seeds():
    game = arena.make("skirmish/2s3z")
    seeds = derive_many(9, np.arange(4))
    battles = Rollout(game, envs=4, seed=0, auto_reset=False)
    battles.reset(seeds=seeds)
    for k, seed in enumerate(seeds):
        state = game.state(int(seed))
        for seat in range(game.seats):
            np.testing.assert_array_equal(battles.obs[k, seat], state.observe(seat).tensor)
    with pytest.raises(ParameterError, match="one for each"):
        battles.reset(np.arange(2), seeds=seeds)


def test_a_batch_knows_the_winners():
    game = arena.make("skirmish/3m", opponent="idle")
    agents = [arena.agent("skirmish/focus_fire") for _ in range(3)]
    seeds = np.arange(6, dtype=np.uint64)
    batch = game.form("batch", seeds=seeds)
    assert (batch.winners() == -1).all()
    for seat, agent in enumerate(agents):
        agent.begin_batch(game, seat, seeds)
    while batch.actors().any():
        batch.step(
            np.stack([agent.act_batch(batch.observe(i)) for i, agent in enumerate(agents)], 1)
        )
    assert (batch.winners() == 0).sum() >= 5
    told = [w if w >= 0 else None for w in batch.winners().tolist()]
    assert [batch.state(k).winner for k in range(6)] == told
