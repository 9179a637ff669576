"""`Tree`: an extensive form as flat arrays.

Axis letters: N nodes, Z terminal nodes, I infosets, Q sequences, n seats.

Nodes are numbered so that a parent precedes its children and siblings are neighbours.
Infosets are grouped by seat, and within a seat each follows the one that leads to it.
Sequences are numbered through all seats: those of seat p are `seat_sequence[p]` (its
empty sequence) and then, infoset by infoset, one for each action. One index therefore
serves behaviour policies, realization plans, regrets and gradients alike: all are float64
arrays of shape (Q,), whose entry at an empty sequence is 1 in policies and plans.

Sources: von Stengel 1996, "Efficient computation of behavior strategies" (sequence form);
Kuhn 1953 (perfect recall).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.policy import TabularPolicy

__all__ = ["TERMINAL", "RecallBreach", "SequenceForm", "Tree"]

TERMINAL = -2
"""The seat number of a terminal node."""

Ints = NDArray[np.integer[Any]]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class RecallBreach:
    """Two histories of one infoset that differ in what its seat itself saw or did.

    Attributes:
        infoset: its number.
        histories: the actions from the root to the two nodes, chance included.
    """

    infoset: int
    histories: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class SequenceForm:
    """Two-player payoffs to seat 0 by pairs of sequences, as compressed sparse rows, both ways.

    For a constant-sum game the payoffs are shifted to be zero-sum (`Tree.constant_sum`).

    Attributes:
        ptr: row starts by sequence, shape (Q + 1,): the rows of seat 0's sequences hold
            columns of seat 1's, and the rows of seat 1's sequences hold columns of seat 0's.
        col: the other seat's sequence, shape (2 nnz,).
        val: Σ payoff × chance probability over the terminals of the pair, shape (2 nnz,);
            in the rows of seat 1 the payoff is seat 1's (minus seat 0's).
    """

    ptr: NDArray[np.int64]
    col: NDArray[np.uint32]
    val: Reals


@dataclass(frozen=True, eq=False)
class Tree:
    """A compiled extensive form.

    Attributes:
        game: the key of the game it was compiled from.
        version: the version of that game.
        seats: n.
        actions: size A of the largest action space.
        parent: shape (N,); -1 at the root.
        seat: who moves, shape (N,): a seat, `CHANCE` or `TERMINAL`.
        infoset: shape (N,); -1 where no seat moves.
        first_child: shape (N,); children of v are `first_child[v] + 0 … n_children[v] - 1`.
        n_children: shape (N,).
        action: what led here from the parent, shape (N,); -1 at the root.
        chance: probability of getting here from the parent if chance moves there, else 1,
            shape (N,).
        terminals: their node numbers, increasing, shape (Z,).
        payoffs: returns at the terminals, shape (n, Z).
        info_seat: whose infoset it is, shape (I,).
        info_first: the sequence of its first action, shape (I,).
        info_actions: how many actions it has, shape (I,).
        info_parent: the sequence of its own seat that leads to it, shape (I,).
        sequence_action: the action that ends each sequence, shape (Q,); -1 if empty.
        seat_infoset: infosets of seat p are `seat_infoset[p] … seat_infoset[p+1]-1`, shape
            (n + 1,).
        seat_sequence: the same for sequences, the first being empty, shape (n + 1,).
        key_text: the infoset keys in UTF-8, one after the other.
        key_end: where each of them ends, shape (I,).
        breach: a witness of imperfect recall, or None.
    """

    game: str
    version: str
    seats: int
    actions: int
    parent: NDArray[np.int32]
    seat: NDArray[np.int8]
    infoset: NDArray[np.int32]
    first_child: NDArray[np.int32]
    n_children: NDArray[np.int32]
    action: Ints
    chance: Reals
    terminals: NDArray[np.int32]
    payoffs: Reals
    info_seat: NDArray[np.int32]
    info_first: NDArray[np.int32]
    info_actions: NDArray[np.int32]
    info_parent: NDArray[np.int32]
    sequence_action: Ints
    seat_infoset: NDArray[np.int32]
    seat_sequence: NDArray[np.int32]
    key_text: NDArray[np.uint8]
    key_end: NDArray[np.int64]
    breach: RecallBreach | None = None

    # -- sizes ---------------------------------------------------------------------

    @property
    def n_nodes(self) -> int:
        """N, terminals and chance included."""
        return len(self.parent)

    @property
    def n_infosets(self) -> int:
        """I, over all seats."""
        return len(self.info_seat)

    @property
    def n_sequences(self) -> int:
        """Q, the n empty ones included."""
        return len(self.sequence_action)

    @property
    def nbytes(self) -> int:
        """Bytes that the arrays take, derived ones included once they exist."""
        own = (v for v in vars(self).values() if isinstance(v, np.ndarray))
        form = vars(self).get("sequence_form")
        more = (form.ptr, form.col, form.val) if isinstance(form, SequenceForm) else ()
        return sum(array.nbytes for array in (*own, *more))

    # -- names ---------------------------------------------------------------------

    @cached_property
    def keys(self) -> list[str]:
        """The infoset keys, length I."""
        text = self.key_text.tobytes()
        ends = self.key_end.tolist()
        return [text[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]

    def history(self, node: int) -> list[int]:
        """Return the actions from the root to `node`, chance included."""
        path = []
        while node > 0:
            path.append(int(self.action[node]))
            node = int(self.parent[node])
        return path[::-1]

    def infoset_actions(self, infoset: int) -> Ints:
        """Return the legal actions of an infoset, increasing."""
        first = int(self.info_first[infoset])
        found: Ints = self.sequence_action[first : first + int(self.info_actions[infoset])]
        return found

    @cached_property
    def representative(self) -> NDArray[np.int32]:
        """A node of each infoset (the one of least number), shape (I,)."""
        nodes = np.flatnonzero(self.infoset >= 0)
        out = np.empty(self.n_infosets, dtype=np.int32)
        out[self.infoset[nodes[::-1]]] = nodes[::-1]
        return out

    # -- payoffs -------------------------------------------------------------------

    @cached_property
    def constant_sum(self) -> float | None:
        """What the payoffs of all seats add up to at every terminal, or None if they vary."""
        total = self.payoffs.sum(axis=0)
        scale = max(1.0, float(np.abs(self.payoffs).max(initial=0.0)))
        if len(total) and float(np.ptp(total)) <= 1e-9 * scale:
            mean = float(total.mean())
            return 0.0 if abs(mean) <= 1e-9 * scale else mean
        return None

    @cached_property
    def _linked(self) -> tuple[NDArray[np.int32], Reals]:
        from games.tree._kernels import link

        last = np.empty((self.seats, len(self.terminals)), dtype=np.int32)
        reach = np.empty(len(self.terminals))
        link(
            self.parent,
            self.seat,
            self.infoset,
            self.first_child,
            self.chance,
            self.info_first,
            self.seat_sequence,
            last,
            reach,
        )
        return last, reach

    @property
    def terminal_sequences(self) -> NDArray[np.int32]:
        """The last sequence of each seat at each terminal, shape (n, Z)."""
        return self._linked[0]

    @property
    def terminal_chance(self) -> Reals:
        """The product of chance probabilities on the way to each terminal, shape (Z,)."""
        return self._linked[1]

    @cached_property
    def sequence_form(self) -> SequenceForm:
        """Sparse payoffs by pairs of sequences.

        Raises:
            ParameterError: the game is not one of two players with payoffs of constant sum.
        """
        if self.seats != 2 or self.constant_sum is None:
            raise ParameterError("tree", self.game, "a two-player game of constant sum")
        from games.tree._kernels import compress

        rows, cols = self.terminal_sequences
        value = (self.payoffs[0] - self.constant_sum / 2) * self.terminal_chance
        ptr, col, val = compress(rows, cols, value, self.n_sequences)
        return SequenceForm(ptr, col, val)

    # -- policies ------------------------------------------------------------------

    def uniform(self) -> Reals:
        """Return the uniform behaviour policy, shape (Q,)."""
        out = np.ones(self.n_sequences)
        out[self.sequence_action >= 0] = np.repeat(1.0 / self.info_actions, self.info_actions)
        return out

    def to_table(self, behaviour: Reals) -> TabularPolicy:
        """Return a behaviour policy of shape (Q,) as a `TabularPolicy`, a row per infoset."""
        table = np.zeros((self.n_infosets, self.actions))
        row = np.repeat(np.arange(self.n_infosets), self.info_actions)
        played = self.sequence_action >= 0
        table[row, self.sequence_action[played]] = behaviour[played]
        return TabularPolicy(self.game, self.keys, self.info_seat.astype(np.int32), table)

    def from_table(self, policy: TabularPolicy) -> Reals:
        """Return a `TabularPolicy` as a behaviour policy of shape (Q,).

        Raises:
            ParameterError: an infoset has no row, or its row plays what is illegal there.
        """
        out = np.ones(self.n_sequences)
        for seat in range(self.seats):
            self.read_table(policy, seat, out)
        return self.checked(out)

    def read_table(self, policy: TabularPolicy, seat: int, out: Reals) -> None:
        """Copy one seat's probabilities out of a table into `out`, (Q,), in place.

        Raises:
            ParameterError: an infoset of the seat has no row.
        """
        if policy.table.shape[1] < self.actions:
            raise ParameterError(
                "policy", f"{policy.table.shape[1]} actions wide", f"{self.actions} actions"
            )
        low, high = int(self.seat_infoset[seat]), int(self.seat_infoset[seat + 1])
        found = (policy.row(seat, key) for key in self.keys[low:high])
        rows = np.array([-1 if row is None else row for row in found], dtype=np.int64)
        if (rows < 0).any():
            raise ParameterError(
                f"policy of seat {seat}",
                f"no row for infoset {self.keys[low + int(np.argmax(rows < 0))]!r}",
                f"a row for each of its {high - low} infosets in {self.game}"
                f" ({int((rows < 0).sum())} are missing)",
            )
        first, after = int(self.seat_sequence[seat]) + 1, int(self.seat_sequence[seat + 1])
        row = np.repeat(rows, self.info_actions[low:high])
        out[first:after] = policy.table[row, self.sequence_action[first:after]]

    def checked(self, behaviour: Reals) -> Reals:
        """Return a behaviour policy whose probabilities sum to exactly one at every infoset.

        Raises:
            ParameterError: at some infoset they are negative, not finite, or off by over 1e-6.
        """
        if behaviour.shape != (self.n_sequences,):
            raise ParameterError("policy", behaviour.shape, f"shape ({self.n_sequences},)")
        out = np.array(behaviour, dtype=np.float64)
        row = np.repeat(np.arange(self.n_infosets), self.info_actions)
        played = self.sequence_action >= 0
        given = out[played]
        total = np.bincount(row, weights=given, minlength=self.n_infosets)
        bad = ~(np.abs(total - 1.0) < 1e-6)
        bad[row[~(given >= 0)]] = True
        if bad.any():
            where = int(np.argmax(bad))
            first = int(self.info_first[where])
            raise ParameterError(
                f"policy at infoset {self.keys[where]!r} of seat {self.info_seat[where]}",
                out[first : first + int(self.info_actions[where])].tolist(),
                "probabilities of the legal actions that sum to one",
            )
        out[played] = given / total[row]
        out[~played] = 1.0
        return out

    def __repr__(self) -> str:
        return (
            f"<Tree {self.game}: {self.n_nodes} nodes, {self.n_infosets} infosets,"
            f" {self.seats} seats{', imperfect recall' if self.breach else ''}>"
        )
