"""Feasible sets against brute force, and the small forms against the paper's."""

from __future__ import annotations

from itertools import permutations, product

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.errors import IllegalActionError, ParameterError
from games.bandits.constraints import FeasibleSet, budget_set, linear_set
from games.bandits.coupled import capacity_set, path_set, schedule_set
from games.bandits.program import Program
from games.bandits.tube import PARTS, SOURCES, tube


def rows_of(found: FeasibleSet) -> set[tuple[int, ...]]:
    listed = found.listed()
    assert listed is not None
    rows = [tuple(map(int, row)) for row in listed]
    assert len(set(rows)) == len(rows)
    assert rows == sorted(rows)
    return set(rows)


def packs(costs: list[int], capacities: list[int]) -> bool:
    if not costs:
        return True
    return any(
        packs(costs[1:], [c - costs[0] * (k == i) for k, c in enumerate(capacities)])
        for i in range(len(capacities))
        if capacities[i] >= costs[0]
    )


def all_of(size: int) -> list[tuple[int, ...]]:
    return list(product((0, 1), repeat=size))


def by_program(found: FeasibleSet) -> set[tuple[int, ...]]:
    """What HiGHS allows, without any shortcut."""
    return {
        a for a in all_of(found.size) if found._completes(np.array(a, dtype=np.bool_), found.size)
    }


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=6),
    st.lists(st.integers(0, 7), min_size=1, max_size=3),
)
def test_capacity(costs: list[int], capacities: list[int]) -> None:
    brute = {
        a
        for a in all_of(len(costs))
        if packs([c for c, on in zip(costs, a, strict=True) if on], capacities)
    }
    small = capacity_set(costs, capacities)
    assert rows_of(small) == brute == by_program(small)
    assert by_program(capacity_set(costs, capacities, formulation="assignment")) == brute


def serves(arms: list[list[int]], free: list[int]) -> bool:
    """Each arm in turn takes two worker-slots, tried in all ways."""
    if not arms:
        return True
    for s, t in product(arms[0], repeat=2):
        left = free.copy()
        left[s] -= 1
        left[t] -= 1
        if min(left) >= 0 and serves(arms[1:], left):
            return True
    return False


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_schedule(seed: int, budget: int) -> None:
    rng = np.random.default_rng(seed)
    arms = [sorted(rng.choice(4, 2, replace=False).tolist()) for _ in range(5)]
    workers = [sorted(rng.choice(4, 2, replace=False).tolist()) for _ in range(3)]
    free = [sum(s in own for own in workers) for s in range(4)]
    brute = {
        a
        for a in all_of(5)
        if sum(a) <= budget and serves([s for s, on in zip(arms, a, strict=True) if on], free)
    }
    assert rows_of(schedule_set(arms, workers, budget)) == brute
    paper = schedule_set(arms, workers, budget, formulation="assignment")
    assert by_program(paper) == brute


def on_a_walk(graph: networkx.Graph, source: int, nodes: list[int], steps: int) -> bool:
    d = dict(networkx.all_pairs_shortest_path_length(graph))
    return any(
        sum(d[a].get(b, 99) for a, b in zip((source, *order), (*order, source), strict=True))
        <= steps
        for order in permutations(nodes)
    )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_path(seed: int, budget: int) -> None:
    graph = networkx.gnp_random_graph(6, 0.4, seed=seed)
    source = seed % 6
    brute = {
        a
        for a in all_of(6)
        if sum(a) <= budget and on_a_walk(graph, source, [v for v in range(6) if a[v]], 2 * budget)
    }
    small = path_set(graph, source, budget)
    assert rows_of(small) == brute == by_program(small)
    assert {a for a in all_of(6) if small.allows(a)} == brute
    assert by_program(path_set(graph, source, budget, formulation="unrolled")) == brute


def test_the_tube_has_the_published_sizes() -> None:
    sizes = {n: (tube(n).number_of_nodes(), tube(n).number_of_edges()) for n in PARTS}
    assert sizes == {20: (20, 29), 40: (40, 56), 60: (60, 82), 80: (80, 108), 100: (100, 133)}
    assert all(networkx.is_connected(tube(n)) for n in PARTS)
    listed = path_set(tube(20), SOURCES[20], 5).listed()
    assert listed is not None and len(listed) == 3931  # as counted from the paper's instance


@pytest.mark.parametrize("seed", range(4))
def test_the_best_action_is_the_best_of_the_list(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sets = [
        capacity_set(rng.integers(2, 7, 10).tolist(), rng.integers(2, 8, 3).tolist()),
        path_set(tube(20), 0, 4),
        budget_set(9, 4),
        budget_set(9, 4, exactly=True),
        linear_set(rng.integers(-3, 4, (3, 8)), hi=3.0, lo=-5.0),
    ]
    for found in sets:
        listed = found.listed()
        assert listed is not None
        program = Program(found)
        for _ in range(5):
            weights = rng.normal(size=found.size)
            best = program.best(weights)
            assert best.value == pytest.approx((listed @ weights).max(), abs=1e-7)
            assert best.action @ weights == pytest.approx(best.value, abs=1e-7)
            assert found.allows(best.action)
            assert found.allows(found.sample(rng))


def test_random_actions_of_shrinking_sets_are_maximal() -> None:
    rng = np.random.default_rng(1)
    found = capacity_set([2, 3, 3, 4, 6, 5], [5, 7])
    for _ in range(10):
        action = found.sample(rng)
        for k in np.flatnonzero(~action):
            assert not found.allows(np.where(np.arange(6) == k, True, action))


def test_a_conflict_names_the_rows_and_only_those() -> None:
    with pytest.raises(ParameterError, match="'all of them, no pair'"):
        linear_set(
            [[1, 1, 1], [0, 0, 1], [1, 1, 0]],
            lo=[3, 0, -1],
            hi=[9, 1, 1],
            names=["all of them", "idle", "no pair"],
        )


def test_bad_input() -> None:
    with pytest.raises(ParameterError, match="budget = 9 is not allowed; expected 0 to 4"):
        budget_set(4, 9)
    with pytest.raises(IllegalActionError, match="break budget"):
        budget_set(3, 1).check([1, 1, 0])
    with pytest.raises(IllegalActionError, match="zeros and ones"):
        budget_set(3, 1).check([2, 0, 0])
    with pytest.raises(IllegalActionError, match="vector of 3"):
        budget_set(3, 1).check([0, 0])
    with pytest.raises(ParameterError, match="costs"):
        capacity_set([0, 2], [3])
    with pytest.raises(ParameterError, match="arms = 30"):
        tube(30)
    with pytest.raises(ParameterError, match="coefficients"):
        linear_set([[1, "a"]])
    with pytest.raises(IllegalActionError, match="length of the walk"):
        path_set(networkx.path_graph(8), 0, 2).check([0, 0, 0, 1, 0, 0, 0, 0])
