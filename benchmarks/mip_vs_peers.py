"""Decisions of embedded networks against OMLT (HiGHS) and pyscipopt-ml (SCIP).

Networks Q(s, a) are fitted to the Lagrangian values of `bandits/budget`; a decision maximises
one over at most B of J actions with the state fixed, to a gap of 1e-4. Both sides get the same
function of the actions and one thread; the peers build their model anew for each state, ours
keeps what depends on the set alone. The optimum is checked first. Our decision times are medians
and 95th percentiles over more states.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Claim, alternate, parse, report

import arena
from games.bandits.constraints import budget_set
from solvers.bandits.lagrangian import relax
from solvers.sequoia import ActionNet, Maximiser, ReluNet, encode

GAP = 1e-4
SECONDS = 60.0
_SLOW = 0.4
"""CPU seconds."""
CASES: list[tuple[int, int, list[int], float | None, bool]] = [
    (20, 5, [16, 32], 3.0, True),
    (20, 5, [32, 32], None, True),
    (40, 10, [16, 32], None, True),
    (40, 10, [32, 32], 10.0, True),
    (40, 10, [64, 64], 100.0, False),
    (100, 20, [16, 32], 50.0, True),
    (100, 20, [32, 32], 200.0, True),
]
"""J, B, hidden layers, bar in ms, and whether the peers take part (they need minutes else)."""


def fitted(arms: int, budget: int, hidden: list[int], steps: int) -> ReluNet:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    form = arena.make("bandits/budget", arms=arms, budget=budget).form("bandit")
    values = relax(form, rounds=3).values[5]
    layers: list[Any] = []
    sizes = [2 * arms, *hidden, 1]
    for k in range(len(sizes) - 1):
        layers += [torch.nn.Linear(sizes[k], sizes[k + 1]), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    count = 60_000
    levels = states(rng, count, arms)
    on = np.argsort(rng.random((count, arms)), axis=1) < rng.integers(0, budget + 1, (count, 1))
    worth = values[np.arange(arms), levels, on.astype(int)].sum(axis=1)
    y = torch.tensor((worth - worth.mean()) / worth.std(), dtype=torch.float32)
    x = torch.tensor(np.hstack([levels, on]), dtype=torch.float32)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for k in range(steps):
        if k == int(0.7 * steps):
            optimizer.param_groups[0]["lr"] = 3e-4
        at = torch.from_numpy(rng.integers(0, count, 256))
        loss = ((net(x[at])[:, 0] - y[at]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encode(net, 2 * arms)


def states(rng: np.random.Generator, count: int, arms: int) -> Any:
    return rng.choice(4, size=(count, arms), p=[0.4, 0.25, 0.15, 0.2])


def layers_of(net: ActionNet) -> list[tuple[Any, Any]]:
    """Return weights and biases of a plain perceptron."""
    n, out = net.inputs, []
    for k, (first, last) in enumerate(zip(net.starts[:-1], net.starts[1:], strict=True)):
        below = slice(0, n) if k == 0 else slice(n + net.starts[k - 1], n + first)
        out.append((net.weight[first:last, below], net.bias[first:last]))
    last_layer = net.out[n + net.starts[-2] :][None]
    return [*out, (last_layer, np.array([net.constant]))]


def omlt(budget: int) -> Callable[[ActionNet], float]:
    import pyomo.environ as pyo
    from omlt import OmltBlock
    from omlt.neuralnet import NetworkDefinition, ReluBigMFormulation
    from omlt.neuralnet.layer import DenseLayer, InputLayer

    def decide(net: ActionNet) -> float:
        n, layers = net.inputs, layers_of(net)
        bounds = dict.fromkeys(range(n), (0.0, 1.0))
        definition = NetworkDefinition(scaled_input_bounds=bounds)
        before: Any = InputLayer([n])
        definition.add_layer(before)
        for k, (weight, bias) in enumerate(layers):
            kind = "linear" if k == len(layers) - 1 else "relu"
            layer = DenseLayer(
                [weight.shape[1]], [weight.shape[0]], activation=kind,
                weights=weight.T, biases=bias,
            )  # fmt: skip
            definition.add_layer(layer)
            definition.add_edge(before, layer)
            before = layer
        model = pyo.ConcreteModel()
        model.a = pyo.Var(range(n), domain=pyo.Binary)
        model.net = OmltBlock()
        model.net.build_formulation(ReluBigMFormulation(definition))
        model.same = pyo.Constraint(range(n), rule=lambda m, k: m.net.inputs[k] == m.a[k])
        model.budget = pyo.Constraint(expr=sum(model.a[k] for k in range(n)) <= budget)
        model.obj = pyo.Objective(expr=model.net.outputs[0], sense=pyo.maximize)
        solver = pyo.SolverFactory("appsi_highs")
        solver.config.mip_gap = GAP
        solver.config.time_limit = SECONDS
        solver.highs_options["threads"] = 1
        solver.solve(model)
        return float(pyo.value(model.obj))

    return decide


def scip_ml(budget: int) -> Callable[[ActionNet], float]:
    import torch
    from pyscipopt import Model
    from pyscipopt_ml.add_predictor import add_predictor_constr

    def decide(net: ActionNet) -> float:
        modules: list[Any] = []
        for weight, bias in layers_of(net):
            layer = torch.nn.Linear(*weight.shape[::-1]).double()
            with torch.no_grad():
                layer.weight[:] = torch.from_numpy(weight)
                layer.bias[:] = torch.from_numpy(bias)
            modules += [layer, torch.nn.ReLU()]
        model = Model()
        model.hideOutput()
        model.setParam("limits/gap", GAP)
        model.setParam("limits/time", SECONDS)
        n = net.inputs
        a = np.array([[model.addVar(vtype="B") for _ in range(n)]], dtype=object)
        y = np.array([[model.addVar(lb=None)]], dtype=object)
        add_predictor_constr(
            model, torch.nn.Sequential(*modules[:-1]), a, y, unique_naming_prefix="q"
        )
        model.addCons(sum(a[0]) <= budget)
        model.setObjective(y[0, 0], "maximize")
        model.optimize()
        return float(model.getObjVal())

    return decide


PEERS = {
    "OMLT": (omlt, "pip install omlt pyomo highspy"),
    "pyscipopt-ml": (scip_ml, "pip install pyscipopt-ml"),
}


def available() -> dict[str, Any]:
    found = {}
    for name, (make, _) in PEERS.items():
        try:
            make(1)
        except ImportError:
            continue
        found[name] = make
    return found


def main() -> None:
    options = parse(__doc__)
    peers = available()
    many, few, rounds = (20, 1, 1) if options.quick else (100, 10, 5)
    cases = [CASES[0], CASES[2]] if options.quick else CASES
    claims, table = [], []
    ratios: dict[str, list[float]] = {}
    for arms, budget, hidden, bar, with_peers in cases:
        label = f"T{arms} {hidden}"
        net = fitted(arms, budget, hidden, 600 if options.quick else 2500)
        made = Maximiser(budget_set(arms, budget), gap=GAP)
        rng = np.random.default_rng(1)
        fixed = [
            net.fix(np.concatenate([row, np.zeros(arms)]), arms + np.arange(arms))
            for row in states(rng, many, arms)
        ]
        times, gaps = decisions(made, fixed)
        row: list[Any] = [label, float(np.median(times)), float(np.quantile(times, 0.95))]
        if max(gaps) > GAP:
            raise SystemExit(f"{label}: a decision has a certified gap of {max(gaps)}")
        if bar is not None:
            claims.append(Claim(f"mip-ms-{label.replace(' ', '')}", row[1], bar, False))
        for name in PEERS:
            if name not in peers or not with_peers:
                row += ["-", "-"]
                continue
            ms, ratio = against(made, peers[name](budget), fixed[:few], rounds)
            row += [ms, ratio]
            ratios.setdefault(f"{name}-{'large' if arms == 100 else 'small'}", []).append(ratio)
        table.append(row)
    bars = {"OMLT-small": 50.0, "pyscipopt-ml-small": 15.0, "OMLT-large": 25.0,
            "pyscipopt-ml-large": 2.0}  # fmt: skip
    for key, bar in bars.items():
        name = key.rsplit("-", 1)[0]
        note = "" if name in peers else f"{name} is not installed: {PEERS[name][1]}"
        value = min(ratios[key]) if key in ratios else None
        if value is not None or name not in peers:
            claims.append(Claim(f"mip-vs-{key}", value, bar, note=note))
    header = ["network", "median ms", "p95 ms", "OMLT ms", "×", "pyscipopt-ml ms", "×"]
    report(claims, table=table, header=header, path=options.json)


def decisions(made: Maximiser, fixed: list[ActionNet]) -> tuple[list[float], list[float]]:
    """Return milliseconds of CPU of each decision, and the certified gaps.

    The clock of the process is slow on some machines, so what reading it costs is taken off.
    """
    start = time.process_time()
    for _ in range(20):
        time.process_time()
    reading = (time.process_time() - start) / 21
    made.best(fixed[0])
    times, gaps = [], []
    for net in fixed:
        start = time.process_time()
        found = made.best(net)
        times.append(max(0.0, time.process_time() - start - reading) * 1e3)
        gaps.append(found.gap)
    return times, gaps


def against(
    made: Maximiser, decide: Callable[[ActionNet], float], fixed: list[ActionNet], rounds: int
) -> tuple[float, float]:
    """Return the peer's milliseconds a decision, and how many times ours.

    Where the peer's first decision takes longer than `_SLOW`, three states are enough.
    """
    start = time.process_time()
    decide(fixed[0])
    if time.process_time() - start > _SLOW:
        fixed = fixed[:3]
    for net in fixed:
        ours, theirs = made.best(net).value, decide(net)
        if abs(ours - theirs) > 5 * GAP * max(1.0, abs(ours)):
            raise SystemExit(f"the two sides differ: {ours} and {theirs}")
    times = 20  # ours are too short to be timed one by one
    found = alternate(
        lambda: [made.best(net) for net in fixed for _ in range(times)],
        lambda: [decide(net) for net in fixed],
        rounds=rounds,
        warm_up=0,
    )
    return float(np.median(found.peer)) / len(fixed) * 1e3, found.ratio * times


if __name__ == "__main__":
    main()
