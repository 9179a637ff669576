"""The contract of learners, and the records that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Evaluation", "Learner", "LearnerState", "NetworkPolicy", "Report"]


@dataclass(frozen=True, eq=False)
class LearnerState:
    """Everything a learner needs to go on exactly: weights, optimiser, streams, episodes.

    Attributes:
        arrays: by name; any shape and dtype that safetensors knows (no objects, no strings).
        values: JSON values: counters, states of generators.
    """

    arrays: Mapping[str, NDArray[Any]]
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """How a policy did on episodes that it was not trained on.

    Attributes:
        mean: mean return (of seat 0 where seats are paid differently), in payoff units.
        error: its standard error.
        episodes: how many.
        extra: other figures by name, such as `win_rate`.
    """

    mean: float
    error: float
    episodes: int
    extra: Mapping[str, float] = field(default_factory=dict)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% confidence interval of the mean (normal approximation)."""
        return self.mean - 1.96 * self.error, self.mean + 1.96 * self.error


@dataclass(frozen=True)
class Report:
    """Where a run stands.

    Attributes:
        steps: environment steps done.
        seconds: of work in all, those of earlier parts of the run included.
        rate: steps a second since the last report.
        metrics: means of what the learner's updates said since the last report.
        evaluation: the latest one.
        best: the greatest mean of all evaluations.
        share: how much of the way is done, in [0, 1], or None if nobody said when to stop.
        left: seconds until then.
    """

    steps: int
    seconds: float
    rate: float
    metrics: Mapping[str, float]
    evaluation: Evaluation | None
    best: float | None
    share: float | None
    left: float | None


@runtime_checkable
class NetworkPolicy(Protocol):
    """A policy that is computed from observation tensors, for many episodes at once.

    Attributes (besides the methods):
        kind: how it is read again, a key of `solvers.training.policy.KINDS`.
        game: the key of the game it is for.
        greedy: whether it plays its most probable action unless told otherwise.

    Optional member, looked for with `getattr`:
        plays(game, seat) -> bool: whether it can take a seat of a game, where that is more
            than `game` alone.
    """

    kind: str
    game: str
    greedy: bool

    def header(self) -> dict[str, Any]:
        """Return what is needed, besides the arrays, to make it again, as JSON values."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return its weights."""

    def memory(self, episodes: int) -> Any:
        """Return the memory of so many episodes at their start; None if it needs none."""

    def distribution(
        self,
        tensor: NDArray[np.float32],
        legal: NDArray[np.bool_],
        *,
        seat: int,
        memory: Any = None,
        rows: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Return probabilities for M observations of a seat, shape (M, A), zero where illegal.

        Args:
            tensor: shape (M, D).
            legal: shape (M, A).
            seat: whose they are.
            memory: from `memory`; modified in place.
            rows: the number in the memory of each observation's episode, shape (M,).
        """


class Learner(Protocol):
    """A learning algorithm under way on one game.

    What it does must follow from its seed and state alone: `load` of what another learner's
    `state` returned continues that one, bit for bit. Evaluations leave the state as it is.
    """

    @property
    def steps(self) -> int:
        """Environment steps done: moments of all episodes at which anybody moved."""

    def step(self) -> Mapping[str, float]:
        """Make one update (seconds at most, Ctrl-C waits for it); return figures about it."""

    def state(self) -> LearnerState:
        """Return everything needed to go on."""

    def load(self, state: LearnerState) -> None:
        """Go on from what `state` returned.

        Raises:
            ParameterError: it is of another architecture; the message names both.
        """

    def policy(self) -> Any:
        """Return what has been learned so far, as a `NetworkPolicy`; a copy."""

    def evaluate(self, episodes: int, seed: int) -> Evaluation:
        """Play so many episodes with seeds that follow from `seed`, without exploring."""
