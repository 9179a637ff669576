"""Gambit files: read as Gambit reads them, written so that they read back."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import FormatError, IllegalActionError, ParameterError, UnknownNameError
from arena.game import Game
from arena.testing import check_game
from arena.types import CHANCE
from games.adapters.gambit import (
    Efg,
    EfgNode,
    Infoset,
    Nfg,
    Outcome,
    efg_game,
    nfg_game,
    parse_efg,
    parse_nfg,
    save,
    write_efg,
    write_nfg,
)
from games.normal_form import NormalForm

GOLDEN = Path("tests/golden/gambit")
EFGS = sorted(GOLDEN.glob("*.efg"))
NFGS = sorted(GOLDEN.glob("*.nfg"))


@pytest.mark.parametrize("path", [*EFGS, *NFGS], ids=lambda p: p.name)
def test_the_textbook_files_conform(path: Path) -> None:
    game = arena.make(str(path))
    check_game(game, episodes=8)
    assert game.key == f"gambit/{path}"
    assert arena.make(game.key).version == game.version


def test_facts() -> None:
    card = arena.make(str(GOLDEN / "myerson_card.efg"))
    assert (card.payoff, card.chance, card.perfect_information) == ("zero_sum", True, False)
    assert card.payoff_bounds == (-2.0, 2.0)
    assert card.max_length == 2
    assert card.seat_names == ("Player 1", "Player 2")
    assert card.describe_action(0, 1) == "fold"
    horse = arena.make(str(GOLDEN / "selten_horse.efg"))
    assert (horse.seats, horse.payoff, horse.chance) == (3, "general_sum", False)
    centipede = arena.make(str(GOLDEN / "centipede.efg"))
    assert centipede.perfect_information
    jordan = arena.make(str(GOLDEN / "jordan.nfg"))
    assert jordan.form("normal_form").actions == (2, 2, 2)


def test_outcomes_inside_the_tree_are_paid_where_they_stand() -> None:
    state = arena.make(str(GOLDEN / "centipede.efg")).state(0)
    assert state.rewards().tolist() == [0.5, 0.5]
    state.step({0: 1})
    assert state.rewards().tolist() == [-1.0, 3.0]
    state.step({1: 1})
    state.step({0: 1})
    assert state.returns().tolist() == [0.5 - 1 + 3 - 1, 0.5 + 3 - 1 + 3]


def test_imperfect_recall_shows_one_key_on_the_same_path() -> None:
    state = arena.make(str(GOLDEN / "absent_minded_driver.efg")).state(0)
    first = state.observe(0).key
    state.step({0: 1})
    assert state.observe(0).key == first
    state.step({0: 0})
    assert state.returns().tolist() == [4.0]


def test_the_outcome_and_the_payoff_version_agree() -> None:
    outcomes = parse_nfg((GOLDEN / "prisoners_dilemma.nfg").read_text())
    payoffs = parse_nfg('NFG 1 R "" { "a" "b" } { 2 2 } 3 3 5 0 0 5 1 1')
    assert np.array_equal(outcomes.form.payoffs, payoffs.form.payoffs)
    assert outcomes.form[(1, 0)].tolist() == [5.0, 0.0]
    with_nothing = parse_nfg('NFG 1 R "" { "a" } { 2 } { { "x" 7/2 } } 0 1')
    assert with_nothing.form.payoffs.tolist() == [[0.0, 3.5]]


BAD = [
    ("", "line 1: expected EFG, found the end of the file"),
    ("EFG 3 R", "version 2, found 3"),
    ('EFG 2 R "t', "not closed"),
    ('EFG 2 R "t" { }', "at least one player"),
    ('EFG 2 R "t" { "a" }\n\nx', "line 3: expected a node: c, p or t, found x"),
    ('EFG 2 R "t" { "a" }\np "" 2 1', "line 2: expected a player from 1 to 1, found 2"),
    ('EFG 2 R "t" { "a" }\np "" 1 1 0', "actions of an information set that is new"),
    ('EFG 2 R "t" { "a" }\np "" 1 1 "" { "l" } 0', "c, p or t, found the end"),
    ('EFG 2 R "t" { "a" }\nc "" 1 "" { "l" 1/2 "r" 1/3 } 0', "add to 1, not 5/6"),
    ('EFG 2 R "t" { "a" }\nc "" 1 "" { "l" 1/0 } 0', "divided by 0"),
    ('EFG 2 R "t" { "a" }\nc "" 1 "" { "l" -1 "r" 2 } 0', "at least 0, found -1"),
    ('EFG 2 R "t" { "a" }\nt "" 1 "" { 1 2 }', "1 payoffs, not 2"),
    ('EFG 2 R "t" { "a" }\nt "" 1 "" { one }', "a payoff, found one"),
    ('EFG 2 R "t" { "a" }\nt "" 4', "line 2: expected an outcome that is defined"),
    ('EFG 2 R "t" { "a" }\nt "" 0\nt "" 0', "line 3: expected the end of the file"),
    (
        'EFG 2 R "t" { "a" }\np "" 1 1 "" { "l" } 0\np "" 1 1 "" { "x" } 0\nt "" 0',
        "line 3: expected the same actions",
    ),
    (
        'EFG 2 R "t" { "a" }\np "" 1 1 "" { "l" "r" } 0\nt "" 1 "" { 1 }\nt "" 1 "" { 2 }',
        "line 4: expected the same payoffs",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_efg_errors_name_line_and_token(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message.replace("(", r"\(")):
        parse_efg(text, "bad.efg")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('NFG 1 R "t" { "a" } { 0 }', "number of actions, 1 or more, found 0"),
        ('NFG 1 R "t" { "a" "b" } { 2 }', "actions for each of 2 players"),
        ('NFG 1 R "t" { "a" } { 2 }\n1', "line 2: expected payoff 2 of 2, found the end"),
        ('NFG 1 R "t" { "a" } { 2 }\n1 2 3', "line 2: expected the end of the file .* found 3"),
        ('NFG 1 R "t" { "a" } { 2 } { { "x" 1 } }\n1 2', "an outcome, 0 to 1, found 2"),
        ('NFG 1 R "t" { "a" } { 2 } { { "x" 1 2 } }\n1 1', "1 payoffs, not 2"),
        ('NFG 1 R "t" { "a" } { {} }', "at least one action"),
    ],
)
def test_nfg_errors_name_line_and_token(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_nfg(text, "bad.nfg")


def test_files_that_are_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"selten_horse\.efg"):
        arena.make(str(GOLDEN / "selten_hors.efg"))
    binary = tmp_path / "x.efg"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="UTF-8"):
        arena.make(str(binary))
    with pytest.raises(UnknownNameError, match="a file has none"):
        arena.make(str(GOLDEN / "jordan.nfg"), players=3)
    with pytest.raises(ParameterError, match=r"ends in \.nfg"):
        save(NormalForm([[1, 2]]), tmp_path / "x.efg")


def test_save_and_read(tmp_path: Path) -> None:
    form = NormalForm([[[1, 2.5], [3, 0.1]], [[-1, 0], [1 / 3, 1e-9]]], [["a", "b"], ['"', "\\"]])
    save(form, tmp_path / "g.nfg")
    read = arena.make(str(tmp_path / "g.nfg")).form("normal_form")
    assert np.array_equal(read.payoffs, form.payoffs)
    assert read.action_names == form.action_names


def test_a_refused_action_says_what_is_legal() -> None:
    state = arena.make(str(GOLDEN / "selten_horse.efg")).state(0)
    with pytest.raises(IllegalActionError, match="legal are 0 to 1"):
        state.step({0: 2})


# -- random games ---------------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6)
ratios = st.fractions(min_value=-20, max_value=20, max_denominator=7)


@st.composite
def efgs(draw: st.DrawFn) -> Efg:
    """A random tree: infosets shared by nodes of equal action counts, outcomes anywhere."""
    n = draw(st.integers(1, 3))
    game = Efg(draw(texts), tuple(f"p{i}" for i in range(n)), draw(texts))
    for number in range(1, draw(st.integers(1, 4)) + 1):
        game.outcomes[number] = Outcome(draw(texts), tuple(draw(ratios) for _ in range(n)))

    def grow(depth: int) -> int:
        position = len(game.nodes)
        node = EfgNode(draw(texts), outcome=draw(st.integers(0, len(game.outcomes))))
        game.nodes.append(node)
        if depth == 0 or draw(st.integers(0, 3)) == 0:
            return position
        node.seat = draw(st.integers(CHANCE, n - 1))
        count = draw(st.integers(1, 3))
        # The number encodes the count, so that all nodes of an infoset agree on it.
        node.infoset = 3 * draw(st.integers(0, 1)) + count
        if (node.seat, node.infoset) not in game.infosets:
            labels = tuple(f"{i}{draw(texts)}" for i in range(count))
            weights = [draw(st.integers(1, 5)) for _ in range(count)]
            chances = tuple(Fraction(w, sum(weights)) for w in weights)
            game.infosets[node.seat, node.infoset] = Infoset(
                draw(texts), labels, chances if node.seat == CHANCE else ()
            )
        node.children = [grow(depth - 1) for _ in range(count)]
        return position

    grow(draw(st.integers(0, 3)))
    used = {node.outcome for node in game.nodes}
    game.outcomes = {k: v for k, v in game.outcomes.items() if k in used}
    return game


@given(efgs())
@settings(max_examples=60, deadline=None)
def test_extensive_forms_survive_the_round_trip(game: Efg) -> None:
    assert parse_efg(write_efg(game)) == game
    made = efg_game(game)
    check_game(made, episodes=2, close_ups=3)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_strategic_forms_survive_the_round_trip(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    size = len(shape) * int(np.prod(shape))
    numbers = st.lists(st.floats(-1e6, 1e6), min_size=size, max_size=size)
    form = NormalForm(np.array(data.draw(numbers)).reshape(len(shape), *shape))
    nfg = Nfg(form, tuple("abc"[: len(shape)]), data.draw(texts))
    read = parse_nfg(write_nfg(nfg))
    assert np.array_equal(read.form.payoffs, form.payoffs)
    assert (read.players, read.comment) == (nfg.players, nfg.comment)
    check_game(nfg_game(read), episodes=2)


# -- against Gambit itself -----------------------------------------------------------------


def agree(game: Game, theirs: Any) -> None:
    """Players, extreme payoffs and expected payoffs of uniform play are those of Gambit."""
    n = game.seats
    players = list(theirs.players)
    assert len(players) == n

    def value(state: Any) -> np.ndarray:
        actors = state.actors()
        if not actors:
            ends.append(state.returns())
            return ends[-1]
        if actors == (CHANCE,):
            branches = state.chance_outcomes()
        else:
            legal = state.legal(actors[0])
            branches = [(action, 1 / len(legal)) for action in legal]
        total = np.zeros(n)
        for action, probability in branches:
            twin = state.clone()
            twin.step({actors[0]: action})
            total += probability * value(twin)
        return total

    ends: list[np.ndarray] = []
    ours = value(game.root())
    profile = theirs.mixed_behavior_profile(rational=True).payoffs
    assert np.allclose(ours, [float(Fraction(str(profile[p]))) for p in players])
    for seat, player in enumerate(players):
        assert np.isclose(max(e[seat] for e in ends), float(theirs.get_max_payoff(player)))
        assert np.isclose(min(e[seat] for e in ends), float(theirs.get_min_payoff(player)))


@pytest.mark.parametrize("path", EFGS, ids=lambda p: p.name)
def test_extensive_forms_against_gambit(path: Path) -> None:
    gambit = pytest.importorskip("pygambit")
    agree(arena.make(str(path)), gambit.read_efg(path))


@given(efgs())
@settings(max_examples=40, deadline=None)
def test_what_is_written_gambit_reads(tmp_path_factory: pytest.TempPathFactory, game: Efg) -> None:
    gambit = pytest.importorskip("pygambit")
    path = tmp_path_factory.mktemp("efg") / "g.efg"
    save(_with_labels(game), path)
    agree(efg_game(_with_labels(game)), gambit.read_efg(path))


def _with_labels(game: Efg) -> Efg:
    """Give texts that Gambit, stricter about labels than its format, accepts."""
    return Efg(
        "t",
        game.players,
        "",
        [EfgNode("", x.seat, x.infoset, x.outcome, x.children) for x in game.nodes],
        {
            (s, k): Infoset(f"i{s}{k}", tuple(f"a{j}" for j in range(len(i.actions))), i.chances)
            for (s, k), i in game.infosets.items()
        },
        {k: Outcome(f"o{k}", o.payoffs) for k, o in game.outcomes.items()},
    )


@pytest.mark.parametrize("path", NFGS, ids=lambda p: p.name)
def test_strategic_forms_against_gambit(path: Path) -> None:
    gambit = pytest.importorskip("pygambit")
    theirs = gambit.read_nfg(path)
    ours = arena.make(str(path)).form("normal_form")
    arrays = theirs.to_arrays(dtype=float)
    assert np.array_equal(ours.payoffs, np.array(arrays))


@pytest.mark.parametrize("name", ["myerson_card.efg"])
def test_extensive_forms_against_openspiel(name: str, tmp_path: Path) -> None:
    """OpenSpiel's own reader gives the same payoffs on every path."""
    # OpenSpiel wants every definition again wherever it is used.
    text = (GOLDEN / name).read_text()
    text = text.replace('p "" 2 1 0', 'p "" 2 1 "after a raise" { "meet" "pass" } 0')
    text = re.sub(r'^t "" 2$', 't "" 2 "win" { 1 -1 }', text, flags=re.MULTILINE)
    path = tmp_path / "g.efg"
    path.write_text(text)
    theirs = arena.make("openspiel/efg_game", filename=str(path)).root()
    stack = [(arena.make(str(path)).root(), theirs)]
    leaves = 0
    while stack:
        one, other = stack.pop()
        assert one.actors() == other.actors()
        if not one.actors():
            leaves += 1
            assert np.allclose(one.returns(), other.returns())
            continue
        (seat,) = one.actors()
        count = len(one.chance_outcomes() if seat == CHANCE else one.legal(seat))  # type: ignore[attr-defined]
        outcomes = (
            [o for o, _ in other.chance_outcomes()] if seat == CHANCE else other.legal(seat)  # type: ignore[attr-defined]
        )
        for mine, its in zip(range(count), outcomes, strict=True):
            a, b = one.clone(), other.clone()
            a.step({seat: mine})
            b.step({seat: its})
            stack.append((a, b))
    assert leaves == 6
