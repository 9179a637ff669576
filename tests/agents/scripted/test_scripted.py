"""Native strategies: named behaviour, kernels equal to agents, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from agents.scripted import Learner, Scripted
from agents.scripted.fast import play_pairs, record_pairs
from agents.scripted.learner import LEARNERS
from agents.scripted.table import STRATEGIES
from arena.agent import Agent
from arena.episode import drive
from arena.errors import AgentError, ParameterError, UnknownNameError
from arena.game import Game
from arena.rng import seat_seed
from games.batch import play_batch

NAMES = sorted(STRATEGIES)
names = st.sampled_from(NAMES)


def play(game: Game, agents: list[Any], seed: int = 0) -> Any:
    for seat, agent in enumerate(agents):
        agent.begin(game, seat, seat_seed(seed, seat))
    state: Any = game.state(seed)
    drive(state, [agent.act for agent in agents])
    return state


def answers(name: str, others: str, **params: Any) -> str:
    """What a strategy plays against a fixed sequence, as text."""
    game = arena.make("repeated/prisoners_dilemma", rounds=len(others))
    agent = Scripted(name, **params)
    agent.begin(game, 0, 1)
    state: Any = game.state(0)
    for other in others:
        state.step({0: agent.act(state.observe(0)), 1: "CD".index(other)})
    return "".join("CD"[joint[0]] for joint in state.played)


@pytest.mark.parametrize(
    ("name", "others", "expected"),
    [
        ("tit_for_tat", "CDDCC", "CCDDC"),
        ("suspicious_tit_for_tat", "CCDC", "DCCD"),
        ("tit_for_two_tats", "DDCDCDD", "CCDCCCC"),
        ("two_tits_for_tat", "DCCCC", "CDDCC"),
        ("hard_tit_for_tat", "DCCCCC", "CDDDCC"),
        ("gradual", "DCCCDCCCCC", "CDCCCDDCCC"),
        ("grim_trigger", "CCDCCC", "CCCDDD"),
        ("soft_grim", "DCCCCCCC", "CDDDDCCC"),
        ("win_stay_lose_shift", "CDDCC", "CCDCC"),
        ("tester", "CCCCCC", "DCCDCD"),
        ("tester", "CDCDCC", "DCCCDC"),
        ("shubik", "DCCDCCCC", "CDCCDDCC"),
        ("handshake", "CDDD", "CDCC"),
        ("handshake", "CCCC", "CDDD"),
        ("prober", "CCCDD", "DCCDD"),
        ("alternator", "DDDD", "CDCD"),
        ("soft_majority", "DCDDC", "CDCDD"),
        ("hard_majority", "CCDDC", "DCCCD"),
    ],
)
def test_known_behaviour(name: str, others: str, expected: str) -> None:
    assert answers(name, others) == expected


settings_of_games = st.fixed_dictionaries(
    {"rounds": st.integers(1, 130)},
    optional={
        "continuation": st.floats(0.5, 0.999),
        "noise": st.sampled_from([0.01, 0.1, 0.5]),
        "payoff": st.sampled_from(["mean", "sum"]),
    },
)


@settings(max_examples=150, deadline=None)
@given(first=names, second=names, params=settings_of_games, seed=st.integers(0, 2**64 - 1))
def test_kernel_and_agents_play_the_same(
    first: str, second: str, params: dict[str, Any], seed: int
) -> None:
    game = arena.make("repeated/prisoners_dilemma", **params)
    agents: list[Agent] = [Scripted(first), Scripted(second)]
    state = play(game, agents, seed)
    recorded = record_pairs(game, agents, np.array([[0, 1]]), [seed], turns=130)
    assert recorded is not None
    payoffs, rounds = recorded
    assert [2 * a + b for a, b in state.played] == [r for r in rounds[0] if r >= 0]
    assert (payoffs[0] == state.returns()).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_has_a_kernel_that_plays_the_same(name: str) -> None:
    game = arena.make("repeated/prisoners_dilemma", rounds=200, noise=0.03)
    for k, other in enumerate(("random", "tit_for_tat", "tester", "stein_rapoport")):
        for pair in ((name, other), (other, name)):
            agents: list[Agent] = [Scripted(pair[0]), Scripted(pair[1])]
            state = play(game, agents, k)
            recorded = record_pairs(game, agents, np.array([[0, 1]]), [k], turns=200)
            assert recorded is not None
            assert [2 * a + b for a, b in state.played] == recorded[1][0].tolist(), pair


@pytest.mark.parametrize("stage", ["chicken", "battle_of_the_sexes", "welfare", "penalty_kick"])
def test_other_games_and_seats_see_their_own_payoffs(stage: str) -> None:
    game = arena.make(f"repeated/{stage}", rounds=90, noise=0.05)
    for name in ("downing", "adaptive", "tideman_chieruzzi", "stein_rapoport"):
        for pair in ((name, "random"), ("random", name), (name, name)):
            agents: list[Agent] = [Scripted(each) for each in pair]
            batched = play_batch(game, agents, [5, 6])
            assert batched is not None
            for k, seed in enumerate((5, 6)):
                assert (play(game, agents, seed).returns() == batched[k]).all(), pair


def test_one_shot_games_are_played_too() -> None:
    game = arena.make("prisoners_dilemma")
    agents: list[Agent] = [Scripted("tit_for_tat"), Scripted("bully")]
    assert play(game, agents).returns().tolist() == [0.0, 5.0]
    batched = play_batch(game, agents, [1, 2])
    assert batched is not None and batched.tolist() == [[0.0, 5.0]] * 2
    assert play(arena.make("jordan"), [Learner("hedge") for _ in range(3)]).actors() == ()


def test_many_matches_in_one_call() -> None:
    game = arena.make("repeated/prisoners_dilemma", rounds=60, noise=0.02)
    agents: list[Agent] = [Scripted(n) for n in ("gradual", "joss", "zd_extort_2", "random")]
    seatings = np.array([(i, j) for i in range(4) for j in range(4)])
    seeds = np.arange(16) + 40
    payoffs = play_pairs(game, agents, seatings, seeds)
    assert payoffs is not None
    for k, (i, j) in enumerate(seatings):
        pair = [Scripted(agents[i].name), Scripted(agents[j].name)]  # type: ignore[attr-defined]
        assert (play(game, pair, int(seeds[k])).returns() == payoffs[k]).all()
    with pytest.raises(ParameterError, match="seatings"):
        play_pairs(game, agents, np.array([[0, 4]]), [1])


def test_a_batch_needs_strategies_of_one_kind_and_a_game_of_two_by_two() -> None:
    game = arena.make("repeated/prisoners_dilemma", rounds=5)
    assert play_batch(game, [Scripted("joss"), Learner("hedge")], [1]) is None
    agents: list[Agent] = [Scripted("joss"), Scripted("joss")]
    assert play_pairs(arena.make("repeated/shapley"), agents, np.array([[0, 1]]), [1]) is None


def test_zero_determinant_strategies_enforce_their_relation() -> None:
    game = arena.make("repeated/prisoners_dilemma", rounds=20_000)
    (r, _), (_, p) = (3.0, 0.0), (5.0, 1.0)
    seeds = list(range(20))
    for name, line in (
        # Press and Dyson 2012: own − P = 2 (other − P); Stewart and Plotkin 2012.
        ("zd_extort_2", lambda own, other: (own - p) - 2 * (other - p)),
        ("zd_generous_2", lambda own, other: (own - r) - 2 * (other - r)),
        ("zd_set_2", lambda own, other: other - 2.0),
    ):
        for opponent in ("random", "always_cooperate", "win_stay_lose_shift", "firm_but_fair"):
            pair: list[Agent] = [Scripted(name), Scripted(opponent)]
            payoffs = play_batch(game, pair, seeds)
            assert payoffs is not None
            off = line(payoffs[:, 0], payoffs[:, 1])
            error = off.std() / math.sqrt(len(seeds)) + 1e-3
            assert abs(off.mean()) < 5 * error, (name, opponent, off.mean())


def test_noise_breaks_tit_for_tat_but_not_pavlov_or_contrition() -> None:
    game = arena.make("repeated/prisoners_dilemma", rounds=1000, noise=0.01)
    earned = {}
    for name in ("tit_for_tat", "contrite_tit_for_tat", "win_stay_lose_shift"):
        payoffs = play_batch(game, [Scripted(name), Scripted(name)], range(30))
        assert payoffs is not None
        earned[name] = float(payoffs.mean())
    # Nowak and Sigmund 1993; Wu and Axelrod 1995, table 1.
    assert earned["tit_for_tat"] < 2.5
    assert earned["contrite_tit_for_tat"] > 2.8 and earned["win_stay_lose_shift"] > 2.8


@pytest.mark.parametrize(
    ("rule", "game", "expected"),
    [
        ("fictitious_play", "prisoners_dilemma", 1),
        ("joint_fictitious_play", "prisoners_dilemma", 1),
        ("regret_matching", "prisoners_dilemma", 1),
        ("hedge", "prisoners_dilemma", 1),
        ("exp3", "prisoners_dilemma", 1),
        ("smooth_fictitious_play", "prisoners_dilemma", 1),
        ("best_reply", "travellers_dilemma", 0),
    ],
)
def test_learning_rules_find_dominant_and_iterated_dominant_actions(
    rule: str, game: str, expected: int
) -> None:
    made = arena.make(f"repeated/{game}", rounds=3000, **({} if "pris" in game else {"high": 12}))
    state = play(made, [Learner(rule), Learner(rule)], 3)
    late = [action for joint in state.played[-500:] for action in joint]
    assert late.count(expected) > (0.85 if rule == "exp3" else 0.95) * len(late)


def test_learning_rules_approach_the_value_of_zero_sum_games() -> None:
    game = arena.make("repeated/oneill", rounds=6000)
    for rule in ("fictitious_play", "regret_matching", "hedge", "smooth_fictitious_play"):
        state = play(game, [Learner(rule), Learner(rule)], 4)
        assert abs(float(state.returns()[0]) + 1.0) < 0.25, rule


def test_fictitious_play_cycles_in_shapleys_game() -> None:
    state = play(
        arena.make("repeated/shapley", rounds=4000),
        [
            Learner("fictitious_play"),
            Learner("fictitious_play"),
        ],
        1,
    )
    shares = np.cumsum(np.eye(3)[[joint[0] for joint in state.played]], axis=0)
    shares /= np.arange(1, 4001)[:, None]
    # Shapley 1964: the runs grow geometrically, so that the shares never settle.
    assert np.ptp(shares[400:, 0]) > 0.2


def test_copycat_is_tit_for_tat_for_any_game() -> None:
    game = arena.make("repeated/shapley", rounds=30)
    state = play(game, [Learner("copycat"), Learner("exp3")], 2)
    played = state.played
    assert [joint[0] for joint in played[1:]] == [joint[1] for joint in played[:-1]]


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_learning_rules_play_any_matrix_game_and_follow_their_seed(name: str) -> None:
    for id, params in (
        ("repeated/public_goods", {"rounds": 12, "seats": 3}),
        ("repeated/centipede", {"continuation": 0.9}),
        ("matrix/majority", {}),
    ):
        game = arena.make(id, **params)
        agents = [arena.agent(f"scripted/{name}") for _ in range(game.seats)]
        assert play(game, agents, 9).history() == play(game, agents, 9).history()


def test_refusals() -> None:
    tit = arena.agent("tit_for_tat")
    for id in ("repeated/shapley", "repeated/jordan", "kuhn_poker"):
        with pytest.raises(AgentError, match="scripted/tit_for_tat"):
            tit.begin(arena.make(id), 0, 0)
    with pytest.raises(AgentError, match="before it began"):
        arena.agent("tit_for_tat").act(arena.make("repeated/chicken").state(0).observe(0))
    with pytest.raises(UnknownNameError, match="gradual"):
        arena.agent("scripted/graduall")
    with pytest.raises(UnknownNameError, match="there are: p"):
        arena.agent("scripted/random", q=1)
    with pytest.raises(ParameterError, match="from 0 to 1"):
        arena.agent("scripted/random", p=1.5)
    with pytest.raises(ParameterError, match="an integer"):
        arena.agent("scripted/n_pavlov", n=2.5)
    chicken = arena.make("repeated/deadlock")
    with pytest.raises(AgentError, match="probabilities"):
        arena.agent("scripted/zd_set_2").begin(chicken, 0, 0)


def test_a_strategy_that_missed_rounds_says_so() -> None:
    game = arena.make("repeated/prisoners_dilemma", rounds=4)
    state = game.state(0)
    state.step({0: 0, 1: 0})
    agent = arena.agent("scripted/gradual")
    agent.begin(game, 0, 0)
    with pytest.raises(AgentError, match="first round"):
        agent.act(state.observe(0))


def test_every_strategy_says_what_it_is_and_whence() -> None:
    for name in arena.registry.AGENTS.family("scripted").names():
        info = arena.registry.AGENTS.info(f"scripted/{name}")
        assert info.summary.endswith((".", ")")) and info.tags and info.tags["citation"], name
    assert len(STRATEGIES) >= 30 and len({s.code for s in STRATEGIES.values()}) > 40


@pytest.mark.parametrize("name", NAMES)
def test_strategies_that_promise_determinism_keep_it(name: str) -> None:
    if STRATEGIES[name].stochastic:
        return
    game = arena.make("repeated/prisoners_dilemma", rounds=200)
    runs = []
    for own_seed in (1, 2):
        agent, other = Scripted(name), Scripted("random")
        agent.begin(game, 0, own_seed)
        other.begin(game, 1, 5)
        state: Any = game.state(0)
        drive(state, [agent.act, other.act])
        runs.append(state.played)
    assert runs[0] == runs[1]
