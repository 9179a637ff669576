"""Trees, equilibria and regrets as Gambit itself sees them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from arena.types import CHANCE
from games.adapters.gambit import efg_game, parse_efg
from games.tree import TERMINAL, Tree, compile_state, to_efg
from solvers.certificates import certify
from solvers.tree.agent_qre import agent_branch
from tests.reference.trees import random_game

gambit = pytest.importorskip("pygambit")

GAMES: list[tuple[str, dict[str, Any]]] = [
    ("kuhn_poker", {}),
    ("kuhn_poker", {"players": 3}),
    ("liars_dice", {"dice_sides": 2}),
    ("goofspiel", {"num_cards": 3, "imp_info": True, "points_order": "descending"}),
    ("openspiel/matrix_pd", {}),
    ("openspiel/tiny_bridge_2p", {}),
    ("openspiel/tiny_hanabi", {}),
    ("openspiel/first_sealed_auction", {"max_value": 4}),
    ("openspiel/blotto", {"players": 3, "coins": 3, "fields": 2}),
    ("openspiel/sheriff", {"num_rounds": 1, "max_items": 2, "max_bribe": 1}),
    ("openspiel/nim", {"pile_sizes": "1;2;2"}),
]


def read(tree: Tree, folder: Path) -> Any:
    path = folder / "game.efg"
    path.write_text(to_efg(tree), encoding="utf-8")
    return gambit.read_efg(path)


def node_at(tree: Tree, labels: tuple[str, ...], names: Any = None) -> int:
    """The node that a history of Gambit's leads to; `names` gives a node's action labels."""
    node = 0
    for label in labels:
        children = range(tree.first_child[node], tree.first_child[node] + tree.n_children[node])
        known = [str(tree.action[c]) for c in children] if names is None else names(node)
        node = children[known.index(label)]
    return node


def number(value: Any) -> Fraction:
    return Fraction(value) if isinstance(value, Decimal) else Fraction(str(value))


@pytest.mark.parametrize(("name", "params"), GAMES)
def test_exported_trees_are_the_same_games_to_gambit(
    name: str, params: dict[str, Any], tmp_path: Path
) -> None:
    game = arena.make(name, **params)
    tree = compile_state(game, game.root())
    theirs = read(tree, tmp_path)
    players = list(theirs.players)
    plays = [play.actions for play in theirs.get_histories(gambit.H.plays)]
    assert len({play[:k] for play in plays for k in range(len(play) + 1)}) == tree.n_nodes
    ends = {int(v): z for z, v in enumerate(tree.terminals)}
    for play in plays:
        z = ends.pop(node_at(tree, play))
        outcome = theirs.get_outcome_payoffs(theirs.get_outcome(gambit.H.path(*play)))
        assert [number(outcome[p]) for p in players] == [
            _simple(value) for value in tree.payoffs[:, z].tolist()
        ]
    assert not ends
    for seat, player in enumerate(players):
        low, high = int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])
        left = {frozenset(np.flatnonzero(tree.infoset == i).tolist()) for i in range(low, high)}
        for one in theirs.get_infosets(player):
            members = theirs.get_members(gambit.H.path(*one.actions))
            nodes = frozenset(node_at(tree, member.actions) for member in members)
            left.remove(nodes)
            i = int(tree.infoset[min(nodes)])
            labels = theirs.get_actions(gambit.H.path(*one.actions))
            assert labels == [str(a) for a in tree.infoset_actions(i)]
        assert not left
    for event in theirs.get_events():
        node = node_at(tree, event.actions)
        odds = theirs.get_action_probs(gambit.H.path(*event.actions))
        assert tree.seat[node] == CHANCE
        children = range(tree.first_child[node], tree.first_child[node] + tree.n_children[node])
        for child in children:
            share = number(odds[str(tree.action[child])])
            assert abs(share - Fraction(float(tree.chance[child]))) < 1e-12
        assert sum(number(p) for p in odds.values()) == 1


def _simple(value: float) -> Fraction:
    """The number meant by a float: the fraction of small denominator that rounds to it."""
    simple = Fraction(value).limit_denominator(1_000_000)
    return simple if float(simple) == value else Fraction(value)


def behaviour(tree: Tree, profile: Any, names: Any = None) -> np.ndarray:
    """A profile of Gambit's as a behaviour policy, (Q,).

    A pure strategy says nothing of infosets that it does not reach; uniform there.
    """
    out = tree.uniform()
    for mixed in profile:
        for history, odds in mixed:
            i = tree.infoset[node_at(tree, history.actions, names)]
            shares = [float(p) for _, p in odds]
            if sum(shares) > 0.0:
                out[tree.info_first[i] : tree.info_first[i] + tree.info_actions[i]] = shares
    return out


def profile(theirs: Any, tree: Tree, policy: np.ndarray, names: Any = None) -> Any:
    """A behaviour policy, (Q,), as a profile of Gambit's."""
    data = []
    for player in theirs.players:
        rows = []
        for one in theirs.get_infosets(player):
            i = int(tree.infoset[node_at(tree, one.actions, names)])
            first = int(tree.info_first[i])
            rows.append(policy[first : first + int(tree.info_actions[i])].tolist())
        data.append(rows)
    return theirs.mixed_behavior_profile(data=data)


@pytest.mark.parametrize(
    ("name", "params", "precisions"),
    [
        ("kuhn_poker", {}, [0.5, 2.0, 20.0]),
        ("openspiel/matrix_pd", {}, [0.5, 3.0]),
        ("openspiel/tiny_hanabi", {}, [0.3]),
        ("liars_dice", {"dice_sides": 2}, [1.0, 5.0]),
        ("openspiel/sheriff", {"num_rounds": 1, "max_items": 1, "max_bribe": 1}, [0.3]),
        ("kuhn_poker", {"players": 3}, [1.0]),
    ],
)
def test_agent_equilibria_equal_gambits(
    name: str, params: dict[str, Any], precisions: list[float], tmp_path: Path
) -> None:
    game = arena.make(name, **params)
    tree = compile_state(game, game.root())
    theirs = read(tree, tmp_path)
    for precision in precisions:
        (peer,) = gambit.qre.logit_solve_lambda(theirs, precision)
        ours = arena.solve(game, "agent_qre", temperature=1.0 / precision)
        assert ours.certificate["agent_qre_residual"].value < 1e-10
        np.testing.assert_allclose(
            tree.from_table(ours.policy), behaviour(tree, peer.profile), atol=1e-5
        )


@pytest.mark.parametrize("seed", range(8))
def test_agent_equilibria_of_random_games_equal_gambits(seed: int, tmp_path: Path) -> None:
    game = random_game(seed, n=2 + seed % 2, depth=4)
    tree = compile_state(game, game.root())
    theirs = read(tree, tmp_path)
    (peer,) = gambit.qre.logit_solve_lambda(theirs, 0.5)
    branch = agent_branch(tree, temperature=2.0)
    assert branch.precision[0] == 0.0 and branch.precision[-1] == pytest.approx(0.5)
    np.testing.assert_array_equal(branch.policies[0], tree.uniform())
    np.testing.assert_allclose(branch.policies[-1], behaviour(tree, peer.profile), atol=1e-5)


# -- the catalogue -------------------------------------------------------------------------


def catalogue() -> Iterator[str]:
    for name in gambit.catalog.games()["Game"]:
        if hasattr(gambit.catalog.load(name), "get_infosets"):
            yield name


def loaded(name: str) -> tuple[Any, Any, Tree, Any]:
    theirs = gambit.catalog.load(name)
    text = theirs.to_efg()
    efg = parse_efg(text)
    game = efg_game(efg)
    tree = compile_state(game, game.root())

    def names(node: int) -> list[str]:
        at = 0  # our numbering of nodes to the file's
        for step in tree.history(node):
            at = efg.nodes[at].children[step]
        one = efg.nodes[at]
        assert one.seat is not None
        return list(efg.infosets[one.seat, one.infoset].actions)

    return theirs, game, tree, names


def equilibria(theirs: Any, tree: Tree) -> list[Any]:
    """What Gambit's solvers for this kind of game find."""
    nash = gambit.nash
    found = [one.as_behavior() for one in nash.enumpure_solve(theirs).equilibria]
    if tree.seats == 2:
        found.append(nash.lcp_solve(theirs, rational=False).equilibrium)
    found.append(nash.logit_solve(theirs).equilibrium)
    return [one for one in found if one is not None]


CATALOGUE = list(catalogue())


@pytest.mark.parametrize("name", CATALOGUE)
def test_equilibria_of_the_catalogue_by_regret_both_ways(name: str) -> None:
    theirs, game, tree, names = loaded(name)
    perfect = all(theirs.has_perfect_recall(p) for p in theirs.players)
    assert (tree.breach is None) == perfect
    rng = np.random.default_rng(len(name))
    # Any policy: the payoffs are the same to both.
    draws = [tree.uniform()]
    for _ in range(5):
        policy = np.ones(tree.n_sequences)
        for i in range(tree.n_infosets):
            count = int(tree.info_actions[i])
            policy[tree.info_first[i] : tree.info_first[i] + count] = rng.dirichlet(np.ones(count))
        draws.append(policy)
    for policy in draws:
        peer = profile(theirs, tree, policy, names)
        mine = certify(tree, policy)
        for seat, player in enumerate(theirs.players):
            assert mine[f"value_{seat}"].value == pytest.approx(float(peer.payoffs[player]))
    if not perfect:
        return
    scale = max(1.0, float(np.ptp(tree.payoffs)))
    for policy in draws:
        worst = max(certify(tree, policy)[f"regret_{p}"].value for p in range(tree.seats))
        assert worst == pytest.approx(float(profile(theirs, tree, policy, names).max_regret()))
    # Their equilibria, judged here.
    found = equilibria(theirs, tree)
    for one in found:
        gap = certify(tree, behaviour(tree, one, names))["nash_conv"].value
        assert gap <= 1e-6 * scale
    # Our equilibria, judged there.
    if tree.seats == 2 and tree.constant_sum is not None:
        ours = arena.solve(game, "sequence_form_lp")
        peer = profile(theirs, tree, tree.from_table(ours.policy), names)
        assert float(peer.max_regret()) <= 1e-9 * scale
        values = [float(one.payoffs[next(iter(theirs.players))]) for one in found]
        assert values == pytest.approx(len(values) * [ours.certificate["value_0"].value], abs=1e-6)
    ours = arena.solve(game, "agent_qre", temperature=0.02 * scale)
    peer = profile(theirs, tree, tree.from_table(ours.policy), names)
    assert float(peer.max_regret()) == pytest.approx(
        max(ours.certificate[f"regret_{p}"].value for p in range(tree.seats)), abs=1e-9 * scale
    )


def test_the_catalogue_has_trees_of_every_kind() -> None:
    trees = [loaded(name)[2] for name in CATALOGUE]
    assert len(trees) >= 15
    assert any(tree.breach is not None for tree in trees)
    assert any(tree.seats == 3 for tree in trees)
    assert any((tree.seat == CHANCE).any() for tree in trees)
    assert any(tree.seats == 2 and tree.constant_sum is not None for tree in trees)
    assert all((tree.seat == TERMINAL).sum() == len(tree.terminals) for tree in trees)
