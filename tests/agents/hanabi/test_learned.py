"""The networks that are shipped: they play well, alike in every way of asking, and one game."""

from __future__ import annotations

import numpy as np
import pytest

import arena
from arena.errors import AgentError, UnknownNameError
from arena.rng import derive_many, seat_seeds
from games.batch import play_batch

LEAST = {"ppo": 19.5, "ppo_other_play": 18.5, "ppo_taught": 20.5}


@pytest.mark.parametrize("name", LEAST)
def test_scores_are_what_the_documentation_says(name: str) -> None:
    game = arena.make("hanabi")
    agents = [arena.agent(f"hanabi/{name}") for _ in range(2)]
    scores = play_batch(game, agents, derive_many(3, np.arange(400)))
    assert scores is not None and scores[:, 0].mean() > LEAST[name]


@pytest.mark.parametrize("name", LEAST)
def test_one_by_one_it_plays_as_in_batches(name: str) -> None:
    game = arena.make("hanabi")
    agents = [arena.agent(f"hanabi/{name}") for _ in range(2)]
    seeds = derive_many(4, np.arange(12))
    together, own = play_batch(game, agents, seeds), seat_seeds(seeds, 2)
    assert together is not None
    for k, seed in enumerate(seeds.tolist()):
        state = game.state(seed)
        for seat, agent in enumerate(agents):
            agent.begin(game, seat, int(own[k, seat]))
        while actors := state.actors():
            seen = state.observe(actors[0])
            chances = agents[actors[0]].policy(seen)
            assert (chances[~seen.legal] == 0).all()
            state.step({actors[0]: agents[actors[0]].act(seen)})
        assert (state.returns() == together[k]).all()


def test_colours_are_all_the_same_to_other_play() -> None:
    """Its plays hardly change when colours do; those of self-play do."""
    game = arena.make("hanabi")
    observation, action = game.form("symmetries")
    batch = game.form("batch", seeds=derive_many(5, np.arange(300)))
    stream = np.random.default_rng(0)
    for _ in range(10):
        legal = batch.observe_mover().legal
        picks = [stream.choice(np.flatnonzero(row)) if row.any() else 0 for row in legal]
        batch.step(np.array(picks)[:, None])
    agreed = {}
    seat = 0
    rows = np.flatnonzero(batch.actors()[:, seat])
    seen = batch.observe(seat)
    tensor, legal = seen.tensor[rows], seen.legal[rows]
    for name in ("ppo", "ppo_other_play"):
        policy = arena.agent(f"hanabi/{name}")._policy
        plain = policy.distribution(tensor, legal, seat=seat).argmax(axis=1)
        same = []
        for k in (17, 55, 103):
            named = policy.distribution(
                tensor[:, observation[k]], legal[:, action[k]], seat=seat
            ).argmax(axis=1)
            same.append((action[k][named] == plain).mean())
        agreed[name] = float(np.mean(same))
    assert agreed["ppo_other_play"] > agreed["ppo"]


def test_other_variants_and_parameters_are_refused() -> None:
    with pytest.raises(AgentError, match=r"policy for hanabi, not for hanabi\(players=3\)"):
        arena.agent("hanabi/ppo").begin(arena.make("hanabi", players=3), 0, 1)
    with pytest.raises(UnknownNameError, match="greedy"):
        arena.agent("hanabi/ppo", gredy=True)
    assert arena.agent("hanabi/ppo", greedy=False).stochastic
    assert not arena.agent("hanabi/ppo").stochastic
