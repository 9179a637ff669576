"""Every solver goes on from where it stopped as if it had not, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from arena.errors import ParameterError
from arena.solver import Solution, TracePoint

ZERO: dict[str, Any] = {"states": 4, "actions": 2, "payoff": "zero_sum", "seed": 2}
MEX = {"models": [{"opens": False}, *({"code": k} for k in range(9))]}

CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], int]] = [
    ("cce", "garnet", {"states": 4, "horizon": 9}, {}, 9),
    ("ce", "garnet", {"states": 4, "horizon": 6}, {"objective": "value", "seat": 1}, 6),
    ("shapley", "garnet", ZERO, {}, 40),
    ("shapley", "garnet", {**ZERO, "horizon": 12}, {}, 12),
    ("hoffman_karp", "garnet", ZERO, {}, 5),
    ("soft_shapley", "garnet", ZERO, {"temperature_0": 0.05, "temperature_1": 0.1}, 5),
    ("v_learning", "garnet", {**ZERO, "horizon": 3}, {}, 120),
    ("independent_hedge", "garnet", {**ZERO, "horizon": 2}, {"deviations": "markov"}, 20),
    ("optimistic_nash_vi", "garnet", {**ZERO, "horizon": 3}, {}, 300),
    ("mex", "combination_lock", {"length": 2, "code": 5}, MEX, 30),
    ("sparse_cce", "repeated", {"rounds": 2}, {"pool": 4, "learning": 50}, 3),
    ("spocmar", "garnet", {"states": 5, "horizon": 3}, {"episodes": 200, "often": 1e-9}, 4),
    ("lsvi", "low_rank", {"states": 4, "actions": 2, "horizon": 3}, {}, 60),
]


class Stop:
    """Ends a run early, as Ctrl-C does."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def __call__(self, point: TracePoint) -> None:
        if point.iteration >= self.iteration:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("solver", "name", "params", "settings", "whole"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES]
)
def test_a_stopped_run_goes_on_bit_for_bit(
    solver: str,
    name: str,
    params: dict[str, Any],
    settings: dict[str, Any],
    whole: int,
    tmp_path: Path,
) -> None:
    game = arena.make(f"markov/{name}", **params)
    straight = arena.solve(game, solver, iterations=whole, seed=3, **settings)
    first = arena.solve(
        game, solver, iterations=whole, seed=3, progress=Stop(whole // 2), **settings
    )
    assert first.status == "interrupted" and first.trace[-1].iteration < whole
    first.save(tmp_path / "half.npz")
    second = arena.solve(
        game, solver, iterations=whole, seed=3, resume=tmp_path / "half.npz", **settings
    )
    assert second.trace[-1].iteration == straight.trace[-1].iteration
    assert second.trace[: len(first.trace)] == list(first.trace)
    for mine, other in ((second.policy.arrays(), straight.policy.arrays()),
                        (second.state, straight.state)):  # fmt: skip
        assert mine.keys() == other.keys()
        for key, array in mine.items():
            assert np.array_equal(array, other[key]), key
    assert second.certificate == straight.certificate


def test_more_iterations_than_planned() -> None:
    """Rates stay those of the first plan; the episodes themselves are kept."""
    game = arena.make("markov/garnet", states=3, actions=2, horizon=2)
    for solver in ("v_learning", "independent_hedge"):
        first = arena.solve(game, solver, iterations=20, deviations="markov")
        second = arena.solve(game, solver, iterations=50, deviations="markov", resume=first)
        one, more = first.policy.arrays(), second.policy.arrays()
        assert second.trace[-1].iteration == 50
        grown = "played" if solver == "v_learning" else "table_0"
        assert len(more[grown]) == 50
        assert np.array_equal(more[grown][:20], one[grown])


def test_only_the_same_run_is_resumed() -> None:
    game = arena.make("markov/garnet", states=3, actions=2, horizon=2)
    found = arena.solve(game, "v_learning", iterations=10)
    for change, words in (
        ({"horizon": 3}, "horizon = 3"),
        ({"bonus": 0.1}, r"bonus = 0\.1"),
        ({"seed": 1}, "seed = 1"),
        ({"deviations": "markov"}, "deviations = 'markov'"),
    ):
        with pytest.raises(ParameterError, match=words):
            arena.solve(game, "v_learning", iterations=20, resume=found, **change)
    with pytest.raises(ParameterError, match="v_learning on"):
        arena.solve(game, "lsvi", iterations=20, resume=found)
    bare = Solution(game, "v_learning", found.settings, found.policy)
    with pytest.raises(ParameterError, match="without state"):
        arena.solve(game, "v_learning", iterations=20, resume=bare)
    broken = Solution(game, "v_learning", found.settings, found.policy, state={"iteration": 1})
    with pytest.raises(ParameterError, match="the state of v_learning"):
        arena.solve(game, "v_learning", iterations=20, resume=broken)
