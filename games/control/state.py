"""One running episode of a control game: a batch of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError
from arena.game import Snapshot
from arena.types import Action, Floats
from games.control.batch import ControlBatch

__all__ = ["ControlState"]


class ControlState:
    """See `arena.game.State`; actions are vectors from −1 to 1.

    Attributes:
        batch: the episode, as the only one of a batch.
    """

    def __init__(self, batch: ControlBatch) -> None:
        self.batch = batch

    @property
    def truncated(self) -> bool:
        """Whether the horizon cut the episode off."""
        return bool(self.batch.truncated[0])

    @property
    def failed(self) -> bool:
        """Whether the simulation broke down."""
        return bool(self.batch.failed[0])

    def actors(self) -> tuple[int, ...]:
        """Return both seats until it is over."""
        return (0, 1) if self.batch.actors()[0, 0] else ()

    def observe(self, seat: int) -> Snapshot:
        """Return what a seat is shown; the key is the exact content of its tensor."""
        tensor: NDArray[np.float32] = np.asarray(self.batch.observe(seat).tensor)[0]
        shown = " ".join(f"{x:.4g}" for x in tensor.tolist())
        view = f"step {self.batch.steps}: {shown}"
        return Snapshot(seat, tensor=tensor, key=tensor.tobytes().hex(), view=view)

    def legal(self, seat: int) -> Sequence[int] | None:
        """Return None: actions are vectors."""
        return None

    def step(self, actions: Mapping[int, Action]) -> None:
        """Apply the actions of both seats."""
        actors = self.actors()
        if tuple(sorted(actions)) != actors:
            raise IllegalActionError(f"seats {sorted(actions)} moved where {list(actors)} were to")
        rows = []
        for seat in actors:
            try:
                rows.append(np.asarray(actions[seat], dtype=np.float64)[None])
            except (TypeError, ValueError) as error:
                raise IllegalActionError(
                    f"seat {seat} played {actions[seat]!r}: {error}"
                ) from error
        self.batch.step(rows)

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (2,)."""
        return np.asarray(self.batch.rewards()[0])

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (2,)."""
        return np.asarray(self.batch.returns()[0])

    def clone(self) -> ControlState:
        """Return an independent copy that will draw the same chance."""
        return ControlState(self.batch.clone())

    def render(self) -> str:
        """Return the plant, the step and the controller's return."""
        batch = self.batch
        end = " (failed)" if self.failed else " (cut off)" if self.truncated else ""
        return (
            f"step {batch.steps} of {batch.setup.horizon}{end}: {batch.describe(0)};"
            f" return {float(batch.returns()[0, 0]):.6g}"
        )
