"""A `Tree` as a Gambit extensive-form file (`.efg`, format 2).

Nodes are written in prefix order. Gambit refuses more than the format does, so probabilities
are written as fractions that sum to exactly one, and infosets are labelled by their keys in
single-spaced printable text that differs within a seat. Payoffs are written as the shortest
exact number.

Source: the file format's description in Gambit's documentation ("The extensive game (.efg)
file format").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from arena.types import CHANCE
from games.tree.data import TERMINAL, Tree

__all__ = ["to_efg"]


def to_efg(tree: Tree, *, seat_names: Sequence[str] = ()) -> str:
    """Return the text of an `.efg` file for `tree`.

    Args:
        tree: infosets are labelled by their keys, actions by their numbers.
        seat_names: names of the players; by default `seat_0`, …
    """
    names = seat_names or [f"seat_{p}" for p in range(tree.seats)]
    head = f"EFG 2 R {_quote(tree.game)} {{ {' '.join(map(_quote, names))} }}"
    return "\n".join([head, _quote(f"version {tree.version}"), "", *_lines(tree), ""])


def _lines(tree: Tree) -> Iterator[str]:
    outcome: dict[tuple[float, ...], int] = {}
    terminal = {int(v): z for z, v in enumerate(tree.terminals)}
    labels_of = _infoset_labels(tree)
    n_chance = 0
    stack = [0]
    while stack:
        v = stack.pop()
        seat = int(tree.seat[v])
        if seat == TERMINAL:
            payoff = tuple(tree.payoffs[:, terminal[v]].tolist())
            known = payoff in outcome
            number = outcome.setdefault(payoff, len(outcome) + 1)
            line = f't "" {number}'
            yield line if known else f'{line} "" {{ {", ".join(map(_number, payoff))} }}'
            continue
        first, count = int(tree.first_child[v]), int(tree.n_children[v])
        children = range(first, first + count)
        stack.extend(reversed(children))
        labels = [_quote(str(int(tree.action[c]))) for c in children]
        if seat == CHANCE:
            n_chance += 1
            shares = _fractions([float(tree.chance[c]) for c in children])
            inside = " ".join(f"{a} {p}" for a, p in zip(labels, shares, strict=True))
            yield f'c "" {n_chance} "" {{ {inside} }} 0'
        else:
            i = int(tree.infoset[v])
            number = i - int(tree.seat_infoset[seat]) + 1
            yield f'p "" {seat + 1} {number} {_quote(labels_of[i])} {{ {" ".join(labels)} }} 0'


def _infoset_labels(tree: Tree) -> list[str]:
    """Return the keys as labels that Gambit takes, different ones for the infosets of a seat."""
    out: list[str] = []
    for seat in range(tree.seats):
        taken: set[str] = set()
        for number, i in enumerate(range(*map(int, tree.seat_infoset[seat : seat + 2])), start=1):
            printable = (c if c.isprintable() else " " for c in tree.keys[i])
            label = " ".join("".join(printable).split()) or f"infoset {number}"
            while label in taken:
                label += f" ({number})"
            taken.add(label)
            out.append(label)
    return out


def _fractions(probabilities: Sequence[float]) -> list[Fraction]:
    simple = [Fraction(p).limit_denominator(1_000_000) for p in probabilities]
    if sum(simple) == 1:
        return simple
    exact = [Fraction(p) for p in probabilities]
    total = sum(exact)
    return [p / total for p in exact]


def _number(value: float) -> str:
    if value == int(value):
        return str(int(value))
    simple = Fraction(value).limit_denominator(1_000_000)
    return str(simple) if float(simple) == value else format(Decimal(value), "f")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
