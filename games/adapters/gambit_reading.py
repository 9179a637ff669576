"""Gambit's files read: `.efg` (extensive form) and `.nfg` (strategic form).

Source: McKelvey, McLennan and Turocy, "Gambit: Software Tools for Game Theory", the
chapter on representations of games.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arena.types import CHANCE
from games.adapters.gambit_forms import Efg, EfgNode, Infoset, Nfg, Outcome
from games.adapters.gambit_tokens import Reader
from games.normal_form import NormalForm

__all__ = ["parse_efg", "parse_nfg"]

_SLACK = Fraction(1, 10**6)


def parse_efg(text: str, where: str = "efg") -> Efg:
    """Read an extensive form.

    Args:
        text: the contents of the file.
        where: what to call it in messages.

    Raises:
        FormatError: with line and token.
    """
    reader = Reader(text, where)
    reader.header("EFG", ("2",))
    title = reader.text("the title in quotes")
    players = tuple(reader.braced("player names", lambda: reader.text("a player's name")))
    if not players:
        reader.fail("at least one player", back=1)
    game = Efg(title, players, reader.maybe_text() or "")
    open_: list[tuple[int, int]] = []  # (node, children still to come)
    used: dict[int, int] = {}  # outcome to the token that first named it
    while True:
        position, count = _node(reader, game, used)
        if open_:
            parent, left = open_[-1]
            game.nodes[parent].children.append(position)
            open_[-1] = (parent, left - 1)
        if count:
            open_.append((position, count))
        while open_ and open_[-1][1] == 0:
            open_.pop()
        if not open_:
            break
    if reader.peek()[0] != "end":
        reader.fail("the end of the file, as the tree is complete")
    for outcome, token in used.items():
        if outcome not in game.outcomes:
            reader.at = token
            reader.fail(f"an outcome that is defined somewhere, not {outcome}")
    return game


def _node(reader: Reader, game: Efg, used: dict[int, int]) -> tuple[int, int]:
    """Read one node; return its position and how many children follow."""
    kind = reader.peek()[1]
    if kind not in ("c", "p", "t") or reader.peek()[0] != "word":
        reader.fail("a node: c, p or t")
    reader.at += 1
    node = EfgNode(reader.maybe_text() or "")
    actions: tuple[str, ...] = ()
    if kind != "t":
        seat = CHANCE
        if kind == "p":
            n = len(game.players)
            seat = reader.whole(f"a player from 1 to {n}", 1, n) - 1
        node.seat = seat
        node.infoset = reader.whole("the number of an information set, 1 or more", 1)
        actions = _infoset(reader, game, seat, node.infoset)
    node.outcome = reader.whole("the number of an outcome, 0 for none", 0)
    if node.outcome:
        used.setdefault(node.outcome, reader.at - 1)
        _outcome(reader, game, node.outcome)
    elif reader.peek()[0] == "text":
        reader.at += 1  # a name for no outcome: old files write one
    game.nodes.append(node)
    return len(game.nodes) - 1, len(actions)


def _infoset(reader: Reader, game: Efg, seat: int, number: int) -> tuple[str, ...]:
    """Read what stands of an information set and return its actions."""
    known = game.infosets.get((seat, number))
    start = reader.at
    name = reader.maybe_text()
    if reader.peek() != ("mark", "{"):
        if known is None:
            reader.fail("{ and the actions of an information set that is new")
        return known.actions
    pairs = reader.braced("the actions", lambda: _branch(reader, chance=seat == CHANCE))
    if not pairs:
        reader.fail("at least one action", back=1)
    chances = tuple(p for _, p in pairs) if seat == CHANCE else ()
    total = sum(chances, Fraction(0))
    if chances and abs(total - 1) > _SLACK:
        reader.fail(f"probabilities that add to 1, not {total}", back=1)
    # Decimals such as .333333 leave a rest; it is shared out in proportion.
    chances = tuple(p / total for p in chances)
    found = Infoset(name if name is not None else "", tuple(a for a, _ in pairs), chances)
    if known is None:
        game.infosets[seat, number] = found
    elif (known.actions, known.chances) != (found.actions, found.chances):
        reader.at = start
        reader.fail(f"the same actions as before at information set {number}, {known.actions}")
    return found.actions


def _branch(reader: Reader, *, chance: bool) -> tuple[str, Fraction]:
    label = reader.text("an action in quotes")
    if not chance:
        return label, Fraction(0)
    probability = reader.number("a probability")
    if probability < 0:
        reader.fail("a probability of at least 0", back=1)
    return label, probability


def _outcome(reader: Reader, game: Efg, number: int) -> None:
    start = reader.at
    name = reader.maybe_text()
    if reader.peek() != ("mark", "{"):
        return
    payoffs = tuple(reader.braced("payoffs", lambda: reader.number("a payoff")))
    if len(payoffs) != len(game.players):
        reader.fail(f"{len(game.players)} payoffs, not {len(payoffs)}", back=1)
    known = game.outcomes.get(number)
    if known is not None and known.payoffs != payoffs:
        reader.at = start
        reader.fail(f"the same payoffs as before at outcome {number}")
    if known is None:
        game.outcomes[number] = Outcome(name or "", payoffs)


def parse_nfg(text: str, where: str = "nfg") -> Nfg:
    """Read a strategic form: payoffs listed for each joint action, or outcomes by number.

    Raises:
        FormatError: with line and token.
    """
    reader = Reader(text, where)
    reader.header("NFG", ("1",))
    title = reader.text("the title in quotes")
    players = tuple(reader.braced("player names", lambda: reader.text("a player's name")))
    n = len(players)
    if n == 0:
        reader.fail("at least one player", back=1)
    names, counts = _strategies(reader, n)
    comment = reader.maybe_text() or ""
    joint = int(np.prod(counts))
    if reader.peek() == ("mark", "{"):
        rows = _outcome_rows(reader, n, joint)
    else:
        rows = [
            [float(reader.number(f"payoff {i * n + seat + 1} of {joint * n}")) for seat in range(n)]
            for i in range(joint)
        ]
    if reader.peek()[0] != "end":
        reader.fail(f"the end of the file after {joint} joint actions")
    # The first seat's action runs fastest: (A_n, …, A_1, n) turned round.
    tensor = np.array(rows).reshape(*reversed(counts), n).transpose()
    return Nfg(NormalForm(tensor, names, title), players, comment)


def _strategies(reader: Reader, n: int) -> tuple[list[tuple[str, ...]] | None, list[int]]:
    """Read `{ 2 3 }` or `{ { "a" "b" } { "c" "d" "e" } }`."""
    reader.mark("{", "{ and the numbers or names of the actions")
    names: list[tuple[str, ...]] = []
    counts: list[int] = []
    while reader.peek() != ("mark", "}"):
        if reader.peek() == ("mark", "{"):
            labels = reader.braced("names of actions", lambda: reader.text("an action in quotes"))
            names.append(tuple(labels))
            counts.append(len(labels))
        else:
            counts.append(reader.whole("a number of actions, 1 or more", 1))
        if counts[-1] == 0:
            reader.fail("at least one action", back=1)
    if len(counts) != n or len(names) not in (0, n):
        reader.fail(f"actions for each of {n} players, not {len(counts)}")
    reader.at += 1
    # Labels need not differ in a file; where they do not, numbers tell the actions apart.
    distinct = all(len(set(seat)) == len(seat) for seat in names)
    return (names if names and distinct else None), counts


def _outcome_rows(reader: Reader, n: int, joint: int) -> list[list[float]]:
    """Read the outcomes and then, for each joint action, the number of one (0: all paid 0)."""

    def outcome() -> list[float]:
        reader.mark("{", "{ and an outcome")
        reader.text("the outcome's name")
        values = []
        while reader.peek() != ("mark", "}"):
            values.append(float(reader.number("a payoff")))
        if len(values) != n:
            reader.fail(f"{n} payoffs, not {len(values)}")
        reader.at += 1
        return values

    outcomes = reader.braced("outcomes", outcome)
    table = [[0.0] * n, *outcomes]
    expected = f"the number of an outcome, 0 to {len(outcomes)}"
    return [table[reader.whole(expected, 0, len(outcomes))] for _ in range(joint)]
