"""The textbook games are what their sources say."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.episode import drive
from arena.errors import ParameterError, UnknownNameError
from games.catalog import TEXTBOOK
from games.normal_form import NormalForm
from games.textbook.two_by_two import ORDINAL
from tests.games.equilibria import EQUILIBRIA


def regrets(form: NormalForm, mixes: list[np.ndarray]) -> tuple[list[float], float]:
    """What each seat could gain by its best deviation, and seat 0's payoff."""
    out = []
    for seat in range(form.seats):
        value = form.payoffs[seat]
        for other in reversed(range(form.seats)):
            if other != seat:
                value = np.tensordot(value, mixes[other], axes=(other, 0))
        out.append(float(value.max() - value @ mixes[seat]))
        if seat == 0:
            paid = float(value @ mixes[0])
    return out, paid


def test_every_game_is_made_and_described() -> None:
    assert len(TEXTBOOK) >= 40
    for name, entry in TEXTBOOK.items():
        game = arena.make(f"matrix/{name}")
        form = game.form("normal_form")
        low, _, high = entry.seats.partition("-")
        assert int(low) <= game.seats <= int(high or low), name
        assert game.payoff == entry.payoff == form.payoff, name
        assert game.citation and len(game.citation) > 8, name
        assert game.summary.endswith((".", ")")), name
        assert arena.make(game.id, **game.params).key == game.key
        assert [game.describe_action(0, a) for a in range(form.actions[0])] == list(
            form.action_names[0]
        )


@pytest.mark.parametrize("name", TEXTBOOK)
def test_every_game_plays(name: str) -> None:
    for id in (f"matrix/{name}", f"repeated/{name}"):
        game = arena.make(id, **({"rounds": 3} if id.startswith("repeated") else {}))
        state = game.state(1)
        players = [arena.agent("uniform") for _ in range(game.seats)]
        for seat, player in enumerate(players):
            player.begin(game, seat, seat)
        drive(state, [player.act for player in players])
        low, high = game.payoff_bounds
        returns = state.returns()
        assert state.actors() == () and (low - 1e-9 <= returns).all()
        assert (returns <= high + 1e-9).all()


@pytest.mark.parametrize(
    ("name", "params", "mixes", "paid", "source"),
    [row for row in EQUILIBRIA if row[2]],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_known_equilibria(
    name: str, params: dict[str, Any], mixes: list[dict[int, float]], paid: float, source: str
) -> None:
    form = arena.make(f"matrix/{name}", **params).form("normal_form")
    full = []
    for count, mix in zip(form.actions, mixes, strict=True):
        row = np.zeros(count)
        for action, p in mix.items():
            row[action] = p
        full.append(row / row.sum())
    gains, got = regrets(form, full)
    # The penalty kick is known to four digits.
    tolerance = 0.02 if name == "penalty_kick" else 1e-9
    assert max(gains) <= tolerance, (gains, source)
    assert got == pytest.approx(paid, abs=max(tolerance, 1e-9))


def test_kuhn_poker_is_worth_a_loss_of_one_in_eighteen() -> None:
    form = arena.make("matrix/kuhn_poker").form("normal_form")
    first = np.zeros(27)
    names = form.action_names
    # Kuhn's solution without bluffs: check the jack and fold, call with the queen one time
    # in three, check and call with the king.
    for plan, p in (("ffc", 2 / 3), ("fcc", 1 / 3)):
        first[names[0].index(plan)] = p
    second = np.zeros(64)
    # The jack bets after a check one time in three, the queen calls one time in three.
    for jack, p in (("bf", 1 / 3), ("pf", 2 / 3)):
        for queen, q in (("pc", 1 / 3), ("pf", 2 / 3)):
            second[names[1].index(f"{jack} {queen} bc")] = p * q
    gains, paid = regrets(form, [first, second])
    assert max(gains) < 1e-12
    assert paid == pytest.approx(-1 / 18)
    assert [row[3] for row in EQUILIBRIA if row[0] == "kuhn_poker"] == [-1 / 18]


def test_the_normal_form_of_kuhn_poker_is_that_of_its_tree() -> None:
    game = arena.make("openspiel/kuhn_poker")
    form = arena.make("matrix/kuhn_poker").form("normal_form")
    for a, b in product(range(0, 27, 4), range(0, 64, 7)):
        mine, theirs = form.action_names[0][a], form.action_names[1][b].split()
        total = 0.0
        for x, y in ((x, y) for x in range(3) for y in range(3) if x != y):
            state = game.root()
            state.step({-1: x})
            state.step({-1: y})
            bet = mine[x] == "b"
            state.step({0: int(bet)})
            answer = theirs[y][1] == "c" if bet else theirs[y][0] == "b"
            state.step({1: int(answer)})
            if state.actors():
                state.step({0: int(mine[x] == "c")})
            total += float(state.returns()[0]) / 6
        assert form.payoffs[0, a, b] == pytest.approx(total)


def test_the_twelve_symmetric_orders_make_144_games() -> None:
    seen = set()
    for row, column in product(ORDINAL, ORDINAL):
        form = arena.make("matrix/ordinal_2x2", row=row, column=column).form("normal_form")
        assert sorted(form.payoffs[0].ravel()) == sorted(form.payoffs[1].ravel()) == [1, 2, 3, 4]
        variants = []
        for flip_row, flip_column in product((1, -1), repeat=2):
            turned = form.payoffs[:, ::flip_row, ::flip_column]
            variants.append(tuple(turned.ravel()))
        seen.add(min(variants))
    # Up to renaming the actions of either seat there are 4!·4!/4 strict games.
    assert len(seen) == 144


def test_neighbours_in_the_topology_differ_by_one_swap() -> None:
    orders = list(ORDINAL.values())
    for half in (orders[:6], orders[6:]):
        for k in range(6):
            low = 1 if k % 2 == 0 else 2
            swapped = tuple({low: low + 1, low + 1: low}.get(v, v) for v in half[k])
            assert swapped == half[(k + 1) % 6]
    dilemma, hunt = ORDINAL["prisoners_dilemma"], ORDINAL["stag_hunt"]
    assert tuple({3: 4, 4: 3}.get(v, v) for v in dilemma) == hunt


@given(st.integers(0, 2**32), st.integers(2, 3), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_random_games_follow_from_their_seed(seed: int, seats: int, actions: int) -> None:
    def payoffs(name: str, seed: int) -> np.ndarray:
        params = {"seats": seats, "actions": actions, "seed": seed}
        made: np.ndarray = arena.make(f"matrix/{name}", **params).form("normal_form").payoffs
        return made

    for name in ("random", "random_cooperative", "random_symmetric"):
        assert (payoffs(name, seed) == payoffs(name, seed)).all()
        assert (payoffs(name, seed) != payoffs(name, seed + 1)).any()
    symmetric = payoffs("random_symmetric", seed)
    assert (symmetric[0] == symmetric.swapaxes(1, 2)[1]).all()


def test_bad_parameters_are_named() -> None:
    with pytest.raises(UnknownNameError, match="prisoners_dilemma"):
        arena.make("matrix/prisoner_dilemma")
    with pytest.raises(UnknownNameError, match="temptation"):
        arena.make("prisoners_dilemma", temptatoin=4.0)
    with pytest.raises(ParameterError, match="reward"):
        arena.make("prisoners_dilemma", reward=0.5)
    with pytest.raises(ParameterError, match=r"seats = 'four'.*int"):
        arena.make("public_goods", seats="four")
    with pytest.raises(ParameterError, match="odd"):
        arena.make("matrix/minority", seats=4)
    with pytest.raises(ParameterError, match="fewer seats or actions"):
        arena.make("public_goods", seats=16)
    with pytest.raises(UnknownNameError, match="chicken"):
        arena.make("matrix/ordinal_2x2", row="chickn")
    with pytest.raises(ParameterError, match="value = True"):
        arena.make("hawk_dove", value=True)


def test_short_names() -> None:
    assert arena.make("prisoners_dilemma").id == "matrix/prisoners_dilemma"
    assert arena.make("iterated_prisoners_dilemma").id == "repeated/prisoners_dilemma"


@pytest.mark.parametrize(
    ("name", "other", "params"),
    [
        ("matching_pennies", "matrix_mp", {}),
        ("rock_paper_scissors", "matrix_rps", {}),
        ("shapley", "matrix_shapleys_game", {}),
    ],
)
def test_payoffs_are_those_of_openspiel_up_to_the_order_of_actions(
    name: str, other: str, params: dict[str, Any]
) -> None:
    pyspiel = pytest.importorskip("pyspiel")
    raw = pyspiel.load_game(other)
    theirs = np.array(
        [
            [
                [raw.player_utility(seat, r, c) for c in range(raw.num_cols())]
                for r in range(raw.num_rows())
            ]
            for seat in (0, 1)
        ]
    )
    ours = arena.make(f"matrix/{name}", **params).form("normal_form").payoffs
    count = ours.shape[1]
    assert any(
        (ours[:, list(p)][:, :, list(q)] == theirs).all()
        for p in permutations(range(count))
        for q in permutations(range(count))
    )


def test_blotto_is_won_by_who_wins_openspiels() -> None:
    pyspiel = pytest.importorskip("pyspiel")
    raw = pyspiel.load_game("blotto", {"coins": 4, "fields": 3})
    state = raw.new_initial_state()
    theirs = {
        tuple(int(x) for x in re.findall(r"\d+", raw.action_to_string(0, a))): a
        for a in state.legal_actions(0)
    }
    game = arena.make("matrix/colonel_blotto", soldiers=4, enemies=4)
    form = game.form("normal_form")
    plans = [tuple(int(x) for x in n.split("-")) for n in form.action_names[0]]
    assert set(plans) == set(theirs)
    for a, mine in enumerate(plans):
        for b, their in enumerate(plans):
            state = raw.new_initial_state()
            state.apply_actions([theirs[mine], theirs[their]])
            assert np.sign(form.payoffs[0, a, b]) == state.returns()[0]


def test_numba_is_not_loaded_before_a_batch_is_asked_for() -> None:
    code = (
        "import sys, arena\n"
        "arena.make('repeated/prisoners_dilemma').state(0)\n"
        "arena.agent('tit_for_tat'); arena.agent('uniform')\n"
        "sys.exit(any(m in sys.modules for m in ('numba', 'axelrod', 'torch', 'pyspiel')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
