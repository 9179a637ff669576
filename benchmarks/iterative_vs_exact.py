"""Where the exact arg-max matters: the same network, maximised exactly or one arm at a time.

SEQUOIA learns, with its own network (gated inputs, a linear path) and with the paper's (plain
inputs, no linear path, 16 and 32 ReLUs). At some stages of learning, both ways to choose play
the same episodes, and in the states that the exact choice meets the table says how often the
iterative one differs, and how much of Q's range over random feasible actions it loses there.
`myopic` is the same comparison with the true values of the next step instead of a network.
Groups of three interventions are worth much more together than one by one, so greedy addition
misses the best set where values are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from harness import Claim, parse, report

import arena
from solvers.bandits.episodes import play
from solvers.sequoia.baselines import Baseline
from solvers.sequoia.choose import Chooser
from solvers.sequoia.encode import encode
from solvers.sequoia.learner import DEFAULTS, Sequoia
from solvers.sequoia.policy import QPolicy

PROBLEMS = (
    "bandits/interventions",
    "bandits/interventions(budget=6)",
    "bandits/schedule",
    "bandits/capacity",
)
NETWORKS: dict[str, dict[str, Any]] = {
    "SEQUOIA": {},
    "paper": {"inputs": "plain", "skip": False, "hidden": [16, 32]},
}
STAGES = (2, 6, 14, 20)
EPISODES = 40


def compared(learner: Sequoia) -> tuple[float, float, float]:
    """Return how often choices differ, the share of Q's range lost, and the gain in return."""
    game, form = learner.game, learner.form
    net = encode(learner.net, learner.features.size)
    inputs = learner.settings["inputs"]
    seeds = np.arange(EPISODES, dtype=np.uint64)
    ways = {
        rule: QPolicy(game.key, net, inputs=inputs, rule=rule) for rule in ("exact", "iterative")
    }
    returns = {rule: float(play(game, policy, seeds).mean()) for rule, policy in ways.items()}
    choosers = {rule: Chooser(form, learner.features, rule=rule) for rule in ways}
    pool = choosers["iterative"].pool()[:200]
    batch: Any = game.form("batch", seeds=seeds[:4])
    differ, lost = [], []
    while batch.actors().any():
        levels = batch.levels.copy()
        chosen = {rule: chooser.choose(net, levels, 0) for rule, chooser in choosers.items()}
        values = {
            rule: net.values(learner.features.whole(levels, 0, actions))
            for rule, actions in chosen.items()
        }
        for k, row in enumerate(levels):
            every = np.repeat(row[None], len(pool), axis=0)
            tried = net.values(learner.features.whole(every, 0, pool))
            gap = float(values["exact"][k] - values["iterative"][k])
            differ.append(gap > 1e-3 * max(1.0, abs(float(values["exact"][k]))))
            lost.append(max(0.0, gap) / max(float(values["exact"][k] - tried.min()), 1e-9))
        batch.step_arms(chosen["exact"], check=False)
    return (
        float(np.mean(differ)),
        float(np.mean(lost)),
        returns["exact"] / returns["iterative"] - 1.0,
    )


def myopic(key: str, seeds: Sequence[int]) -> float:
    """Return the gain of exact over greedy choice by the true values of the next step."""
    gains = []
    for k in seeds:
        game = arena.make(key, instance=k)
        luck = np.arange(EPISODES, dtype=np.uint64)
        exact, greedy = (
            float(play(game, Baseline(name, game.form("bandit")), luck).mean())
            for name in ("myopic", "greedy")
        )
        gains.append(exact / greedy - 1.0)
    return float(np.mean(gains))


def main() -> None:
    import torch

    options = parse(__doc__)
    torch.set_num_threads(1)
    problems = PROBLEMS[1:2] if options.quick else PROBLEMS
    seeds = range(1 if options.quick else 2)
    stages = STAGES[:2] if options.quick else STAGES
    table: list[list[Any]] = []
    last: dict[str, list[float]] = {name: [] for name in NETWORKS}
    for key in problems:
        table.append([key, "true, next step", "-", "-", "-", f"{100 * myopic(key, seeds):+.1f}%"])
        for name, own in NETWORKS.items():
            found: dict[int, list[tuple[float, float, float]]] = {stage: [] for stage in stages}
            for k in seeds:
                game = arena.make(key, instance=k)
                learner = Sequoia(game, k, {**DEFAULTS, **own, "select_episodes": 0})
                while learner.rounds < stages[-1]:
                    learner.step()
                    if learner.rounds in stages:
                        found[learner.rounds].append(compared(learner))
            for stage, rows in found.items():
                differ, lost, gain = np.mean(rows, axis=0)
                table.append(
                    [key, name, stage, f"{100 * differ:.0f}%", f"{100 * lost:.1f}%",
                     f"{100 * gain:+.1f}%"]
                )  # fmt: skip
            if "interventions" in key:
                last[name] += [row[2] for row in found[stages[-1]]]
    claims = [
        Claim(f"exact-over-iterative-interventions-{name.lower()}", float(np.mean(rows)), 0.0)
        for name, rows in last.items()
    ]
    header = [
        "bandit",
        "network",
        "round",
        "differ",
        "of Q's range",
        "return, exact over iterative",
    ]
    report(claims, table=table, header=header, path=options.json)


if __name__ == "__main__":
    main()
