"""Policies of Markov games: products, correlated plans, mixtures of products.

T is the number of stages a policy has rows for: H for a finite horizon, 1 for a stationary
policy. Steps beyond the last stage use the last one.

Correlation needs a device. Episodes show every seat a public random number a step
(`MarkovObservation.signal`) and one an episode; the policies below turn it into a joint
action (or a component), of which every seat plays its own part. A seat that deviates and
reads the signal knows more than the equilibrium grants it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.files import header_of, open_npz, write_atomic
from arena.game import Observation
from arena.types import Floats
from games.markov.form import MarkovGame

__all__ = [
    "CorrelatedPolicy",
    "MarkovPolicy",
    "MixturePolicy",
    "ProductPolicy",
    "from_arrays",
    "load_policy",
    "save_policy",
    "uniform",
]

Reals = NDArray[np.float64]

_FORMAT = "arena/markov-policy/1"
_SUM = 1e-6


@runtime_checkable
class MarkovPolicy(Protocol):
    """What all policies of Markov games can do."""

    @property
    def kind(self) -> str:
        """What `from_arrays` makes it again by."""

    @property
    def game(self) -> str:
        """The key of the game it is for."""

    def probabilities(self, observation: Observation) -> Floats:
        """Return the seat's distribution, or its part of what the device drew, shape (A,)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all it takes to make it again."""


def _place(observation: Observation) -> tuple[int, int]:
    """Return state and step of an observation."""
    try:
        return int(observation.state), int(observation.step)  # type: ignore[attr-defined]
    except AttributeError:
        raise ParameterError(
            "observation",
            type(observation).__name__,
            "one of a Markov game's own episodes (markov/of(game=…) makes them of other games)",
        ) from None


def _signal(observation: Observation, name: str) -> float | None:
    found: float | None = getattr(observation, name, None)
    return found


def _check(what: str, table: Reals) -> None:
    wrong = ~(np.abs(table.sum(axis=-1) - 1.0) < _SUM) | (table < 0).any(axis=-1)
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ParameterError(f"{what}{list(where)}", table[where].tolist(), "probabilities")


def _rows_of(table: Reals, step: int) -> int:
    return min(step, len(table) - 1)


@dataclass(frozen=True, eq=False)
class ProductPolicy:
    """Seats that choose independently.

    Attributes:
        game: the key of the game it is for.
        tables: one a seat, shapes (T, S, A_i).
    """

    game: str
    tables: tuple[Reals, ...]

    kind = "product"

    def __post_init__(self) -> None:
        for seat, table in enumerate(self.tables):
            if table.ndim != 3:
                raise ParameterError(f"tables[{seat}].shape", table.shape, "(T, S, A)")
            _check(f"policy of seat {seat}", table)

    def probabilities(self, observation: Observation) -> Floats:
        """Return the seat's distribution, shape (A,)."""
        state, step = _place(observation)
        table = self.tables[observation.seat]
        own: Reals = table[_rows_of(table, step), state].copy()
        return own

    def correlated(self) -> CorrelatedPolicy:
        """Return the same behaviour as a distribution over joint actions."""
        joint = self.tables[0]
        for table in self.tables[1:]:
            joint = (joint[..., :, None] * table[..., None, :]).reshape(*joint.shape[:2], -1)
        return CorrelatedPolicy(self.game, tuple(t.shape[2] for t in self.tables), joint)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the tables."""
        return {f"table_{seat}": table for seat, table in enumerate(self.tables)}


@dataclass(frozen=True, eq=False)
class CorrelatedPolicy:
    """A distribution over joint actions for each stage and state.

    Attributes:
        game: the key of the game it is for.
        actions: (A_1, …, A_n).
        joint: shape (T, S, J), joint actions row-major.
    """

    game: str
    actions: tuple[int, ...]
    joint: Reals

    kind = "correlated"

    def __post_init__(self) -> None:
        if self.joint.ndim != 3 or self.joint.shape[2] != np.prod(self.actions):
            raise ParameterError("joint.shape", self.joint.shape, "(T, S, J)")
        _check("joint", self.joint)

    def marginal(self, seat: int) -> Reals:
        """Return a seat's own distribution, shape (T, S, A)."""
        shaped = self.joint.reshape(*self.joint.shape[:2], *self.actions)
        axes = tuple(2 + i for i in range(len(self.actions)) if i != seat)
        marginal: Reals = shaped.sum(axis=axes)
        return marginal

    def probabilities(self, observation: Observation) -> Floats:
        """Return the seat's part of the joint action that the step's signal draws, shape (A,).

        Where there is no signal (enumerated chance), its own distribution.
        """
        state, step = _place(observation)
        stage, seat = _rows_of(self.joint, step), observation.seat
        drawn = _signal(observation, "signal")
        if drawn is None:
            shaped = self.joint[stage, state].reshape(self.actions)
            axes = tuple(i for i in range(len(self.actions)) if i != seat)
            own: Reals = shaped.sum(axis=axes)
            return np.asarray(own / own.sum(), dtype=np.float64)
        row = self.joint[stage, state]
        steps = np.cumsum(row)
        joint = min(int(np.searchsorted(steps, drawn * steps[-1], side="right")), len(row) - 1)
        out = np.zeros(self.actions[seat])
        out[np.unravel_index(joint, self.actions)[seat]] = 1.0
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the distribution."""
        return {"actions": np.array(self.actions), "joint": self.joint}


@dataclass(frozen=True, eq=False)
class MixturePolicy:
    """One of K product policies, drawn once an episode: what learning in turn has played.

    Attributes:
        game: the key of the game it is for.
        tables: one a seat, shapes (K, T, S, A_i).
        weights: shape (K,).
    """

    game: str
    tables: tuple[Reals, ...]
    weights: Reals

    kind = "mixture"

    def __post_init__(self) -> None:
        for seat, table in enumerate(self.tables):
            if table.ndim != 4 or len(table) != len(self.weights):
                raise ParameterError(f"tables[{seat}].shape", table.shape, "(K, T, S, A)")
            _check(f"policy of seat {seat}", table)
        _check("weights", self.weights)

    @staticmethod
    def of(policies: Sequence[ProductPolicy], weights: Any = None) -> MixturePolicy:
        """Mix policies, uniformly by default."""
        count = len(policies)
        if not count:
            raise ParameterError("policies", 0, "at least one")
        share = np.full(count, 1.0 / count) if weights is None else np.asarray(weights, np.float64)
        seats = range(len(policies[0].tables))
        tables = tuple(np.stack([p.tables[seat] for p in policies]) for seat in seats)
        return MixturePolicy(policies[0].game, tables, share)

    def probabilities(self, observation: Observation) -> Floats:
        """Return the seat's distribution in the component that the episode's signal draws."""
        state, step = _place(observation)
        drawn = _signal(observation, "episode_signal")
        if drawn is None:
            raise ParameterError(
                "episode_signal", None, "a number: chance that is enumerated has no shared signal"
            )
        steps = np.cumsum(self.weights)
        k = min(int(np.searchsorted(steps, drawn * steps[-1], side="right")), len(steps) - 1)
        table = self.tables[observation.seat][k]
        own: Reals = table[_rows_of(table, step), state].copy()
        return own

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return tables and weights."""
        tables = {f"table_{seat}": table for seat, table in enumerate(self.tables)}
        return {**tables, "weights": self.weights}


def from_arrays(kind: str, game: str, arrays: Mapping[str, NDArray[Any]]) -> MarkovPolicy:
    """Make a policy from what its `arrays` returned.

    Raises:
        ParameterError: there is no such kind.
    """
    tables = tuple(arrays[f"table_{seat}"] for seat in range(len(arrays)) if
                   f"table_{seat}" in arrays)  # fmt: skip
    if kind == "product":
        return ProductPolicy(game, tables)
    if kind == "correlated":
        return CorrelatedPolicy(game, tuple(int(a) for a in arrays["actions"]), arrays["joint"])
    if kind == "mixture":
        return MixturePolicy(game, tables, arrays["weights"])
    if kind == "v_learning":
        from solvers.markov.v_policy import VPolicy

        return VPolicy.from_arrays(game, arrays)
    if kind == "observed":
        from solvers.markov.observed import ObservedPolicy

        return ObservedPolicy.from_arrays(game, arrays)
    kinds = "product, correlated, mixture, observed or v_learning"
    raise ParameterError("kind of policy", kind, kinds)


def save_policy(policy: MarkovPolicy, path: str | Path) -> None:
    """Write an `.npz` file that other tools can read too."""
    header = json.dumps({"format": _FORMAT, "game": policy.game, "kind": policy.kind})
    with write_atomic(path) as file:
        arrays: dict[str, Any] = policy.arrays()
        np.savez_compressed(file, header=np.array(header), **arrays)


def load_policy(path: str | Path) -> MarkovPolicy:
    """Read what `save_policy` wrote.

    Raises:
        ParameterError: the file is something else.
    """
    with open_npz(path, "policy file", f"a file of format {_FORMAT}") as data:
        header = header_of(data, _FORMAT)
        arrays = {name: data[name] for name in data.files if name != "header"}
        return from_arrays(header["kind"], header["game"], arrays)


def uniform(form: MarkovGame, game: str, stages: int = 1) -> ProductPolicy:
    """Return the policy that plays all legal actions alike."""
    tables = []
    for legal in form.legal:
        row = legal / legal.sum(axis=1, keepdims=True)
        tables.append(np.repeat(row[None], stages, axis=0))
    return ProductPolicy(game, tuple(tables))
