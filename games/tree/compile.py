"""From a state to a `Tree`: one depth-first walk, then checks and numbering in arrays.

1. Walk: when a history is expanded its children get consecutive numbers, so parents come
   before children and siblings are neighbours. A simultaneous move becomes one node a seat,
   in seat order; the later seats' infosets do not show what the earlier ones chose.
2. Infosets are told apart by (seat, observation key), regrouped by seat.
3. Chance must sum to one, payoffs must be finite, equal keys must have equal actions.
4. Perfect recall is checked for every node; a breach is kept in the tree by two histories.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, NotApplicableError
from arena.game import Game, State
from arena.types import CHANCE, Discrete
from games.tree.data import RecallBreach, Tree
from games.tree.estimate import estimate_nodes
from games.tree.walk import SIMULTANEOUS, TERMINAL, Cursor, cursor_of

__all__ = ["BYTES_PER_NODE", "DEFAULT_BUDGET", "Budget", "compile_state", "too_large"]

BYTES_PER_NODE = 100
"""Peak memory of compiling a two-player game, per node, infoset keys apart: 29 bytes to keep
a node and 20 for a terminal; with the sequence form about 57 in all; the rest is freed."""

_CHECK_EVERY = 1 << 12


@dataclass(frozen=True)
class Budget:
    """How large a tree may get before compiling it is given up.

    Attributes:
        nodes: the greatest number of nodes.
        memory: the greatest number of bytes, at `BYTES_PER_NODE` and the keys' lengths.
        seconds: the most wall time.
    """

    nodes: int = 20_000_000
    memory: int = 8 << 30
    seconds: float = inf


DEFAULT_BUDGET = Budget()


@dataclass
class _Walk:
    """What the walk collects, node by node and infoset by infoset."""

    parent: Any = field(default_factory=lambda: array("i", [-1]))
    seat: Any = field(default_factory=lambda: array("b", [0]))
    infoset: Any = field(default_factory=lambda: array("i", [-1]))
    first_child: Any = field(default_factory=lambda: array("i", [-1]))
    n_children: Any = field(default_factory=lambda: array("i", [0]))
    action: Any = field(default_factory=lambda: array("q", [-1]))
    chance: Any = field(default_factory=lambda: array("d", [1.0]))
    end_node: Any = field(default_factory=lambda: array("i"))
    end_payoff: Any = field(default_factory=lambda: array("d"))
    keys: list[str] = field(default_factory=list)
    info_seat: list[int] = field(default_factory=list)
    info_actions: list[Sequence[int]] = field(default_factory=list)
    key_bytes: int = 0
    deadline: float = inf

    def history(self, node: int) -> list[int]:
        path = []
        while node > 0:
            path.append(self.action[node])
            node = self.parent[node]
        return path[::-1]

    def grow(self, node: int, actions: Sequence[int], chance: Sequence[float] | None) -> int:
        """Number the children of `node`; return the first."""
        count = len(actions)
        first = len(self.parent)
        self.first_child[node] = first
        self.n_children[node] = count
        self.parent.extend([node] * count)
        self.seat.extend([0] * count)
        self.infoset.extend([-1] * count)
        self.first_child.extend([-1] * count)
        self.n_children.extend([0] * count)
        self.action.extend(actions)
        self.chance.extend([1.0] * count if chance is None else chance)
        return first


def compile_state(
    game: Game,
    root: State,
    *,
    budget: Budget = DEFAULT_BUDGET,
    progress: Callable[[int], None] | None = None,
) -> Tree:
    """Compile the game tree below `root`.

    Args:
        game: what the state belongs to.
        root: a state from `game.root()`; not modified.
        budget: when to give up.
        progress: called with the number of nodes so far, now and then.

    Raises:
        NotApplicableError: the tree is larger than the budget (with an estimate of its
            size), the actions are not discrete, or a seat has no infoset keys.
        ArenaError: the game contradicts itself (NaN payoffs, chance that does not sum to
            one, one infoset with two sets of actions); the message names the history.
    """
    spaces = [space.n for space in game.actions if isinstance(space, Discrete)]
    if len(spaces) != game.seats:
        raise NotApplicableError(f"{game.key} has actions that are not discrete; no tree")
    cursor = cursor_of(root, game.key)
    walk = _Walk(deadline=time.perf_counter() + budget.seconds)
    try:
        _run(game, cursor, walk, budget, progress)
        return _assemble(game, walk, max(spaces, default=1))
    except MemoryError:
        seen = len(walk.parent)
        del walk, cursor
        raise NotApplicableError(
            f"the tree of {game.key} is too large: there is no memory left after {seen:,} nodes"
        ) from None


def too_large(game: Game, expected: float, budget: Budget, seen: int = 0) -> NotApplicableError:
    """Return the error for a tree of about `expected` nodes, `seen` of them so far."""
    so_far = f"over {seen:,} nodes, " if seen else ""
    guess = "over 1e+300" if expected > 1e300 else f"about {expected:.2g}"
    return NotApplicableError(
        f"the tree of {game.key} is too large: {so_far}{guess} estimated"
        f" ({BYTES_PER_NODE} bytes each); the limit is {budget.nodes:,} nodes"
        f" and {budget.memory / 2**30:.3g} GiB"
    )


def _run(
    game: Game,
    cursor: Cursor,
    walk: _Walk,
    budget: Budget,
    progress: Callable[[int], None] | None,
) -> None:
    """Expand every history, depth first."""
    look, child, joint = cursor.look, cursor.child, cursor.joint
    grow, parent, seats, infosets = walk.grow, walk.parent, walk.seat, walk.infoset
    end_node, end_payoff, known = walk.end_node, walk.end_payoff, walk.info_actions
    index: list[dict[str, int]] = [{} for _ in range(game.seats)]
    check = _CHECK_EVERY
    # An entry is a node and the position before the move that leads to it, so that
    # positions are made when they are looked at and few are alive at once.
    stack: list[tuple[int, Any, Any]] = [(0, cursor.root, None)]
    push, pop = stack.append, stack.pop
    while stack:
        node, before, move = pop()
        if type(move) is int:
            position = child(before, move)
        else:
            position = before if move is None else joint(before, move)
        seat, actions, more = look(position)
        seats[node] = seat
        if seat == TERMINAL:
            end_node.append(node)
            end_payoff.extend(more)
            continue
        if seat == SIMULTANEOUS:
            _simultaneous(game, walk, index, stack, node=node, position=position, movers=actions)
        else:
            if seat >= 0:
                infoset = index[seat].get(more)
                if infoset is None or actions != known[infoset]:
                    infoset = _meet(game, walk, index, node=node, mover=(seat, actions, more))
                infosets[node] = infoset
                more = None
            first = grow(node, actions, more)
            for k in range(len(actions) - 1, -1, -1):
                push((first + k, position, actions[k]))
        if len(parent) >= check:
            check = len(parent) + _CHECK_EVERY
            _tick(game, cursor, walk, budget, progress)
    if progress is not None:
        progress(len(parent))


def _tick(
    game: Game,
    cursor: Cursor,
    walk: _Walk,
    budget: Budget,
    progress: Callable[[int], None] | None,
) -> None:
    """Report progress and refuse to outgrow the budget."""
    count = len(walk.parent)
    if progress is not None:
        progress(count)
    used = count * BYTES_PER_NODE + 2 * walk.key_bytes
    if count > budget.nodes or used > budget.memory:
        raise too_large(game, max(estimate_nodes(cursor), count), budget, count)
    if time.perf_counter() > walk.deadline:
        raise NotApplicableError(
            f"the tree of {game.key} is too large to compile in {budget.seconds:g} s:"
            f" {count:,} nodes so far, about {max(estimate_nodes(cursor), count):.2g} estimated"
        )


def _meet(
    game: Game,
    walk: _Walk,
    index: list[dict[str, int]],
    *,
    node: int,
    mover: tuple[int, Sequence[int], str],
) -> int:
    """Return the infoset of a decision: a new number, or a known one with equal actions."""
    seat, actions, key = mover
    infoset = index[seat].get(key)
    if infoset is not None:
        if list(actions) == list(walk.info_actions[infoset]):
            return infoset
        raise ArenaError(
            f"{game.key}: infoset {key!r} of seat {seat} has actions"
            f" {list(walk.info_actions[infoset])} and, after {walk.history(node)},"
            f" {list(actions)}"
        )
    if not actions:
        raise ArenaError(
            f"{game.key}: seat {seat} is to move after {walk.history(node)} but has no action"
        )
    index[seat][key] = number = len(walk.keys)
    walk.keys.append(key)
    walk.info_seat.append(seat)
    walk.info_actions.append(actions)
    walk.key_bytes += 60 + len(key)
    return number


def _simultaneous(
    game: Game,
    walk: _Walk,
    index: list[dict[str, int]],
    stack: list[tuple[int, Any, Any]],
    *,
    node: int,
    position: Any,
    movers: Sequence[tuple[int, Sequence[int], str]],
) -> None:
    """Lay the seats' moves one below the other, then put the joint moves on the stack."""
    layer: list[tuple[int, dict[int, int]]] = [(node, {})]
    for seat, actions, key in movers:
        below = []
        for at, chosen in layer:
            infoset = _meet(game, walk, index, node=at, mover=(seat, actions, key))
            walk.seat[at] = seat
            walk.infoset[at] = infoset
            first = walk.grow(at, actions, None)
            below += [(first + k, {**chosen, seat: a}) for k, a in enumerate(actions)]
        layer = below
    stack.extend((at, position, chosen) for at, chosen in reversed(layer))


def _assemble(game: Game, walk: _Walk, n_actions: int) -> Tree:
    """Turn what was collected into checked, renumbered arrays."""
    from games.tree._kernels import infoset_parents

    n = game.seats
    parent = np.frombuffer(walk.parent, dtype=np.int32)
    seat = np.frombuffer(walk.seat, dtype=np.int8)
    first_child = np.frombuffer(walk.first_child, dtype=np.int32)
    n_children = np.frombuffer(walk.n_children, dtype=np.int32)
    chance = np.frombuffer(walk.chance, dtype=np.float64)
    # The walk ends at terminals in depth-first order; the tree lists them by node number.
    end_node = np.frombuffer(walk.end_node, dtype=np.int32)
    order = np.argsort(end_node, kind="stable")
    terminals = end_node[order]
    if len(walk.end_payoff) != n * len(end_node):
        raise ArenaError(f"{game.key}: some terminal does not have {n} returns, one a seat")
    payoffs = np.ascontiguousarray(np.frombuffer(walk.end_payoff).reshape(-1, n)[order].T)
    _check_payoffs(game, walk, terminals, payoffs)
    _check_chance(game, walk, parent, seat, chance)

    info_seat = np.array(walk.info_seat, dtype=np.int32)
    order = np.argsort(info_seat, kind="stable")
    rank = np.empty(len(order) + 1, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    rank[-1] = -1
    infoset = rank[np.frombuffer(walk.infoset, dtype=np.int32)]
    info_seat = info_seat[order]
    counts = np.array([len(walk.info_actions[k]) for k in order], dtype=np.int32)
    seat_infoset = np.searchsorted(info_seat, np.arange(n + 1)).astype(np.int32)
    before = np.concatenate([[0], np.cumsum(counts)])
    seat_sequence = (before[seat_infoset] + np.arange(n + 1)).astype(np.int32)
    info_first = (before[:-1] + info_seat + 1).astype(np.int32)
    sequence_action = np.full(int(seat_sequence[-1]), -1, dtype=np.int64)
    played = np.ones(len(sequence_action), dtype=np.bool_)
    played[seat_sequence[:-1]] = False
    sequence_action[played] = [a for k in order for a in walk.info_actions[k]]
    info_parent = np.full(len(order), -1, dtype=np.int32)
    one, other = infoset_parents(
        parent, seat, infoset, first_child, info_first, seat_sequence, info_parent
    )
    texts = [walk.keys[k].encode() for k in order]
    return Tree(
        game=game.key,
        version=game.version,
        seats=n,
        actions=n_actions,
        parent=parent,
        seat=seat,
        infoset=infoset,
        first_child=first_child,
        n_children=n_children,
        action=_narrow(np.frombuffer(walk.action, dtype=np.int64)),
        chance=chance,
        terminals=terminals,
        payoffs=payoffs,
        info_seat=info_seat,
        info_first=info_first,
        info_actions=counts,
        info_parent=info_parent,
        sequence_action=_narrow(sequence_action),
        seat_infoset=seat_infoset,
        seat_sequence=seat_sequence,
        key_text=np.frombuffer(b"".join(texts), dtype=np.uint8),
        key_end=np.cumsum([len(text) for text in texts], dtype=np.int64),
        breach=None
        if one < 0
        else RecallBreach(
            int(infoset[one]), (tuple(walk.history(int(one))), tuple(walk.history(int(other))))
        ),
    )


def _narrow(values: NDArray[np.int64]) -> NDArray[Any]:
    fits = len(values) == 0 or (values.max() < 2**31 and values.min() >= -(2**31))
    return values.astype(np.int32) if fits else values


def _check_payoffs(
    game: Game, walk: _Walk, terminals: NDArray[np.int32], payoffs: NDArray[np.float64]
) -> None:
    bad = ~np.isfinite(payoffs)
    if bad.any():
        seat, z = (int(k) for k in np.argwhere(bad)[0])
        raise ArenaError(
            f"{game.key}: payoff {payoffs[seat, z]} of seat {seat}"
            f" after {walk.history(int(terminals[z]))}"
        )


def _check_chance(
    game: Game,
    walk: _Walk,
    parent: NDArray[np.int32],
    seat: NDArray[np.int8],
    chance: NDArray[np.float64],
) -> None:
    childless = np.flatnonzero((seat == CHANCE) & (np.frombuffer(walk.n_children, np.int32) == 0))
    if len(childless):
        raise ArenaError(f"{game.key}: no chance outcome after {walk.history(int(childless[0]))}")
    child = np.flatnonzero(seat[np.maximum(parent, 0)] == CHANCE)
    child = child[child > 0]
    bad = child[~((chance[child] >= 0.0) & (chance[child] <= 1.0))]
    if len(bad):
        raise ArenaError(
            f"{game.key}: chance probability {chance[bad[0]]} after {walk.history(int(bad[0]))}"
        )
    total = np.bincount(parent[child], weights=chance[child])
    nodes = np.unique(parent[child])
    off = nodes[np.abs(total[nodes] - 1.0) > 1e-9] if len(nodes) else nodes
    if len(off):
        raise ArenaError(
            f"{game.key}: chance probabilities sum to {total[off[0]]}, not one,"
            f" after {walk.history(int(off[0]))}"
        )
