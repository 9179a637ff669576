"""Value learning, one episode and one time at a time: packing, TD(λ), a whole loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch


def pack(episodes: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Return rows in the order of time and how many each time has; longest episode first."""
    rows, counts = [], []
    for time in range(len(episodes[0])):
        now = [episode[time] for episode in episodes if len(episode) > time]
        rows += now
        counts.append(len(now))
    return rows, counts


def td_lambda(
    reward: Sequence[float], ahead: Sequence[float], ended: bool, discount: float, trace: float
) -> list[float]:
    """Return the λ-returns of one episode as mixtures of n-step returns.

    `ahead[t]` is the value of the situation after decision t; the last one counts unless the
    game was over.
    """
    last = len(reward) - 1
    values = [*ahead[:last], 0.0 if ended else ahead[last]]

    def steps(t: int, n: int) -> float:
        paid = sum(discount**k * reward[t + k] for k in range(n))
        return paid + discount**n * values[t + n - 1]

    out = []
    for t in range(last + 1):
        most = last + 1 - t
        mixed = sum((1 - trace) * trace ** (n - 1) * steps(t, n) for n in range(1, most))
        out.append(mixed + trace ** (most - 1) * steps(t, most))
    return out


def agent_values(net: Any, obs: Any, last: Any, counts: Sequence[int]) -> Any:
    """Return the values of packed episodes by torch's own operations, one time after the other."""
    first = obs @ net.observe.t() + net.bias
    if net.agent is not None:
        first = first + net.agent
    if net.last is not None:
        told = torch.nn.functional.one_hot(last.long(), net.actions + 1).float()
        first = first + told[..., : net.actions] @ net.last
    x = first.relu() @ net.inner.t() + net.inner_bias
    out, at = [], 0
    hidden = torch.zeros((counts[0], net.agents, net.hidden))
    for count in counts:
        now, hidden = x[at : at + count], hidden[:count]
        if net.recurrent:
            by_in = now.split(net.hidden, dim=2)
            by_state = (hidden @ net.state.t() + net.state_bias).split(net.hidden, dim=2)
            reset, keep = ((a + b).sigmoid() for a, b in zip(by_in[:2], by_state[:2], strict=True))
            fresh = (by_in[2] + reset * by_state[2]).tanh()
            hidden = (1 - keep) * fresh + keep * hidden
        else:
            hidden = now.relu()
        out.append(hidden @ net.head.t() + net.head_bias)
        at += count
    return torch.cat(out)


def monotone(mixer: Any, chosen: Any, state: Any) -> Any:
    """Return |w_2(s)|ᵀ elu(|W_1(s)| q + b_1(s)) + v(s) by torch's own operations."""
    sizes = [mixer.hyper, mixer.hyper, mixer.embed, mixer.embed]
    inner, outer, bias, value = mixer.first(state).split(sizes, dim=1)
    w_1 = mixer.inner(inner.relu()).abs().view(-1, mixer.agents, mixer.embed)
    hidden = torch.einsum("pn,pne->pe", chosen, w_1) + bias
    w_2 = mixer.outer(outer.relu()).abs()
    mixed = (torch.nn.functional.elu(hidden) * w_2).sum(dim=1, keepdim=True)
    return mixed + mixer.value(value.relu())


def loss(
    net: Any,
    target: Any,
    replay: Any,
    episodes: Sequence[Sequence[int]],
    *,
    discount: float,
    trace: float,
    double: bool,
    weight: float,
) -> Any:
    """Return the mean squared error over the decisions of these episodes, by torch's GRU.

    With an unbounded value beside the other one, both errors are added up, and one that is
    positive counts by `weight` in the other one.
    """
    errors = []
    free = "central" in net
    agent, mixer = ("central_agent", "central") if free else ("agent", "mixer")
    for rows in episodes:
        q, judged = _values(net["agent"], replay, rows), _values(target[agent], replay, rows)
        beside = _values(net[agent], replay, rows)
        avail = torch.from_numpy(replay.avail[list(rows)])
        state = torch.from_numpy(replay.state[list(rows)])
        picks = (q if double else judged).detach().masked_fill(~avail, -torch.inf).argmax(dim=2)
        found, others, ahead = [], [], []
        for t, row in enumerate(rows[:-1]):
            done = torch.from_numpy(replay.action[row].astype(np.int64))
            chosen, other = (v[t].gather(1, done[:, None])[:, 0] for v in (q, beside))
            found.append(net["mixer"](chosen[None], state[t][None])[0])
            others.append(net[mixer](other[None], state[t][None])[0])
            after = judged[t + 1].gather(1, picks[t + 1][:, None])[:, 0]
            ahead.append(target[mixer](after[None], state[t + 1][None])[0].detach().numpy())
        reward = [float(replay.reward[row]) for row in rows[:-1]]
        over = bool(replay.ended[rows[-2]])
        for k in range(len(found[0])):
            goal = td_lambda(reward, [float(a[k]) for a in ahead], over, discount, trace)
            for f, o, g in zip(found, others, goal, strict=True):
                plain = (f[k] - g) ** 2
                if free:
                    plain = (weight if f[k] > g else 1.0) * plain + (o[k] - g) ** 2
                errors.append(plain)
    return torch.stack(errors).mean()


def _values(agent: Any, replay: Any, rows: Sequence[int]) -> Any:
    """Return the values of one episode, shape (T + 1, n, A), from one-hot inputs."""
    out, h = [], None
    hidden = agent.observe.shape[0]
    cell = torch.nn.GRUCell(hidden, hidden) if agent.recurrent else None
    for row in rows:
        obs, last = torch.from_numpy(replay.obs[row]), replay.last[row]
        x = obs @ agent.observe.t() + agent.bias
        if agent.last is not None:
            one_hot = torch.zeros((len(last), agent.actions))
            for i, action in enumerate(last):
                if action < agent.actions:
                    one_hot[i, action] = 1.0
            x = x + one_hot @ agent.last
        if agent.agent is not None:
            x = x + torch.eye(len(last)) @ agent.agent
        x = x.relu()
        if cell is None:
            h = (x @ agent.inner.t() + agent.inner_bias).relu()
        else:
            names = ("inner", "inner_bias", "state", "state_bias")
            weights = dict(
                zip(("weight_ih", "bias_ih", "weight_hh", "bias_hh"), names, strict=True)
            )
            given = {name: getattr(agent, own) for name, own in weights.items()}
            before = torch.zeros_like(x) if h is None else h
            h = torch.func.functional_call(cell, given, (x, before))
        out.append(h @ agent.head.t() + agent.head_bias)
    return torch.stack(out)


def episodes_of(replay: Any) -> list[list[int]]:
    """Return the rows of each episode, walked one by one."""
    out = []
    for begun, length in zip(replay.begun, replay.length, strict=True):
        rows = [int(begun) % replay.rows]
        while len(rows) < length:
            rows.append(int(replay.follow[rows[-1]]))
        out.append(rows)
    return out
