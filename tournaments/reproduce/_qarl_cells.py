"""The experiments behind `qarl`: one controller trained and tested, kept in a file each."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import ParameterError
from arena.files import write_atomic
from arena.game import Game
from arena.registry import GAMES
from arena.rng import derive
from solvers.qarl.learner import DEFAULTS, Qarl
from solvers.qarl.play import seat_of
from solvers.qarl.policy import ControlPolicy
from solvers.qarl.robustness import attack, grid, sweep
from solvers.training import read_checkpoint, write_checkpoint
from solvers.training.checkpoint import game_header
from solvers.training.networks import torch_threads
from solvers.training.policy import from_header

__all__ = ["Plan", "Task", "cell", "controller", "stacked", "tasks"]

_FORMAT = "arena/qarl-cell/1"


@dataclass(frozen=True)
class Task:
    """A game and how much is done with it.

    Attributes:
        name: for tables.
        game: its key.
        steps: environment steps of both seats together, the same for every method.
        attack_steps: of the fresh adversary.
        masses: rows of the grid.
        frictions: columns of the grid.
        strengths: of a wind or force that changes at random in every step.
        noises: standard deviations of noise on observations, as multiples of `noise_unit`.
        noise_unit: about a tenth of what observations span.
        settings: of the learner, the same for every method.
        episodes: in each cell.
    """

    name: str
    game: str
    steps: int
    attack_steps: int
    masses: tuple[float, ...]
    frictions: tuple[float, ...]
    strengths: tuple[float, ...]
    noises: tuple[float, ...]
    noise_unit: float
    settings: Mapping[str, Any]
    episodes: int = 5


_SHARED = {
    "actor_rate": 1e-3,
    "critic_rate": 1e-3,
    "tau": 0.01,
    "discount": 0.98,
    "update_every": 2,
    "lesson": 5,
}


def tasks(*, quick: bool) -> list[Task]:
    """Return the tasks, the quickest first."""
    mass = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
    rub = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
    noises = (0.0, 0.25, 0.5, 1.0, 2.0)
    point = Task(
        "point_mass", "adversarial/point_mass", 30_000, 6_000, mass, rub,
        (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), noises, 0.1, {**_SHARED, "level": -60.0},
    )  # fmt: skip
    if quick:
        return [
            Task(
                "point_mass", "adversarial/point_mass", 6_000, 1_500, mass[::3], rub[::3],
                (0.0, 0.8), (0.0, 1.0), 0.1, {**point.settings, "hidden": [32, 32]}, 2,
            )
        ]  # fmt: skip
    pendulum = Task(
        "inverted_pendulum", "adversarial/inverted_pendulum(horizon=200,strength=1.5)", 40_000,
        6_000, (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0), (0.0, 0.5, 1.0, 2.0, 3.0, 5.0),
        (0.0, 1.5, 3.0, 6.0, 12.0), noises, 0.02, {**_SHARED, "level": 120.0}, 3,
    )  # fmt: skip
    hopper = Task(
        "hopper", "adversarial/hopper(horizon=500)", 100_000, 15_000,
        (0.6, 0.8, 1.0, 1.2, 1.4), (0.4, 0.7, 1.0, 1.3, 1.6),
        (0.0, 1.0, 3.0, 6.0), noises, 0.02,
        {**_SHARED, "discount": 0.99, "tau": 0.005, "hidden": [128, 128], "lesson": 30,
         "level": 200.0, "warm_up": 3000}, 3,
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
        JSON values: `nominal`, `grid` (R, C), `strengths`, `noise`, `attacked`, `failed`,
        `seconds` of CPU time, and what it was made from.

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
    settings = {**DEFAULTS, **task.settings, "method": plan.method, "plan": task.steps}
    with torch_threads(1):
        learner = Qarl(game, plan.seed, settings)
        while learner.steps < task.steps:
            learner.step()
        policy = learner.policy()
        trained = time.process_time() - began
        seed = derive(plan.seed, "tests")
        own = {k: v for k, v in task.settings.items() if k != "level"}
        attacked, _ = attack(game, policy, steps=task.attack_steps, seed=seed, settings=own)
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
    cells = grid(game, act, {"mass": task.masses, "friction": task.frictions}, **shared)
    rng = np.random.default_rng(derive(seed, "gusts"))
    size = game.form("control").sizes[1]

    def gusts(tensor: Any) -> Any:
        return np.sign(rng.uniform(-1.0, 1.0, (len(tensor), size)))

    pushes = sweep(game, act, "strength", task.strengths, adversary=gusts, **shared)
    blur = [x * task.noise_unit for x in task.noises]
    noise = sweep(game, act, "observation_noise", blur, **shared)
    shake = sweep(game, act, "action_noise", task.noises, **shared)
    nominal = sweep(game, act, "action_noise", [0.0], episodes=20, seed=derive(seed, "nominal"))
    return {
        "nominal": float(nominal[0]),
        "grid": cells.tolist(),
        "strengths": pushes.tolist(),
        "observation_noise": noise.tolist(),
        "action_noise": shake.tolist(),
    }


def controller(plan: Plan, folder: Path) -> ControlPolicy:
    """Return what a cell trained: both seats' policies."""
    read = read_checkpoint(folder / f"{plan.name}.safetensors", state=False)
    policy: ControlPolicy = from_header(read.game, read.header["policy"], read.policy)
    return policy


def stacked(found: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return one figure of several cells as an array, seeds first."""
    return np.array([one[name] for one in found], dtype=np.float64)
