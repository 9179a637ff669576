"""Kernels of trees against their naive twins on random games."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from arena.rng import derive
from games.tree import Tree, compile_state
from solvers._group_form import group_form
from solvers.certificates import Evaluator, certify_qre, values
from solvers.tree._sampling_kernels import depth_of
from solvers.tree.fictitious_play import FictitiousPlay
from solvers.tree.mccfr import MonteCarlo
from solvers.tree.mmd import MmdMethod
from tests.reference.tree_methods import (
    MonteCarloTwin,
    fictitious_step,
    last_sequences,
    mirror_step,
    plans,
    soft_values,
    spans,
    worth,
)
from tests.reference.trees import expected, nash_conv, random_game, random_table

seeds = st.integers(0, 10**6)


def random_tree(seed: int, *, n: int = 2, zero_sum: bool = False, depth: int = 4) -> Tree:
    game = random_game(seed, n=n, zero_sum=zero_sum, ties=False, depth=depth)
    return compile_state(game, game.root())


def random_behaviour(tree: Tree, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    out = np.ones(tree.n_sequences)
    for span in spans(tree):
        out[list(span)] = rng.dirichlet(np.ones(len(span)))
    return out


@settings(max_examples=40, deadline=None)
@given(seed=seeds, n=st.integers(1, 4))
def test_the_ends_of_a_tree(seed: int, n: int) -> None:
    tree = random_tree(seed, n=n)
    for z, node in enumerate(tree.terminals.tolist()):
        last, reach = last_sequences(tree, node)
        assert tree.terminal_sequences[:, z].tolist() == last
        assert tree.terminal_chance[z] == pytest.approx(reach, rel=1e-12)
    for node in np.flatnonzero(tree.infoset >= 0).tolist():
        last, _ = last_sequences(tree, node)
        assert tree.info_parent[tree.infoset[node]] == last[tree.seat[node]]
    assert depth_of(tree.parent) == max(len(tree.history(v)) for v in range(tree.n_nodes))


@settings(max_examples=25, deadline=None)
@given(seed=seeds, n=st.integers(1, 6))
def test_nash_conv_of_up_to_six_seats(seed: int, n: int) -> None:
    game = random_game(seed, n=n, depth=4 if n < 4 else 3)
    tree = compile_state(game, game.root())
    # Trying out every pure policy takes too long beyond this.
    per_seat = [
        np.prod(tree.info_actions[low:high].astype(float))
        for low, high in zip(tree.seat_infoset[:-1], tree.seat_infoset[1:], strict=True)
    ]
    assume(max(per_seat) <= 100)
    behaviour, table = random_table(game, tree, seed)
    evaluator = Evaluator(tree)
    found = evaluator.payoffs(behaviour)
    np.testing.assert_allclose(found[:, 0], expected(game, table), atol=1e-9)
    np.testing.assert_allclose(values(tree, behaviour), expected(game, table), atol=1e-9)
    assert evaluator.nash_conv(behaviour) == pytest.approx(nash_conv(game, table), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, n=st.integers(1, 5))
def test_the_form_in_halves_holds_every_payoff_once(seed: int, n: int) -> None:
    tree = random_tree(seed, n=n, depth=3)
    form = group_form(tree)
    paid: dict[tuple[int, ...], np.ndarray] = {}
    for z, reach in enumerate(tree.terminal_chance.tolist()):
        key = tuple(tree.terminal_sequences[:, z].tolist())
        paid[key] = paid.get(key, np.zeros(n)) + reach * tree.payoffs[:, z]
    for first in range(len(form.ptr) - 1):
        row = range(int(form.ptr[first]), int(form.ptr[first + 1]))
        seats = range(form.half) if first < form.split else range(form.half, n)
        for e in row:
            pair = sorted([first, int(form.col[e])])
            assert pair[0] < form.split <= pair[1]
            key = tuple(
                int(t)
                for side, k in enumerate(pair)
                for t in form.tuples[: form.half if side == 0 else n - form.half, k]
            )
            for place, seat in enumerate(seats):
                assert form.val[place, e] == pytest.approx(paid[key][seat], abs=1e-12)
        assert len({int(c) for c in form.col[row.start : row.stop]}) == len(row)
    assert len(form.col) == 2 * len(paid)


@settings(max_examples=25, deadline=None)
@given(
    seed=seeds,
    eta=st.floats(0.01, 0.5),
    alpha=st.floats(0.0, 2.0),
    alternating=st.booleans(),
)
def test_mirror_descent(seed: int, eta: float, alpha: float, alternating: bool) -> None:
    tree = random_tree(seed, zero_sum=True)
    method = MmdMethod(tree, temperature=alpha, step=eta, alternating=alternating)
    method.move_to(random_behaviour(tree, seed))
    method.move_magnet()
    magnet = method.policy.copy()
    policy = random_behaviour(tree, seed + 1)
    method.move_to(policy)
    total = np.zeros(tree.n_sequences)
    for _ in range(3):
        policy = mirror_step(tree, policy, magnet, eta=eta, alpha=alpha, alternating=alternating)
        total += plans(tree, policy)
        method.advance(1)
        np.testing.assert_allclose(method.behaviour(), policy, atol=1e-10)
    average = method.average()
    for span in spans(tree):
        part = list(span)
        np.testing.assert_allclose(average[part], total[part] / total[part].sum(), atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, temperature=st.floats(0.1, 5.0))
def test_the_gap_of_the_regularised_game(seed: int, temperature: float) -> None:
    tree = random_tree(seed, zero_sum=True)
    policy, magnet = random_behaviour(tree, seed), random_behaviour(tree, seed + 1)
    naive = soft_values(tree, policy, magnet, temperature)
    found = certify_qre(tree, policy, temperature=temperature, log_magnet=np.log(magnet))
    wanted = sum(best - value for value, best in naive)
    assert found["qre_gap"].value == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, n=st.integers(1, 3))
def test_fictitious_play(seed: int, n: int) -> None:
    tree = random_tree(seed, n=n)
    method = FictitiousPlay(tree)
    plan = np.array(plans(tree, tree.uniform()))
    for t in range(1, 5):
        plan = fictitious_step(tree, plan, t)
        method.advance(1)
        np.testing.assert_allclose(method.arrays()["plan"], plan, atol=1e-10)
    assert len(worth(tree, plan.tolist())) == tree.n_sequences


@settings(max_examples=30, deadline=None)
@given(seed=seeds, n=st.integers(1, 3), explore=st.sampled_from([None, 0.3, 0.6, 1.0]))
def test_sampling(seed: int, n: int, explore: float | None) -> None:
    tree = random_tree(seed, n=n)
    method = MonteCarlo(tree, seed, explore)
    twin = MonteCarloTwin(tree, int(derive(seed, "mccfr")))
    for _ in range(4):
        method.advance(3)
        for _ in range(3):
            if explore is None:
                twin.external()
            else:
                twin.outcome(explore)
        arrays = method.arrays()
        np.testing.assert_allclose(arrays["regret"], twin.regret, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(arrays["total"], twin.total, rtol=1e-9, atol=1e-9)
        assert int(arrays["random"]) == twin.random.state
