"""Controllers of several training seeds, examined over a grid and under attack.

What `arena robustness` shows, as an object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.rng import derive
from solvers.qarl.play import seat_of
from solvers.qarl.policy import ControlPolicy
from solvers.qarl.robustness import Figure, attack, grid, summary

__all__ = ["Examination", "examine"]


@dataclass(frozen=True, eq=False)
class Examination:
    """What was found.

    Attributes:
        game: key of the game.
        axes: properties and their values.
        returns: for each name the mean returns, shape (controllers, *axes).
        attacked: for each name what attacks left of each controller's return, shape
            (controllers,); empty without attacks.
    """

    game: str
    axes: Mapping[str, Sequence[float]]
    returns: Mapping[str, NDArray[np.float64]]
    attacked: Mapping[str, NDArray[np.float64]]

    def figures(self) -> dict[str, dict[str, Figure]]:
        """Return mean, interquartile mean, worst decile and attacked return of each name."""
        out = {}
        for name, table in self.returns.items():
            found = summary(table)
            out[name] = {"mean": found.mean, "iqm": found.iqm, "worst": found.worst}
            if name in self.attacked:
                out[name]["attacked"] = summary(self.attacked[name][:, None]).mean
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        figures = self.figures()
        return {
            "format": "arena/robustness/1",
            "game": self.game,
            "axes": {name: list(values) for name, values in self.axes.items()},
            "controllers": {
                name: {
                    "returns": table.tolist(),
                    "attacks": self.attacked[name].tolist() if name in self.attacked else [],
                    **{key: asdict(figure) for key, figure in figures[name].items()},
                }
                for name, table in self.returns.items()
            },
        }


def examine(
    game: Game,
    controllers: Mapping[str, Sequence[ControlPolicy]],
    axes: Mapping[str, Sequence[float]],
    *,
    episodes: int = 5,
    seed: int = 0,
    attack_steps: int = 0,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Examination:
    """Play every controller over a grid, and train an adversary against each.

    Args:
        game: a control game.
        controllers: by name, those of several training seeds each.
        axes: see `solvers.qarl.robustness.grid`.
        episodes: in each cell, of the same seeds for all.
        seed: everything random follows from it.
        attack_steps: that each adversary learns from; 0 for no attacks.
        settings: of the adversaries, besides the learner's defaults.
        progress: told what is done next.

    Raises:
        NotApplicableError: the game is none, or its plant cannot be changed in that way.
        ParameterError: nothing to examine, or a controller for another game.
    """
    _check(game, controllers, axes)
    returns, attacked = {}, {}
    for name, policies in controllers.items():
        tables, left = [], []
        for number, policy in enumerate(policies):
            if progress is not None:
                progress(f"{name}, controller {number + 1} of {len(policies)}")
            act = seat_of(policy, 0)
            tables.append(grid(game, act, axes, episodes=episodes, seed=derive(seed, "grid")))
            if attack_steps:
                own = derive(seed, "attack", name, number)
                given = {"warm_up": min(1000, attack_steps // 4), **(settings or {})}
                kept, _ = attack(game, policy, steps=attack_steps, seed=own, settings=given)
                left.append(kept)
        returns[name] = np.stack(tables)
        if attack_steps:
            attacked[name] = np.array(left)
    return Examination(game.key, dict(axes), returns, attacked)


def _check(
    game: Game,
    controllers: Mapping[str, Sequence[ControlPolicy]],
    axes: Mapping[str, Sequence[float]],
) -> None:
    if "control" not in game.forms:
        raise NotApplicableError(
            f"{game.key} is no adversarial control game; those are adversarial/…"
        )
    setup = game.form("control")
    for name in ("mass", "friction"):
        if name in axes and name not in setup.varies:
            raise NotApplicableError(f"{name} of {game.key} cannot be varied")
    if not controllers or not all(controllers.values()):
        raise ParameterError("controllers", dict(controllers), "one or more, each with a name")
    for name, policies in controllers.items():
        for policy in policies:
            layers = policy.layers(0)
            wanted = (setup.observed, setup.sizes[0])
            found = None if layers is None else (len(layers[0][0]), policy.sizes[0])
            if found != wanted:
                raise ParameterError(
                    name,
                    f"a controller for {policy.game}" if layers else "without a controller",
                    f"one for {game.key}, with {wanted[0]} observations and {wanted[1]} actions",
                )
