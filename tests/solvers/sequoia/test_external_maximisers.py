"""SCIP and Gurobi maximise the same networks as brute force does, where they are installed."""

from __future__ import annotations

import numpy as np
import pytest

from games.bandits.constraints import budget_set, linear_set
from games.bandits.coupled import path_set, schedule_set
from solvers.sequoia import Maximiser, from_layers

PACKAGES = {"scip": "pyscipopt", "gurobi": "gurobipy"}


@pytest.mark.parametrize("method", PACKAGES)
@pytest.mark.parametrize("kind", ["budget", "rows", "schedule", "path"])
def test_equals_brute_force(method: str, kind: str) -> None:
    pytest.importorskip(PACKAGES[method])
    import networkx

    chosen = {
        "budget": lambda: budget_set(9, 3),
        "rows": lambda: linear_set([[1, 1, 0, 0, 2, 1], [0, 1, 1, 1, 0, 1]], lo=[1, 0], hi=[3, 2]),
        "schedule": lambda: schedule_set([[0, 1], [1, 2], [0, 2], [0, 1]], [[0, 1], [1, 2]], 3),
        "path": lambda: path_set(networkx.cycle_graph(7), 0, 2),
    }[kind]()
    listed = chosen.listed()
    assert listed is not None
    made = Maximiser(chosen, method=method, gap=1e-6)
    rng = np.random.default_rng(5)
    for _ in range(6):
        sizes = [chosen.size, 7, 6, 1]
        shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
        net = from_layers(
            [rng.normal(size=shape) for shape in shapes], [rng.normal(size=b) for b, _ in shapes]
        )
        found = made.best(net)
        best = float(net.values(listed).max())
        assert chosen.allows(found.action)
        assert found.status == "optimal"
        assert found.method == method
        assert found.value == pytest.approx(best, abs=1e-5)
        assert best - 1e-5 <= found.bound <= best + 1e-4 * max(1.0, abs(best))
