"""OpenSpiel's bots play, say what they cannot play, and follow their seeds."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyspiel
import pytest

import arena
from agents.openspiel_bot import FAMILY
from arena.episode import drive
from arena.errors import AgentError, ParameterError, UnknownNameError
from arena.game import Game, Snapshot
from arena.registry import AGENTS
from arena.testing import check_agent
from games.normal_form import NormalForm, as_game

RPS = "openspiel/repeated_game(num_repetitions=60,stage_game=matrix_rps)"


def returns(game: Game, agents: list[Any], seed: int) -> np.ndarray:
    for seat, agent in enumerate(agents):
        agent.begin(game, seat, seed * 10 + seat)
    state = game.state(seed)
    drive(state, [agent.act for agent in agents])
    return state.returns()


@pytest.mark.parametrize(
    ("bot", "params", "game"),
    [
        ("mcts", {"simulations": 30}, "tic_tac_toe"),
        ("mcts", {"simulations": 5, "selection": "PUCT", "solve": False}, "connect_four"),
        ("mcts", {"simulations": 2}, "openspiel/pig(winscore=20)"),
        ("uniform_random", {}, "leduc_poker"),
        ("uniform_random", {}, "openspiel/goofspiel(num_cards=4)"),
        ("fixed_action_preference", {}, "tic_tac_toe"),
        ("uniform_restricted_actions", {}, "openspiel/universal_poker"),
        ("simple_gin_rummy", {}, "gin_rummy"),
        ("roshambo/greenberg", {}, RPS),
        ("roshambo/randbot", {}, RPS),
    ],
)
def test_bots_conform(bot: str, params: dict[str, Any], game: str) -> None:
    check_agent(lambda: arena.agent(f"openspiel/{bot}", **params), arena.make(game), episodes=1)


@pytest.mark.parametrize("name", FAMILY.names())
def test_every_bot_can_play_something(name: str) -> None:
    game = arena.make(
        RPS
        if name.startswith("roshambo/")
        else {
            "uniform_restricted_actions": "openspiel/universal_poker",
            "simple_gin_rummy": "gin_rummy",
            "is_mcts": "kuhn_poker",
        }.get(name, "tic_tac_toe")
    )
    params = {"simulations": 5} if "mcts" in name else {}
    agents = [arena.agent(f"openspiel/{name}", **params) for _ in range(2)]
    assert np.isfinite(returns(game, agents, 1)).all()
    info = AGENTS.info(f"openspiel/{name}")
    assert info.summary
    assert info.tags is not None
    assert info.tags["games"]


def test_every_registered_bot_is_listed() -> None:
    assert set(pyspiel.registered_bots()) <= set(FAMILY.names())
    assert {f"roshambo/{n}" for n in pyspiel.roshambo_bot_names()} <= set(FAMILY.names())


def test_mcts_wins() -> None:
    game = arena.make("tic_tac_toe")
    scores = [
        returns(game, [arena.agent("openspiel/mcts(simulations=100)"), arena.agent("uniform")], s)
        for s in range(20)
    ]
    assert np.mean(scores, axis=0)[0] > 0.7


def test_is_mcts_does_not_see_the_other_card() -> None:
    """In Kuhn poker a bet of the first seat with the queen is a mistake it makes blindly."""
    game = arena.make("kuhn_poker")
    policies: dict[str, list[float]] = {}
    for seed in range(60):
        state = game.state(seed)
        bot = arena.agent("openspiel/is_mcts", simulations=400)
        bot.begin(game, 0, 3)
        row = bot.policy(state.observe(0))  # type: ignore[attr-defined]
        assert row.sum() == pytest.approx(1.0)
        policies.setdefault(str(state.observe(0).key), []).append(float(row[1]))
    assert set(policies) == {"0", "1", "2"}
    for values in policies.values():
        # The opponent's card differs between these states; what is thought of them does not.
        assert max(values) - min(values) < 0.2


def test_policy_is_what_act_draws_from() -> None:
    game = arena.make("leduc_poker")
    observation = game.state(0).observe(0)
    counts: Counter[int] = Counter()
    bot = arena.agent("openspiel/uniform_random")
    for seed in range(600):
        bot.begin(game, 0, seed)
        counts[int(bot.act(observation))] += 1
    row = bot.policy(observation)  # type: ignore[attr-defined]
    for action in observation.actions or ():
        assert abs(counts[action] / 600 - row[action]) < 0.1


def test_a_bot_without_a_policy_offers_none() -> None:
    bot = arena.agent("openspiel/mcts", simulations=2)
    bot.begin(arena.make("tic_tac_toe"), 0, 1)
    assert not hasattr(bot, "policy")


@pytest.mark.parametrize(
    ("bot", "game", "message"),
    [
        ("mcts", "kuhn_poker", "perfect information"),
        ("mcts", "goofspiel", "one at a time"),
        ("mcts", "openspiel/2048", "at the end only"),
        ("is_mcts", "tic_tac_toe", "imperfect information"),
        ("is_mcts", "liars_dice", "resample"),
        ("is_mcts", "openspiel/tarok", "enumerated"),
        ("uniform_random", "openspiel/mfg_crowd_modelling", "mean-field"),
        ("uniform_restricted_actions", "kuhn_poker", "universal_poker only"),
        ("simple_gin_rummy", "kuhn_poker", "gin_rummy only"),
        ("roshambo/greenberg", "tic_tac_toe", "rock-paper-scissors"),
        (
            "roshambo/greenberg",
            "openspiel/repeated_game(num_repetitions=2000,stage_game=matrix_rps)",
            "at most 1000 rounds",
        ),
    ],
)
def test_bots_say_what_they_cannot_play(
    bot: str, game: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AgentError, match=message):
        arena.agent(f"openspiel/{bot}").begin(arena.make(game), 0, 0)
    assert capfd.readouterr().err == ""


def test_other_games_and_other_observations_are_refused() -> None:
    bot = arena.agent("openspiel/uniform_random")
    with pytest.raises(AgentError, match="OpenSpiel games only"):
        bot.begin(as_game(NormalForm([[1, 2]]), id="x"), 0, 0)
    game = arena.make("tic_tac_toe")
    with pytest.raises(AgentError, match="before begin"):
        bot.act(game.state(0).observe(0))
    bot.begin(game, 0, 0)
    with pytest.raises(AgentError, match="Snapshot"):
        bot.act(Snapshot.of(game.state(0).observe(0)))


def test_a_bot_that_fails_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    game = arena.make("go")
    agents = [arena.agent("openspiel/fixed_action_preference") for _ in range(2)]
    with pytest.raises(AgentError, match="No legal actions"):
        returns(game, agents, 0)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "params", "error", "message"),
    [
        ("mcts", {"simulation": 3}, UnknownNameError, "simulations"),
        ("mcts", {"simulations": 0}, ParameterError, "at least 1"),
        ("mcts", {"simulations": "many"}, ParameterError, "int"),
        ("mcts", {"uct_c": -1.0}, ParameterError, "at least 0"),
        ("mcts", {"selection": "best"}, ParameterError, "UCT"),
        ("is_mcts", {"final_policy": "x"}, ParameterError, "MAX_VALUE"),
        ("is_mcts", {"world_samples": 0}, ParameterError, "at least"),
        ("mctss", {}, UnknownNameError, "mcts"),
        ("roshambo/greenbirg", {}, UnknownNameError, "greenberg"),
    ],
)
def test_wrong_parameters(
    name: str, params: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        arena.agent(f"openspiel/{name}", **params)
