"""Naive twins of the Markov kernels: dense loops, dictionaries, `Stream` and `linprog`."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog

from arena.rng import Stream
from games.markov.form import MarkovGame
from solvers.markov.v_policy import VPolicy
from tests.reference.markov import legal_joints, q_value

# -- one step of a game ------------------------------------------------------------------


def start(form: MarkovGame, stream: Stream) -> int:
    return stream.index(form.initial.tolist())


def follow(form: MarkovGame, stream: Stream, s: int, joint: int) -> int:
    states, chances = form.after(s, joint)
    return int(states[stream.index(chances.tolist())])


def backup(form: MarkovGame, seat: int, v: np.ndarray) -> np.ndarray:
    out = np.zeros((form.states, form.joint))
    for s, a in product(range(form.states), range(form.joint)):
        total = 0.0
        for t, p in zip(*form.after(s, a), strict=True):
            total += float(p) * float(v[t])
        out[s, a] = form.reward[seat, s, a] + form.discount * total
    return out


def matrix_value(a: np.ndarray) -> float:
    m, n = a.shape
    found = linprog(
        np.append(np.zeros(m), -1.0),
        A_ub=np.hstack([-a.T, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=[np.append(np.ones(m), 0.0)],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
        method="highs",
    )
    return float(-found.fun)


def gains(form: MarkovGame, q: np.ndarray, s: int, *, coarse: bool) -> np.ndarray:
    """Rows of the incentive constraints in one state, by dictionaries of joint actions."""
    joints = legal_joints(form, s)
    rows = []
    for i in range(form.seats):
        paid = {a: float(q[i, s, form.number(a)]) for a in joints}
        unit = max(paid.values()) - min(paid.values()) or 1.0
        own = sorted({a[i] for a in joints})
        for told in [None] if coarse else own:
            for b in own:
                if b == told:
                    continue
                rows.append(
                    [
                        (paid[(*a[:i], b, *a[i + 1 :])] - paid[a]) / unit
                        if told in (None, a[i])
                        else 0.0
                        for a in joints
                    ]
                )
    return np.array(rows).reshape(-1, len(joints))


# -- quantal response --------------------------------------------------------------------


def soft_value(a: np.ndarray, x: np.ndarray, y: np.ndarray, tau: float, other: float) -> Any:
    """Value with entropies, and how far both are from their soft best replies."""

    def entropy(p: np.ndarray) -> float:
        return float(-sum(v * math.log(v) for v in p if v > 0))

    def soft_max(v: np.ndarray, t: float) -> float:
        return float(v.max() + t * math.log(np.exp((v - v.max()) / t).sum()))

    value = float(x @ a @ y) + tau * entropy(x) - other * entropy(y)
    best = soft_max(a @ y, tau) - other * entropy(y)
    reply = -soft_max(-(a.T @ x), other) + tau * entropy(x)
    return value, best - reply


def soft_game(a: np.ndarray, tau: float, other: float) -> tuple[np.ndarray, np.ndarray]:
    """The quantal response equilibrium by damped fixed-point steps in the logarithm."""
    x, y = np.zeros(a.shape[0]), np.zeros(a.shape[1])
    step = 0.5 * min(tau, other) / max(float(np.ptp(a)), 1e-9)
    step = min(step, 0.5)

    def soft(v: np.ndarray) -> np.ndarray:
        e = np.exp(v - v.max())
        return np.asarray(e / e.sum())

    for _ in range(200_000):
        dx = a @ soft(y) / tau - x
        dy = -a.T @ soft(x) / other - y
        dx, dy = dx - dx.mean(), dy - dy.mean()
        x, y = x + step * dx, y + step * dy
        if max(np.abs(dx).max(), np.abs(dy).max()) < 1e-13:
            break
    return soft(x), soft(y)


# -- learners ----------------------------------------------------------------------------


def certify_v(form: MarkovGame, policy: VPolicy) -> tuple[np.ndarray, np.ndarray]:
    """Mean over episodes of (max G, W) at the start, seat by seat, as `v_policy` defines them."""
    horizon, n = form.horizon or 0, form.seats
    cut = np.concatenate([[0], np.cumsum(form.actions)])
    best: dict[Any, float] = {}
    worth: dict[Any, float] = {}
    plain = [[policy.start[s, cut[i] : cut[i + 1]] for i in range(n)] for s in range(form.states)]

    def top(i: int, h: int, s: int) -> float:
        if h == horizon or form.terminal[s]:
            return 0.0
        return max(best[i, h, s, a] for a in np.flatnonzero(form.legal[i][s]).tolist())

    def value(i: int, h: int, s: int) -> float:
        return 0.0 if h == horizon or form.terminal[s] else worth[i, h, s]

    def renew(h: int, s: int, rows: Any, alpha: float) -> None:
        new = {}
        for i in range(n):
            gain = dict.fromkeys(np.flatnonzero(form.legal[i][s]).tolist(), 0.0)
            on = 0.0
            for a in legal_joints(form, s):
                others = math.prod(float(rows[p][a[p]]) for p in range(n) if p != i)
                gain[a[i]] += others * q_value(form, i, s, a, lambda t, i=i: top(i, h + 1, t))
                on += (
                    others
                    * float(rows[i][a[i]])
                    * q_value(form, i, s, a, lambda t, i=i: value(i, h + 1, t))
                )
            new[i] = (gain, on)
        for i, (gain, on) in new.items():
            for a, g in gain.items():
                best[i, h, s, a] = (1 - alpha) * best.get((i, h, s, a), 0.0) + alpha * g
            worth[i, h, s] = (1 - alpha) * worth.get((i, h, s), 0.0) + alpha * on

    for h in reversed(range(horizon)):
        for s in np.flatnonzero(~form.terminal).tolist():
            renew(h, s, plain[s], 1.0)
    out = np.zeros((2, n))
    visits: dict[tuple[int, int], int] = {}
    for k in range(len(policy.states)):
        for s in np.flatnonzero(form.initial).tolist():
            for i in range(n):
                out[0, i] += form.initial[s] * top(i, 0, s) / len(policy.states)
                out[1, i] += form.initial[s] * value(i, 0, s) / len(policy.states)
        for h in range(horizon):
            s = int(policy.states[k, h])
            if s < 0:
                break
            visits[h, s] = t = visits.get((h, s), 0) + 1
            row = policy.played[k, h]
            renew(h, s, [row[cut[i] : cut[i + 1]] for i in range(n)], (horizon + 1) / (horizon + t))
    return out[0], out[1]


def hedge(form: MarkovGame, score: list[np.ndarray], rate: float, rounds: int) -> list[Any]:
    """Independent Hedge; score, one (H, S, A_i) a seat, is modified in place.

    Returns:
        The policies of every round: [round][seat], shapes (H, S, A_i).
    """
    horizon, out = form.horizon or 0, []
    for _ in range(rounds):
        tables = []
        for i, own in enumerate(score):
            raw = np.where(form.legal[i], np.exp(rate * (own - own.max())), 0.0)
            tables.append(raw / raw.sum(axis=2, keepdims=True))
        v = np.zeros((form.seats, form.states))
        for h in reversed(range(horizon)):
            new = np.zeros_like(v)
            for s in np.flatnonzero(~form.terminal).tolist():
                for a in legal_joints(form, s):
                    p = [float(t[h, s, b]) for t, b in zip(tables, a, strict=True)]
                    for i in range(form.seats):
                        q = q_value(form, i, s, a, lambda t, i=i, v=v: float(v[i, t]))
                        others = math.prod(x for j, x in enumerate(p) if j != i)
                        new[i, s] += others * p[i] * q
                        score[i][h, s, a[i]] += others * q
            v = new
        out.append(tables)
    return out


def cover_step(  # the kernel's own order
    form: MarkovGame, cover: list[np.ndarray], h: int, count: int, after: np.ndarray, stream: Stream
) -> tuple[dict[int, list[np.ndarray]], dict[int, int], dict[int, Any], dict[int, Any]]:
    """SPoCMAR's bandits of one step: scores, visits, sums of joint play, sums of returns."""
    low, high = form.bounds
    left = float(sum(form.discount**k for k in range((form.horizon or 0) - h)))
    score: dict[int, list[np.ndarray]] = {}
    seen: dict[int, int] = {}
    joint: dict[int, Any] = {}
    gained: dict[int, Any] = {}
    for _ in range(count):
        policy = cover[stream.below(len(cover))]
        s = start(form, stream)
        for step in range(h):
            if form.terminal[s]:
                break
            s = follow(form, stream, s, stream.index(policy[step, s].tolist()))
        if form.terminal[s]:
            continue
        seen[s] = seen.get(s, 0) + 1
        own = score.setdefault(s, [np.zeros(a) for a in form.actions])
        rows, rates, drawn, full = [], [], [], np.ones(1)
        for i, legal in enumerate(form.legal):
            size = int(legal[s].sum())
            rates.append(math.sqrt(math.log(max(size, 2)) / (size * seen[s])))
            raw = np.where(legal[s], np.exp(-rates[i] * (own[i] - own[i][legal[s]].min())), 0.0)
            rows.append(raw / raw.sum())
            drawn.append(stream.index(rows[i].tolist()))
            full = np.outer(full, rows[i]).ravel()
        number = form.number(drawn)
        to = follow(form, stream, s, number)
        joint[s] = joint.get(s, 0.0) + full
        gain = (form.reward[:, s, number] - low) / (high - low)
        if not form.terminal[to]:
            gain = gain + form.discount * after[:, to]
        gained[s] = gained.get(s, 0.0) + gain
        for i in range(form.seats):
            loss = max(0.0, left - float(gain[i])) / left
            own[i][drawn[i]] += loss / (rows[i][drawn[i]] + rates[i] / 2)
    return score, seen, joint, gained


def rare(
    form: MarkovGame, policy: np.ndarray, known: np.ndarray, count: int, stream: Stream
) -> int:
    hits = 0
    for _ in range(count):
        s = start(form, stream)
        for h in range(len(policy)):
            if form.terminal[s]:
                break
            if not known[h, s]:
                hits += 1
                break
            s = follow(form, stream, s, stream.index(policy[h, s].tolist()))
    return hits


def least_squares(
    form: MarkovGame, policy: np.ndarray, phi: np.ndarray, count: int, stream: Stream
) -> list[list[tuple[int, int, int]]]:
    """Episodes of a correlated policy: (state, joint action, next state) step by step."""
    out = []
    for _ in range(count):
        s, episode = start(form, stream), []
        for h in range(len(policy)):
            if form.terminal[s]:
                break
            joint = stream.index(policy[h, s].tolist())
            to = follow(form, stream, s, joint)
            episode.append((s, joint, to))
            s = to
        out.append(episode)
    return out
