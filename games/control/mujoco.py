"""MuJoCo's share: forces on bodies, masses, friction, and simulations that break down."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, MissingDependencyError, UnknownNameError
from games.control.gym import open_env

__all__ = ["HOW", "Forces", "bodies_of", "open_mujoco"]

HOW = "pip install 'arena-gametheory[mujoco]'"
TESTED = ("3.17.0", "1.4.0")
"""MuJoCo and gymnasium versions that the extra pins because they work together."""


def open_mujoco(env: str) -> Any:
    """Make a MuJoCo environment of gymnasium, bare of wrappers.

    Raises:
        MissingDependencyError: MuJoCo is not installed.
        ArenaError: the versions of MuJoCo and gymnasium do not work together.
    """
    try:
        import mujoco  # noqa: F401 # whether it is there
    except ImportError as error:
        raise MissingDependencyError("mujoco", HOW, purpose=env) from error
    try:
        made = open_env(env).unwrapped
        made.reset(seed=0)
        made.step(np.zeros(made.action_space.shape, dtype=np.float32))
    except ArenaError:
        raise
    except Exception as error:
        raise ArenaError(f"{_versions()}: {type(error).__name__}: {error}") from error
    return made


def _versions() -> str:
    import gymnasium
    import mujoco

    return (
        f"mujoco {mujoco.__version__} and gymnasium {gymnasium.__version__} do not work together"
        f" here; mujoco {TESTED[0]} and gymnasium {TESTED[1]} do, get them with: {HOW}"
    )


def bodies_of(env: str) -> list[str]:
    """Return the names of the bodies of an environment, the world left out."""
    model = open_mujoco(env).model
    return [model.body(k).name for k in range(1, model.nbody)]


@dataclass(frozen=True, eq=False)
class Forces:
    """Pushes bodies along axes, and makes models heavier or rougher.

    Attributes:
        bodies: numbers of the bodies.
        axes: numbers of the axes (0 x, 1 y, 2 z) along which each is pushed.
    """

    bodies: Sequence[int]
    axes: Sequence[int]

    @staticmethod
    def on(env: str, names: Sequence[str], axes: str) -> Forces:
        """Return forces on bodies of these names.

        Raises:
            UnknownNameError: the environment has no such body or axis; the nearest is named.
        """
        known = bodies_of(env)
        for name in names:
            if name not in known:
                hint = f"it has {', '.join(known)}"
                raise UnknownNameError(f"body of {env}", name, known, hint=hint)
        for axis in axes:
            if axis not in "xyz":
                raise UnknownNameError("axis", axis, "xyz", hint="there are x, y, z")
        return Forces([1 + known.index(name) for name in names], ["xyz".index(a) for a in axes])

    @property
    def count(self) -> int:
        """Numbers in a force."""
        return len(self.bodies) * len(self.axes)

    def push(self, env: Any, force: NDArray[np.float64]) -> None:
        """Apply forces from now on, shape (F,): body by body, axis by axis."""
        if self.count:
            env.data.xfrc_applied[np.ix_(self.bodies, self.axes)] = force.reshape(
                len(self.bodies), len(self.axes)
            )

    def scale(self, env: Any, mass: float, friction: float) -> None:
        """Multiply masses and inertias, and the friction of contacts and joints.

        Sliding friction of every geom and damping of every joint count as friction.
        """
        import mujoco

        model = env.model
        model.body_mass[:] *= mass
        model.body_inertia[:] *= mass
        model.geom_friction[:, 0] *= friction
        model.dof_damping[:] *= friction
        if mass != 1.0 or friction != 1.0:
            mujoco.mj_setConst(model, env.data)

    def failed(self, env: Any) -> bool:
        """Whether MuJoCo has warned of numbers that are none; it resets itself then."""
        import mujoco

        kinds = mujoco.mjtWarning
        bad = (kinds.mjWARN_BADQPOS, kinds.mjWARN_BADQVEL, kinds.mjWARN_BADQACC)
        return any(env.data.warning[int(kind)].number for kind in bad)

    def copy(self, env: Any, again: Callable[[], Any]) -> Any:
        """Return an independent copy of a running environment."""
        import mujoco

        twin = again()
        what = mujoco.mjtState.mjSTATE_INTEGRATION
        state = np.empty(mujoco.mj_stateSize(env.model, what))
        mujoco.mj_getState(env.model, env.data, state, what)
        # The environments keep nothing of an episode but this and their generator.
        twin.reset(seed=0)
        mujoco.mj_setState(twin.model, twin.data, state, what)
        mujoco.mj_forward(twin.model, twin.data)
        mujoco.mj_setState(twin.model, twin.data, state, what)
        twin.np_random = copy.deepcopy(env.np_random)
        return twin
