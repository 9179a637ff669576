"""Whole episodes side by side, with ε-greedy agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from solvers.qmix.field import Field
from solvers.qmix.networks import AgentNet
from solvers.qmix.replay import Replay

__all__ = ["Played", "play_episodes"]


@dataclass(frozen=True, eq=False)
class Played:
    """How E team episodes went.

    Attributes:
        returns: of each, shape (E,).
        lengths: decisions of each, shape (E,).
        won: shape (E,).
    """

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    won: NDArray[np.bool_]


def play_episodes(
    field: Field,
    net: AgentNet,
    seeds: NDArray[np.uint64],
    *,
    epsilon: float = 0.0,
    rng: np.random.Generator | None = None,
    replay: Replay | None = None,
) -> Played:
    """Play episodes to their end.

    Args:
        field: as many as there are seeds.
        net: of all agents.
        seeds: of the episodes, shape (N,).
        epsilon: probability that an agent draws from its available actions instead.
        rng: draws those; needed where ε > 0.
        replay: if given, episodes are put there.
    """
    field.reset(seeds)
    count, agents = field.obs.shape[:2]
    live = np.arange(count)
    last = np.full((count, agents), net.actions, dtype=np.int32)
    memory = torch.zeros((count * agents, net.hidden))
    returns, lengths = np.zeros(count), np.zeros(count, dtype=np.int64)
    begun = np.zeros(count, dtype=np.int64)
    before: NDArray[np.int64] | None = None
    while len(live):
        obs, avail = field.obs[live], field.avail[live]
        with torch.inference_mode():
            values, memory = net.act(torch.from_numpy(obs), torch.from_numpy(last[live]), memory)
            values = values.masked_fill_(~torch.from_numpy(avail), -torch.inf)
            picks = values.argmax(dim=2).numpy()
        if epsilon > 0.0 and rng is not None:
            drawn = (rng.random(avail.shape, dtype=np.float32) * avail).argmax(axis=2)
            picks = np.where(rng.random(picks.shape) < epsilon, drawn, picks)
        if replay is not None:
            if before is None:
                begun = replay.total + np.arange(count)
            at = _write(replay, field, live, last, before)
            replay.action[at] = picks
        actions = np.zeros((count, agents), dtype=np.int64)
        actions[live] = picks
        field.step(actions)
        returns[live] += field.reward[live]
        lengths[live] += 1
        last[live] = picks
        over = field.done[live]
        if replay is not None:
            replay.reward[at] = field.reward[live]
            replay.ended[at] = over & ~field.cut[live]
            gone = live[over]
            if len(gone):
                _write(replay, field, gone, last, at[over])
            before = at[~over]
        if over.any():
            memory = memory.view(len(live), agents, -1)[torch.from_numpy(~over)]
            memory = memory.reshape(-1, net.hidden)
            live = live[~over]
    if replay is not None:
        replay.close(begun, lengths + 1)
    return Played(returns, lengths, field.won.copy())


def _write(
    replay: Replay,
    field: Field,
    which: NDArray[np.int64],
    last: NDArray[Any],
    before: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """Write the situations of the team episodes `which`; return their rows."""
    at = replay.append(len(which))
    replay.obs[at], replay.avail[at] = field.obs[which], field.avail[which]
    replay.state[at], replay.last[at] = field.state[which], last[which]
    if before is not None:
        replay.follow[before] = at
    return at
