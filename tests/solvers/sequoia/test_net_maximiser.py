"""The maximiser of embedded networks against brute force, and what it refuses."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.errors import ArenaError, IllegalActionError, ParameterError
from games.bandits.constraints import FeasibleSet, budget_set, linear_set
from games.bandits.coupled import capacity_set, path_set, schedule_set
from solvers.sequoia import Maximiser, ReluNet, encode, from_layers, residual
from solvers.sequoia._bound_kernels import linear_bound, value_of
from solvers.sequoia._branch_kernels import propagate
from solvers.sequoia.branch import Brancher
from solvers.sequoia.local import climb, dense_rows
from solvers.sequoia.program import NetProgram, embed, tighten

KINDS = ("budget", "exactly", "capacity", "schedule", "path", "rows")
SHAPES = ("plain", "no bias", "deep", "residual", "linear")


def a_set(kind: str, rng: np.random.Generator) -> FeasibleSet:
    n = int(rng.integers(4, 9))
    if kind in ("budget", "exactly"):
        return budget_set(n, int(rng.integers(1, n)), exactly=kind == "exactly")
    if kind == "capacity":
        workers = rng.integers(2, 8, int(rng.integers(1, 4)))
        return capacity_set(rng.integers(2, 7, n).tolist(), workers.tolist())
    if kind == "schedule":
        arms = [sorted(rng.choice(4, 2, replace=False).tolist()) for _ in range(n)]
        workers = [sorted(rng.choice(4, 3, replace=False).tolist()) for _ in range(2)]
        return schedule_set(arms, workers, int(rng.integers(1, n)))
    if kind == "path":
        tree = networkx.random_labeled_tree(n, seed=int(rng.integers(1000)))
        tree.add_edge(0, n - 1)
        return path_set(tree, 0, int(rng.integers(1, 4)))
    rows = rng.integers(-3, 4, size=(3, n)).astype(float)
    inside = rows @ rng.integers(0, 2, n)  # so that some action is feasible
    return linear_set(rows, lo=inside - rng.integers(0, 4, 3), hi=inside + rng.integers(0, 4, 3))


def a_net(shape: str, inputs: int, rng: np.random.Generator) -> ReluNet:
    if shape == "residual":
        return encode(a_module(inputs, int(rng.integers(1 << 30))), inputs)
    hidden = {"linear": [], "deep": [5, 4, 3]}.get(shape, rng.integers(2, 9, 2).tolist())
    sizes = [inputs, *hidden, 1]
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    biases = None if shape == "no bias" else [0.5 * rng.normal(size=b) for b in sizes[1:]]
    return from_layers(weights, biases)


def a_module(inputs: int, seed: int) -> Any:
    torch.manual_seed(seed)
    nn = torch.nn
    inner = residual(nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 6, bias=False)))
    body = nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, 6), nn.ReLU(), inner, nn.Identity(), nn.ReLU(),
        nn.Linear(6, 1),
    )  # fmt: skip
    return residual(body, nn.Linear(inputs, 1, bias=False)).double()


@pytest.mark.parametrize("block", range(10))
def test_equals_brute_force(block: int) -> None:
    """550 networks and sets: every kind of set with every shape of network."""
    for case in range(55):
        rng = np.random.default_rng([block, case])
        kind, shape = KINDS[case % len(KINDS)], SHAPES[case // len(KINDS) % len(SHAPES)]
        chosen = a_set(kind, rng)
        net = a_net(shape, chosen.size + 3, rng)
        base = np.concatenate([rng.normal(size=3), np.zeros(chosen.size)])
        effect = 3 + np.arange(chosen.size)
        fixed = net.fix(base, effect)
        listed = chosen.listed()
        assert listed is not None
        best = float(fixed.values(listed).max())
        methods = ["auto"]
        if Brancher(chosen).suits:
            methods.append("branching")
        if case % 4 == 0:
            methods.append("highs")
        for method in methods:
            made = Maximiser(chosen, method=method, gap=1e-6, tighten=case % 8 == 0)
            found = made.best(net, base=base, effect=effect)
            assert found.status == "optimal"
            assert chosen.allows(found.action)
            assert found.value == pytest.approx(best, abs=2e-6 * max(1.0, abs(best)))
            assert found.bound >= best - 1e-6 * max(1.0, abs(best))
            assert found.gap <= 1e-6
            assert found.value == pytest.approx(float(fixed.values(found.action[None])[0]))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(SHAPES), st.sampled_from(KINDS))
def test_bounds_hold(seed: int, shape: str, kind: str) -> None:
    """No action leaves the bounds of any neuron, whichever way they are found."""
    rng = np.random.default_rng(seed)
    chosen = a_set(kind, rng)
    net = a_net(shape, chosen.size, rng).fix(np.zeros(chosen.size), np.arange(chosen.size))
    listed = chosen.listed()
    assert listed is not None
    bounds = Brancher(chosen).bounds(net)
    tighter, _ = tighten(NetProgram(chosen), net, bounds)
    n = net.inputs
    whole = np.zeros((len(listed), n + len(net.bias)))
    whole[:, :n] = listed
    for first, last in zip(net.starts[:-1], net.starts[1:], strict=True):
        z = whole[:, : n + first] @ net.weight[first:last, : n + first].T + net.bias[first:last]
        whole[:, n + first : n + last] = np.maximum(z, 0.0)
        for lower, upper in (bounds, tighter):
            assert (z >= lower[first:last] - 1e-7).all()
            assert (z <= upper[first:last] + 1e-7).all()
    assert (tighter[0] >= bounds[0]).all()
    assert (tighter[1] <= bounds[1]).all()


def test_first_layer_is_exact_for_a_budget() -> None:
    rng = np.random.default_rng(0)
    chosen = budget_set(7, 3)
    net = from_layers([rng.normal(size=(5, 7)), np.ones((1, 5))])
    fixed = net.fix(np.zeros(7), np.arange(7))
    lower, upper = Brancher(chosen).bounds(fixed)
    z = chosen.listed().astype(float) @ fixed.weight[:, :7].T  # type: ignore[union-attr] # small
    assert lower == pytest.approx(z.min(axis=0))
    assert upper == pytest.approx(z.max(axis=0))


def test_stable_neurons_disappear() -> None:
    net = from_layers([np.eye(3), np.ones((1, 3))], [np.array([5.0, -5.0, -0.5]), np.zeros(1)]).fix(
        np.zeros(3), np.arange(3)
    )
    part = embed(net, *Brancher(budget_set(3, 2)).bounds(net))
    assert len(part.offsets) == 1
    assert part.constant == 5.0
    assert part.out.tolist() == [1.0, 0.0, 0.0, 1.0]


def test_module_and_arrays_agree() -> None:
    module = a_module(6, 3)
    net = encode(module, 6)
    x = np.random.default_rng(0).normal(size=(20, 6))
    with torch.no_grad():
        told = module(torch.from_numpy(x))[:, 0].numpy()
    assert net.values(x) == pytest.approx(told, abs=1e-12)
    chosen = budget_set(6, 2)
    assert Maximiser(chosen).best(net, module=module).status == "optimal"
    with torch.no_grad():
        module.skip.weight += 1.0  # the arrays are no longer those of the module
    with pytest.raises(ArenaError, match="module values the answer"):
        Maximiser(chosen).best(net, module=module)


def test_effect_may_be_a_matrix() -> None:
    rng = np.random.default_rng(5)
    chosen, net = budget_set(5, 2), a_net("plain", 8, rng)
    base, effect = rng.normal(size=8), rng.normal(size=(8, 5))
    listed = chosen.listed()
    assert listed is not None
    best = net.values(base + listed @ effect.T).max()
    for method in ("branching", "highs", "enumeration"):
        found = Maximiser(chosen, method=method, gap=1e-7).best(net, base=base, effect=effect)
        assert found.value == pytest.approx(best)
        assert found.method == method


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ([torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)], "network.1"),
        ([torch.nn.Linear(4, 4), torch.nn.Sequential(torch.nn.BatchNorm1d(4))], "network.1.0"),
    ],
)
def test_unsupported_layers_are_named(layers: list[Any], named: str) -> None:
    with pytest.raises(ParameterError, match=named) as raised:
        encode(torch.nn.Sequential(*layers), 4)
    assert "Linear, ReLU" in str(raised.value)


def test_sizes_that_do_not_fit() -> None:
    with pytest.raises(ParameterError, match="5 inputs"):
        encode(torch.nn.Sequential(torch.nn.Linear(5, 1)), 4)
    with pytest.raises(ParameterError, match="outputs of the network"):
        encode(torch.nn.Linear(4, 2), 4)
    net = from_layers([np.ones((1, 4))])
    with pytest.raises(ParameterError, match="actions of the network"):
        Maximiser(budget_set(5, 2)).best(net)
    with pytest.raises(ParameterError, match="both or none"):
        Maximiser(budget_set(4, 2)).best(net, base=np.zeros(4))
    with pytest.raises(ParameterError, match="at least one"):
        from_layers([])


def test_own_bounds() -> None:
    rng = np.random.default_rng(2)
    chosen, net = budget_set(6, 2), a_net("plain", 6, rng)
    made = Maximiser(chosen, method="highs", gap=1e-7)
    best = made.best(net).value
    count = len(net.bias)
    wide = (np.full(count, -50.0), np.full(count, 50.0))
    assert made.best(net, bounds=wide).value == pytest.approx(best)
    with pytest.raises(ParameterError, match="lower ≤ upper"):
        made.best(net, bounds=(wide[1], wide[0]))
    with pytest.raises(ParameterError, match="one a neuron"):
        made.best(net, bounds=(wide[0][:1], wide[1][:1]))
    with pytest.raises(ParameterError, match="some action meets"):
        made.best(net, bounds=(np.full(count, 40.0), wide[1]))


def test_limits_keep_an_incumbent_and_a_bound() -> None:
    rng = np.random.default_rng(11)
    chosen = budget_set(24, 10)
    net = from_layers([rng.normal(size=(24, 24)), rng.normal(size=(24, 24)), np.ones((1, 24))])
    start = np.arange(24) < 10
    made = Maximiser(chosen, method="branching", nodes=20)
    found = made.best(net, start=start)
    assert found.status == "node limit"
    assert found.value >= net.values(start[None])[0]
    assert found.gap > 0.0
    assert found.bound > found.value
    limited = Maximiser(chosen, method="highs", seconds=1e-3)
    answer = limited.best(net, start=start)
    assert answer.status == "time limit"
    assert answer.bound >= answer.value
    assert answer.fallback
    assert limited.counts["fallback"] == 1
    with pytest.raises(IllegalActionError):
        made.best(net, start=np.ones(24))


def test_no_feasible_action() -> None:
    empty = linear_set([[1.0, 1.0], [1.0, 0.0]], lo=[1.0, 0.0], hi=[2.0, 1.0])
    rows = FeasibleSet(
        empty.matrix, np.array([2.0, 0.0]), np.array([2.0, 0.0]), empty.lower, empty.upper,
        empty.integer, empty.actions, ("both", "not the first"),
    )  # fmt: skip
    for method in ("auto", "branching", "highs"):
        with pytest.raises(ArenaError, match="both, not the first"):
            Maximiser(rows, method=method)


def test_local_search_only_improves() -> None:
    rng = np.random.default_rng(8)
    for kind in KINDS:
        chosen = a_set(kind, rng)
        net = a_net("plain", chosen.size, rng).fix(np.zeros(chosen.size), np.arange(chosen.size))
        listed = chosen.listed()
        assert listed is not None
        start = listed[0].astype(np.int64)
        action, value = climb(net, chosen, start, rows=dense_rows(chosen))
        assert chosen.allows(action)
        assert value >= net.values(start[None])[0]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6))
def test_kernels_against_brute_force(seed: int) -> None:
    """Greatest linear forms, values, and what rows force, over all completions."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    fixed = rng.choice([-1, -1, -1, 0, 1], n).astype(np.int8)
    every = [
        a
        for a in product((0, 1), repeat=n)
        if all(f < 0 or f == x for f, x in zip(fixed, a, strict=True))
    ]
    free = int((fixed < 0).sum())
    least = int(rng.integers(0, free + 1))
    most = int(rng.integers(least, free + 1))
    form = rng.normal(size=n)
    on = int((fixed == 1).sum())
    wanted = max(float(form @ a) for a in every if least <= sum(a) - on <= most)
    assert linear_bound(form, fixed, least, most, np.empty(n)) == pytest.approx(wanted)
    net = a_net("plain", n, rng).fix(np.zeros(n), np.arange(n))
    for action in every:
        bits = np.array(action, dtype=np.int8)
        told = value_of(
            net.starts, net.weight, net.bias, net.out, net.constant, bits, np.empty(len(net.bias))
        )
        assert told == pytest.approx(float(net.values(bits[None])[0]))
    rows = rng.integers(-2, 3, size=(3, n)).astype(float)
    low, high = rng.integers(-4, 1, 3).astype(float), rng.integers(0, 5, 3).astype(float)
    kept = [a for a in every if ((rows @ a >= low) & (rows @ a <= high)).all()]
    after = fixed.copy()
    if propagate(rows, low, high, 3, after):
        for action in kept:
            assert all(f < 0 or f == x for f, x in zip(after, action, strict=True))
    else:
        assert not kept
