"""Big-M against the partition-based formulation of ReLUs, in the program that HiGHS solves.

Both formulations get the same function of the actions: stable neurons eliminated, the bounds of
the branch-and-bound's start, its local-search action, the options arena sets, a gap of 1e-4,
one thread. P parts a neuron (Tsay, Kronqvist, Thebelt and Misener 2021, NeurIPS, section 3):
with w·x = Σ_p w_p·x_p split by the size of the weights, columns z_p and a binary δ (on),

    δ L_p ≤ z_p ≤ δ U_p,  (1 − δ) L_p ≤ w_p·x_p − z_p ≤ (1 − δ) U_p,
    h = Σ z_p + δ b ≥ 0,  Σ (w_p·x_p − z_p) + (1 − δ) b ≤ 0.

Networks are fitted to Lagrangian values (T, as in `mip_vs_peers`) or random (R); the optimum is
the same on every state. Times are CPU milliseconds of solving alone, medians over the states.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from harness import Claim, parse, report
from mip_vs_peers import GAP, fitted, states

from games.bandits.constraints import budget_set
from solvers.sequoia import ActionNet, Maximiser, from_layers
from solvers.sequoia.branch import Brancher
from solvers.sequoia.program import OPTIONS, Embedded, embed

SECONDS = 20.0
PARTS = (1, 2, 4)
CASES = [
    ("T", 20, 5, [16, 32]),
    ("T", 20, 5, [32, 32]),
    ("T", 40, 10, [16, 32]),
    ("T", 40, 10, [32, 32]),
    ("T", 100, 20, [32, 32]),
    ("R", 20, 5, [16, 32]),
    ("R", 50, 12, [32]),
]


class Model:
    """HiGHS with the budget's row, a column for each action, and what is added."""

    def __init__(self, actions: int, budget: int) -> None:
        import highspy

        self.inf = highspy.kHighsInf
        self.kinds = highspy.HighsVarType
        self.solver = highspy.Highs()
        self.solver.silent()
        self.size = 0
        for _ in range(actions):
            self.column(0.0, 1.0, whole=True)
        self.row(np.arange(actions), np.ones(actions), -self.inf, float(budget))

    def column(self, low: float, high: float, *, whole: bool = False) -> int:
        self.solver.addVar(low, high)
        if whole:
            self.solver.changeColIntegrality(self.size, self.kinds.kInteger)
        self.size += 1
        return self.size - 1

    def row(self, columns: Any, values: Any, low: float, high: float) -> None:
        index = np.asarray(columns, dtype=np.int32)
        self.solver.addRow(low, high, len(index), index, np.asarray(values, dtype=np.float64))

    def solve(self, cost: Any, constant: float, start: Any) -> tuple[float, float, bool]:
        """Return the value, CPU milliseconds, and whether it is certified."""
        import highspy

        for name, value in OPTIONS.items():
            self.solver.setOptionValue(name, value)
        for name, value in (
            ("threads", 1), ("mip_rel_gap", GAP), ("mip_abs_gap", GAP), ("time_limit", SECONDS),
        ):  # fmt: skip
            self.solver.setOptionValue(name, value)
        at = np.arange(len(cost), dtype=np.int32)
        self.solver.changeColsCost(len(at), at, np.asarray(cost, dtype=np.float64))
        self.solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
        on = np.arange(len(start), dtype=np.int32)
        self.solver.setSolution(len(on), on, np.asarray(start, dtype=np.float64))
        begun = time.process_time()
        self.solver.run()
        spent = (time.process_time() - begun) * 1e3
        done = self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return float(self.solver.getInfo().objective_function_value) + constant, spent, done


def ranges(part: Embedded, k: int, columns: Any, actions: int, budget: int) -> tuple[float, float]:
    """Return what a neuron's form over some columns lies between."""
    values = part.forms[k, columns]
    own, high = values[columns < actions], values[columns >= actions]
    above = part.upper[columns[columns >= actions] - actions]
    top = np.sort(np.maximum(own, 0.0))[::-1][:budget].sum() + (np.maximum(high, 0) * above).sum()
    low = np.sort(np.minimum(own, 0.0))[:budget].sum() + (np.minimum(high, 0) * above).sum()
    return float(low), float(top)


def build(part: Embedded, actions: int, budget: int, parts: int | None) -> tuple[Model, Any]:
    """Return the program and its cost; `parts` None: big-M."""
    model = Model(actions, budget)
    heads: list[int] = list(range(actions))
    for k in range(len(part.offsets)):
        used = np.flatnonzero(part.forms[k])
        at, weight = np.array(heads)[used], part.forms[k, used]
        h = model.column(0.0, float(part.upper[k]))
        on = model.column(0.0, 1.0, whole=True)
        low, high, b = float(part.lower[k]), float(part.upper[k]), float(part.offsets[k])
        if parts is None:
            model.row([*at, h], [*weight, -1.0], -model.inf, -b)
            model.row([*at, h, on], [*-weight, 1.0, -low], -model.inf, b - low)
            model.row([h, on], [1.0, -high], -model.inf, 0.0)
        else:
            order = used[np.argsort(part.forms[k, used], kind="stable")]
            zs = []
            for own in np.array_split(order, min(parts, len(order))):
                small, large = ranges(part, k, own, actions, budget)
                z = model.column(min(small, 0.0), max(large, 0.0))
                zs.append(z)
                x, w = np.array(heads)[own], part.forms[k, own]
                model.row([z, on], [1.0, -small], 0.0, model.inf)
                model.row([z, on], [1.0, -large], -model.inf, 0.0)
                model.row([*x, z, on], [*w, -1.0, small], small, model.inf)
                model.row([*x, z, on], [*w, -1.0, large], -model.inf, large)
            model.row([h, *zs, on], [1.0, *[-1.0] * len(zs), -b], 0.0, 0.0)
            model.row([*at, *zs, on], [*weight, *[-1.0] * len(zs), -b], -model.inf, -b)
            model.row([h, on], [1.0, -high], -model.inf, 0.0)
        heads.append(h)
    cost = np.zeros(model.size)
    cost[heads] = part.out
    return model, cost


def network(kind: str, arms: int, budget: int, hidden: list[int], *, quick: bool) -> Any:
    if kind == "T":
        return fitted(arms, budget, hidden, 600 if quick else 2500)
    rng = np.random.default_rng(0)
    sizes = [2 * arms, *hidden, 1]
    shapes = zip(sizes[1:], sizes[:-1], strict=True)
    return from_layers([rng.normal(size=shape) / shape[1] ** 0.5 for shape in shapes])


def main() -> None:
    options = parse(__doc__)
    cases = [CASES[0], CASES[5]] if options.quick else CASES
    few = 2 if options.quick else 5
    table, ratios = [], []
    for kind, arms, budget, hidden in cases:
        net = network(kind, arms, budget, hidden, quick=options.quick)
        chosen = budget_set(arms, budget)
        rng = np.random.default_rng(1)
        brancher, made = Brancher(chosen, most_nodes=5_000), Maximiser(chosen, gap=GAP)
        times: dict[int | None, list[float]] = {key: [] for key in (None, *PARTS)}
        solved = dict.fromkeys(times, 0)
        for row in states(rng, few, arms):
            fixed: ActionNet = net.fix(
                np.concatenate([row, np.zeros(arms)]), arms + np.arange(arms)
            )
            best = made.best(fixed)
            part = embed(fixed, *brancher.bounds(fixed, None))
            for key, spent_at in times.items():
                model, cost = build(part, arms, budget, key)
                value, spent, done = model.solve(cost, part.constant, best.action)
                if done and abs(value - best.value) > 5 * GAP * max(1.0, abs(best.value)):
                    raise SystemExit(f"{kind}{arms} {hidden}: {value}, not {best.value}")
                spent_at.append(spent)
                solved[key] += done
        medians = {key: float(np.median(own)) for key, own in times.items()}
        ratios.append(min(medians[p] for p in PARTS) / medians[None])
        cells = [
            f"{medians[key]:.0f}" + ("" if solved[key] == few else f" ({solved[key]}/{few})")
            for key in times
        ]
        table.append([f"{kind}{arms} {hidden}", len(part.offsets), *cells])
    header = ["network", "unstable", "big-M ms", *(f"P = {p} ms" for p in PARTS)]
    note = "best partition's time over big-M's, median over the networks"
    claims = [Claim("mip-partition-over-big-m", float(np.median(ratios)), 1.0, note=note)]
    report(claims, table=table, header=header, path=options.json)


if __name__ == "__main__":
    main()
