"""Bandits among agents: vectors as actions, forced actions, tournaments of policies."""

from __future__ import annotations

import numpy as np
import pytest

import arena
from arena.errors import AgentError
from games.batch import play_batch
from tournaments.ratings.payoff import payoff

VECTORS = "bandits/capacity(arms=8,budget=2,horizon=4,exposure=vector)"


def test_uniform_plays_vectors_that_are_feasible() -> None:
    game = arena.make(VECTORS)
    form = game.form("bandit")
    match = arena.play(game, [arena.agent("uniform")], seed=3)
    assert match.fault is None
    actions = [np.asarray(step[0]) for step in match.steps]
    assert len(actions) == 4
    assert all(form.feasible.allows(action) for action in actions)
    assert len({action.tobytes() for action in actions}) > 1
    again = arena.play(game, [arena.agent("uniform")], seed=3)
    assert again.payoffs == match.payoffs


@pytest.mark.parametrize("name", ["uniform", "bandits/myopic"])
def test_batches_of_vectors_are_played_one_by_one(name: str) -> None:
    assert play_batch(arena.make(VECTORS), [arena.agent(name)], np.arange(3)) is None


def test_none_says_what_to_do_where_actions_are_forced() -> None:
    game = arena.make("bandits/interventions(reference_compat=true)")
    with pytest.raises(AgentError, match="demand some actions; take bandits/random"):
        arena.agent("bandits/none").begin(game, 0, 0)


def test_policies_meet_the_same_luck_in_a_tournament() -> None:
    """Arms move by the episode's luck alone, so policies that act alike are paid alike."""
    names = ("lagrangian", "none", "random", "exact")
    outcome = arena.tournament(
        games=["bandits/capacity(arms=4,budget=1,horizon=6)"],
        agents=[f"bandits/{name}" for name in names],
        repetitions=12,
        seed=7,
    )
    assert outcome.complete
    ranks = {row.agent: row for row in payoff(outcome.results).rows}
    means = {name: ranks[f"bandits/{name}"].mean_payoff for name in names}
    assert means["none"] < means["random"] < means["lagrangian"]
