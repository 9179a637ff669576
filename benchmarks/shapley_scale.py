"""Shapley iteration with S = 10⁴ states and 5×5 actions: CPU seconds a sweep, and to 1e-6.

The peer solves the same matrix games one by one with `scipy.optimize.linprog`; a sample of
them, whose values must agree to 1e-8, gives its time for a sweep.
"""

from __future__ import annotations

import time

import numpy as np
from harness import Claim, alternate, parse, report
from scipy.optimize import linprog

from games.markov.generators import garnet
from solvers.markov.shapley import Stages, ZeroSum

BAR = 10.0


def by_linprog(a: np.ndarray) -> float:
    """Return the value of a matrix game."""
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


def main() -> None:
    """Check, time, report."""
    options = parse(__doc__)
    states, sample = (1000, 30) if options.quick else (10_000, 60)
    form = garnet(states=states, actions=5, branching=5, payoff="zero_sum", discount=0.9)
    stages = Stages(form)
    v = np.zeros(form.states)
    for _ in range(3):
        v = stages.values(v)
    q = stages.q(v).reshape(states, 5, 5).copy()
    after = stages.values(v)
    picks = np.random.default_rng(0).choice(states, size=sample, replace=False)
    for s in picks:
        if abs(by_linprog(q[s]) - after[s]) > 1e-8:
            raise SystemExit(f"state {s}: {after[s]:.12g} against {by_linprog(q[s]):.12g}")
    measured = alternate(lambda: stages.values(v), lambda: [by_linprog(q[s]) for s in picks])
    ratios = [r * states / sample for r in measured.ratios]
    method = ZeroSum(form, "", karp=False)
    began = time.process_time()
    while method.width > 1e-6:
        method.advance(1)
    total = time.process_time() - began
    sweep = float(np.median(measured.ours))
    rows = [["a sweep", sweep], [f"{method.iteration} sweeps, to 1e-6", total]]
    each = f"S = {states}: {sweep / states * 1e6:.2f} µs a state"
    note = f"{each}; {min(ratios):.0f} to {max(ratios):.0f}"
    claim = Claim("shapley-vs-linprog", float(np.median(ratios)), BAR, note=note)
    report([claim], table=rows, header=("work", "CPU seconds"), path=options.json)


if __name__ == "__main__":
    main()
