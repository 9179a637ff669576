"""Records episodes of SMAC's own environment over the stand-in engine, as `*.npz` beside this.

Run from the root of the repository, with the package `smac` (https://github.com/oxwhirl/smac,
commit d6aab33, unmodified) in the path: `python -m tests.golden.smac.record`.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from games.starcraft.shim import install
from tests.fake_sc2.installed import installed

MAPS = ("3m", "2s3z", "5m_vs_6m", "MMM")
EVERYTHING = {
    "obs_last_action": True,
    "obs_pathing_grid": True,
    "obs_terrain_height": True,
    "obs_timestep_number": True,
    "state_timestep_number": True,
    "reward_only_positive": False,
    "reward_death_value": 7,
    "reward_win": 50.5,
    "reward_defeat": -30,
    "reward_negative_scale": 0.25,
    "reward_scale_rate": 3,
    "move_amount": 3,
    "difficulty": "1",  # the stand-in's enemies stand still then
}
SETS: dict[str, dict[str, Any]] = {
    "plain": {},
    "everything": EVERYTHING,
    "blind": {
        "obs_all_health": False,
        "obs_own_health": False,
        "obs_last_action": True,
        "state_last_action": False,
        "reward_scale": False,
    },
    "joined": {
        "obs_all_health": False,
        "obs_instead_of_state": True,
        "obs_timestep_number": True,
        "reward_sparse": True,
        "difficulty": "1",
        "reward_scale": False,
    },
}
SEED = 11
BORDER = 3


def play(env: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Play one episode: shoot if possible, mostly; else walk east or anywhere."""
    env.reset()
    out: dict[str, list[Any]] = {k: [] for k in ("obs", "state", "avail", "actions", "reward")}
    terminated, info = False, {}
    while True:
        avail = np.array(env.get_avail_actions(), dtype=bool)
        out["obs"].append(np.array(env.get_obs(), dtype=np.float32))
        out["state"].append(env.get_state().astype(np.float32))
        out["avail"].append(avail)
        if terminated:
            return {**out, "won": bool(info.get("battle_won", False))}
        actions = []
        for row in avail:
            legal, shots = np.flatnonzero(row), np.flatnonzero(row[6:]) + 6
            if len(shots) and rng.random() < 0.9:
                legal = shots
            elif row[4] and rng.random() < 0.6:
                legal = np.array([4])
            actions.append(int(rng.choice(legal)))
        reward, terminated, info = env.step(list(actions))
        out["actions"].append(actions)
        out["reward"].append(reward)


def main() -> None:
    install()
    from smac.env import StarCraft2Env

    with tempfile.TemporaryDirectory() as folder:
        fake = installed(Path(folder))
        fake.border(BORDER)
        os.environ["SC2PATH"], os.environ["FAKE_SC2"] = str(fake.folder), str(fake.memory)
        for name in MAPS:
            for kind, options in SETS.items():
                env = StarCraft2Env(map_name=name, seed=SEED, **options)
                told = play(env, np.random.default_rng(SEED))
                sizes = [env.get_obs_size(), env.get_state_size(), env.get_total_actions()]
                np.savez_compressed(
                    Path(__file__).with_name(f"{name}-{kind}.npz"),
                    obs=np.array(told["obs"]),
                    state=np.array(told["state"]),
                    avail=np.array(told["avail"]),
                    actions=np.array(told["actions"], dtype=np.int8),
                    reward=np.array(told["reward"], dtype=np.float64),
                    won=told["won"],
                    sizes=sizes,
                    options=json.dumps(options),
                )
                env.close()
                print(name, kind, sizes, len(told["reward"]), sum(told["reward"]), told["won"])


if __name__ == "__main__":
    main()
