"""Backward-induction CCE against the same linear programs by `scipy.optimize.linprog`.

Three seats with four actions each, S = 1000 states, horizon 20. Both sides solve the same
stage games; the peer, which takes one at a time, gets a sample of the states of every
step, and its time is that of a state. Optima must agree to 1e-7. Also printed: our time as
S·H grows, which should be linear.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from harness import Claim, alternate, parse, report
from scipy.optimize import linprog

from games.markov.generators import garnet
from solvers.markov.backward_induction import BackwardInduction
from solvers.markov.stage import solve_stages
from solvers.markov.values import backup

SEATS, ACTIONS, BAR = 3, 4, 10.0


def constraints(q: np.ndarray) -> np.ndarray:
    """Return the rows of the CCE program of one stage game, q of shape (n, J)."""
    shape = (ACTIONS,) * SEATS
    rows = []
    for seat in range(SEATS):
        pay = q[seat].reshape(shape)
        for b in range(ACTIONS):
            other = np.repeat(np.take(pay, [b], axis=seat), ACTIONS, axis=seat)
            rows.append((other - pay).ravel())
    return np.array(rows)


def by_linprog(q: np.ndarray) -> float:
    """Return the greatest welfare of a CCE of one stage game."""
    body = constraints(q)
    found = linprog(
        -q.sum(axis=0),
        A_ub=body,
        b_ub=np.zeros(len(body)),
        A_eq=np.ones((1, q.shape[1])),
        b_eq=[1.0],
        method="highs",
    )
    return float(-found.fun)


def induction(states: int, horizon: int) -> tuple[Any, float]:
    """Return a solved method and its CPU seconds."""
    form = garnet(states=states, seats=SEATS, actions=ACTIONS, branching=5)
    method = BackwardInduction(form.with_end(horizon=horizon), "", horizon, coarse=True)
    began = time.process_time()
    method.advance(horizon)
    return method, time.process_time() - began


def main() -> None:
    """Check, time, report."""
    options = parse(__doc__)
    states, horizon, sample = (200, 5, 40) if options.quick else (1000, 20, 40)
    form = garnet(states=states, seats=SEATS, actions=ACTIONS, branching=5).with_end(
        horizon=horizon
    )
    induction(10, 2)  # compiles
    rng = np.random.default_rng(0)
    v = np.zeros((SEATS, states))
    stages = []
    for _ in range(horizon):
        q = backup(form, v)
        sigma = solve_stages(form, q, coarse=True, objective="welfare")
        v = np.einsum("sj,isj->is", sigma, q)
        stages.append(q)
        for s in rng.choice(states, size=max(2, sample // horizon), replace=False):
            ours = float(q[:, s].sum(axis=0) @ sigma[s])
            if abs(ours - by_linprog(q[:, s])) > 1e-7 * max(1.0, abs(ours)):
                raise SystemExit(f"state {s}: {ours:.12g} against {by_linprog(q[:, s]):.12g}")
    picks = [(int(rng.integers(horizon)), int(rng.integers(states))) for _ in range(sample)]

    def ours_all() -> None:
        for q in stages:
            solve_stages(form, q, coarse=True, objective="welfare")

    def peer_some() -> None:
        for h, s in picks:
            by_linprog(stages[h][:, s])

    measured = alternate(ours_all, peer_some)
    share = states * horizon / sample
    ratios = [r * share for r in measured.ratios]
    rows: list[list[object]] = []
    for s, h in (
        (states // 4, horizon),
        (states // 2, horizon),
        (states, horizon),
        (states, horizon // 2),
    ):
        _, seconds = induction(s, h)
        rows.append([s, h, seconds, seconds / (s * h) * 1e6])
    each = float(np.median(measured.ours)) / (states * horizon) * 1e6
    theirs = float(np.median(measured.peer)) / sample * 1e6
    note = (
        f"{each:.1f} µs a program against {theirs:.0f} µs, ratios {min(ratios):.0f} to"
        f" {max(ratios):.0f}; the whole induction at S = {states}, H = {horizon}:"
        f" {rows[2][2]:.3g} s"
    )
    claim = Claim("markov-cce-vs-linprog", float(np.median(ratios)), BAR, note=note)
    report(
        [claim],
        table=rows,
        header=("states", "horizon", "seconds", "µs per S·H"),
        path=options.json,
    )


if __name__ == "__main__":
    main()
