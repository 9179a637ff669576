"""The bots: published scores, one choice by every way, nothing seen that is hidden."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from agents.hanabi import BOTS, HanabiBot
from arena.episode import drive
from arena.errors import AgentError, UnknownNameError
from arena.rng import derive_many, seat_seed, seat_seeds
from arena.testing import check_agent
from games.batch import play_batch
from games.hanabi import layout as at
from tests.agents.hanabi.record_golden import GOLDEN, scores
from tests.games.hanabi.variants import OWN, SHARED, named
from tests.reference import hanabi as tables
from tests.reference import hanabi_rules as rules

bots = pytest.mark.parametrize("name", sorted(BOTS))
published = pytest.mark.parametrize(
    ("name", "players", "score"),
    [(name, n, score) for name, bot in BOTS.items() for n, score in bot.published.items()],
)


# -- scores -------------------------------------------------------------------------------


@published
def test_scores_are_near_those_published(name: str, players: int, score: float) -> None:
    found = scores(name, players, 1000, seed=1)
    error = np.hypot(found.std() / np.sqrt(len(found)), BOTS[name].error)
    assert abs(found.mean() - score) <= 4.0 * error


@pytest.mark.slow
@published
def test_scores_are_those_published(name: str, players: int, score: float) -> None:
    """Within 2.6 standard errors, and half of the last digit printed."""
    print_error = 0.005
    found = scores(name, players, 20_000, seed=2)
    error = np.hypot(found.std() / np.sqrt(len(found)), BOTS[name].error)
    assert abs(found.mean() - score) <= 2.6 * error + print_error


def test_the_information_strategy_scores_above_24_5_with_four_and_five() -> None:
    for players in (4, 5):
        found = scores("information", players, 1000, seed=3)
        assert found.mean() - 3.0 * found.std() / np.sqrt(len(found)) > 24.5


def test_the_rule_lists_score_what_the_literature_reports() -> None:
    """About 14 to 17.5 in self-play, none below random play, which loses nearly all."""
    for name in ("iggi", "piers", "van_den_bergh"):
        for players in (2, 3, 4, 5):
            assert 13.5 < scores(name, players, 600, seed=4).mean() < 18.0
    assert scores("random_legal", 2, 600, seed=4).mean() < 2.0


def test_scores_are_the_recorded_ones() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for key, expected in golden["scores"].items():
        name, players = key.split("/")
        found = scores(name, int(players), golden["games"], golden["seed"])
        assert [int(score) for score in found] == expected, key


def test_the_information_strategy_moves_as_the_program_whose_scores_it_has() -> None:
    """Whole games of the published program, decks and moves, two to five players."""
    golden = json.loads((GOLDEN.parent / "hanabi_information_games.json").read_text("utf-8"))
    for recorded in golden["games"]:
        players = recorded["players"]
        game = arena.make("hanabi", players=players, lost_score="fireworks")
        state: Any = game.state(0)
        deck = ["RYGWB".index(c[0]) * 8 + int(c[1]) - 1 for c in recorded["deck"].split()]
        state.row[at.DECK : at.DECK + 50] = deck
        seats = [HanabiBot("information") for _ in range(players)]
        for seat, bot in enumerate(seats):
            bot.begin(game, seat, 0)
        for number, action in enumerate(map(int, recorded["actions"].split())):
            seat = state.actors()[0]
            assert seat == number % players
            assert seats[seat].act(state.observe(seat)) == action
            state.step({seat: action})
        assert not state.actors()
        assert state.returns()[0] == recorded["score"]


# -- every way the same -------------------------------------------------------------------


@bots
@pytest.mark.parametrize("params", [{}, {"players": 3, "colors": 3}, {"players": 5}], ids=named)
def test_the_conformance_kit_passes(name: str, params: dict[str, Any]) -> None:
    check_agent(lambda: HanabiBot(name), arena.make("hanabi", **params), episodes=1)


@bots
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**63), players=st.integers(2, 5))
def test_kernels_batches_and_single_games_agree(name: str, seed: int, players: int) -> None:
    """Whole games in a kernel see all hands; agents see what observations show."""
    game = arena.make("hanabi", players=players)
    own = derive_many(seed, np.arange(4))
    agents = [HanabiBot(name) for _ in range(players)]
    together = play_batch(game, agents, own)
    assert together is not None
    for seat, agent in enumerate(agents):
        agent.begin_batch(game, seat, seat_seeds(own, players)[:, seat])
    batch = game.form("batch", seeds=own)
    while (acting := batch.actors()).any():
        actions = np.zeros(acting.shape, dtype=np.int64)
        for seat in np.flatnonzero(acting.any(axis=0)):
            actions[:, seat] = agents[seat].act_batch(batch.observe(int(seat)))
        batch.step(actions)
    assert (batch.returns() == together).all()
    for k, episode in enumerate(own.tolist()):
        for seat, agent in enumerate(agents):
            agent.begin(game, seat, seat_seed(episode, seat))
        state = game.state(episode)
        drive(state, [agent.act for agent in agents])
        assert (state.row == batch.rows[k]).all()


@pytest.mark.parametrize("name", ["iggi", "piers", "van_den_bergh"])
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**63), params=st.sampled_from(SHARED + OWN))
def test_rule_lists_are_the_twin(name: str, seed: int, params: dict[str, Any]) -> None:
    game = arena.make("hanabi", **params)
    players = [HanabiBot(name) for _ in range(game.seats)]
    for seat, agent in enumerate(players):
        agent.begin(game, seat, seat_seed(seed, seat))
    state, table = game.state(seed), tables.start(game.form("hanabi"), seed)
    while state.actors():
        seat = state.actors()[0]
        seen = state.observe(seat)
        expected = rules.options(name, table)
        assert np.flatnonzero(players[seat].policy(seen)).tolist() == expected
        action = players[seat].act(seen)
        state.step({seat: action})
        table.step(action)


@bots
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**63))
def test_other_hands_of_its_own_change_nothing(name: str, seed: int) -> None:
    game = arena.make("hanabi", players=2 + seed % 4)
    players = [HanabiBot(name) for _ in range(game.seats)]
    for seat, agent in enumerate(players):
        agent.begin(game, seat, seat_seed(seed, seat))
    state = game.state(seed)
    while state.actors():
        seat = state.actors()[0]
        seen = state.observe(seat)
        wanted = players[seat].policy(seen)
        for draw in range(2):
            other = seen.resample(draw)
            assert (players[seat].policy(other.observe(seat)) == wanted).all()
        action = players[seat].act(seen)
        assert wanted[action] > 0
        state.step({seat: action})


@pytest.mark.parametrize("params", SHARED + OWN, ids=named)
def test_any_two_bots_can_play_any_variant(params: dict[str, Any]) -> None:
    """Conventions are broken by such partners; every game still ends, by legal moves."""
    game = arena.make("hanabi", **params)
    names = sorted(BOTS)
    for k, name in enumerate(names):
        mixed = [HanabiBot(names[(k + seat) % len(names)]) for seat in range(game.seats)]
        together = play_batch(game, mixed, list(range(3)))
        assert together is not None
        for episode in range(2):
            for seat, agent in enumerate(mixed):
                agent.begin(game, seat, seat_seed(episode, seat))
            state = game.state(episode)
            drive(state, [agent.act for agent in mixed])
            assert (state.returns() == together[episode]).all()
        assert name in names


def test_a_bot_may_be_asked_late_and_of_another_game() -> None:
    game = arena.make("hanabi")
    pair = [HanabiBot("smart"), HanabiBot("smart")]
    for seat, agent in enumerate(pair):
        agent.begin(game, seat, seat)
    state = game.state(8)
    late = HanabiBot("smart")
    late.begin(game, 0, 0)
    for _ in range(20):
        seat = state.actors()[0]
        state.step({seat: pair[seat].act(state.observe(seat))})
    seen = state.observe(0)
    assert late.act(seen) == pair[0].act(seen)
    elsewhere = state.resample(1, 5)  # seat 0 sees other cards in hand 1 there
    fresh = HanabiBotOf(game)
    assert (late.policy(elsewhere.observe(0)) == fresh.policy(elsewhere.observe(0))).all()
    assert late.act(game.state(9).observe(0)) == HanabiBotOf(game).act(game.state(9).observe(0))


def HanabiBotOf(game: Any) -> HanabiBot:  # noqa: N802 - reads as a constructor
    bot = HanabiBot("smart")
    bot.begin(game, 0, 0)
    return bot


# -- names and errors ---------------------------------------------------------------------


def test_bots_have_names() -> None:
    assert isinstance(arena.agent("hanabi/smart"), HanabiBot)
    with pytest.raises(UnknownNameError, match="smart"):
        arena.agent("hanabi/smrt")
    with pytest.raises(UnknownNameError, match="takes none"):
        arena.agent("hanabi/smart", depth=3)
    with pytest.raises(AgentError, match="not openspiel/kuhn_poker"):
        HanabiBot("iggi").begin(arena.make("kuhn_poker"), 0, 0)
    foreign = arena.make("kuhn_poker").state(0)
    bot = HanabiBotOf(arena.make("hanabi"))
    with pytest.raises(AgentError, match="not of the game hanabi"):
        bot.act(foreign.observe(foreign.actors()[0]))
