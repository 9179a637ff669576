"""Planners of bandits against exact values, brute force and the reference package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from agents.load import load
from arena.errors import AgentError, NotApplicableError, ParameterError
from arena.registry import SOLVERS
from arena.solver import Solution
from arena.testing import check_solver
from games.bandits.recovering import recovery_of
from solvers.bandits.lagrangian import bound_of, relax
from solvers.bandits.maximise import Maximiser
from solvers.bandits.recovering import periodic, recovering_bound
from solvers.bandits.run import mean_return
from solvers.bandits.whittle import whittle_indices

SMALL = "bandits/restless(arms=3,states=3,budget=1,horizon=6)"
PLANNERS = ["bandit_exact", "bandit_greedy", "bandit_myopic", "fluid", "lagrangian", "whittle"]


@pytest.mark.parametrize("name", PLANNERS)
def test_contract(name: str) -> None:
    solver = SOLVERS.factory(name)()
    check_solver(solver, arena.make(SMALL), episodes=2, rounds=5)
    check_solver(solver, arena.make("matrix/prisoners_dilemma"))


@pytest.mark.parametrize("seed", range(6))
def test_nothing_beats_exact_and_the_bound_is_one(seed: int) -> None:
    key = f"bandits/restless(arms=3,states=3,budget=1,horizon=6,instance={seed},discount=0.9)"
    game = arena.make(key)
    form = game.form("bandit")
    exact = arena.solve(game, "bandit_exact", episodes=4000)
    value = exact.certificate["value"].value
    found = relax(form)
    assert found.bound >= value - 1e-9
    most = Maximiser(form)
    rng = np.random.default_rng(seed)
    for _ in range(5):  # any prices give a bound, and none a better one
        prices = np.zeros_like(found.prices)
        prices[:, :, 1:] = rng.random((6, 3, 1))
        assert bound_of(form, prices, most) >= found.bound - found.tight - 1e-9
    mean, (low, high), _ = mean_return(game, exact.policy, np.arange(4000, dtype=np.uint64))
    assert abs(mean - value) <= 2 * (high - low)
    for name in PLANNERS[1:]:
        mean, (low, high), _ = mean_return(
            game, arena.solve(game, name, episodes=2).policy, np.arange(2000, dtype=np.uint64)
        )
        assert mean <= value + 2 * (high - low)


@pytest.mark.parametrize("name", ["budget", "schedule", "path", "interventions", "capacity"])
def test_the_lagrangian_policy_is_near_its_bound(name: str) -> None:
    game = arena.make(f"bandits/{name}(arms=20,budget=4,horizon=8,instance=2)")
    found = arena.solve(game, "lagrangian", episodes=60, rounds=12)
    bound = found.certificate["bound"].value
    assert found.certificate["regret_bound"].interval[0] <= 0.08 * bound  # type: ignore[index]
    myopic = arena.solve(game, "bandit_myopic", episodes=60, rounds=0)
    gap = myopic.certificate["bound"].value - myopic.certificate["regret_bound"].value
    assert bound >= gap - 1.0


def test_generated_actions_tighten_the_bound() -> None:
    form = arena.make("bandits/path(horizon=6,budget=4)").form("bandit")
    loose, tight = relax(form, rounds=0), relax(form, rounds=40)
    assert tight.bound <= loose.bound + 1e-9
    assert tight.tight <= 1e-3 * tight.bound + 1e-9


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["budget", "interventions", "schedule"]))
def test_the_program_chooses_what_the_list_does(seed: int, name: str) -> None:
    form = arena.make(f"bandits/{name}(arms=12,budget=3,horizon=2)").form("bandit")
    values = np.random.default_rng(seed).normal(size=(2, form.arms, form.modes))
    listed, weights = Maximiser(form).best(values)
    program, same = Maximiser(form, limit=0).best(values)
    assert weights == pytest.approx(same, abs=1e-6)
    at = np.arange(form.arms)
    for action, row, weight in zip(program, values, same, strict=True):
        assert form.feasible.allows(action)
        assert row[at, form.modes_of(action)].sum() == pytest.approx(weight, abs=1e-6)
    assert len(listed) == 2


def by_definition(chances: np.ndarray, pay: np.ndarray, gamma: float, state: int) -> float:
    """The charge at which both are equally good, by bisection and value iteration."""
    low, high = -50.0, 50.0
    for _ in range(60):
        charge = (low + high) / 2
        v = np.zeros(len(pay[0]))
        for _ in range(400):
            q = pay - np.array([[0.0], [charge]]) + gamma * chances @ v
            v = q.max(axis=0)
        low, high = (charge, high) if q[1, state] > q[0, state] else (low, charge)
    return (low + high) / 2


@pytest.mark.parametrize("seed", range(3))
def test_whittle_indices_by_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chances, pay = rng.dirichlet(np.ones(4), (2, 4)), rng.random((2, 4))
    found = whittle_indices(chances, pay, discount=0.8)
    assert found.indexable
    for state in range(4):
        wanted = by_definition(chances, pay, 0.8, state)
        assert found.indices[state] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("discount", [1.0, 0.95, 0.6])
def test_whittle_indices_against_the_reference_package(discount: float) -> None:
    package = pytest.importorskip("markovianbandit")
    rng = np.random.default_rng(5)
    indexable = []
    for k in range(40):
        n = int(rng.integers(2, 9))
        # Rows near to deterministic ones: some of these arms are not indexable.
        chances = rng.dirichlet(np.full(n, 0.15 if k % 2 else 1.0), (2, n)) * 0.999 + 0.001 / n
        pay = rng.random((2, n))
        found = whittle_indices(chances, pay, discount=discount)
        arm = package.restless_bandit_from_P0P1_R0R1(chances[0], chances[1], pay[0], pay[1])
        assert found.indexable == arm.is_indexable(discount=discount)
        indexable.append(found.indexable)
        if found.indexable:
            other = np.array(arm.whittle_indices(discount=discount))
            assert np.abs(found.indices - other).max() < 1e-8
    assert sum(indexable) > 20


def test_recovering() -> None:
    for arms, budget in ((6, 1), (30, 5)):
        form = arena.make(f"bandits/recovering(arms={arms},budget={budget})").form("bandit")
        table = recovery_of(form)
        found = periodic(table, budget)
        counts = [found.plays(t).sum() for t in range(found.cycle)]
        assert max(counts) <= budget
        idle, earned = np.full(arms, 50), 0.0
        for t in range(2 * found.cycle):
            on = found.plays(t)
            if t >= found.cycle:
                at = np.minimum(idle, table.shape[1])
                earned += table[on, at[on] - 1].sum() / found.cycle
            idle = np.where(on, 1, idle + 1)
        assert earned == pytest.approx(found.reward)
        assert 0.95 * found.bound <= found.reward <= found.bound + 1e-9
        bound, _ = recovering_bound(table, budget)
        grid = [
            np.maximum((table - c) / np.arange(1, table.shape[1] + 1), 0).max(axis=1).sum()
            + c * budget
            for c in np.linspace(0, table.max(), 2001)
        ]
        assert bound <= min(grid) + 1e-9 and bound >= min(grid) - 0.01


def test_save_and_play(tmp_path: Path) -> None:
    game = arena.make(SMALL)
    for name in ("lagrangian", "bandit_exact"):
        found = arena.solve(game, name, episodes=2)
        found.save(tmp_path / "it.npz")
        again = Solution.load(tmp_path / "it.npz")
        one, other = game.state(3), game.state(3)
        for solution, state in ((found, one), (again, other)):
            agent = solution.agent()
            agent.begin(game, 0, 0)
            while state.actors():
                state.step({0: agent.act(state.observe(0))})
        assert one.returns()[0] == other.returns()[0]
    with pytest.raises(AgentError, match="not for bandits/budget"):
        found.agent().begin(arena.make("bandits/budget"), 0, 0)


def test_a_saved_policy_plays_vectors(tmp_path: Path) -> None:
    game = arena.make("bandits/schedule(horizon=2)")
    arena.solve(game, "bandit_myopic", episodes=2, rounds=0).save(tmp_path / "it.npz")
    agent = load(str(tmp_path / "it.npz"))
    agent.begin(game, 0, 0)
    state = game.state(0)
    state.step({0: agent.act(state.observe(0))})
    assert state.returns()[0] > 0


def test_bad_input() -> None:
    with pytest.raises(NotApplicableError, match="no form 'bandit'"):
        arena.solve(arena.make("matrix/prisoners_dilemma"), "lagrangian")
    with pytest.raises(NotApplicableError, match="4 modes"):
        arena.solve(arena.make("bandits/interventions"), "whittle")
    with pytest.raises(NotApplicableError, match="too many for exact"):
        arena.solve(arena.make("bandits/budget"), "bandit_exact")
    with pytest.raises(ParameterError, match="episodes"):
        arena.solve(arena.make(SMALL), "lagrangian", episodes=0)
    stay = np.array([np.eye(3), np.eye(3)])
    with pytest.raises(NotApplicableError, match="recurrent class"):
        whittle_indices(stay, np.ones((2, 3)))
