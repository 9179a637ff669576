"""The networks that are shipped: they play well, alike in every way of asking, and one game."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import arena
from arena.errors import AgentError, UnknownNameError
from arena.rng import derive_many, generator, seat_seeds
from games.batch import play_batch
from solvers.ppo.rollout import Symmetries, play_episodes

LEAST = {"ppo": 20.2, "ppo_other_play": 18.5, "ppo_taught": 22.0, "ppo_small": 9.0}
OTHERS: dict[str, dict[str, Any]] = {"ppo_small": {"colors": 2, "hand_size": 3}}


@pytest.mark.parametrize("name", LEAST)
def test_scores_are_what_the_documentation_says(name: str) -> None:
    game = arena.make("hanabi", **OTHERS.get(name, {}))
    agents = [arena.agent(f"hanabi/{name}") for _ in range(2)]
    scores = play_batch(game, agents, derive_many(3, np.arange(400)))
    assert scores is not None and scores[:, 0].mean() > LEAST[name]


@pytest.mark.parametrize("name", LEAST)
def test_one_by_one_it_plays_as_in_batches(name: str) -> None:
    game = arena.make("hanabi", **OTHERS.get(name, {}))
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


def relabelled_score(name: str) -> float:
    """The mean score of a network with itself when each seat calls colours as it likes."""
    game = arena.make("hanabi", **OTHERS.get(name, {}))
    policy = arena.agent(f"hanabi/{name}")._policy

    def think(tensor: Any, legal: Any, joint: Any, which: Any) -> Any:
        seat = int(tensor[0, -2:].argmax())
        chances = policy.distribution(tensor[:, :-2], legal, seat=seat)
        best = np.eye(legal.shape[1], dtype=np.float32)[chances.argmax(axis=1)]
        return best, np.zeros(len(tensor), dtype=np.float32)

    played = play_episodes(
        game,
        think,
        derive_many(6, np.arange(200)),
        generator(6),
        seat_input=True,
        joint=False,
        team=True,
        symmetries=Symmetries(*game.form("symmetries")),
    )
    return float(played.returns.mean())


def test_who_learned_by_other_play_does_not_care_what_colours_are_called() -> None:
    assert relabelled_score("ppo_other_play") > LEAST["ppo_other_play"]


def test_other_variants_and_parameters_are_refused() -> None:
    with pytest.raises(AgentError, match=r"policy for hanabi, not for hanabi\(players=3\)"):
        arena.agent("hanabi/ppo").begin(arena.make("hanabi", players=3), 0, 1)
    with pytest.raises(UnknownNameError, match="greedy"):
        arena.agent("hanabi/ppo", gredy=True)
    assert arena.agent("hanabi/ppo", greedy=False).stochastic
    assert not arena.agent("hanabi/ppo").stochastic
