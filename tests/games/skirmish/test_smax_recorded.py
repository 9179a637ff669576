"""Mode SMAX against recorded trajectories of JaxMARL's SMAX, whole episodes, everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from games.skirmish import Battle
from games.skirmish import layout as at
from games.skirmish._kernels import start_all, step_all, view_all
from games.skirmish.world import empty

GOLDEN = Path(__file__).parents[2] / "golden" / "smax"
SCENARIOS = sorted(path.stem for path in GOLDEN.glob("*.npz"))


def test_all_scenarios_are_there() -> None:
    assert SCENARIOS == ["2s3z", "3m", "3s5z_vs_3s6z", "5m_vs_6m", "6h_vs_8z"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_episodes_are_reproduced(name: str) -> None:
    """Never set back to the record: errors would grow over an episode."""
    recorded: Any = np.load(GOLDEN / f"{name}.npz")
    battle = Battle(name, mode="smax", side="both", reward="shaped")
    rules, ground, n = battle.rules, battle.ground, battle.units
    assert (battle.allies, battle.enemies) == (recorded["num_allies"], recorded["num_enemies"])
    world = empty(battle, 1)
    obs = np.zeros((1, n, battle.obs_sizes[0]), dtype=np.float32)
    state = np.zeros((1, battle.state_size), dtype=np.float32)
    avail = np.zeros((1, n, max(battle.actions)), dtype=np.bool_)

    def near(seen: Any, wanted: Any) -> None:
        assert np.abs(np.asarray(seen, dtype=float) - np.asarray(wanted, dtype=float)).max() < 1e-4

    for episode in range(len(recorded["init_types"])):
        start_all(world, rules, ground, np.arange(1), np.ones(1, dtype=np.uint64))
        world.units[0, [at.X, at.Y]] = recorded["init_positions"][episode].T
        assert (world.marks[0, at.TYPE] == recorded["init_types"][episode]).all()
        assert (world.units[0, at.HEALTH] == recorded["init_health"][episode]).all()
        view_all(world, rules, ground, obs, state, avail)
        near(obs[0], recorded["init_obs"][episode])
        near(state[0], recorded["init_world_state"][episode])
        for row in np.flatnonzero(recorded["episode"] == episode):
            width = min(avail.shape[2], recorded["avail"].shape[2])
            assert (avail[0, :, :width] == recorded["avail"][row][:, :width]).all()
            actions = recorded["actions"][row][None]
            step_all(world, rules, ground, actions, recorded["cooldown_noise"][row], 0, 1)
            near(world.units[0, [at.X, at.Y]].T, recorded["positions"][row])
            near(world.units[0, at.HEALTH], recorded["health"][row])
            near(world.units[0, at.COOLDOWN], recorded["cooldowns"][row])
            near(world.pays[0, at.REWARD_0], recorded["reward_ally"][row])
            near(world.pays[0, at.REWARD_1], recorded["reward_enemy"][row])
            assert bool(world.heads[0, at.OVER]) == bool(recorded["done"][row])
            view_all(world, rules, ground, obs, state, avail)
            near(obs[0], recorded["obs"][row])
            near(state[0], recorded["world_state"][row])
