from __future__ import annotations

import numpy as np
import pytest
import torch

from arena.errors import ParameterError
from solvers.qarl.replay import Replay
from solvers.qarl.sac import Sac
from tests.reference.control import PlainSac


def made(conditioned: bool, seed: int = 0) -> Sac:
    return Sac(
        4 + conditioned,
        2,
        hidden=[16, 16],
        conditioned=conditioned,
        generator=torch.Generator().manual_seed(seed),
        discount=0.9,
        tau=0.05,
        actor_rate=2e-3,
        critic_rate=3e-3,
    )


def normal(seed: int) -> torch.Tensor:
    return torch.randn(2, 32, 2, generator=torch.Generator().manual_seed(seed))


def rows(conditioned: bool, seed: int) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    state, after = torch.randn(32, 4, generator=rng), torch.randn(32, 4, generator=rng)
    if conditioned:
        warm = 0.05 * torch.rand(32, 1, generator=rng)
        state, after = torch.cat([state, warm], 1), torch.cat([after, warm], 1)
    action = 2 * torch.rand(32, 2, generator=rng) - 1
    reward = torch.randn(32, 1, generator=rng)
    done = (torch.rand(32, 1, generator=rng) < 0.2).float()
    return [state, action, reward, done, after]


@pytest.mark.parametrize("conditioned", [False, True])
def test_updates_are_those_of_the_plain_algorithm(conditioned: bool) -> None:
    agent = made(conditioned)
    plain = PlainSac(agent, actor_rate=2e-3, critic_rate=3e-3)
    for step in range(5):
        given = rows(conditioned, step)
        agent.update(*given, noise=normal(step))
        plain.update(
            given,
            conditioned=conditioned,
            discount=0.9,
            tau=0.05,
            noise=normal(step),
        )
    for k in (0, 1):
        for ours, theirs in ((agent.critics, plain.critics), (agent.targets, plain.targets)):
            found = [x for layer in ours.layers(k) for x in layer]
            wanted = [p.detach().numpy() for p in theirs[k].parameters()]
            for one, other in zip(found, wanted, strict=True):
                np.testing.assert_allclose(one, other.T, atol=2e-5)
    for (weight, _), other in zip(agent.actor.layers(), list(plain.actor)[::2], strict=True):
        np.testing.assert_allclose(weight, other.weight.detach().numpy().T, atol=2e-5)
    assert agent.log_alpha == pytest.approx(float(plain.log_alpha.detach()), abs=1e-6)
    assert (agent.log_alpha == pytest.approx(float(np.log(0.1)))) == conditioned


def test_a_hotter_adversary_is_more_random() -> None:
    """One network for all temperatures: its spread grows with the one it is told."""
    agent = made(conditioned=True)
    rng = torch.Generator().manual_seed(0)
    for step in range(800):
        state, action, _, done, after = rows(True, step)
        warm = torch.where(torch.rand(32, 1, generator=rng) < 0.5, 0.01, 1.0)
        state, after = torch.cat([state[:, :4], warm], 1), torch.cat([after[:, :4], warm], 1)
        reward = -(action - 0.3).square().sum(dim=1, keepdim=True)
        agent.update(state, action, reward, torch.ones_like(done), after, noise=normal(step))
    seen = np.zeros((500, 5), dtype=np.float32)
    cold = agent.act(np.hstack([seen[:, :4], np.full((500, 1), 0.01, np.float32)]), rng)
    hot = agent.act(np.hstack([seen[:, :4], np.full((500, 1), 1.0, np.float32)]), rng)
    assert hot.std() > 1.5 * cold.std()
    assert np.square(cold - 0.3).mean() < np.square(hot - 0.3).mean()


def test_the_myopic_adversary_lowers_the_critics_value() -> None:
    agent = made(conditioned=False)
    state, action, _, _, _ = rows(False, 3)
    push = agent.myopic(state, action, 0.01)
    np.testing.assert_allclose(push.norm(dim=1), 0.01, rtol=1e-4)

    def value(a: torch.Tensor) -> torch.Tensor:
        return agent.critics(torch.cat([state, a], dim=1)).amin(dim=0)

    assert (value(action + push) <= value(action)).float().mean() > 0.95


def test_kept_and_put_back() -> None:
    one, other = made(True), made(True, seed=9)
    for step in range(3):
        one.update(*rows(True, step), noise=normal(step))
    other.load(one.arrays("x."), "x.")
    for agent in (one, other):
        agent.update(*rows(True, 7), noise=normal(7))
    left, right = one.arrays(""), other.arrays("")
    assert left.keys() == right.keys()
    assert all(np.array_equal(left[name], right[name]) for name in left)
    with pytest.raises(ParameterError, match="actor"):
        made(False).load(one.arrays("x."), "x.")


def test_the_replay_keeps_the_latest_rows() -> None:
    replay = Replay(5, [("a", 2), ("b", 1)])
    for start in (0, 3, 6):
        count = np.arange(start, start + 3, dtype=np.float32)
        replay.add({"a": np.stack([count, -count], axis=1), "b": count[:, None]})
    assert replay.size == 5
    drawn = replay.draw(400, torch.Generator().manual_seed(0))
    assert set(drawn["b"][:, 0].tolist()) == {4.0, 5.0, 6.0, 7.0, 8.0}
    assert torch.equal(drawn["a"][:, 0], drawn["b"][:, 0])
    assert torch.equal(drawn["a"][:, 1], -drawn["b"][:, 0])
    twin = Replay(5, [("a", 2), ("b", 1)])
    twin.load(replay.arrays(""), "")
    for one in (replay, twin):
        one.add({"a": np.ones((1, 2)), "b": np.ones((1, 1))})
    again = [r.draw(50, torch.Generator().manual_seed(1))["a"] for r in (replay, twin)]
    assert torch.equal(*again)
    with pytest.raises(ParameterError):
        Replay(3, [("a", 2), ("b", 1)]).load(replay.arrays(""), "")
