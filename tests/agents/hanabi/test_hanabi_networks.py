"""Search in Hanabi from networks: what they are asked in kernels, beliefs and play-outs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import arena
from agents.hanabi.network_model import NetworkModel
from agents.hanabi.searching import HanabiSearch, mds
from agents.hanabi.tracking import Tracker
from agents.network import NetworkAgent
from arena.episode import drive
from arena.errors import AgentError
from arena.rng import derive_many, stream_states
from games.hanabi import layout as at
from solvers.training.policy import MlpPolicy

SMALL: dict[str, Any] = {"colors": 2, "ranks": 4, "hand_size": 3}
TINY: dict[str, Any] = {"colors": 2, "ranks": 2, "hand_size": 2}


def stream(seed: int) -> np.ndarray:
    return stream_states(np.array([seed], dtype=np.uint64))


def network(game: Any, *, greedy: bool, seats: int = 0, features: bool = False,
            activation: str = "relu") -> NetworkAgent:  # fmt: skip
    variant = game.form("hanabi")
    rng = np.random.default_rng(2)
    inputs = variant.tensor_size + seats
    if features:
        inputs += game.form("features")(np.zeros((1, variant.tensor_size), np.float32)).shape[1]
    sizes = [inputs, 16, 12, variant.actions]
    weights = [rng.normal(scale=0.4, size=(b, a)) for a, b in pairwise(sizes)]
    biases = [rng.normal(size=b) for b in sizes[1:]]
    policy = MlpPolicy.make(
        game.key,
        {
            "sizes": sizes,
            "activation": activation,
            "greedy": greedy,
            "seats": seats,
            "features": features,
        },
        {f"{k}.weight": w for k, w in enumerate(weights)}
        | {f"{k}.bias": b for k, b in enumerate(biases)},
    )
    return NetworkAgent(policy, name="net")


@pytest.mark.parametrize(
    ("params", "given"),
    [
        ({}, {"seats": 2, "features": True}),
        ({"players": 4}, {"features": True}),
        (SMALL, {"seats": 2, "activation": "tanh"}),
        ({"observation_type": "minimal"}, {}),
        ({"observation_type": "seer"}, {"features": True}),
    ],
)
def test_kernels_give_the_odds_of_the_network(params: Any, given: Any) -> None:
    game = arena.make("hanabi", **params)
    agent = network(game, greedy=False, **given)
    model = NetworkModel(game.form("hanabi"), agent.network, greedy=False)
    batch = game.form("batch", seeds=derive_many(8, range(40)))
    streams = stream_states(derive_many(9, range(40)))
    for _ in range(25):
        live = batch.rows[:, at.LIVE] == 1
        seen, movers = batch.observe_mover(), batch.rows[:, at.TURN]
        wanted = np.zeros((40, batch.variant.actions))
        for seat in range(game.seats):
            here = live & (movers == seat)
            wanted[here] = agent.network.distribution(
                seen.tensor[here], seen.legal[here], seat=seat
            )
        np.testing.assert_allclose(model._odds(batch.rows[live]), wanted[live], atol=1e-4)
        batch.step(batch.sample(streams))


def test_a_network_of_another_kind_is_asked_as_agents_are() -> None:
    class Plain:
        """Legal actions by their numbers."""

        def distribution(self, tensor: Any, legal: Any, **_: Any) -> Any:
            odds = legal * (1.0 + np.arange(legal.shape[1])) * (1.0 + tensor[:, :1])
            return odds / odds.sum(axis=1, keepdims=True)

    game = arena.make("hanabi", **SMALL)
    batch = game.form("batch", seeds=[1, 2, 3])
    odds = NetworkModel(batch.variant, Plain(), greedy=False)._odds(batch.rows)
    legal = batch.observe_mover().legal
    wanted = legal * (1.0 + np.arange(legal.shape[1]))
    np.testing.assert_allclose(odds, wanted / wanted.sum(axis=1, keepdims=True))
    greedy = NetworkModel(batch.variant, Plain(), greedy=True)._odds(batch.rows)
    assert (greedy.argmax(axis=1) == wanted.argmax(axis=1)).all()
    assert (greedy.max(axis=1) == 1.0).all()


def test_playouts_are_games_of_the_network() -> None:
    """With the true hand as the only one, and an empty deck, nothing is left to luck."""
    game = arena.make("hanabi", **SMALL)
    agent = network(game, greedy=True, seats=2, features=True)
    model, checked = NetworkModel(game.form("hanabi"), agent.network, greedy=True), 0
    for seed in range(60):
        state, rng = game.state(seed), np.random.default_rng(seed)
        while state.actors() and state.row[at.DEALT] < state.variant.deck_size:
            seat = state.actors()[0]
            discards = [a for a in state.legal(seat) if a < 3]
            state.step({seat: int(rng.choice(discards or state.legal(seat)))})
        if not state.actors():
            continue
        seat = state.actors()[0]
        seen = state.observe(seat).row
        own = state.row[at.HANDS + 3 * seat : at.HANDS + 3 * seat + 3]
        true = state.row[at.DECK + own[own >= 0].astype(int)]
        deal = Tracker(state.variant, seat, model)
        deal.hands, deal.unseen[:] = true[None], np.bincount(true, minlength=40)
        actions = list(state.legal(seat))
        found = model.playouts(seen, seat, deal, np.zeros(2, np.int64), actions, stream(2))
        for k, action in enumerate(actions):
            twin = state.clone()
            twin.step({seat: action})
            for p in range(2):
                agent.begin(game, p, 0)
            drive(twin, [_seated(game, agent, 0), _seated(game, agent, 1)])
            assert found[:, k].tolist() == [twin.returns()[0]] * 2
        checked += 1
    assert checked >= 10


def _seated(game: Any, agent: NetworkAgent, seat: int) -> Any:
    twin = NetworkAgent(agent.network, name="net")
    twin.begin(game, seat, 0)
    return twin.act


@pytest.mark.parametrize("greedy", [True, False])
def test_a_network_is_replayed_with_the_odds_it_gives(greedy: bool) -> None:
    game = arena.make("hanabi", **TINY)
    agent = network(game, greedy=greedy)
    model = NetworkModel(game.form("hanabi"), agent.network, greedy=greedy)
    checked = 0
    for seed in range(6):
        state = game.state(seed)
        for seat in (0, 1, 0):
            agent.begin(game, seat, seed)
            if state.actors() == (seat,):
                state.step({seat: agent.act(state.observe(seat))})
        if state.actors() != (1,):
            continue
        tracker = Tracker(state.variant, 1, model, limit=500)
        tracker.update(state.observe(1).row, stream(0))
        assert tracker.exact
        likely = []
        for hand in tracker.hands:
            chance, twin = 1.0, game.state(seed)
            now = state.row[at.HANDS + 2 : at.HANDS + 4].astype(int)
            for card, index in zip(hand, now[now >= 0], strict=True):
                twin.row[at.DECK + index] = card
            for move in range(int(state.row[at.LENGTH])):
                seat, action = twin.actors()[0], int(state.row[at.LOG + 2 * move])
                if seat == 0:
                    agent.begin(game, 0, 0)
                    odds = agent.policy(twin.observe(0))
                    chance *= (odds.argmax() == action) if greedy else odds[action]
                twin.step({seat: action})
            likely.append(chance)
        counts = np.array(likely)
        ways = tracker._ways(tracker.hands)
        np.testing.assert_allclose(
            tracker.weights, counts * ways / (counts * ways).sum(), atol=1e-5
        )
        checked += 1
    assert checked >= 3


def test_search_from_a_network() -> None:
    game = arena.make("hanabi", **SMALL)
    agent: HanabiSearch = mds(rollouts=60, tries=100)
    agent._blueprint = network(game, greedy=True)
    agent.begin(game, 0, 1)
    state = game.state(1)
    assert agent.act(state.observe(0)) in state.legal(0)
    assert agent.statistics.rollouts > 0


def test_a_network_of_another_variant_is_refused() -> None:
    game = arena.make("hanabi", **SMALL)
    agent = network(game, greedy=True)
    with pytest.raises(AgentError, match="does not play this variant"):
        NetworkModel(arena.make("hanabi", **TINY).form("hanabi"), agent.network, greedy=True)
    with pytest.raises(AgentError, match=r"not for hanabi\(players=3\)"):
        mds(blueprint="hanabi/ppo").begin(arena.make("hanabi", players=3), 0, 0)


def test_search_improves_what_was_learned() -> None:
    game = arena.make("hanabi", colors=2, hand_size=3)
    agent = mds(blueprint="ppo_small", rollouts=150)
    gains = []
    for seed in range(6):
        scores = []
        for first in ("hanabi/ppo_small", agent):
            match = arena.play(game, [first, "hanabi/ppo_small"], seed=seed)
            scores.append(match.payoffs[0])
        gains.append(scores[1] - scores[0])
    assert agent.statistics.searched > 40
    assert agent.statistics.deviations > 0
    assert sum(gains) >= 0
