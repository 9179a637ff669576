"""Policies of bandits as agents, and pictures of what they do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import arena
from agents.bandits import BANDIT_AGENTS, BanditAgent
from arena.errors import AgentError, IllegalActionError, ParameterError, UnknownNameError
from arena.testing import check_agent
from games.bandits.pictures import draw_action, draw_arms, draw_returns

RECOVERING = "bandits/recovering(arms=6,budget=2,horizon=30,memory=5,payment=bernoulli)"
EPIDEMIC = "bandits/epidemic(arms=8,budget=2,horizon=4)"
SMALL = "bandits/restless(arms=3,states=3,budget=1,horizon=5)"


def played(game: Any, agent: Any, seed: int) -> float:
    agent.begin(game, 0, seed)
    state = game.state(seed)
    while state.actors():
        state.step({0: agent.act(state.observe(0))})
    return float(state.returns()[0])


@pytest.mark.parametrize("name", BANDIT_AGENTS)
def test_contract(name: str) -> None:
    only = dict.fromkeys(("periodic", "recovering_whittle", "ucb"), RECOVERING)
    only |= dict.fromkeys(("lrie", "mean_field", "most_infected"), EPIDEMIC)
    check_agent(lambda: BanditAgent(name), arena.make(only.get(name, SMALL)))
    if name in only:
        why = "no recovering bandit" if only[name] == RECOVERING else "influence each other"
        with pytest.raises(AgentError, match=why):
            BanditAgent(name).begin(arena.make(SMALL), 0, 0)


def test_on_a_network_those_who_see_neighbours_do_better() -> None:
    game = arena.make("bandits/epidemic(arms=12,budget=2)")
    mean = {
        name: np.mean([played(game, BanditAgent(name), seed) for seed in range(6)])
        for name in (
            "none",
            "most_infected",
            "greedy",
            "myopic",
            "lagrangian",
            "lrie",
            "mean_field",
        )
    }
    assert mean["none"] < mean["most_infected"]
    assert mean["greedy"] == mean["myopic"]
    assert mean["none"] < mean["lagrangian"]
    assert max(mean["most_infected"], mean["myopic"]) < min(mean["lrie"], mean["mean_field"])


@pytest.mark.parametrize("problem", ["capacity", "schedule", "path", "interventions"])
def test_on_the_same_luck_planning_pays(problem: str) -> None:
    game = arena.make(f"bandits/{problem}(budget=4,horizon=12)")
    mean = {
        name: np.mean([played(game, BanditAgent(name), seed) for seed in range(4)])
        for name in ("none", "random", "lagrangian")
    }
    assert mean["lagrangian"] > mean["random"] > mean["none"]


def test_ucb_learns() -> None:
    game = arena.make("bandits/recovering(arms=6,budget=1,horizon=1500,memory=5,payment=bernoulli)")
    learnt, sooner = (played(game, BanditAgent("ucb", radius=c), 0) for c in (1.0, 0.5))
    blind = played(game, BanditAgent("random"), 0)
    known = played(game, BanditAgent("recovering_whittle"), 0)
    assert learnt > blind + 0.4 * (known - blind)
    assert sooner > learnt
    with pytest.raises(ParameterError, match="radius"):
        BanditAgent("ucb", radius=0.0)


def test_pictures() -> None:
    for name in ("path", "schedule"):
        form = arena.make(f"bandits/{name}(budget=3)").form("bandit")
        action = form.feasible.sample(np.random.default_rng(0))
        figure = draw_action(form, action)
        figure.canvas.draw()
        assert figure.axes[0].collections or figure.axes[0].lines
        with pytest.raises(IllegalActionError):
            draw_action(form, np.ones(20, dtype=int))
    network = arena.make("bandits/epidemic(arms=8,budget=1)").form("bandit")
    picture = draw_action(network, np.eye(8, dtype=int)[3], levels=np.arange(8) % 2)
    rings = np.array(picture.axes[0].collections[-1].get_linewidths())
    assert np.flatnonzero(rings > 2).tolist() == [3]
    with pytest.raises(ParameterError, match="levels"):
        draw_action(network, np.zeros(8, dtype=int), levels=[0])
    drawn = draw_arms(np.array([[0, 1], [1, 2]]), np.array([[1, 0]]))
    assert len(drawn.axes[0].collections[0].get_offsets()) == 1
    curves = draw_returns({"one": np.arange(6.0).reshape(2, 3)}, bound=5.0)
    assert len(curves.axes[0].lines) == 2
    with pytest.raises(ParameterError, match="graph or slots"):
        draw_action(arena.make("bandits/budget").form("bandit"), np.zeros(20, dtype=int))


def test_bad_input() -> None:
    with pytest.raises(UnknownNameError, match="lagrangian"):
        BanditAgent("lagrangean")
    with pytest.raises(ParameterError, match="samples"):
        BanditAgent("sampling", samples=0)
    with pytest.raises(AgentError, match="plays bandits"):
        BanditAgent("myopic").begin(arena.make("kuhn_poker"), 0, 0)
    with pytest.raises(AgentError, match="too many for exact"):
        BanditAgent("exact").begin(arena.make("bandits/budget"), 0, 0)
