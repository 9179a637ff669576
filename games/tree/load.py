"""`tree_of`: the compiled tree of a game, from memory, from disk, or by compiling it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from arena.errors import ArenaError, NotApplicableError, ParameterError
from arena.files import cache_dir, header_of, open_npz, write_atomic
from arena.game import Game
from games.tree.compile import DEFAULT_BUDGET, Budget, compile_state, too_large
from games.tree.data import RecallBreach, Tree
from games.tree.estimate import size_beyond
from games.tree.walk import cursor_of

__all__ = [
    "FORMAT",
    "cache_path",
    "load_tree",
    "obstacle",
    "save_tree",
    "tree_at_hand",
    "tree_of",
]

FORMAT = "arena/tree/1"

_SCALARS = ("game", "version", "seats", "actions")
_ARRAYS = (
    "parent",
    "seat",
    "infoset",
    "first_child",
    "n_children",
    "action",
    "chance",
    "terminals",
    "payoffs",
    "info_seat",
    "info_first",
    "info_actions",
    "info_parent",
    "sequence_action",
    "seat_infoset",
    "seat_sequence",
    "key_text",
    "key_end",
)

_LIVE: WeakKeyDictionary[Game, Tree] = WeakKeyDictionary()
_EXPECTED: WeakKeyDictionary[Game, dict[int, float | ArenaError | None]] = WeakKeyDictionary()
"""What is known of a game's size, by the limit that it was tested against."""


def tree_of(
    game: Game,
    *,
    budget: Budget = DEFAULT_BUDGET,
    cache: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Tree:
    """Return the compiled tree of a game.

    The same `Game` object is compiled once in a process; a game that can be made again from
    its id and parameters is also kept on disk, by key, version and format.

    Args:
        game: offers the form `tree`, or `state` with enumerable chance.
        budget: when to give up compiling.
        cache: whether to read and write the disk.
        progress: called with the number of nodes so far, now and then.

    Raises:
        NotApplicableError: the tree is larger than the budget, the game cannot be
            enumerated, or it has no infoset keys.
        FormError: the game offers no states.
        ArenaError: the game contradicts itself.
    """
    tree = _LIVE.get(game)
    if tree is None:
        tree = _find(game, budget, cache and game.rebuildable, progress)
        _LIVE[game] = tree
    if tree.n_nodes > budget.nodes:
        raise NotApplicableError(
            f"the tree of {game.key} is too large: {tree.n_nodes:,} nodes;"
            f" the limit is {budget.nodes:,}"
        )
    return tree


def tree_at_hand(game: Game) -> Tree | None:
    """Return the tree of a game if this process or the disk has it; nothing is compiled."""
    tree = _LIVE.get(game)
    if tree is None and game.rebuildable and "tree" not in game.forms:
        tree = _read(game)
        if tree is not None:
            _LIVE[game] = tree
    return tree


def obstacle(game: Game, *, budget: Budget = DEFAULT_BUDGET) -> str | None:
    """Return why there is no tree of `game`, in words, or None; nothing is compiled.

    Sizes are estimated: a tree within the budget is refused with a probability of at most
    1/1000 (`size_beyond`), one beyond it as soon as random descents leave no doubt.
    """
    if "tree" in game.forms or game in _LIVE:
        return None
    if "state" not in game.forms:
        return f"{game.key} offers neither the form state nor the form tree"
    if not game.discrete:
        return f"{game.key} has actions that are not discrete"
    size = _size_beyond(game, budget)
    if isinstance(size, ArenaError):
        return str(size)
    return None if size is None else str(too_large(game, size, budget))


def _size_beyond(game: Game, budget: Budget) -> float | ArenaError | None:
    """Return about how many nodes there are beyond the budget, or what keeps from asking."""
    known = _EXPECTED.setdefault(game, {})
    if budget.nodes not in known:
        try:
            known[budget.nodes] = size_beyond(cursor_of(game.root(), game.key), budget.nodes)
        except ArenaError as error:
            known[budget.nodes] = error
    return known[budget.nodes]


def _find(game: Game, budget: Budget, cache: bool, progress: Callable[[int], None] | None) -> Tree:
    if "tree" in game.forms:
        made: Tree = game.form("tree")
        return made
    known = _read(game) if cache else None
    if known is not None:
        return known
    size = _size_beyond(game, budget)
    if isinstance(size, float):
        raise too_large(game, size, budget)
    tree = compile_state(game, game.root(), budget=budget, progress=progress)
    if cache:
        save_tree(tree, cache_path(game))
    return tree


def _read(game: Game) -> Tree | None:
    path = cache_path(game)
    if not path.exists():
        return None
    try:
        tree = load_tree(path)
    except ParameterError:
        return None  # a cache from another version or a damaged disk: it is made again
    return tree if (tree.game, tree.version) == (game.key, game.version) else None


def cache_path(game: Game) -> Path:
    """Return where the tree of a game is kept."""
    text = f"{FORMAT}\n{game.key}\n{game.version}"
    digest = hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
    readable = re.sub(r"[^A-Za-z0-9]+", "-", game.key).strip("-")[:60]
    return cache_dir("trees") / f"{readable}.{digest}.npz"


def save_tree(tree: Tree, path: str | Path) -> None:
    """Write a tree as an `.npz` of plain arrays and a JSON header."""
    header: dict[str, Any] = {"format": FORMAT, **{name: getattr(tree, name) for name in _SCALARS}}
    if tree.breach is not None:
        header["breach"] = [tree.breach.infoset, *map(list, tree.breach.histories)]
    arrays = {name: getattr(tree, name) for name in _ARRAYS}
    with write_atomic(path) as file:
        np.savez(file, header=np.array(json.dumps(header)), **arrays)


def load_tree(path: str | Path) -> Tree:
    """Read what `save_tree` wrote.

    Raises:
        ParameterError: the file is something else.
    """
    with open_npz(path, "tree file", f"a file of format {FORMAT}") as data:
        header = header_of(data, FORMAT)
        found = header.get("breach")
        breach = None
        if found is not None:
            infoset, one, other = found
            breach = RecallBreach(infoset, (tuple(one), tuple(other)))
        return Tree(
            **{name: header[name] for name in _SCALARS},
            **{name: data[name] for name in _ARRAYS},
            breach=breach,
        )
