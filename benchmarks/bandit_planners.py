"""Planners of coupled bandits against the Lagrangian bound.

Mean reward per step of no action, random, best of 100 random, greedy and exact myopic, Whittle
and Lagrangian policies on generated instances (J = 20, B = 5, H = 20), all on the same luck,
and the Lagrangian policy as a share of the bound on what any policy can earn. No policy has to
reach the bound: on small instances (J = 5, B = 1) of the bandit with a budget alone, backward
induction says what is possible, and the Lagrangian policy is evaluated exactly.
"""

from __future__ import annotations

import time

import numpy as np
from harness import Claim, parse, report

import arena
from agents.bandits import BanditAgent
from games.bandits.form import RestlessBandit
from games.bandits.game import exact_mdp
from solvers.bandits.exact import exact_table
from solvers.bandits.lagrangian import relax
from solvers.bandits.maximise import Maximiser
from solvers.bandits.policy import ValuePolicy
from solvers.bandits.run import mean_return

BARS = {"budget": 0.995, "schedule": 0.98, "path": 0.93, "capacity": 0.95, "interventions": 0.98}
PLAYERS = ("none", "random", "sampling", "greedy", "myopic")


def played(game: arena.Game, name: str, seeds: list[int]) -> float:
    agent = BanditAgent(name)
    total = 0.0
    for seed in seeds:
        agent.begin(game, 0, seed)
        state = game.state(seed)
        while state.actors():
            state.step({0: agent.act(state.observe(0))})
        total += float(state.returns()[0])
    return total / len(seeds)


def small(instance: int) -> tuple[float, float]:
    """Return the optimum as a share of the bound, the Lagrangian policy's of the optimum."""
    game = arena.make("bandits/budget(arms=5,budget=1)", instance=instance)
    form: RestlessBandit = game.form("bandit")
    _, value = exact_table(form, game)
    found = relax(form, precision=1e-6)
    policy, mdp = ValuePolicy(game.key, found.values), exact_mdp(form)
    listed = form.feasible.listed()
    levels = np.stack(np.unravel_index(np.arange(mdp.states), form.sizes.tolist()), axis=1)
    states, matrix, ahead = np.arange(mdp.states), mdp.matrix(), np.zeros(mdp.states)
    for t in range(form.horizon - 1, -1, -1):
        chosen = policy.choose(form, levels, t).astype(bool)
        number = (chosen[:, None, :] == listed[None]).all(axis=2).argmax(axis=1)
        q = mdp.reward[0] + (matrix @ ahead).reshape(mdp.states, mdp.joint)
        ahead = q[states, number]
    return value / found.bound, float(mdp.initial @ ahead) / value


def main() -> None:
    options = parse(__doc__)
    instances, episodes = (2, 50) if options.quick else (12, 200)
    claims, table = [], []
    for name, bar in BARS.items():
        shares, rows = [], []
        for instance in range(instances):
            game = arena.make(f"bandits/{name}(instance={instance})")
            form: RestlessBandit = game.form("bandit")
            seeds = list(range(2 if options.quick else 5))
            row = [played(game, player, seeds) for player in PLAYERS]
            start = time.process_time()
            most = Maximiser(form)
            found = relax(form, rounds=30, most=most)
            seconds = time.process_time() - start
            policy = ValuePolicy(game.key, found.values)
            luck = np.arange(episodes, dtype=np.uint64)
            mean, _, _ = mean_return(game, policy, luck)
            shares.append(mean / found.bound)
            rows.append([v / form.horizon for v in (*row, mean, found.bound)] + [seconds])
        table.append([name, *np.mean(rows, axis=0).tolist(), float(np.mean(shares))])
        claims.append(Claim(f"lagrangian-share-{name}", float(np.mean(shares)), bar))
    tops, reached = np.mean([small(k) for k in range(instances)], axis=0)
    claims.append(Claim("optimum-share-small", float(tops), 0.995, note="what is possible at all"))
    claims.append(Claim("lagrangian-of-optimum-small", float(reached), 0.995))
    header = ["problem", *PLAYERS, "lagrangian", "bound", "CPU s to plan", "share"]
    report(claims, table=table, header=header, path=options.json)


if __name__ == "__main__":
    main()
