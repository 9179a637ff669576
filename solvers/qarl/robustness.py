"""What a frozen controller withstands: other masses and frictions, noise, and attackers.

1. `grid`: returns over properties of the plant, such as mass × friction, and over noise.
2. `attack`: a fresh adversary is trained against the frozen controller, and what is left of
   its return is what the controller is worth in the worst case that was found.
3. `summary`: mean, worst decile and interquartile mean over seeds and cells, with bootstrap
   intervals over seeds (Agarwal et al. 2021, "Deep reinforcement learning at the edge of the
   statistical precipice").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.game import Game
from arena.rng import derive, generator
from solvers.qarl.play import Act, idle, play, seat_of
from solvers.qarl.policy import ControlPolicy

__all__ = ["Figure", "Summary", "attack", "grid", "interquartile_mean", "summary"]

Array = NDArray[np.float64]


def grid(
    game: Game,
    controller: Act,
    axes: Mapping[str, Sequence[float]],
    *,
    adversary: Act | None = None,
    episodes: int = 5,
    seed: int = 0,
) -> Array:
    """Return mean returns of a controller over properties, an axis of the answer for each.

    Args:
        game: a control game.
        controller: see `solvers.qarl.play.seat_of`.
        axes: some of `games.control.batch.SCALES` and their values; others are as in the game.
        adversary: who disturbs it; nobody by default.
        episodes: in each cell, of the same seeds in all of them.
        seed: the episodes' seeds follow from it.

    Raises:
        ParameterError: no axis, or one without values.
    """
    shape = tuple(len(values) for values in axes.values())
    if not shape or 0 in shape:
        raise ParameterError("axes", dict(axes), "properties and their values")
    cells = [table.ravel() for table in np.meshgrid(*axes.values(), indexing="ij")]
    scales = {name: np.repeat(cell, episodes) for name, cell in zip(axes, cells, strict=True)}
    press = adversary or idle(game, 1)
    played = play(game, controller, press, episodes=episodes, seed=seed, scales=scales)
    means: Array = played.returns.reshape(*shape, episodes).mean(axis=-1)
    return means


def attack(
    game: Game,
    policy: ControlPolicy,
    *,
    steps: int,
    episodes: int = 20,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> tuple[float, ControlPolicy]:
    """Train an adversary against a frozen controller.

    Args:
        game: a control game.
        policy: its controller is attacked.
        steps: environment steps that the adversary learns from.
        episodes: of the evaluation, of other seeds than training's.
        seed: everything random follows from it.
        settings: of the learner, besides its defaults.

    Returns:
        The controller's mean return against the adversary found (or against nobody or noise,
        where that hurts more than what was learned), and the adversary.
    """
    from solvers.qarl.learner import DEFAULTS, Qarl

    learner = Qarl(game, seed, {**DEFAULTS, **(settings or {}), "method": "attack"}, target=policy)
    while learner.steps < steps:
        learner.step()
    found = learner.policy()
    test = derive(seed, "attack")
    rivals = [seat_of(found, 1), idle(game, 1), _random(game, test)]
    means = [
        float(play(game, seat_of(policy, 0), rival, episodes=episodes, seed=test).returns.mean())
        for rival in rivals
    ]
    return min(means), found


def _random(game: Game, seed: int) -> Act:
    rng = generator(seed, "random adversary")
    size = game.form("control").sizes[1]
    return lambda tensor: rng.uniform(-1.0, 1.0, (len(tensor), size)).astype(np.float32)


# -- figures over seeds -----------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """An estimate with its 95% bootstrap interval."""

    value: float
    low: float
    high: float

    def above(self, other: Figure) -> bool:
        """Whether its whole interval is above the other's."""
        return self.low > other.high


@dataclass(frozen=True)
class Summary:
    """What a method's controllers achieve.

    Attributes:
        mean: over seeds and cells.
        worst: mean of the worst tenth of each seed's cells.
        iqm: interquartile mean over seeds and cells.
    """

    mean: Figure
    worst: Figure
    iqm: Figure


def interquartile_mean(values: NDArray[Any]) -> float:
    """Return the mean of the middle half of all values."""
    ordered = np.sort(np.asarray(values, dtype=np.float64).ravel())
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def summary(values: NDArray[Any], *, draws: int = 2000, seed: int = 0) -> Summary:
    """Summarise returns; seeds are drawn again with replacement, cells are not.

    Args:
        values: shape (seeds, …): a controller of each seed in each cell.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ParameterError: nothing there.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.size == 0:
        raise ParameterError("values", table.shape, "a row of cells for each seed")
    table = table.reshape(len(table), -1)
    tenth = max(1, table.shape[1] // 10)
    worst = np.sort(table, axis=1)[:, :tenth].mean(axis=1)
    rng = generator(seed, "bootstrap")
    picks = rng.integers(0, len(table), (draws, len(table)))

    def figure(value: float, resampled: list[float]) -> Figure:
        low, high = np.quantile(resampled, [0.025, 0.975])
        return Figure(value, float(low), float(high))

    return Summary(
        figure(float(table.mean()), [float(table[p].mean()) for p in picks]),
        figure(float(worst.mean()), [float(worst[p].mean()) for p in picks]),
        figure(interquartile_mean(table), [interquartile_mean(table[p]) for p in picks]),
    )
