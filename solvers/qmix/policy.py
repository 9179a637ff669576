"""Value networks as policies, in numpy: each agent plays its greatest available value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.game import Game, Observation
from arena.types import Floats
from solvers.training.policy import first_move
from solvers.training.sides import Sides

__all__ = ["Memory", "ValuePolicy"]


class Memory:
    """What N agents remember.

    Attributes:
        hidden: state of the GRU, shape (N, H).
        last: last action, A at the start, shape (N,).
    """

    def __init__(self, episodes: int, hidden: int, actions: int) -> None:
        self.hidden = np.zeros((episodes, hidden))
        self.last = np.full(episodes, actions, dtype=np.int64)


class ValuePolicy:
    """The network of `solvers.qmix.networks`, with the names of its weights.

    The arithmetic is in double precision, so that choices do not depend on how many
    observations are asked about at once.

    In a skirmish it plays either side of the same battle with `side="both"`: seats of team 1
    see the field turned.

    Args:
        game: the key of the game it is for.
        weights: `observe`, `bias`, `inner`, `inner_bias`, `head`, `head_bias`; `state` and
            `state_bias` where there is a GRU; `last` and `agent` where it is told those.
    """

    kind = "value"
    greedy = True

    def __init__(self, game: str, weights: Mapping[str, NDArray[Any]]) -> None:
        self.game = game
        self._stored = {name: np.asarray(array) for name, array in weights.items()}
        self._weights = {name: array.astype(np.float64) for name, array in weights.items()}
        inputs, _, actions = self.sizes
        self._sides = Sides(game, inputs, actions, turned=True)

    @staticmethod
    def make(
        game: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> ValuePolicy:
        """Make it from `header()` and `arrays()`.

        Raises:
            ParameterError: a weight is missing, or not of the shape that the header tells.
        """
        for name, shape in header["shapes"].items():
            found = arrays[name].shape if name in arrays else None
            if found != tuple(shape):
                raise ParameterError(
                    f"weights {name!r} of a policy for {game}",
                    "nothing" if found is None else f"shape {found}",
                    f"shape {tuple(shape)}, as its header says",
                )
        return ValuePolicy(game, {name: arrays[name] for name in header["shapes"]})

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Inputs, hidden units, actions."""
        hidden, inputs = self._stored["observe"].shape
        return inputs, hidden, len(self._stored["head"])

    @property
    def agents(self) -> int:
        """Agents that it tells apart; 0: none."""
        return len(self._stored["agent"]) if "agent" in self._stored else 0

    def header(self) -> dict[str, Any]:
        """Return the architecture."""
        return {
            "kind": self.kind,
            "shapes": {name: list(array.shape) for name, array in self._stored.items()},
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights."""
        return dict(self._stored)

    def memory(self, episodes: int) -> Memory:
        """Return the memory of so many episodes at their start."""
        _, hidden, actions = self.sizes
        return Memory(episodes, hidden, actions)

    def plays(self, game: Game, seat: int) -> bool:
        """Whether it can take this seat of a game, see `Sides`."""
        return self._sides.plays(game, seat)

    def values(
        self,
        tensor: NDArray[np.float32],
        *,
        agent: int,
        memory: Memory,
        rows: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return the values of M observations, shape (M, A); `memory.hidden` is modified.

        Raises:
            ParameterError: tensors of another size than the network's.
        """
        w = self._weights
        x = np.asarray(tensor, dtype=np.float64)
        if x.shape[1] != self.sizes[0]:
            raise ParameterError(
                f"observation for the network of {self.game}",
                f"{x.shape[1]} numbers",
                f"{self.sizes[0]} numbers",
            )
        x = x @ w["observe"].T + w["bias"]
        if "agent" in w:
            x = x + w["agent"][agent]
        if "last" in w:
            before = memory.last[rows]
            known = before < len(w["last"])
            x[known] += w["last"][before[known]]
        x = np.maximum(x, 0.0) @ w["inner"].T + w["inner_bias"]
        if "state" not in w:
            x = np.maximum(x, 0.0)
        else:
            h = memory.hidden[rows]
            size = h.shape[1]
            s = h @ w["state"].T + w["state_bias"]
            gates = 1.0 / (1.0 + np.exp(-(x[:, : 2 * size] + s[:, : 2 * size])))
            n = np.tanh(x[:, 2 * size :] + gates[:, :size] * s[:, 2 * size :])
            x = memory.hidden[rows] = n + gates[:, size:] * (h - n)
        out: NDArray[np.float64] = x @ w["head"].T + w["head_bias"]
        return out

    def distribution(
        self,
        tensor: NDArray[np.float32],
        legal: NDArray[np.bool_],
        *,
        seat: int,
        memory: Any = None,
        rows: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Return one-hot rows, shape (M, A); see `NetworkPolicy`.

        Raises:
            ParameterError: tensors or masks of another size than the network's.
        """
        actions = self.sizes[2]
        if legal.shape[1] != actions:
            raise ParameterError(
                f"mask for the network of {self.game}",
                f"{legal.shape[1]} actions",
                f"{actions} actions",
            )
        kept = self.memory(len(tensor)) if memory is None else memory
        which = np.arange(len(tensor)) if rows is None else rows
        agent, turn = self._sides.view(seat)
        if turn is not None:
            tensor, legal = turn.look(np.asarray(tensor)), turn.mask(legal)
        values = self.values(tensor, agent=agent, memory=kept, rows=which)
        picks = np.where(legal, values, -np.inf).argmax(axis=1)
        kept.last[which] = picks
        if turn is not None:
            picks = turn.action[picks]
        out = np.zeros((len(picks), actions))
        out[np.arange(len(picks)), picks] = 1.0
        return out

    def probabilities(self, observation: Observation) -> Floats:
        """Return the distribution at the start of an episode, shape (A,)."""
        return first_move(self, observation)
