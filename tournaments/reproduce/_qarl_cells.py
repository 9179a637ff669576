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

__all__ = ["DOUBLE", "SAME", "Plan", "Task", "cell", "controller", "stacked", "tasks"]

_FORMAT = "arena/qarl-cell/3"

DOUBLE = "sac_double"
"""SAC with as many steps and updates as controller and adversary of other methods together."""

SAME = "rarl_same"
"""RARL against as strong an adversary as QARL's, which is as strong as the game says."""

_LEARNERS = {DOUBLE: "sac", SAME: "rarl"}

_LIKE = {"fixed": "qarl", "force": "qarl", "linear": "qarl", "point": "qarl"}
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
        seeds: of the methods that the claim compares; settings were chosen on others. Other
            methods have the first five of them.
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
    seeds: Sequence[int] = range(20, 30)

    def settings_of(self, method: str) -> dict[str, Any]:
        """Return a method's settings."""
        own = self.own.get(_LIKE.get(method, method), {})
        learner = _LEARNERS.get(method, method)
        return {**DEFAULTS, **self.settings, **own, "method": learner}


_NOISES = (0.0, 0.25, 0.5, 1.0, 2.0)

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

_POINT_MASS = Task(
    name="point_mass",
    game="adversarial/point_mass(axes=x,sticky=true,strength=1)",
    steps=25_000,
    attack_steps=4_000,
    axes={
        "mass": (0.25, 0.5, 1.0, 2.0, 4.0),
        "friction": (0.1, 0.5, 1.0, 2.0),
        "gusts": (0.0, 0.5, 1.0, 1.5, 2.0),
    },
    noises=_NOISES,
    noise_unit=0.1,
    settings=_SHARED,
    own={
        "qarl": {"rate": 50.0, "level": -35.0, "settle": False},
    },
)

_INVERTED_PENDULUM = Task(
    name="inverted_pendulum",
    game="adversarial/inverted_pendulum(horizon=200,strength=10)",
    steps=20_000,
    attack_steps=4_000,
    axes={
        "mass": (0.5, 1.0, 2.0, 4.0),
        "friction": (0.0, 1.0, 5.0),
        "gusts": (0.0, 2.5, 5.0, 10.0, 20.0),
    },
    noises=_NOISES,
    noise_unit=0.02,
    settings={**_SHARED, "actor_rate": 2e-3, "critic_rate": 2e-3, "normalise": True},
    own={
        "rarl": {"strength": 2.5},
        "qarl": {"rate": 50.0, "level": 150.0, "settle": False},
    },
    episodes=2,
    seeds=range(30, 40),
)

_HOPPER = Task(
    name="hopper",
    game="adversarial/hopper(horizon=500)",
    steps=60_000,
    attack_steps=10_000,
    axes={
        "mass": (0.6, 0.8, 1.0, 1.2, 1.4),
        "friction": (0.4, 1.0, 1.6),
        "gusts": (0.0, 2.0, 4.0),
    },
    noises=_NOISES,
    noise_unit=0.02,
    settings={
        **_SHARED,
        "discount": 0.99,
        "tau": 0.005,
        "hidden": [128, 128],
        "lesson": 30,
        "normalise": True,
        "warm_up": 3000,
    },
    own={
        "qarl": {"rate": 50.0, "level": 200.0, "settle": False},
    },
    episodes=2,
    seeds=range(10, 20),
)


def tasks(*, quick: bool) -> list[Task]:
    """Return the tasks, the quickest first."""
    if quick:
        few = {name: values[::2] for name, values in _POINT_MASS.axes.items()}
        small: dict[str, Any] = {"steps": 3_000, "attack_steps": 1_000, "axes": few, "episodes": 2}
        return [replace(_POINT_MASS, **small, seeds=(20, 21))]
    return [_POINT_MASS, _INVERTED_PENDULUM, _HOPPER]


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

    def facts(self) -> dict[str, Any]:
        """Return all that its result follows from, as JSON values."""
        task = asdict(self.task)
        for name in ("own", "seeds"):
            del task[name]
        own = {"method": self.method, "seed": self.seed}
        settings = self.task.settings_of(self.method)
        facts = {"format": _FORMAT, "task": task, "learner": settings, **own}
        read: dict[str, Any] = json.loads(json.dumps(facts))
        return read


def cell(plan: Plan, folder: Path) -> dict[str, Any]:
    """Train and test a controller, or read what was found before.

    Returns:
        JSON values: `nominal`, `grid` (mass, friction, gusts), `observation_noise`,
        `action_noise`, `attacked`, `failed`, `seconds` of CPU time, and what it was made from.

    Raises:
        ParameterError: the folder holds a cell of that name made with other settings.
    """
    facts = plan.facts()
    path = folder / f"{plan.name}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text())
        if found["made_from"] != facts:
            raise ParameterError("cell", str(path), "the same settings, or a new folder (--out)")
        return found
    began = time.process_time()
    task = plan.task
    game: Game = GAMES.factory(task.game)()
    times = 2 if plan.method == DOUBLE else 1
    settings = task.settings_of(plan.method)
    settings["plan"] = times * len(METHODS[settings["method"]].learns) * task.steps
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
