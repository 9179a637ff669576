"""Mediators of trees: what a correlated equilibrium is drawn from, and how it is kept.

- `JointPlay` draws one of several policies of all seats.
- `CorrelationPlan` gives the joint weight of pairs of sequences of two seats; what it draws
  is a pair of pure plans (`solvers.tree.drawing`).

Both hold the infosets of their tree, so that a file is enough to play: neither the game nor
its tree is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.policy import TabularPolicy
from arena.rng import Stream
from games.tree import Tree

__all__ = ["CorrelationPlan", "JointPlay", "Outline", "from_arrays"]

Reals = NDArray[np.float64]

_OUTLINE = (
    "info_seat",
    "info_first",
    "info_actions",
    "info_parent",
    "sequence_action",
    "seat_sequence",
    "key_text",
    "key_end",
)
_SUM = 1e-6


@dataclass(frozen=True, eq=False)
class Outline:
    """The infosets of a tree, numbered as there; see `Tree` for the arrays."""

    game: str
    actions: int
    info_seat: NDArray[np.int32]
    info_first: NDArray[np.int32]
    info_actions: NDArray[np.int32]
    info_parent: NDArray[np.int32]
    sequence_action: NDArray[Any]
    seat_sequence: NDArray[np.int32]
    key_text: NDArray[np.uint8]
    key_end: NDArray[np.int64]

    @staticmethod
    def of(tree: Tree) -> Outline:
        """Return the outline of a tree."""
        arrays = {name: getattr(tree, name) for name in _OUTLINE}
        return Outline(tree.game, tree.actions, **arrays)

    @property
    def n_sequences(self) -> int:
        """Q."""
        return len(self.sequence_action)

    @cached_property
    def keys(self) -> list[str]:
        """The infoset keys, length I."""
        text = self.key_text.tobytes()
        ends = self.key_end.tolist()
        return [text[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(len(self.info_seat)), self.info_actions)

    @cached_property
    def _played(self) -> NDArray[np.bool_]:
        return np.asarray(self.sequence_action >= 0)

    def to_table(self, behaviour: Reals) -> TabularPolicy:
        """Return a behaviour policy of shape (Q,) as a table, a row per infoset."""
        table = np.zeros((len(self.info_seat), self.actions))
        table[self._rows, self.sequence_action[self._played]] = behaviour[self._played]
        return TabularPolicy(self.game, self.keys, self.info_seat.astype(np.int32), table)

    def check(self, tree: Tree) -> None:
        """Refuse a tree of other infosets.

        Raises:
            ParameterError: the tree is of another game, or of another version of it.
        """
        if self.game != tree.game:
            raise ParameterError("policy", f"one for {self.game}", f"one for {tree.game}")
        for name in _OUTLINE:
            if not np.array_equal(getattr(self, name), getattr(tree, name)):
                raise ParameterError(
                    "policy",
                    f"one for other infosets of {tree.game}",
                    "one that this version of the game was solved for",
                )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all it takes to make it again."""
        own = {f"outline_{name}": getattr(self, name) for name in _OUTLINE}
        return {**own, "outline_actions": np.array(self.actions)}

    @staticmethod
    def from_arrays(game: str, arrays: Mapping[str, NDArray[Any]]) -> Outline:
        """Make it again."""
        own = {name: arrays[f"outline_{name}"] for name in _OUTLINE}
        return Outline(game, int(arrays["outline_actions"]), **own)


@dataclass(frozen=True, eq=False)
class JointPlay:
    """A mediator that draws one of several policies of all seats.

    Attributes:
        outline: the infosets.
        behaviours: policies of all seats, each of shape (Q,); shape (T, Q).
        weights: probability of each, shape (T,).

    Raises:
        ParameterError: shapes that do not fit, or weights that are no probabilities.
    """

    outline: Outline
    behaviours: Reals
    weights: Reals

    kind = "joint_play"

    def __post_init__(self) -> None:
        wanted = (len(self.weights), self.outline.n_sequences)
        if self.behaviours.shape != wanted:
            raise ParameterError("behaviours.shape", self.behaviours.shape, f"{wanted}")
        _check_weights("weights", self.weights)

    @property
    def game(self) -> str:
        """The key of the game."""
        return self.outline.game

    def draw(self, seed: int) -> TabularPolicy:
        """Return the policy that all seats play in one episode."""
        return self.outline.to_table(self.behaviours[Stream(seed).index(self.weights.tolist())])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all it takes to make it again."""
        return {
            **self.outline.arrays(),
            "behaviours": self.behaviours,
            "weights": self.weights,
        }


@dataclass(frozen=True, eq=False)
class CorrelationPlan:
    """A correlation plan of two seats, see `solvers.tree.correlation`.

    Attributes:
        outline: the infosets.
        pairs: as in `Relevant`, shape (R, 2).
        weight: ξ of each pair, shape (R,).

    Raises:
        ParameterError: shapes that do not fit, or negative weights.
    """

    outline: Outline
    pairs: NDArray[np.int64]
    weight: Reals

    kind = "correlation_plan"

    def __post_init__(self) -> None:
        if self.pairs.shape != (len(self.weight), 2):
            raise ParameterError("pairs.shape", self.pairs.shape, f"({len(self.weight)}, 2)")
        if not (np.isfinite(self.weight).all() and (self.weight >= -_SUM).all()):
            bad = int(np.argmax(~(self.weight >= -_SUM)))
            raise ParameterError(f"weight[{bad}]", float(self.weight[bad]), "zero or more")

    @property
    def game(self) -> str:
        """The key of the game."""
        return self.outline.game

    @cached_property
    def _row(self) -> dict[tuple[int, int], int]:
        return {(int(a), int(b)): r for r, (a, b) in enumerate(self.pairs)}

    def __call__(self, first: int, second: int) -> float:
        """Return ξ of a relevant pair of sequences, of seat 0 and of seat 1."""
        return float(self.weight[self._row[first, second]])

    def draw(self, seed: int) -> TabularPolicy:
        """Return what both seats are recommended in one episode, infoset by infoset.

        Raises:
            NotApplicableError: the game is not triangle-free.
        """
        return self.outline.to_table(self._drawing.draw(Stream(seed).index))

    @cached_property
    def _drawing(self) -> Any:
        from solvers.tree.drawing import Drawing

        return Drawing(self)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all it takes to make it again."""
        return {**self.outline.arrays(), "pairs": self.pairs, "weight": self.weight}


def _check_weights(name: str, weights: Reals) -> None:
    wrong = not np.isfinite(weights).all() or bool((weights < 0).any())
    if weights.ndim != 1 or wrong or abs(float(weights.sum()) - 1.0) > _SUM:
        raise ParameterError(name, f"total {float(weights.sum())!r}", "probabilities")


def from_arrays(
    kind: str, game: str, arrays: Mapping[str, NDArray[Any]]
) -> JointPlay | CorrelationPlan:
    """Make a mediator from what its `arrays` returned.

    Raises:
        ParameterError: there is no such kind.
    """
    outline = Outline.from_arrays(game, arrays)
    if kind == JointPlay.kind:
        return JointPlay(outline, arrays["behaviours"], arrays["weights"])
    if kind == CorrelationPlan.kind:
        return CorrelationPlan(outline, arrays["pairs"], arrays["weight"])
    raise ParameterError("kind of mediator", kind, f"{JointPlay.kind} or {CorrelationPlan.kind}")
