"""What a seat knows in one episode: tensor, key, view, and the row without what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.types import Mask
from games.hanabi import layout as at
from games.hanabi._kernels import legal_row
from games.hanabi._observe_kernels import encode, hide
from games.hanabi.render import table
from games.hanabi.variant import Variant

if TYPE_CHECKING:
    from games.hanabi.state import HanabiState

__all__ = ["HanabiObservation", "infoset"]


class HanabiObservation:
    """See `arena.game.Observation`; fields are computed on first use.

    Attributes:
        seat: the seat that looks.
        variant: the variant that is played.
    """

    clock = None

    def __init__(self, state: HanabiState, seat: int) -> None:
        self._state = state
        self.seat = seat
        self.variant: Variant = state.variant

    @cached_property
    def legal(self) -> Mask:
        """Mask of legal actions, shape (A,)."""
        out = np.zeros(self.variant.actions, dtype=np.bool_)
        if not self._state.waiting:
            legal_row(self._state.row, self.variant.numbers, self.seat, out)
        return out

    @cached_property
    def actions(self) -> Sequence[int]:
        """Legal actions in increasing order."""
        found: list[int] = np.flatnonzero(self.legal).tolist()
        return found

    @cached_property
    def tensor(self) -> NDArray[np.float32]:
        """The canonical encoding of the Hanabi Learning Environment, shape (D,)."""
        out = np.empty(self.variant.tensor_size, dtype=np.float32)
        variant = self.variant
        encode(self._state.row, variant.numbers, self.seat, variant.words(), out)
        return out

    @cached_property
    def row(self) -> NDArray[np.int16]:
        """The episode without what is hidden from the seat (see `games.hanabi.layout`)."""
        out = np.empty_like(self._state.row)
        hide(self._state.row, self.variant.numbers, self.seat, out)
        return out

    @cached_property
    def key(self) -> str:
        """Everything the seat has seen: cards as they were dealt, and the moves."""
        return infoset(self.variant, self.row, self.seat)

    @cached_property
    def view(self) -> str:
        """The table as the seat sees it."""
        return table(self.variant, self.row, self.seat)

    def action_name(self, action: int) -> str:
        """Return what an action is called."""
        return self.variant.action_name(self.seat, action)

    def resample(self, seed: int) -> Any:
        """Return a state drawn from those that the seat cannot tell apart."""
        return self._state.resample(self.seat, seed)


def infoset(variant: Variant, row: NDArray[np.int16], seat: int) -> str:
    """Return the infoset string of a row without what is hidden from `seat`.

    Cards in the order of the deal (`?` where unseen), then the moves, a hint with the
    slots that it touched.
    """
    dealt = row[at.DECK : at.DECK + int(row[at.DEALT])].tolist()
    cards = "".join("?" if card < 0 else chr(65 + card) for card in dealt)
    log = row[at.LOG : at.LOG + 2 * int(row[at.LENGTH])].tolist()
    hints = 2 * variant.cards_held
    moves = ",".join(
        f"{action}:{note}" if action >= hints else str(action)
        for action, note in zip(log[::2], log[1::2], strict=True)
    )
    return f"{seat}|{row[at.START]}|{cards}|{moves}"
