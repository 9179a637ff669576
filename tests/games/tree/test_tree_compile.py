from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyspiel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import ArenaError, FormError, NotApplicableError, ParameterError
from arena.game import Game
from arena.types import CHANCE
from games.adapters.openspiel import wrap
from games.tree import TERMINAL, Budget, Tree, compile_state, obstacle, tree_of
from games.tree.estimate import estimate_nodes, size_beyond
from games.tree.load import cache_path, load_tree, save_tree
from games.tree.walk import Cursor, cursor_of
from tests.reference.trees import Node, infosets, random_game, toy_game

GAMES: list[tuple[str, dict[str, Any]]] = [
    ("kuhn_poker", {}),
    ("kuhn_poker", {"players": 3}),
    ("leduc_poker", {}),
    ("liars_dice", {"dice_sides": 3}),
    ("goofspiel", {"num_cards": 3, "imp_info": True}),
    ("openspiel/matrix_rps", {}),
    ("openspiel/first_sealed_auction", {"max_value": 4}),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path))
    return tmp_path


def fresh(game: Game) -> Tree:
    return compile_state(game, game.root())


@pytest.mark.parametrize(("name", "params"), GAMES)
def test_counts_agree_with_a_walk_over_openspiel(name: str, params: dict[str, Any]) -> None:
    raw = pyspiel.load_game(name.rsplit("/", maxsplit=1)[-1], params)
    if raw.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        raw = pyspiel.convert_to_turn_based(raw)
    kinds: Counter[str] = Counter()
    keys: set[tuple[int, str]] = set()
    returns: Counter[tuple[float, ...]] = Counter()

    def visit(state: Any) -> None:
        kinds["node"] += 1
        if state.is_terminal():
            returns[tuple(state.returns())] += 1
            return
        if not state.is_chance_node():
            player = state.current_player()
            keys.add((player, state.information_state_string(player)))
        for action in state.legal_actions():
            visit(state.child(action))

    visit(raw.new_initial_state())
    tree = fresh(arena.make(name, **params))
    assert tree.n_nodes == kinds["node"]
    assert tree.n_infosets == len(keys)
    assert returns == Counter(map(tuple, tree.payoffs.T.tolist()))


def assert_well_formed(tree: Tree) -> None:
    n_nodes = tree.n_nodes
    assert (tree.parent[1:] < np.arange(1, n_nodes)).all()
    inner = np.flatnonzero(tree.n_children > 0)
    assert tree.n_children.sum() == n_nodes - 1
    for v in inner:
        first, count = tree.first_child[v], tree.n_children[v]
        assert (tree.parent[first : first + count] == v).all()
        if tree.seat[v] == CHANCE:
            assert tree.chance[first : first + count].sum() == pytest.approx(1.0)
        else:
            i = tree.infoset[v]
            assert tree.info_seat[i] == tree.seat[v]
            np.testing.assert_array_equal(
                tree.action[first : first + count], tree.infoset_actions(int(i))
            )
    np.testing.assert_array_equal(np.flatnonzero(tree.seat == TERMINAL), tree.terminals)
    assert tree.terminal_chance.shape == (len(tree.terminals),)
    for p in range(tree.seats):
        low, high = tree.seat_infoset[p : p + 2]
        assert (tree.info_seat[low:high] == p).all()
        assert tree.sequence_action[tree.seat_sequence[p]] == -1
        # Every infoset comes after the one whose sequence leads to it.
        assert (tree.info_parent[low:high] < tree.info_first[low:high]).all()
    assert tree.info_actions.sum() + tree.seats == tree.n_sequences
    assert (tree.infoset[tree.representative] == np.arange(tree.n_infosets)).all()


@pytest.mark.parametrize(("name", "params"), GAMES)
def test_arrays_are_well_formed(name: str, params: dict[str, Any]) -> None:
    assert_well_formed(fresh(arena.make(name, **params)))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 3), depth=st.integers(0, 4))
def test_random_games_compile_to_their_own_infosets(seed: int, n: int, depth: int) -> None:
    game = random_game(seed, n=n, depth=depth)
    tree = fresh(game)
    assert_well_formed(tree)
    assert tree.breach is None
    found = dict(
        zip(
            zip(tree.info_seat.tolist(), tree.keys, strict=True),
            tree.info_actions.tolist(),
            strict=True,
        )
    )
    assert found == infosets(game)


@pytest.mark.parametrize(("name", "params"), GAMES)
def test_the_fast_cursor_sees_what_the_states_show(name: str, params: dict[str, Any]) -> None:
    game = arena.make(name, **params)

    class Plain:
        """The state without its `cursor`."""

        def __init__(self, state: Any) -> None:
            self._state = state

        def __getattr__(self, member: str) -> Any:
            if member == "cursor":
                raise AttributeError(member)
            return getattr(self._state, member)

        def clone(self) -> Plain:
            return Plain(self._state.clone())

    fast, slow = fresh(game), compile_state(game, Plain(game.root()))  # type: ignore[arg-type]
    assert fast.keys == slow.keys
    for field in ("parent", "seat", "infoset", "action", "chance", "payoffs", "info_parent"):
        np.testing.assert_array_equal(getattr(fast, field), getattr(slow, field))


def leaf(*payoffs: float) -> Node:
    return Node(payoffs=payoffs)


def choose(seat: int, key: str | None, *children: Node) -> Node:
    return Node(
        movers=[seat],
        keys={seat: key},
        counts={seat: len(children)},
        children={(k,): child for k, child in enumerate(children)},
    )


def test_imperfect_recall_is_named_by_two_histories() -> None:
    forgets = lambda a, b: choose(0, "again", leaf(a, -a), leaf(b, -b))  # noqa: E731 - short twin
    tree = fresh(toy_game(choose(0, "start", forgets(1, 2), forgets(3, 0)), 2))
    assert tree.breach is not None
    assert tree.keys[tree.breach.infoset] == "again"
    assert tree.breach.histories == ((0,), (1,))


def test_absent_mindedness_is_imperfect_recall() -> None:
    tree = fresh(toy_game(choose(0, "x", leaf(0, 0), choose(0, "x", leaf(1, 1), leaf(4, 4))), 2))
    assert tree.breach is not None and tree.breach.histories == ((), (1,))


@pytest.mark.parametrize(
    ("root", "words"),
    [
        (choose(0, "k", leaf(1, -1), leaf(float("nan"), 0)), r"payoff nan of seat 0 after \[1\]"),
        (choose(0, "k", leaf(1, -1), leaf(0, float("inf"))), r"payoff inf of seat 1 after \[1\]"),
        (
            choose(0, "a", choose(1, "k", leaf(0, 0)), choose(1, "k", leaf(0, 0), leaf(1, 1))),
            r"infoset 'k' of seat 1 has actions \[0\] and, after \[1\], \[0, 1\]",
        ),
        (choose(0, "a", leaf(0, 0), choose(1, "b")), r"seat 1 is to move after \[1\] but has no"),
        (
            Node(odds=[0.5, 0.4], children={(0,): leaf(0, 0), (1,): leaf(0, 0)}),
            r"sum to 0.9, not one, after \[\]",
        ),
        (
            Node(odds=[1.5, -0.5], children={(0,): leaf(0, 0), (1,): leaf(0, 0)}),
            r"chance probability 1.5 after \[0\]",
        ),
        (Node(odds=[]), r"no chance outcome after \[\]"),
        (choose(0, "k", leaf(1, -1), leaf(1, 2, 3)), "does not have 2 returns"),
    ],
)
def test_contradictions_are_refused_with_the_place(root: Node, words: str) -> None:
    with pytest.raises(ArenaError, match=words):
        # Estimating the size would walk into some of these first.
        fresh(toy_game(root, 2))


def test_missing_keys_name_the_game() -> None:
    with pytest.raises(NotApplicableError, match=r"toy has no infoset keys .* seat 1"):
        fresh(toy_game(choose(1, None, leaf(0, 0), leaf(0, 0)), 2))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hanabi", "no infoset keys"),
        ("bridge_uncontested_bidding", "draws chance inside"),
        ("mfg_crowd_modelling", "mean-field"),
    ],
)
def test_openspiel_games_without_a_tree_say_why(name: str, words: str) -> None:
    game = arena.make(f"openspiel/{name}")
    assert words in (obstacle(game) or "")
    with pytest.raises((NotApplicableError, FormError), match=words):
        tree_of(game)


def test_openspiels_imperfect_recall_is_found() -> None:
    tree = fresh(arena.make("openspiel/liars_dice_ir", dice_sides=3))
    assert tree.breach is not None
    raw = pyspiel.load_game("liars_dice_ir(dice_sides=3)")
    keys = set()
    for history in tree.breach.histories:
        state = raw.new_initial_state()
        for action in history:
            state.apply_action(action)
        keys.add((state.current_player(), state.information_state_string()))
    seat = int(tree.info_seat[tree.breach.infoset])
    assert keys == {(seat, tree.keys[tree.breach.infoset])}


def test_the_budget_is_kept_and_the_size_estimated() -> None:
    game = arena.make("liars_dice", dice_sides=5)
    with pytest.raises(NotApplicableError, match=r"over \d+,\d+ nodes, about .* limit is 20,000"):
        compile_state(game, game.root(), budget=Budget(nodes=20_000))
    with pytest.raises(NotApplicableError, match="GiB"):
        compile_state(game, game.root(), budget=Budget(memory=1 << 20))
    with pytest.raises(NotApplicableError, match="51,181 nodes; the limit is 50,000"):
        tree_of(game)
        tree_of(game, budget=Budget(nodes=50_000))


def test_the_size_estimate_is_unbiased() -> None:
    game = arena.make("liars_dice", dice_sides=4)
    root = cursor_of(game.root(), game.key)
    guesses = [estimate_nodes(root, probes=4, seed=seed) for seed in range(200)]
    assert np.mean(guesses) == pytest.approx(8181, abs=4 * np.std(guesses) / 200**0.5)


def test_progress_counts_nodes() -> None:
    game = arena.make("liars_dice", dice_sides=5)
    seen: list[int] = []
    tree = compile_state(game, game.root(), progress=seen.append)
    assert seen == sorted(seen) and len(seen) > 1 and seen[-1] == tree.n_nodes


def assert_same(one: Tree, other: Tree) -> None:
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(other, name))
            assert value.dtype == getattr(other, name).dtype
    assert (one.game, one.version, one.seats, one.breach, one.keys) == (
        other.game,
        other.version,
        other.seats,
        other.breach,
        other.keys,
    )


def test_a_tree_survives_the_disk(tmp_path: Path) -> None:
    for game in (arena.make("kuhn_poker"), random_game(4)):
        tree = fresh(game)
        save_tree(tree, tmp_path / "t.npz")
        assert_same(tree, load_tree(tmp_path / "t.npz"))
    breach = fresh(toy_game(choose(0, "x", leaf(0, 0), choose(0, "x", leaf(1, 1), leaf(4, 4))), 2))
    save_tree(breach, tmp_path / "b.npz")
    assert_same(breach, load_tree(tmp_path / "b.npz"))


def test_trees_are_compiled_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tree_of(arena.make("kuhn_poker"))
    path = cache_path(arena.make("kuhn_poker"))
    assert path.exists() and cache in path.parents
    monkeypatch.setattr("games.tree.load.compile_state", None)
    assert_same(tree, tree_of(arena.make("kuhn_poker")))
    monkeypatch.undo()
    assert cache_path(arena.make("kuhn_poker", players=3)) != path


def test_a_damaged_cache_is_made_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cache_path(arena.make("kuhn_poker"))
    for junk in (b"", b"not a zip", b"PK\x03\x04 half of one"):
        path.write_bytes(junk)
        assert tree_of(arena.make("kuhn_poker")).n_nodes == 58
        assert load_tree(path).n_nodes == 58
    np.savez(path.open("wb"), header=np.array('{"format": "arena/tree/0"}'))
    assert tree_of(arena.make("kuhn_poker")).n_nodes == 58
    with pytest.raises(ParameterError, match="format"):
        np.savez(path.open("wb"), header=np.array('{"format": "arena/tree/0"}'))
        load_tree(path)


def test_wrapped_live_games_are_not_cached_on_disk(cache: Path) -> None:
    raw = pyspiel.load_game("kuhn_poker")
    tree_of(wrap(raw, id="openspiel/mine", rebuildable=False))
    assert not list(cache.rglob("*.npz"))


def test_simultaneous_moves_hide_each_other() -> None:
    tree = fresh(arena.make("openspiel/matrix_rps"))
    assert tree.n_nodes == 1 + 3 + 9
    assert tree.seat[0] == 0 and (tree.seat[1:4] == 1).all()
    assert len(set(tree.infoset[1:4].tolist())) == 1


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_sequence_form_is_the_expected_payoff(seed: int) -> None:
    game = random_game(seed, zero_sum=True)
    tree = fresh(game)
    form = tree.sequence_form
    own = tree.seat_sequence[1]
    dense = np.zeros((tree.n_sequences, tree.n_sequences))
    for r in range(tree.n_sequences):
        for k in range(form.ptr[r], form.ptr[r + 1]):
            assert dense[r, form.col[k]] == 0.0 or form.val[k] == 0.0, "a pair comes once"
            dense[r, form.col[k]] += form.val[k]
    np.testing.assert_allclose(dense[:own, own:], -dense[own:, :own].T, atol=1e-15)
    assert not dense[:own, :own].any() and not dense[own:, own:].any()
    naive = np.zeros_like(dense)
    ends = (tree.terminal_sequences.T, tree.payoffs[0], tree.terminal_chance)
    for (a, b), u, c in zip(*ends, strict=True):
        naive[a, b] += u * c
    np.testing.assert_allclose(dense[:own, own:], naive[:own, own:], atol=1e-12)


def test_policies_go_in_and_out() -> None:
    tree = fresh(arena.make("kuhn_poker"))
    rng = np.random.default_rng(0)
    raw = rng.random(tree.n_sequences)
    behaviour = raw.copy()
    behaviour[tree.sequence_action < 0] = 1.0
    for i in range(tree.n_infosets):
        part = slice(tree.info_first[i], tree.info_first[i] + tree.info_actions[i])
        behaviour[part] /= raw[part].sum()
    table = tree.to_table(behaviour)
    np.testing.assert_allclose(tree.from_table(table), behaviour, atol=1e-15)
    order = rng.permutation(len(table.keys))
    shuffled = type(table)(
        table.game, [table.keys[k] for k in order], table.seats[order], table.table[order]
    )
    np.testing.assert_allclose(tree.from_table(shuffled), behaviour, atol=1e-15)
    fewer = type(table)(table.game, table.keys[1:], table.seats[1:], table.table[1:])
    with pytest.raises(ParameterError, match=r"no row for infoset '0'.*1 are missing"):
        tree.from_table(fewer)
    behaviour[1] = -0.5
    with pytest.raises(ParameterError, match="infoset '0' of seat 0"):
        tree.checked(behaviour)


def test_single_leaf() -> None:
    tree = fresh(toy_game(leaf(1, -1), 2))
    assert (tree.n_nodes, tree.n_infosets, tree.n_sequences) == (1, 0, 2)


def test_cursor_positions_are_not_modified() -> None:
    game = arena.make("goofspiel", num_cards=3, points_order="descending")
    cursor: Cursor = game.root().cursor()  # type: ignore[attr-defined]
    before = str(cursor.root)
    moves = cursor.look(cursor.root)[1]
    for joint in itertools.product(*(actions for _, actions, _ in moves)):
        cursor.joint(cursor.root, dict(enumerate(joint)))
    assert str(cursor.root) == before


@pytest.mark.parametrize("name", ["kuhn_poker", "leduc_poker", "tic_tac_toe"])
def test_sizes_are_told_from_a_limit(name: str) -> None:
    """A tree within the limit is hardly ever refused, one of five times the limit at once."""
    game = arena.make(name)
    cursor = cursor_of(game.root(), game.key)
    size = {"kuhn_poker": 58, "leduc_poker": 9457, "tic_tac_toe": 549_946}[name]
    refused = [size_beyond(cursor, size, seed=seed) for seed in range(60)]
    assert sum(found is not None for found in refused) <= 1
    found = [size_beyond(cursor, size / 5, seed=seed) for seed in range(20)]
    assert all(nodes is not None and size / 5 <= nodes < 4 * size for nodes in found)


def test_compiling_has_a_limit_of_time() -> None:
    game = arena.make("leduc_poker")
    with pytest.raises(NotApplicableError, match=r"too large to compile in 0 s: .* nodes so far"):
        compile_state(game, game.root(), budget=Budget(seconds=0.0))
