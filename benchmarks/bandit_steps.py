"""Steps of the batch environment against a numpy loop over the arms, one episode at a time."""

from __future__ import annotations

import numpy as np
from harness import Claim, alternate, parse, report

import arena


def main() -> None:
    options = parse(__doc__)
    game = arena.make("bandits/path(arms=40,budget=10)")
    form = game.form("bandit")
    many, few = (2_000, 5) if options.quick else (20_000, 20)
    rng = np.random.default_rng(0)
    actions = np.array([form.feasible.sample(rng) for _ in range(many)], dtype=np.int64)
    totals: dict[str, float] = {}

    def ours() -> None:
        batch = game.form("batch", seeds=np.arange(many))
        for _ in range(form.horizon):
            batch.step_arms(actions, check=False)
        totals["ours"] = float(batch.returns().mean())

    def peer() -> None:
        luck = np.random.default_rng(1)
        total = 0.0
        for episode in range(few):
            levels = np.array([luck.choice(form.states, p=row) for row in form.initial])
            for _ in range(form.horizon):
                after = np.zeros(form.arms, dtype=np.int64)
                for j in range(form.arms):
                    row = form.transition[j, actions[episode, j], levels[j]]
                    after[j] = np.searchsorted(np.cumsum(row), luck.random())
                    total += form.reward[j, actions[episode, j], levels[j], after[j]]
                levels = after
        totals["peer"] = total / few

    measured = alternate(ours, peer)
    if abs(totals["ours"] - totals["peer"]) > 0.2 * totals["ours"]:
        raise SystemExit(f"the two sides pay differently: {totals}")
    ratio = measured.ratio * many / few
    report(
        [Claim("bandit-steps-vs-numpy-loop", ratio, 100.0)],
        table=[
            ["ours", float(np.median(measured.ours)) / many / form.horizon * 1e6],
            ["numpy loop", float(np.median(measured.peer)) / few / form.horizon * 1e6],
        ],
        header=["side", "CPU µs a step of 40 arms"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
