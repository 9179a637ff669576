"""PyMARL itself, with our engine in place of StarCraft II.

Its own classes are used as they are: runner, replay buffer, controller, GRU agent, mixer and
learner, put together as its `run_sequential` does, without its command line, logging and test
runs. `PYMARL_PATH` names a copy of https://github.com/oxwhirl/pymarl.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch

import arena
from games.skirmish import Rollout

__all__ = ["PyMarl", "find"]

CONFIG = {
    # config/default.yaml and config/algs/qmix.yaml
    **{"runner": "episode", "mac": "basic_mac", "agent": "rnn", "agent_output_type": "q"},
    **{"action_selector": "epsilon_greedy", "learner": "q_learner", "mixer": "qmix"},
    **{"batch_size_run": 1, "batch_size": 32, "buffer_size": 5000, "device": "cpu"},
    **{"gamma": 0.99, "lr": 5e-4, "optim_alpha": 0.99, "optim_eps": 1e-5, "grad_norm_clip": 10},
    **{"target_update_interval": 200, "double_q": True, "test_nepisode": 10**9},
    **{"rnn_hidden_dim": 64, "obs_agent_id": True, "obs_last_action": True},
    **{"mixing_embed_dim": 32, "hypernet_layers": 2, "hypernet_embed": 64},
    **{"runner_log_interval": 2000, "learner_log_interval": 2000},
}


def find() -> Path | None:
    """Return the folder of its sources, if `PYMARL_PATH` is set."""
    place = os.environ.get("PYMARL_PATH")
    return Path(place) / "src" if place else None


class Battle:
    """One episode at a time behind the interface that PyMARL's runner calls."""

    def __init__(self, game: str, seed: int) -> None:
        self._battles = Rollout(arena.make(game), envs=1, seed=seed, auto_reset=False)
        self.episode_limit = self._battles.battle.decisions

    def reset(self) -> None:
        self._battles.reset()

    def get_obs(self) -> list[np.ndarray]:
        return list(self._battles.obs[0])

    def get_state(self) -> np.ndarray:
        return self._battles.state[0]

    def get_avail_actions(self) -> list[np.ndarray]:
        return list(self._battles.avail[0].astype(np.int32))

    def step(self, actions: Any) -> tuple[float, bool, dict[str, Any]]:
        battles = self._battles
        battles.step(actions.numpy()[None])
        info = {"battle_won": bool(battles.done[0]) and int(battles.won[0]) == 0}
        if battles.cut[0]:
            info["episode_limit"] = True
        return float(battles.reward[0, 0]), bool(battles.done[0]), info

    def get_env_info(self) -> dict[str, int]:
        _, agents, inputs = self._battles.obs.shape
        actions, state = self._battles.avail.shape[2], self._battles.state.shape[1]
        return {
            "n_agents": agents,
            "n_actions": actions,
            "obs_shape": inputs,
            "state_shape": state,
            "episode_limit": self.episode_limit,
        }


class PyMarl:
    """Its training loop, some episodes at a time.

    Args:
        source: its folder `src`.
        game: a skirmish.
        seed: of torch, numpy and the battles.
        settings: of `CONFIG`, otherwise, and `epsilon_*`.
    """

    def __init__(self, source: Path, game: str, seed: int, settings: dict[str, Any]) -> None:
        if not (source / "run.py").exists():
            raise SystemExit(f"PYMARL_PATH: there is no {source / 'run.py'}")
        warnings.filterwarnings("ignore", message=".*(tensor|ndarray).*")
        maps = ModuleType("smac.env")  # its `envs` imports SMAC, which would import pysc2
        vars(maps).update(MultiAgentEnv=object, StarCraft2Env=Battle)
        for name, module in (("smac", ModuleType("smac")), ("smac.env", maps)):
            sys.modules[name] = module
        sys.path.insert(0, str(source))
        from components.episode_buffer import ReplayBuffer
        from components.transforms import OneHot
        from controllers import REGISTRY as MACS
        from learners.q_learner import QLearner
        from runners.episode_runner import EpisodeRunner

        sys.path.remove(str(source))
        torch.manual_seed(seed)
        np.random.seed(seed)
        args = SimpleNamespace(**CONFIG, **settings)
        args.env, args.env_args = "sc2", {"game": game, "seed": seed}
        quiet = logging.getLogger("pymarl")
        logger = SimpleNamespace(console_logger=quiet, log_stat=lambda *_args: None)
        self.runner = EpisodeRunner(args, logger)
        info = self.runner.get_env_info()
        args.n_agents, args.n_actions = info["n_agents"], info["n_actions"]
        args.state_shape = info["state_shape"]
        scheme = {
            "state": {"vshape": info["state_shape"]},
            "obs": {"vshape": info["obs_shape"], "group": "agents"},
            "actions": {"vshape": (1,), "group": "agents", "dtype": torch.long},
            "avail_actions": {"vshape": (args.n_actions,), "group": "agents", "dtype": torch.int},
            "reward": {"vshape": (1,)},
            "terminated": {"vshape": (1,), "dtype": torch.uint8},
        }
        groups = {"agents": args.n_agents}
        change = {"actions": ("actions_onehot", [OneHot(out_dim=args.n_actions)])}
        self.buffer = ReplayBuffer(
            scheme, groups, args.buffer_size, info["episode_limit"] + 1, preprocess=change
        )
        mac = MACS[args.mac](self.buffer.scheme, groups, args)
        self.runner.setup(scheme=scheme, groups=groups, preprocess=change, mac=mac)
        self.learner = QLearner(mac, scheme, logger, args)
        self.args, self.episodes = args, 0

    @property
    def steps(self) -> int:
        """Environment steps done."""
        return self.runner.t_env

    def round(self, episodes: int) -> int:
        """Play so many episodes with an update after each; return the steps."""
        before = self.steps
        for _ in range(episodes):
            self.buffer.insert_episode_batch(self.runner.run(test_mode=False))
            if self.buffer.can_sample(self.args.batch_size):
                drawn = self.buffer.sample(self.args.batch_size)
                drawn = drawn[:, : drawn.max_t_filled()]
                self.learner.train(drawn, self.runner.t_env, self.episodes)
            self.episodes += self.args.batch_size_run
        return self.steps - before

    def win_rate(self, episodes: int) -> float:
        """Play so many episodes greedily and return the share won."""
        self.runner.test_stats, won = {}, 0
        for _ in range(episodes):
            self.runner.run(test_mode=True)
        won = self.runner.test_stats.get("battle_won", 0)
        self.runner.test_stats, self.runner.test_returns = {}, []
        return won / episodes
