"""Policies: maps from what a seat knows to a distribution over its actions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from arena.errors import ParameterError
from arena.files import header_of, open_npz, write_atomic
from arena.game import Observation
from arena.types import Floats

__all__ = ["Mediator", "Policy", "TabularPolicy", "TensorPolicy", "is_torch_module"]

_FORMAT = "arena/tabular-policy/1"


@runtime_checkable
class Policy(Protocol):
    """Anything that gives action probabilities."""

    def probabilities(self, observation: Observation) -> Floats:
        """Return the distribution over actions, shape (A,), zero where illegal."""


@dataclass(frozen=True, eq=False, repr=False)
class TabularPolicy:
    """A distribution for each infoset key.

    Attributes:
        game: the key of the game it is for.
        keys: infoset strings, length I, in the order of the rows.
        seats: the seat that owns each row, shape (I,).
        table: probabilities, shape (I, A), rows sum to one.
    """

    game: str
    keys: Sequence[str]
    seats: np.ndarray
    table: Floats

    def __post_init__(self) -> None:
        if (
            self.table.ndim != 2
            or len(self.keys) != len(self.table)
            or len(self.seats) != len(self.keys)
        ):
            raise ParameterError(
                "table", self.table.shape, "shape (infosets, actions), a row per key"
            )
        bad = ~(np.abs(self.table.sum(axis=1) - 1.0) < 1e-6) | (self.table < 0).any(axis=1)
        if bad.any():
            row = int(np.argmax(bad))
            raise ParameterError(
                f"policy at infoset {self.keys[row]!r}", self.table[row].tolist(), "probabilities"
            )
        object.__setattr__(
            self,
            "_row",
            {(int(s), k): i for i, (s, k) in enumerate(zip(self.seats, self.keys, strict=True))},
        )

    def __repr__(self) -> str:
        infosets, actions = self.table.shape
        return f"<TabularPolicy for {self.game}: {infosets} infosets, {actions} actions>"

    @staticmethod
    def from_mapping(game: str, rows: Mapping[tuple[int, str], Sequence[float]]) -> TabularPolicy:
        """Build a policy from `{(seat, infoset key): probabilities}`."""
        return TabularPolicy(
            game=game,
            keys=[key for _, key in rows],
            seats=np.array([seat for seat, _ in rows], dtype=np.int32),
            table=np.array(list(rows.values()), dtype=np.float64),
        )

    def row(self, seat: int, key: str) -> int | None:
        """Return the row of an infoset, or None where there is none."""
        rows: dict[tuple[int, str], int] = self._row  # type: ignore[attr-defined] # set above
        return rows.get((seat, key))

    def probabilities(self, observation: Observation) -> Floats:
        """Return the row of the observation's infoset, shape (A,).

        Raises:
            ParameterError: the policy has no row for that infoset.
        """
        key = observation.key
        row = None if key is None else self.row(observation.seat, key)
        if row is None:
            raise ParameterError(
                "infoset", key, f"one of the {len(self.keys)} of policy for {self.game}"
            )
        found: Floats = self.table[row]
        # Rows are as long as the widest infoset; the seat may have fewer actions.
        return found if observation.legal is None else found[: len(observation.legal)]

    def save(self, path: str | Path) -> None:
        """Write an `.npz` file that other tools can read too."""
        header = json.dumps({"format": _FORMAT, "game": self.game})
        with write_atomic(path) as file:
            np.savez_compressed(
                file,
                header=np.array(header),
                keys=np.array(list(self.keys)),
                seats=self.seats,
                table=self.table,
            )

    @staticmethod
    def load(path: str | Path) -> TabularPolicy:
        """Read what `save` wrote.

        Raises:
            ParameterError: the file is something else.
        """
        with open_npz(path, "policy file", f"a file of format {_FORMAT}") as data:
            game = header_of(data, _FORMAT)["game"]
            return TabularPolicy(game, data["keys"].tolist(), data["seats"], data["table"])


@runtime_checkable
class Mediator(Protocol):
    """A correlation device: draws what all seats play in one episode.

    Seats that follow it share the seed of the draw, see `Agent.signal`.
    """

    @property
    def kind(self) -> str:
        """What it is saved and read as (`arena.solver.load_policy`)."""

    @property
    def game(self) -> str:
        """The key of the game it is for."""

    def draw(self, seed: int) -> TabularPolicy:
        """Return the policy of all seats in the episode of that seed."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all it takes to make it again."""


class TensorPolicy:
    """A policy computed from the observation's tensor, by a network or any other function.

    Args:
        network: from a float32 array of shape (D,) to A numbers; a torch module is called
            with a tensor of shape (1, D), without gradients.
        outputs: whether those numbers are `probabilities` or `logits`. Illegal actions are
            masked, and what is left is normalised.
    """

    def __init__(
        self,
        network: Callable[[Any], Any],
        *,
        outputs: Literal["probabilities", "logits"] = "probabilities",
    ) -> None:
        if outputs not in ("probabilities", "logits"):
            raise ParameterError("outputs", outputs, "probabilities or logits")
        self._network, self._outputs = network, outputs
        self._torch = is_torch_module(network)

    def probabilities(self, observation: Observation) -> Floats:
        """Return the masked distribution, shape (A,).

        Raises:
            ParameterError: the observation has no tensor, or the network's answer is no
                distribution there.
        """
        tensor, legal = observation.tensor, observation.legal
        where = f"policy at infoset {observation.key!r} of seat {observation.seat}"
        if tensor is None or legal is None:
            lacks = "no tensor" if tensor is None else "no discrete actions"
            raise ParameterError(where, f"an observation with {lacks}", "a tensor and a mask")
        given = np.asarray(self._call(tensor), dtype=np.float64).reshape(-1)
        if given.shape != legal.shape or not np.isfinite(given[legal]).all():
            raise ParameterError(where, given.tolist(), f"{len(legal)} finite numbers")
        if self._outputs == "logits":
            weight = np.where(legal, np.exp(np.where(legal, given - given[legal].max(), 0.0)), 0.0)
        else:
            weight = np.where(legal, given, 0.0)
            total = float(given[np.isfinite(given)].sum())
            if (weight < 0).any() or weight.sum() <= 0 or abs(total - 1.0) > 1e-3:
                raise ParameterError(
                    where,
                    given.tolist(),
                    "probabilities that sum to one, some of them on legal actions"
                    ' (for logits: TensorPolicy(network, outputs="logits"))',
                )
        out: Floats = weight / weight.sum()
        return out

    def _call(self, tensor: Floats) -> Any:
        if not self._torch:
            return self._network(tensor)
        import torch

        with torch.no_grad():
            return self._network(torch.as_tensor(np.asarray(tensor))[None]).cpu().numpy()


def is_torch_module(thing: object) -> bool:
    """Whether a thing is a `torch.nn.Module`; torch itself is not imported for it."""
    return any(
        base.__module__.startswith("torch.nn") and base.__name__ == "Module"
        for base in type(thing).__mro__
    )
