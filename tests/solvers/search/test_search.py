"""Search in small games against exact values, posteriors and exploitability."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import arena
from agents.searching import mds, mmds
from arena.errors import AgentError, ParameterError, UnknownNameError
from arena.game import Game
from arena.rng import Stream, derive_many
from arena.testing import check_agent
from games.tree import tree_of
from solvers.certificates import certify
from solvers.search.on_tree import action_values, search_everywhere
from solvers.search.sampled import SampledSearch, Settings
from solvers.search.worlds import Particles
from tests.reference import search as twin


def random_policy(game: Game, seed: int) -> Any:
    tree = tree_of(game, cache=False)
    rng = np.random.default_rng(seed)
    behaviour = tree.uniform() * rng.uniform(0.1, 1.0, tree.n_sequences)
    owner = np.repeat(np.arange(tree.n_infosets), tree.info_actions)
    played = tree.sequence_action >= 0
    total = np.bincount(owner, weights=behaviour[played])
    behaviour[played] /= total[owner]
    behaviour[~played] = 1.0
    return tree, behaviour


@pytest.mark.parametrize(
    ("name", "params"),
    [("kuhn_poker", {}), ("kuhn_poker", {"players": 3}), ("liars_dice", {"dice_sides": 3})],
)
def test_action_values_are_those_of_the_recursion(name: str, params: dict[str, Any]) -> None:
    game = arena.make(name, **params)
    tree, behaviour = random_policy(game, 1)
    values, _ = action_values(tree, behaviour)
    wanted = twin.action_values(game, tree.to_table(behaviour))
    for infoset, key in enumerate(tree.keys):
        first = int(tree.info_first[infoset])
        row = wanted[int(tree.info_seat[infoset]), key]
        for k, action in enumerate(tree.infoset_actions(infoset)):
            assert values[first + k] == pytest.approx(row[int(action)], abs=1e-12)


@pytest.mark.parametrize(
    ("name", "params"),
    [("leduc_poker", {}), ("liars_dice", {"dice_sides": 4}), ("kuhn_poker", {})],
)
@pytest.mark.parametrize("solved", [0, 10])
def test_mmds_is_less_exploitable_than_its_blueprint(
    name: str, params: dict[str, Any], solved: int
) -> None:
    game = arena.make(name, **params)
    tree = tree_of(game, cache=False)
    behaviour = tree.uniform()
    if solved:
        policy = arena.solve(game, "cfr", iterations=solved, cache=False).policy
        behaviour = tree.from_table(policy)
    low, high = game.payoff_bounds
    found = search_everywhere(
        tree, behaviour, step=5.0 / (high - low), temperature=0.02 * (high - low)
    )
    before, after = (
        certify(tree, policy)["exploitability"].value for policy in (behaviour, found.behaviour)
    )
    assert after < before


def test_where_nobody_comes_the_blueprint_stays() -> None:
    game = arena.make("kuhn_poker")
    tree = tree_of(game, cache=False)
    behaviour = tree.uniform()
    # Seat 0 never bets first, so seat 1 never faces a bet after a pass-less start.
    for infoset in range(tree.n_infosets):
        if tree.info_seat[infoset] == 0 and tree.info_parent[infoset] == tree.seat_sequence[0]:
            first = int(tree.info_first[infoset])
            behaviour[first], behaviour[first + 1] = 1.0, 0.0
    found = search_everywhere(tree, behaviour, step=1.0)
    assert found.unreached == 3
    tree.checked(found.behaviour)


def test_particles_are_draws_from_the_posterior() -> None:
    """In Kuhn poker seat 1 sees a bet: bluffers hold the jack, callers the king."""
    game = arena.make("kuhn_poker")
    bets = {0: 0.5, 1: 0.1, 2: 0.9}  # by card

    def seat_0(observation: Any, stream: Stream) -> int:
        return int(stream.random() < bets[int(observation.key[0])])

    def seat_1(observation: Any, stream: Stream) -> int:
        return 0

    particles = Particles(game, 1, [seat_0, seat_1], count=4000, tries=100_000)
    state = game.root()
    for outcome in (2, 1):  # seat 0 holds the king, seat 1 the queen
        state.step({arena.CHANCE: outcome})
    state.step({0: 1})
    key = state.observe(1).key
    assert key is not None
    belief = particles.first(key, Stream(1))
    held = Counter(int(s.history()[0]) for s in belief.states)  # type: ignore[attr-defined]
    assert len(belief.states) == 4000
    assert held[2] / 4000 == pytest.approx(0.9 / 1.4, abs=0.03)
    assert held[1] == 0


def test_sampled_search_approaches_the_exact_one() -> None:
    game = arena.make("leduc_poker")
    tree, behaviour = random_policy(game, 3)
    table = tree.to_table(behaviour)
    exact = tree.to_table(search_everywhere(tree, behaviour, step=0.2).behaviour)
    settings = Settings(step=0.2, rollouts=2400, particles=500, tries=40_000)
    off = []
    for seed in derive_many(5, range(4)).tolist():
        state = game.state(seed)
        searches = [SampledSearch(game, s, [table.probabilities] * 2, settings) for s in (0, 1)]
        stream = Stream(seed)
        for _ in range(3):
            if not state.actors():
                break
            seat = state.actors()[0]
            seen = state.observe(seat)
            found = searches[seat].answer(seen)
            off.append(float(np.abs(found - exact.probabilities(seen)).max()))
            action = stream.choice(list(state.legal(seat) or ()))
            searches[seat].follow(seen, action)
            state.step({seat: action})
    assert np.mean(off) < 0.05
    assert np.max(off) < 0.2


def test_agents_play_and_their_answers_do_not_depend_on_what_was_asked_before() -> None:
    game = arena.make("leduc_poker")
    agent, fresh = mmds(rollouts=40), mmds(rollouts=40)
    for seed in range(12):
        arena.play(game, [agent, "uniform"], seed=seed)
    assert agent.tally.searched > 0
    again = arena.play(game, [agent, "uniform"], seed=77)
    first = arena.play(game, [fresh, "uniform"], seed=77)
    assert again.steps == first.steps


def test_exact_and_sampled_search_in_a_game_of_two() -> None:
    game = arena.make("kuhn_poker")
    exact = mmds(values="exact")
    found = arena.evaluate(game, exact, cache=False)
    uniform = arena.evaluate(game, "uniform", cache=False)
    assert found["exploitability"].value < uniform["exploitability"].value


def test_sampled_search_can_be_asked_out_of_the_blue() -> None:
    """So that a search policy can be certified on the tree, infoset by infoset."""
    game = arena.make("kuhn_poker")
    found = arena.evaluate(game, mmds(rollouts=800, particles=200), cache=False)
    exact = arena.evaluate(game, mmds(values="exact"), cache=False)
    assert found["nash_conv"].value == pytest.approx(exact["nash_conv"].value, abs=0.08)


def test_they_conform() -> None:
    check_agent(lambda: mmds(rollouts=30), arena.make("kuhn_poker"), episodes=4)
    check_agent(
        lambda: mds(rollouts=30, particles=10), arena.make("openspiel/tiny_hanabi"), episodes=4
    )


def test_any_blueprint_of_hanabi_can_be_searched_from() -> None:
    game = arena.make("hanabi", colors=2, ranks=2, hand_size=2)
    agent = mds(blueprint="hanabi/piers", rollouts=24, particles=6, worlds="resample")
    payoff = arena.play(game, [agent, "hanabi/piers"], seed=2).payoffs[0]
    assert 0 <= payoff <= 4
    assert agent.tally.searched > 0
    assert agent.tally.fallbacks == 0


def test_mds_improves_a_blueprint_in_tiny_hanabi() -> None:
    """OpenSpiel's game of that name: two moves, payoffs up to 10."""
    game = arena.make("openspiel/tiny_hanabi")
    tree = tree_of(game, cache=False)
    from solvers.certificates import values

    behaviour = tree.uniform()
    before = float(values(tree, behaviour)[0])
    for _ in range(60):
        behaviour = search_everywhere(tree, behaviour, step=0.1).behaviour
        after = float(values(tree, behaviour)[0])
        assert after >= before - 1e-9  # small steps of everybody at once never hurt
        before = after
    assert before > float(values(tree, tree.uniform())[0]) + 2.0


def test_bad_input_is_named() -> None:
    with pytest.raises(ParameterError, match="rollouts"):
        mmds(rollouts=0)
    with pytest.raises(ParameterError, match="epsilon"):
        mmds(epsilon=2.0)
    with pytest.raises(UnknownNameError, match="uniform"):
        mmds(magnet="unifrom")
    with pytest.raises(UnknownNameError, match="temperature"):
        mds(temperature=1.0)
    with pytest.raises(AgentError, match="try mds"):
        mmds().begin(arena.make("hanabi"), 0, 0)
    with pytest.raises(AgentError, match="try mmds"):
        mds().begin(arena.make("kuhn_poker"), 0, 0)
    with pytest.raises(AgentError, match="blueprint"):
        mmds(blueprint="rollout").begin(arena.make("kuhn_poker"), 0, 0)
