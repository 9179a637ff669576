"""Gambit's file formats, read and written: `.efg` (extensive form) and `.nfg` (strategic form).

Numbers stay exact: integers, decimals (`.5`, `1e-3`) and ratios (`1/3`) become fractions.

Source: McKelvey, McLennan and Turocy, "Gambit: Software Tools for Game Theory", the
chapter on representations of games.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, NoReturn, TypeVar

import numpy as np

from arena.errors import FormatError
from arena.types import CHANCE
from games.normal_form import NormalForm

__all__ = [
    "Efg",
    "EfgNode",
    "Infoset",
    "Nfg",
    "Outcome",
    "outcome_sums",
    "parse_efg",
    "parse_nfg",
    "write_efg",
    "write_nfg",
]

_TOKEN = re.compile(
    r'(?P<space>[\s,]+)|(?P<text>"(?:\\.|[^"\\])*")|(?P<mark>[{}])|(?P<word>[^\s,{}"]+)'
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?(/\d+)?")
T = TypeVar("T")
_SLACK = Fraction(1, 10**6)


class Outcome(NamedTuple):
    """What the seats are paid where the outcome stands, shape (n,)."""

    name: str
    payoffs: tuple[Fraction, ...]


class Infoset(NamedTuple):
    """The actions of an information set; `chances` holds their probabilities if it is chance's."""

    name: str
    actions: tuple[str, ...]
    chances: tuple[Fraction, ...] = ()


@dataclass
class EfgNode:
    """A node of the tree.

    Attributes:
        name: its label.
        seat: who moves; CHANCE, or None at a terminal node.
        infoset: the number of its information set among those of the seat.
        outcome: number of the outcome that is paid on reaching the node, 0 for none.
        children: positions of the nodes that the actions lead to.
    """

    name: str = ""
    seat: int | None = None
    infoset: int = 0
    outcome: int = 0
    children: list[int] = field(default_factory=list)


@dataclass
class Efg:
    """An extensive form, its nodes in prefix order.

    Attributes:
        title: the title.
        players: the names of the seats, length n.
        comment: free text.
        nodes: the root first.
        infosets: by seat (CHANCE too) and number.
        outcomes: by number.
    """

    title: str
    players: tuple[str, ...]
    comment: str = ""
    nodes: list[EfgNode] = field(default_factory=list)
    infosets: dict[tuple[int, int], Infoset] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)


@dataclass(frozen=True)
class Nfg:
    """A strategic form with the names that a file gives it."""

    form: NormalForm
    players: tuple[str, ...]
    comment: str = ""


# -- reading ------------------------------------------------------------------------------


class _Reader:
    """Tokens with their lines, and errors that name them."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        self.tokens: list[tuple[str, str, int]] = []
        self.at = 0
        line, position = 1, 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:  # only an opening quote that is never closed gets here
                raise FormatError(f'{where}, line {line}: a text opened by " is not closed')
            kind, token = str(match.lastgroup), match.group()
            if kind != "space":
                self.tokens.append((kind, token, line))
            line += token.count("\n")
            position = match.end()
        self.tokens.append(("end", "the end of the file", line))

    def fail(self, expected: str, *, back: int = 0) -> NoReturn:
        """Raise the error for the token at hand (or one further back)."""
        _, token, line = self.tokens[self.at - back]
        raise FormatError(f"{self.where}, line {line}: expected {expected}, found {token}")

    def peek(self) -> tuple[str, str]:
        """Return kind and token without taking it."""
        kind, token, _ = self.tokens[self.at]
        return kind, token

    def line(self) -> int:
        """Return the line of the token at hand."""
        return self.tokens[self.at][2]

    def take(self, kind: str, expected: str) -> str:
        """Take a token of that kind."""
        found, token = self.peek()
        if found != kind:
            self.fail(expected)
        self.at += 1
        return token

    def mark(self, mark: str, expected: str = "") -> None:
        """Take a brace."""
        if self.peek() != ("mark", mark):
            self.fail(expected or mark)
        self.at += 1

    def text(self, expected: str) -> str:
        """Take a quoted text."""
        return re.sub(r"\\(.)", r"\1", self.take("text", expected)[1:-1], flags=re.DOTALL)

    def maybe_text(self) -> str | None:
        """Take a quoted text if there is one."""
        return self.text("") if self.peek()[0] == "text" else None

    def number(self, expected: str) -> Fraction:
        """Take a number: 2, -1.5, .5, 1e-3 or 1/3."""
        token = self.take("word", expected)
        if not _NUMBER.fullmatch(token):
            self.fail(expected, back=1)
        top, _, bottom = token.partition("/")
        if bottom and not int(bottom):
            self.fail("a number that is not divided by 0", back=1)
        return Fraction(top) / int(bottom or 1)

    def whole(self, expected: str, low: int, high: int | None = None) -> int:
        """Take an integer in a range."""
        value = self.number(expected)
        if value.denominator != 1 or value < low or (high is not None and value > high):
            self.fail(expected, back=1)
        return int(value)

    def braced(self, what: str, item: Callable[[], T]) -> list[T]:
        """Take `{ item item … }`."""
        self.mark("{", f"{{ and {what}")
        items: list[T] = []
        while self.peek() != ("mark", "}"):
            if self.peek()[0] == "end":
                self.fail("}")
            items.append(item())
        self.at += 1
        return items

    def header(self, word: str, versions: Sequence[str]) -> None:
        """Take `EFG 2 R` or `NFG 1 R`."""
        if self.take("word", word) != word:
            self.fail(word, back=1)
        if self.take("word", f"version {versions[0]}") not in versions:
            self.fail(f"version {' or '.join(versions)}", back=1)
        if self.take("word", "R or D") not in ("R", "D"):
            self.fail("R or D", back=1)


def parse_efg(text: str, where: str = "efg") -> Efg:
    """Read an extensive form.

    Args:
        text: the contents of the file.
        where: what to call it in messages.

    Raises:
        FormatError: with line and token.
    """
    reader = _Reader(text, where)
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


def _node(reader: _Reader, game: Efg, used: dict[int, int]) -> tuple[int, int]:
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


def _infoset(reader: _Reader, game: Efg, seat: int, number: int) -> tuple[str, ...]:
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


def _branch(reader: _Reader, *, chance: bool) -> tuple[str, Fraction]:
    label = reader.text("an action in quotes")
    if not chance:
        return label, Fraction(0)
    probability = reader.number("a probability")
    if probability < 0:
        reader.fail("a probability of at least 0", back=1)
    return label, probability


def _outcome(reader: _Reader, game: Efg, number: int) -> None:
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
    reader = _Reader(text, where)
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


def _strategies(reader: _Reader, n: int) -> tuple[list[tuple[str, ...]] | None, list[int]]:
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


def _outcome_rows(reader: _Reader, n: int, joint: int) -> list[list[float]]:
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


# -- writing ------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_efg(game: Efg) -> str:
    """Return the file of an extensive form; `parse_efg` reads it back."""
    lines = [
        f"EFG 2 R {_quoted(game.title)} {{ {' '.join(map(_quoted, game.players))} }}",
        _quoted(game.comment),
        "",
    ]
    told: set[tuple[int, int]] = set()
    paid: set[int] = set()
    for node in game.nodes:
        words = ["t" if node.seat is None else "c" if node.seat == CHANCE else "p"]
        words.append(_quoted(node.name))
        if node.seat is not None:
            if node.seat != CHANCE:
                words.append(str(node.seat + 1))
            words.append(str(node.infoset))
            where = (node.seat, node.infoset)
            if where not in told:
                told.add(where)
                words += [_quoted(game.infosets[where].name), _written(game.infosets[where])]
        words.append(str(node.outcome))
        if node.outcome and node.outcome not in paid:
            paid.add(node.outcome)
            outcome = game.outcomes[node.outcome]
            words += [_quoted(outcome.name), f"{{ {', '.join(map(str, outcome.payoffs))} }}"]
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def _written(infoset: Infoset) -> str:
    if infoset.chances:
        pairs = zip(infoset.actions, infoset.chances, strict=True)
        return "{ " + " ".join(f"{_quoted(a)} {p}" for a, p in pairs) + " }"
    return "{ " + " ".join(map(_quoted, infoset.actions)) + " }"


def write_nfg(game: Nfg) -> str:
    """Return the file of a strategic form, payoff by payoff; `parse_nfg` reads it back."""
    form = game.form
    names = " ".join("{ " + " ".join(map(_quoted, seat)) + " }" for seat in form.action_names)
    head = [
        f"NFG 1 R {_quoted(form.title)} {{ {' '.join(map(_quoted, game.players))} }}",
        "",
        f"{{ {names} }}",
        _quoted(game.comment),
        "",
    ]
    rows = form.payoffs.transpose().reshape(-1, form.seats)
    return "\n".join([*head, *(" ".join(map(_decimal, row)) for row in rows.tolist())]) + "\n"


def _decimal(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def outcome_sums(game: Efg) -> Mapping[int, tuple[Fraction, ...]]:
    """Return, by terminal node, all that was paid on the way to it, shape (n,) each."""
    nothing = (Fraction(0),) * len(game.players)
    ends: dict[int, tuple[Fraction, ...]] = {}
    paid: list[tuple[Fraction, ...]] = [nothing] * len(game.nodes)
    for position, node in enumerate(game.nodes):  # prefix order: parents come first
        if node.outcome:
            here = game.outcomes[node.outcome].payoffs
            paid[position] = tuple(a + b for a, b in zip(paid[position], here, strict=True))
        for child in node.children:
            paid[child] = paid[position]
        if node.seat is None:
            ends[position] = paid[position]
    return ends
