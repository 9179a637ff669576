"""What `reproduce sequoia` measures: problems, learners, and one unit of either.

A unit is a problem and an instance, whose number is the learner's seed, too. Units are kept as
files, so that a stopped run goes on where it was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import arena
from arena.files import write_atomic
from arena.game import Game
from arena.rng import derive, derive_many
from games.bandits.form import RestlessBandit
from solvers.bandits.averaged import average
from solvers.bandits.contagion import LinkPolicy, MeanField
from solvers.bandits.episodes import steps
from solvers.bandits.lagrangian import relax
from solvers.bandits.policy import ValuePolicy
from solvers.sequoia.baselines import BASELINES, Baseline
from solvers.sequoia.learner import DEFAULTS, Sequoia
from solvers.sequoia.policy import QPolicy

__all__ = [
    "BEFORE", "DECODED", "DQN", "EPIDEMIC", "FOUR", "LARGE", "LONG", "NETWORKED", "OURS", "PAPERS",
    "SMALL", "Problem", "learned", "measure", "measure_dqn", "measure_long", "measure_papers",
    "unit",
]  # fmt: skip

Reals = NDArray[np.float64]

SEED = 20_250_303
EPISODES, QUICK_EPISODES = 50, 20
"""Evaluation episodes of each policy, the same for all."""
ROUNDS = 20


@dataclass(frozen=True)
class Problem:
    """One problem: its game, how it is learned, and the bars.

    Attributes:
        name: what it is called in the report.
        game: its registry key.
        better: SEQUOIA's bar over the best baseline that does not learn.
        share: its bar as a share of the bound, or of the optimum if `exact`; None: no bar.
        rounds: of learning.
        settings: of learning, where they are not the defaults.
        exact: whether backward induction gives the optimum.
    """

    name: str
    game: str
    better: float = 0.0
    share: float | None = None
    rounds: int = ROUNDS
    settings: Mapping[str, Any] = field(default_factory=dict)
    exact: bool = False

    def make(self, instance: int) -> Game:
        """Return the game of an instance."""
        return arena.make(self.game, instance=instance)


FOUR = (
    Problem("schedule", "bandits/schedule", 0.5, 0.93),
    Problem("path", "bandits/path", 0.5, 0.93),
    Problem("capacity", "bandits/capacity", 0.4, 0.93),
    Problem("interventions", "bandits/interventions", 0.0, 0.93),
)
_SPREAD: Mapping[str, Any] = {"episodes": 16, "discount": 0.95, "select_every": 5}
_LONG = 100
EPIDEMIC = Problem("epidemic", "bandits/epidemic", rounds=_LONG, settings=_SPREAD)
_FORTY = "(arms=40,budget=10)"
LARGE = (
    Problem("schedule, J = 40", f"bandits/schedule{_FORTY}", 0.5, 0.93),
    Problem(
        "interventions, J = 40", "bandits/interventions(arms=40,budget=10,actions=20)", 0.0, 0.93
    ),
    Problem("path, J = 40", f"bandits/path{_FORTY}", 0.5, 0.93),
    Problem("capacity, J = 40", f"bandits/capacity{_FORTY}", 0.4, 0.93),
)
SMALL = (
    Problem("budget, J = 4", "bandits/budget(arms=4,budget=1,horizon=10)", 0.0, 0.9, exact=True),
    Problem(
        "epidemic, J = 8",
        "bandits/epidemic(arms=8,budget=2,horizon=15)",
        share=0.9,
        rounds=_LONG,
        settings=_SPREAD,
        exact=True,
    ),
)

DQN: Mapping[str, Mapping[str, Any]] = {
    "iterative DQN": {"choose": "iterative", "inputs": "plain", "skip": False},
    "sampled DQN": {"choose": "sampled", "inputs": "plain", "skip": False},
}
"""Baselines that share SEQUOIA's data, targets and selection: stronger than the paper's."""

_PLAYED: Mapping[str, Any] = {
    "choose": "iterative", "inputs": "plain", "skip": False, "hidden": [16, 32],
    "discount": 0.99, "warm": 160, "pretrain": 0, "select_episodes": 0,
}  # fmt: skip
"""A plain network that learns from played episodes alone, with targets of its own rule."""

PAPERS: Mapping[str, Mapping[str, Any]] = {
    "iterative DQN (paper)": {**_PLAYED, "working": 1280, "passes": 8, "rounds": 13}
}
"""As in the paper: 100 episodes, and a minibatch a step."""
LONG: Mapping[str, Mapping[str, Any]] = {
    "iterative DQN (paper, ten times the episodes)": {**_PLAYED, "working": 256, "rounds": 130}
}
"""The same with as many steps as SEQUOIA takes."""

QUICK: Mapping[str, Any] = {
    "warm": 10_000,
    "pretrain": 10,
    "select_every": 3,
    "select_episodes": 20,
}

BEFORE, OURS = "SEQUOIA, pre-trained", "SEQUOIA"
DECODED = "SEQUOIA's network, one arm at a time"
"""What the authors' code calls iterative DQN."""
NETWORKED: Mapping[str, str] = {"LRIE": "lrie", "most infected": "most_infected"}
"""Heuristics for arms that influence each other; besides, `mean field` plans anew each step."""


def measure(problem: Problem, instance: int, *, quick: bool) -> dict[str, Any]:
    """Return the reward of baselines, planners and SEQUOIA, as JSON values."""
    game = problem.make(instance)
    form = game.form("bandit")
    seeds = _seeds(instance, quick=quick)
    paid: dict[str, Reals] = {
        name: episodes(game, Baseline(name, form, seed=instance), seeds) for name in BASELINES
    }
    bound, planned = planners(game)
    paid |= {name: episodes(game, policy, seeds) for name, policy in planned.items()}
    before, after, seconds = learned(problem, instance, {}, quick=quick)
    decoded = QPolicy(game.key, after.net, inputs=after.inputs, rule="iterative")
    last = {BEFORE: before, DECODED: decoded, OURS: after}
    paid |= {name: episodes(game, policy, seeds) for name, policy in last.items()}
    exact = None
    if problem.exact:
        exact = arena.solve(game, "bandit_exact", episodes=2).certificate["value"].value
    return {
        "problem": problem.name,
        "game": game.key,
        "instance": instance,
        **_summed(paid, form.horizon),
        "bound": None if bound is None else bound / form.horizon,
        "exact": None if exact is None else exact / form.horizon,
        "seconds": {OURS: seconds},
    }


def measure_dqn(problem: Problem, instance: int, *, quick: bool) -> dict[str, Any]:
    """Return the reward of `DQN` on one instance, as JSON values."""
    return _rivals(problem, instance, DQN, quick=quick)


def measure_long(problem: Problem, instance: int, *, quick: bool) -> dict[str, Any]:
    """Return the reward of `LONG` on one instance, as JSON values."""
    return _rivals(problem, instance, LONG, quick=quick)


def measure_papers(problem: Problem, instance: int, *, quick: bool) -> dict[str, Any]:
    """Return the reward of `PAPERS` on one instance, as JSON values."""
    return _rivals(problem, instance, PAPERS, quick=quick)


def _rivals(
    problem: Problem, instance: int, rivals: Mapping[str, Mapping[str, Any]], *, quick: bool
) -> dict[str, Any]:
    game = problem.make(instance)
    seeds = _seeds(instance, quick=quick)
    paid, seconds = {}, {}
    for name, own in rivals.items():
        settings = dict(own)
        rounds = settings.pop("rounds", problem.rounds)
        _, policy, seconds[name] = learned(problem, instance, settings, quick=quick, rounds=rounds)
        paid[name] = episodes(game, policy, seeds)
    return {**_summed(paid, game.form("bandit").horizon), "seconds": seconds}


def learned(
    problem: Problem,
    instance: int,
    own: Mapping[str, Any],
    *,
    quick: bool,
    rounds: int | None = None,
) -> tuple[Any, Any, float]:
    """Return the policies after pre-training and in the end, and the CPU seconds it took."""
    settings = {**DEFAULTS, **problem.settings, **(QUICK if quick else {}), **own}
    last = problem.rounds if rounds is None else rounds
    if quick:
        last = max(settings["pretrain"] + 2, last // 4)
    start = time.process_time()
    learner = Sequoia(problem.make(instance), derive(SEED, "learner", instance), settings)
    while learner.rounds < settings["pretrain"]:
        learner.step()
    before = learner.policy()
    while learner.rounds < last:
        learner.step()
    return before, learner.policy(), time.process_time() - start


def _seeds(instance: int, *, quick: bool) -> NDArray[np.uint64]:
    count = QUICK_EPISODES if quick else EPISODES
    return derive_many(derive(SEED, "play", instance), np.arange(count))


def _summed(paid: Mapping[str, Reals], horizon: int) -> dict[str, Any]:
    return {
        "means": {name: float(rows[:, -1].mean()) / horizon for name, rows in paid.items()},
        "curves": {name: np.round(rows.mean(axis=0), 3).tolist() for name, rows in paid.items()},
    }


def episodes(game: Game, policy: Any, seeds: NDArray[np.uint64]) -> Reals:
    """Return the returns so far of episodes, shape (K, H)."""
    rows = [batch.returns()[:, 0] for batch in steps(game, policy, seeds)]
    return np.stack(rows[1:], axis=1)


def planners(game: Game) -> tuple[float | None, dict[str, Any]]:
    """Return the Lagrangian bound, where there is one, and policies that know the transitions."""
    form: RestlessBandit = game.form("bandit")
    if not form.influenced:
        found = relax(form, rounds=30)
        return found.bound, {"Lagrangian": ValuePolicy(game.key, found.values)}
    own: dict[str, Any] = {name: LinkPolicy(form, rule) for name, rule in NETWORKED.items()}
    return None, {**own, "Lagrangian": average(game, seed=SEED), "mean field": MeanField(form)}


_KINDS = {
    measure: "",
    measure_dqn: "rivals-",
    measure_long: "long-",
    measure_papers: "papers-",
}
_LEARNERS = {measure_long: LONG, measure_papers: PAPERS}


def unit(work: Any, problem: Problem, instance: int, *, quick: bool, out: Path) -> dict[str, Any]:
    """Return what was measured before with the same settings, or measure and keep it."""
    label = "".join(c if c.isalnum() else "-" for c in problem.name)
    path = out / "units" / f"{'quick-' * quick}{_KINDS[work]}{label}-{instance}.json"
    version: dict[str, Any] = {
        "rounds": problem.rounds,
        "defaults": DEFAULTS,
        "seed": SEED,
        "game": problem.game,
    }
    if problem.settings:
        version["settings"] = problem.settings
    if work in _LEARNERS:
        version["learners"] = _LEARNERS[work]
    if path.exists():
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if stored.pop("version", None) == json.loads(json.dumps(version)):
            return stored
    found: dict[str, Any] = work(problem, instance, quick=quick)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomic(path) as file:
        file.write((json.dumps({**found, "version": version}) + "\n").encode("utf-8"))
    return found
