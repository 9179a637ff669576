"""Gambit files as games: `arena.make("path/to/game.efg")` or `arena.make("gambit/path/….nfg")`.

An extensive form offers `state` (from `root()`, with chance exposed); a strategic form
offers `state` and `normal_form`. Outcomes are paid where they stand, inside the tree too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import FormatError, IllegalActionError, ParameterError, UnknownNameError
from arena.game import Game, Snapshot
from arena.registry import Info
from arena.rng import Stream
from arena.types import CHANCE, Action, Discrete, Floats, Payoff
from games.adapters.gambit_forms import Efg, EfgNode, Infoset, Nfg, Outcome, outcome_sums
from games.adapters.gambit_reading import parse_efg, parse_nfg
from games.adapters.gambit_writing import write_efg, write_nfg
from games.normal_form import NormalForm, as_game

__all__ = [
    "FAMILY",
    "Efg",
    "EfgNode",
    "EfgState",
    "GambitFamily",
    "Infoset",
    "Nfg",
    "Outcome",
    "efg_game",
    "nfg_game",
    "parse_efg",
    "parse_nfg",
    "save",
    "write_efg",
    "write_nfg",
]

_CITATION = "McKelvey, McLennan and Turocy, Gambit: Software Tools for Game Theory"


class _Tree:
    """An extensive form made ready to walk.

    Attributes:
        efg: the form.
        paid: what reaching each node pays, shape (nodes, n).
        odds: outcomes and probabilities at each chance infoset.
        row: place of each infoset among those of its seat, for tensors.
        widths: number of infosets of each seat, plus one for "not to move".
    """

    def __init__(self, efg: Efg) -> None:
        self.efg = efg
        n = len(efg.players)
        none = Outcome("", (Fraction(0),) * n)
        self.paid = np.array(
            [[float(p) for p in efg.outcomes.get(x.outcome, none).payoffs] for x in efg.nodes]
        )
        self.odds = {
            number: [(i, float(p)) for i, p in enumerate(infoset.chances)]
            for (seat, number), infoset in efg.infosets.items()
            if seat == CHANCE
        }
        self.row: dict[tuple[int, int], int] = {}
        self.widths = [1] * n
        for seat, number in sorted(efg.infosets):
            if seat != CHANCE:
                self.row[seat, number] = self.widths[seat]
                self.widths[seat] += 1
        self.actions = [
            max([1, *(len(i.actions) for (s, _), i in efg.infosets.items() if s == seat)])
            for seat in range(n)
        ]


class EfgState:
    """One walk through an extensive form."""

    __slots__ = ("_at", "_chance", "_history", "_last", "_returns", "_rewards", "tree")

    def __init__(self, tree: _Tree, chance: Stream | None) -> None:
        self.tree = tree
        self._chance = chance
        self._at = 0
        self._history: list[int] = []
        self._last: dict[int, str] = {}
        self._returns: Floats = tree.paid[0].copy()
        self._rewards: Floats = tree.paid[0].copy()
        self._resolve()

    def _resolve(self) -> None:
        nodes, chance = self.tree.efg.nodes, self._chance
        if chance is None:
            return
        while nodes[self._at].seat == CHANCE:
            odds = self.tree.odds[nodes[self._at].infoset]
            self._go(chance.index([p for _, p in odds]))

    def _go(self, action: int) -> None:
        self._history.append(action)
        self._at = self.tree.efg.nodes[self._at].children[action]
        self._returns += self.tree.paid[self._at]

    @property
    def node(self) -> EfgNode:
        """The node that the walk has come to."""
        return self.tree.efg.nodes[self._at]

    def actors(self) -> tuple[int, ...]:
        """Return the seat to move; `(CHANCE,)` at an exposed chance node."""
        seat = self.node.seat
        return () if seat is None else (seat,)

    def legal(self, seat: int) -> Sequence[int]:
        """Return the actions of `seat` here; none where it is not to move."""
        node = self.node
        return range(len(node.children)) if node.seat == seat else ()

    def observe(self, seat: int) -> Snapshot:
        """Return the information set; between its moves a seat remembers only its last one."""
        tree, node = self.tree, self.node
        mask = np.zeros(tree.actions[seat], dtype=np.bool_)
        tensor = np.zeros(tree.widths[seat], dtype=np.float32)
        if node.seat != seat:
            tensor[0] = 1.0
            key = self._last.get(seat, "not moved yet")
            return Snapshot(seat, (), mask, tensor, key, key)
        infoset = tree.efg.infosets[seat, node.infoset]
        mask[: len(node.children)] = True
        tensor[tree.row[seat, node.infoset]] = 1.0
        name = f" {infoset.name}" if infoset.name else ""
        view = f"information set {node.infoset}{name}: {', '.join(infoset.actions)}"
        return Snapshot(seat, self.legal(seat), mask, tensor, str(node.infoset), view)

    def chance_outcomes(self) -> Sequence[tuple[int, float]]:
        """Return outcomes and probabilities of an exposed chance node."""
        return self.tree.odds[self.node.infoset] if self.node.seat == CHANCE else ()

    def step(self, actions: Mapping[int, Action]) -> None:
        """Take a branch, collect what stands on it, then resolve chance."""
        actors = self.actors()
        if tuple(sorted(actions)) != actors or not actors:
            raise IllegalActionError(f"seats {sorted(actions)} moved where {list(actors)} were to")
        (seat,) = actors
        action = actions[seat]
        if isinstance(action, bool | np.bool_) or not isinstance(action, int | np.integer):
            raise IllegalActionError(f"seat {seat} answered {action!r}, not an action number")
        count = len(self.node.children)
        if not 0 <= action < count:
            raise IllegalActionError(f"seat {seat} played {action}; legal are 0 to {count - 1}")
        if seat == CHANCE and self.chance_outcomes()[int(action)][1] == 0.0:
            raise IllegalActionError(f"chance cannot give {action}")
        if seat != CHANCE:
            self._last[seat] = f"after action {action} at information set {self.node.infoset}"
        before = self._returns.copy()
        self._go(int(action))
        self._resolve()
        self._rewards = self._returns - before

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (n,)."""
        return self._rewards.copy()

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (n,)."""
        return self._returns.copy()

    def history(self) -> list[int]:
        """Return every branch taken, chance included."""
        return list(self._history)

    def clone(self) -> EfgState:
        """Return an independent copy."""
        twin = EfgState.__new__(EfgState)
        twin.tree = self.tree
        twin._chance = None if self._chance is None else self._chance.copy()
        twin._at = self._at
        twin._history = list(self._history)
        twin._last = dict(self._last)
        twin._returns = self._returns.copy()
        twin._rewards = self._rewards.copy()
        return twin

    def render(self) -> str:
        """Return the branches taken and what has been paid."""
        efg, at, steps = self.tree.efg, 0, []
        for action in self._history:
            node = efg.nodes[at]
            if node.seat is not None:
                who = "chance" if node.seat == CHANCE else efg.players[node.seat]
                steps.append(f"{who}: {efg.infosets[node.seat, node.infoset].actions[action]}")
            at = node.children[action]
        paid = ", ".join(f"{value:g}" for value in self._returns)
        return f"{efg.title or 'game'}: {'; '.join(steps) or 'start'} → {paid}"


def _payoff(rows: Sequence[Sequence[Fraction]]) -> Payoff:
    totals = {sum(row) for row in rows}
    if totals == {0}:
        return "zero_sum"
    if len(rows[0]) > 1:
        if all(len(set(row)) == 1 for row in rows):
            return "cooperative"
        if len(totals) == 1:
            return "constant_sum"
    return "general_sum"


def _seat_names(players: Sequence[str]) -> tuple[str, ...]:
    """Return the players' names if they tell the seats apart, else none."""
    good = all(players) and len(set(players)) == len(players)
    return tuple(players) if good else ()


def efg_game(efg: Efg, *, id: str = "", version: str = "1", rebuildable: bool = False) -> Game:
    """Return an extensive form as a game."""
    tree = _Tree(efg)
    n = len(efg.players)
    ends = list(outcome_sums(efg).values())
    values = [float(value) for row in ends for value in row]
    depth = [0] * len(efg.nodes)
    sizes: dict[tuple[int, int], int] = {}
    for position, node in enumerate(efg.nodes):
        if node.seat is not None:
            sizes[node.seat, node.infoset] = sizes.get((node.seat, node.infoset), 0) + 1
        for child in node.children:
            depth[child] = depth[position] + (node.seat != CHANCE)

    def state(seed: int | None) -> EfgState:
        return EfgState(tree, None if seed is None else Stream(seed))

    def action_name(seat: int, action: int) -> str:
        names = {
            infoset.actions[action]
            for (owner, _), infoset in efg.infosets.items()
            if owner == seat and action < len(infoset.actions)
        }
        return "/".join(sorted(names - {""})) or str(action)

    return Game(
        id=id or f"gambit/{efg.title or 'efg'}",
        seats=n,
        actions=tuple(Discrete(count) for count in tree.actions),
        payoff=_payoff(ends),
        turns="sequential",
        forms={"state": state},
        perfect_information=all(size == 1 for (s, _), size in sizes.items() if s != CHANCE),
        chance=any(node.seat == CHANCE for node in efg.nodes),
        payoff_bounds=(min(values), max(values)),
        max_length=max(depth),
        seat_names=_seat_names(efg.players),
        version=version,
        summary=efg.title,
        citation=_CITATION,
        action_name=action_name,
        rebuildable=rebuildable,
    )


def nfg_game(nfg: Nfg, *, id: str = "", version: str = "1", rebuildable: bool = False) -> Game:
    """Return a strategic form as a game."""
    return as_game(
        nfg.form,
        id=id or f"gambit/{nfg.form.title or 'nfg'}",
        seat_names=_seat_names(nfg.players),
        version=version,
        citation=_CITATION,
        rebuildable=rebuildable,
    )


def save(game: Efg | Nfg | NormalForm, path: str | Path) -> None:
    """Write a Gambit file; the suffix must fit the form.

    Raises:
        ParameterError: another suffix.
    """
    from arena.files import write_atomic

    suffix = ".efg" if isinstance(game, Efg) else ".nfg"
    if Path(path).suffix != suffix:
        raise ParameterError("path", str(path), f"a name that ends in {suffix}")
    if isinstance(game, NormalForm):
        game = Nfg(game, tuple(f"Player {i + 1}" for i in range(game.seats)))
    text = write_efg(game) if isinstance(game, Efg) else write_nfg(game)
    with write_atomic(path) as file:
        file.write(text.encode())


class GambitFamily:
    """Files by their paths."""

    def names(self) -> list[str]:
        """Return nothing: the files are the user's own."""
        return []

    def info(self, name: str) -> Info:
        """Describe a file."""
        game = self.make(name)
        tags = {
            "seats": str(game.seats),
            "payoff": game.payoff,
            "turns": game.turns,
            "information": "perfect" if game.perfect_information else "imperfect",
        }
        return Info(game.id, game.summary, tags, "file")

    def make(self, name: str, **params: Any) -> Game:
        """Read a file.

        Raises:
            UnknownNameError: there is no such file.
            FormatError: it cannot be read; the message names line and token.
            UnknownNameError: parameters were given, but a file has none.
        """
        if params:
            raise UnknownNameError(
                f"parameter of gambit/{name}", next(iter(params)), [], hint="a file has none"
            )
        path = Path(name).expanduser()
        if path.suffix not in (".efg", ".nfg"):
            raise FormatError(f"{name}: expected a file named *.efg or *.nfg")
        try:
            data = path.read_bytes()
        except OSError as error:
            near = [str(p) for s in (".efg", ".nfg") for p in path.parent.glob(f"*{s}")]
            raise UnknownNameError(
                "Gambit file", name, near, hint=error.strerror or "it cannot be read"
            ) from error
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormatError(f"{name}: expected text in UTF-8; {error}") from error
        version = f"gambit {hashlib.blake2b(data, digest_size=6).hexdigest()}"
        id = f"gambit/{name}"
        if path.suffix == ".efg":
            return efg_game(parse_efg(text, name), id=id, version=version, rebuildable=True)
        return nfg_game(parse_nfg(text, name), id=id, version=version, rebuildable=True)


FAMILY = GambitFamily()
