"""`adversarial/<name>`: control tasks with an adversary, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from arena.game import Game
from arena.registry import Info
from arena.types import Params
from games.control.game import as_game
from games.control.plants import PointMasses
from games.control.setup import Setup, check_numbers

__all__ = ["FAMILY", "TASKS", "Task"]

_QARL = "Reddi, Tölle, Peters, Chalvatzaki and D'Eramo 2024, ICLR (QARL)"
_MUJOCO = "Todorov, Erez and Tassa 2012, MuJoCo; Towers et al. 2024, Gymnasium; Pinto et al. 2017"


@dataclass(frozen=True)
class Task:
    """A named MuJoCo task.

    Attributes:
        env: gymnasium's name.
        bodies: what the adversary pushes.
        axes: along which axes.
        strength: its greatest force in newtons.
        horizon: steps.
    """

    env: str
    bodies: tuple[str, ...]
    axes: str
    strength: float
    horizon: int = 1000


TASKS: dict[str, Task] = {
    "ant": Task("Ant-v5", ("torso",), "xyz", 5.0),
    "half_cheetah": Task("HalfCheetah-v5", ("torso",), "xz", 5.0),
    "hopper": Task("Hopper-v5", ("torso",), "xz", 3.0),
    "inverted_double_pendulum": Task("InvertedDoublePendulum-v5", ("pole2",), "x", 1.0),
    "inverted_pendulum": Task("InvertedPendulum-v5", ("pole",), "x", 1.5),
    "swimmer": Task("Swimmer-v5", ("torso",), "xy", 1.0),
    "walker2d": Task("Walker2d-v5", ("torso",), "xz", 3.0),
}
"""Name to task."""


def point_mass(
    *,
    mass: float = 1.0,
    friction: float = 1.0,
    strength: float = 0.8,
    axes: str = "xy",
    gap: float = 1.0,
    sticky: bool = False,
    horizon: int = 150,
    adversary: str = "force",
    gusts: float = 0.0,
    action_noise: float = 0.0,
    observation_noise: float = 0.0,
) -> Setup:
    """A mass is pushed through a gap in a wall, against the wind before it."""
    given = dict(locals())
    where = "adversarial/point_mass"
    check_numbers(where, given)
    if not (isinstance(gap, int | float) and 0 < gap <= 4):
        raise ParameterError("gap", gap, "a number from 0 to 4, not 0", where=where)

    if not isinstance(sticky, bool):
        raise ParameterError("sticky", sticky, "true or false", where=where)
    if axes not in ("x", "y", "xy"):
        raise UnknownNameError("axes of the wind", str(axes), ("x", "y", "xy"), hint="x, y, xy")

    def plants(seeds: Any, uniform: Callable[[int], Any], mass: Any, friction: Any) -> PointMasses:
        return PointMasses(
            uniform(2), mass=mass, friction=friction, gap=gap, axes=axes, sticky=sticky
        )

    return Setup(
        id=where,
        params=_chosen(point_mass, given),
        plants=plants,
        controls=2,
        forces=len(axes),
        observed=4,
        channel=adversary,
        strength=float(strength),
        horizon=horizon,
        mass=float(mass),
        friction=float(friction),
        gusts=float(gusts),
        action_noise=float(action_noise),
        observation_noise=float(observation_noise),
        bounds=(-float(horizon), 0.0),
        facts={"summary": "push a mass through a gap, against the wind", "citation": _QARL},
    )


def gym(
    env: str = "Pendulum-v1",
    *,
    strength: float = 0.2,
    horizon: int = 0,
    adversary: str = "action",
    action_noise: float = 0.0,
    observation_noise: float = 0.0,
) -> Setup:
    """Any gymnasium environment with continuous actions; no forces, as they need MuJoCo."""
    given = dict(locals())
    from games.control.gym import GymPlants, NoForces, facts_of, open_env

    where = "adversarial/gym"
    facts = facts_of(env)
    own = {**given, "horizon": horizon or facts.horizon or 1000}
    check_numbers(where, own)
    if adversary == "force":
        raise NotApplicableError(
            f"nothing can push {env} but its own actions: choose adversary=action or"
            " adversary=observation (forces on bodies: adversarial/mujoco)"
        )

    def plants(seeds: Any, uniform: Any, mass: Any, friction: Any) -> GymPlants:
        return GymPlants(
            lambda: open_env(env), _seeds(seeds),
            facts=facts, physics=NoForces(), mass=mass, friction=friction,
        )  # fmt: skip

    return Setup(
        id=where,
        params=_chosen(gym, given),
        plants=plants,
        controls=len(facts.low),
        forces=0,
        observed=facts.observed,
        channel=adversary,
        strength=float(strength),
        horizon=own["horizon"],
        varies=(),
        action_noise=float(action_noise),
        observation_noise=float(observation_noise),
        facts={"summary": f"{env} with a disturbed controller", "citation": "Towers et al. 2024"},
    )


def mujoco(
    env: str = "Hopper-v5",
    *,
    bodies: list[str] | None = None,
    axes: str = "xz",
    strength: float = 1.0,
    mass: float = 1.0,
    friction: float = 1.0,
    horizon: int = 1000,
    adversary: str = "force",
    gusts: float = 0.0,
    action_noise: float = 0.0,
    observation_noise: float = 0.0,
) -> Setup:
    """Any MuJoCo environment of gymnasium, bodies pushed (by default the first one)."""
    given = dict(locals())
    return _mujoco("adversarial/mujoco", given, _chosen(mujoco, given))


def _mujoco(where: str, given: Params, params: Params) -> Setup:
    from games.control.gym import GymPlants, facts_of, open_env
    from games.control.mujoco import Forces, bodies_of

    check_numbers(where, given)
    env, bodies = given["env"], given["bodies"]
    known = bodies_of(env)  # says what is missing, before gymnasium does
    if bodies is not None and not (isinstance(bodies, list) and bodies):
        raise ParameterError("bodies", bodies, f"a list of some of {', '.join(known)}", where=where)
    facts = facts_of(env)
    forces = Forces.on(env, bodies or known[:1], given["axes"])

    def plants(seeds: Any, uniform: Any, mass: Any, friction: Any) -> GymPlants:
        return GymPlants(
            lambda: open_env(env).unwrapped, _seeds(seeds),
            facts=facts, physics=forces, mass=mass, friction=friction,
        )  # fmt: skip

    return Setup(
        id=where,
        params=params,
        plants=plants,
        controls=len(facts.low),
        forces=forces.count,
        observed=facts.observed,
        channel=given["adversary"],
        strength=float(given["strength"]),
        horizon=given["horizon"],
        mass=float(given["mass"]),
        friction=float(given["friction"]),
        gusts=float(given["gusts"]),
        action_noise=float(given["action_noise"]),
        observation_noise=float(given["observation_noise"]),
        facts={"summary": f"{env}, its bodies pushed", "citation": f"{_MUJOCO}; {_QARL}"},
    )


def _seeds(seeds: Any) -> list[int]:
    return [int(seed) for seed in seeds.tolist()]


def _chosen(build: Callable[..., Setup], given: Params) -> Params:
    """Return the parameters that are not at their defaults."""
    known = inspect.signature(build).parameters
    return {name: value for name, value in given.items() if value != known[name].default}


_OPEN: dict[str, Callable[..., Setup]] = {"gym": gym, "mujoco": mujoco, "point_mass": point_mass}


class ControlFamily:
    """The family."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return sorted([*_OPEN, *TASKS])

    def info(self, name: str) -> Info:
        """Describe one of them."""
        if name in TASKS:
            task = TASKS[name]
            summary = (
                f"{task.env}, its {' and '.join(task.bodies)} pushed by up to {task.strength:g} N"
            )
        else:
            summary = (self._builder(name).__doc__ or "").strip().split("\n")[0].rstrip(".")
        tags = {"seats": "2", "payoff": "zero_sum", "turns": "simultaneous"}
        return Info(f"adversarial/{name}", summary, tags, "arena")

    def make(self, name: str, **params: Any) -> Game:
        """Make one of them; see `point_mass`, `gym` and `mujoco` for the parameters.

        Raises:
            UnknownNameError: of a task, parameter, body or channel, with the nearest names.
            ParameterError: a value of the wrong type or range.
            NotApplicableError: an environment whose actions are not continuous.
            MissingDependencyError: MuJoCo is not installed.
        """
        builder = mujoco if name in TASKS else self._builder(name)
        where = f"adversarial/{name}"
        known = {n: p.default for n, p in inspect.signature(builder).parameters.items()}
        if name in TASKS:
            task = TASKS[name]
            own = {"strength": task.strength, "axes": task.axes, "horizon": task.horizon}
            known = {**known, **own, "bodies": list(task.bodies)}
            del known["env"]
        for key in params:
            if key not in known:
                hint = f"there are {', '.join(known)}"
                raise UnknownNameError(f"parameter of {where}", key, known, hint=hint)
        if name in TASKS:
            given = {**known, **params, "env": TASKS[name].env}
            chosen = {key: value for key, value in params.items() if value != known[key]}
            return as_game(_mujoco(where, given, chosen))
        return as_game(builder(**params))

    def _builder(self, name: str) -> Callable[..., Setup]:
        if name not in _OPEN:
            hint = "`arena list games` shows all"
            raise UnknownNameError("adversarial task", name, self.names(), hint=hint)
        return _OPEN[name]


FAMILY = ControlFamily()
