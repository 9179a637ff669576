"""SMAC's own environment over the same (stand-in) engine: recorded episodes, reproduced.

`tests/golden/smac/record.py` says how they were made.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from games.skirmish import layout as at
from tests.fake_sc2.installed import FakeEngine
from tests.golden.smac.record import BORDER, MAPS, SEED, SETS

GOLDEN = Path(__file__).parents[2] / "golden" / "smac"


def ours(options: dict[str, Any]) -> dict[str, Any]:
    """SMAC's arguments as arena has them."""
    options = dict(options)
    if options.pop("reward_sparse", False):
        assert options.pop("reward_scale") is False
        options["reward"] = "sparse"
    return options


def turned(battle: Any, obs: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Undo what SMAC does otherwise, see docs/starcraft.md.

    The type bits of enemy stalkers and zealots, the flags that medivacs have of enemies, and
    the zero that `get_obs_size` does not count in front of the time.
    """
    if battle.obs_timestep_number:
        assert not obs[:, -2].any()
        obs = np.delete(obs, -2, axis=1)
    obs, state, bits = obs.copy(), state.copy(), battle.layout.bits
    numbers = battle.rules.numbers
    healths = battle.obs_all_health * (1 + int(numbers[at.R_SHIELDS_1]))
    ground = 8 * battle.obs_pathing_grid + 9 * battle.obs_terrain_height
    enemies, wide = battle.enemies, 4 + healths + bits
    if battle.layout.bits == 2:
        for k in range(enemies):
            last = 4 + ground + (k + 1) * wide
            obs[:, [last - 2, last - 1]] = obs[:, [last - 1, last - 2]]
        if not battle.obs_instead_of_state:
            shields = [int(numbers[row]) for row in (at.R_SHIELDS_0, at.R_SHIELDS_1)]
            first = battle.allies * (4 + shields[0] + bits)
            for k in range(enemies):
                last = first + (k + 1) * (3 + shields[1] + bits)
                state[[last - 2, last - 1]] = state[[last - 1, last - 2]]
    for seat in range(battle.allies):
        if battle.rules.table[battle.rules.types[seat]][at.HEAL] > 0:
            obs[seat, 4 + ground : 4 + ground + enemies * wide : wide] = 0.0
    if battle.obs_instead_of_state:
        state = obs.ravel()
    return obs, state


EPISODES = [
    # Of the maps of marines one is enough every time.
    pytest.param(name, kind, marks=[pytest.mark.slow] if name == "5m_vs_6m" else [])
    for name in MAPS
    for kind in SETS
]


@pytest.mark.parametrize(("name", "kind"), EPISODES)
def test_episodes_of_smac_are_reproduced(name: str, kind: str, fake: FakeEngine) -> None:
    with np.load(GOLDEN / f"{name}-{kind}.npz") as file:
        told = dict(file)
    options = json.loads(str(told["options"]))
    assert options == SETS[kind]
    fake.border(BORDER)
    game = arena.make(f"starcraft/{name}", timeout=60, **ours(options))
    state: Any = game.state(SEED)
    battle = state.battle
    sizes = [battle.obs_sizes[0], battle.state_size, battle.actions[0]]
    assert sizes == told["sizes"].tolist()
    for step in range(len(told["obs"])):
        obs, vector = turned(battle, told["obs"][step], told["state"][step])
        seen = [state.observe(seat) for seat in range(battle.allies)]
        np.testing.assert_allclose([one.tensor for one in seen], obs, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(state.state_vector(), vector, rtol=1e-5, atol=1e-6)
        living = state.world.units[0, at.HEALTH, : battle.allies] > 0
        assert told["avail"][step, :, 0].tolist() == (~living).tolist()
        if step == len(told["actions"]):
            break
        for seat in state.actors():
            assert seen[seat].legal.tolist() == told["avail"][step, seat].tolist()
        state.step({seat: int(told["actions"][step, seat]) for seat in state.actors()})
        assert state.rewards()[0] == pytest.approx(told["reward"][step], abs=1e-4, rel=1e-5)
    assert not state.actors() and (state.winner == 0) == told["won"]
    game.form("engines").close()


def test_some_recorded_episodes_are_won_and_some_lost() -> None:
    won = {bool(np.load(file)["won"]) for file in GOLDEN.glob("*.npz")}
    assert won == {True, False}
