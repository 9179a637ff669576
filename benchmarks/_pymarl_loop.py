"""A loop in PyMARL's manner on our engine, for where PyMARL is not to be had.

One environment, one episode at a time; replay padded to the longest episode; agents unrolled
in Python, one time after the other.
"""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import arena
from games.skirmish import Rollout
from solvers.qmix.learner import DEFAULTS, ValueLearner

__all__ = ["SHARED", "Loop", "check_equal"]

SHARED = {
    "network": "gru",
    "episodes": 32,
    "updates": 32,
    "batch": 32,
    "epsilon_end": 1.0,
    "target_every": 200,
    "trace": 0.6,
    "learning_rate": 1e-3,
}
GAMMA, TRACE = 0.99, 0.6


class Agent(nn.Module):
    """Linear, GRU cell, linear, as PyMARL's `RNNAgent`."""

    def __init__(self, inputs: int, actions: int, hidden: int = 64) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.cell = nn.GRUCell(hidden, hidden)
        self.head = nn.Linear(hidden, actions)

    def forward(self, inputs: Any, hidden: Any) -> tuple[Any, Any]:
        h = self.cell(functional.relu(self.first(inputs)), hidden)
        return self.head(h), h


class Mixer(nn.Module):
    """PyMARL's `QMixer` with hypernetworks of two layers."""

    def __init__(self, agents: int, state: int, embed: int = 32, hyper: int = 64) -> None:
        super().__init__()
        self.agents, self.embed = agents, embed
        self.w_1 = nn.Sequential(
            nn.Linear(state, hyper), nn.ReLU(), nn.Linear(hyper, agents * embed)
        )
        self.w_2 = nn.Sequential(nn.Linear(state, hyper), nn.ReLU(), nn.Linear(hyper, embed))
        self.b_1 = nn.Linear(state, embed)
        self.value = nn.Sequential(nn.Linear(state, embed), nn.ReLU(), nn.Linear(embed, 1))

    def forward(self, values: Any, state: Any) -> Any:
        batch = values.shape[0]
        state = state.reshape(-1, state.shape[-1])
        q = values.reshape(-1, 1, self.agents)
        w_1 = self.w_1(state).abs().view(-1, self.agents, self.embed)
        hidden = functional.elu(torch.bmm(q, w_1) + self.b_1(state).view(-1, 1, self.embed))
        w_2 = self.w_2(state).abs().view(-1, self.embed, 1)
        return (torch.bmm(hidden, w_2) + self.value(state).view(-1, 1, 1)).view(batch, -1, 1)


class Loop:
    """An episode at a time, an update after each."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        game = arena.make("skirmish/3m")
        self.battles = Rollout(game, envs=1, seed=seed, auto_reset=False)
        _, self.agents, inputs = self.battles.obs.shape
        self.actions, self.limit = self.battles.avail.shape[2], self.battles.battle.decisions
        self.net = Agent(inputs + self.actions + self.agents, self.actions)
        self.mixer = Mixer(self.agents, self.battles.state.shape[1])
        self.target, self.target_mixer = copy.deepcopy(self.net), copy.deepcopy(self.mixer)
        self.parameters = [*self.net.parameters(), *self.mixer.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3)
        self.buffer: deque[dict[str, np.ndarray]] = deque(maxlen=5000)
        self.rng = np.random.default_rng(seed)
        self.updates = 0
        self.names = torch.eye(self.agents)

    def episode(self) -> dict[str, np.ndarray]:
        """Play one and return it, padded to the limit."""
        battles, size = self.battles, self.limit + 1
        battles.reset()
        kept = {
            "obs": np.zeros((size, *battles.obs.shape[1:]), dtype=np.float32),
            "state": np.zeros((size, battles.state.shape[1]), dtype=np.float32),
            "avail": np.ones((size, self.agents, self.actions), dtype=np.bool_),
            "action": np.zeros((size, self.agents), dtype=np.int64),
            "reward": np.zeros(size, dtype=np.float32),
            "ended": np.zeros(size, dtype=np.float32),
            "filled": np.zeros(size, dtype=np.float32),
        }
        hidden = torch.zeros((self.agents, 64))
        last = torch.zeros((self.agents, self.actions))
        for t in range(size):
            kept["obs"][t], kept["state"][t] = battles.obs[0], battles.state[0]
            kept["avail"][t] = battles.avail[0]
            if battles.done[0]:
                break
            with torch.no_grad():
                inputs = torch.cat([torch.from_numpy(kept["obs"][t]), last, self.names], dim=1)
                values, hidden = self.net(inputs, hidden)
                avail = torch.from_numpy(kept["avail"][t])
                values[~avail] = -torch.inf
                greedy = values.max(dim=1)[1]
                drawn = torch.distributions.Categorical(avail.float()).sample().long()
                explore = (torch.rand(self.agents) < 1.0).long()
                picks = explore * drawn + (1 - explore) * greedy
                last = functional.one_hot(picks, self.actions).float()
            kept["action"][t] = picks.numpy()
            battles.step(picks.numpy()[None])
            kept["reward"][t], kept["filled"][t] = battles.reward[0, 0], 1.0
            kept["ended"][t] = battles.done[0] and not battles.cut[0]
        return kept

    def unroll(self, net: Agent, obs: Any, actions: Any) -> Any:
        """Return values, shape (B, T, n, A), one time after the other."""
        batch, times = obs.shape[:2]
        hidden = torch.zeros((batch * self.agents, 64))
        names = self.names.expand(batch, -1, -1)
        out = []
        for t in range(times):
            last = torch.zeros((batch, self.agents, self.actions))
            if t:
                last = functional.one_hot(actions[:, t - 1], self.actions).float()
            inputs = torch.cat([obs[:, t], last, names], dim=2)
            values, hidden = net(inputs.reshape(batch * self.agents, -1), hidden)
            out.append(values.view(batch, self.agents, -1))
        return torch.stack(out, dim=1)

    def loss(self, episodes: list[dict[str, np.ndarray]]) -> Any:
        """Return the masked mean squared TD(λ) error."""
        longest = int(max(e["filled"].sum() for e in episodes)) + 1
        data = {
            name: torch.from_numpy(np.stack([e[name][:longest] for e in episodes]))
            for name in episodes[0]
        }
        obs, actions, avail, state = (data[n] for n in ("obs", "action", "avail", "state"))
        values = self.unroll(self.net, obs, actions)
        chosen = values[:, :-1].gather(3, actions[:, :-1, :, None])[..., 0]
        with torch.no_grad():
            judged = self.unroll(self.target, obs, actions)
            picks = values.detach().masked_fill(~avail, -torch.inf).argmax(dim=3)
            ahead = judged.gather(3, picks[..., None])[..., 0][:, 1:]
            future = self.target_mixer(ahead, state[:, 1:])[..., 0]
            reward, ended, mask = (data[n][:, :-1] for n in ("reward", "ended", "filled"))
            goal = torch.zeros_like(future)
            after = torch.zeros(len(episodes))
            for t in range(longest - 2, -1, -1):
                # Where the episode ends with t, what comes next is the target network's.
                more = mask[:, t + 1] if t + 1 < longest - 1 else torch.zeros(len(episodes))
                blend = more * (TRACE * after + (1 - TRACE) * future[:, t])
                blend = blend + (1 - more) * future[:, t]
                after = goal[:, t] = reward[:, t] + GAMMA * (1 - ended[:, t]) * blend
        found = self.mixer(chosen, state[:, :-1])[..., 0]
        return ((found - goal).square() * mask).sum() / mask.sum()

    def round(self, episodes: int) -> int:
        """Play so many episodes with an update after each; return the steps."""
        steps = 0
        for _ in range(episodes):
            played = self.episode()
            steps += int(played["filled"].sum())
            self.buffer.append(played)
            if len(self.buffer) < 32:
                continue
            picks = self.rng.choice(len(self.buffer), 32, replace=False)
            loss = self.loss([self.buffer[k] for k in picks])
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters, 10.0)
            self.optimizer.step()
            self.updates += 1
            if self.updates % 200 == 0:
                self.target.load_state_dict(self.net.state_dict())
                self.target_mixer.load_state_dict(self.mixer.state_dict())
        return steps


def copy_weights(loop: Loop, learner: ValueLearner) -> None:
    """Give the loop's networks the learner's weights."""
    pairs = ((loop.net, loop.mixer, learner.net), (loop.target, loop.target_mixer, learner.target))
    for net, mixer, ours in pairs:
        own, mix = ours["agent"], ours["mixer"]
        tables = (own.observe, own.last.t(), own.agent.t())
        first, second, bias, value = mix.first.weight.split([64, 64, 32, 32])
        biases = mix.first.bias.split([64, 64, 32, 32])
        to = {
            net.first: (torch.cat(tables, dim=1), own.bias),
            net.head: (own.head, own.head_bias),
            mixer.w_1[0]: (first, biases[0]),
            mixer.w_1[2]: (mix.inner.weight, mix.inner.bias),
            mixer.w_2[0]: (second, biases[1]),
            mixer.w_2[2]: (mix.outer.weight, mix.outer.bias),
            mixer.b_1: (bias, biases[2]),
            mixer.value[0]: (value, biases[3]),
            mixer.value[2]: (mix.value.weight, mix.value.bias),
        }
        with torch.no_grad():
            for layer, (weight, shift) in to.items():
                layer.weight.copy_(weight)
                layer.bias.copy_(shift)
            net.cell.weight_ih.copy_(own.inner)
            net.cell.bias_ih.copy_(own.inner_bias)
            net.cell.weight_hh.copy_(own.state)
            net.cell.bias_hh.copy_(own.state_bias)


def check_equal(seed: int) -> None:
    """Stop the benchmark if the two sides' losses on the same episodes differ."""
    game = arena.make("skirmish/3m")
    learner = ValueLearner(game, seed, {**DEFAULTS, **SHARED}, mixer="qmix")
    learner.step()
    loop, replay = Loop(seed), learner.replay
    copy_weights(loop, learner)
    episodes = []
    for begun, length in zip(replay.begun[:32], replay.length[:32], strict=True):
        rows = [int(begun)]
        while len(rows) < length:
            rows.append(int(replay.follow[rows[-1]]))
        blank = {
            "obs": np.zeros((61, 3, 30), dtype=np.float32),
            "state": np.zeros((61, replay.state.shape[1]), dtype=np.float32),
            "avail": np.ones((61, 3, 9), dtype=np.bool_),
            "action": np.zeros((61, 3), dtype=np.int64),
        }
        for name, array in blank.items():
            array[: len(rows)] = getattr(replay, name)[rows]
        blank["action"][len(rows) - 1 :] = 0
        for name in ("reward", "ended", "filled"):
            blank[name] = np.zeros(61, dtype=np.float32)
        blank["reward"][: len(rows) - 1] = replay.reward[rows[:-1]]
        blank["ended"][: len(rows) - 1] = replay.ended[rows[:-1]]
        blank["filled"][: len(rows) - 1] = 1.0
        episodes.append(blank)
    theirs = loop.loss(episodes)
    theirs.backward()
    norm = nn.utils.clip_grad_norm_(loop.parameters, 1e9).item()
    found, _, ours = learner._update(np.random.default_rng(0))  # all 32 episodes, in some order
    for name, a, b in (("loss", found, theirs.item()), ("gradient", ours, norm)):
        if abs(a - b) > 1e-3 * abs(b):
            raise SystemExit(f"the {name} differs: {a} here, {b} in the other loop")
