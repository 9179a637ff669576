"""Naive twins of the Markov solvers: recursion, `scipy.optimize.linprog`, plain loops."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog

from arena.rng import Stream
from games.markov.form import MarkovGame
from solvers.markov.policy import MixturePolicy, ProductPolicy


def random_form(
    seed: int,
    *,
    seats: int = 2,
    states: int = 3,
    actions: int = 2,
    masks: bool = False,
    ends: bool = False,
    **end: Any,
) -> MarkovGame:
    """A random game, with illegal actions and a terminal state if wanted."""
    rng = np.random.default_rng(seed)
    shape = (states, *([actions] * seats))
    transition = rng.dirichlet(np.full(states, 0.7), size=shape)
    legal = None
    if masks:
        legal = [rng.random((states, actions)) < 0.6 for _ in range(seats)]
        for mask in legal:
            mask[np.arange(states), rng.integers(actions, size=states)] = True
    terminal = [states - 1] if ends else None
    reward = rng.normal(size=(seats, *shape))
    return MarkovGame(transition, reward, 0, legal=legal, terminal=terminal, **end)


def legal_joints(form: MarkovGame, s: int) -> list[tuple[int, ...]]:
    return list(product(*(np.flatnonzero(mask[s]).tolist() for mask in form.legal)))


def q_value(form: MarkovGame, seat: int, s: int, joint: tuple[int, ...], ahead: Any) -> float:
    number = form.number(joint)
    total = float(form.reward[seat, s, number])
    for target, p in zip(*form.after(s, number), strict=True):
        total += form.discount * float(p) * ahead(int(target))
    return total


def cce_value(form: MarkovGame, *, coarse: bool) -> float:
    """Welfare at the start of stage-wise best (C)CE, by linprog one state at a time."""
    horizon = form.horizon or 0
    v = np.zeros((form.seats, form.states))
    for _ in range(horizon):
        new = np.zeros_like(v)
        for s in range(form.states):
            if form.terminal[s]:
                continue
            joints = legal_joints(form, s)
            q = np.array(
                [
                    [q_value(form, i, s, a, lambda t, i=i, v=v: v[i, t]) for a in joints]
                    for i in range(form.seats)
                ]
            )
            sigma = stage_lp(q, joints, coarse=coarse)
            new[:, s] = q @ sigma
        v = new
    return float(v.sum(axis=0) @ form.initial)


def stage_lp(q: np.ndarray, joints: list[tuple[int, ...]], *, coarse: bool) -> np.ndarray:
    """The welfare-best (C)CE of one stage game by linprog."""
    place = {a: k for k, a in enumerate(joints)}
    rows = []
    for i in range(len(q)):
        own = sorted({a[i] for a in joints})
        for told in [None] if coarse else own:
            for b in own:
                row = np.zeros(len(joints))
                for a, k in place.items():
                    if told is None or a[i] == told:
                        row[k] = q[i, place[(*a[:i], b, *a[i + 1 :])]] - q[i, k]
                rows.append(row)
    found = linprog(
        -q.sum(axis=0),
        A_ub=np.array(rows),
        b_ub=np.zeros(len(rows)),
        A_eq=np.ones((1, len(joints))),
        b_eq=[1.0],
        method="highs",
    )
    return np.asarray(found.x)


def joint_values(form: MarkovGame, joint: np.ndarray, seat: int, kind: str) -> float:
    """Value on policy, or of CCE or CE deviations, by recursion over steps and states."""
    horizon = form.horizon or 0

    def worth(h: int, s: int) -> float:
        if h == horizon or form.terminal[s]:
            return 0.0
        row = joint[min(h, len(joint) - 1), s]
        joints = legal_joints(form, s)
        q = {a: q_value(form, seat, s, a, lambda t: worth(h + 1, t)) for a in joints}
        p = {a: float(row[form.number(a)]) for a in joints}
        if kind == "on":
            return sum(p[a] * q[a] for a in joints)
        own = sorted({a[seat] for a in joints})

        def swapped(a: tuple[int, ...], b: int) -> float:
            return q[(*a[:seat], b, *a[seat + 1 :])]

        if kind == "cce":
            return max(sum(p[a] * swapped(a, b) for a in joints) for b in own)
        return sum(
            max(sum(p[a] * swapped(a, b) for a in joints if a[seat] == told) for b in own)
            for told in own
        )

    return sum(float(form.initial[s]) * worth(0, s) for s in np.flatnonzero(form.initial))


def mixture_history_value(form: MarkovGame, policy: MixturePolicy, seat: int) -> float:
    """Best history-dependent reply: enumerate histories with the posterior of components."""
    horizon = form.horizon or 0

    def rows(k: int, h: int, s: int) -> list[np.ndarray]:
        return [t[k, min(h, t.shape[1] - 1), s] for t in policy.tables]

    def worth(h: int, s: int, weight: tuple[float, ...]) -> float:
        if h == horizon or form.terminal[s] or sum(weight) == 0:
            return 0.0
        best = -math.inf
        for own in np.flatnonzero(form.legal[seat][s]):
            total = 0.0
            for a in legal_joints(form, s):
                if a[seat] != own:
                    continue
                after = []
                for k, w in enumerate(weight):
                    others = [float(r[a[i]]) for i, r in enumerate(rows(k, h, s)) if i != seat]
                    after.append(w * math.prod(others))
                total += sum(after) * float(form.reward[seat, s, form.number(a)])
                for target, p in zip(*form.after(s, form.number(a)), strict=True):
                    total += form.discount * float(p) * worth(h + 1, int(target), tuple(after))
            best = max(best, total)
        return best

    start = tuple(float(w) for w in policy.weights)
    return sum(float(form.initial[s]) * worth(0, s, start) for s in np.flatnonzero(form.initial))


def markov_best(form: MarkovGame, policy: MixturePolicy, seat: int) -> float:
    """Best Markov reply to a mixture, by enumerating deterministic Markov policies."""
    horizon, count = form.horizon or 0, form.actions[seat]
    best = -math.inf
    for plan in product(range(count), repeat=horizon * form.states):
        table = np.zeros((horizon, form.states, count))
        for n, a in enumerate(plan):
            table[n // form.states, n % form.states, a] = 1.0
        total = 0.0
        for k, weight in enumerate(policy.weights):
            parts = [t[k] for t in policy.tables]
            parts[seat] = table
            joint = ProductPolicy("", tuple(parts)).correlated().joint
            total += float(weight) * joint_values(form, joint, seat, "on")
        best = max(best, total)
    return best


class SlowVLearning:
    """V-learning as the paper writes it: one episode at a time, whole weights, dictionaries."""

    def __init__(self, form: MarkovGame, *, bonus: float, seed: int) -> None:
        self.form, self.bonus = form, bonus
        self.stream = Stream(seed)
        self.horizon = form.horizon or 0
        low, high = form.bounds
        self.low, self.span = low, high - low
        self.visits: dict[tuple[int, int], int] = {}
        self.value: dict[tuple[int, int, int], float] = {}
        self.losses: dict[tuple[int, int, int], list[np.ndarray]] = {}
        self.policies: dict[tuple[int, int, int], np.ndarray] = {}

    def policy(self, i: int, h: int, s: int) -> np.ndarray:
        mask = self.form.legal[i][s]
        return self.policies.get((i, h, s), mask / mask.sum())

    def left(self, h: int) -> float:
        return float(sum(self.form.discount**k for k in range(self.horizon - h)))

    def episode(self) -> list[int]:
        form, horizon = self.form, self.horizon
        s = self.stream.index(form.initial.tolist())
        seen = []
        for h in range(horizon):
            if form.terminal[s]:
                break
            seen.append(s)
            mixed = [self.policy(i, h, s) for i in range(form.seats)]
            joint = tuple(self.stream.index(p.tolist()) for p in mixed)
            states, chances = form.after(s, form.number(joint))
            to = int(states[self.stream.index(chances.tolist())])
            self.visits[h, s] = t = self.visits.get((h, s), 0) + 1
            alpha = [(horizon + 1) / (horizon + k) for k in range(1, t + 1)]
            for i in range(form.seats):
                ahead = 0.0
                if h + 1 < horizon and not form.terminal[to]:
                    known = self.value.get((i, h + 1, to), self.left(h + 1))
                    ahead = min(form.discount * known, max(self.left(h) - 1.0, 0.0))
                reward = float(form.reward[i, s, form.number(joint)])
                gain = (reward - self.low) / self.span + ahead
                extra = math.sqrt(self.bonus * form.actions[i] / t)
                old = self.value.get((i, h, s), self.left(h))
                self.value[i, h, s] = (1 - alpha[-1]) * old + alpha[-1] * (gain + extra)
                mask = form.legal[i][s]
                size = int(mask.sum())
                rate = math.sqrt(horizon * math.log(max(size, 2)) / (size * t))
                estimate = np.zeros(form.actions[i])
                loss = (self.left(h) - gain) / self.left(h)
                estimate[joint[i]] = loss / (mixed[i][joint[i]] + rate)
                self.losses.setdefault((i, h, s), []).append(estimate)
                weight = np.array([a / np.prod([1 - b for b in alpha[1 : k + 1]])
                                   for k, a in enumerate(alpha)])  # fmt: skip
                score = weight / weight[-1] @ np.array(self.losses[i, h, s])
                played = np.where(mask, np.exp(-rate * (score - score[mask].min())), 0.0)
                self.policies[i, h, s] = played / played.sum()
            s = to
        return seen
