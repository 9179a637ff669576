"""Words and letters that the whole project shares.

Axis letters in shape comments: n seats, A actions of a seat, S states, H horizon,
N episodes of a batch, K agents, G games, T iterations, I infosets, D features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CHANCE",
    "Action",
    "ActionSpace",
    "Box",
    "Discrete",
    "Floats",
    "Mask",
    "MultiDiscrete",
    "OtherSpace",
    "Params",
    "Payoff",
    "Turns",
]

CHANCE = -1
"""The seat number of chance in a state that exposes its chance nodes."""

Payoff = Literal["zero_sum", "constant_sum", "cooperative", "general_sum"]
Turns = Literal["sequential", "simultaneous"]
Params: TypeAlias = "dict[str, Any]"  # JSON values only: a game or agent is rebuilt from them
Action: TypeAlias = "int | NDArray[Any]"
Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Discrete:
    """Actions 0 … n−1."""

    n: int


@dataclass(frozen=True)
class MultiDiscrete:
    """An integer vector, entry k in 0 … sizes[k]−1."""

    sizes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Box:
    """A real array between `low` and `high` (each of `shape`, entries may be infinite)."""

    low: Floats
    high: Floats
    shape: tuple[int, ...]
    dtype: str = "float32"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Box)
            and self.shape == other.shape
            and self.dtype == other.dtype
            and np.array_equal(self.low, other.low)
            and np.array_equal(self.high, other.high)
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))


@dataclass(frozen=True, eq=False)
class OtherSpace:
    """Any further gymnasium space, carried as it is."""

    space: object


ActionSpace: TypeAlias = "Discrete | MultiDiscrete | Box | OtherSpace"
