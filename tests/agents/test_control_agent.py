from __future__ import annotations

import numpy as np
import pytest

import arena
from agents.control import ControlAgent
from agents.load import as_agent
from arena.errors import AgentError
from arena.testing import check_agent
from games.batch import play_batch
from solvers.qarl.policy import ControlPolicy

GAME = arena.make("adversarial/point_mass", horizon=25, observation_noise=0.05)


def policy(seed: int = 0) -> ControlPolicy:
    rng = np.random.default_rng(seed)

    def layers(inputs: int) -> list[tuple[np.ndarray, np.ndarray]]:
        sizes = [(inputs, 8), (8, 4)]
        return [(rng.normal(size=s).astype(np.float32), np.zeros(s[1], np.float32)) for s in sizes]

    return ControlPolicy(GAME.key, [layers(4), layers(5)], sizes=[2, 2], temperatures=[None, 0.01])


@pytest.mark.parametrize("greedy", [True, False])
def test_one_by_one_and_in_batches_the_same_is_played(greedy: bool) -> None:
    agents = [ControlAgent(policy(k), greedy=greedy) for k in (0, 1)]
    seeds = [3, 4, 5, 6]
    together = play_batch(GAME, agents, seeds)
    assert together is not None
    alone = [arena.play(GAME, agents, seed=seed).payoffs for seed in seeds]
    assert together.tolist() == [list(pay) for pay in alone]


def test_drawn_actions_are_spread_as_the_network_says() -> None:
    agent = ControlAgent(policy(), greedy=False)
    agent.begin_batch(GAME, 0, np.arange(4000, dtype=np.uint64))
    seen = np.full((4000, 4), 0.1, dtype=np.float32)
    noise = np.arctanh(agent._chosen(seen, np.arange(4000)).astype(np.float64))
    x = seen[0].astype(np.float64)
    (w1, b1), (w2, b2) = policy().layers(0)
    out = np.maximum(x @ w1 + b1, 0.0) @ w2 + b2
    np.testing.assert_allclose(noise.mean(axis=0), out[:2], atol=0.1)
    np.testing.assert_allclose(noise.std(axis=0), np.exp(np.clip(out[2:], -5, 2)), rtol=0.06)


def test_contract_and_refusals() -> None:
    check_agent(lambda: ControlAgent(policy(), greedy=False), GAME)
    assert isinstance(as_agent(policy()), ControlAgent)
    with pytest.raises(AgentError, match="policy for adversarial/point_mass"):
        as_agent(policy()).begin(arena.make("adversarial/point_mass"), 0, 1)


def test_uniform_plays_batches_of_vectors() -> None:
    agents = [arena.agent("uniform"), arena.agent("uniform")]
    together = play_batch(GAME, agents, [1, 2, 3])
    assert together is not None
    alone = [list(arena.play(GAME, agents, seed=seed).payoffs) for seed in (1, 2, 3)]
    assert together.tolist() == alone
