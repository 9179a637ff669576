"""Correlated equilibria of trees against their definitions over pure policies."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import arena
from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from games.tree import Tree, compile_state, tree_of
from solvers.certificates import certify
from solvers.tree.correlated import optimal_plan
from solvers.tree.correlated_coarse import certify_joint
from solvers.tree.correlated_regret import TriggerPlay
from solvers.tree.correlation import certify_plan, relevant, triangle
from solvers.tree.mediators import CorrelationPlan, JointPlay, Outline
from tests.reference.correlation import PurePairs
from tests.reference.trees import Node, random_game, toy_game

CONCEPTS = ("nfcce", "efcce", "efce")


@functools.cache
def tiny_trees() -> list[Tree]:
    """Random two-player trees with few pure policies, some with chance, some with triangles."""
    found = []
    for seed in range(400):
        game = random_game(seed, depth=4)
        tree = compile_state(game, game.root())
        sizes = [int(np.prod(tree.info_actions[tree.info_seat == p], initial=1.0)) for p in (0, 1)]
        if tree.breach is None and min(sizes) >= 2 and 16 <= sizes[0] * sizes[1] <= 600:
            found.append(tree)
    return found


def test_the_best_equilibria_are_those_of_the_definition() -> None:
    tried, chance, refused = 0, 0, 0
    for tree in tiny_trees():
        if triangle(tree, relevant(tree)) is not None:
            refused += 1
            with pytest.raises(NotApplicableError, match="triangle-free"):
                optimal_plan(tree, "efce")
            continue
        if tried == 30:
            break
        tried += 1
        chance += bool((tree.chance < 1).any())
        pairs = PurePairs(tree)
        for concept in CONCEPTS:
            plan = optimal_plan(tree, concept)
            certificate = certify_plan(tree, plan)
            assert certificate[f"{concept}_gap"].value < 1e-8
            assert certificate["plan_residual"].value < 1e-8
            welfare = certificate["value_0"].value + certificate["value_1"].value
            assert welfare == pytest.approx(pairs.best_welfare(concept), abs=1e-7)
    assert tried >= 20
    assert chance >= 5
    assert refused >= 1


def test_gaps_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    for tree in tiny_trees()[:30]:
        pure = PurePairs(tree)
        shape = (len(pure.pure[0]), len(pure.pure[1]))
        mix = rng.dirichlet(np.full(shape[0] * shape[1], 0.05)).reshape(shape)
        pairs = relevant(tree).pairs
        plan = CorrelationPlan(Outline.of(tree), pairs, pure.correlation(mix, pairs))
        certificate = certify_plan(tree, plan)
        assert certificate["plan_residual"].value < 1e-12
        for concept in CONCEPTS:
            wanted = pure.gap(mix, concept)
            assert certificate[f"{concept}_gap"].value == pytest.approx(wanted, abs=1e-10)
        for p in (0, 1):
            value = float((mix * pure.payoff[p]).sum())
            assert certificate[f"value_{p}"].value == pytest.approx(value, abs=1e-10)


def test_each_kind_allows_more_than_the_last() -> None:
    for tree in tiny_trees()[:40]:
        if triangle(tree, relevant(tree)) is None:
            best = []
            for concept in ("efce", "efcce", "nfcce"):
                gaps = certify_plan(tree, optimal_plan(tree, concept))
                best.append(gaps["value_0"].value + gaps["value_1"].value)
            assert best[0] <= best[1] + 1e-8 <= best[2] + 2e-8


def chicken() -> arena.Game:
    payoffs = {(0, 0): (0.0, 0.0), (0, 1): (7.0, 2.0), (1, 0): (2.0, 7.0), (1, 1): (6.0, 6.0)}
    root = Node(
        movers=[0, 1],
        keys={0: "row", 1: "column"},
        counts={0: 2, 1: 2},
        children={joint: Node(payoffs=list(pay)) for joint, pay in payoffs.items()},
    )
    return toy_game(root, 2, actions=2)


@pytest.mark.parametrize(
    ("concept", "objective", "wanted"),
    [
        ("efce", "welfare", (5.25, 5.25)),  # Aumann 1974: half (6, 6), a quarter each the others
        ("efce", "first", (7.0, 2.0)),
        ("efce", "second", (2.0, 7.0)),
        ("efce", "fair", (5.25, 5.25)),
        ("nfcce", "welfare", (5.25, 5.25)),
    ],
)
def test_one_shot_games_have_their_correlated_equilibria(
    concept: str, objective: str, wanted: tuple[float, float]
) -> None:
    solution = arena.solve(chicken(), concept, objective=objective)
    assert solution.certificate[f"{concept}_gap"].value < 1e-9
    found = [solution.certificate[f"value_{p}"].value for p in (0, 1)]
    assert found == pytest.approx(wanted, abs=1e-8)


def test_joint_play_approaches_a_coarse_correlated_equilibrium() -> None:
    three = arena.make("kuhn_poker", players=3)
    short = arena.solve(three, "joint_cfr", iterations=20)
    long = arena.solve(three, "joint_cfr", iterations=600)
    assert long.certificate["cce_gap"].value < short.certificate["cce_gap"].value / 4
    assert long.certificate["cce_gap"].value < 0.01
    until = arena.solve(chicken(), "joint_cfr", until=0.01)
    assert until.status == "converged"
    assert until.certificate["cce_gap"].value <= 0.01


def test_the_gap_of_joint_play_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(1)
    for tree in tiny_trees()[:20]:
        pure = PurePairs(tree)
        count = 6
        picks = [rng.integers(0, len(pure.pure[p]), count) for p in (0, 1)]
        weights = rng.dirichlet(np.ones(count))
        mix = np.zeros((len(pure.pure[0]), len(pure.pure[1])))
        behaviours = np.ones((count, tree.n_sequences))
        for t, (a, b) in enumerate(zip(*picks, strict=True)):
            mix[a, b] += weights[t]
            for p, k in ((0, a), (1, b)):
                for infoset, action in zip(pure.own[p], pure.pure[p][k], strict=True):
                    first = int(tree.info_first[infoset])
                    behaviours[t, first : first + int(tree.info_actions[infoset])] = 0.0
                    behaviours[t, first + action] = 1.0
        joint = JointPlay(Outline.of(tree), behaviours, weights)
        found = certify_joint(tree, joint, recommended=True)
        for name, concept in (("cce", "nfcce"), ("efcce", "efcce"), ("efce", "efce")):
            wanted = pure.gap(mix, concept)
            assert found[f"{name}_gap"].value == pytest.approx(wanted, abs=1e-10)


@pytest.mark.parametrize("solver", ["joint_efcce", "joint_efce"])
@pytest.mark.parametrize("players", [2, 3])
def test_regret_over_triggers_approaches_extensive_form_equilibria(
    solver: str, players: int
) -> None:
    game = arena.make("kuhn_poker", players=players)  # private cards: not triangle-free
    gap = solver.removeprefix("joint_") + "_gap"
    short, long = (arena.solve(game, solver, iterations=n).certificate for n in (20, 400))
    assert long[gap].value < short[gap].value / 4
    assert long[gap].value < 0.008


@pytest.mark.parametrize("coarse", [True, False])
def test_regret_over_triggers_on_random_games(coarse: bool) -> None:
    gap = "efcce_gap" if coarse else "efce_gap"
    for tree in tiny_trees()[:8]:
        play = TriggerPlay(tree, coarse=coarse)
        seen = []
        for _ in range(300):
            seen.append(play.behaviour())
            play.advance()
            tree.checked(seen[-1])
        joint = JointPlay(Outline.of(tree), np.array(seen), np.full(len(seen), 1 / len(seen)))
        found = certify_joint(tree, joint, recommended=True)
        assert found[gap].value < 0.03 * float(np.ptp(tree.payoffs))


@pytest.mark.parametrize("coarse", [True, False])
def test_what_is_played_is_a_fixed_point_of_the_deviations(coarse: bool) -> None:
    """x = Σ λ_k φ_k(x), with every φ_k written out."""
    for tree in tiny_trees()[:10]:
        play = TriggerPlay(tree, coarse=coarse)
        for _ in range(5):
            play.advance()
        x = play._plan
        for p in (0, 1):
            weight = play._gain[p] / play._gain[p].sum() if play._gain[p].sum() > 0 else None
            if weight is None:
                continue
            own = range(int(tree.seat_sequence[p]), int(tree.seat_sequence[p + 1]))
            after = np.zeros(tree.n_sequences)
            for share, trigger in zip(weight, play._triggers[p], strict=True):
                changed = x.copy()
                below = [s for i in trigger.infosets for s in play._ends[i]]
                if coarse:  # whatever is recommended at the infoset and later is dropped
                    changed[below] = 0.0
                else:  # only what follows the told sequence is dropped
                    dropped = {trigger.told}
                    for s in below:
                        if tree.info_parent[play._tree_infoset(s)] in dropped:
                            dropped.add(s)
                    changed[sorted(dropped)] = 0.0
                for s in below:
                    changed[s] += x[trigger.told] * trigger.plan[s]
                after += share * changed
            assert after[own] == pytest.approx(x[own], abs=1e-9)


def test_one_policy_has_the_regrets_of_nash() -> None:
    tree = tree_of(arena.make("kuhn_poker", players=3))
    joint = JointPlay(Outline.of(tree), tree.uniform()[None], np.ones(1))
    ours, theirs = certify_joint(tree, joint), certify(tree, tree.uniform())
    for p in range(3):
        assert ours[f"regret_{p}"].value == pytest.approx(theirs[f"regret_{p}"].value, abs=1e-12)


def test_the_mediator_draws_policies_that_play() -> None:
    solution = arena.solve("kuhn_poker", "joint_cfr", iterations=50)
    drawn = solution.policy.draw(3)
    assert (drawn.table == solution.policy.draw(3).table).all()
    assert arena.play("kuhn_poker", [drawn, drawn], seed=1).payoffs


def test_what_does_not_apply_is_said() -> None:
    with pytest.raises(NotApplicableError, match="3 seats, and efce needs 2"):
        arena.solve(arena.make("kuhn_poker", players=3), "efce")
    with pytest.raises(NotApplicableError, match=r"triangle-free.*private chance.*joint_efce"):
        arena.solve("kuhn_poker", "efcce")
    with pytest.raises(UnknownNameError, match="objective"):
        arena.solve(chicken(), "efce", objectiv="fair")
    with pytest.raises(ParameterError, match="welfare, fair"):
        arena.solve(chicken(), "efce", objective="max")
    with pytest.raises(ParameterError, match="iterations"):
        arena.solve(chicken(), "joint_cfr", iterations=0)
