"""Arms that influence each other: the exact process, mean fields, heuristics, averages."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import arena
from arena.errors import AgentError, NotApplicableError, ParameterError, UnknownNameError
from games.bandits.game import exact_mdp
from games.bandits.influence import InfluencedBandit
from solvers.bandits.averaged import average
from solvers.bandits.contagion import HEURISTICS, LinkPolicy, MeanField
from solvers.bandits.run import mean_return
from solvers.sequoia.baselines import Baseline

KEY = "bandits/epidemic(arms=8,budget=2,horizon=6,instance=2)"


def bandit(key: str = KEY) -> InfluencedBandit:
    form = arena.make(key).form("bandit")
    assert isinstance(form, InfluencedBandit)
    return form


def test_exact_process_is_what_is_played() -> None:
    """Rows and rewards of the exact MDP, worked out node by node."""
    form = bandit()
    mdp = exact_mdp(form)
    listed = form.feasible.listed()
    assert listed is not None
    matrix, rng = mdp.matrix(), np.random.default_rng(0)
    for _ in range(6):
        levels, k = rng.integers(2, size=8), int(rng.integers(len(listed)))
        chances, pay = [], 0.0
        for j in range(8):
            ill = sum(int(levels[i]) for i in range(8) if form.neighbours[j, i])
            row = form.transition[j, 2 * ill + int(listed[k, j]), levels[j]]
            chances.append(row)
            pay += row[0] * form.reward[j, 0, 0, 0]
        state = int(np.ravel_multi_index(levels, (2,) * 8))
        row = matrix[[state * len(listed) + k]].toarray()[0]
        wanted = [
            np.prod([chances[j][s] for j, s in enumerate(to)]) for to in product((0, 1), repeat=8)
        ]
        assert row == pytest.approx(wanted, abs=1e-12)
        assert mdp.reward[0, state, k] == pytest.approx(pay)


def test_nobody_beats_backward_induction() -> None:
    game = arena.make(KEY)
    found = arena.solve(game, "bandit_exact", episodes=400)
    best = found.certificate["value"].value
    assert found.certificate["bound"].value == best
    seeds = np.arange(400, dtype=np.uint64)
    _, (low, high), _ = mean_return(game, found.policy, seeds)
    assert low <= best <= high
    form = bandit()
    rivals = [LinkPolicy(form, rule) for rule in HEURISTICS]
    for rival in (*rivals, MeanField(form), average(game), Baseline("myopic", form)):
        _, (low, _), _ = mean_return(game, rival, seeds)
        assert low <= best
    mean, _, _ = mean_return(game, MeanField(form), seeds)
    assert mean > 0.95 * best


def test_marginals_are_those_of_independent_arms() -> None:
    """The counts' distribution, and costates as derivatives of what is earned."""
    form = bandit()
    plan = MeanField(form)
    rng = np.random.default_rng(1)
    up = rng.random((1, 8))
    marginal = np.stack([1.0 - up, up], axis=2)
    spread = plan._counts(marginal)[0]
    for j in range(8):
        near = np.flatnonzero(form.neighbours[j])
        wanted = np.zeros(form.counted)
        for ill in product((0, 1), repeat=len(near)):
            chance = [up[0, i] if x else 1.0 - up[0, i] for i, x in zip(near, ill, strict=True)]
            wanted[sum(ill)] += np.prod(chance)
        assert spread[j] == pytest.approx(wanted)
    share, costate = rng.random((1, 8, 2)), rng.random((1, 8, 2))

    def earned(at: Any) -> float:
        counts = plan._counts(at)
        total = 0.0
        for j, c, a, s in product(range(8), range(form.counted), (0, 1), (0, 1)):
            acts = share[0, j, s] if a else 1.0 - share[0, j, s]
            row = form.transition[j, 2 * c + a, s]
            worth = row @ (form.reward[j, 2 * c + a, s] + costate[0, j])
            total += float(marginal[0, j, s] * acts * counts[0, j, c] * worth)
        return total

    spill = plan._spill(marginal, share, costate)[0]
    for i in range(8):
        more, less = marginal.copy(), marginal.copy()
        more[0, i, 1] += 1e-5
        less[0, i, 1] -= 1e-5
        assert spill[i] == pytest.approx((earned(more) - earned(less)) / 2e-5, abs=1e-7)


def test_heuristics_count_links() -> None:
    form = bandit("bandits/epidemic(arms=8,budget=1,network=grid)")  # two rows of four
    levels = np.zeros((1, 8), dtype=np.int64)
    levels[0, [0, 1, 2, 7]] = 1
    near = {j: np.flatnonzero(form.neighbours[j]).tolist() for j in range(8)}
    ill = [sum(levels[0, near[j]]) for j in range(8)]
    most = LinkPolicy(form, "most_infected").choose(form, levels, 0)[0]
    few = LinkPolicy(form, "lrie").choose(form, levels, 0)[0]
    sick = np.flatnonzero(levels[0]).tolist()
    assert np.flatnonzero(most).tolist() == [max(sick, key=lambda j: ill[j])]
    assert np.flatnonzero(few).tolist() == [max(sick, key=lambda j: len(near[j]) - 2 * ill[j])]
    assert not LinkPolicy(form, "lrie").choose(form, 0 * levels, 0).any()


def test_refusals() -> None:
    with pytest.raises(UnknownNameError, match="grid"):
        arena.make("bandits/epidemic(network=gird)")
    for own in ("arms=10", "arms=4", "budget=0", "network=small_world,arms=5,budget=1"):
        with pytest.raises(ParameterError):
            arena.make(f"bandits/epidemic({own})")
    form = bandit()
    with pytest.raises(ParameterError, match="rule"):
        LinkPolicy(form, "best")
    other = arena.make("bandits/budget(arms=4,budget=1)").form("bandit")
    with pytest.raises(AgentError, match="epidemic"):
        MeanField(other)
    with pytest.raises(NotApplicableError, match="influence each other"):
        arena.solve(KEY, "whittle")
