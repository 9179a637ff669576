"""Gymnasium environments as plants: any of them whose actions are a bounded `Box`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, NotApplicableError
from games.control.plants import Mask, Moved, Rows

__all__ = ["GymFacts", "GymPlants", "NoForces", "facts_of", "open_env"]


def open_env(env: str) -> Any:
    """Make a gymnasium environment, its own wrappers included, its time limit not.

    Raises:
        ArenaError: gymnasium does not know it or cannot make it.
    """
    import gymnasium

    try:
        return gymnasium.make(env, max_episode_steps=-1, disable_env_checker=True)
    except gymnasium.error.Error as error:
        raise ArenaError(f"gymnasium cannot make {env!r}: {error}") from error


@dataclass(frozen=True, eq=False)
class GymFacts:
    """What is the same in all copies of an environment.

    Attributes:
        low: of the actions, shape (K,).
        high: of the actions, shape (K,).
        observed: numbers in an observation.
        horizon: its own time limit, or None.
    """

    low: Rows
    high: Rows
    observed: int
    horizon: int | None


def facts_of(env: str) -> GymFacts:
    """Look at an environment.

    Raises:
        NotApplicableError: its actions or observations are not vectors, or its actions have
            no bounds.
    """
    import gymnasium
    from gymnasium import spaces

    made = open_env(env)
    try:
        act, see = made.action_space, made.observation_space
        if not isinstance(act, spaces.Box):
            raise NotApplicableError(
                f"{env} has the actions {act}, and an adversarial control game needs continuous"
                " ones: a Box with bounds"
            )
        if len(act.shape) != 1 or not (np.isfinite(act.low) & np.isfinite(act.high)).all():
            raise NotApplicableError(f"{env} has the actions {act}, not a vector with bounds")
        if not isinstance(see, spaces.Box) or len(see.shape) != 1:
            raise NotApplicableError(f"{env} shows {see}, not a vector")
        limit = gymnasium.spec(env).max_episode_steps
        return GymFacts(
            act.low.astype(np.float64), act.high.astype(np.float64), int(see.shape[0]), limit
        )
    finally:
        made.close()


class NoForces:
    """How a plant that nothing can push is disturbed: not at all."""

    def push(self, env: Any, force: NDArray[np.float64]) -> None:
        """Push with nothing."""

    def scale(self, env: Any, mass: float, friction: float) -> None:
        """Refuse another mass or friction.

        Raises:
            NotApplicableError: one of them is not 1.
        """
        if mass != 1.0 or friction != 1.0:
            raise NotApplicableError(
                "mass and friction can be changed in MuJoCo environments and the point mass only"
            )

    def failed(self, env: Any) -> bool:
        """Whether the simulation has broken down since the last question."""
        return False

    def copy(self, env: Any, again: Callable[[], Any]) -> Any:
        """Return an independent copy of a running environment."""
        return copy.deepcopy(env)


class GymPlants:
    """N environments of one kind.

    Args:
        make: makes one.
        seeds: of their resets, shape (N,).
        facts: see `GymFacts`.
        physics: how forces, masses and frictions get in.
        mass: factor on the masses, shape (N,).
        friction: factor on the friction, shape (N,).
    """

    def __init__(
        self,
        make: Callable[[], Any],
        seeds: Sequence[int],
        *,
        facts: GymFacts,
        physics: Any,
        mass: Rows,
        friction: Rows,
    ) -> None:
        self._make, self._facts, self._physics = make, facts, physics
        self._middle = (facts.high + facts.low) / 2.0
        self._half = (facts.high - facts.low) / 2.0
        self._scales = list(zip(mass.tolist(), friction.tolist(), strict=True))
        self._envs = [make() for _ in seeds]
        self._seen: Rows = np.zeros((len(self._envs), facts.observed))
        for k, (env, seed) in enumerate(zip(self._envs, seeds, strict=True)):
            physics.scale(env, *self._scales[k])
            self._seen[k] = env.reset(seed=int(seed))[0]

    def look(self) -> Rows:
        """Return the latest observations, shape (N, D)."""
        return self._seen.copy()

    def move(self, control: Rows, force: Rows, live: Mask) -> Moved:
        """Step the environments; see `games.control.plants.Plants`."""
        n = len(self._envs)
        reward = np.zeros(n)
        ended, cut, failed = (np.zeros(n, dtype=np.bool_) for _ in range(3))
        actions = (self._middle + control * self._half).astype(np.float32)
        for k in np.flatnonzero(live).tolist():
            env = self._envs[k]
            self._physics.push(env, force[k])
            seen, paid, over, out, _ = env.step(actions[k])
            if self._physics.failed(env) or not (np.isfinite(seen).all() and np.isfinite(paid)):
                failed[k] = True
                continue
            self._seen[k], reward[k], ended[k], cut[k] = seen, paid, over, out
        return Moved(reward, ended, cut, failed)

    def clone(self) -> GymPlants:
        """Return an independent copy."""
        twin = GymPlants.__new__(GymPlants)
        twin.__dict__.update(self.__dict__)
        twin._seen = self._seen.copy()
        twin._envs = []
        for env, scales in zip(self._envs, self._scales, strict=True):

            def again(scales: tuple[float, float] = scales) -> Any:
                made = self._make()
                self._physics.scale(made, *scales)
                return made

            twin._envs.append(self._physics.copy(env, again))
        return twin

    def describe(self, row: int) -> str:
        """Return the latest observation."""
        return "observed " + " ".join(f"{x:.6g}" for x in self._seen[row].tolist())
