"""Every OpenSpiel game, and that what is shown is what `pyspiel` says."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyspiel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.episode import drive, replay
from arena.errors import (
    ArenaError,
    FormError,
    IllegalActionError,
    ParameterError,
    UnknownNameError,
)
from arena.game import Game
from arena.rng import Stream
from arena.testing import check_game
from arena.types import CHANCE, OtherSpace
from games.adapters.openspiel import FAMILY, wrap
from games.adapters.openspiel_facts import KNOWN_ISSUES, UNPLAYABLE

# Games that do not load without parameters, each with OpenSpiel's own words.
NOT_BY_DEFAULT = {
    "add_noise": "Missing parameter epsilon",
    "cached_tree": "Missing parameter game",
    "efg_game": "CHECK_TRUE",
    "misere": "Missing parameter game",
    "nfg_game": "map::at",
    "normal_form_extensive_game": "Missing parameter game",
    "repeated_game": "Missing parameter num_repetitions",
    "repeated_poker": "Missing parameter max_num_hands",
    "restricted_nash_response": "Missing parameter game",
    "start_at": "Missing parameter game",
    "turn_based_simultaneous_game": "Missing parameter game",
    "zerosum": "Missing parameter game",
}

WITH_PARAMETERS = [
    "add_noise(epsilon=1.0,game=kuhn_poker,seed=1)",
    "cached_tree(game=kuhn_poker)",
    "goofspiel(imp_info=true,num_cards=4,players=3)",
    "goofspiel(num_cards=4,points_order=descending)",
    "hanabi(players=3)",
    "leduc_poker(players=3)",
    "misere(game=kuhn_poker(players=3))",
    "misere(game=tarok)",
    "misere(game=tic_tac_toe)",
    "normal_form_extensive_game(game=kuhn_poker)",
    "oshi_zumo(coins=4)",
    "repeated_game(num_repetitions=10,stage_game=matrix_pd)",
    "restricted_nash_response(fixed_player=0,game=kuhn_poker,p=0.5)",
    "snake(players=4)",
    "start_at(game=tic_tac_toe,history=0;1)",
    "turn_based_simultaneous_game(game=goofspiel(num_cards=4))",
    "universal_poker(blind=100 100 100,firstPlayer=1 1,numPlayers=3,stack=1200 1200 1200)",
    "zerosum(game=matrix_pd)",
]

# Each episode of these takes a tenth of a second and more (double-dummy solving).
SLOW = {"bridge", "bridge_uncontested_bidding", "tiny_bridge_2p"}
ALL = [
    # A minute: it solves ten deals whenever its score is asked for.
    pytest.param(name, marks=pytest.mark.slow) if name == "bridge_uncontested_bidding" else name
    for name in FAMILY.names()
]
PLAYABLE = sorted(set(FAMILY.names()) - set(NOT_BY_DEFAULT) - set(UNPLAYABLE))


@pytest.mark.parametrize("name", ALL)
def test_every_registered_game_plays_out_or_says_why_not(name: str) -> None:
    if name in NOT_BY_DEFAULT:
        with pytest.raises(ArenaError, match=NOT_BY_DEFAULT[name]):
            arena.make(f"openspiel/{name}")
        return
    if name in UNPLAYABLE:
        with pytest.raises(ArenaError, match="cannot be played"):
            arena.make(f"openspiel/{name}")
        # The entry goes when OpenSpiel mends the game.
        with pytest.raises(Exception, match=r"out of bounds|_word_list_len|Invalid population"):
            check_game(wrap(pyspiel.load_game(name)), episodes=2)
        return
    close_ups = 1 if name in SLOW else 4
    check_game(arena.make(f"openspiel/{name}"), episodes=1, close_ups=close_ups)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(set(FAMILY.names()) - set(NOT_BY_DEFAULT) - set(UNPLAYABLE))
)
def test_every_playable_game_at_length(name: str) -> None:
    check_game(arena.make(f"openspiel/{name}"), episodes=10, seed=7)


@pytest.mark.parametrize("key", WITH_PARAMETERS)
def test_games_with_parameters_and_games_within_games(key: str) -> None:
    game = arena.make(f"openspiel/{key}")
    assert game.key == f"openspiel/{key}"
    check_game(game, episodes=2, close_ups=4)


# -- against bare pyspiel -------------------------------------------------------------------

DIFFERENTIAL = [
    "2048",
    "backgammon",
    "blotto",
    "breakthrough",
    "connect_four",
    "coop_box_pushing",
    "goofspiel",
    "hanabi",
    "hearts",
    "kuhn_poker(players=3)",
    "leduc_poker",
    "liars_dice",
    "matrix_pd",
    "oh_hell",
    "oshi_zumo",
    "phantom_ttt",
    "pig",
    "sheriff",
    "tic_tac_toe",
    "tiny_hanabi",
    "universal_poker",
]


@pytest.mark.parametrize("key", DIFFERENTIAL)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_the_same_trajectory_as_bare_pyspiel(key: str, seed: int) -> None:
    """Ours draws chance; theirs is given the same outcomes; all that is seen must agree."""
    game = arena.make(f"openspiel/{key}")
    bare = pyspiel.load_game(key)
    about = bare.get_type()
    ours, theirs = game.state(seed), bare.new_initial_state()
    pick = random.Random(seed)
    total = np.zeros(bare.num_players())
    while True:
        _pass_chance(ours, theirs)
        actors = ours.actors()
        assert bool(actors) != theirs.is_terminal()
        assert ours.returns().tolist() == pytest.approx(theirs.returns(), abs=1e-9)
        if not actors:
            break
        expected = (
            [p for p in range(bare.num_players()) if theirs.legal_actions(p)]
            if theirs.is_simultaneous_node()
            else [theirs.current_player()]
        )
        assert list(actors) == expected
        joint = {}
        for seat in actors:
            seen = ours.observe(seat)
            assert list(seen.actions or ()) == theirs.legal_actions(seat)
            mask = theirs.legal_actions_mask(seat)
            assert seen.legal is not None
            assert seen.legal.tolist() == [bool(m) for m in mask]
            if about.provides_information_state_string:
                assert seen.key == theirs.information_state_string(seat)
            if about.provides_information_state_tensor:
                assert np.array_equal(
                    seen.tensor, np.array(theirs.information_state_tensor(seat), np.float32)
                )
            elif about.provides_observation_tensor:
                assert np.array_equal(
                    seen.tensor, np.array(theirs.observation_tensor(seat), np.float32)
                )
            if about.provides_observation_string:
                assert seen.view == theirs.observation_string(seat)
            joint[seat] = pick.choice(theirs.legal_actions(seat))
            assert game.describe_action(seat, joint[seat]) == bare.action_to_string(
                seat, joint[seat]
            )
        ours.step(joint)
        total += ours.rewards()
        if theirs.is_simultaneous_node():
            theirs.apply_actions([joint.get(p, 0) for p in range(bare.num_players())])
        else:
            theirs.apply_action(joint[actors[0]])
    assert ours.history() == theirs.history()  # type: ignore[attr-defined]
    assert total.tolist() == pytest.approx(theirs.returns())
    actions = _decisions(bare, theirs.history())
    assert replay(game, seed, actions).returns().tolist() == pytest.approx(theirs.returns())


def _pass_chance(ours: Any, theirs: Any) -> None:
    """Give `theirs` the outcomes that `ours` has drawn since."""
    drawn = ours.history()
    while theirs.is_chance_node():
        outcome = drawn[len(theirs.history())]
        assert outcome in [o for o, p in theirs.chance_outcomes() if p > 0]
        theirs.apply_action(outcome)


def _decisions(bare: Any, history: list[int]) -> list[int]:
    """Leave chance out of a history."""
    state, decisions, at = bare.new_initial_state(), [], 0
    while at < len(history):
        if state.is_simultaneous_node():
            joint = history[at : at + bare.num_players()]
            decisions += joint
            state.apply_actions(joint)
            at += len(joint)
        else:
            if not state.is_chance_node():
                decisions.append(history[at])
            state.apply_action(history[at])
            at += 1
    return decisions


@pytest.mark.parametrize("key", ["kuhn_poker", "pig", "leduc_poker"])
def test_chance_is_drawn_with_its_probabilities(key: str) -> None:
    game = arena.make(f"openspiel/{key}")
    state = game.root()
    while state.actors() != (CHANCE,):
        state.step({state.actors()[0]: state.legal(state.actors()[0])[0]})  # type: ignore[index]
    outcomes = dict(state.chance_outcomes())  # type: ignore[attr-defined]
    skipped = len(state.history())  # type: ignore[attr-defined]
    counts = dict.fromkeys(outcomes, 0)
    draws = 4000
    for seed in range(draws):
        sampled = game.state(seed)
        while len(sampled.history()) <= skipped:  # type: ignore[attr-defined]
            seat = sampled.actors()[0]
            sampled.step({seat: sampled.legal(seat)[0]})  # type: ignore[index]
        counts[sampled.history()[skipped]] += 1  # type: ignore[attr-defined]
    for outcome, probability in outcomes.items():
        spread = 5 * np.sqrt(draws * probability * (1 - probability))
        assert abs(counts[outcome] - draws * probability) < spread


def play(game: Game, seed: int, own: int = 0) -> tuple[list[int], list[float]]:
    streams = [Stream(own + seat) for seat in range(game.seats)]
    state = game.state(seed)
    drive(state, [lambda o, s=s: s.choice(o.actions) for s in streams])  # type: ignore[misc]
    return state.history(), state.returns().tolist()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["tarok", "negotiation", "misere(game=tarok)"])
def test_chance_inside_openspiel_follows_the_seed(name: str) -> None:
    game = arena.make(f"openspiel/{name}")
    assert play(game, 5) == play(game, 5) == play(arena.make(f"openspiel/{name}"), 5)
    assert len({str(play(game, seed)) for seed in range(8)}) > 1
    with pytest.raises(FormError):
        game.root()
    with pytest.raises(FormError):
        game.state(0).resample(0, 1)  # type: ignore[attr-defined]


# -- parameters -----------------------------------------------------------------------------


def test_nested_games_as_text_or_mapping() -> None:
    keys = {
        arena.make("openspiel/misere", game=given).key
        for given in (
            "tic_tac_toe",
            "tic_tac_toe()",
            "openspiel/tic_tac_toe",
            {"name": "tic_tac_toe"},
        )
    }
    assert keys == {"openspiel/misere(game=tic_tac_toe)"}
    game = arena.make(
        "openspiel/turn_based_simultaneous_game", game={"name": "goofspiel", "num_cards": 4}
    )
    assert game.key == "openspiel/turn_based_simultaneous_game(game=goofspiel(num_cards=4))"
    with pytest.raises(ParameterError, match="kuhn_poker"):
        arena.make("openspiel/misere", game=4)
    with pytest.raises(UnknownNameError, match="tic_tac_toe"):
        arena.make("openspiel/misere", game="tic_tac_to")
    with pytest.raises(UnknownNameError, match="num_cards"):
        arena.make("openspiel/misere(game=goofspiel(num_card=4))")


@pytest.mark.parametrize(
    ("key", "params", "message"),
    [
        ("goofspiel", {"num_cards": 4.5}, "int"),
        ("goofspiel", {"num_cards": True}, "int"),
        ("goofspiel", {"imp_info": 1}, "bool"),
        ("goofspiel", {"num_cards": 2**40}, "32 bits"),
        ("goofspiel", {"points_order": 3}, "str"),
        ("goofspiel", {"points_order": "sideways"}, "sideways|[Uu]nrecognized|points"),
        ("misere", {}, "give game="),
        ("universal_poker", {"numPlayers": 3}, "crashes .*signal"),
        ("bargaining", {"nothing": 1}, "it has .*discount"),
    ],
)
def test_wrong_parameters_are_named(
    key: str, params: dict[str, Any], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ArenaError, match=message):
        arena.make(f"openspiel/{key}", **params)
    assert capfd.readouterr().err == ""


def test_openspiels_own_warnings_are_in_the_summary(capfd: pytest.CaptureFixture[str]) -> None:
    warned = set()
    for name in set(FAMILY.names()) - set(NOT_BY_DEFAULT):
        pyspiel.load_game(name)
        if "known issues" in capfd.readouterr().err:
            warned.add(name)
    assert warned == set(KNOWN_ISSUES)
    assert "known issues" in arena.make("openspiel/quoridor").summary
    assert capfd.readouterr().err == ""


def test_integers_do_for_floats() -> None:
    game = arena.make("openspiel/bargaining", discount=1)
    assert game.params == {"discount": 1.0}
    assert arena.make(game.key).params == game.params
    assert arena.make("goofspiel", num_cards=np.int64(4)).params == {"num_cards": 4}


# -- the rest -------------------------------------------------------------------------------


def test_any_pyspiel_game_can_be_wrapped() -> None:
    game = wrap(pyspiel.create_matrix_game([[3, 0], [5, 1]], [[3, 5], [0, 1]]), id="my/pd")
    assert not game.rebuildable
    check_game(game)
    assert play(wrap(pyspiel.load_game("tarok(rng_seed=3)")), 5) == play(
        wrap(pyspiel.load_game("tarok(rng_seed=3)")), 5
    )


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("chess", "white"),
        ("kriegspiel", "white"),
        ("go", "black"),
        ("othello", "black"),
        ("shogi", "black"),
        ("hive", "white"),
        ("xiangqi", "red"),
        ("connect_four", "x"),
    ],
)
def test_seats_are_called_as_the_rules_do(name: str, first: str) -> None:
    game = arena.make(f"openspiel/{name}")
    assert game.seat_names[game.state(0).actors()[0]] == first


@pytest.mark.parametrize("name", ["bridge", "euchre", "spades", "tiny_bridge_4p"])
def test_partners_share_their_fortune(name: str) -> None:
    game = arena.make(f"openspiel/{name}")
    assert game.teams == (0, 1, 0, 1)
    for seed in range(3):
        _, returns = play(game, seed)
        assert returns[0] == returns[2]
        assert returns[1] == returns[3]


def test_crossword_takes_words() -> None:
    game = arena.make("openspiel/crossword")
    assert isinstance(game.actions[0], OtherSpace)
    state = game.state(0)
    state.step({0: '{"clue_id": "A1", "word": "GO"}'})  # type: ignore[dict-item]
    assert state.returns().tolist() == [1.0]
    for wrong in ('{"clue_id": "A4", "word": "TOOLONG"}', "GO", '{"clue_id": "A1", "word": "GO"}'):
        with pytest.raises(IllegalActionError):
            state.step({0: wrong})  # type: ignore[dict-item]


def test_resampling_keeps_what_the_seat_knows_and_changes_the_rest() -> None:
    game = arena.make("leduc_poker")
    state = game.state(3)
    seat = state.actors()[0]
    drawn = {
        tuple(state.resample(seat, seed).history())  # type: ignore[attr-defined]
        for seed in range(40)
    }
    assert len({cards[seat] for cards in drawn}) == 1
    assert len({cards[1 - seat] for cards in drawn}) > 1


def test_replay_says_when_actions_do_not_fit() -> None:
    game = arena.make("openspiel/matrix_pd")
    assert replay(game, 0, [0, 1]).returns().tolist() == [0.0, 10.0]
    with pytest.raises(IllegalActionError, match="needs 2 actions"):
        replay(game, 0, [0])
    with pytest.raises(IllegalActionError, match="over"):
        replay(game, 0, [0, 1, 0])
