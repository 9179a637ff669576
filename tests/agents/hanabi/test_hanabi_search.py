"""Search in Hanabi: play-outs, beliefs kept from move to move, and what is played."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from agents.hanabi import BOTS, HanabiBot
from agents.hanabi import _kernels as bots
from agents.hanabi._playout_kernels import play_on
from agents.hanabi._smart_desk_kernels import TABLE
from agents.hanabi._smart_playout_kernels import smart_to_the_end
from agents.hanabi._table_kernels import WORK
from agents.hanabi.belief import believe
from agents.hanabi.models import BotModel
from agents.hanabi.searching import mds, sparta
from agents.hanabi.tracking import Tracker, systematic
from agents.load import load
from arena.episode import drive
from arena.errors import AgentError, ParameterError, UnknownNameError
from arena.rng import derive_many, seat_seed, stream_states
from arena.testing import check_agent
from games.batch import play_batch
from games.hanabi import layout as at

SMALL: dict[str, Any] = {"colors": 2, "ranks": 4, "hand_size": 3}
TINY: dict[str, Any] = {"colors": 2, "ranks": 2, "hand_size": 2}


def stream(seed: int) -> np.ndarray:
    return stream_states(np.array([seed], dtype=np.uint64))


def some_state(game: Any, moves: int, seed: int, *, wild: float, name: str = "smart") -> Any:
    """A state some moves into a game of bots that now and then play anything."""
    rng = np.random.default_rng(seed)
    state = game.state(seed)
    players = [HanabiBot(name) for _ in range(game.seats)]
    for seat, player in enumerate(players):
        player.begin(game, seat, seed)
    for _ in range(moves):
        if not state.actors():
            break
        seat = state.actors()[0]
        action = players[seat].act(state.observe(seat))
        if rng.random() < wild:
            action = int(rng.choice(state.legal(seat)))
        state.step({seat: action})
    return state


def minds(game: Any, state: Any, name: str) -> np.ndarray:
    """What each seat remembers, as its bot works it out from the moves."""
    variant = game.form("hanabi")
    out = np.zeros((game.seats, at.MAX_CARDS), dtype=np.int64)
    for seat in range(game.seats):
        row = np.zeros(variant.width, dtype=np.int16)
        row[at.LENGTH] = -1
        seen, work = state.observe(seat).row, np.zeros(WORK, dtype=np.int64)
        bots.catch_up(BOTS[name].number, seen, row, variant.numbers, out[seat], seat, work)
    return out


# -- play-outs ----------------------------------------------------------------------------


@given(
    st.integers(2, 5),
    st.integers(2, 5),
    st.integers(2, 5),
    st.integers(0, 30),
    st.integers(0, 2**32),
    st.sampled_from([{}, {"max_information_tokens": 2}, {"end_of_deck": "at_once"},
                     {"lost_score": "fireworks", "max_life_tokens": 1}]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_fast_loop_of_smartbot_plays_as_the_general_one(
    players: int, colors: int, ranks: int, moves: int, seed: int, more: dict[str, Any]
) -> None:
    params = {"players": players, "colors": colors, "ranks": ranks, **more}
    variant_deck = colors * (3 if ranks == 1 else 3 + 2 * (ranks - 2) + 1)
    game = arena.make("hanabi", hand_size=max(1, min(4, variant_deck // players - 1)), **params)
    state = some_state(game, moves, seed, wild=0.15)
    numbers = game.form("hanabi").numbers
    memory = minds(game, state, "smart")
    held = [int(i) for i in state.row[at.HANDS : at.HANDS + at.MAX_CARDS] if i >= 0]
    shared = bool((memory[:, held] == memory[0, held]).all())
    table, work = np.zeros(TABLE, dtype=np.int64), np.zeros(WORK, dtype=np.int64)
    before = state.row.copy()
    fast = int(smart_to_the_end(state.row, numbers, memory[0], table)) if shared else -1
    assert (state.row == before).all()
    seats = [HanabiBot("smart") for _ in range(game.seats)]
    for seat, player in enumerate(seats):
        player.begin(game, seat, 0)
    drive(state, [player.act for player in seats])
    score = int(state.returns()[0])
    assert fast in (-1, score)
    general = play_on(
        np.full(players, 10), before, numbers, memory, np.zeros(players, np.uint64), work, table
    )
    assert int(general) == score


def test_the_fast_loop_is_nearly_always_enough() -> None:
    game = arena.make("hanabi")
    batch = game.form("batch", seeds=derive_many(4, range(300)))
    wanted = play_batch(game, [HanabiBot("smart"), HanabiBot("smart")], derive_many(4, range(300)))
    assert wanted is not None
    memory = np.zeros(at.MAX_CARDS, dtype=np.int64)
    table = np.zeros(TABLE, dtype=np.int64)
    numbers = game.form("hanabi").numbers
    bots.recall(memory, numbers)
    found = [int(smart_to_the_end(row, numbers, memory, table)) for row in batch.rows]
    assert found == wanted[:, 0].astype(int).tolist()


@pytest.mark.parametrize("name", ["smart", "information", "piers"])
def test_playouts_are_games_of_the_bots(name: str) -> None:
    """With the true hand as the only one, and an empty deck, nothing is left to luck."""
    game = arena.make("hanabi", players=3, colors=2, ranks=3, hand_size=3)
    checked = 0
    for seed in range(40):
        state = some_state(game, 7 + seed % 6, seed, wild=0.0, name=name)
        if not state.actors() or state.row[at.DEALT] < 12 or BOTS[name].stochastic:
            continue
        seat = state.actors()[0]
        model = BotModel(game.form("hanabi"), name)
        seen = state.observe(seat).row
        tracker = Tracker(state.variant, seat, model)
        tracker.update(seen, stream(1))
        model.watch(seen, seat)
        own = state.row[at.HANDS + 3 * seat : at.HANDS + 3 * seat + 3]
        true = state.row[at.DECK + own[own >= 0].astype(int)]
        where = np.flatnonzero((tracker.hands == true).all(axis=1))
        assert len(where) == 1
        actions = list(state.legal(seat))
        found = model.playouts(seen, seat, tracker, np.repeat(where, 2), actions, stream(2))
        for k, action in enumerate(actions):
            twin = state.clone()
            players = [HanabiBot(name) for _ in range(3)]
            for p, player in enumerate(players):
                player.begin(game, p, 0)
            twin.step({seat: action})
            drive(twin, [player.act for player in players])
            assert found[:, k].tolist() == [twin.returns()[0]] * 2
        checked += 1
    assert checked >= 3 or BOTS[name].stochastic


# -- beliefs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "players"), [("smart", 2), ("information", 3), ("random_legal", 2)]
)
def test_beliefs_kept_from_move_to_move_are_those_made_anew(name: str, players: int) -> None:
    game = arena.make("hanabi", players=players, colors=2, ranks=4, hand_size=3)
    compared = 0
    for seed in range(4):
        state = game.state(seed)
        seats = [HanabiBot(name) for _ in range(players)]
        trackers = []
        for seat, player in enumerate(seats):
            player.begin(game, seat, seed)
            trackers.append(
                Tracker(state.variant, seat, BotModel(state.variant, name), limit=20_000)
            )
        while state.actors():
            seat = state.actors()[0]
            seen = state.observe(seat)
            mine = trackers[seat]
            mine.update(seen.row, stream(seed))
            wanted = believe(seen, [name] * players, limit=20_000)
            assert mine.exact
            assert wanted.exact
            here = {tuple(h): w for h, w in zip(mine.hands.tolist(), mine.weights, strict=True)}
            for hand, weight in zip(wanted.hands.tolist(), wanted.weights, strict=True):
                assert here.get(tuple(hand), 0.0) == pytest.approx(weight, abs=1e-12)
            assert mine.effective == pytest.approx(wanted.effective)
            compared += 1
            state.step({seat: seats[seat].act(seen)})
        assert all(tracker.fallbacks == 0 for tracker in trackers)
    assert compared > 40


def test_sampled_beliefs_approach_exact_ones() -> None:
    game = arena.make("hanabi", **SMALL)
    off, size = 0.0, 0
    for seed in range(4):
        state = game.state(seed)
        seats = [HanabiBot("smart") for _ in range(2)]
        for seat, player in enumerate(seats):
            player.begin(game, seat, seed)
        model = BotModel(state.variant, "smart")
        exact = Tracker(state.variant, 0, model, limit=50_000)
        drawn = Tracker(state.variant, 0, model, limit=1, tries=3000)
        streams = stream(seed)
        while state.actors():
            seat = state.actors()[0]
            seen = state.observe(seat)
            if seat == 0:
                exact.update(seen.row, stream(0))
                drawn.update(seen.row, streams)
                for slot in range(exact.hands.shape[1]):
                    for card in np.unique(exact.hands[:, slot]):
                        p = exact.weights[exact.hands[:, slot] == card].sum()
                        q = drawn.weights[drawn.hands[:, slot] == card].sum()
                        off += abs(p - q)
                        size += 1
            state.step({seat: seats[seat].act(seen)})
        assert drawn.fallbacks == 0
    assert off / size < 0.02


def test_a_partner_who_leaves_the_blueprint_is_counted_or_expected() -> None:
    """SmartBot would not do that: no hand explains it, unless the partner is taken to err."""
    game = arena.make("hanabi")
    counted = 0
    for seed in range(8):
        state = game.state(seed)
        hard, soft = (
            Tracker(state.variant, 0, BotModel(state.variant, "smart"), tries=300, limit=1, soft=s)
            for s in (0.0, 0.1)
        )
        seen = state.observe(0).row
        for tracker in (hard, soft):
            tracker.update(seen, stream(seed))
        state.step({0: state.legal(0)[-1]})  # the highest rank hint there is
        state.step({1: 5})  # plays its oldest card, whatever was told
        seen = state.observe(0).row
        for tracker in (hard, soft):
            tracker.update(seen, stream(seed))
            assert tracker.weights.sum() == pytest.approx(1.0)
            assert len(tracker.hands) == len(tracker.memories) > 0
        counted += hard.fallbacks
        assert soft.fallbacks == 0
    assert counted >= 4


def test_systematic_resampling_keeps_the_odds() -> None:
    weight = np.array([0.0, 1.0, 3.0, 0.0, 4.0, 0.0])
    found = np.bincount(systematic(weight, 8000, stream(5)), minlength=6)
    np.testing.assert_allclose(found / 8000, weight / 8, atol=1e-3)


# -- agents -------------------------------------------------------------------------------


def play_pairs(game: Any, agents: list[Any], base: str, games: int) -> np.ndarray:
    seeds = derive_many(11, range(games))
    plain = play_batch(game, [HanabiBot(base), HanabiBot(base)], seeds)
    assert plain is not None
    out = []
    for seed in seeds.tolist():
        for seat, agent in enumerate(agents):
            agent.begin(game, seat, seat_seed(seed, seat))
        state = game.state(seed)
        drive(state, [agent.act for agent in agents])
        out.append(state.returns()[0])
    return np.array(out) - plain[:, 0]


@pytest.mark.parametrize("search", [mds, sparta])
def test_one_searching_seat_improves_a_weak_blueprint(search: Any) -> None:
    game = arena.make("hanabi", **SMALL)
    agent = search(blueprint="iggi", rollouts=300, limit=2000)
    gain = play_pairs(game, [agent, HanabiBot("iggi")], "iggi", 30)
    assert gain.mean() > 2.0 * gain.std() / len(gain) ** 0.5
    means = agent.statistics.means()
    assert means["decisions"] >= agent.statistics.searched > 100
    assert means["rollouts"] <= 300
    assert means["effective"] >= 1.0
    assert agent.statistics.deviations > 0


def test_two_searching_seats_improve_it_too() -> None:
    game = arena.make("hanabi", **SMALL)
    agents = [mds(blueprint="smart", rollouts=300, soft=0.05) for _ in range(2)]
    gain = play_pairs(game, agents, "smart", 40)
    assert gain.mean() > 0.0


def test_the_same_seed_plays_the_same_game() -> None:
    game = arena.make("hanabi", **SMALL)
    moves = []
    for _ in range(2):
        agents = [mds(rollouts=100, play="draw"), mds(rollouts=100, soft=0.1)]
        match = arena.play(game, agents, seed=3)
        moves.append(match.steps)
    assert moves[0] == moves[1]


def test_searches_conform_and_take_part_by_name() -> None:
    game = arena.make("hanabi", **TINY)
    check_agent(lambda: mds(rollouts=30, tries=50), game, episodes=3)
    check_agent(lambda: sparta(rollouts=60), game, episodes=3)
    found = arena.play(game, ["hanabi/mds", "hanabi/sparta"], seed=1)
    assert 0 <= found.payoffs[0] <= 4


def test_a_budget_of_time_is_kept() -> None:
    game = arena.make("hanabi", **TINY)
    agent = mds(rollouts=10_000_000, milliseconds=1.0, z=50.0, margin=0.0)
    play_pairs(game, [agent, HanabiBot("smart")], "smart", 1)
    assert 0 < agent.statistics.rollouts < 10_000_000


def test_bad_input_is_named() -> None:
    with pytest.raises(ParameterError, match="rollouts"):
        mds(rollouts=0)
    with pytest.raises(ParameterError, match="soft"):
        mds(soft=1.0)
    with pytest.raises(UnknownNameError, match="smart"):
        mds(blueprint="smrt")
    with pytest.raises(UnknownNameError, match="rollouts"):
        load("hanabi/mds", rolouts=5)
    with pytest.raises(AgentError, match="network"):
        mds(blueprint="scripted/tit_for_tat")
    with pytest.raises(AgentError, match="hanabi"):
        mds().begin(arena.make("kuhn_poker"), 0, 0)
    with pytest.raises(UnknownNameError, match="threshold"):
        sparta(eta=3.0)
