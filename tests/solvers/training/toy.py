"""A small learner in numpy for the tests of what all learners share: REINFORCE on a batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.rng import derive, derive_many, generator
from solvers.loop import positive
from solvers.training import LearnerSolver, LearnerState, Schedule, evaluate_policy
from solvers.training.policy import MlpPolicy

EPISODES = 16


class Toy:
    def __init__(self, game: Any, seed: int, settings: Any) -> None:
        self.game, self.rate, self.seed = game, positive("rate", settings["rate"]), seed
        first = game.form("batch", seeds=[0]).observe(0)
        self.weight = np.zeros((first.legal.shape[1], first.tensor.shape[1]))
        self.rng = generator(seed, "toy")
        self.steps = 0
        self.updates = 0

    def step(self) -> dict[str, float]:
        seeds = derive_many(derive(self.seed, "episodes", self.updates), np.arange(EPISODES))
        batch = self.game.form("batch", seeds=seeds)
        seen = []
        policy = self.policy()
        while (acting := batch.actors()).any():
            actions = np.zeros(acting.shape, dtype=np.int64)
            for seat in range(self.game.seats):
                rows = np.flatnonzero(acting[:, seat])
                if not len(rows):
                    continue
                look = batch.observe(seat)
                x, legal = look.tensor[rows].copy(), look.legal[rows].copy()
                chances = policy.distribution(x, legal, seat=seat)
                picks = np.array([self.rng.choice(len(c), p=c) for c in chances])
                actions[rows, seat] = picks
                seen.append((rows, x, chances, picks))
            batch.step(actions)
            self.steps += int(acting.sum())
        returns = batch.returns()[:, 0]
        for rows, x, chances, picks in seen:
            gain = (returns - returns.mean())[rows, None]
            chosen = np.eye(self.weight.shape[0])[picks]
            self.weight += self.rate * ((chosen - chances) * gain).T @ x
        self.updates += 1
        return {"return": float(returns.mean())}

    def state(self) -> LearnerState:
        values = {"steps": self.steps, "updates": self.updates}
        return LearnerState(
            {"weight": self.weight.copy()}, {**values, "rng": self.rng.bit_generator.state}
        )

    def load(self, state: LearnerState) -> None:
        self.weight = np.array(state.arrays["weight"])
        self.steps, self.updates = state.values["steps"], state.values["updates"]
        self.rng.bit_generator.state = state.values["rng"]

    def policy(self) -> MlpPolicy:
        bias = np.zeros(len(self.weight))
        return MlpPolicy(self.game.key, [self.weight.copy()], [bias], greedy=True)

    def evaluate(self, episodes: int, seed: int) -> Any:
        return evaluate_policy(self.game, self.policy(), episodes=episodes, seed=seed)


def toy() -> LearnerSolver:
    return LearnerSolver(
        name="toy",
        start=Toy,
        defaults={"rate": 0.05},
        unfit=lambda game: None if "batch" in game.forms else f"{game.key} has no form batch",
        steps=2000,
        schedule=Schedule(eval_every=500, eval_episodes=50),
        torch=False,
    )
