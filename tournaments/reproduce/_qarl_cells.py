"""The experiments behind `qarl`: one controller trained and tested, kept in a file each."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import ParameterError
from arena.files import write_atomic
from arena.game import Game
from arena.registry import GAMES
from arena.rng import derive
from solvers.qarl.learner import DEFAULTS, Qarl
from solvers.qarl.methods import METHODS
from solvers.qarl.play import seat_of
from solvers.qarl.policy import ControlPolicy
from solvers.qarl.robustness import attack, grid
from solvers.training import read_checkpoint, write_checkpoint
from solvers.training.checkpoint import game_header
from solvers.training.networks import torch_threads
from solvers.training.policy import from_header

__all__ = ["DOUBLE", "Plan", "Task", "cell", "controller", "stacked", "tasks"]

_FORMAT = "arena/qarl-cell/2"

DOUBLE = "sac_double"
"""SAC with as many steps and updates as controller and adversary of other methods together."""

_LIKE = {"fixed": "qarl", "linear": "qarl", "point": "qarl"}
"""Methods that have the settings of another."""


@dataclass(frozen=True)
class Task:
    """A game and how much is done with it.

    Attributes:
        name: for tables.
        game: its key.
        steps: environment steps in which the controller learns, the same for every method;
            those in which an adversary learns come on top.
        attack_steps: of the fresh adversary.
        axes: of the grid: values of masses, frictions and gusts.
        noises: standard deviations of noise on observations, as multiples of `noise_unit`.
        noise_unit: about a tenth of what observations span.
        settings: of the learner, the same for every method.
        own: those that each method was tuned in; see `_LIKE` for methods that have none.
        episodes: in each cell.
    """

    name: str
    game: str
    steps: int
    attack_steps: int
    axes: Mapping[str, tuple[float, ...]]
    noises: tuple[float, ...]
    noise_unit: float
    settings: Mapping[str, Any]
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    episodes: int = 3

    def settings_of(self, method: str) -> dict[str, Any]:
        """Return a method's settings."""
        own = self.own.get(_LIKE.get(method, method), {})
        return {**DEFAULTS, **self.settings, **own, "method": method}


_SHARED = {
    "actor_rate": 1e-3,
    "critic_rate": 1e-3,
    "tau": 0.01,
    "discount": 0.98,
    "update_every": 2,
    "batch": 64,
    "hidden": [32, 32],
    "episodes": 10,
    "lesson": 10,
}


def tasks(*, quick: bool) -> list[Task]:
    """Return the tasks, the quickest first."""
    noises = (0.0, 0.25, 0.5, 1.0, 2.0)
    axes = {
        "mass": (0.25, 0.5, 1.0, 2.0, 4.0),
        "friction": (0.1, 0.5, 1.0, 2.0),
        "gusts": (0.0, 0.5, 1.0, 1.5, 2.0),
    }
    point = Task(
        "point_mass", "adversarial/point_mass(axes=x,strength=1)", 25_000, 4_000, axes, noises,
        0.1, {**_SHARED, "rate": 50.0}, {"qarl": {"level": -40.0}, "force": {"level": -40.0}},
    )  # fmt: skip
    if quick:
        few = {name: values[::2] for name, values in axes.items()}
        return [replace(point, steps=3_000, attack_steps=1_000, axes=few, episodes=2)]
    axes = {
        "mass": (0.5, 1.0, 2.0, 4.0, 8.0),
        "friction": (0.0, 1.0, 5.0),
        "gusts": (0.0, 2.5, 5.0, 10.0, 20.0),
    }
    pendulum = Task(
        "inverted_pendulum", "adversarial/inverted_pendulum(horizon=200,strength=20)", 40_000,
        4_000, axes, noises, 0.02, {**_SHARED, "rate": 50.0, "normalise": True},
        {"qarl": {"level": 60.0}, "force": {"level": 60.0}}, episodes=2,
    )  # fmt: skip
    axes = {
        "mass": (0.6, 0.8, 1.0, 1.2, 1.4),
        "friction": (0.4, 1.0, 1.6),
        "gusts": (0.0, 2.0, 4.0),
    }
    hopper = Task(
        "hopper", "adversarial/hopper(horizon=500)", 60_000, 10_000, axes, noises, 0.02,
        {**_SHARED, "discount": 0.99, "tau": 0.005, "hidden": [128, 128], "lesson": 30,
         "rate": 50.0, "normalise": True, "warm_up": 3000},
        {"qarl": {"level": 200.0}, "force": {"level": 200.0}}, episodes=2,
    )  # fmt: skip
    return [point, pendulum, hopper]


@dataclass(frozen=True)
class Plan:
    """One cell: a method on a task with a seed."""

    task: Task
    method: str
    seed: int

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{self.task.name}-{self.method}-{self.seed}"


def cell(plan: Plan, folder: Path) -> dict[str, Any]:
    """Train and test a controller, or read what was found before.

    Returns:
        JSON values: `nominal`, `grid` (mass, friction, gusts), `observation_noise`,
        `action_noise`, `attacked`, `failed`, `seconds` of CPU time, and what it was made from.

    Raises:
        ParameterError: the folder holds a cell of that name made with other settings.
    """
    facts = json.loads(json.dumps({"format": _FORMAT, **asdict(plan)}))
    path = folder / f"{plan.name}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text())
        if found["made_from"] != facts:
            raise ParameterError("cell", str(path), "the same settings, or a new folder (--out)")
        return found
    began = time.process_time()
    task = plan.task
    game: Game = GAMES.factory(task.game)()
    method, times = ("sac", 2) if plan.method == DOUBLE else (plan.method, 1)
    turns = times * len(METHODS[method].learns)
    settings = {**task.settings_of(method), "plan": turns * task.steps}
    with torch_threads(1):
        learner = Qarl(game, plan.seed, settings)
        while learner.taught[0] < times * task.steps:
            learner.step()
        policy = learner.policy()
        trained = time.process_time() - began
        seed = derive(plan.seed, "tests")
        attacked, _ = attack(
            game, policy, steps=task.attack_steps, seed=seed, settings=task.settings
        )
    found = {"made_from": facts, "attacked": attacked, **_tested(game, policy, task, seed)}
    found |= {"failed": learner.failures, "steps": learner.steps, "training_seconds": trained}
    found["seconds"] = time.process_time() - began
    header: dict[str, Any] = {"game": game_header(game), "solver": "qarl", "settings": settings}
    header |= {"seed": plan.seed, "steps": learner.steps, "policy": policy.header()}
    folder.mkdir(parents=True, exist_ok=True)
    write_checkpoint(folder / f"{plan.name}.safetensors", header, policy.arrays())
    # The checkpoint's twin of the same name gives way to the whole cell.
    with write_atomic(path) as file:
        file.write((json.dumps(found) + "\n").encode())
    return found


def _tested(game: Game, policy: ControlPolicy, task: Task, seed: int) -> dict[str, Any]:
    act = seat_of(policy, 0)
    shared: dict[str, Any] = {"episodes": task.episodes, "seed": derive(seed, "grid")}
    blur = [x * task.noise_unit for x in task.noises]
    calm = {**shared, "episodes": 20, "seed": derive(seed, "nominal")}
    return {
        "nominal": float(grid(game, act, {"gusts": [0.0]}, **calm)[0]),
        "grid": grid(game, act, task.axes, **shared).tolist(),
        "observation_noise": grid(game, act, {"observation_noise": blur}, **shared).tolist(),
        "action_noise": grid(game, act, {"action_noise": task.noises}, **shared).tolist(),
    }


def controller(plan: Plan, folder: Path) -> ControlPolicy:
    """Return what a cell trained: both seats' policies."""
    read = read_checkpoint(folder / f"{plan.name}.safetensors", state=False)
    policy: ControlPolicy = from_header(read.game, read.header["policy"], read.policy)
    return policy


def stacked(found: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return one figure of several cells as an array, seeds first."""
    return np.array([one[name] for one in found], dtype=np.float64)
