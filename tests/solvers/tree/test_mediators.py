"""Correlated answers are kept, judged again from their files, drawn from and played."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import AgentError, NotApplicableError, ParameterError
from arena.policy import Mediator
from arena.rng import signal_seed
from arena.solver import Solution, load_policy
from games.tree import Tree, compile_state, tree_of
from solvers.tree.correlated import optimal_plan, uniform_plan
from solvers.tree.correlated_coarse import certify_joint
from solvers.tree.correlation import certify_plan, relevant, triangle
from solvers.tree.drawing import Drawing
from solvers.tree.mediators import CorrelationPlan, JointPlay, Outline
from tests.reference.correlation import PurePairs
from tests.reference.trees import random_game

GOOFSPIEL = "goofspiel(num_cards=3,returns_type=total_points)"


def outcomes(
    draw: Callable[[Callable[[Sequence[float]], int]], np.ndarray],
) -> Iterator[tuple[float, np.ndarray]]:
    """Every way the choices of a draw can go, with its probability."""
    waiting: list[tuple[int, ...]] = [()]
    while waiting:
        path = waiting.pop()
        made: list[int] = []
        weight = 1.0

        def choose(
            shares: Sequence[float], path: tuple[int, ...] = path, made: list[int] = made
        ) -> int:
            nonlocal weight
            at = len(made)
            options = [i for i, share in enumerate(shares) if share > 0.0]
            pick = path[at] if at < len(path) else options[0]
            if at >= len(path):
                waiting.extend((*made, other) for other in options[1:])
            made.append(pick)
            weight *= shares[pick]
            return pick

        drawn = draw(choose)
        yield weight, drawn


def drawn_weights(tree: Tree, plan: CorrelationPlan) -> tuple[float, np.ndarray]:
    """Total probability of all draws, and what they give each relevant pair."""
    total, out = 0.0, np.zeros(len(plan.pairs))
    for weight, behaviour in outcomes(Drawing(plan).draw):
        reach = np.ones(tree.n_sequences)
        for i in range(tree.n_infosets):
            first = int(tree.info_first[i])
            after = first + int(tree.info_actions[i])
            reach[first:after] = behaviour[first:after] * reach[tree.info_parent[i]]
        total += weight
        out += weight * reach[plan.pairs[:, 0]] * reach[plan.pairs[:, 1]]
    return total, out


@functools.cache
def small_tree(seed: int) -> Tree | None:
    game = random_game(seed, depth=4)
    tree = compile_state(game, game.root())
    sizes = [int(np.prod(tree.info_actions[tree.info_seat == p], initial=1.0)) for p in (0, 1)]
    fits = tree.breach is None and min(sizes) >= 2 and sizes[0] * sizes[1] <= 600
    return tree if fits else None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1500), st.integers(0, 2**32 - 1))
def test_what_is_drawn_is_the_plan(number: int, seed: int) -> None:
    """Exactly: all draws with their probabilities add up to ξ, for any plan of pure pairs."""
    tree = small_tree(number)
    if tree is None:
        return
    pairs = relevant(tree)
    if triangle(tree, pairs) is not None:
        plan = uniform_plan(tree, pairs)
        with pytest.raises(NotApplicableError, match="triangle-free"):
            list(outcomes(Drawing(plan).draw))
        return
    pure = PurePairs(tree)
    shape = (len(pure.pure[0]), len(pure.pure[1]))
    mix = np.random.default_rng(seed).dirichlet(np.full(shape[0] * shape[1], 0.05)).reshape(shape)
    plan = CorrelationPlan(Outline.of(tree), pairs.pairs, pure.correlation(mix, pairs.pairs))
    total, found = drawn_weights(tree, plan)
    assert total == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(found, plan.weight, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1500), st.integers(0, 2**32 - 1))
def test_gaps_of_any_plan_are_those_of_the_definition(number: int, seed: int) -> None:
    """Sequence-form gaps against every deviation over pure policies, one by one."""
    tree = small_tree(number)
    if tree is None:
        return
    pure = PurePairs(tree)
    shape = (len(pure.pure[0]), len(pure.pure[1]))
    mix = np.random.default_rng(seed).dirichlet(np.full(shape[0] * shape[1], 0.05)).reshape(shape)
    pairs = relevant(tree).pairs
    found = certify_plan(
        tree, CorrelationPlan(Outline.of(tree), pairs, pure.correlation(mix, pairs))
    )
    for concept in ("nfcce", "efcce", "efce"):
        wanted = pure.gap(mix, concept)
        assert found[f"{concept}_gap"].value == pytest.approx(wanted, abs=1e-9)


def test_optimal_plans_can_be_drawn_where_cards_are_public() -> None:
    tree = tree_of(arena.make(GOOFSPIEL))
    plan = optimal_plan(tree, "efce")
    counts = np.zeros(len(plan.pairs))
    n = 3000
    for seed in range(n):
        flat = tree.from_table(plan.draw(seed))
        reach = np.ones(tree.n_sequences)
        for i in range(tree.n_infosets):
            first = int(tree.info_first[i])
            after = first + int(tree.info_actions[i])
            reach[first:after] = flat[first:after] * reach[tree.info_parent[i]]
        counts += reach[plan.pairs[:, 0]] * reach[plan.pairs[:, 1]]
    # Five standard deviations, for every pair.
    spread = np.sqrt(plan.weight * (1 - plan.weight) / n)
    assert (np.abs(counts / n - plan.weight) <= 5 * spread + 1e-3).all()


CASES = [
    (GOOFSPIEL, "efce", {}),
    (GOOFSPIEL, "efcce", {"objective": "fair"}),
    (GOOFSPIEL, "nfcce", {}),
    ("kuhn_poker(players=3)", "joint_cfr", {"iterations": 60}),
    ("kuhn_poker", "joint_efce", {"iterations": 30}),
    ("kuhn_poker", "joint_efcce", {"iterations": 30}),
    ("matrix/chicken", "ce", {}),
    ("matrix/shapley", "cce", {"objective": "entropy"}),
    ("matrix/shapley", "no_regret_ce", {"iterations": 200}),
    ("matrix/shapley", "no_regret_cce", {"iterations": 200}),
]


@pytest.mark.parametrize(("game", "solver", "options"), CASES)
def test_a_correlated_answer_is_kept_judged_and_played(
    game: str, solver: str, options: dict[str, object], tmp_path: Path
) -> None:
    made = arena.make(game)
    solution = arena.solve(made, solver, save=tmp_path / "a.npz", **options)
    again = Solution.load(tmp_path / "a.npz")
    assert again.certificate == solution.certificate
    assert isinstance(again.policy, Mediator)
    one, other = solution.policy.arrays(), load_policy(tmp_path / "a.npz").arrays()
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    judged = arena.evaluate(made, str(tmp_path / "a.npz"))
    for name, gap in solution.certificate.items():
        if name in judged:
            assert judged[name].value == pytest.approx(gap.value, abs=1e-12)
    assert any(name.endswith("_gap") for name in judged)
    # Played together it earns what it says: seats share the signal of the episode.
    n = 200
    files = [str(tmp_path / "a.npz")] * made.seats
    paid = np.array([arena.play(made, files, seed=s).payoffs for s in range(n)])
    low, high = made.payoff_bounds
    for p in range(made.seats):
        wanted = judged[f"value_{p}"].value
        assert abs(paid[:, p].mean() - wanted) <= 5 * (paid[:, p].std() + 1e-9) / np.sqrt(n) + 1e-6
        assert low - 1e-9 <= wanted <= high + 1e-9


def test_seats_of_a_tournament_see_one_signal_and_the_table_does_not_matter() -> None:
    """Chicken's best correlated equilibrium never crashes; independent marginals would."""
    game = arena.make("matrix/chicken")
    solution = arena.solve(game, "ce")
    outcome = arena.tournament(
        games=[game], agents={"one": solution, "two": solution}, repetitions=300, seed=3
    )
    drawn = [solution.policy.recommend(signal_seed(s)) for s in range(300)]
    worst = float(game.form("normal_form").payoffs.min())
    crash = [a for a in np.ndindex(*solution.policy.joint.shape) if solution.policy.joint[a] == 0.0]
    assert crash and not set(drawn) & set(crash)
    assert outcome is not None
    paid = [arena.play(game, [solution, solution], seed=s).payoffs for s in range(100)]
    assert min(map(min, paid)) > worst


def test_without_a_signal_nothing_is_played() -> None:
    agent = arena.solve("matrix/chicken", "ce").agent()
    game = arena.make("matrix/chicken")
    agent.begin(game, 0, 1)
    with pytest.raises(AgentError, match="public signal"):
        agent.act(game.state(0).observe(0))
    with pytest.raises(AgentError, match="matrix/chicken"):
        agent.begin(arena.make("matrix/shapley"), 0, 1)


def test_answers_are_refused_where_they_do_not_belong(tmp_path: Path) -> None:
    plan = arena.solve(GOOFSPIEL, "efce", save=tmp_path / "efce.npz")
    with pytest.raises(ParameterError, match=r"one for .*goofspiel"):
        arena.evaluate("kuhn_poker", plan)
    with pytest.raises(NotApplicableError, match="correlated answer"):
        arena.evaluate(GOOFSPIEL, plan, approximate=True)
    with pytest.raises(ParameterError, match="welfare"):
        arena.solve(GOOFSPIEL, "efce", objective="fair", resume=tmp_path / "efce.npz")
    with pytest.raises(ParameterError, match="probabilities"):
        JointPlay(plan.policy.outline, np.ones((1, plan.policy.outline.n_sequences)), np.zeros(1))
    with pytest.raises(ParameterError, match="zero or more"):
        CorrelationPlan(plan.policy.outline, plan.policy.pairs, -plan.policy.weight)


@pytest.mark.parametrize("solver", ["efce", "joint_cfr", "joint_efce", "joint_efcce"])
def test_correlated_solvers_resume_where_they_were(solver: str, tmp_path: Path) -> None:
    game = arena.make(GOOFSPIEL if solver == "efce" else "kuhn_poker")
    limits = {} if solver == "efce" else {"iterations": 30}
    arena.solve(game, solver, save=tmp_path / "part.npz", **limits)
    more = {} if solver == "efce" else {"iterations": 70}
    whole = arena.solve(game, solver, **more)
    parts = arena.solve(game, solver, resume=tmp_path / "part.npz", **more)
    assert parts.certificate == whole.certificate
    one, other = whole.policy.arrays(), parts.policy.arrays()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    for name in whole.state:
        np.testing.assert_array_equal(whole.state[name], parts.state[name])


def test_three_seats_have_gaps_of_the_definition() -> None:
    """One-shot games of three seats: the gaps by trying every deviation, action by action."""
    rng = np.random.default_rng(5)
    for _ in range(5):
        payoffs = rng.normal(size=(3, 2, 3, 2))
        tree = one_shot(payoffs)
        count = 4
        weights = rng.dirichlet(np.ones(count))
        picks = [rng.integers(0, size, count) for size in (2, 3, 2)]
        behaviours = np.ones((count, tree.n_sequences))
        joint = np.zeros((2, 3, 2))
        for t in range(count):
            joint[tuple(p[t] for p in picks)] += weights[t]
            for p in range(3):
                first = int(tree.info_first[int(tree.seat_infoset[p])])
                size = int(tree.info_actions[int(tree.seat_infoset[p])])
                behaviours[t, first : first + size] = np.eye(size)[picks[p][t]]
        found = certify_joint(
            tree, JointPlay(Outline.of(tree), behaviours, weights), recommended=True
        )
        coarse = told = 0.0
        for p in range(3):
            paid = np.moveaxis(payoffs[p], p, 0)
            mine = np.moveaxis(joint, p, 0)
            for b in range(len(paid)):
                coarse = max(coarse, float((mine * (paid[b] - paid)).sum()))
                for a in range(len(paid)):
                    told = max(told, float((mine[a] * (paid[b] - paid[a])).sum()))
        assert found["cce_gap"].value == pytest.approx(max(0.0, coarse), abs=1e-12)
        assert found["efcce_gap"].value == pytest.approx(max(0.0, coarse), abs=1e-12)
        assert found["efce_gap"].value == pytest.approx(told, abs=1e-12)


def one_shot(payoffs: np.ndarray) -> Tree:
    from games.normal_form import NormalForm, as_game

    return tree_of(as_game(NormalForm(payoffs), id="one_shot", rebuildable=False), cache=False)


@pytest.mark.parametrize(
    ("solver", "gap"), [("joint_efce", "efce_gap"), ("joint_efcce", "efcce_gap")]
)
def test_three_seats_are_solved(solver: str, gap: str) -> None:
    payoffs = np.random.default_rng(2).normal(size=(3, 2, 2, 2))
    from games.normal_form import NormalForm, as_game

    game = as_game(NormalForm(payoffs), id="three", rebuildable=False)
    assert arena.solve(game, solver, iterations=500).certificate[gap].value < 0.05
