"""What `to_efg` writes, read back by a small parser of the format's prefix order."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from games.tree import Tree, compile_state, to_efg
from solvers.certificates import values
from tests.reference.trees import Node, random_game, toy_game

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}])|([^\s{}",]+)')


class Reader:
    """Reads one tree; checks that an infoset's actions and chance's sums are what they must be."""

    def __init__(self, text: str) -> None:
        self.tokens = [m.group(0) for m in _TOKEN.finditer(text)]
        self.at = 0
        assert [self.next() for _ in range(3)] == ["EFG", "2", "R"]
        self.title = self.next()
        self.players = self.braced()
        self.comment = self.next()
        self.infosets: dict[tuple[int, int], tuple[str, list[str]]] = {}
        self.outcomes: dict[int, list[Fraction]] = {}
        self.nodes = 0

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def braced(self) -> list[str]:
        assert self.next() == "{"
        end = self.tokens.index("}", self.at)
        inside, self.at = self.tokens[self.at : end], end + 1
        return inside

    def value(self) -> np.ndarray:
        """Expected payoffs below this node under uniform play."""
        self.nodes += 1
        kind, _ = self.next(), self.next()
        if kind == "t":
            number = int(self.next())
            if number not in self.outcomes:
                assert self.next() == '""'
                self.outcomes[number] = [Fraction(x) for x in self.braced()]
            return np.array([float(x) for x in self.outcomes[number]])
        if kind == "c":
            assert int(self.next()) > 0 and self.next() == '""'
            inside = self.braced()
            odds = [Fraction(x) for x in inside[1::2]]
            assert sum(odds) == 1
        else:
            assert kind == "p"
            key = (int(self.next()), int(self.next()))
            name, actions = self.next(), self.braced()
            assert self.infosets.setdefault(key, (name, actions)) == (name, actions)
            odds = [Fraction(1, len(actions))] * len(actions)
        assert self.next() == "0"
        return sum((float(p) * self.value() for p in odds), np.zeros(len(self.players)))


def assert_round_trip(tree: Tree) -> None:
    reader = Reader(to_efg(tree))
    np.testing.assert_allclose(reader.value(), values(tree, tree.uniform()), atol=1e-9)
    assert reader.at == len(reader.tokens)
    assert reader.nodes == tree.n_nodes
    assert len(reader.infosets) == tree.n_infosets
    for i, key in enumerate(tree.keys):
        seat = int(tree.info_seat[i])
        name, actions = reader.infosets[seat + 1, i - int(tree.seat_infoset[seat]) + 1]
        assert name.strip('"') == " ".join(key.split()).replace('"', '\\"')
        assert actions == [f'"{a}"' for a in tree.infoset_actions(i)]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("kuhn_poker", {}),
        ("kuhn_poker", {"players": 3}),
        ("leduc_poker", {}),
        ("goofspiel", {"num_cards": 3, "imp_info": True}),
    ],
)
def test_openspiel_games_round_trip(name: str, params: dict[str, Any]) -> None:
    game = arena.make(name, **params)
    assert_round_trip(compile_state(game, game.root()))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 3), ties=st.booleans())
def test_random_games_round_trip(seed: int, n: int, ties: bool) -> None:
    game = random_game(seed, n=n, ties=ties)
    assert_round_trip(compile_state(game, game.root()))


def test_payoffs_are_written_exactly() -> None:
    pay = [0.1, 1 / 3, 1e-9, 123456789.25, -2.0]
    kids = {(k,): Node(payoffs=[v]) for k, v in enumerate(pay)}
    root = Node(movers=[0], keys={0: 'a "b"\nc'}, counts={0: 5}, children=kids)
    tree = compile_state(toy_game(root, 1, actions=5), toy_game(root, 1).root())
    reader = Reader(to_efg(tree, seat_names=["Ann"]))
    reader.value()
    assert [float(x) for (x,) in reader.outcomes.values()] == pay
    assert reader.players == ['"Ann"']


def test_labels_are_single_spaced_and_differ_within_a_seat() -> None:
    kids = {(k,): Node(payoffs=[0.0]) for k in range(2)}

    def ask(key: str) -> Node:
        return Node(movers=[0], keys={0: key}, counts={0: 2}, children=dict(kids))

    keys = ["a\tb ", " a  b", "a b (3)", "", "\x00"]
    root = Node(odds=[0.2] * 5, children={(k,): ask(key) for k, key in enumerate(keys)})
    tree = compile_state(toy_game(root, 1), toy_game(root, 1).root())
    reader = Reader(to_efg(tree))
    reader.value()
    labels = [name.strip('"') for name, _ in reader.infosets.values()]
    assert labels == ["a b", "a b (2)", "a b (3)", "infoset 4", "infoset 5"]
